//! What a controller works through: keys, each at most once, now or later.
//!
//! Upstream: `staging/src/k8s.io/client-go/util/workqueue/{queue,delaying_queue,default_rate_limiters}.go`.

use std::collections::{BTreeMap, VecDeque};
use std::hash::Hash;

use base::{Cause, Lookup, Span, Time};

use crate::token_bucket::{Rate, TokenBucket};

/// How long a key that failed waits before it is tried again: `base`, then twice as long each time, up to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    pub base: Span,
    pub max: Span,
}

/// A first-in-first-out queue of keys.
///
/// A key that waits is not added again; a key that is being worked on is added again when that is done. With each
/// key goes the cause of the first addition since it was last taken.
#[derive(Clone, Debug)]
pub struct WorkQueue<K: Ord + Hash> {
    ready: VecDeque<K>,
    entries: Lookup<K, Entry>,
    /// Keys to be added later, by time, and in the order of their coming where times are equal.
    delayed: BTreeMap<Due, (K, Cause)>,
    /// Counts delayed additions.
    ticket: u64,
    back_off: BackOff,
    /// The limit on all retries of a queue together.
    retries: TokenBucket,
}

type Due = (Time, u64);

/// What is known of a key that is not idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// To be worked on (again): by whom it was asked.
    dirty: Option<Cause>,
    processing: bool,
    /// In a row.
    failures: u32,
    due: Option<Due>,
}

impl Default for BackOff {
    /// Upstream: `workqueue.DefaultTypedControllerRateLimiter`.
    fn default() -> Self {
        Self { base: Span::millis(5), max: Span::secs(1000) }
    }
}

impl BackOff {
    /// The wait after `failures` failures before this one.
    pub fn after(self, failures: u32) -> Span {
        let factor = 1_u64.checked_shl(failures).unwrap_or(u64::MAX);
        (self.base * factor).min(self.max)
    }
}

impl<K: Clone + Ord + Hash> WorkQueue<K> {
    pub fn new(back_off: BackOff) -> Self {
        Self {
            ready: VecDeque::new(),
            entries: Lookup::new(),
            delayed: BTreeMap::new(),
            ticket: 0,
            back_off,
            retries: TokenBucket::new(Rate::per_sec(10, 100)),
        }
    }

    pub fn add(&mut self, key: &K, cause: Cause) {
        let entry = self.entry(key);
        if entry.dirty.is_some() {
            return;
        }
        entry.dirty = Some(cause);
        if !entry.processing {
            self.ready.push_back(key.clone());
        }
    }

    /// Adds the key after `span`. Where it is already waiting for a later time, the earlier one counts.
    pub fn add_after(&mut self, now: Time, key: &K, span: Span, cause: Cause) {
        if span == Span::ZERO {
            return self.add(key, cause);
        }
        let due = (now + span, self.ticket);
        let entry = self.entry(key);
        if entry.due.is_some_and(|existing| existing.0 <= due.0) {
            return;
        }
        let later = entry.due.replace(due);
        // The cause stays that of the first addition.
        let cause = later.and_then(|it| self.delayed.remove(&it)).map_or(cause, |(_, first)| first);
        self.delayed.insert(due, (key.clone(), cause));
        self.ticket += 1;
    }

    /// Adds the key after its back-off, which grows.
    pub fn add_rate_limited(&mut self, now: Time, key: &K, cause: Cause) {
        let back_off = self.back_off;
        let entry = self.entry(key);
        let own = back_off.after(entry.failures);
        entry.failures = entry.failures.saturating_add(1);
        let shared = self.retries.reserve(now).since(now);
        self.add_after(now, key, own.max(shared), cause);
    }

    /// The next key to work on, and why. It must be given back by [`WorkQueue::done`].
    pub fn take(&mut self) -> Option<(K, Cause)> {
        let key = self.ready.pop_front()?;
        let entry = self.entries.get_mut(&key).expect("a key in the queue is known");
        entry.processing = true;
        let cause = entry.dirty.take().expect("a key in the queue is dirty");
        Some((key, cause))
    }

    /// The work on `key` has ended; if it was added meanwhile, it queues again.
    pub fn done(&mut self, key: &K) {
        self.end(key, |_| ());
    }

    /// The work on `key` has ended well: its back-off is reset besides.
    pub fn succeed(&mut self, key: &K) {
        self.end(key, |entry| entry.failures = 0);
    }

    fn end(&mut self, key: &K, note: impl FnOnce(&mut Entry)) {
        let entry = self.entries.get_mut(key).expect("a key that is worked on is known");
        entry.processing = false;
        note(entry);
        if entry.dirty.is_some() {
            self.ready.push_back(key.clone());
        } else if *entry == Entry::default() {
            self.entries.remove(key);
        }
    }

    /// Resets the back-off of `key`.
    pub fn forget(&mut self, key: &K) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.failures = 0;
            // What is known of an idle key goes, so that memory does not grow with all the keys that ever were.
            if *entry == Entry::default() {
                self.entries.remove(key);
            }
        }
    }

    /// How often it was put back since it was last forgotten. Upstream: `NumRequeues`.
    pub fn failures(&self, key: &K) -> u32 {
        self.entries.get(key).map_or(0, |entry| entry.failures)
    }

    /// Moves the keys whose time has come to the end of the queue.
    pub fn tick(&mut self, now: Time) {
        while let Some(due) = self.delayed.first_entry().filter(|it| it.key().0 <= now) {
            let (key, cause) = due.remove();
            self.entry(&key).due = None;
            self.add(&key, cause);
        }
    }

    /// When the next delayed key is to be added.
    pub fn next_due(&self) -> Option<Time> {
        self.delayed.first_key_value().map(|(&(time, _), _)| time)
    }

    /// How many keys wait to be taken.
    pub fn len(&self) -> usize {
        self.ready.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    fn entry(&mut self, key: &K) -> &mut Entry {
        self.entries.entry_or_insert_with(key.clone(), Entry::default)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Time = Time::from_secs(1_000_000);
    const CAUSE: Cause = Cause::NONE;

    fn queue() -> WorkQueue<u8> {
        WorkQueue::new(BackOff::default())
    }

    #[test]
    fn a_key_waits_once_and_keeps_its_first_cause() {
        let mut queue = queue();
        queue.add(&1, Cause(10));
        queue.add(&2, Cause(11));
        queue.add(&1, Cause(12));
        assert_eq!([(); 3].map(|()| queue.take()), [Some((1, Cause(10))), Some((2, Cause(11))), None]);
    }

    #[test]
    fn a_key_that_is_worked_on_queues_again_when_that_is_done() {
        let mut queue = queue();
        queue.add(&1, CAUSE);
        queue.take();
        queue.add(&1, Cause(7));
        queue.add(&1, Cause(8));
        assert_eq!(queue.take(), None);
        queue.done(&1);
        assert_eq!(queue.take(), Some((1, Cause(7))));
        queue.done(&1);
        assert_eq!(queue.take(), None);
        assert!(queue.entries.is_empty());
    }

    #[test]
    fn of_two_delays_the_earlier_counts() {
        let mut queue = queue();
        queue.add_after(START, &1, Span::secs(9), Cause(1));
        queue.add_after(START, &1, Span::secs(3), Cause(2));
        queue.add_after(START, &1, Span::secs(5), Cause(3));
        assert_eq!(queue.next_due(), Some(START + Span::secs(3)));
        queue.tick(START + Span::secs(20));
        assert_eq!(queue.take(), Some((1, Cause(1))));
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn failures_double_the_wait_until_forgotten() {
        let mut queue = queue();
        let mut waits = Vec::new();
        for _ in 0..20 {
            queue.add_rate_limited(START, &1, CAUSE);
            waits.push(queue.next_due().map(|due| due.since(START).as_millis()));
            queue.tick(START + Span::hours(1));
            queue.take();
            queue.done(&1);
        }
        assert_eq!(waits[..4], [5, 10, 20, 40].map(Some));
        assert_eq!(waits[17..], [655_360, 1_000_000, 1_000_000].map(Some));
        queue.forget(&1);
        queue.add_rate_limited(START, &1, CAUSE);
        assert_eq!(queue.next_due(), Some(START + Span::millis(5)));
    }

    #[test]
    fn more_than_a_hundred_retries_at_once_are_spread_out() {
        let mut queue = queue();
        (0..=101).for_each(|key| queue.add_rate_limited(START, &key, CAUSE));
        let waits: Vec<u64> = queue.delayed.keys().map(|(due, _)| due.since(START).as_millis()).collect();
        assert_eq!(waits[98..], [5, 5, 100, 200]);
    }

    proptest! {
        /// No key is taken twice at a time, and every addition is followed by a take.
        #[test]
        fn every_addition_is_worked_on_after_it(steps in prop::collection::vec((0_u8..3, 0_u8..5), 0..200)) {
            let (mut queue, mut held, mut pending) = (queue(), Vec::new(), [false; 5]);
            for (step, key) in steps {
                match step {
                    0 => {
                        queue.add(&key, CAUSE);
                        pending[usize::from(key)] = true;
                    }
                    1 => {
                        if let Some((key, _)) = queue.take() {
                            prop_assert!(!held.contains(&key) && pending[usize::from(key)]);
                            pending[usize::from(key)] = false;
                            held.push(key);
                        }
                    }
                    _ => {
                        held.pop().inspect(|key| queue.done(key));
                    }
                }
            }
            held.iter().for_each(|key| queue.done(key));
            while let Some((key, _)) = queue.take() {
                queue.done(&key);
                pending[usize::from(key)] = false;
            }
            prop_assert_eq!(pending, [false; 5]);
            prop_assert!(queue.entries.is_empty());
        }
    }
}
