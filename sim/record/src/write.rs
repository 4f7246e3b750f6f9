//! From a committed write to what the record says.

use std::sync::Arc;

use api::{CustomKind, Event, Key, Kind, Object, ObjectReference, Revision};
use base::Name;

use crate::changes;
use crate::verb::{Subresource, Verb};
use crate::what::{Effect, EventKind, What};

/// A write that the store took: what was asked, and the object before and after it.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    pub verb: Verb,
    pub sub: Subresource,
    pub revision: Revision,
    /// `None` if it was created.
    pub old: Option<&'a Object>,
    /// `None` if it is gone.
    pub new: Option<&'a Object>,
}

impl Write<'_> {
    /// An event if that is what was written, else a commit with the changes that matter.
    pub fn what(&self) -> What {
        let effect = match (self.old, self.new) {
            (None, _) => Effect::Created,
            (Some(_), Some(_)) => Effect::Changed,
            (Some(_), None) => Effect::Removed,
        };
        match self.new {
            Some(Object::Event(event)) => event_written(event, effect, self.revision),
            _ => self.commit(effect),
        }
    }

    fn commit(&self, effect: Effect) -> What {
        let object = self.new.or(self.old).expect("a write has an object before or after it").key();
        let changes = match (self.old, self.new) {
            (Some(old), Some(new)) => changes::between(old, new),
            (None, Some(new)) => changes::of_creation(new),
            (_, None) => Name::EMPTY,
        };
        What::Commit { verb: self.verb, sub: self.sub, effect, object, revision: self.revision.0, changes }
    }
}

fn event_written(event: &Event, effect: Effect, revision: Revision) -> What {
    What::Event {
        object: key_of(&event.involved_object),
        name: event.meta.name.clone(),
        effect,
        revision: revision.0,
        kind: if event.kind == "Warning" { EventKind::Warning } else { EventKind::Normal },
        reason: event.reason.clone(),
        message: event.message.clone(),
        // A series counts beside the event, and an event that stands alone says nothing or 1.
        count: event.extra.series.as_ref().map_or(event.count, |series| series.count).max(1),
    }
}

fn key_of(reference: &ObjectReference) -> Key {
    let kind = Kind::find(&reference.api_version, &reference.kind).unwrap_or_else(|| custom_kind(reference));
    Key { kind, namespace: reference.namespace.clone(), name: reference.name.clone() }
}

fn custom_kind(reference: &ObjectReference) -> Kind {
    let (group, version) = reference.api_version.split_once('/').unwrap_or(("", &reference.api_version));
    Kind::Custom(Arc::new(CustomKind {
        group: group.into(),
        version: version.into(),
        name: reference.kind.clone(),
        plural: Name::EMPTY,
        namespaced: !reference.namespace.is_empty(),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(kind: &Kind, body: Value) -> Object {
        Object::from_json(kind, body).unwrap()
    }

    fn written(old: Option<&Object>, new: Option<&Object>) -> What {
        Write { verb: Verb::Patch, sub: Subresource::Status, revision: Revision(9), old, new }.what()
    }

    fn changes(kind: &Kind, old: Value, new: Value) -> Name {
        let [old, new] = [old, new].map(|it| object(kind, it));
        let what = written(Some(&old), Some(&new));
        let What::Commit { changes, effect: Effect::Changed, .. } = what else {
            panic!("an update is a commit: {what:?}")
        };
        changes
    }

    #[test]
    fn the_fields_that_matter_are_named_with_both_values() {
        let template = |image: &str| json!({"spec": {"containers": [{"name": "web", "image": image}]}});
        let ready =
            |status: &str, reason: &str| json!([{"type": "Ready", "status": status, "reason": reason}]);
        let cases = [
            (
                Kind::Deployment,
                json!({"spec": {"replicas": 3}}),
                json!({"spec": {"replicas": 5}}),
                "replicas 3→5",
            ),
            (
                Kind::Deployment,
                json!({"spec": {"template": template("web:v1")}}),
                json!({"spec": {"template": template("web:v2")}}),
                "image of web web:v1→web:v2",
            ),
            (
                Kind::Deployment,
                json!({"spec": {"template": {"metadata": {"labels": {"a": "1"}}}}}),
                json!({"spec": {"template": {"metadata": {"labels": {"a": "2"}}}}}),
                "template changed",
            ),
            (
                Kind::Pod,
                json!({"status": {"phase": "Pending"}}),
                json!({"spec": {"nodeName": "a"}, "status": {"phase": "Running", "conditions": ready("True", "")}}),
                "node a, phase Pending→Running, Ready True",
            ),
            (
                Kind::Pod,
                json!({"status": {"conditions": ready("True", "")}}),
                json!({"status": {"conditions": ready("False", "ContainersNotReady")}}),
                "Ready True→False (ContainersNotReady)",
            ),
            (
                Kind::Pod,
                json!({"status": {"containerStatuses": [{"name": "web", "state": {"running": {}}}]}}),
                json!({"status": {"containerStatuses": [
                    {"name": "web", "restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
                ]}}),
                "web running→CrashLoopBackOff, web restart 1",
            ),
            (
                Kind::Pod,
                json!({}),
                json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}}),
                "deletion asked for, 30 s of grace",
            ),
            (
                Kind::Node,
                json!({"spec": {"taints": [{"key": "old", "effect": "NoSchedule"}]}}),
                json!({"spec": {"unschedulable": true, "taints": [{"key": "k", "value": "v", "effect": "NoExecute"}]}}),
                "unschedulable false→true, taint +k=v:NoExecute, taint -old:NoSchedule",
            ),
            (Kind::ConfigMap, json!({"data": {"a": "1"}}), json!({"data": {"a": "2"}}), "content changed"),
            (Kind::Secret, json!({"data": {}}), json!({"data": {}}), ""),
        ];
        for (kind, old, new, expected) in cases {
            assert_eq!(changes(&kind, old, new), expected);
        }
    }

    #[test]
    fn a_write_of_an_event_is_an_event_until_it_goes() {
        let event = object(
            &Kind::Event,
            json!({
                "metadata": {"namespace": "shop", "name": "web-1.186f"},
                "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "web-1"},
                "type": "Warning", "reason": "BackOff", "message": "restarting", "count": 3
            }),
        );
        let what = written(None, Some(&event));
        assert_eq!(what.to_string(), "tells Warning BackOff of pod/shop/web-1 (x3): restarting");
        assert_eq!(what.object(), Some(&Key::new(Kind::Pod, "shop", "web-1")));
        let gone = written(Some(&event), None);
        assert_eq!(gone.object(), Some(&event.key()));
        assert!(matches!(gone, What::Commit { effect: Effect::Removed, .. }));
    }

    #[test]
    fn a_new_workload_tells_its_size() {
        let set = object(&Kind::ReplicaSet, json!({"spec": {"replicas": 4}}));
        assert!(matches!(written(None, Some(&set)), What::Commit { changes, .. } if changes == "replicas 4"));
    }
}
