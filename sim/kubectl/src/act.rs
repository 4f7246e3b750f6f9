//! What a command does to one object that it has read: the request that follows, and what is said of it.

use api::{
    DeleteOptions, Deployment, Edit, Key, Kind, Node, Object, Patch, Preconditions, Propagation, Request,
};
use api::{Revision, Subresource, Taint, TaintEffect, Timestamp};
use base::{Name, Time};
use serde_json::{Value, json};

use crate::command::{Cascade, Command, Delete, Marks, PatchKind, PatchedPart, Rollout, Scale, Set, Words};
use crate::merge;
use crate::target::Change;

/// The annotation that keeps what the user applied.
pub(crate) const LAST_APPLIED: Name = Name::from_static("kubectl.kubernetes.io/last-applied-configuration");

/// What follows from a look at an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    /// One more request; the word tells what it did: `scaled`.
    Send(Request, &'static str),
    /// Nothing to do: `already cordoned`.
    Already(&'static str),
    /// The replica sets or revisions that the object had must be read first.
    Rollback(Key, i64),
    /// The node is to be emptied.
    Drain(Name),
    Refuse(String),
}

impl Command {
    /// Decides on an object as it is now.
    pub(crate) fn act(&self, now: Time, object: &Object) -> Vec<Act> {
        let key = object.key();
        let acts = match &self.words {
            Words::Apply(_) | Words::Create(_) => Err("an apply does not list".to_string()),
            Words::Delete(it) => Ok(vec![delete(&key, it)]),
            Words::Scale(it) => scale(object, it),
            Words::Set(Set::Image(it)) => self.set_image(object, it),
            Words::Rollout(Rollout::Restart(_)) => restart(now, object),
            Words::Rollout(Rollout::Pause(_)) => pause(object, true),
            Words::Rollout(Rollout::Resume(_)) => pause(object, false),
            Words::Rollout(Rollout::Undo(it)) => rollback(object, it.to_revision),
            Words::Cordon(_) => Ok(vec![cordon(object, true)]),
            Words::Uncordon(_) => Ok(vec![cordon(object, false)]),
            Words::Drain(_) => Ok(vec![cordon(object, true), Act::Drain(key.name)]),
            Words::Label(it) => self.mark(object, it, false),
            Words::Annotate(it) => self.mark(object, it, true),
            Words::Taint(it) => self.taint(object, it),
            Words::Patch(it) => patch(object, it),
        };
        acts.unwrap_or_else(|error| vec![Act::Refuse(error)])
    }

    fn set_image(&self, object: &Object, marks: &Marks) -> Result<Vec<Act>, String> {
        let path = if object.kind() == Kind::Pod { "/spec" } else { "/spec/template/spec" };
        let mut json = object.to_json();
        let before = json.clone();
        let Some(spec) = json.pointer_mut(path) else {
            return Err(format!("{} has no containers", object.key()));
        };
        for (name, image) in self.images(marks)? {
            let mut found = false;
            for list in ["initContainers", "containers"] {
                let containers = spec.get_mut(list).and_then(Value::as_array_mut);
                for container in containers.into_iter().flatten() {
                    if name == "*" || container.get("name").and_then(Value::as_str) == Some(&name) {
                        container["image"] = image.as_str().into();
                        found = true;
                    }
                }
            }
            if !found {
                return Err(format!("unable to find container named \"{name}\""));
            }
        }
        Ok(merge_patch(object, &before, &json, "image updated"))
    }

    /// Upstream: `kubectl/pkg/cmd/{label,annotate}`.
    fn mark(&self, object: &Object, marks: &Marks, annotations: bool) -> Result<Vec<Act>, String> {
        let present = if annotations { &object.meta().annotations } else { &object.meta().labels };
        let mut edits = Vec::new();
        for change in self.changes(marks)? {
            match change {
                Change::Remove(key) => edits.push((Name::from(key), None)),
                Change::Set(key, value) => {
                    if let Some(old) =
                        present.get(&key).filter(|old| **old != value.as_str() && !marks.overwrite)
                    {
                        return Err(format!("'{key}' already has a value ({old}), and --overwrite is false"));
                    }
                    edits.push((Name::from(key), Some(Name::from(value))));
                }
            }
        }
        let (edit, said) = if annotations {
            (Edit::Annotations(edits), "annotated")
        } else {
            (Edit::Labels(edits), "labeled")
        };
        Ok(vec![edit_object(object, vec![edit], said)])
    }

    /// Upstream: `kubectl/pkg/cmd/taint`.
    fn taint(&self, object: &Object, marks: &Marks) -> Result<Vec<Act>, String> {
        let Some(node) = object.get::<Node>() else { return Err("only nodes have taints".into()) };
        let mut edits = Vec::new();
        for change in taints(&self.changes(marks)?)? {
            match change {
                TaintChange::Add(taint) => {
                    if !marks.overwrite && node.spec.taints.iter().any(|it| it.is_alike(&taint)) {
                        let (name, key, effect) = (&node.meta.name, &taint.key, &taint.effect);
                        return Err(format!(
                            "node {name} already has {key} taint(s) with same effect(s) {effect} and --overwrite is false"
                        ));
                    }
                    edits.push(Edit::AddTaints(vec![taint]));
                }
                TaintChange::Remove { key, effect } => {
                    let goes = |it: &&Taint| {
                        it.key == key.as_str() && effect.as_ref().is_none_or(|e| *e == it.effect)
                    };
                    let gone: Vec<Taint> = node.spec.taints.iter().filter(goes).cloned().collect();
                    if gone.is_empty() {
                        return Err(format!("taint \"{key}\" not found"));
                    }
                    edits.push(Edit::RemoveTaints(gone));
                }
            }
        }
        Ok(vec![edit_object(object, edits, "tainted")])
    }
}

pub(crate) enum TaintChange {
    Add(Taint),
    Remove { key: String, effect: Option<TaintEffect> },
}

/// `key=value:Effect`, `key:Effect`, `key-`, `key:Effect-`.
pub(crate) fn taints(changes: &[Change]) -> Result<Vec<TaintChange>, String> {
    changes.iter().map(taint_change).collect()
}

fn taint_change(change: &Change) -> Result<TaintChange, String> {
    let effect = |word: &str| match TaintEffect::from(word) {
        TaintEffect::Other(_) => Err(format!(
            "invalid taint effect: {word}, unsupported taint effect; known are NoSchedule, PreferNoSchedule, NoExecute"
        )),
        known @ (TaintEffect::NoSchedule | TaintEffect::PreferNoSchedule | TaintEffect::NoExecute) => {
            Ok(known)
        }
    };
    match change {
        Change::Remove(word) => match word.split_once(':') {
            None => Ok(TaintChange::Remove { key: word.clone(), effect: None }),
            Some((key, word)) => Ok(TaintChange::Remove { key: key.into(), effect: Some(effect(word)?) }),
        },
        Change::Set(key, value) => {
            let (text, is_bare) = if value.is_empty() { (key, true) } else { (value, false) };
            let Some((before, word)) = text.rsplit_once(':') else {
                return Err(format!("`{key}={value}` names no effect; write `KEY=VALUE:NoSchedule`"));
            };
            let (key, value) = if is_bare { (before, "") } else { (key.as_str(), before) };
            Ok(TaintChange::Add(Taint::new(key, value, effect(word)?)))
        }
    }
}

fn delete(key: &Key, words: &Delete) -> Act {
    let grace = if words.force {
        Some(0)
    } else if words.now {
        Some(1)
    } else {
        words.grace_period
    };
    let propagation = match words.cascade {
        Cascade::Background => Propagation::Background,
        Cascade::Foreground => Propagation::Foreground,
        Cascade::Orphan => Propagation::Orphan,
    };
    let options = DeleteOptions {
        grace_period_seconds: grace.filter(|it| *it >= 0),
        propagation: Some(propagation),
        preconditions: Preconditions::default(),
    };
    Act::Send(Request::Delete { key: key.clone(), options }, "deleted")
}

fn scale(object: &Object, words: &Scale) -> Result<Vec<Act>, String> {
    let key = object.key();
    let now = object.to_json().pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    if let Some(expected) = words.current_replicas.filter(|it| i64::from(*it) != now) {
        return Err(format!("Expected replicas to be {expected}, was {now}"));
    }
    let request = Request::Scale { key, replicas: words.replicas, resource_version: Revision::default() };
    Ok(vec![Act::Send(request, "scaled")])
}

/// Upstream: `kubectl/pkg/polymorphichelpers/objectrestarter.go`.
fn restart(now: Time, object: &Object) -> Result<Vec<Act>, String> {
    if object.get::<Deployment>().is_some_and(|it| it.spec.paused) {
        return Err("can't restart paused deployment (run rollout resume first)".into());
    }
    if !matches!(object.kind(), Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet) {
        return Err(format!("restarting is not supported for {}", object.key()));
    }
    let at = Timestamp::from(now).to_string();
    let annotations = json!({"kubectl.kubernetes.io/restartedAt": at});
    let patch = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
    Ok(vec![Act::Send(merge_request(object.key(), patch), "restarted")])
}

/// Upstream: `kubectl/pkg/polymorphichelpers/{objectpauser,objectresumer}.go`.
fn pause(object: &Object, pause: bool) -> Result<Vec<Act>, String> {
    let Some(deployment) = object.get::<Deployment>() else {
        return Err(format!("{} is not supported", if pause { "pausing" } else { "resuming" }));
    };
    let name = format!("deployments.apps \"{}\"", deployment.meta.name);
    match (deployment.spec.paused, pause) {
        (true, true) => Err(format!("{name} is already paused")),
        (false, false) => Err(format!("{name} is not paused")),
        (..) => {
            let said = if pause { "paused" } else { "resumed" };
            Ok(vec![Act::Send(merge_request(object.key(), json!({"spec": {"paused": pause}})), said)])
        }
    }
}

/// Upstream: `kubectl/pkg/polymorphichelpers/rollback.go`.
fn rollback(object: &Object, revision: i64) -> Result<Vec<Act>, String> {
    if !matches!(object.kind(), Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet) {
        return Err(format!("no rollbacker has been implemented for {}", object.kind().name()));
    }
    if let Some(deployment) = object.get::<Deployment>().filter(|it| it.spec.paused) {
        let name = &deployment.meta.name;
        return Err(format!(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume deployment/{name}' and try again"
        ));
    }
    if revision < 0 {
        return Err(format!("unable to find specified revision {revision} in history"));
    }
    Ok(vec![Act::Rollback(object.key(), revision)])
}

fn cordon(object: &Object, cordon: bool) -> Act {
    let Some(node) = object.get::<Node>() else { return Act::Refuse("only nodes can be cordoned".into()) };
    match (node.spec.unschedulable == cordon, cordon) {
        (true, true) => Act::Already("already cordoned"),
        (true, false) => Act::Already("already uncordoned"),
        (false, cordon) => {
            let said = if cordon { "cordoned" } else { "uncordoned" };
            edit_object(object, vec![Edit::Unschedulable(cordon)], said)
        }
    }
}

pub(crate) fn parse_patch(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("the patch is not JSON: {error}"))
}

fn patch(object: &Object, words: &crate::command::Patch) -> Result<Vec<Act>, String> {
    let patch = parse_patch(&words.patch)?;
    let before = object.to_json();
    let patch = match words.kind {
        PatchKind::Strategic => merge::diff(&before, &merge::strategic(&before, &patch)).map(Patch::Merge),
        PatchKind::Merge => Some(Patch::Merge(patch)),
        PatchKind::Json => Some(Patch::Json(patch)),
    };
    let Some(patch) = patch else { return Ok(vec![Act::Already("unchanged")]) };
    let sub = match words.subresource {
        None => Subresource::Main,
        Some(PatchedPart::Status) => Subresource::Status,
        Some(PatchedPart::Resize) => Subresource::Resize,
    };
    let preconditions = Preconditions::default();
    Ok(vec![Act::Send(Request::Patch { key: object.key(), sub, patch, preconditions }, "patched")])
}

/// What `kubectl apply` makes of an object that is there already.
pub(crate) fn apply(live: &Object, wanted: &Object) -> Vec<Act> {
    let (modified, now) = (with_last_applied(wanted), live.to_json());
    let original = live.meta().annotation(&LAST_APPLIED).and_then(|it| serde_json::from_str(it).ok());
    let merged = merge::three_way(&original.unwrap_or_else(|| json!({})), &modified, &now);
    merge_patch(live, &now, &merged, "configured")
}

/// The object as the user wrote it, with a copy of itself as an annotation.
pub(crate) fn with_last_applied(wanted: &Object) -> Value {
    let mut json = wanted.to_json();
    if let Some(map) = json.as_object_mut() {
        map.remove("status");
    }
    let copy = serde_json::to_string(&json).expect("JSON that was parsed can be written");
    json["metadata"]["annotations"][LAST_APPLIED.as_str()] = copy.into();
    json
}

fn merge_patch(object: &Object, from: &Value, to: &Value, said: &'static str) -> Vec<Act> {
    match merge::diff(from, to) {
        None => vec![Act::Already("unchanged")],
        Some(patch) => vec![Act::Send(merge_request(object.key(), patch), said)],
    }
}

fn merge_request(key: Key, patch: Value) -> Request {
    patch_request(key, Patch::Merge(patch))
}

fn edit_object(object: &Object, edits: Vec<Edit>, said: &'static str) -> Act {
    Act::Send(patch_request(object.key(), Patch::Apply(edits)), said)
}

pub(crate) fn patch_request(key: Key, patch: Patch) -> Request {
    Request::Patch { key, sub: Subresource::Main, patch, preconditions: Preconditions::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_goes_to_the_part_that_it_names() {
        let value = json!({
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"containers": [{"name": "main", "image": "web:v1"}]},
        });
        let pod = Object::from_json(&Kind::Pod, value).expect("a pod");
        let patch =
            r#"-p '{"spec": {"containers": [{"name": "main", "resources": {"limits": {"cpu": "1"}}}]}}'"#;
        for (words, expected) in [
            ("", Subresource::Main),
            ("--subresource status", Subresource::Status),
            ("--subresource=resize", Subresource::Resize),
        ] {
            let command = Command::parse(&format!("patch pod web {words} {patch}")).expect("a command");
            let acts = command.act(Time::ZERO, &pod);
            let [Act::Send(Request::Patch { sub, patch: Patch::Merge(patch), .. }, "patched")] = &acts[..]
            else {
                panic!("{acts:?}")
            };
            assert_eq!(*sub, expected);
            let container = json!({"name": "main", "image": "web:v1", "resources": {"limits": {"cpu": "1"}}});
            assert_eq!(*patch, json!({"spec": {"containers": [container]}}), "the list is merged by name");
        }
        assert!(Command::parse(&format!("patch pod web --subresource scale {patch}")).is_err());
    }
}
