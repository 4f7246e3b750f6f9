//! `kubectl rollout undo`: puts the template of an earlier replica set or revision back.
//!
//! Upstream: `kubectl/pkg/polymorphichelpers/rollback.go`.

use std::sync::Arc;

use api::{ControllerRevision, Kind, Object, Patch, ReplicaSet, annotation};
use serde_json::{Value, json};

use crate::act::{Act, patch_request};

/// Annotations that are not taken over from the replica set. Upstream: `annotationsToSkip`.
const KEPT: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

/// What remembers the templates that an object of that kind had.
pub(crate) fn history_of(kind: &Kind) -> Kind {
    if *kind == Kind::Deployment { Kind::ReplicaSet } else { Kind::ControllerRevision }
}

/// `revision` 0 means the one before the present one.
pub(crate) fn undo(object: &Object, history: &[Object], revision: i64) -> Act {
    if object.kind() == Kind::Deployment {
        undo_deployment(object, history, revision)
    } else {
        undo_set(object, history, revision)
    }
}

/// Of a stateful set or daemon set.
fn undo_set(set: &Object, history: &[Object], number: i64) -> Act {
    let owned = history.iter().filter_map(Object::get::<ControllerRevision>);
    let mut owned: Vec<_> = owned.filter(|it| it.meta.is_controlled_by(set.meta().uid)).collect();
    owned.sort_by_key(|it| it.revision);
    if number == 0 && owned.len() < 2 {
        return Act::Refuse("no last revision to roll back to".into());
    }
    let found = match number {
        0 => Some(owned[owned.len() - 2]),
        wanted => owned.into_iter().find(|it| it.revision == wanted),
    };
    let Some(revision) = found else {
        return Act::Refuse(format!("unable to find specified revision {number} in history"));
    };
    let mut template = revision.data.pointer("/spec/template").cloned().unwrap_or_default();
    if let Some(fields) = template.as_object_mut() {
        fields.remove("$patch");
    }
    let patch = json!([{"op": "replace", "path": "/spec/template", "value": template}]);
    Act::Send(patch_request(set.key(), Patch::Json(patch)), "rolled back")
}

fn undo_deployment(deployment: &Object, sets: &[Object], revision: i64) -> Act {
    let owned = sets.iter().filter_map(Object::get::<ReplicaSet>);
    let owned = owned.filter(|it| it.meta.is_controlled_by(deployment.meta().uid));
    let mut history: Vec<(i64, &Arc<ReplicaSet>)> =
        owned.filter_map(|it| Some((it.meta.annotation(&annotation::REVISION)?.parse().ok()?, it))).collect();
    history.sort_by_key(|(revision, _)| *revision);
    let found = match revision {
        0 => history.len().checked_sub(2).map(|idx| history[idx]),
        wanted => history.iter().find(|(revision, _)| *revision == wanted).copied(),
    };
    let Some((_, set)) = found else {
        return Act::Refuse(match revision {
            0 => format!("no rollout history found for deployment \"{}\"", deployment.meta().name),
            wanted => format!("unable to find specified revision {wanted} in history"),
        });
    };
    let template = template_of(set);
    let now = deployment.to_json();
    if now.pointer("/spec/template") == Some(&template) {
        return Act::Already("skipped rollback (current template already matches the revision)");
    }
    let annotations = annotations(deployment, set);
    let patch = json!([
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
    ]);
    Act::Send(patch_request(deployment.key(), Patch::Json(patch)), "rolled back")
}

/// The template without the hash that tells it apart.
fn template_of(set: &Arc<ReplicaSet>) -> Value {
    let mut json = Object::ReplicaSet(set.clone()).to_json();
    let mut template = json.pointer_mut("/spec/template").map(Value::take).unwrap_or_default();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(annotation::POD_TEMPLATE_HASH.as_str());
    }
    template
}

/// The deployment's own where they are not to be taken over, the replica set's for the rest.
fn annotations(deployment: &Object, set: &ReplicaSet) -> Value {
    let kept = deployment.meta().annotations.iter().filter(|(key, _)| KEPT.contains(&key.as_str()));
    let taken = set.meta.annotations.iter().filter(|(key, _)| !KEPT.contains(&key.as_str()));
    let text = |value: &base::Name| Value::from(value.as_str());
    Value::Object(kept.chain(taken).map(|(key, value)| (key.to_string(), text(value))).collect())
}
