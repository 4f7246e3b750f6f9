//! A request on its way, and what its answer means.

use api::{Key, Reason, Request, Response, Status, Subresource};

use super::is_terminating;
use crate::plan::Write;

/// What a request that was sent belongs to.
#[derive(Clone, Debug)]
pub(super) enum Flight {
    /// A write of the work on `key`.
    Write {
        key: Key,
        write: Box<Write>,
    },
    /// The object is read again, since `write` failed.
    Reread {
        key: Key,
        write: Box<Write>,
    },
    Event,
}

/// What the answer to a write means to the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome<'a> {
    Done,
    /// What should go was gone already.
    Gone,
    /// The namespace goes, so that nothing can be created, and nobody minds.
    Pointless,
    /// The object is to be read again.
    Reread,
    Failed(&'a Status),
}

impl<'a> Outcome<'a> {
    pub(super) fn of(write: &Write, response: &'a Response) -> Self {
        let Err(status) = response else { return Self::Done };
        let is_create = matches!(write.request, Request::Create { .. });
        let is_status = matches!(write.request, Request::Update { sub: Subresource::Status, .. });
        if is_create && is_terminating(status) {
            Self::Pointless
        } else if write.may_be_gone && status.reason == Reason::NotFound {
            Self::Gone
        } else if is_status && 0 < write.conflict_retries {
            Self::Reread
        } else {
            Self::Failed(status)
        }
    }
}
