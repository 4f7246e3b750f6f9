//! The revision that pods are to have, and the one that they had so far.
//!
//! Upstream: `getStatefulSetRevisions`, `truncateHistory` in `pkg/controller/statefulset/stateful_set_control.go`.

use std::sync::Arc;

use api::{ControllerRevision, DeleteOptions, Pod, PodTemplate, Request, Resource, StatefulSet};
use base::Name;
use client::{View, Write};

use super::identity::revision_of;
use crate::history::{new_revision, next_revision, renumber, template_of, template_patch};

#[derive(Debug)]
pub(super) struct Revisions {
    /// The one that pods had before the update under way; the same if there is none.
    pub(super) current: Arc<ControllerRevision>,
    /// That of the set's own template.
    pub(super) update: Arc<ControllerRevision>,
    pub(super) collisions: i32,
    /// Creates the revision, or gives one that comes back a new number.
    pub(super) write: Option<Write>,
}

/// `sorted` are the revisions that there are, oldest first.
pub(super) fn get_revisions(view: &View, set: &StatefulSet, sorted: &[Arc<ControllerRevision>]) -> Revisions {
    let mut collisions = set.status.collision_count.unwrap_or(0);
    let data = template_patch(&set.spec.template);
    let next = next_revision(sorted);
    let (update, write) = match sorted.iter().rposition(|it| *it.data == data) {
        Some(idx) if idx + 1 == sorted.len() => (sorted[idx].clone(), None),
        Some(idx) => {
            let mut revision = sorted[idx].clone();
            let write = renumber(&mut revision, next);
            (revision, write)
        }
        None => {
            let labels = &set.spec.template.meta.labels;
            let revision = Arc::new(new_revision(view, set, labels, data, next, &mut collisions));
            (revision.clone(), Some(Write::create(revision.into_object())))
        }
    };
    let current = sorted.iter().find(|it| it.meta.name == set.status.current_revision);
    Revisions { current: current.unwrap_or(&update).clone(), update, collisions, write }
}

impl Revisions {
    /// The template of a revision; shared with the set where that is its own.
    pub(super) fn template(&self, set: &StatefulSet, revision: &Name) -> Arc<PodTemplate> {
        if *revision == self.update.meta.name {
            set.spec.template.clone()
        } else {
            template_of(&self.current)
        }
    }

    /// Deletes the oldest revisions that nobody uses, beyond the limit.
    pub(super) fn truncate_history(
        &self,
        set: &StatefulSet,
        sorted: &[Arc<ControllerRevision>],
        pods: &[Arc<Pod>],
    ) -> Vec<Write> {
        let is_live = |name: &Name| {
            *name == self.current.meta.name
                || *name == self.update.meta.name
                || pods.iter().any(|pod| revision_of(pod) == name.as_str())
        };
        let history: Vec<_> = sorted.iter().filter(|it| !is_live(&it.meta.name)).collect();
        let limit = usize::try_from(set.spec.revision_history_limit.unwrap_or(10)).unwrap_or(usize::MAX);
        let excess = history.len().saturating_sub(limit);
        let delete = |key| Write::new(Request::Delete { key, options: DeleteOptions::default() });
        history[..excess].iter().map(|it| delete(it.key()).may_be_gone()).collect()
    }
}
