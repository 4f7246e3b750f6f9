//! Keeps events from flooding the API server: similar ones are combined, equal ones counted, too many dropped.
//!
//! Upstream: `staging/src/k8s.io/client-go/tools/record/events_cache.go`.

use base::{Digest, Name, Span, Time};

use super::{NameStamps, name_of, type_of};
use crate::plan::Note;
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

/// What has happened, before it is known what is said of it.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) note: Note,
    pub(super) at: Time,
    /// The moment that would name its event.
    pub(super) stamp: u64,
}

/// What becomes of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is sent as a new event.
    Create(Said),
    /// It has been sent before, under this name: that one's count, time and message change.
    Bump(Said),
    /// Too much has been said about the object.
    Drop,
}

/// What an event says that its note does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) name: Name,
    pub(super) message: Name,
    pub(super) count: i32,
    pub(super) first: Time,
    pub(super) last: Time,
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
#[derive(Clone, Copy, Debug)]
struct Observed {
    count: i32,
    /// When the first was recorded, and what names it.
    first: Time,
    stamp: u64,
}

/// What a report is remembered by. One recorder has one source, so that the source is no part of any key here.
#[derive(Clone, Copy, Debug)]
struct Keys {
    /// Upstream: `getSpamKey`.
    spam: u64,
    /// Upstream: `EventAggregatorByReasonFunc`.
    similar: u64,
    /// Upstream: `getEventKey`.
    full: u64,
}

impl Correlator {
    pub(super) fn new() -> Self {
        Self { similar: Recent::new(MEMORY), observed: Recent::new(MEMORY), spam: Recent::new(MEMORY) }
    }

    /// Upstream: `EventCorrelate`.
    pub(super) fn correlate(&mut self, now: Time, report: &Report, names: &mut NameStamps) -> Verdict {
        let (note, keys) = (&report.note, Keys::of(&report.note));
        let is_combined = self.combine(now, keys.similar, &note.message);
        let (key, at, stamp) = if is_combined {
            (keys.similar, now, names.stamp(now))
        } else {
            (keys.full, report.at, report.stamp)
        };
        let Observed { count, first, stamp } = self.observe(key, at, stamp);
        if !self.spam.touch(&keys.spam, || TokenBucket::new(SPAM)).allow(now) {
            return Verdict::Drop;
        }
        let name = name_of(&note.about.name, stamp);
        let message = if is_combined {
            Name::from(format_args!("(combined from similar events): {}", note.message))
        } else {
            note.message.clone()
        };
        let said = Said { name, message, count, first, last: at };
        if count == 1 { Verdict::Create(said) } else { Verdict::Bump(said) }
    }

    /// Whether it is told together with others that differ in nothing but their message.
    /// Upstream: `EventAggregator.EventAggregate`.
    fn combine(&mut self, now: Time, key: u64, message: &str) -> bool {
        let similar = self.similar.touch(&key, Similar::default);
        if SIMILAR_WITHIN < now.since(similar.last) {
            similar.messages.clear();
        }
        similar.last = now;
        let message = Digest::of_text(message).value();
        if !similar.messages.contains(&message) {
            similar.messages.push(message);
        }
        let is_combined = SIMILAR_MAX <= similar.messages.len();
        if is_combined {
            similar.messages.remove(0); // Upstream takes out any one.
        }
        is_combined
    }

    /// Counts equal events. Upstream: `eventLogger.eventObserve`.
    fn observe(&mut self, key: u64, at: Time, stamp: u64) -> Observed {
        let observed = self.observed.touch(&key, || Observed { count: 0, first: at, stamp });
        observed.count += 1;
        *observed
    }
}

impl Keys {
    /// Each says more than the one before it.
    fn of(note: &Note) -> Self {
        let about = &note.about;
        let mut digest = Digest::of_text(&about.kind);
        for part in [&about.namespace, &about.name, &about.api_version] {
            digest.text(part);
        }
        digest.bytes(&about.uid.0.to_le_bytes());
        digest.text(&type_of(note.is_warning));
        let spam = digest.value();
        digest.text(&note.reason);
        let similar = digest.value();
        digest.text(&about.field_path);
        digest.text(&note.message);
        Self { spam, similar, full: digest.value() }
    }
}

#[cfg(test)]
mod tests {
    use api::{Object, Pod};

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
            let meta = api::Meta { name: object.into(), ..api::Meta::default() };
            let note = Note::normal(&Object::new(Pod { meta, ..Pod::default() }), "Test", message);
            let report = Report { note, at: now, stamp: self.names.stamp(now) };
            self.correlator.correlate(now, &report, &mut self.names)
        }
    }

    fn message(verdict: &Verdict) -> (&str, i32) {
        match verdict {
            Verdict::Create(said) | Verdict::Bump(said) => (&said.message, said.count),
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
        assert_eq!((second.name, second.count), (first.name, 2));
        assert_eq!(second.first, START);
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
