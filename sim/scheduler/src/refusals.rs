//! The refusals that were met for a template, each of them once, so that a node's is a small number.

use std::collections::BTreeMap;

use crate::diagnosis::Refusal;
use crate::framework::Code;

/// Counted from 1; 0 is no refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RefusalId(u32);

impl RefusalId {
    /// No refusal: the node would do.
    pub(crate) const PASS: Self = Self(0);
    /// Nobody was asked yet.
    pub(crate) const UNKNOWN: Self = Self(u32::MAX);
}

#[derive(Default)]
pub(crate) struct Refusals {
    list: Vec<Refusal>,
    ids: BTreeMap<Refusal, RefusalId>,
    last: RefusalId,
    /// Whether there is an error among them.
    with_errors: bool,
}

impl Refusals {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether a filter has ever failed instead of answering.
    pub(crate) fn has_errors(&self) -> bool {
        self.with_errors
    }

    pub(crate) fn id(&mut self, refusal: Refusal) -> RefusalId {
        if self.get(self.last).is_some_and(|it| it.is_surely(&refusal) || *it == refusal) {
            return self.last;
        }
        let next = RefusalId(u32::try_from(self.list.len() + 1).expect("refusals are limited"));
        self.last = *self.ids.entry(refusal.clone()).or_insert(next);
        if self.last == next {
            self.with_errors |= refusal.rejection.code == Code::Error;
            self.list.push(refusal);
        }
        self.last
    }

    pub(crate) fn get(&self, id: RefusalId) -> Option<&Refusal> {
        self.list.get((id.0 as usize).checked_sub(1)?)
    }
}
