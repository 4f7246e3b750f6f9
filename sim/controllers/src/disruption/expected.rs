//! How many pods a budget counts on, and how many of them must be healthy.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{
    Deployment, IntOrString, Kind, OwnerReference, Pod, PodDisruptionBudget, ReplicaSet, Rounding,
    StatefulSet, Uid,
};
use base::Name;
use client::View;

use crate::ownership::resolve;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) pods: i32,
    pub(super) desired_healthy: i32,
    /// Whether pods without a controller were left out.
    pub(super) has_unmanaged: bool,
}

/// A number of pods that must be available stands for itself, and is compared with the pods there are. Anything else
/// relates to the number of pods that their controllers want.
///
/// Upstream: `getExpectedPodCount`.
pub(super) fn expected_pod_count(
    view: &View,
    budget: &PodDisruptionBudget,
    pods: &[&Arc<Pod>],
) -> Result<Expected, Name> {
    let there = i32::try_from(pods.len()).expect("fewer pods than fit in memory");
    match (&budget.spec.max_unavailable, &budget.spec.min_available) {
        (Some(max_unavailable), _) => {
            let scale = expected_scale(view, pods)?;
            let desired_healthy = (scale.pods - scaled(max_unavailable, scale.pods)?).max(0);
            Ok(Expected { desired_healthy, ..scale })
        }
        (None, Some(IntOrString::Int(min))) => {
            Ok(Expected { pods: there, desired_healthy: *min, has_unmanaged: false })
        }
        (None, Some(percentage)) => {
            let scale = expected_scale(view, pods)?;
            Ok(Expected { desired_healthy: scaled(percentage, scale.pods)?, ..scale })
        }
        (None, None) => Ok(Expected { pods: 0, desired_healthy: 0, has_unmanaged: false }),
    }
}

fn scaled(value: &IntOrString, total: i32) -> Result<i32, Name> {
    let pods =
        value.scaled(total.into(), Rounding::Up).map_err(|error| Name::from(format_args!("{error}")))?;
    Ok(i32::try_from(pods).unwrap_or(i32::MAX))
}

/// The sum of what all controllers of the pods want. Upstream: `getExpectedScale`.
fn expected_scale(view: &View, pods: &[&Arc<Pod>]) -> Result<Expected, Name> {
    let mut scales: BTreeMap<Uid, i32> = BTreeMap::new();
    let mut has_unmanaged = false;
    for pod in pods {
        let Some(reference) = pod.meta.controller() else {
            has_unmanaged = true;
            continue;
        };
        if scales.contains_key(&reference.uid) {
            continue;
        }
        let found = controller_scale(view, &pod.meta.namespace, reference)?;
        let (uid, scale) = found
            .ok_or_else(|| Name::from(format_args!("found no controllers for pod \"{}\"", pod.meta.name)))?;
        scales.insert(uid, scale);
    }
    Ok(Expected { pods: scales.values().sum(), desired_healthy: 0, has_unmanaged })
}

/// Who decides how many pods there are, and how many that are: the deployment for its replica sets. A controller that has no
/// scale, as a DaemonSet, makes the budget fail. Custom resources count as unknown.
///
/// Upstream: `finders`.
fn controller_scale(
    view: &View,
    namespace: &Name,
    reference: &OwnerReference,
) -> Result<Option<(Uid, i32)>, Name> {
    if let Some(set) = resolve::<ReplicaSet>(view, namespace, reference) {
        let deployment = set.meta.controller().and_then(|it| resolve::<Deployment>(view, namespace, it));
        let scale = deployment.map_or((set.meta.uid, set.replicas()), |it| (it.meta.uid, it.replicas()));
        return Ok(Some(scale));
    }
    if let Some(set) = resolve::<StatefulSet>(view, namespace, reference) {
        return Ok(Some((set.meta.uid, set.spec.replicas.unwrap_or(1))));
    }
    let scalable = [Kind::Deployment, Kind::ReplicaSet, Kind::ReplicationController, Kind::StatefulSet];
    match reference.owner_kind().filter(|kind| !scalable.contains(kind)) {
        Some(kind) => {
            let plural = kind.qualified_plural();
            Err(Name::from(format_args!("{plural} does not implement the scale subresource")))
        }
        None => Ok(None),
    }
}
