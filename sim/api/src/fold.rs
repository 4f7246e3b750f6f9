//! The fingerprint of an object: what two runs must agree on, byte for byte, to be the same run.

mod folder;

use base::Digest;
use serde::Serialize;

use self::folder::Folder;
use crate::container::{ContainerState, ContainerStatus};
use crate::event::Event;
use crate::kind::Object;
use crate::labels::Labels;
use crate::meta::{Meta, ObjectReference, Uid};
use crate::pod::{Condition, ConditionStatus, Pod, PodSpec};

impl Object {
    /// Folds all of the object into `digest`. Pods and events, of which there are many, are folded field by field, and
    /// the shared specs of pods once; all others as the JSON that they are.
    pub fn fold(&self, digest: &mut Digest) {
        if let Self::Pod(pod) = self {
            fold_pod(pod, digest);
        } else if let Self::Event(event) = self {
            fold_event(event, digest);
        } else {
            digest.text(&self.kind().name());
            self.serialize_fields(Folder(digest)).expect(FOLDS);
        }
    }
}

/// Why folding cannot fail.
const FOLDS: &str = "our types have text keys and numbers of up to 64 bits";

fn fold_pod(pod: &Pod, digest: &mut Digest) {
    fold_meta(&pod.meta, digest);
    digest.word(pod.spec.fingerprint());
    digest.text(&pod.node);
    let status = &pod.status;
    for text in
        [status.phase.as_str(), &status.reason, &status.message, &status.nominated_node_name, &status.pod_ip]
    {
        digest.text(text);
    }
    digest.word(status.start_time.map_or(0, |it| it.secs().cast_unsigned()));
    digest.word(status.observed_generation.cast_unsigned());
    digest.word(status.conditions.len() as u64);
    status.conditions.iter().for_each(|it| fold_condition(it, digest));
    digest.word(status.init_container_statuses.len() as u64);
    let containers = status.init_container_statuses.iter().chain(&status.container_statuses);
    containers.for_each(|it| fold_container(it, digest));
}

fn fold_event(event: &Event, digest: &mut Digest) {
    fold_meta(&event.meta, digest);
    fold_reference(&event.involved_object, digest);
    event.extra.related.iter().for_each(|it| fold_reference(it, digest));
    for text in [
        &event.kind,
        &event.reason,
        &event.message,
        &event.extra.action,
        &event.reporter.source.component,
        &event.reporter.source.host,
        &event.reporter.reporting_controller,
        &event.reporter.reporting_instance,
    ] {
        digest.text(text);
    }
    for time in [event.first_timestamp, event.last_timestamp] {
        digest.word(time.map_or(0, |it| it.secs().cast_unsigned()));
    }
    digest.word(event.extra.event_time.map_or(0, |it| it.micros().cast_unsigned()));
    digest.word(i64::from(event.count).cast_unsigned());
    if let Some(series) = &event.extra.series {
        digest.word(i64::from(series.count).cast_unsigned());
        digest.word(series.last_observed_time.map_or(0, |it| it.micros().cast_unsigned()));
    }
}

fn fold_reference(it: &ObjectReference, digest: &mut Digest) {
    for text in [&it.api_version, &it.kind, &it.namespace, &it.name, &it.field_path] {
        digest.text(text);
    }
    fold_uid(it.uid, digest);
    digest.word(it.resource_version.0);
}

fn fold_meta(meta: &Meta, digest: &mut Digest) {
    digest.text(&meta.namespace);
    digest.text(&meta.name);
    fold_uid(meta.uid, digest);
    digest.word(meta.generation.cast_unsigned());
    digest.word(meta.created().secs().cast_unsigned());
    digest.word(meta.deletion_timestamp.map_or(0, |it| it.secs().cast_unsigned()));
    digest.word(meta.deletion_grace_period_seconds.map_or(u64::MAX, i64::cast_unsigned));
    fold_labels(&meta.labels, digest);
    fold_labels(&meta.annotations, digest);
    meta.finalizers.iter().for_each(|it| digest.text(it));
    meta.owner_references.iter().for_each(|it| fold_uid(it.uid, digest));
}

#[expect(clippy::cast_possible_truncation, reason = "one half after the other")]
fn fold_uid(uid: Uid, digest: &mut Digest) {
    digest.word((uid.0 >> 64) as u64);
    digest.word(uid.0 as u64);
}

fn fold_labels(labels: &Labels, digest: &mut Digest) {
    digest.word(labels.len() as u64);
    for (key, value) in labels.iter() {
        digest.text(key);
        digest.text(value);
    }
}

fn fold_condition(condition: &Condition, digest: &mut Digest) {
    digest.text(&condition.kind);
    fold_status(&condition.status, digest);
    digest.text(&condition.reason);
    digest.text(&condition.message);
    digest.word(condition.last_transition_time.map_or(0, |it| it.secs().cast_unsigned()));
    digest.word(condition.observed_generation.cast_unsigned());
}

/// There are many of them, and few are anything but true or false.
fn fold_status(status: &ConditionStatus, digest: &mut Digest) {
    match status {
        ConditionStatus::True => digest.word(1),
        ConditionStatus::False => digest.word(2),
        ConditionStatus::Unknown => digest.word(3),
        ConditionStatus::Other(text) => {
            digest.word(4);
            digest.text(text);
        }
    }
}

fn fold_container(status: &ContainerStatus, digest: &mut Digest) {
    digest.text(&status.name);
    digest.word(u64::from(status.ready) | (u64::from(status.started == Some(true)) << 1));
    digest.word(i64::from(status.restart_count).cast_unsigned());
    fold_state(&status.state, digest);
    fold_state(&status.last_state, digest);
    status.allocated_resources.serialize(Folder(digest)).expect(FOLDS);
    status.resources.serialize(Folder(digest)).expect(FOLDS);
}

fn fold_state(state: &ContainerState, digest: &mut Digest) {
    if let Some(waiting) = &state.waiting {
        digest.text(&waiting.reason);
        digest.text(&waiting.message);
    }
    if let Some(running) = &state.running {
        digest.word(running.started_at.map_or(1, |it| it.secs().cast_unsigned()));
    }
    if let Some(terminated) = &state.terminated {
        digest.text(&terminated.reason);
        digest.text(&terminated.message);
        digest.word(i64::from(terminated.exit_code).cast_unsigned());
        digest.word(terminated.finished_at.map_or(2, |it| it.secs().cast_unsigned()));
    }
}

impl PodSpec {
    /// The digest of its fields; computed once per spec.
    pub fn fingerprint(&self) -> u64 {
        *self.computed.fingerprint.get_or_init(|| {
            let mut digest = Digest::default();
            self.serialize(Folder(&mut digest)).expect(FOLDS);
            digest.value()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base::Name;

    use super::*;

    fn digest_of(pod: &Pod) -> u64 {
        let mut digest = Digest::default();
        Object::Pod(Arc::new(pod.clone())).fold(&mut digest);
        digest.value()
    }

    #[test]
    fn every_part_of_a_pod_that_can_change_shows_in_its_fingerprint() {
        let mut pod = Pod::default();
        let ended = ContainerState { terminated: Some(Box::default()), ..ContainerState::default() };
        pod.status.container_statuses = vec![ContainerStatus { state: ended, ..ContainerStatus::default() }];
        let changes: [fn(&mut Pod); 9] = [
            |it| it.meta.uid = Uid(7),
            |it| it.meta.labels.insert("a", "b"),
            |it| it.node = Name::new("node"),
            |it| it.status.phase = crate::PodPhase::Running,
            |it| it.status.conditions.push(Condition::default()),
            |it| PodSpec::edit(&mut it.spec, |spec| spec.priority = Some(3)),
            |it| it.status.container_statuses[0].resources = Some(Arc::default()),
            |it| it.status.observed_generation = 2,
            |it| {
                let ended = it.status.container_statuses[0].state.terminated.as_mut();
                ended.expect("it has").message = Name::new("why");
            },
        ];
        for change in changes {
            let mut changed = pod.clone();
            change(&mut changed);
            assert_ne!(digest_of(&pod), digest_of(&changed));
        }
        assert_eq!(digest_of(&pod), digest_of(&pod.clone()));
    }
}
