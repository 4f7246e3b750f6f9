//! The lease of the kubelet's node: taken when the node is registered, and renewed from then on. The renewals are not
//! written one by one: the lease carries the promise, and whoever reads it computes when it was renewed last.
//!
//! Upstream: `component-helpers/apimachinery/lease/controller.go`.

use api::{
    Heartbeat, Key, Kind, Lease, LeaseSpec, Meta, Object, OwnerReference, Reason, Request, Response,
    Subresource, Uid,
};
use base::{Luck, Name, Span, Time};

use crate::constants::LEASE_JITTER;
use crate::core::Turn;
use crate::input::{RequestId, Start};
use crate::runtime::Clock;
use crate::ticks::{self, Tick};

const LEASE_NAMESPACE: Name = Name::from_static("kube-node-lease");

/// What the kubelet has promised, and what it has asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keeper {
    asked: Option<(RequestId, Asked)>,
    /// `None` until the lease has been asked for.
    heartbeat: Option<Heartbeat>,
    /// When it was renewed last, where that is simulated.
    renewed: Option<Time>,
    /// By the clock that the promise was made.
    clock: Clock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Create,
    Read,
    Update,
}

/// What comes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on, or is well.
    Fine,
    /// It is to be taken once more, after a while.
    Failed,
}

impl Keeper {
    pub(crate) fn is_mine(&self, id: RequestId) -> bool {
        self.asked.is_some_and(|it| it.0 == id)
    }

    /// Whether there is neither a promise nor a request for it.
    pub(crate) fn is_idle(&self) -> bool {
        self.heartbeat.is_none() && self.asked.is_none()
    }

    /// Takes the lease of the node `uid`. A kubelet that has been running for long is the first to do so.
    pub(crate) fn take(&mut self, uid: Uid, turn: &mut Turn<'_>) {
        match turn.core.start {
            Start::Settled => self.write(None, uid, turn),
            Start::Booted | Start::Restarted => self.read(turn),
        }
    }

    /// The kubelet has not been able to renew it for a while, or its clock was set: it is renewed now.
    pub(crate) fn resume(&mut self, turn: &mut Turn<'_>) {
        if self.heartbeat.is_some() && self.asked.is_none() {
            self.heartbeat = None;
            self.read(turn);
        }
    }

    fn read(&mut self, turn: &mut Turn<'_>) {
        let key = Key::new(Kind::Lease, LEASE_NAMESPACE, turn.core.setup.name.clone());
        self.asked = Some((turn.send_heartbeat(Request::Get { key }), Asked::Read));
    }

    /// Writes it with the promise to renew it from now on: anew, or over the one that is there.
    fn write(&mut self, there: Option<&Lease>, uid: Uid, turn: &mut Turn<'_>) {
        let heartbeat = Heartbeat { first: turn.now, period: period(turn) };
        self.clock = turn.runtime.clock();
        let setup = &turn.core.setup;
        let seconds = setup.configuration.node_lease_duration_seconds;
        let mut lease = lease(&setup.name, uid, seconds, turn.now, self.clock);
        lease.heartbeat = Some(heartbeat);
        let (request, asked) = match there {
            None => (Request::Create { object: Object::new(lease) }, Asked::Create),
            Some(there) => {
                lease.meta = there.meta.clone();
                (Request::Update { object: Object::new(lease), sub: Subresource::Main }, Asked::Update)
            }
        };
        self.heartbeat = Some(heartbeat);
        if turn.core.one_by_one {
            self.renewed = Some(turn.now);
            ticks::arm(Tick::Lease, turn.now + heartbeat.period, turn);
        }
        self.asked = Some((turn.send_heartbeat(request), asked));
    }

    /// The answer to what it asked for, about the lease of the node `uid`. Upstream: `ensureLease`, `retryUpdateLease`.
    pub(crate) fn answer(&mut self, response: &Response, uid: Uid, turn: &mut Turn<'_>) -> Outcome {
        let Some((_, asked)) = self.asked.take() else { return Outcome::Fine };
        match (asked, response) {
            (Asked::Read, Ok(answer)) => {
                let there = answer.object().and_then(Object::get::<Lease>).cloned();
                self.write(there.as_deref(), uid, turn);
            }
            (Asked::Create | Asked::Update, Ok(_)) => (),
            (Asked::Read, Err(status)) if status.reason == Reason::NotFound => self.write(None, uid, turn),
            (Asked::Create, Err(status)) if status.reason == Reason::AlreadyExists => self.read(turn),
            (Asked::Create | Asked::Read | Asked::Update, Err(_)) => {
                self.heartbeat = None;
                return Outcome::Failed;
            }
        }
        Outcome::Fine
    }

    /// The lease as it stands when the kubelet falls silent at `now`: renewed last, and no more.
    pub(crate) fn last(&self, name: &Name, uid: Uid, seconds: i32, now: Time) -> Option<Lease> {
        let computed = self.heartbeat?.last(now)?;
        Some(lease(name, uid, seconds, self.renewed.unwrap_or(computed), self.clock))
    }

    /// Renews it, where that is simulated: the promise that readers compute from is kept. When it is to be renewed next;
    /// `None` if another promise took the place of that one.
    pub(crate) fn renew(&mut self, now: Time) -> Option<Time> {
        let heartbeat = self.heartbeat.filter(|it| it.last(now) == Some(now))?;
        self.renewed = Some(now);
        Some(now + heartbeat.period)
    }
}

/// From one renewal to the next: a quarter of the lease's duration, and a little more by the luck of the node.
fn period(turn: &Turn<'_>) -> Span {
    let duration = Span::from_api_secs(i64::from(turn.core.setup.configuration.node_lease_duration_seconds));
    let entity = Luck::of_text(&turn.core.setup.name);
    turn.jitter(duration.scale(0.25), LEASE_JITTER, entity, u64::MAX)
}

fn lease(name: &Name, node: Uid, seconds: i32, renewed: Time, clock: Clock) -> Lease {
    let owner = OwnerReference {
        api_version: Name::from_static("v1"),
        kind: Kind::Node.name(),
        name: name.clone(),
        uid: node,
        ..OwnerReference::default()
    };
    Lease {
        meta: Meta {
            name: name.clone(),
            namespace: LEASE_NAMESPACE,
            owner_references: [owner].into(),
            ..Meta::default()
        },
        spec: LeaseSpec {
            holder_identity: Some(name.clone()),
            lease_duration_seconds: Some(seconds),
            renew_time: Some(clock.shown(renewed).into()),
            ..LeaseSpec::default()
        },
        skew_nanos: clock.skew_nanos,
        ..Lease::default()
    }
}
