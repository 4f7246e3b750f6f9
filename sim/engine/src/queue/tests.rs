//! The queue against a model that is obviously right: a list, of which the least is taken.

use std::collections::BTreeSet;

use base::{Span, Time};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const START: Time = Time::from_secs(1_767_225_600);
const PHASES: [Phase; 4] = [Phase::Fault, Phase::Deliver, Phase::Act, Phase::Sample];

/// What a user of the queue may do.
#[derive(Clone, Copy, Debug)]
enum Deed {
    After { delay: Span, phase: Phase },
    AfterLane { lane: usize },
    Cancel { which: Index },
    Pop { within: Span },
    Advance { by: Span },
}

const LANES: [(Span, Phase); 4] = [
    (Span::ZERO, Phase::Act),
    (Span::micros(300), Phase::Deliver),
    (Span::secs(10), Phase::Act),
    (Span::hours(1), Phase::Sample),
];

/// Zero, equal ones, and ones that end in each level of the wheel, near and far.
fn delays() -> impl Strategy<Value = Span> {
    prop_oneof![
        Just(Span::ZERO),
        Just(Span::secs(10)),
        (0_u64..4).prop_map(Span::micros),
        (0_u64..5_000).prop_map(Span::micros),
        (0_u64..60_000).prop_map(Span::millis),
        (0_u64..3_000).prop_map(Span::secs),
        (0_u64..30_000).prop_map(Span::hours),
        (0_u64..=u64::MAX).prop_map(Span::from_nanos),
    ]
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        8 => (delays(), prop::sample::select(&PHASES)).prop_map(|(delay, phase)| Deed::After { delay, phase }),
        4 => (0..LANES.len()).prop_map(|lane| Deed::AfterLane { lane }),
        2 => any::<Index>().prop_map(|which| Deed::Cancel { which }),
        8 => delays().prop_map(|within| Deed::Pop { within }),
        1 => delays().prop_map(|by| Deed::Advance { by }),
    ];
    prop::collection::vec(deed, 0..400)
}

/// Pending events by time, phase and number, the number being the event itself.
#[derive(Clone)]
struct Model {
    now: Time,
    pending: BTreeSet<(Time, Phase, usize)>,
    scheduled: Vec<(Time, Phase, usize)>,
}

impl Model {
    fn at(&mut self, at: Time, phase: Phase) -> usize {
        let number = self.scheduled.len();
        self.scheduled.push((at, phase, number));
        if at < Time::MAX {
            self.pending.insert((at, phase, number));
        }
        number
    }

    fn cancel(&mut self, number: usize) -> bool {
        self.pending.remove(&self.scheduled[number])
    }

    fn pop(&mut self, until: Time) -> Option<usize> {
        let first = *self.pending.first().filter(|(at, ..)| *at <= until)?;
        self.pending.remove(&first);
        self.now = first.0;
        Some(first.2)
    }
}

/// The queue and the model side by side.
#[derive(Clone)]
struct Pair {
    queue: Queue<usize>,
    model: Model,
    tickets: Vec<Ticket>,
}

impl Pair {
    fn new() -> Self {
        let model = Model { now: START, pending: BTreeSet::new(), scheduled: Vec::new() };
        Self { queue: Queue::starting_at(START), model, tickets: Vec::new() }
    }

    fn do_both(&mut self, deed: Deed) -> Result<(), TestCaseError> {
        let Self { queue, model, tickets } = self;
        match deed {
            Deed::After { delay, phase } => {
                let number = model.at(model.now + delay, phase);
                tickets.push(queue.after(delay, phase, number));
            }
            Deed::AfterLane { lane } => {
                let (delay, phase) = LANES[lane];
                let lane = queue.lane(delay, phase);
                let number = model.at(model.now + delay, phase);
                tickets.push(queue.after_lane(lane, number));
            }
            Deed::Cancel { .. } if tickets.is_empty() => (),
            Deed::Cancel { which } => {
                let number = which.index(tickets.len());
                prop_assert_eq!(queue.cancel(tickets[number]), model.cancel(number));
            }
            Deed::Pop { within } => {
                let until = model.now + within;
                prop_assert_eq!(queue.pop(until), model.pop(until));
            }
            Deed::Advance { by } => {
                let next = model.pending.first().map_or(Time::MAX, |(at, ..)| *at);
                model.now = next.min(model.now + by);
                queue.advance(model.now);
            }
        }
        prop_assert_eq!(queue.now(), model.now);
        prop_assert_eq!(queue.len(), model.pending.len());
        prop_assert_eq!(queue.peek_time(), model.pending.first().map(|(at, ..)| *at));
        Ok(())
    }

    fn drain(&mut self) -> Result<(), TestCaseError> {
        while !self.model.pending.is_empty() {
            prop_assert_eq!(self.queue.pop(Time::MAX), self.model.pop(Time::MAX));
        }
        prop_assert_eq!(self.queue.pop(Time::MAX), None);
        Ok(())
    }
}

proptest! {
    /// Whatever is scheduled, by whatever means, cancelled and popped: it is as if the least of a list were taken.
    #[test]
    fn behaves_as_a_sorted_list(deeds in deeds()) {
        let mut pair = Pair::new();
        for deed in deeds {
            pair.do_both(deed)?;
        }
        pair.drain()?;
    }

    #[test]
    fn a_fork_continues_identically(before in deeds(), after in deeds()) {
        let mut pair = Pair::new();
        for deed in before {
            pair.do_both(deed)?;
        }
        let mut fork = pair.clone();
        for &deed in &after {
            fork.do_both(deed)?;
        }
        fork.drain()?;
        for deed in after {
            pair.do_both(deed)?;
        }
        pair.drain()?;
    }

    /// Shuffling leaves time and phase alone, loses nothing, and is the same for the same seed.
    #[test]
    fn shuffled_ties_keep_time_and_phase(deeds in deeds(), seed: u64) {
        let drain = || {
            let mut queue = Queue::starting_at(START);
            queue.shuffle_ties(Seed(seed));
            for deed in &deeds {
                if let Deed::After { delay, phase } = *deed {
                    queue.after(delay, phase, (delay, phase));
                }
            }
            std::iter::from_fn(|| queue.pop(Time::MAX)).collect::<Vec<_>>()
        };
        let popped = drain();
        prop_assert!(popped.is_sorted());
        prop_assert_eq!(&popped, &drain());
        let is_kept = |deed: &&Deed| matches!(deed, Deed::After { delay, .. } if START + *delay < Time::MAX);
        prop_assert_eq!(popped.len(), deeds.iter().filter(is_kept).count());
    }
}

#[test]
fn every_order_of_a_tie_comes_up() {
    let orders = (0..200).map(|seed| {
        let mut queue = Queue::starting_at(START);
        queue.shuffle_ties(Seed(seed));
        let lane = queue.lane(Span::secs(1), Phase::Act);
        (0..4).for_each(|n| {
            queue.after_lane(lane, n);
        });
        std::iter::from_fn(|| queue.pop(Time::MAX)).collect::<Vec<u32>>()
    });
    assert_eq!(orders.collect::<BTreeSet<_>>().len(), 24);
}

#[test]
fn phases_order_what_happens_at_once() {
    let mut queue = Queue::starting_at(START);
    for phase in [Phase::Sample, Phase::Act, Phase::Fault, Phase::Deliver] {
        queue.after(Span::secs(1), phase, phase);
    }
    let popped: Vec<Phase> = std::iter::from_fn(|| queue.pop(Time::MAX)).collect();
    assert_eq!(popped, PHASES);
}

#[test]
fn the_same_lane_is_found_again() {
    let mut queue = Queue::<()>::starting_at(START);
    let lane = queue.lane(Span::secs(1), Phase::Act);
    assert_eq!(queue.lane(Span::secs(1), Phase::Act), lane);
    assert_ne!(queue.lane(Span::secs(1), Phase::Deliver), lane);
}

#[test]
fn cancelled_events_are_not_kept() {
    let mut queue = Queue::starting_at(START);
    let lane = queue.lane(Span::mins(5), Phase::Act);
    queue.after(Span::hours(1), Phase::Act, 0);
    for n in 1..200_000_u64 {
        let span =
            [Span::micros(n), Span::secs(n), Span::hours(n)][usize::try_from(n % 3).expect("it is below 3")];
        let ticket = if n % 7 == 0 { queue.after_lane(lane, n) } else { queue.after(span, Phase::Act, n) };
        assert!(queue.cancel(ticket));
        assert!(!queue.cancel(ticket));
    }
    assert_eq!(queue.len(), 1);
    let stored =
        queue.front.iter().chain(queue.wheel.buckets().flatten()).chain(queue.lanes.iter().flatten());
    assert!(stored.count() <= DEAD_MIN + 1);
    assert_eq!((queue.pop(Time::MAX), queue.pop(Time::MAX)), (Some(0), None));
}

#[test]
#[should_panic(expected = "but it is already")]
fn the_past_cannot_be_scheduled() {
    Queue::starting_at(START).at(Time::from_secs(1), Phase::Act, ());
}

#[test]
#[should_panic(expected = "cannot skip an event")]
fn an_event_cannot_be_skipped() {
    let mut queue = Queue::starting_at(START);
    queue.after(Span::secs(1), Phase::Act, ());
    queue.advance(START + Span::secs(2));
}

#[test]
fn ranks_order_what_happens_in_one_phase() {
    let (mut queue, at) = (Queue::starting_at(START), START + Span::secs(1));
    for rank in [2, 0, 1, 2, 0] {
        queue.at_rank(at, Phase::Act, Rank::new(rank), rank);
    }
    queue.at_rank(at, Phase::Deliver, Rank::new(9), 9);
    let popped: Vec<u32> = std::iter::from_fn(|| queue.pop(Time::MAX)).collect();
    assert_eq!(popped, [9, 0, 0, 1, 2, 2]);
}
