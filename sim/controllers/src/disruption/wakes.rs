//! Which budgets a change concerns.

use api::{LabelSelector, Pod, PodDisruptionBudget, Resource};
use client::{Change, View, Wakes};

use super::stale::announcement;

pub(super) fn wakes(change: &Change, view: &View, wakes: &mut Wakes) {
    if let Some(budget) = change.get::<PodDisruptionBudget>() {
        return wakes.now(budget.key());
    }
    let Some(pod) = change.get::<Pod>() else { return };
    let old = if change.is_gone() { None } else { change.old::<Pod>() };
    if old.is_none_or(|old| may_matter(old, pod)) {
        wake_budgets(pod, view, wakes);
    }
    if !change.is_gone() && announcement(pod).is_some() && old.is_none_or(|old| announcement(old).is_none()) {
        wakes.now(pod.key());
    }
}

/// Upstream looks at budgets at any change of a pod; here, only at one that their counts depend on.
fn may_matter(old: &Pod, new: &Pod) -> bool {
    old.is_ready() != new.is_ready()
        || old.is_deleting() != new.is_deleting()
        || old.meta.labels != new.meta.labels
        || old.meta.controller() != new.meta.controller()
}

/// Where several budgets select a pod, upstream wakes any one of them, and warns; here, all are woken.
fn wake_budgets(pod: &Pod, view: &View, wakes: &mut Wakes) {
    for budget in view.list_in::<PodDisruptionBudget>(&pod.meta.namespace) {
        let selector = budget.spec.selector.as_ref().map(LabelSelector::compile);
        if selector.is_some_and(|it| it.is_ok_and(|it| it.matches(&pod.meta.labels))) {
            wakes.now(budget.key());
        }
    }
}
