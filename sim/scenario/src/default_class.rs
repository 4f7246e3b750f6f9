//! The storage class of a cluster that has none of its own, but whose applications ask for storage.
//!
//! Clusters of kubeadm come without a class; those of kind, minikube and every cloud come with a default one, and most
//! manifests rely on it.

use api::{Object, StorageClass};
use cluster::{Action, Step};
use serde_json::json;

/// The class `standard`: the default one, which makes volumes of any size near the first pod that uses them, and
/// deletes them with their claims. `None` where nobody asks for storage, where the manifests bring a class, or where a
/// snapshot says what the cluster has.
pub(crate) fn default_class(snapshot: &[Object], steps: &[Step]) -> Option<Object> {
    let applied = || steps.iter().flat_map(|it| applied_by(&it.action));
    let is_wanted = applied().any(asks_for_storage);
    let is_known = !snapshot.is_empty() || applied().any(|it| it.get::<StorageClass>().is_some());
    (is_wanted && !is_known).then(standard)
}

fn applied_by(action: &Action) -> &[Object] {
    match action {
        Action::Kubectl(command) => command.objects(),
        Action::Fault(_) => &[],
    }
}

fn asks_for_storage(object: &Object) -> bool {
    let has_templates = |it: &std::sync::Arc<api::StatefulSet>| !it.spec.volume_claim_templates.is_empty();
    object.get::<api::PersistentVolumeClaim>().is_some()
        || object.get::<api::StatefulSet>().is_some_and(has_templates)
}

fn standard() -> Object {
    let class: StorageClass = serde_json::from_value(json!({
        "metadata": {
            "name": "standard",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "csi.wavetank.dev",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }))
    .expect("it is a storage class");
    let mut object = Object::new(class);
    api::defaults::apply(&mut object);
    object
}

#[cfg(test)]
mod tests {
    use api::{Kind, Meta, PersistentVolumeClaim, Service};
    use base::{Name, Span};
    use kubectl::Command;

    use super::*;

    fn applying(objects: Vec<Object>) -> Vec<Step> {
        let action = Action::Kubectl(Command::apply(objects));
        vec![Step { at: Span::ZERO, text: Name::from_static("apply"), action }]
    }

    #[test]
    fn a_cluster_has_a_default_class_if_somebody_needs_it() {
        let claim = || Object::new(PersistentVolumeClaim::default());
        let class = || Object::new(StorageClass { meta: Meta::default(), ..StorageClass::default() });
        let service = || Object::new(Service::default());
        let table = [
            (vec![], vec![service()], false),
            (vec![], vec![service(), claim()], true),
            (vec![], vec![claim(), class()], false),
            (vec![service()], vec![claim()], false),
        ];
        for (snapshot, objects, expected) in table {
            let found = default_class(&snapshot, &applying(objects));
            assert_eq!(found.is_some(), expected);
            assert!(found.is_none_or(|it| it.kind() == Kind::StorageClass));
        }
    }
}
