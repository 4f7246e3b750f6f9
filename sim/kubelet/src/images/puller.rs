//! When pulls begin: one after the other or beside each other, and only so many a second.
//!
//! The limit of pulls a second is asked when a pull's turn comes, as upstream does: pulls that wait for each other
//! seldom exceed it, while pulls beside each other are refused, and back off.
//!
//! Upstream: `pkg/kubelet/images/{puller,helpers}.go`.

use std::collections::{BTreeMap, VecDeque};

use base::{Handle, Slab, Span, Time};

use super::error::PullError;
use super::registry::Demand;
use crate::bucket::Bucket;
use crate::configuration::Configuration;
use crate::core::Turn;
use crate::input::{Effect, Timer};
use crate::pod::Worker;
use crate::runtime::Order;

/// Of a pull, from the request to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u32);

/// What came of a pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Since its turn came.
    pub(crate) took: Span,
    /// The image's size in bytes.
    pub(crate) result: Result<i64, PullError>,
}

#[derive(Clone, Debug)]
pub(crate) struct Puller {
    /// How many pulls go on at once.
    parallel: usize,
    throttle: Throttle,
    waiting: VecDeque<Waiting>,
    /// By the runtime's number.
    running: BTreeMap<u32, Running>,
    tickets: u32,
    /// When the runtime is asked what has become of them.
    due: Time,
    generation: u32,
    /// What the registries with a limit were told last.
    demand: Option<Demand>,
}

#[derive(Clone, Debug)]
struct Waiting {
    worker: Handle<Worker>,
    ticket: Ticket,
    order: Order,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    worker: Handle<Worker>,
    ticket: Ticket,
    began: Time,
}

/// Pulls per second.
#[derive(Clone, Copy, Debug)]
enum Throttle {
    Open,
    Shut,
    Bucket(Bucket),
}

impl Throttle {
    fn new(per_second: u32, burst: u32) -> Self {
        match (per_second, burst) {
            (0, _) => Self::Open,
            (_, 0) => Self::Shut,
            _ => Self::Bucket(Bucket::per_second(per_second.into(), burst.into())),
        }
    }

    fn lets_through(&mut self, now: Time) -> bool {
        match self {
            Self::Open => true,
            Self::Shut => false,
            Self::Bucket(bucket) => bucket.take(now),
        }
    }
}

impl Puller {
    pub(crate) fn new(configuration: &Configuration) -> Self {
        let parallel = match configuration.max_parallel_image_pulls {
            _ if configuration.pulls_serially() => 1,
            Some(max) => usize::try_from(max).unwrap_or(usize::MAX).max(1),
            None => usize::MAX,
        };
        Self {
            parallel,
            throttle: Throttle::new(configuration.registry_pull_qps, configuration.registry_burst),
            waiting: VecDeque::new(),
            running: BTreeMap::new(),
            tickets: 0,
            due: Time::MAX,
            generation: 0,
            demand: None,
        }
    }

    fn has_room(&self) -> bool {
        self.running.len() < self.parallel
    }
}

impl Turn<'_> {
    /// Asks for a pull on behalf of a worker, which is told its outcome later unless it is refused at once.
    pub(crate) fn request_pull(&mut self, worker: Handle<Worker>, order: Order) -> Result<Ticket, PullError> {
        let puller = &mut self.core.puller;
        puller.tickets = puller.tickets.wrapping_add(1);
        let ticket = Ticket(puller.tickets);
        if !puller.has_room() {
            puller.waiting.push_back(Waiting { worker, ticket, order });
            return Ok(ticket);
        }
        self.begin_pull(Waiting { worker, ticket, order })?;
        self.watch_pulls();
        Ok(ticket)
    }

    fn begin_pull(&mut self, Waiting { worker, ticket, order }: Waiting) -> Result<(), PullError> {
        if !self.core.puller.throttle.lets_through(self.now) {
            return Err(PullError::QpsExceeded);
        }
        let id = self.runtime.begin_pull(self.now, order);
        self.core.puller.running.insert(id, Running { worker, ticket, began: self.now });
        Ok(())
    }

    /// Has the kubelet look again when the next pull is over.
    fn watch_pulls(&mut self) {
        let puller = &mut self.core.puller;
        let due = self.runtime.next_pull();
        let due = if due == Time::MAX { due } else { due.max(self.now) };
        if due != puller.due {
            (puller.due, puller.generation) = (due, puller.generation.wrapping_add(1));
            if due != Time::MAX {
                let generation = puller.generation;
                self.wake_at(due, Timer::Pulls, generation);
            }
        }
        let demand = self.runtime.pull_demand();
        if demand != self.core.puller.demand {
            self.core.puller.demand.clone_from(&demand);
            self.effects.extend(demand.map(Effect::Demand));
        }
    }

    /// What has become of pulls, and of those that began in their place.
    fn settle_pulls(&mut self) -> Vec<(Handle<Worker>, Ticket, Outcome)> {
        let mut ended = Vec::new();
        for it in self.runtime.finished_pulls(self.now) {
            if let Some(running) = self.core.puller.running.remove(&it.id) {
                let outcome = Outcome { took: self.now - running.began, result: it.result };
                ended.push((running.worker, running.ticket, outcome));
            }
        }
        while self.core.puller.has_room()
            && let Some(next) = self.core.puller.waiting.pop_front()
        {
            let (worker, ticket) = (next.worker, next.ticket);
            if let Err(error) = self.begin_pull(next) {
                ended.push((worker, ticket, Outcome { took: Span::ZERO, result: Err(error) }));
            }
        }
        ended
    }
}

/// The timer of the pulls has come, or something about registries is new: those who wait are told what came of theirs.
pub(crate) fn look(pods: &mut Slab<Worker>, turn: &mut Turn<'_>) {
    turn.core.puller.due = Time::MAX;
    loop {
        let ended = turn.settle_pulls();
        if ended.is_empty() {
            break;
        }
        for (worker, ticket, outcome) in ended {
            if let Some(worker) = pods.get_mut(worker) {
                worker.pull_ended(ticket, outcome, turn);
            }
        }
    }
    turn.watch_pulls();
}

impl Puller {
    /// Whether a timer is the one that was set last.
    pub(crate) fn expects(&self, generation: u32) -> bool {
        generation == self.generation && self.due != Time::MAX
    }
}
