//! All records of a run, stored compactly: texts and objects once each, records by number.

use std::iter;

use api::{Key, Object};
use base::{Cause, Name, Time};

use crate::table::Table;
use crate::what::What;
use crate::write::Write;

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, by which others name it as their cause. Grows with time; gaps are records that were not
    /// kept.
    pub id: Cause,
    pub at: Time,
    /// The component that did it: `kube-scheduler`, `kubelet/general-3`, `kubectl`, `fault`.
    pub actor: Name,
    /// The record that led to it.
    pub cause: Cause,
    pub what: What,
}

/// Which records a log keeps. What it does not keep is still numbered; faults, commands, refusals and
/// notes are few, and always kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    pub commits: bool,
    /// Kubernetes events.
    pub events: bool,
    /// Decisions, containers, silences: what leads from one commit to the next.
    pub steps: bool,
}

/// The records of a run, in the order they were made.
#[derive(Clone, Debug)]
pub struct Log {
    keep: Keep,
    /// How many records were made, kept or not.
    made: u32,
    kept: Vec<Stored>,
    texts: Table<Name>,
    objects: Table<Key>,
    /// By object, the last record about it, as a position in `kept`.
    last_about: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Stored {
    at: Time,
    id: Cause,
    cause: Cause,
    actor: u32,
    /// The record about the same object before this one, as a position; its own position if there is none.
    before: u32,
    what: What<u32, u32>,
}

impl Keep {
    pub const ALL: Self = Self { commits: true, events: true, steps: true };
    /// For runs of which only the digest and the outcome matter.
    pub const LITTLE: Self = Self { commits: false, events: false, steps: false };

    fn keeps(self, what: &What) -> bool {
        match what {
            What::Commit { .. } => self.commits,
            What::Event { .. } => self.events,
            What::Decision { .. } | What::Container { .. } | What::Silence { .. } => self.steps,
            What::Rejected { .. } | What::Fault { .. } | What::Command { .. } | What::Note { .. } => true,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self::new(Keep::ALL)
    }
}

impl Log {
    pub fn new(keep: Keep) -> Self {
        Self {
            keep,
            made: 0,
            kept: Vec::new(),
            texts: Table::new(),
            objects: Table::new(),
            last_about: Vec::new(),
        }
    }

    /// Makes a record, and returns the cause that what follows from it shall carry.
    pub fn push(&mut self, at: Time, actor: &Name, cause: Cause, what: What) -> Cause {
        let id = Cause(self.made);
        self.add(Record { id, at, actor: actor.clone(), cause, what });
        id
    }

    /// Makes the record of a write. What it changed is worked out only if that is kept.
    pub fn push_write(&mut self, at: Time, actor: &Name, cause: Cause, write: &Write<'_>) -> Cause {
        let is_event = matches!(write.new, Some(Object::Event(_)));
        let is_kept = if is_event { self.keep.events } else { self.keep.commits };
        if is_kept { self.push(at, actor, cause, write.what()) } else { self.skip() }
    }

    /// Makes the record of a step between two commits, if such records are kept.
    pub fn push_step(&mut self, at: Time, actor: &Name, cause: Cause, what: impl FnOnce() -> What) -> Cause {
        if self.keep.steps { self.push(at, actor, cause, what()) } else { self.skip() }
    }

    /// Numbers a record that is not kept.
    fn skip(&mut self) -> Cause {
        let id = Cause(self.made);
        assert!(!id.is_none(), "a run has fewer than four billion records");
        self.made += 1;
        id
    }

    /// Adds a record that has a number already, as when a log is read back.
    pub(crate) fn add(&mut self, record: Record) {
        let Record { id, cause, .. } = record;
        assert!(!id.is_none(), "a run has fewer than four billion records");
        assert!(self.made <= id.0, "records come by their numbers: {} came after {}", id.0, self.made);
        assert!(cause.is_none() || cause < id, "record {} is caused by a later one, {}", id.0, cause.0);
        self.made = id.0 + 1;
        if self.keep.keeps(&record.what) {
            self.store(record);
        }
    }

    /// How many records were made, kept or not.
    pub fn made(&self) -> u32 {
        self.made
    }

    /// The record named `id`, if it was kept.
    pub fn get(&self, id: Cause) -> Option<Record> {
        let position = self.kept.binary_search_by_key(&id, |stored| stored.id).ok()?;
        Some(self.restore(&self.kept[position]))
    }

    /// All records that were kept, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Record> + ExactSizeIterator {
        self.kept.iter().map(|stored| self.restore(stored))
    }

    /// The records about `object`, in order.
    pub fn about(&self, object: &Key) -> Vec<Record> {
        let last = self.objects.number(object).map(|number| self.last_about[number as usize]);
        let before = |&position: &u32| {
            let before = self.kept[position as usize].before;
            (before != position).then_some(before)
        };
        let mut positions: Vec<_> = iter::successors(last, before).collect();
        positions.reverse();
        positions.into_iter().map(|position| self.restore(&self.kept[position as usize])).collect()
    }

    /// How it came to the record `id`: the first cause first, the record itself last. It begins later where a
    /// record in between was not kept.
    pub fn chain(&self, id: Cause) -> Vec<Record> {
        let mut chain: Vec<_> = iter::successors(self.get(id), |record| self.get(record.cause)).collect();
        chain.reverse();
        chain
    }

    fn store(&mut self, record: Record) {
        let Record { id, at, actor, cause, what } = record;
        let Self { texts, objects, .. } = self;
        let what = what.map(|object| objects.intern(object), |text| texts.intern(text));
        let actor = texts.intern(actor);
        let position = u32::try_from(self.kept.len()).expect("it has fewer members than there are records");
        let before = what.object().map_or(position, |&object| self.turn_to(object, position));
        self.kept.push(Stored { at, id, cause, actor, before, what });
    }

    /// Makes `position` the last record about `object`; returns the last one until now, or `position`.
    fn turn_to(&mut self, object: u32, position: u32) -> u32 {
        match self.last_about.get_mut(object as usize) {
            Some(last) => std::mem::replace(last, position),
            None => {
                self.last_about.push(position);
                position
            }
        }
    }

    fn restore(&self, stored: &Stored) -> Record {
        let object = |number| self.objects.get(number).clone();
        let text = |number| self.texts.get(number).clone();
        Record {
            id: stored.id,
            at: stored.at,
            actor: text(stored.actor),
            cause: stored.cause,
            what: stored.what.map(object, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use api::Kind;
    use proptest::prelude::*;

    use super::*;

    fn node(name: u8) -> Key {
        Key::cluster(Kind::Node, Name::from(format!("node-{name}")))
    }

    fn note(object: Option<u8>, text: u8) -> What {
        What::Note { object: object.map(node), text: Name::from(format!("text {text}")) }
    }

    fn decision(pod: u8) -> What {
        What::Decision { pod: node(pod), node: None, message: Name::EMPTY }
    }

    #[test]
    fn a_stored_record_fits_a_cache_line() {
        assert!(size_of::<Stored>() <= 64, "{}", size_of::<Stored>());
    }

    #[test]
    fn what_is_not_kept_is_numbered_all_the_same() {
        let actor = Name::from_static("kube-scheduler");
        let mut logs = [Keep::ALL, Keep::LITTLE].map(Log::new);
        for log in &mut logs {
            let first = log.push_step(Time::ZERO, &actor, Cause::NONE, || decision(1));
            log.push(Time::from_secs(1), &actor, first, note(Some(1), 1));
        }
        let [all, little] = logs;
        assert_eq!(all.made(), little.made());
        assert_eq!((all.chain(Cause(1)).len(), little.chain(Cause(1)).len()), (2, 1));
        assert_eq!(little.about(&node(1)), all.about(&node(1))[1..]);
    }

    proptest! {
        /// The log answers as a plain list of records would.
        #[test]
        fn a_log_is_a_list_of_records(
            steps in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(0..5_u8), 0..9_u8), 0..60),
        ) {
            let (mut log, mut list) = (Log::default(), Vec::<Record>::new());
            for (cause, object, text) in steps {
                let cause = cause.index(list.len() + 1).checked_sub(1).map_or(Cause::NONE, |n| list[n].id);
                let (at, actor) = (Time::from_secs(list.len() as u64 / 3), Name::from(format!("actor-{text}")));
                let id = log.push(at, &actor, cause, note(object, text));
                list.push(Record { id, at, actor, cause, what: note(object, text) });
            }
            prop_assert_eq!(log.iter().collect::<Vec<_>>(), &list[..]);
            for object in (0..6).map(node) {
                let about: Vec<_> = list.iter().filter(|it| it.what.object() == Some(&object)).cloned().collect();
                prop_assert_eq!(log.about(&object), about);
            }
            for record in &list {
                let mut chain = vec![record.clone()];
                while let Some(cause) = list.iter().find(|it| it.id == chain[0].cause) {
                    chain.insert(0, cause.clone());
                }
                prop_assert_eq!(log.chain(record.id), chain);
            }
        }
    }
}
