//! Keeps events from flooding the API server: similar ones are combined, equal ones counted, too many dropped.
//!
//! Upstream: `staging/src/k8s.io/client-go/tools/record/events_cache.go`.

use api::{Event, ObjectReference, Timestamp};
use base::{Digest, Name, Span, Time};

use super::NameStamps;
use crate::recent::Recent;
use crate::token_bucket::{Rate, TokenBucket};

/// Upstream: `NewEventCorrelator`.
///
/// Keys are 64-bit digests of what upstream joins to a text. Of the few thousand that are remembered at a time, two
/// would share a digest once in a million million runs.
#[derive(Clone, Debug)]
pub(super) struct Correlator {
    similar: Recent<u64, Similar>,
    observed: Recent<u64, Observed>,
    spam: Recent<u64, TokenBucket>,
}

/// What becomes of an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// It is sent as a new one.
    Create(Event),
    /// It has been sent before, under this name: that one's count, time and message change.
    Bump(Event),
    /// Too much has been said about the object.
    Drop,
}

/// Each cache forgets beyond this many entries.
const MEMORY: usize = 4096;
/// From this many different messages within [`SIMILAR_WITHIN`] of each other, similar events become one.
const SIMILAR_MAX: usize = 10;
const SIMILAR_WITHIN: Span = Span::mins(10);
/// What a source may say about an object.
const SPAM: Rate = Rate { interval: Span::secs(300), burst: 25 };

/// Events that differ in nothing but their message.
#[derive(Clone, Debug, Default)]
struct Similar {
    /// Digests of the messages, the oldest first.
    messages: Vec<u64>,
    last: Time,
}

/// Equal events.
#[derive(Clone, Debug, Default)]
struct Observed {
    count: i32,
    first: Option<Timestamp>,
    name: Name,
}

impl Correlator {
    pub(super) fn new() -> Self {
        Self { similar: Recent::new(MEMORY), observed: Recent::new(MEMORY), spam: Recent::new(MEMORY) }
    }

    /// Upstream: `EventCorrelate`.
    pub(super) fn correlate(&mut self, now: Time, event: Event, names: &mut NameStamps) -> Verdict {
        let (event, key) = self.combine(now, event, names);
        let event = self.observe(event, key);
        let is_spam = !self.spam.touch(&spam_key(&event), || TokenBucket::new(SPAM)).allow(now);
        match event.count {
            _ if is_spam => Verdict::Drop,
            ..=1 => Verdict::Create(event),
            2.. => Verdict::Bump(event),
        }
    }

    /// Upstream: `EventAggregator.EventAggregate`.
    fn combine(&mut self, now: Time, mut event: Event, names: &mut NameStamps) -> (Event, u64) {
        let common = similar_key(&event);
        let similar = self.similar.touch(&common, Similar::default);
        if SIMILAR_WITHIN < now.since(similar.last) {
            similar.messages.clear();
        }
        similar.last = now;
        let message = Digest::of_text(&event.message).value();
        if !similar.messages.contains(&message) {
            similar.messages.push(message);
        }
        if similar.messages.len() < SIMILAR_MAX {
            let key = full_key(&event);
            return (event, key);
        }
        similar.messages.remove(0); // Upstream takes out any one.
        event.message = Name::from(format_args!("(combined from similar events): {}", event.message));
        event.meta.name = names.name(&event.involved_object.name, now);
        event.first_timestamp = Some(now.into());
        event.last_timestamp = Some(now.into());
        (event, common)
    }

    /// Upstream: `eventLogger.eventObserve`.
    fn observe(&mut self, mut event: Event, key: u64) -> Event {
        let observed = self.observed.touch(&key, Observed::default);
        if 0 < observed.count {
            event.meta.name = observed.name.clone();
            event.first_timestamp = observed.first;
            event.count = observed.count + 1;
        }
        *observed =
            Observed { count: event.count, first: event.first_timestamp, name: event.meta.name.clone() };
        event
    }
}

/// Upstream: `getSpamKey`. One recorder has one source, so that the source is no part of any key here.
fn spam_key(event: &Event) -> u64 {
    let mut digest = about(&event.involved_object);
    digest.text(&event.kind);
    digest.value()
}

/// Upstream: `EventAggregatorByReasonFunc`.
fn similar_key(event: &Event) -> u64 {
    let mut digest = about(&event.involved_object);
    digest.text(&event.kind);
    digest.text(&event.reason);
    digest.value()
}

/// Upstream: `getEventKey`.
fn full_key(event: &Event) -> u64 {
    let mut digest = about(&event.involved_object);
    for part in [&event.kind, &event.reason, &event.involved_object.field_path, &event.message] {
        digest.text(part);
    }
    digest.value()
}

fn about(object: &ObjectReference) -> Digest {
    let mut digest = Digest::of_text(&object.kind);
    for part in [&object.namespace, &object.name, &object.api_version] {
        digest.text(part);
    }
    digest.bytes(&object.uid.0.to_le_bytes());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time::from_secs(1_000_000);

    struct Bench {
        correlator: Correlator,
        names: NameStamps,
    }

    impl Bench {
        fn new() -> Self {
            Self { correlator: Correlator::new(), names: NameStamps::new("test", "") }
        }

        fn report(&mut self, now: Time, object: &str, message: &str) -> Verdict {
            let about = ObjectReference { name: object.into(), ..ObjectReference::default() };
            let mut event = Event { involved_object: about, message: message.into(), ..Event::default() };
            event.meta.name = self.names.name(object, now);
            event.count = 1;
            event.first_timestamp = Some(now.into());
            self.correlator.correlate(now, event, &mut self.names)
        }
    }

    fn message(verdict: &Verdict) -> (&str, i32) {
        match verdict {
            Verdict::Create(event) | Verdict::Bump(event) => (&event.message, event.count),
            Verdict::Drop => ("dropped", 0),
        }
    }

    #[test]
    fn equal_events_are_counted_under_the_first_name() {
        let mut bench = Bench::new();
        let Verdict::Create(first) = bench.report(START, "web", "hello") else { panic!("the first is sent") };
        let Verdict::Bump(second) = bench.report(START + Span::secs(9), "web", "hello") else {
            panic!("the second is counted")
        };
        assert_eq!((second.meta.name, second.count), (first.meta.name, 2));
        assert_eq!(second.first_timestamp, Some(START.into()));
    }

    #[test]
    fn ten_different_messages_are_combined() {
        let mut bench = Bench::new();
        let verdicts: Vec<Verdict> =
            (0..12).map(|n| bench.report(START, "web", &format!("made pod {n}"))).collect();
        let messages: Vec<_> = verdicts.iter().map(message).collect();
        assert_eq!(messages[8], ("made pod 8", 1));
        assert_eq!(messages[9], ("(combined from similar events): made pod 9", 1));
        assert_eq!(messages[11], ("(combined from similar events): made pod 11", 3));
    }

    #[test]
    fn ten_quiet_minutes_end_the_combining() {
        let mut bench = Bench::new();
        (0..12).for_each(|n| drop(bench.report(START, "web", &format!("made pod {n}"))));
        let later = START + Span::mins(10) + Span::from_nanos(1);
        assert_eq!(message(&bench.report(later, "web", "made pod 12")), ("made pod 12", 1));
    }

    #[test]
    fn a_burst_of_25_about_one_object_passes_and_then_one_in_five_minutes() {
        let mut bench = Bench::new();
        let sent = (0..40).filter(|_| bench.report(START, "web", "hello") != Verdict::Drop).count();
        assert_eq!(sent, 25);
        assert_ne!(bench.report(START, "db", "hello"), Verdict::Drop);
        // What was dropped was counted nevertheless.
        let later = START + Span::mins(5);
        assert_eq!(message(&bench.report(later, "web", "hello")), ("hello", 41));
        assert_eq!(bench.report(later, "web", "hello"), Verdict::Drop);
    }
}
