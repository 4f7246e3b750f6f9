//! What a snapshot leaves out, but must have been there: dumps of clusters seldom hold Secrets, and often no
//! ConfigMaps, though their pods cannot run without.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    CronJob, DaemonSet, Deployment, Job, Kind, Object, Pod, PodSpec, ReplicaSet, ReplicationController,
    StatefulSet,
};
use base::Name;
use serde_json::{Map, Value, json};

/// Marks an object that nobody wrote down.
const ASSUMED: &str = "wavetank.dev/assumed";

/// By kind, namespace and name, the keys that somebody needs.
type Needed = BTreeMap<(Kind, Name, Name), BTreeSet<Name>>;

/// The ConfigMaps and Secrets that the pods of a snapshot name, with the keys that they read and nothing in them. Of a
/// kind that the snapshot has any of, what it does not have was not there.
pub(crate) fn objects(snapshot: &[Object]) -> Vec<Object> {
    let mut needed = Needed::new();
    for object in snapshot {
        let Some(spec) = pod_spec(object) else { continue };
        for (kind, name, keys) in kubelet::objects_needed(spec) {
            needed.entry((kind, object.meta().namespace.clone(), name)).or_default().extend(keys);
        }
    }
    needed.retain(|(kind, ..), _| !snapshot.iter().any(|it| it.kind() == *kind));
    needed.into_iter().map(|((kind, namespace, name), keys)| object(&kind, &namespace, &name, keys)).collect()
}

/// What pods of an object are made from.
fn pod_spec(object: &Object) -> Option<&PodSpec> {
    None.or_else(|| object.get::<Pod>().map(|it| &*it.spec))
        .or_else(|| object.get::<ReplicaSet>().map(|it| &*it.spec.template.spec))
        .or_else(|| object.get::<Deployment>().map(|it| &*it.spec.template.spec))
        .or_else(|| object.get::<StatefulSet>().map(|it| &*it.spec.template.spec))
        .or_else(|| object.get::<DaemonSet>().map(|it| &*it.spec.template.spec))
        .or_else(|| object.get::<Job>().map(|it| &*it.spec.template.spec))
        .or_else(|| object.get::<CronJob>().map(|it| &*it.spec.job_template.spec.template.spec))
        .or_else(|| {
            object.get::<ReplicationController>().and_then(|it| Some(&*it.spec.template.as_ref()?.spec))
        })
}

fn object(kind: &Kind, namespace: &Name, name: &Name, keys: BTreeSet<Name>) -> Object {
    let data: Map<String, Value> = keys.into_iter().map(|it| (it.to_string(), "".into())).collect();
    let value = json!({
        "metadata": {"namespace": namespace, "name": name, "annotations": {ASSUMED: "true"}},
        "data": data,
    });
    Object::from_json(kind, value).expect("an object of these fields is of any kind")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Object {
        let container = json!({
            "name": "main",
            "env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "token", "key": "a"}}},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "token", "key": "b"}}},
                {"name": "C", "valueFrom": {"secretKeyRef": {"name": "maybe", "key": "c", "optional": true}}},
            ],
            "envFrom": [{"configMapRef": {"name": "settings"}}],
        });
        let value = json!({
            "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"selector": {}, "template": {"spec": {"containers": [container]}}},
        });
        Object::from_json(&Kind::Deployment, value).unwrap()
    }

    fn names(snapshot: &[Object]) -> Vec<String> {
        objects(snapshot).iter().map(|it| it.key().to_string()).collect()
    }

    #[test]
    fn what_a_dump_left_out_is_taken_to_be_there() {
        assert_eq!(names(&[deployment()]), ["configmap/shop/settings", "secret/shop/token"]);
    }

    #[test]
    fn a_dump_with_secrets_has_all_of_them() {
        let other = object(&Kind::Secret, &Name::new("shop"), &Name::new("other"), BTreeSet::new());
        assert_eq!(names(&[deployment(), other]), ["configmap/shop/settings"]);
    }
}
