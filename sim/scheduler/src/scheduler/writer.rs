//! What the scheduler writes: requests within its rate limit, and events.

use api::{ObjectReference, Pod, Request};
use base::{Cause, Lookup, Name, Time};
use client::{Effect, Rate, RequestId, SeriesNote, SeriesRecorder, TokenBucket};

use super::{Flight, NAME};

#[derive(Clone, Debug)]
pub(super) struct Writer {
    limiter: TokenBucket,
    /// Upstream gives events a client of their own.
    event_limiter: TokenBucket,
    recorder: SeriesRecorder,
    flights: Lookup<RequestId, Flight>,
    next_id: RequestId,
}

/// An event about a pod.
#[derive(Clone, Debug)]
pub(super) struct Note<'a> {
    pub(super) pod: &'a Pod,
    pub(super) related: Option<&'a Pod>,
    pub(super) is_warning: bool,
    pub(super) reason: &'static str,
    pub(super) action: &'static str,
    pub(super) text: Name,
}

impl Writer {
    pub(super) fn new(now: Time) -> Self {
        Self {
            limiter: TokenBucket::new(Rate::SCHEDULER),
            event_limiter: TokenBucket::new(Rate::SCHEDULER),
            recorder: SeriesRecorder::new(now, NAME, "scheduler"),
            flights: Lookup::new(),
            next_id: RequestId::default(),
        }
    }

    pub(super) fn send(
        &mut self,
        now: Time,
        request: Request,
        flight: Flight,
        cause: Cause,
        effects: &mut Vec<Effect>,
    ) {
        let at = self.limiter.reserve(now);
        let id = self.id();
        self.flights.insert(id, flight);
        effects.push(Effect::Send { id, at, request, cause });
    }

    /// What a request was about that has been answered.
    pub(super) fn landed(&mut self, id: RequestId) -> Option<Flight> {
        self.flights.remove(&id)
    }

    pub(super) fn note(&mut self, now: Time, note: &Note<'_>, cause: Cause, effects: &mut Vec<Effect>) {
        let note = SeriesNote {
            regarding: reference(note.pod),
            related: note.related.map(reference),
            is_warning: note.is_warning,
            reason: Name::from_static(note.reason),
            action: Name::from_static(note.action),
            note: truncate(&note.text),
        };
        if let Some(request) = self.recorder.record(now, note) {
            self.send_event(now, request, cause, effects);
        }
    }

    pub(super) fn next_sweep(&self) -> Option<Time> {
        self.recorder.next_sweep()
    }

    /// Writes what has been counted of events that repeat.
    pub(super) fn sweep(&mut self, now: Time, effects: &mut Vec<Effect>) {
        if self.recorder.next_sweep().is_some_and(|due| due <= now) {
            for request in self.recorder.sweep(now) {
                self.send_event(now, request, Cause::NONE, effects);
            }
        }
    }

    fn send_event(&mut self, now: Time, request: Request, cause: Cause, effects: &mut Vec<Effect>) {
        let (id, at) = (RequestId::UNHEARD, self.event_limiter.reserve(now));
        effects.push(Effect::Send { id, at, request, cause });
    }

    fn id(&mut self) -> RequestId {
        self.next_id.0 += 1;
        self.next_id
    }
}

impl<'a> Note<'a> {
    pub(super) fn failed_scheduling(pod: &'a Pod, text: Name) -> Self {
        let (reason, action) = ("FailedScheduling", "Scheduling");
        Self { pod, related: None, is_warning: true, reason, action, text }
    }
}

fn reference(pod: &Pod) -> ObjectReference {
    ObjectReference {
        api_version: Name::from_static("v1"),
        kind: Name::from_static("Pod"),
        namespace: pod.meta.namespace.clone(),
        name: pod.meta.name.clone(),
        uid: pod.meta.uid,
        resource_version: pod.meta.resource_version,
        ..ObjectReference::default()
    }
}

/// The note of an event holds 1,024 bytes. Upstream: `truncateMessage`.
fn truncate(text: &Name) -> Name {
    const MAX: usize = 1024;
    const SUFFIX: &str = " ...";
    if text.len() <= MAX {
        return text.clone();
    }
    let cut = text.floor_char_boundary(MAX - SUFFIX.len());
    Name::from(format_args!("{}{SUFFIX}", &text[..cut]))
}
