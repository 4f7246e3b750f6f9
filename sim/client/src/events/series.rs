//! The recorder of events.k8s.io/v1, as the scheduler uses it: what repeats becomes a series.
//!
//! Upstream: `staging/src/k8s.io/client-go/tools/events/{event_broadcaster,event_recorder}.go`.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use api::{
    Event, EventExtra, EventReporter, EventSeries, Key, Meta, MicroTime, Object, ObjectReference, Patch,
    Preconditions, Request, Subresource,
};
use base::{Digest, Lookup, Name, Span, Time};
use serde_json::json;

use super::{NameStamps, key_of, namespace_of, type_of};

/// What happened, in the words of events.k8s.io.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesNote {
    pub regarding: ObjectReference,
    pub related: Option<ObjectReference>,
    pub is_warning: bool,
    pub reason: Name,
    pub action: Name,
    pub note: Name,
}

/// Turns notes into requests. The first of its like is created, the second makes it a series, the others are only
/// counted, and the count is written when the series ends.
///
/// Two events are alike if they differ in nothing but their note and time.
#[derive(Clone, Debug)]
pub struct SeriesRecorder {
    reporter: Arc<EventReporter>,
    started: Time,
    names: NameStamps,
    /// By a digest of what makes events alike.
    alike: Lookup<u64, Sent>,
    /// Those that have not become a series, by time.
    singles: VecDeque<(Time, u64)>,
    series: BTreeSet<u64>,
    /// The last of the regular looks that has been taken.
    looked: Time,
}

/// What is known of an event that was created.
#[derive(Clone, Debug)]
struct Sent {
    key: Key,
    /// `None` until the second of its like.
    series: Option<EventSeries>,
}

/// After this long without another, a series has ended; and the recorder looks this often. Upstream: `finishTime`.
const FINISH: Span = Span::mins(6);
/// Every fifth look, those series that go on are written, lest they expire. Upstream: `refreshTime`.
const REFRESH: u64 = 5;

impl SeriesRecorder {
    pub fn new(now: Time, controller: impl Into<Name>, host: &str) -> Self {
        let controller = controller.into();
        Self {
            names: NameStamps::new(&controller, host),
            reporter: Arc::new(EventReporter {
                reporting_instance: Name::from(format_args!("{controller}-{host}")),
                reporting_controller: controller,
                ..EventReporter::default()
            }),
            started: now,
            alike: Lookup::new(),
            singles: VecDeque::new(),
            series: BTreeSet::new(),
            looked: now,
        }
    }

    /// Takes in what happened; the request to send for it, if any.
    pub fn record(&mut self, now: Time, note: SeriesNote) -> Option<Request> {
        self.forget_singles(now);
        let key = digest(&note);
        let Some(sent) = self.alike.get_mut(&key) else {
            let event = self.event(now, note);
            self.alike.insert(key, Sent { key: key_of(&event), series: None });
            self.singles.push_back((now, key));
            return Some(Request::Create { object: Object::new(event) });
        };
        let is_second = sent.series.is_none();
        let series = sent.series.get_or_insert_with(|| EventSeries { count: 1, ..EventSeries::default() });
        series.count += 1;
        series.last_observed_time = Some(now.into());
        is_second.then(|| {
            self.series.insert(key);
            patch(sent)
        })
    }

    /// When [`SeriesRecorder::sweep`] has something to do; `None` while there is no series.
    pub fn next_sweep(&self) -> Option<Time> {
        if self.series.is_empty() { None } else { Some(self.looked + FINISH) }
    }

    /// Writes the final count of series that have ended, and now and then that of those that go on.
    pub fn sweep(&mut self, now: Time) -> Vec<Request> {
        self.forget_singles(now);
        let refreshes = (self.looked.since(self.started).nanos() / FINISH.nanos()).is_multiple_of(REFRESH);
        let ended_before = MicroTime::from(self.looked.before(FINISH));
        let mut requests = Vec::new();
        for key in self.series.clone() {
            let sent = self.alike.get(&key).expect("a series has an event");
            let last = sent.series.as_ref().and_then(|it| it.last_observed_time);
            let has_ended = last < Some(ended_before);
            if has_ended || refreshes {
                requests.push(patch(sent));
            }
            if has_ended {
                self.alike.remove(&key);
                self.series.remove(&key);
            }
        }
        requests
    }

    /// Catches up with the looks that were due until `now`. They write nothing about events that stayed single, and so
    /// need no timer of their own.
    fn forget_singles(&mut self, now: Time) {
        let looks = now.since(self.started).nanos() / FINISH.nanos();
        self.looked = self.started + FINISH * looks;
        let before = self.looked.before(FINISH);
        while let Some((_, key)) = self.singles.pop_front_if(|single| single.0 < before) {
            if !self.series.contains(&key) {
                self.alike.remove(&key);
            }
        }
    }

    fn event(&mut self, now: Time, note: SeriesNote) -> Event {
        let name = self.names.name(&note.regarding.name, now);
        Event {
            meta: Meta { name, namespace: namespace_of(&note.regarding), ..Meta::default() },
            involved_object: Arc::new(note.regarding),
            reason: note.reason,
            message: note.note,
            kind: type_of(note.is_warning),
            reporter: self.reporter.clone(),
            extra: EventExtra {
                event_time: Some(now.into()),
                action: note.action,
                related: note.related.map(Box::new),
                series: None,
            }
            .into(),
            ..Event::default()
        }
    }
}

fn patch(sent: &Sent) -> Request {
    Request::Patch {
        key: sent.key.clone(),
        sub: Subresource::Main,
        patch: Patch::Merge(json!({ "series": sent.series })),
        preconditions: Preconditions::default(),
    }
}

/// Upstream: `getKey`.
fn digest(note: &SeriesNote) -> u64 {
    let mut digest = Digest::of_text(&note.reason);
    digest.text(&note.action);
    digest.text(&type_of(note.is_warning));
    for object in [Some(&note.regarding), note.related.as_ref()].into_iter().flatten() {
        for part in [&object.kind, &object.api_version, &object.namespace, &object.name, &object.field_path] {
            digest.text(part);
        }
        digest.bytes(&object.uid.0.to_le_bytes());
        digest.word(object.resource_version.0);
    }
    digest.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time::from_secs(1_000_000);

    fn note(pod: &str) -> SeriesNote {
        SeriesNote {
            regarding: ObjectReference { name: pod.into(), ..ObjectReference::default() },
            related: None,
            is_warning: true,
            reason: "FailedScheduling".into(),
            action: "Scheduling".into(),
            note: "0/3 nodes are available".into(),
        }
    }

    fn kind(request: Option<&Request>) -> &'static str {
        request.map_or("nothing", Request::verb)
    }

    #[test]
    fn the_second_of_its_like_makes_a_series_and_the_third_is_counted() {
        let mut recorder = SeriesRecorder::new(START, "default-scheduler", "control");
        let sent = [(); 4].map(|()| recorder.record(START, note("web")));
        assert_eq!(sent.each_ref().map(|it| kind(it.as_ref())), ["create", "patch", "nothing", "nothing"]);
        assert_eq!(kind(recorder.record(START, note("db")).as_ref()), "create");
    }

    #[test]
    fn a_series_is_written_once_more_when_it_has_ended() {
        let mut recorder = SeriesRecorder::new(START, "default-scheduler", "control");
        (0..3).for_each(|n| drop(recorder.record(START + Span::secs(n), note("web"))));
        let first_look = recorder.next_sweep().expect("there is a series");
        assert_eq!(first_look, START + FINISH);
        assert_eq!(recorder.sweep(first_look), []);
        let second_look = recorder.next_sweep().expect("it has not ended");
        let [Request::Patch { patch: Patch::Merge(patch), .. }] = &recorder.sweep(second_look)[..] else {
            panic!("the final count is written")
        };
        assert_eq!(patch["series"]["count"], 3);
        assert_eq!(recorder.next_sweep(), None);
    }

    #[test]
    fn a_single_event_is_forgotten_at_the_first_look_after_six_minutes() {
        let mut recorder = SeriesRecorder::new(START, "default-scheduler", "control");
        recorder.record(START + Span::secs(1), note("web"));
        let late = START + Span::mins(12) + Span::secs(1);
        assert_eq!(kind(recorder.record(late, note("web")).as_ref()), "create");
        assert_eq!(recorder.alike.len(), 1);
    }
}
