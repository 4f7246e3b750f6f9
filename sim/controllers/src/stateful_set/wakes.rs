//! Which sets a change concerns.
//!
//! Upstream: the event handlers of `pkg/controller/statefulset/stateful_set.go`.

use api::{ConditionStatus, Pod, PodPhase, Resource, StatefulSet, Timestamp, condition};
use client::{Change, View, Wakes};

use crate::ownership::{controller_key, resolve};

pub(super) fn wakes(change: &Change, view: &View, wakes: &mut Wakes) {
    if let Some(set) = change.get::<StatefulSet>() {
        return wakes.now(set.key());
    }
    match (change.old::<Pod>(), change.new::<Pod>()) {
        (None, Some(pod)) if !pod.is_deleting() && pod.meta.controller().is_none() => {
            wake_adopters(pod, view, wakes);
        }
        (None, Some(pod)) | (Some(pod), None) => wake_owner(pod, view, wakes),
        (Some(old), Some(new)) => update_pod(old, new, view, wakes),
        (None, None) => (), // Another kind.
    }
}

/// Upstream syncs at any change of a pod; here, only at one that a sync would notice.
fn update_pod(old: &Pod, new: &Pod, view: &View, wakes: &mut Wakes) {
    let labels_changed = old.meta.labels != new.meta.labels;
    let controller_changed = old.meta.controller() != new.meta.controller();
    if !labels_changed && !controller_changed && role(old) == role(new) {
        return;
    }
    if controller_changed {
        wake_owner(old, view, wakes);
    }
    match new.meta.controller() {
        Some(reference) => {
            let Some(set) = resolve::<StatefulSet>(view, &new.meta.namespace, reference) else { return };
            wakes.now(set.key());
            if !old.is_ready() && new.is_ready() && 0 < set.spec.min_ready_seconds {
                wakes.after(set.key(), set.min_ready());
            }
        }
        None => wake_adopters(new, view, wakes),
    }
}

fn wake_owner(pod: &Pod, view: &View, wakes: &mut Wakes) {
    if let Some(key) = controller_key::<StatefulSet>(view, &pod.meta) {
        wakes.now(key);
    }
}

/// Upstream: `getStatefulSetsForPod`. A selector that is empty means no pod here.
fn wake_adopters(pod: &Pod, view: &View, wakes: &mut Wakes) {
    if pod.meta.labels.is_empty() {
        return;
    }
    for set in view.list_in::<StatefulSet>(&pod.meta.namespace) {
        let Ok(selector) = set.spec.selector.compile() else { continue };
        if !selector.is_everything() && selector.matches(&pod.meta.labels) {
            wakes.now(set.key());
        }
    }
}

/// All of a pod that a sync looks at and that can change, but for its labels and owners.
type Role<'a> = (bool, &'a PodPhase, Option<(&'a ConditionStatus, Option<Timestamp>)>);

fn role(pod: &Pod) -> Role<'_> {
    let ready = pod.status.condition(&condition::READY).map(|it| (&it.status, it.last_transition_time));
    (pod.is_deleting(), &pod.status.phase, ready)
}
