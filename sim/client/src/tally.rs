//! Counts of what an owner controls, kept up to date by each change: nobody has to look at 150,000 pods to count them.

use api::{Labels, Pod};

/// The pods that one owner controls, as far as they are active: neither finished nor on their way out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    active: usize,
    ready: usize,
    /// The different labels that they have, and how many have each. Pods of one template share theirs.
    labels: Vec<(Labels, usize)>,
}

impl Tally {
    pub(crate) const NONE: &Self = &Self { active: 0, ready: 0, labels: Vec::new() };

    pub fn active(&self) -> usize {
        self.active
    }

    /// Of the active ones.
    pub fn ready(&self) -> usize {
        self.ready
    }

    /// The different labels that active pods have, and how many have each; in no order that means anything.
    pub fn labels(&self) -> &[(Labels, usize)] {
        &self.labels
    }

    /// Whether it counts both the same.
    pub(crate) fn is_blind_to(old: &Pod, new: &Pod) -> bool {
        let is_active = old.is_active();
        is_active == new.is_active()
            && (!is_active
                || (old.is_ready() == new.is_ready() && is_equal(&old.meta.labels, &new.meta.labels)))
    }

    pub(crate) fn add(&mut self, pod: &Pod) {
        if !pod.is_active() {
            return;
        }
        self.active += 1;
        self.ready += usize::from(pod.is_ready());
        match self.labels.iter_mut().find(|it| is_equal(&it.0, &pod.meta.labels)) {
            Some((_, count)) => *count += 1,
            None => self.labels.push((pod.meta.labels.clone(), 1)),
        }
    }

    /// Takes off a pod that was added as it is.
    pub(crate) fn remove(&mut self, pod: &Pod) {
        if !pod.is_active() {
            return;
        }
        self.active -= 1;
        self.ready -= usize::from(pod.is_ready());
        let position = self.labels.iter().position(|it| is_equal(&it.0, &pod.meta.labels));
        let position = position.expect("a pod that is taken off was added before");
        self.labels[position].1 -= 1;
        if self.labels[position].1 == 0 {
            self.labels.swap_remove(position);
        }
    }
}

fn is_equal(left: &Labels, right: &Labels) -> bool {
    left.is_same(right) || left == right
}
