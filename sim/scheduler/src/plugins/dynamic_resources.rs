//! Gives pods the devices that their resource claims ask for.
//!
//! Upstream: `pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go`.

use base::Name;

use crate::cycle::FailedAttempt;
use crate::framework::{Code, Plugin, PostFilter};
use crate::preemption::Nominate;

const NAME: &str = "DynamicResources";

#[derive(Clone, Copy, Debug)]
pub struct DynamicResources;

impl Plugin for DynamicResources {
    fn name(&self) -> &'static str {
        NAME
    }

    fn post_filter(&self, failed: &FailedAttempt<'_>) -> Option<PostFilter> {
        // Upstream looks for the state of its PreFilter, and fails where that was not run.
        let (code, reason) = match failed.has_prepared(NAME) {
            true => (Code::Unschedulable, "no new claims to deallocate"),
            false => (Code::Error, "not found"),
        };
        Some(PostFilter { code, reasons: vec![Name::from_static(reason)], nominate: Nominate::Keep })
    }
}
