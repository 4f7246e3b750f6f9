//! What all pods of a kubelet share: its clocks, its limits, its luck, and the way to the API server.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{EventReporter, EventSource, Request};
use base::{Cause, Handle, Luck, Name, Span, Time};

use crate::admission::Room;
use crate::beat::Beat;
use crate::bucket::Bucket;
use crate::constants::{HOUSEKEEPING, RELIST, STATUS_SYNC, SYNC_TICK};
use crate::eviction::Pressures;
use crate::images::{Collector, Lister, Puller};
use crate::input::{Effect, RequestId, Start, Timer, Token};
use crate::phrases::Phrases;
use crate::pod::Worker;
use crate::reporter::Reporter;
use crate::rounds::Rounds;
use crate::runtime::Runtime;
use crate::setup::Setup;
use crate::volumes::Volumes;

#[derive(Clone, Debug)]
pub(crate) struct Core {
    pub(crate) setup: Arc<Setup>,
    pub(crate) run: u16,
    pub(crate) start: Start,
    pub(crate) started: Time,
    /// Tells this boot of the machine from others.
    pub(crate) boot_id: String,
    /// Whether what is periodic is simulated instead of being computed.
    pub(crate) one_by_one: bool,
    /// When the runtime is listed: its changes are noticed at these moments only.
    pub(crate) relist: Beat,
    /// When retries are picked up.
    pub(crate) tick: Beat,
    pub(crate) housekeeping: Beat,
    pub(crate) status_sync: Beat,
    /// When the node's status is worked out.
    pub(crate) node_status: Beat,
    /// The machine is about to go off: no pod is taken in any more.
    pub(crate) is_shutting_down: bool,
    pub(crate) room: Room,
    /// What the node runs short of.
    pub(crate) pressures: Pressures,
    pub(crate) luck: Luck,
    pub(crate) reporter: Reporter,
    /// As whom it tells of what happens.
    pub(crate) event_reporter: Arc<EventReporter>,
    pub(crate) rounds: Rounds,
    pub(crate) phrases: Phrases,
    pub(crate) puller: Puller,
    pub(crate) lister: Lister,
    pub(crate) collector: Collector,
    pub(crate) volumes: Volumes,
    requests: Bucket,
    events: Bucket,
    next_request: u32,
    /// Which pods wait for the objects that they asked for.
    asked: BTreeMap<RequestId, Handle<Worker>>,
}

/// One turn of a kubelet: the moment, and what it may touch beside its own state.
pub(crate) struct Turn<'a> {
    pub(crate) now: Time,
    pub(crate) core: &'a mut Core,
    pub(crate) runtime: &'a mut Runtime,
    pub(crate) effects: &'a mut Vec<Effect>,
}

impl Core {
    pub(crate) fn new(setup: Arc<Setup>, run: u16, luck: Luck) -> Self {
        let still = Beat { first: Time::MAX, period: RELIST };
        let configuration = Arc::clone(&setup.configuration);
        Self {
            room: Room::new(setup.allocatable()),
            pressures: Pressures::default(),
            puller: Puller::new(&setup.configuration),
            lister: Lister::default(),
            collector: Collector::default(),
            volumes: Volumes::default(),
            event_reporter: Arc::new(event_reporter(&setup.name)),
            setup,
            run,
            start: Start::Settled,
            started: Time::MAX,
            boot_id: String::new(),
            one_by_one: false,
            relist: still,
            tick: still,
            housekeeping: still,
            status_sync: still,
            node_status: still,
            is_shutting_down: false,
            luck,
            reporter: Reporter::default(),
            rounds: Rounds::default(),
            phrases: Phrases::default(),
            requests: configuration.requests(),
            events: configuration.events(),
            next_request: 0,
            asked: BTreeMap::new(),
        }
    }

    /// Sets the clocks. A kubelet that starts takes up to a second until it looks after pods; one that has been
    /// running is somewhere between two ticks.
    pub(crate) fn set_clocks(&mut self, now: Time, start: Start) {
        let offset = RELIST.scale(self.luck.unit(Luck::of_text(&self.setup.name), u64::from(self.run)));
        let first = match start {
            Start::Settled => now.before(offset),
            Start::Booted | Start::Restarted => now + offset,
        };
        (self.start, self.started) = (start, now);
        self.relist = Beat { first, period: RELIST };
        self.tick = Beat { first, period: SYNC_TICK };
        self.housekeeping = Beat { first, period: HOUSEKEEPING };
        self.status_sync = Beat { first, period: STATUS_SYNC };
        let period = self.setup.configuration.node_status_update_frequency.span_or_zero();
        self.node_status = Beat { first: now, period };
    }

    /// When a worker that last finished at `last_sync` sees the runtime as it was after that. Upstream makes each
    /// sync wait for a list of the runtime that is newer than the last sync.
    pub(crate) fn fresh(&self, now: Time, last_sync: Time) -> Time {
        match self.relist.last(now) {
            Some(listed) if last_sync < listed => now,
            Some(_) | None => self.relist.after(now),
        }
    }

    pub(crate) fn token(&self, timer: Timer, generation: u32) -> Token {
        Token { run: self.run, generation, timer }
    }

    /// Whose request for an object was answered.
    pub(crate) fn asker(&mut self, id: RequestId) -> Option<Handle<Worker>> {
        self.asked.remove(&id)
    }

    fn next_id(&mut self) -> RequestId {
        self.next_request = self.next_request.wrapping_add(1).max(1);
        RequestId { run: self.run, number: self.next_request }
    }
}

impl Turn<'_> {
    /// Sends a request as soon as the rate limit allows.
    pub(crate) fn send(&mut self, request: Request, cause: Cause) -> RequestId {
        let at = self.core.requests.reserve(self.now);
        self.send_at(at, request, cause)
    }

    /// Asks for an object that a pod waits for, beside the rate limit: upstream hears of these by watching.
    pub(crate) fn ask(&mut self, request: Request, pod: Handle<Worker>, cause: Cause) -> RequestId {
        let id = self.send_at(self.now, request, cause);
        self.core.asked.insert(id, pod);
        id
    }

    /// Sends a sign of life, which no rate limit holds up. Upstream: `HeartbeatClient`.
    pub(crate) fn send_heartbeat(&mut self, request: Request) -> RequestId {
        self.send_at(self.now, request, Cause::NONE)
    }

    fn send_at(&mut self, at: Time, request: Request, cause: Cause) -> RequestId {
        let id = self.core.next_id();
        self.effects.push(Effect::Send { id, at, request, cause });
        id
    }

    /// Sends an event, under the limit that events have for themselves. Nobody waits for the answer.
    pub(crate) fn send_event(&mut self, request: Request, cause: Cause) {
        let at = self.core.events.reserve(self.now);
        let id = RequestId { run: self.core.run, number: 0 };
        self.effects.push(Effect::Send { id, at, request, cause });
    }

    pub(crate) fn wake_at(&mut self, at: Time, timer: Timer, generation: u32) {
        let token = self.core.token(timer, generation);
        self.effects.push(Effect::WakeAt(at, token));
    }

    /// Has the pod's status written, now or when those before it have been.
    pub(crate) fn report(&mut self, pod: Handle<Worker>) {
        self.core.reporter.push(pod);
    }

    /// What the node's clock shows.
    pub(crate) fn shown(&self) -> Time {
        self.runtime.clock().shown(self.now)
    }

    /// `span`, up to `factor` longer, by the luck of `entity`.
    pub(crate) fn jitter(&self, span: Span, factor: f64, entity: u64, n: u64) -> Span {
        span.scale(1.0 + factor * self.core.luck.unit(entity, n))
    }
}

fn event_reporter(node: &Name) -> EventReporter {
    let component = Name::from_static("kubelet");
    EventReporter {
        reporting_controller: component.clone(),
        reporting_instance: node.clone(),
        source: EventSource { component, host: node.clone(), ..EventSource::default() },
    }
}
