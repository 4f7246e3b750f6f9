//! What a container or a pod has a claim to of its node's processor time.

use std::num::NonZeroU32;

use api::{CPU, Pod, PodSpec, ResourceRequirements};
use base::{Span, Time};
use workload::{Conduct, Curve, Pace};

use super::super::instance::End;
use super::super::start::Site;
use super::weight;

/// Kept only for containers of which anything is said to use processor time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claim {
    /// The cores that its limit and the node let it have.
    pub(crate) most: f64,
    /// Within its pod.
    pub(crate) weight: f64,
    /// The cores that it would have now if it wanted `most`.
    pub(crate) granted: f64,
    /// How its own course ends, which takes longer while it has less than it wants.
    pub(crate) exit: Option<End>,
    /// How others end it, at the latest.
    pub(crate) bound: Option<End>,
    /// Its memory limit, in bytes.
    pub(crate) memory_max: Option<f64>,
}

impl Claim {
    /// That of a container with such resources.
    pub(in crate::runtime) fn of(
        site: &Site,
        conduct: &Conduct<'_>,
        resources: &ResourceRequirements,
    ) -> Option<Box<Self>> {
        if conduct.load().is_none() && conduct.usage().cpu.as_ref().is_none_or(Curve::is_zero) {
            return None;
        }
        let (most, weight) = (site.cores(resources), weight::of_container(resources));
        Some(Box::new(Self { most, weight, granted: most, exit: None, bound: None, memory_max: None }))
    }

    /// How its own course takes it, if it wants `wanted` cores from its start on.
    pub(crate) fn pace<'a>(&self, wanted: &'a Curve) -> Pace<'a> {
        Pace { wanted, cores: self.granted.max(super::TOLERANCE) }
    }

    /// How it ends, if it is not for its memory.
    pub(crate) fn end(&self) -> Option<End> {
        self.exit.into_iter().chain(self.bound).min_by_key(|it| it.at)
    }

    /// Ends it at `end.at` at the latest.
    pub(crate) fn cut(&mut self, end: End) {
        if self.bound.is_none_or(|it| end.at < it.at) {
            self.bound = Some(end);
        }
    }

    /// What was still to come at `since` comes so much later.
    pub(crate) fn postpone(&mut self, since: Time, by: Span) {
        [&mut self.exit, &mut self.bound].into_iter().flatten().for_each(|it| it.postpone(since, by));
    }
}

/// The claim of a pod as a whole. Small, since every pod has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PodClaim {
    pub(crate) class: Class,
    /// What it asks for, and what a limit of the pod as a whole lets it have, in thousandths of a core.
    pub(crate) milli: u32,
    limit_milli: Option<NonZeroU32>,
}

/// The class of a pod's quality of service, which says where its cgroup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Beside those of the other two classes as a whole.
    Guaranteed,
    Burstable,
    BestEffort,
}

impl PodClaim {
    pub(crate) fn of(pod: &Pod) -> Self {
        let class = match pod.status.qos_class.as_str() {
            "Guaranteed" => Class::Guaranteed,
            "BestEffort" => Class::BestEffort,
            _ => Class::Burstable,
        };
        Self { class, milli: 0, limit_milli: None }.with(&pod.spec)
    }

    /// The same of a pod of which so much is set aside.
    pub(crate) fn with(self, spec: &PodSpec) -> Self {
        let milli = |it: i64| u32::try_from(it.max(0)).unwrap_or(u32::MAX);
        let limit = spec.resources.as_ref().and_then(|it| it.limits.get(&CPU));
        let limit_milli = limit.and_then(|it| NonZeroU32::new(milli(it.milli_value())));
        Self { milli: milli(spec.requests().cpu_milli), limit_milli, ..self }
    }

    /// The cores that it may have; infinite without a limit of its own.
    pub(super) fn most(self) -> f64 {
        self.limit_milli.map_or(f64::INFINITY, |it| f64::from(it.get()) / 1_000.0)
    }

    pub(super) fn weight(self) -> f64 {
        match self.class {
            Class::Guaranteed | Class::Burstable => weight::weight(self.milli.into()),
            Class::BestEffort => weight::LEAST,
        }
    }
}
