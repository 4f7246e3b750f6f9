//! Where a run was, at moments that lie evenly apart: enough to find where two runs part.

use base::{Digest, Time};

/// Where a run was after a number of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many had happened.
    pub events: u64,
    /// The time of the last of them.
    pub time: Time,
    pub digest: Digest,
}

/// The stretch in which two runs part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The last moment at which both are known to be the same; `None` if that is the start.
    pub same: Option<Checkpoint>,
    /// After how many events they are known to differ.
    pub differ: u64,
}

/// The first stretch in which two histories differ; `None` if they tell the same.
///
/// Moments that only one of them tells are passed over, but not the last: runs of different length differ.
pub fn first_difference(left: &[Checkpoint], right: &[Checkpoint]) -> Option<Interval> {
    let mut same = None;
    let mut rest = right;
    for checkpoint in left {
        let before = rest.partition_point(|other| other.events < checkpoint.events);
        rest = &rest[before..];
        match rest.first().filter(|other| other.events == checkpoint.events) {
            Some(other) if other == checkpoint => same = Some(*checkpoint),
            Some(_) => return Some(Interval { same, differ: checkpoint.events }),
            None => (),
        }
    }
    let [left, right] = [left, right].map(|history| history.last().copied());
    // The shorter one has come to its end where the longer one goes on.
    let longest = [left, right].into_iter().flatten().map(|last| last.events).max();
    longest.filter(|_| left != right).map(|differ| Interval { same, differ })
}

/// Checkpoints of a run in progress. When there are too many, every second one goes and the gaps double.
#[derive(Clone, Debug)]
pub(super) struct Checkpoints {
    list: Vec<Checkpoint>,
    /// Events from one to the next.
    gap: u64,
    /// The number of events of the next one.
    next: u64,
}

const CHECKPOINTS_MAX: usize = 1024;
const FIRST_GAP: u64 = 1024;

impl Default for Checkpoints {
    fn default() -> Self {
        Self { list: Vec::new(), gap: FIRST_GAP, next: FIRST_GAP }
    }
}

impl Checkpoints {
    pub(super) const fn is_due(&self, events: u64) -> bool {
        self.next <= events
    }

    pub(super) fn add(&mut self, checkpoint: Checkpoint) {
        self.list.push(checkpoint);
        if self.list.len() == CHECKPOINTS_MAX {
            self.gap *= 2;
            self.list.retain(|it| it.events.is_multiple_of(self.gap));
        }
        self.next = checkpoint.events + self.gap;
    }

    pub(super) fn list(&self) -> &[Checkpoint] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checkpoint(events: u64, digest: u64) -> Checkpoint {
        let mut words = Digest::default();
        words.word(digest);
        Checkpoint { events, time: Time::from_secs(events), digest: words }
    }

    fn history(from: impl IntoIterator<Item = (u64, u64)>) -> Vec<Checkpoint> {
        from.into_iter().map(|(events, digest)| checkpoint(events, digest)).collect()
    }

    #[test]
    fn differences_are_found() {
        let table = [
            (vec![], vec![], None),
            (vec![(8, 1), (9, 1)], vec![(8, 1), (9, 1)], None),
            (vec![(8, 1), (9, 1)], vec![(8, 1), (9, 2)], Some((Some(8), 9))),
            (vec![(8, 1), (9, 1)], vec![(8, 2), (9, 1)], Some((None, 8))),
            // The gaps are different.
            (vec![(4, 1), (8, 1), (12, 1), (16, 1)], vec![(8, 1), (16, 2)], Some((Some(8), 16))),
            // One is longer.
            (vec![(8, 1), (10, 1)], vec![(8, 1), (16, 1), (20, 1)], Some((Some(8), 20))),
            (vec![(8, 1)], vec![], Some((None, 8))),
        ];
        for (left, right, expected) in table {
            let found = first_difference(&history(left.clone()), &history(right.clone()));
            let found = found.map(|it| (it.same.map(|same| same.events), it.differ));
            assert_eq!(found, expected, "{left:?} against {right:?}");
        }
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_gaps_are_even(events in 0_u64..40_000_000) {
            let mut checkpoints = Checkpoints::default();
            let mut now = 0;
            while checkpoints.next <= events {
                now = checkpoints.next;
                checkpoints.add(checkpoint(now, now));
            }
            let list = checkpoints.list();
            prop_assert!(list.len() < CHECKPOINTS_MAX);
            prop_assert!(list.windows(2).all(|pair| pair[1].events - pair[0].events == checkpoints.gap));
            prop_assert!(list.is_empty() || list[0].events == checkpoints.gap);
            prop_assert!(events - now < checkpoints.gap);
        }
    }
}
