//! Sends pods where their volumes can be reached, finds volumes for claims that have none yet, and has them bound
//! before the pod is.
//!
//! Upstream: `pkg/scheduler/framework/plugins/volumebinding/{volume_binding,binder}.go`.

mod bind;
mod capacity_score;
mod find;
mod hints;
mod matching;
mod pod_claims;
mod provision;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use base::{Name, Span};
use client::Change;

use self::capacity_score::CapacityScore;
use self::find::Finder;
use self::pod_claims::PodClaims;
use crate::cluster::Cluster;
use crate::framework::{
    Cycle, Filter, Plugin, PreBind, PreFilter, Progress, Rejection, Reservation, Scope, Score,
};
use crate::hint::ClusterEvent;
use crate::node_info::NodeInfo;
use crate::pod_info::PodInfo;

#[derive(Clone, Debug)]
pub struct VolumeBinding {
    /// How long a pod waits for its volumes to be bound. 600 s by default.
    bind_timeout: Span,
    /// How a node scores by how full its storage would be, as in [`crate::plugins::Strategy`]. `None` (the default)
    /// does not score: upstream's feature gate StorageCapacityScoring is off.
    shape: Option<Arc<[(i64, i64)]>>,
}

#[derive(Clone)]
struct Reachable(Arc<Finder>);

impl Default for VolumeBinding {
    fn default() -> Self {
        Self::new(Span::secs(600), None)
    }
}

impl VolumeBinding {
    /// `shape` is a line with bends: hundredths used, and score from 0 to 100.
    pub fn new(bind_timeout: Span, shape: Option<Vec<(i64, i64)>>) -> Self {
        Self { bind_timeout, shape: shape.map(Arc::from) }
    }
}

impl Plugin for VolumeBinding {
    fn name(&self) -> &'static str {
        "VolumeBinding"
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        let (pod, objects) = (&cycle.pod.pod, &cycle.cluster.objects);
        match PodClaims::of(pod, objects) {
            Ok(None) => PreFilter::Skip,
            Ok(Some(claims)) => {
                PreFilter::Filter(Box::new(Reachable(Arc::new(Finder::new(&claims, objects)))))
            }
            Err(rejection) => PreFilter::Rejected(rejection),
        }
    }

    fn pre_score(&self, cycle: &Cycle<'_>) -> Option<Box<dyn Score>> {
        let shape = self.shape.as_ref()?;
        Some(Box::new(CapacityScore::new(shape.clone(), cycle)))
    }

    fn reserve(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<Reservation, Rejection> {
        let objects = &cycle.cluster.objects;
        let claims = PodClaims::of(&cycle.pod.pod, objects)?.filter(|it| !it.delayed.is_empty());
        let Some(claims) = claims else { return Ok(Reservation::default()) };
        let volumes = Finder::new(&claims, objects).find(objects, &node.node)?;
        Ok(Reservation { assumed: volumes.assume(node.name()) })
    }

    fn pre_bind(&self, cycle: &Cycle<'_>, node: &NodeInfo, progress: &Progress<'_>) -> PreBind {
        bind::advance(cycle, node, progress, self.bind_timeout)
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        hints::events()
    }

    fn hint(&self, pod: &PodInfo, _event: ClusterEvent, change: &Change, _cluster: &Cluster) -> bool {
        hints::may_help(&pod.pod, change)
    }
}

impl Filter for Reachable {
    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        self.0.find(&cycle.cluster.objects, &node.node).map(drop)
    }

    fn scope(&self) -> Scope {
        Scope::World
    }
}

/// An error that is no rejection, in upstream's words.
fn error(message: impl Into<Name>) -> Rejection {
    Rejection::error(message)
}
