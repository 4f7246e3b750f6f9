//! Notices nodes whose kubelet has gone silent, says so in their status, and taints them, a few at a time.
//!
//! Upstream: `pkg/controller/nodelifecycle/node_lifecycle_controller.go`.

mod disruption;
mod health;
mod plans;
mod zone;

use std::collections::BTreeMap;

use api::{ConditionStatus, Key, Kind, Lease, Node};
use base::{Name, Span, Time};
use client::{Aspects, Change, Context, Plan, Reconciler, View, Wakes};

use self::disruption::ZoneState;
use self::health::Health;
use self::zone::Zone;

/// `--node-monitor-period`: how often every node is looked at.
const MONITOR_PERIOD: Span = Span::secs(5);

/// The namespace of the leases of nodes.
const LEASES: Name = Name::from_static("kube-node-lease");

/// The controller, and what it remembers of every node.
///
/// Two kinds of keys: a node, whose taints that keep pods away follow its conditions at once; and the monitor, which
/// looks at all nodes every five seconds. The monitor rests while every node is ready and keeps its promise to
/// renew its lease: then its looks would change nothing.
#[derive(Clone, Debug)]
pub struct NodeLifecycle {
    /// Looks fall on this plus multiples of the period.
    started: Time,
    next_look: Time,
    healths: BTreeMap<Name, Health>,
    zones: BTreeMap<Name, Zone>,
    /// It looks also where that will find what it found before.
    one_by_one: bool,
}

impl NodeLifecycle {
    pub fn new(started: Time) -> Self {
        Self {
            started,
            next_look: started,
            healths: BTreeMap::new(),
            zones: BTreeMap::new(),
            one_by_one: false,
        }
    }

    /// The same, but the monitor never rests.
    pub fn one_by_one(self) -> Self {
        Self { one_by_one: true, ..self }
    }

    /// Upstream: `monitorNodeHealth`, and the `doNoExecuteTaintingPass` that follows within a tenth of a second.
    fn monitor(&mut self, now: Time, view: &View) -> Plan {
        let mut plan = Plan::done();
        if self.next_look <= now {
            self.next_look = look_after(self.started, now + Span::from_nanos(1));
            plan = self.look(now, view, plan);
        }
        plan = self.evict(now, view, plan);
        let next_eviction = self.zones.values().filter_map(|zone| zone.next(now)).min();
        let next_look =
            if !self.one_by_one && self.is_quiet(now, view) { None } else { Some(self.next_look) };
        match next_eviction.into_iter().chain(next_look).min() {
            Some(next) => plan.and_again_after(next.since(now)),
            None => plan,
        }
    }

    fn look(&mut self, now: Time, view: &View, mut plan: Plan) -> Plan {
        self.healths.retain(|name, _| view.find::<Node>(&Name::EMPTY, name).is_some());
        let mut ready: BTreeMap<Name, Vec<bool>> = BTreeMap::new();
        for node in view.list::<Node>() {
            let name = &node.meta.name;
            let key = zone::key_of(node);
            self.zones.entry(key.clone()).or_default();
            let lease = view.find::<Lease>(&LEASES, name);
            if !self.healths.contains_key(name) {
                plan.notes.push(plans::registered(node));
            }
            let started = self.started;
            let seen_at = |renewed: Time| look_after(started, renewed).min(now);
            let health = self.healths.entry(name.clone()).or_default();
            health.observe(now, node, lease.map(AsRef::as_ref), seen_at);
            let was = health::ready_of(node);
            let silent = health.is_silent(now, node);
            let is = if silent { ConditionStatus::Unknown } else { was.clone() };
            if silent && was != ConditionStatus::Unknown {
                plan = plans::mark_unknown(now, node, plan);
            }
            if is != ConditionStatus::True && was == ConditionStatus::True {
                plan = plans::mark_pods_not_ready(now, node, view, plan);
            }
            let zone = self.zones.get_mut(&key).expect("it was put there above");
            plan = match is {
                ConditionStatus::True => {
                    zone.remove(name);
                    plans::mark_reachable(node, plan)
                }
                ConditionStatus::False | ConditionStatus::Unknown | ConditionStatus::Other(_) => {
                    plans::swap_or_queue(now, node, &is, zone, plan)
                }
            };
            ready.entry(key).or_default().push(is == ConditionStatus::True);
        }
        self.handle_disruption(now, view, &ready, plan)
    }

    /// Taints the nodes whose turn it is. Upstream: `doNoExecuteTaintingPass`.
    fn evict(&mut self, now: Time, view: &View, mut plan: Plan) -> Plan {
        for zone in self.zones.values_mut() {
            while let Some(name) = zone.take(now) {
                if let Some(node) = view.find::<Node>(&Name::EMPTY, &name) {
                    // The view may lag behind what the monitor has just written.
                    let silent = self.healths.get(&name).is_some_and(|it| it.is_silent(now, node));
                    let ready = if silent { ConditionStatus::Unknown } else { health::ready_of(node) };
                    plan = plans::taint(now, node, &ready, plan);
                }
            }
        }
        plan
    }

    /// Takes in what the looks have seen of a lease that the monitor has rested from.
    fn make_up(&mut self, now: Time, lease: &Lease) {
        let Some(health) = self.healths.get_mut(&lease.meta.name) else { return };
        let started = self.started;
        let look = look_after(started, now);
        let last = if look == now { now } else { look.before(MONITOR_PERIOD) };
        health.observe_lease(last, lease, |renewed| look_after(started, renewed).min(last));
    }

    /// Whether all looks to come would find what this one has found.
    fn is_quiet(&self, now: Time, view: &View) -> bool {
        let normal = self.zones.values().all(|zone| zone.state == ZoneState::Normal && zone.is_empty());
        normal
            && view.list::<Node>().all(|node| {
                let lease = view.find::<Lease>(&LEASES, &node.meta.name);
                let known = self.healths.get(&node.meta.name).filter(|it| !it.is_silent(now, node));
                lease.zip(known).is_some_and(|(lease, health)| health.hears(lease, now))
                    && health::ready_of(node) == ConditionStatus::True
                    && !plans::is_tainted(node)
            })
    }
}

impl Reconciler for NodeLifecycle {
    fn name(&self) -> &'static str {
        "node-controller"
    }

    fn workers(&self) -> usize {
        8 // Upstream: `scheduler.UpdateWorkerSize`.
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] = &[(Kind::Node, Aspects::ANY), (Kind::Lease, Aspects::ANY)];
        WATCHES
    }

    fn wakes(&mut self, now: Time, change: &Change, _view: &View, wakes: &mut Wakes) {
        if let Some(node) = change.get::<Node>() {
            wakes.now(Key::cluster(Kind::Node, node.meta.name.clone()));
        }
        let of_node = change.get::<Lease>().is_some_and(|lease| lease.meta.namespace == LEASES);
        if of_node && let Some(old) = change.old::<Lease>() {
            self.make_up(now, old);
        }
        if of_node || change.get::<Node>().is_some() {
            wakes.after(monitor_key(), self.next_look.since(now));
        }
    }

    fn reconcile(&mut self, context: &Context<'_>, key: &Key) -> Plan {
        if *key == monitor_key() {
            if self.next_look < context.now {
                // It has rested: the looks in between found nothing.
                self.next_look = look_after(self.started, context.now);
            }
            return self.monitor(context.now, context.view);
        }
        match context.view.at::<Node>(key) {
            Some(node) => plans::follow_conditions(node),
            None => Plan::done(),
        }
    }
}

/// The key of the monitor: no node has an empty name.
fn monitor_key() -> Key {
    Key::cluster(Kind::Node, Name::EMPTY)
}

/// The first look at or after `time`.
fn look_after(started: Time, time: Time) -> Time {
    let periods = time.since(started).nanos().div_ceil(MONITOR_PERIOD.nanos());
    started + MONITOR_PERIOD * periods
}
