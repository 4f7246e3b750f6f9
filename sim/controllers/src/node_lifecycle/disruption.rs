//! Whole zones that are down: when to slow down, and when to stop, lest a fault of the network empty the cluster.
//!
//! Upstream: `handleDisruption`, `ComputeZoneState`.

use std::collections::BTreeMap;

use api::Node;
use base::{Name, Time};
use client::{Plan, View};

use super::{NodeLifecycle, plans};

/// How much of a zone is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ZoneState {
    /// Nothing is known yet.
    Initial,
    Normal,
    /// More than two nodes, and at least the unhealthy share of all.
    Partial,
    /// All of them.
    Full,
}

impl ZoneState {
    /// `--unhealthy-zone-threshold` is 0.55.
    fn of(ready: &[bool]) -> Self {
        let down = ready.iter().filter(|it| !**it).count();
        if down == ready.len() && down > 0 {
            Self::Full
        } else if down > 2 && down * 100 >= ready.len() * 55 {
            Self::Partial
        } else {
            Self::Normal
        }
    }
}

impl NodeLifecycle {
    /// `ready` tells of each node of each zone whether it is ready.
    pub(super) fn handle_disruption(
        &mut self,
        now: Time,
        view: &View,
        ready: &BTreeMap<Name, Vec<bool>>,
        mut plan: Plan,
    ) -> Plan {
        let states: BTreeMap<Name, ZoneState> =
            ready.iter().map(|(zone, ready)| (zone.clone(), ZoneState::of(ready))).collect();
        self.zones.retain(|zone, _| states.contains_key(zone));
        let all_down = states.values().all(|it| *it == ZoneState::Full);
        let all_were_down = self.zones.values().all(|it| it.state == ZoneState::Full);
        if all_down && !all_were_down {
            // It is more likely that the controller itself is cut off: no node is evicted, and taints go.
            for node in view.list::<Node>() {
                plan = plans::mark_reachable(node, plan);
            }
            self.zones.values_mut().for_each(|zone| zone.stop(now));
        } else if !all_down && all_were_down {
            self.healths.values_mut().for_each(|it| it.reset(now));
            for (name, zone) in &mut self.zones {
                zone.enter(now, states[name], ready[name].len());
            }
        } else if !all_down {
            for (name, zone) in &mut self.zones {
                if zone.state != states[name] {
                    zone.enter(now, states[name], ready[name].len());
                }
            }
        }
        for (name, zone) in &mut self.zones {
            zone.state = states[name];
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_judged_by_how_many_are_down_and_by_what_share() {
        let zone = |down: usize, all: usize| ZoneState::of(&(0..all).map(|n| n >= down).collect::<Vec<_>>());
        let cases = [
            (0, 3, ZoneState::Normal),
            (2, 3, ZoneState::Normal), // More than two must be down.
            (3, 3, ZoneState::Full),
            (1, 1, ZoneState::Full),
            (5, 10, ZoneState::Normal),
            (6, 10, ZoneState::Partial),
            (11, 20, ZoneState::Partial), // Exactly the share.
            (10, 20, ZoneState::Normal),
        ];
        for (down, all, expected) in cases {
            assert_eq!(zone(down, all), expected, "{down} of {all}");
        }
    }
}
