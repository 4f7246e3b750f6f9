//! Creating, updating and deleting the pods of a set, and the words for it.
//!
//! Upstream: `pkg/controller/statefulset/stateful_pod_control.go`.

use api::{DeleteOptions, Object, Pod, Request, Resource as _, StatefulSet};
use base::Name;
use client::{Append, Note, Write};

pub(super) fn create_pod(set: &StatefulSet, about: &Object, pod: &Pod) -> Write {
    noting(Write::create(Object::new(pod.clone())), set, about, pod, Verb::Create).quiet_if_exists()
}

pub(super) fn update_pod(set: &StatefulSet, about: &Object, pod: &Pod) -> Write {
    noting(Write::update(Object::new(pod.clone())), set, about, pod, Verb::Update)
}

pub(super) fn delete_pod(set: &StatefulSet, about: &Object, pod: &Pod) -> Write {
    let delete = Request::Delete { key: pod.key(), options: DeleteOptions::default() };
    noting(Write::new(delete), set, about, pod, Verb::Delete)
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    Create,
    Update,
    Delete,
}

/// Upstream: `recordPodEvent`.
fn noting(write: Write, set: &StatefulSet, about: &Object, pod: &Pod, verb: Verb) -> Write {
    let (word, done, failed) = match verb {
        Verb::Create => ("create", "SuccessfulCreate", "FailedCreate"),
        Verb::Update => ("update", "SuccessfulUpdate", "FailedUpdate"),
        Verb::Delete => ("delete", "SuccessfulDelete", "FailedDelete"),
    };
    let (pod, set) = (&pod.meta.name, &set.meta.name);
    let success = Name::from(format_args!("{word} Pod {pod} in StatefulSet {set} successful"));
    let failure = Name::from(format_args!("{word} Pod {pod} in StatefulSet {set} failed error: "));
    write
        .noting(Note::normal(about, done, success))
        .noting_failure(Note::warning(about, failed, failure).appending(Append::Error))
}
