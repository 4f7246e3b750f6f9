//! How many pods a set has, and in what state.

use std::sync::Arc;

use api::{Labels, Pod, ReplicaSet, Selector};
use base::{Span, Time};
use client::View;

/// The active pods of a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) active: usize,
    /// With the labels of the template.
    pub(super) fully_labeled: usize,
    pub(super) ready: usize,
    /// Ready for long enough.
    pub(super) available: usize,
}

impl Counts {
    pub(super) fn of(set: &ReplicaSet, active: &[Arc<Pod>], now: Time) -> Self {
        let template = Selector::from_labels(&set.spec.template.meta.labels);
        let (mut template, min_ready) = (template.matcher(), set.min_ready());
        let mut counts = Self { active: active.len(), ..Self::default() };
        for pod in active {
            counts.fully_labeled += usize::from(template.matches(&pod.meta.labels));
            if pod.is_ready() {
                counts.ready += 1;
                counts.available += usize::from(pod.is_available(min_ready, now));
            }
        }
        counts
    }

    /// Without a look at any pod. `None` where some must be looked at: those that may be adopted, are to be released or are
    /// too many, and those that become available later than ready.
    pub(super) fn at_a_glance(set: &ReplicaSet, selector: &Selector, view: &View) -> Option<Self> {
        let tally = view.tally(set.meta.uid);
        let is_simple = set.min_ready() == Span::ZERO
            && i32::try_from(tally.active()).is_ok_and(|it| it <= set.replicas())
            && tally.labels().iter().all(|(labels, _)| selector.matches(labels))
            && view.orphans_in::<Pod>(&set.meta.namespace).next().is_none();
        let template = Selector::from_labels(&set.spec.template.meta.labels);
        let is_labeled = |it: &&(Labels, usize)| template.matches(&it.0);
        is_simple.then(|| Self {
            active: tally.active(),
            fully_labeled: tally.labels().iter().filter(is_labeled).map(|it| it.1).sum(),
            ready: tally.ready(),
            available: tally.ready(),
        })
    }
}
