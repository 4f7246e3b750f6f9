//! A small world in which tokens wander about, to show what the loop does.

use base::{Draw, Span};
use proptest::prelude::*;

use super::*;
use crate::queue::Phase;
use crate::stream::{Seed, Stream};

const START: Time = Time::from_secs(1_767_225_600);

/// Tokens that hop at random times; the digest sees the number of each one that hops.
#[derive(Clone, Debug)]
struct Hops {
    stream: Stream,
    hops: u64,
    hops_max: u64,
    /// The hop after which something goes wrong.
    fault_after: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Hop { token: u64 },
    Stall,
}

impl World for Hops {
    type Event = Event;

    fn handle(&mut self, event: Event, queue: &mut Queue<Event>, digest: &mut Digest) {
        let delay = match event {
            Event::Hop { token } => {
                self.hops += 1;
                digest.word(token + u64::from(self.fault_after == Some(self.hops)));
                Span::micros(1 + self.stream.below(1_000_000))
            }
            Event::Stall => Span::ZERO,
        };
        queue.after(delay, Phase::Act, event);
    }

    fn is_finished(&self) -> bool {
        self.hops_max <= self.hops
    }
}

fn hops(seed: u64, tokens: u64) -> Run<Hops> {
    let mut queue = Queue::starting_at(START);
    for token in 0..tokens {
        queue.after(Span::millis(token), Phase::Act, Event::Hop { token });
    }
    let stream = Seed(seed).stream("hops", 0);
    Run::new(Hops { stream, hops: 0, hops_max: u64::MAX, fault_after: None }, queue)
}

#[test]
fn the_clock_shows_the_end_when_all_before_it_has_happened() {
    let mut run = hops(1, 3);
    assert_eq!(run.until(START + Span::secs(5)), Stop::Reached);
    assert_eq!(run.now(), START + Span::secs(5));
    assert!(run.events() > 10);
}

#[test]
fn a_run_without_events_stays_where_it_is() {
    let mut run = hops(1, 0);
    assert_eq!((run.until_quiet(), run.now()), (Stop::Reached, START));
    assert_eq!(run.step(), None);
}

#[test]
fn the_world_can_finish_early() {
    let mut run = hops(1, 3);
    run.world.hops_max = 10;
    assert_eq!(run.until(Time::MAX), Stop::Finished);
    assert_eq!(run.events(), 10);
}

#[test]
fn runaways_are_stopped() {
    let mut run = hops(1, 3).with_limits(Limits { events_max: 1000, ..Limits::default() });
    assert_eq!((run.until_quiet(), run.events()), (Stop::TooManyEvents, 1000));

    let mut run = hops(1, 3).with_limits(Limits { events_per_instant_max: 50, ..Limits::default() });
    run.queue.at(START + Span::secs(1), Phase::Act, Event::Stall);
    assert_eq!((run.until_quiet(), run.now()), (Stop::TimeStoodStill, START + Span::secs(1)));
}

#[test]
fn the_first_event_that_differs_is_found() {
    let end = START + Span::hours(2);
    let (left, mut right) = (hops(1, 5), hops(1, 5));
    assert_eq!(bisect(left.clone(), right.clone(), end), None);
    right.world.fault_after = Some(31_234);
    let found = bisect(left, right, end).expect("the runs differ");
    assert_eq!(found.events_before, 31_233);
    let [left, right] = [found.left, found.right].map(|step| step.expect("neither run is at its end"));
    assert_eq!((left.time, left.event), (right.time, right.event));
    assert_ne!(left.digest, right.digest);
}

#[test]
fn a_run_that_ends_before_the_other_differs_at_its_end() {
    let (left, mut right) = (hops(1, 5), hops(1, 5));
    right.world.hops_max = 2_500;
    let found = bisect(left, right, START + Span::mins(20)).expect("the runs differ");
    assert_eq!((found.events_before, found.right), (2_500, None));
}

proptest! {
    #[test]
    fn equal_runs_have_equal_histories(seed: u64, tokens in 0_u64..10, secs in 0_u64..100) {
        let [left, right] = [(), ()].map(|()| {
            let mut run = hops(seed, tokens);
            run.until(START + Span::secs(secs));
            run.history()
        });
        prop_assert_eq!(left, right);
    }

    /// A run that is cut into pieces, or forked on the way, is the same run.
    #[test]
    fn pieces_and_forks_make_no_difference(seed: u64, cuts in prop::collection::vec(0_u64..5_000, 0..20)) {
        let mut run = hops(seed, 7);
        let mut fork = run.clone();
        for cut in &cuts {
            let end = run.now() + Span::millis(*cut);
            run.until(end);
            fork = fork.clone();
            while fork.queue.peek_time().is_some_and(|next| next <= end) {
                fork.step();
            }
        }
        let mut whole = hops(seed, 7);
        run.until(run.now());
        whole.until(run.now());
        fork.until(run.now());
        prop_assert_eq!(whole.history(), run.history());
        prop_assert_eq!(whole.history(), fork.history());
    }

    #[test]
    fn other_seeds_are_other_runs(seed: u64) {
        let digests = [seed, seed ^ 1].map(|seed| {
            let mut run = hops(seed, 7);
            run.until(START + Span::secs(60));
            run.digest
        });
        prop_assert_ne!(digests[0], digests[1]);
    }
}
