//! What a namespace's conditions say about its deletion.
//!
//! Upstream: `pkg/controller/namespace/deletion/status_condition_utils.go`.

use api::{Condition, ConditionStatus, NamespaceStatus};
use base::{Name, Time};

use super::content::Content;

/// Type, and the reason and message when all is well.
const ALL: [(&str, &str, &str); 5] = [
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (CONTENT_FAILURE, "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
    (CONTENT_REMAINING, "ContentRemoved", "All content successfully removed"),
    (FINALIZERS_REMAINING, "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
];
const CONTENT_FAILURE: &str = "NamespaceDeletionContentFailure";
const CONTENT_REMAINING: &str = "NamespaceContentRemaining";
const FINALIZERS_REMAINING: &str = "NamespaceFinalizersRemaining";

/// Brings the conditions up to date; whether that changes any. Upstream: `updateConditions`.
pub(super) fn update(status: &mut NamespaceStatus, content: &Content, now: Time) -> bool {
    let mut has_changed = false;
    for (kind, reason, message) in ALL {
        let bad = match kind {
            CONTENT_FAILURE => failure(content),
            CONTENT_REMAINING => remaining(content),
            FINALIZERS_REMAINING => finalizers(content),
            _ => None,
        };
        let (state, reason, message) = match bad {
            Some((reason, message)) => (ConditionStatus::True, reason, message),
            None => (ConditionStatus::False, reason, message.into()),
        };
        let new = Condition {
            kind: Name::from_static(kind),
            status: state,
            reason: Name::from_static(reason),
            message: Name::from(message),
            last_transition_time: Some(now.into()),
            ..Condition::default()
        };
        has_changed |= put(&mut status.conditions, new);
    }
    has_changed
}

fn put(conditions: &mut Vec<Condition>, new: Condition) -> bool {
    let Some(old) = conditions.iter_mut().find(|it| it.kind == new.kind) else {
        conditions.push(new);
        return true;
    };
    let says = |it: &Condition| (it.status.clone(), it.reason.clone(), it.message.clone());
    let has_changed = says(old) != says(&new);
    if has_changed {
        let since =
            if old.status == new.status { old.last_transition_time } else { new.last_transition_time };
        *old = Condition { last_transition_time: since, ..new };
    }
    has_changed
}

fn failure(content: &Content) -> Option<(&'static str, String)> {
    let mut failures = content.failures.clone();
    failures.sort();
    let list = failures.join(", ");
    let message = format!("Failed to delete all resource types, {} remaining: {list}", failures.len());
    content.has_failed().then_some(("ContentDeletionFailed", message))
}

fn remaining(content: &Content) -> Option<(&'static str, String)> {
    let tell = |kind: &api::Kind, count| {
        format!("{}.{} has {count} resource instances", kind.plural(), kind.group())
    };
    let list = sorted(content.remaining.iter().map(|(kind, count)| tell(kind, count)));
    list.map(|list| ("SomeResourcesRemain", format!("Some resources are remaining: {list}")))
}

fn finalizers(content: &Content) -> Option<(&'static str, String)> {
    let tell = |(finalizer, count)| format!("{finalizer} in {count} resource instances");
    let list = sorted(content.finalizers.iter().map(tell));
    list.map(|list| ("SomeFinalizersRemain", format!("Some finalizers are remaining: {list}")))
}

fn sorted(lines: impl Iterator<Item = String>) -> Option<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    if lines.is_empty() { None } else { Some(lines.join(", ")) }
}
