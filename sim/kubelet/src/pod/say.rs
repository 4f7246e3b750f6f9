//! What a worker says: Kubernetes events, and notes for the story of the run.

use api::{Kind, ObjectReference};
use base::Name;

use super::Worker;
use crate::core::Turn;
use crate::input::{Effect, Note, What};
use crate::phrases::path;
use crate::recorder::Saying;

impl Worker {
    /// An event about the pod, or about one of its containers.
    pub(crate) fn say(&mut self, turn: &mut Turn<'_>, container: Option<usize>, saying: Saying) {
        let about = self.reference(container, turn);
        let reporter = &turn.core.event_reporter;
        if let Some(request) = self.diary.say(turn.shown(), reporter, about, saying) {
            turn.send_event(request, self.cause);
        }
    }

    pub(super) fn note(&self, turn: &mut Turn<'_>, container: Option<usize>, what: What) {
        turn.effects.push(Effect::Note(Note {
            pod: self.pod.meta.uid,
            namespace: self.pod.meta.namespace.clone(),
            name: self.pod.meta.name.clone(),
            container: container.map(|it| self.container(it).name.clone()).unwrap_or_default(),
            what,
            cause: self.cause,
        }));
    }

    /// Upstream: `pkg/kubelet/container/ref.go`, `GenerateContainerRef`.
    fn reference(&self, container: Option<usize>, turn: &mut Turn<'_>) -> ObjectReference {
        let field = |idx: usize| match &self.container(idx).name {
            name if self.is_init(idx) => path("initContainers", name),
            name => turn.core.phrases.of_container(name).path.clone(),
        };
        ObjectReference {
            api_version: Name::from_static("v1"),
            kind: Kind::Pod.name(),
            namespace: self.pod.meta.namespace.clone(),
            name: self.pod.meta.name.clone(),
            uid: self.pod.meta.uid,
            resource_version: self.pod.meta.resource_version,
            field_path: container.map(field).unwrap_or_default(),
            ..ObjectReference::default()
        }
    }

    /// As the kubelet names a pod in its messages. Upstream: `pkg/kubelet/util/format/pod.go`.
    pub(super) fn full_name(&self) -> String {
        let meta = &self.pod.meta;
        format!("{}_{}({})", meta.name, meta.namespace, meta.uid)
    }
}
