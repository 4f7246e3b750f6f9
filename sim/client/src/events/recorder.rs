//! The recorder of core/v1 events: what every controller and kubelet reports through.
//!
//! Upstream: `staging/src/k8s.io/client-go/tools/record/event.go`.

use std::collections::VecDeque;
use std::sync::Arc;

use api::{
    Event, EventReporter, EventSource, Meta, Object, ObjectReference, Patch, Preconditions, Reason, Request,
    Response, Subresource,
};
use base::{Cause, Name, Time};
use serde_json::json;

use super::correlator::{Correlator, Report, Said, Verdict};
use super::{NameStamps, key_of, namespace_of, type_of};
use crate::plan::Note;

/// Turns notes into requests, one at a time: the next event is looked at when the last one has been answered.
#[derive(Clone, Debug)]
pub struct EventRecorder {
    reporter: Arc<EventReporter>,
    /// What the last event was about, since the next one often is, too.
    about: Arc<ObjectReference>,
    names: NameStamps,
    correlator: Correlator,
    queue: VecDeque<(Report, Cause)>,
    /// What was sent and not answered yet.
    sent: Option<Sent>,
}

/// A request that waits for its answer.
#[derive(Clone, Debug)]
enum Sent {
    Created,
    /// If what was counted has expired, it is created anew.
    Counted(Arc<Event>, Cause),
}

/// Beyond this many waiting events, new ones are dropped. Upstream: `maxQueuedEvents`.
const QUEUE_MAX: usize = 1000;

impl EventRecorder {
    /// `host` is empty for all but node agents.
    pub fn new(component: impl Into<Name>, host: impl Into<Name>) -> Self {
        let source = EventSource { component: component.into(), host: host.into(), ..EventSource::default() };
        Self {
            names: NameStamps::new(&source.component, &source.host),
            reporter: Arc::new(EventReporter {
                reporting_controller: source.component.clone(),
                reporting_instance: source.host.clone(),
                source,
            }),
            about: Arc::default(),
            correlator: Correlator::new(),
            queue: VecDeque::new(),
            sent: None,
        }
    }

    /// Takes in an event; [`EventRecorder::poll`] says what to send.
    pub fn record(&mut self, now: Time, note: Note, cause: Cause) {
        if self.queue.len() < QUEUE_MAX {
            let stamp = self.names.stamp(now);
            self.queue.push_back((Report { note, at: now, stamp }, cause));
        }
    }

    /// The next request, unless one is under way or nothing is to be said.
    pub fn poll(&mut self, now: Time) -> Option<(Request, Cause)> {
        while self.sent.is_none()
            && let Some((report, cause)) = self.queue.pop_front()
        {
            let (request, sent) = match self.correlator.correlate(now, &report, &mut self.names) {
                Verdict::Drop => continue,
                Verdict::Create(said) => (create(self.event(report.note, said)), Sent::Created),
                Verdict::Bump(said) => {
                    let event = self.event(report.note, said);
                    (bump(&event), Sent::Counted(event, cause))
                }
            };
            self.sent = Some(sent);
            return Some((request, cause));
        }
        None
    }

    /// Takes in the answer to the request that is under way. Refused events are dropped, but one that has expired in
    /// the store is created anew. Poll afterwards.
    pub fn answered(&mut self, response: &Response) -> Option<(Request, Cause)> {
        let Sent::Counted(event, cause) = self.sent.take()? else { return None };
        if response.as_ref().err().is_none_or(|it| it.reason != Reason::NotFound) {
            return None;
        }
        self.sent = Some(Sent::Created);
        Some((create(event), cause))
    }

    fn event(&mut self, note: Note, said: Said) -> Arc<Event> {
        Arc::new(Event {
            meta: Meta { name: said.name, namespace: namespace_of(&note.about), ..Meta::default() },
            involved_object: self.share(note.about),
            reason: note.reason,
            message: said.message,
            kind: type_of(note.is_warning),
            first_timestamp: Some(said.first.into()),
            last_timestamp: Some(said.last.into()),
            count: said.count,
            reporter: self.reporter.clone(),
            ..Event::default()
        })
    }

    fn share(&mut self, about: Arc<ObjectReference>) -> Arc<ObjectReference> {
        if self.about != about {
            self.about = about;
        }
        self.about.clone()
    }
}

fn create(event: Arc<Event>) -> Request {
    Request::Create { object: Object::Event(event) }
}

fn bump(event: &Event) -> Request {
    let patch = json!({
        "count": event.count,
        "lastTimestamp": event.last_timestamp,
        "message": event.message,
    });
    Request::Patch {
        key: key_of(event),
        sub: Subresource::Main,
        patch: Patch::Merge(patch),
        preconditions: Preconditions::default(),
    }
}

#[cfg(test)]
mod tests {
    use api::{Answer, Pod, Status};
    use base::Span;

    use super::*;

    const START: Time = Time::from_secs(1_000_000);

    fn note(message: &str) -> Note {
        let meta = Meta { name: "web-1".into(), namespace: "shop".into(), ..Meta::default() };
        let pod = Object::new(Pod { meta, ..Pod::default() });
        Note::warning(&pod, "Unhealthy", message)
    }

    #[test]
    fn an_event_names_its_object_and_source() {
        let mut recorder = EventRecorder::new("kubelet", "node-1");
        recorder.record(START, note("hello"), Cause(5));
        let Some((Request::Create { object }, Cause(5))) = recorder.poll(START) else {
            panic!("a new event is created")
        };
        let event = object.get::<Event>().expect("it is an event");
        assert!(event.meta.name.starts_with("web-1.38d7ea4c"), "{}", event.meta.name);
        assert_eq!((&*event.meta.namespace, &*event.involved_object.kind), ("shop", "Pod"));
        assert_eq!((&*event.kind, event.count, &*event.reporter.source.host), ("Warning", 1, "node-1"));
    }

    #[test]
    fn events_are_sent_one_at_a_time() {
        let mut recorder = EventRecorder::new("kubelet", "node-1");
        ["one", "two"].into_iter().for_each(|it| recorder.record(START, note(it), Cause::NONE));
        assert!(recorder.poll(START).is_some());
        assert!(recorder.poll(START).is_none());
        recorder.answered(&Ok(Answer::Done));
        assert!(recorder.poll(START).is_some());
        recorder.answered(&Ok(Answer::Done));
        assert!(recorder.poll(START).is_none());
    }

    #[test]
    fn a_count_whose_event_has_expired_is_created_anew_once() {
        let mut recorder = EventRecorder::new("kubelet", "node-1");
        for _ in 0..2 {
            recorder.record(START, note("again"), Cause::NONE);
        }
        recorder.poll(START);
        recorder.answered(&Ok(Answer::Done));
        let Some((Request::Patch { key, .. }, _)) = recorder.poll(START + Span::secs(1)) else {
            panic!("the second is a patch")
        };
        let gone = Err(Status::not_found(&key));
        let Some((Request::Create { object }, _)) = recorder.answered(&gone) else {
            panic!("what cannot be patched is created")
        };
        assert_eq!((object.key(), object.get::<Event>().map(|it| it.count)), (key, Some(2)));
        assert!(recorder.answered(&gone).is_none());
    }
}
