//! Who wants how much processor time at one moment, and who gets it.
//!
//! Upstream: `pkg/kubelet/cm/{qos_container_manager_linux,pod_container_manager_linux}.go` for the tree of cgroups:
//! Guaranteed pods beside the groups of Burstable and BestEffort ones, whose weights are that of all their requests
//! together, and the least. Nothing else runs on the node.

use api::Uid;
use base::{Span, Time};

use super::claim::{Class, PodClaim};
use super::divide::{Group, divide};
use super::weight::{LEAST, weight};
use crate::runtime::{Runtime, Sandbox};

/// What grows or falls evenly is followed in steps of this part of the node.
const STEP: f64 = 0.01;
/// From one step to the next it takes at least one period of the kernel's quota.
const STEP_MIN: Span = Span::millis(100);
/// As far as is looked ahead for a shortage, in seconds; and so many times that is halved, down to a nanosecond.
const FAR: f64 = 1e8;
const HALVINGS: u32 = 60;

/// What one container wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) cores: f64,
    /// By how much that grows in a second …
    pub(crate) slope: f64,
    /// … until then; [`Time::MAX`] for good.
    pub(crate) until: Time,
}

impl Wanted {
    pub(crate) const NOTHING: Self = Self { cores: 0.0, slope: 0.0, until: Time::MAX };
}

/// A container that wants processor time, or may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contender {
    pub(super) uid: Uid,
    pub(super) container: usize,
    /// The position of its pod.
    pod: usize,
    wanted: Wanted,
    /// The most that it will ever want while nothing happens.
    ever: f64,
    /// What its limit and the node let it have.
    pub(super) most: f64,
    weight: f64,
    /// Whether it feels it before it wants more than it gets: by how long its answers take.
    pub(super) is_served: bool,
}

/// All of them, pod by pod: Guaranteed pods first, then Burstable, then BestEffort ones.
#[derive(Clone, Debug)]
pub(super) struct Contest {
    /// Of the node.
    cores: f64,
    pods: Vec<PodClaim>,
    pub(super) contenders: Vec<Contender>,
    /// What all Burstable pods ask for, in thousandths of a core.
    burstable: i64,
}

impl Contest {
    pub(super) fn at(at: Time, cores: f64, runtime: &Runtime) -> Self {
        let burstable = |it: &&Sandbox| it.claim.class == Class::Burstable && it.is_up(at);
        let burstable = runtime.pods.values().filter(burstable).map(|it| i64::from(it.claim.milli)).sum();
        let mut contest = Self { cores, pods: Vec::new(), contenders: Vec::new(), burstable };
        for class in [Class::Guaranteed, Class::Burstable, Class::BestEffort] {
            for (uid, sandbox) in runtime.pods.iter().filter(|(_, it)| it.claim.class == class) {
                contest.add(at, *uid, sandbox);
            }
        }
        contest
    }

    fn add(&mut self, at: Time, uid: Uid, sandbox: &Sandbox) {
        let before = self.contenders.len();
        for container in 0..sandbox.containers() {
            let Some(instance) = sandbox.instance(container).filter(|it| it.is_running(at)) else { continue };
            let Some(claim) = instance.claim.as_deref() else { continue };
            self.contenders.push(Contender {
                uid,
                container,
                pod: self.pods.len(),
                wanted: instance.wanted(at),
                ever: instance.wanted_ever(),
                most: claim.most,
                weight: claim.weight,
                is_served: instance.is_served(),
            });
        }
        if before < self.contenders.len() {
            self.pods.push(sandbox.claim);
        }
    }

    /// Whether anybody gets less than it wants.
    pub(super) fn is_short(&self) -> bool {
        self.falls_short(|it| it.wanted.cores)
    }

    /// Whether anybody may get less than it wants before something happens.
    pub(super) fn may_fall_short(&self) -> bool {
        self.falls_short(|it| it.ever)
    }

    fn falls_short(&self, wants: impl Fn(&Contender) -> f64) -> bool {
        let groups = self.groups(|_, it| wants(it));
        let wanted: f64 = groups.iter().map(Group::wanted).sum();
        self.cores + super::TOLERANCE < wanted || groups.iter().any(Group::is_tight)
    }

    /// What each gets.
    pub(super) fn parts(&self) -> Vec<f64> {
        divide(self.cores, &self.groups(|_, it| it.wanted.cores))
    }

    /// What each would get if it alone wanted all that it may have. For one that gets less than it wants, that is
    /// what it gets; for one that has no requests to serve, nobody asks unless it does.
    pub(super) fn offers(&self) -> Vec<f64> {
        let parts = self.parts();
        let offer = |(n, it): (usize, &Contender)| {
            if parts[n] + super::TOLERANCE < it.wanted.cores {
                parts[n]
            } else if it.is_served {
                let wants = |m, other: &Contender| if m == n { other.most } else { other.wanted.cores };
                divide(self.cores, &self.groups(wants))[n]
            } else {
                it.most
            }
        };
        self.contenders.iter().enumerate().map(offer).collect()
    }

    /// Until when they want what they want, in a straight line each.
    pub(super) fn until(&self) -> Time {
        self.contenders.iter().map(|it| it.wanted.until).min().unwrap_or(Time::MAX)
    }

    /// Whether what anybody wants grows or falls.
    pub(super) fn is_moving(&self) -> bool {
        self.contenders.iter().any(|it| it.wanted.slope != 0.0)
    }

    /// When the next look is due while they fall short.
    pub(super) fn next_step(&self, at: Time) -> Time {
        let slopes: f64 = self.contenders.iter().map(|it| it.wanted.slope.abs()).sum();
        if slopes == 0.0 {
            return self.until();
        }
        let step = Span::from_secs_f64(self.cores * STEP / slopes).max(STEP_MIN);
        self.until().min(at + step)
    }

    /// When they begin to fall short, while they want what they want in straight lines.
    pub(super) fn next_shortage(&self, at: Time) -> Option<Time> {
        let ahead = |seconds: f64| self.falls_short(|it| it.wanted.cores + it.wanted.slope * seconds);
        let until = self.until();
        let mut high = if until == Time::MAX { FAR } else { until.since(at).as_secs_f64() };
        if !ahead(high) {
            return None;
        }
        // What straight lines come to crosses a level once, and halving finds where.
        let mut low = 0.0;
        for _ in 0..HALVINGS {
            let middle = low + (high - low) / 2.0;
            if ahead(middle) { high = middle } else { low = middle }
        }
        Some(at + Span::from_secs_f64(high) + Span::from_nanos(1))
    }

    /// The tree of cgroups, with what each contender wants; those at the bottom are in the order of the contenders.
    fn groups(&self, wants: impl Fn(usize, &Contender) -> f64) -> Vec<Group> {
        let mut pods: Vec<Group> = self
            .pods
            .iter()
            .map(|it| Group { weight: it.weight(), most: it.most(), members: Vec::new() })
            .collect();
        for (n, it) in self.contenders.iter().enumerate() {
            pods[it.pod].members.push(Group::single(it.weight, wants(n, it)));
        }
        let count = |class| self.pods.iter().filter(|it| it.class == class).count();
        let mut rest = pods.split_off(count(Class::Guaranteed));
        let best_effort = rest.split_off(count(Class::Burstable));
        for (weight, members) in [(weight(self.burstable), rest), (LEAST, best_effort)] {
            if !members.is_empty() {
                pods.push(Group { weight, most: f64::INFINITY, members });
            }
        }
        pods
    }
}
