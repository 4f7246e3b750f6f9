//! Finds the first event that differs between two runs that should have been the same.

use base::{Digest, Time};

use super::checkpoint::first_difference;
use super::{Run, World};

/// Where two runs part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence<E> {
    /// How many events are the same in both; the next is not.
    pub events_before: u64,
    /// `None` if the run had come to its end.
    pub left: Option<Step<E>>,
    pub right: Option<Step<E>>,
}

/// One event of a run and what it left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<E> {
    pub time: Time,
    pub event: E,
    /// After the event.
    pub digest: Digest,
}

/// The first event up to `end` at which two runs, both at their start, differ; `None` if they do not.
///
/// Runs each to `end` and compares the histories; then runs each again to the last moment at which they agree,
/// and from there event by event.
pub fn bisect<W>(mut left: Run<W>, mut right: Run<W>, end: Time) -> Option<Divergence<W::Event>>
where
    W: World + Clone,
    W::Event: PartialEq,
{
    let [left_history, right_history] = [&left, &right].map(|run| {
        let mut rehearsal = run.clone();
        rehearsal.handle_until(end);
        rehearsal.history()
    });
    let interval = first_difference(&left_history, &right_history)?;
    let same = interval.same.map_or(0, |same| same.events);
    for run in [&mut left, &mut right] {
        while run.events() < same && run.handle_next(end).is_some() {}
    }
    loop {
        let events_before = left.events();
        let (left, right) = (step(&mut left, end), step(&mut right, end));
        if left != right {
            return Some(Divergence { events_before, left, right });
        }
        left?;
    }
}

fn step<W: World>(run: &mut Run<W>, end: Time) -> Option<Step<W::Event>> {
    if run.stop().is_some() {
        return None;
    }
    let event = run.handle_next(end)?;
    Some(Step { time: run.now(), event, digest: run.digest })
}
