//! The pods that belong together with a pod which does not say so itself.
//!
//! Upstream: `pkg/scheduler/framework/plugins/helper/spread.go`.

use api::{Kind, Labels, Pod, ReplicaSet, ReplicationController, Selector, Service, StatefulSet};

use super::constraint::both;
use crate::objects::Objects;

/// What the services that send traffic to the pod select, and what its controller selects. Everything, if there is
/// neither. Upstream: `DefaultSelector`.
pub(super) fn default_selector(pod: &Pod, objects: &Objects) -> Selector {
    let mut labels = labels_of_services(pod, objects);
    let Some(owner) = pod.meta.controller() else { return Selector::from_labels(&labels) };
    let namespace = &pod.meta.namespace;
    let selector = match owner.owner_kind() {
        Some(Kind::ReplicationController) => {
            if let Some(controller) = objects.find::<ReplicationController>(namespace, &owner.name) {
                labels = merge(&labels, &controller.spec.selector);
            }
            None
        }
        Some(Kind::ReplicaSet) => {
            objects.find::<ReplicaSet>(namespace, &owner.name).map(|it| &it.spec.selector)
        }
        Some(Kind::StatefulSet) => {
            objects.find::<StatefulSet>(namespace, &owner.name).map(|it| &it.spec.selector)
        }
        _ => None,
    };
    let compiled = selector.and_then(|it| it.compile().ok()).unwrap_or_default();
    both(&labels, &compiled)
}

/// Upstream: `GetPodServices`, and the merging of their selectors.
fn labels_of_services(pod: &Pod, objects: &Objects) -> Labels {
    let services = objects.list_in::<Service>(&pod.meta.namespace).map(|it| &it.spec.selector);
    let selects = |selector: &&Labels| {
        !selector.is_empty() && selector.iter().all(|(key, value)| pod.meta.label(key) == Some(value))
    };
    services.filter(selects).fold(Labels::EMPTY, |labels, selector| merge(&labels, selector))
}

fn merge(labels: &Labels, more: &Labels) -> Labels {
    let pairs = labels.iter().chain(more.iter());
    pairs.map(|(key, value)| (key.clone(), value.clone())).collect()
}
