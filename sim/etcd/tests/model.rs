//! The store against a model that keeps a full copy of everything at every revision.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::cmp::Ordering;
use std::collections::BTreeMap;

use etcd::{
    Change, Compare, Error, Event, Expect, KeyRange, KeyValue, Op, Outcome, Revision, Store, Target, Txn,
    Watcher,
};
use proptest::prelude::*;

type Key = u8;
/// An event: revision, key, and what became of what.
type Told = (u64, Key, String);
type Snapshot = BTreeMap<Key, KeyValue<Key, u32>>;

const KEYS: Key = 6;

/// Every state there was: the last one is now, the one at position `n` belongs to revision `n + 1`.
#[derive(Clone, Debug)]
struct Model {
    snapshots: Vec<Snapshot>,
    compacted: u64,
}

impl Model {
    fn new() -> Self {
        Self { snapshots: vec![Snapshot::new()], compacted: 0 }
    }

    fn revision(&self) -> Revision {
        Revision(self.snapshots.len() as u64)
    }

    fn at(&self, revision: u64) -> &Snapshot {
        &self.snapshots[usize::try_from(revision).unwrap() - 1]
    }

    fn now(&self) -> &Snapshot {
        self.at(self.revision().0)
    }

    /// Applies puts (`Some`) and deletions (`None`) as one transaction.
    fn write(&mut self, changes: &[(Key, Option<u32>)]) {
        let mut next = self.now().clone();
        let modified = self.revision().next();
        for &(key, value) in changes {
            let old = next.remove(&key);
            if let Some(value) = value {
                let created = old.map_or(modified, |old| old.created);
                let version = old.map_or(0, |old| old.version) + 1;
                next.insert(key, KeyValue { key, value, created, modified, version, lease: None });
            }
        }
        if next != *self.now() {
            self.snapshots.push(next);
        }
    }

    /// What a watcher that starts at `from` hears: the differences of neighbouring snapshots.
    fn events(&self, from: u64) -> Vec<Told> {
        let pairs = (from.max(2)..=self.revision().0).map(|n| (n, self.at(n - 1), self.at(n)));
        pairs.flat_map(|(n, old, new)| self.difference(n, old, new)).collect()
    }

    fn difference(&self, revision: u64, old: &Snapshot, new: &Snapshot) -> Vec<Told> {
        let changed = (0..KEYS).filter(|key| old.get(key) != new.get(key));
        let previous = |key: Key| old.get(&key).filter(|_| self.compacted < revision);
        changed.map(|key| tell(revision, key, new.get(&key), previous(key))).collect()
    }

    /// Versions that can still be read or watched.
    fn versions_left(&self) -> usize {
        let since = self.compacted.max(1);
        let before = if since == 1 { &Snapshot::new() } else { self.at(since - 1) };
        let untouched = self.at(since).iter().filter(|(key, it)| before.get(key) == Some(it)).count();
        untouched + self.events(since).len()
    }
}

fn tell(revision: u64, key: Key, new: Option<&KeyValue<Key, u32>>, old: Option<&KeyValue<Key, u32>>) -> Told {
    (revision, key, format!("{new:?} from {old:?}"))
}

/// In the order of keys within a revision, which the model cannot tell otherwise.
fn tell_all<'a>(events: impl Iterator<Item = Event<'a, Key, u32>>) -> Vec<Told> {
    let mut told: Vec<_> = events.map(|event| tell_event(&event)).collect();
    assert!(told.is_sorted_by_key(|(revision, ..)| *revision));
    told.sort();
    told
}

fn tell_event(event: &Event<'_, Key, u32>) -> Told {
    let new = match event.change {
        Change::Put(new) => Some(new.cloned()),
        Change::Delete => None,
    };
    let old = event.previous.map(|old| old.cloned());
    tell(event.revision.0, *event.key, new.as_ref(), old.as_ref())
}

#[derive(Clone, Debug)]
enum Step {
    Put {
        key: Key,
        value: u32,
        expect: Want,
    },
    Delete {
        key: Key,
        expect: Want,
    },
    /// Deletes a range and puts the keys listed, if the first key's revision is as compared.
    Txn {
        holds: bool,
        delete: (Key, Key),
        puts: BTreeMap<Key, u32>,
    },
    /// Compacts this many percent of what is left.
    Compact(u64),
    Fork,
}

/// How a write is guarded: not at all, or by something that is true or false in the model.
#[derive(Clone, Copy, Debug)]
enum Want {
    Anything,
    Truth,
    Falsehood,
}

impl Want {
    fn of(self, model: &Model, key: Key) -> Expect {
        match (self, model.now().get(&key)) {
            (Self::Anything, _) => Expect::Anything,
            (Self::Truth, Some(it)) => Expect::Modified(it.modified),
            (Self::Truth, None) | (Self::Falsehood, Some(_)) => Expect::Absent,
            (Self::Falsehood, None) => Expect::Modified(model.revision()),
        }
    }

    fn holds(self) -> bool {
        !matches!(self, Self::Falsehood)
    }
}

fn step() -> impl Strategy<Value = Step> {
    let want = || prop_oneof![Just(Want::Anything), Just(Want::Truth), Just(Want::Falsehood)];
    prop_oneof![
        6 => (0..KEYS, any::<u32>(), want()).prop_map(|(key, value, expect)| Step::Put { key, value, expect }),
        3 => (0..KEYS, want()).prop_map(|(key, expect)| Step::Delete { key, expect }),
        2 => (any::<bool>(), (0..KEYS, 0..KEYS), prop::collection::btree_map(0..KEYS, any::<u32>(), 0..3))
            .prop_map(|(holds, delete, puts)| Step::Txn { holds, delete, puts }),
        1 => (0_u64..=100).prop_map(Step::Compact),
        1 => Just(Step::Fork),
    ]
}

fn run(step: &Step, store: &mut Store<Key, u32>, model: &mut Model) {
    match step {
        Step::Put { key, value, expect } => {
            let outcome = store.put(*key, *value, None, expect.of(model, *key)).unwrap();
            if expect.holds() {
                model.write(&[(*key, Some(*value))]);
            }
            check_outcome(outcome, expect.holds(), *key, model);
        }
        Step::Delete { key, expect } => {
            let outcome = store.delete(key, expect.of(model, *key));
            if expect.holds() {
                model.write(&[(*key, None)]);
            }
            check_outcome(outcome, expect.holds(), *key, model);
        }
        Step::Txn { holds, delete, puts } => run_txn(*holds, *delete, puts, store, model),
        Step::Compact(percent) => {
            let (compacted, current) = (model.compacted, model.revision().0);
            let revision = compacted + (current - compacted) * percent / 100;
            let expected = if compacted < revision {
                model.compacted = revision;
                Ok(())
            } else {
                Err(Error::Compacted { compacted: Revision(compacted) })
            };
            assert_eq!(store.compact(Revision(revision)), expected);
        }
        Step::Fork => {
            let fork = store.clone();
            store.put(0, 0, None, Expect::Anything).unwrap();
            store.delete(&0, Expect::Anything);
            *store = fork;
        }
    }
}

fn run_txn(
    holds: bool,
    (start, end): (Key, Key),
    puts: &BTreeMap<Key, u32>,
    store: &mut Store<Key, u32>,
    model: &mut Model,
) {
    let modified = model.now().get(&0).map_or(0, |it| it.modified.0);
    let number = if holds { modified } else { modified + 1 };
    let compare = vec![Compare { key: 0, target: Target::Modified, is: Ordering::Equal, number }];
    let puts: BTreeMap<_, _> = puts.iter().filter(|(key, _)| !(start..end).contains(key)).collect();
    let mut success = vec![Op::Delete(KeyRange::between(start, end))];
    success.extend(puts.iter().map(|(key, value)| Op::Put { key: **key, value: **value, lease: None }));
    let failure = vec![Op::Delete(KeyRange::key(0))];
    let result = store.apply(Txn { compare, success, failure }).unwrap();
    let mut changes: Vec<_> = (start..end).map(|key| (key, None)).collect();
    changes.extend(puts.iter().map(|(key, value)| (**key, Some(**value))));
    model.write(if holds { &changes } else { &[(0, None)] });
    assert_eq!((result.succeeded, result.revision), (holds, model.revision()));
}

fn check_outcome(outcome: Outcome<&Key, &u32>, holds: bool, key: Key, model: &Model) {
    match outcome {
        Outcome::Committed(revision) => assert_eq!((true, model.revision()), (holds, revision)),
        Outcome::Conflict(found) => {
            assert!(!holds, "a conflict where the expectation held");
            assert_eq!(found.map(|it| it.cloned()).as_ref(), model.now().get(&key));
        }
    }
}

fn check_reads(store: &Store<Key, u32>, model: &Model) {
    for revision in 1..model.compacted {
        let expected = Some(Error::Compacted { compacted: Revision(model.compacted) });
        assert_eq!(store.get_at(&0, Revision(revision)).err(), expected);
        assert_eq!(store.events(Revision(revision), store.revision()).err(), expected);
    }
    let future = store.get_at(&0, store.revision().next()).err();
    assert_eq!(future, Some(Error::FutureRevision { current: model.revision() }));
    for revision in model.compacted.max(1)..=model.revision().0 {
        let at = Revision(revision);
        let found: Snapshot =
            store.scan_at(&KeyRange::all(), at).unwrap().map(|it| (*it.key, it.cloned())).collect();
        assert_eq!(&found, model.at(revision), "everything at {revision}");
        for key in 0..KEYS {
            let found = store.get_at(&key, at).unwrap().map(|it| it.cloned());
            assert_eq!(found.as_ref(), model.at(revision).get(&key));
        }
        let expected: Vec<_> = model.at(revision).range(2..4).map(|(_, it)| *it).collect();
        let listing = store.list(&KeyRange::between(2, 4), Some(at), Some(1)).unwrap();
        assert_eq!(
            listing.items.iter().map(KeyValue::cloned).collect::<Vec<_>>(),
            expected[..expected.len().min(1)]
        );
        assert_eq!((listing.count, listing.revision), (expected.len(), model.revision()));
    }
    assert_eq!(
        &store.scan(&KeyRange::all()).map(|it| (*it.key, it.cloned())).collect::<Snapshot>(),
        model.now()
    );
}

proptest! {
    /// Whatever was written and compacted: every readable revision reads as it was, every watch tells exactly the
    /// differences, and nothing is kept that nobody can see.
    #[test]
    fn the_past_reads_as_it_was(steps in prop::collection::vec(step(), 0..40)) {
        let (mut store, mut model) = (Store::default(), Model::new());
        for step in &steps {
            run(step, &mut store, &mut model);
            prop_assert_eq!(store.revision(), model.revision());
        }
        check_reads(&store, &model);
        for from in model.compacted.max(1)..=model.revision().0 + 1 {
            let events = store.events(Revision(from), store.revision()).unwrap();
            prop_assert_eq!(tell_all(events), model.events(from));
        }
        let bytes = model.versions_left() as u64 * u64::from(etcd::KV_OVERHEAD_BYTES);
        prop_assert_eq!(store.space().in_use_bytes, bytes);
    }

    /// A watcher that is moved on now and then hears the same as one that never slept.
    #[test]
    fn a_watch_can_be_resumed(steps in prop::collection::vec((step(), any::<bool>()), 0..40)) {
        let (mut store, mut model) = (Store::default(), Model::new());
        let mut watcher = Watcher::new(KeyRange::all(), Revision(2));
        let mut heard = Vec::new();
        for (step, wakes) in &steps {
            if let Step::Compact(_) = step {
                continue;
            }
            run(step, &mut store, &mut model);
            if *wakes {
                heard.extend(tell_all(watcher.advance(&store, store.revision()).unwrap()));
            }
        }
        heard.extend(tell_all(watcher.advance(&store, store.revision()).unwrap()));
        prop_assert_eq!(heard, model.events(1));
    }
}
