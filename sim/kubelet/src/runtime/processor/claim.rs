//! What a container or a pod has a claim to of its node's processor time.

use api::{Pod, ResourceRequirements};
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

/// The claim of a pod as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PodClaim {
    pub(crate) class: Class,
    /// What it asks for, in thousandths of a core.
    pub(crate) milli: i64,
    /// The cores that a limit of the pod as a whole lets it have; infinite without one.
    pub(crate) most: f64,
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
        let limit = pod.spec.resources.as_ref().and_then(|it| it.limits.get(&api::CPU));
        let most = limit.map_or(f64::INFINITY, |it| it.approximate_f64());
        Self { class, milli: pod.requests().cpu_milli, most }
    }

    pub(super) fn weight(self) -> f64 {
        match self.class {
            Class::Guaranteed | Class::Burstable => weight::weight(self.milli),
            Class::BestEffort => weight::LEAST,
        }
    }
}
