//! The shape of a control loop: what wakes it, and what it wants.

use std::fmt;
use std::sync::Arc;

use api::{Key, Kind, Request, Response, Status};
use base::{Span, Time};

use crate::aspects::Aspects;
use crate::change::Change;
use crate::plan::{Plan, Step};
use crate::view::View;
use crate::work_queue::BackOff;

/// One control loop, driven by a work queue of keys.
pub trait Controller: Send + Sync {
    /// As it appears in events and audit logs: `deployment-controller`.
    fn name(&self) -> &'static str;

    /// How many keys it works on at a time.
    fn workers(&self) -> usize;

    /// The kinds that its informers watch, and what of their changes can concern it at all.
    fn watches(&self) -> &'static [(Kind, Aspects)];

    /// The keys to reconcile because of `change`, which `view` already contains.
    fn wakes(&self, change: &Change, view: &View, wakes: &mut Wakes);

    /// The kind of the keys, and of the children whose coming and going it tracks by expectations, if it does.
    fn expects(&self) -> Option<(Kind, Kind)> {
        None
    }

    /// How long a key that failed waits.
    fn back_off(&self) -> BackOff {
        BackOff::default()
    }

    /// How often in a row a key is tried again before it is dropped until something changes; `None` means always.
    fn max_retries(&self) -> Option<u32> {
        None
    }

    /// Compares what should be with what is, and plans the difference.
    ///
    /// Must depend on nothing but its arguments and `self`'s settings.
    fn reconcile(&self, context: &Context<'_>, key: &Key) -> Plan;

    /// A write of the plan has failed, as the first one: a chance to change what comes after it, such as the condition
    /// of a status that tells of it.
    fn revise(&self, _failure: &Status, _failed: &Request, _rest: &mut [Step]) {}
}

/// What a [`ControlLoop`](crate::ControlLoop) drives: any [`Controller`], or one that remembers what it saw, where
/// upstream does so too, or where working it out anew each time would cost too much.
pub trait Reconciler {
    fn name(&self) -> &'static str;

    fn workers(&self) -> usize;

    /// The kinds that its informers watch, and what of their changes can concern it at all.
    fn watches(&self) -> &'static [(Kind, Aspects)];

    fn wakes(&mut self, now: Time, change: &Change, view: &View, wakes: &mut Wakes);

    fn expects(&self) -> Option<(Kind, Kind)> {
        None
    }

    fn back_off(&self) -> BackOff {
        BackOff::default()
    }

    fn max_retries(&self) -> Option<u32> {
        None
    }

    fn reconcile(&mut self, context: &Context<'_>, key: &Key) -> Plan;

    /// A write of the work on `key` was answered.
    fn answered(&mut self, _now: Time, _key: &Key, _request: &Request, _response: &Response) {}

    fn revise(&mut self, _failure: &Status, _failed: &Request, _rest: &mut [Step]) {}
}

impl<C: Controller + ?Sized> Reconciler for Arc<C> {
    fn name(&self) -> &'static str {
        self.as_ref().name()
    }

    fn workers(&self) -> usize {
        self.as_ref().workers()
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        self.as_ref().watches()
    }

    fn wakes(&mut self, _now: Time, change: &Change, view: &View, wakes: &mut Wakes) {
        self.as_ref().wakes(change, view, wakes);
    }

    fn expects(&self) -> Option<(Kind, Kind)> {
        self.as_ref().expects()
    }

    fn back_off(&self) -> BackOff {
        self.as_ref().back_off()
    }

    fn max_retries(&self) -> Option<u32> {
        self.as_ref().max_retries()
    }

    fn reconcile(&mut self, context: &Context<'_>, key: &Key) -> Plan {
        self.as_ref().reconcile(context, key)
    }

    fn revise(&mut self, failure: &Status, failed: &Request, rest: &mut [Step]) {
        self.as_ref().revise(failure, failed, rest);
    }
}

impl fmt::Debug for dyn Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a reconcile sees.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub now: Time,
    pub view: &'a View,
    /// Whether everything that was asked for has been seen, so that counts in the view can be trusted.
    /// Upstream: `SatisfiedExpectations`.
    pub settled: bool,
}

/// Keys to reconcile: at once, or after a while.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wakes(pub Vec<(Key, Span)>);

impl Wakes {
    pub fn now(&mut self, key: Key) {
        self.0.push((key, Span::ZERO));
    }

    pub fn after(&mut self, key: Key, span: Span) {
        self.0.push((key, span));
    }
}
