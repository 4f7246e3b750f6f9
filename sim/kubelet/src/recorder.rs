//! Kubernetes events about pods and nodes, repeated ones counted instead of created again.
//!
//! Upstream: `staging/src/k8s.io/client-go/tools/record/{event,events_cache}.go`.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{
    Event, EventReporter, Key, Kind, Labels, Meta, Object, ObjectReference, Patch, Preconditions, Rare,
    Request, Rest, Subresource,
};
use base::{Digest, Name, Time};
use serde_json::json;

use crate::bucket::Bucket;
use crate::constants::{SIMILAR_MAX, SPAM_BURST, SPAM_INTERVAL};
use crate::text::{hex, join};

/// So many bits of a digest are those of the part of the object.
const PART_BITS: u32 = 16;

/// What has been said about one object.
#[derive(Clone, Debug)]
pub(crate) struct Diary {
    said: Vec<Said>,
    spam: Bucket,
    /// What it was said about last: as a rule, that is what the next is about, too.
    about: Arc<ObjectReference>,
    /// Of the event made last: names are made from times, and must differ.
    last: Time,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    /// Of the reason and the message, and of the part of the object.
    digest: u64,
    /// When it was said first, which is its name.
    first: Time,
    count: u32,
    /// Of the reason alone.
    group: u16,
    /// Whether anybody heard it.
    is_known: bool,
}

/// Something to be said.
#[derive(Clone, Debug)]
pub(crate) struct Saying {
    pub(crate) is_warning: bool,
    pub(crate) reason: Name,
    pub(crate) message: Name,
    /// Of the event itself.
    pub(crate) annotations: Labels,
}

impl Default for Diary {
    fn default() -> Self {
        Self {
            said: Vec::new(),
            spam: Bucket::new(SPAM_INTERVAL, SPAM_BURST),
            about: Arc::default(),
            last: Time::ZERO,
        }
    }
}

impl Saying {
    pub(crate) fn normal(reason: &'static str, message: impl Into<Name>) -> Self {
        Self {
            is_warning: false,
            reason: Name::from_static(reason),
            message: message.into(),
            annotations: Labels::EMPTY,
        }
    }

    pub(crate) fn warning(reason: impl Into<Name>, message: impl Into<Name>) -> Self {
        Self { is_warning: true, reason: reason.into(), message: message.into(), annotations: Labels::EMPTY }
    }

    pub(crate) fn annotated(self, annotations: Labels) -> Self {
        Self { annotations, ..self }
    }

    /// Stands for all that are like it. Upstream: `EventAggregatorByReasonMessageFunc`.
    fn combined(self) -> Self {
        Self { message: join(["(combined from similar events): ", &self.message]), ..self }
    }

    /// The digest of what it says, whose upper bits are those of the message, and the lower ones of the part of the object;
    /// and what it has in common with others that differ in their messages only. Upstream: `EventAggregatorByReasonFunc`.
    fn digests(&self, part: &str) -> (u64, u16) {
        let of_reason = Digest::of_text(&self.reason);
        let (mut digest, mut group) = (of_reason, of_reason);
        digest.text(&self.message);
        group.word(u64::from(self.is_warning));
        let [low, high, ..] = group.value().to_le_bytes();
        let part = Digest::of_text(part).value() >> (u64::BITS - PART_BITS);
        (digest.value() >> PART_BITS << PART_BITS | part, u16::from_le_bytes([low, high]))
    }
}

impl Diary {
    /// The request that makes the event known; `None` when too much was said about this object.
    pub(crate) fn say(
        &mut self,
        now: Time,
        reporter: &Arc<EventReporter>,
        about: ObjectReference,
        saying: Saying,
    ) -> Option<Request> {
        let (digest, group) = saying.digests(&about.field_path);
        let is_one_of_many = self.is_one_of_many(digest, group);
        let saying = if is_one_of_many { saying.combined() } else { saying };
        let said = self.observe(now, if is_one_of_many { u64::from(group) } else { digest }, group);
        if !self.spam.take(now) {
            return None; // It is counted all the same.
        }
        let said = &mut self.said[said];
        let first = Said { is_known: std::mem::replace(&mut said.is_known, true), ..*said };
        if first.is_known {
            let message = is_one_of_many.then_some(&saying.message);
            return Some(recount(now, &about, first, message));
        }
        let about = about.share(&mut self.about);
        Some(Request::Create { object: Object::new(event(now, first, reporter.clone(), about, saying)) })
    }

    /// Whether too much was said already that differs from this in its message only. Upstream forgets that after ten
    /// minutes in which nothing more of the kind is said.
    fn is_one_of_many(&self, digest: u64, group: u16) -> bool {
        if self.said.len() < SIMILAR_MAX {
            return false;
        }
        let message = |digest: u64| digest >> PART_BITS;
        let alike = self.said.iter().filter(|it| it.group == group).map(|it| message(it.digest));
        let others: BTreeSet<u64> = alike.filter(|it| *it != 0).collect();
        SIMILAR_MAX <= others.len() && !others.contains(&message(digest))
    }

    /// The position of what has this digest, counted once more.
    fn observe(&mut self, now: Time, digest: u64, group: u16) -> usize {
        if let Some(position) = self.said.iter().position(|it| it.digest == digest) {
            self.said[position].count += 1;
            return position;
        }
        self.last = now.max(Time::from_nanos(self.last.nanos() + 1));
        self.said.push(Said { digest, first: self.last, count: 1, group, is_known: false });
        self.said.len() - 1
    }
}

fn recount(now: Time, about: &ObjectReference, said: Said, message: Option<&Name>) -> Request {
    let name = event_name(&about.name, said.first);
    let mut change = json!({"count": said.count, "lastTimestamp": api::Timestamp::from(now)});
    if let Some(message) = message {
        change["message"] = message.as_str().into();
    }
    Request::Patch {
        key: Key::new(Kind::Event, namespace(about), name),
        sub: Subresource::Main,
        patch: Patch::Merge(change),
        preconditions: Preconditions::default(),
    }
}

fn event(
    now: Time,
    said: Said,
    reporter: Arc<EventReporter>,
    about: Arc<ObjectReference>,
    saying: Saying,
) -> Event {
    Event {
        meta: Meta {
            name: event_name(&about.name, said.first),
            namespace: namespace(&about),
            annotations: saying.annotations,
            ..Meta::default()
        },
        involved_object: about,
        reason: saying.reason,
        message: saying.message,
        reporter,
        first_timestamp: Some(now.into()),
        last_timestamp: Some(now.into()),
        count: i32::try_from(said.count).unwrap_or(i32::MAX),
        kind: Name::from_static(if saying.is_warning { "Warning" } else { "Normal" }),
        extra: Rare::default(),
        rest: Rest::default(),
    }
}

fn event_name(about: &Name, first: Time) -> Name {
    join([about, ".", &hex(first.nanos())])
}

/// Events about what has no namespace are kept in `default`.
fn namespace(about: &ObjectReference) -> Name {
    if about.namespace.is_empty() { Name::from_static("default") } else { about.namespace.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(diary: &mut Diary, now: Time, message: &str) -> Option<Request> {
        let about = ObjectReference {
            name: Name::new("web"),
            namespace: Name::new("shop"),
            ..ObjectReference::default()
        };
        diary.say(now, &Arc::default(), about, Saying::warning("BackOff", message))
    }

    #[test]
    fn what_was_said_before_is_counted() {
        let (mut diary, now) = (Diary::default(), Time::from_secs(1_000));
        let first = say(&mut diary, now, "again").unwrap();
        let other = say(&mut diary, now, "other").unwrap();
        assert_ne!(first.key(), other.key(), "two events of one instant have two names");
        let second = say(&mut diary, now, "again").unwrap();
        assert_eq!(second.key(), first.key());
        let Request::Patch { patch: Patch::Merge(change), .. } = second else { panic!("it is counted") };
        assert_eq!(change, json!({"count": 2, "lastTimestamp": "1970-01-01T00:16:40Z"}));
    }

    #[test]
    fn the_tenth_of_a_kind_stands_for_all_that_follow() {
        let (mut diary, now) = (Diary::default(), Time::from_secs(1_000));
        for n in 0..9 {
            let request = say(&mut diary, now, &n.to_string()).unwrap();
            assert!(matches!(request, Request::Create { .. }));
        }
        let tenth = say(&mut diary, now, "9").unwrap();
        let message = |it: &Request| {
            if let Request::Patch { patch: Patch::Merge(change), .. } = it {
                return change["message"].to_string();
            }
            let Request::Create { object } = it else { panic!("{it:?}") };
            object.get::<Event>().unwrap().message.to_string()
        };
        assert_eq!(message(&tenth), "(combined from similar events): 9");
        let next = say(&mut diary, now, "10").unwrap();
        assert_eq!(
            (message(&next), next.key()),
            (r#""(combined from similar events): 10""#.into(), tenth.key())
        );
        let known = say(&mut diary, now, "3").unwrap();
        assert_ne!(known.key(), tenth.key());
    }

    #[test]
    fn who_says_too_much_is_not_heard() {
        let (mut diary, now) = (Diary::default(), Time::from_secs(1_000));
        let heard = (0..40).filter(|_| say(&mut diary, now, "again").is_some()).count();
        assert_eq!(heard, 25);
        assert!(say(&mut diary, now + SPAM_INTERVAL, "again").is_some());
    }
}
