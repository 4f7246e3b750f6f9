//! Which deployments a change concerns.
//!
//! Upstream: the event handlers of `pkg/controller/deployment/deployment_controller.go`.

use api::{Deployment, DeploymentStrategyType, Pod, ReplicaSet, Resource};
use client::{Change, View, Wakes};

use crate::ownership::{controller_key, resolve};

pub(super) fn wakes(change: &Change, view: &View, wakes: &mut Wakes) {
    if let Some(deployment) = change.get::<Deployment>() {
        return wakes.now(deployment.key());
    }
    match (change.old::<ReplicaSet>(), change.new::<ReplicaSet>()) {
        (None, Some(set)) => add_replica_set(set, view, wakes),
        (Some(old), Some(new)) => update_replica_set(old, new, view, wakes),
        (Some(set), None) => delete_replica_set(set, view, wakes),
        (None, None) => (),
    }
    if let (true, Some(pod)) = (change.is_gone(), change.get::<Pod>()) {
        delete_pod(pod, view, wakes);
    }
}

fn add_replica_set(set: &ReplicaSet, view: &View, wakes: &mut Wakes) {
    if set.meta.is_deleting() || set.meta.controller().is_some() {
        return delete_replica_set(set, view, wakes);
    }
    wake_adopters(set, view, wakes);
}

fn update_replica_set(old: &ReplicaSet, new: &ReplicaSet, view: &View, wakes: &mut Wakes) {
    let controller_changed = old.meta.controller() != new.meta.controller();
    if controller_changed {
        delete_replica_set(old, view, wakes);
    }
    if new.meta.controller().is_some() {
        delete_replica_set(new, view, wakes);
    } else if controller_changed || old.meta.labels != new.meta.labels {
        wake_adopters(new, view, wakes);
    }
}

/// Wakes the owner. An orphan that goes concerns nobody.
fn delete_replica_set(set: &ReplicaSet, view: &View, wakes: &mut Wakes) {
    if let Some(key) = controller_key::<Deployment>(view, &set.meta) {
        wakes.now(key);
    }
}

/// The last pod of a deployment that recreates has gone: the new ones can come.
fn delete_pod(pod: &Pod, view: &View, wakes: &mut Wakes) {
    let Some(deployment) = deployment_of(pod, view) else { return };
    if deployment.spec.strategy.kind != DeploymentStrategyType::Recreate {
        return;
    }
    let mut sets = view.owned_by::<ReplicaSet>(deployment.meta.uid);
    if !sets.any(|set| view.owned_by::<Pod>(set.meta.uid).next().is_some()) {
        wakes.now(deployment.key());
    }
}

/// Upstream: `getDeploymentForPod`.
fn deployment_of<'a>(pod: &Pod, view: &'a View) -> Option<&'a Deployment> {
    let set = resolve::<ReplicaSet>(view, &pod.meta.namespace, pod.meta.controller()?)?;
    resolve::<Deployment>(view, &set.meta.namespace, set.meta.controller()?).map(AsRef::as_ref)
}

/// Upstream: `getDeploymentsForReplicaSet`. A selector that is empty means no set here.
fn wake_adopters(set: &ReplicaSet, view: &View, wakes: &mut Wakes) {
    if set.meta.labels.is_empty() {
        return;
    }
    for deployment in view.list_in::<Deployment>(&set.meta.namespace) {
        let Ok(selector) = deployment.spec.selector.compile() else { continue };
        if !selector.is_everything() && selector.matches(&set.meta.labels) {
            wakes.now(deployment.key());
        }
    }
}
