//! Remembers what became of a spec, so that thousands of pods of one template share one admitted spec.

use std::sync::Arc;

use api::{Kind, Labels, List, Meta, OwnerReference, Pod, PodSpec};
use base::{Lookup, Name};

use super::limit_ranger::ANNOTATION;
use crate::strategy;

/// Fewer entries than this are never looked through for old ones.
const PRUNE_AT_LEAST: usize = 1_024;

/// Admitted and validated specs, by the spec that came in and the namespace.
///
/// A spec is known by its address. It cannot be another one's meanwhile, since it is held here. What is remembered
/// equals what would be worked out again, so addresses decide nothing but the time it takes.
#[derive(Clone, Debug)]
pub(crate) struct AdmittedSpecs {
    entries: Vec<(Key, Entry)>,
    positions: Lookup<Key, usize>,
    /// How many entries there may be before those that nobody else holds any more go.
    prune_at: usize,
}

/// What becomes of all pods with one spec in one namespace.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    pub(crate) spec: Arc<PodSpec>,
    pub(crate) qos_class: Name,
    /// What LimitRanger wrote on the pod.
    pub(crate) limits_note: Option<Name>,
}

type Key = (usize, Name);

#[derive(Clone, Debug)]
struct Entry {
    input: Arc<PodSpec>,
    /// The labels of the pod that it was worked out for, if the admitted spec depends on them.
    labels: Option<Labels>,
    /// The metadata that was validated last.
    valid: Metadata,
    admitted: Admitted,
}

impl Default for AdmittedSpecs {
    fn default() -> Self {
        Self { entries: Vec::new(), positions: Lookup::new(), prune_at: PRUNE_AT_LEAST }
    }
}

impl AdmittedSpecs {
    /// What is known of pods like this one, which has just come in, and its metadata, if all of it but its name was valid
    /// before.
    pub(crate) fn find(&self, pod: &Pod) -> Option<(&Admitted, Option<&Metadata>)> {
        let position = *self.positions.get(&key(&pod.spec, &pod.meta.namespace))?;
        let entry = &self.entries[position].1;
        let is_alike = entry.labels.as_ref().is_none_or(|it| *it == pod.meta.labels);
        is_alike.then(|| (&entry.admitted, Some(&entry.valid).filter(|it| it.is_of(&pod.meta))))
    }

    /// Remembers that `incoming` was admitted as `pod`.
    pub(crate) fn insert(&mut self, incoming: Incoming, pod: &Pod) {
        if self.prune_at <= self.entries.len() {
            self.prune();
        }
        let key = key(&incoming.spec, &pod.meta.namespace);
        let admitted = Admitted {
            spec: pod.spec.clone(),
            qos_class: pod.status.qos_class.clone(),
            limits_note: pod.meta.annotation(&ANNOTATION).cloned(),
        };
        let Incoming { spec: input, labels, meta: valid } = incoming;
        let entry = Entry { input, labels, valid, admitted };
        match self.positions.get(&key) {
            Some(&position) => self.entries[position].1 = entry,
            None => {
                self.positions.insert(key.clone(), self.entries.len());
                self.entries.push((key, entry));
            }
        }
    }

    /// Forgets everything when something changed that plugins look at.
    pub(crate) fn note_change(&mut self, kind: &Kind) {
        if matches!(kind, Kind::LimitRange | Kind::PriorityClass | Kind::RuntimeClass | Kind::ServiceAccount)
        {
            *self = Self::default();
        }
    }

    /// Drops specs that only we hold: no more pods will come of them.
    fn prune(&mut self) {
        self.entries.retain(|(_, entry)| {
            let own = if Arc::ptr_eq(&entry.input, &entry.admitted.spec) { 2 } else { 1 };
            own < Arc::strong_count(&entry.input)
        });
        self.positions.clear();
        for (position, (key, _)) in self.entries.iter().enumerate() {
            self.positions.insert(key.clone(), position);
        }
        self.prune_at = PRUNE_AT_LEAST.max(2 * self.entries.len());
    }
}

/// What a pod brought, as far as its admitted spec depends on it.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    spec: Arc<PodSpec>,
    labels: Option<Labels>,
    meta: Metadata,
}

/// What pods of one owner have in common, so that it need not be validated for each.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    generate_name: Name,
    labels: Labels,
    annotations: Labels,
    owners: List<OwnerReference>,
    finalizers: List<Name>,
}

impl Metadata {
    fn of(meta: &Meta) -> Self {
        Self {
            generate_name: meta.generate_name.clone(),
            labels: meta.labels.clone(),
            annotations: meta.annotations.clone(),
            owners: meta.owner_references.clone(),
            finalizers: meta.finalizers.clone(),
        }
    }

    fn is_of(&self, meta: &Meta) -> bool {
        self.generate_name == meta.generate_name
            && self.labels == meta.labels
            && self.annotations == meta.annotations
            && self.owners == meta.owner_references
            && self.finalizers == meta.finalizers
    }

    /// Lets `meta`, which says the same, share what it says.
    pub(crate) fn share_with(&self, meta: &mut Meta) {
        meta.labels = self.labels.clone();
        meta.annotations = self.annotations.clone();
        meta.owner_references = self.owners.clone();
        meta.finalizers = self.finalizers.clone();
    }
}

impl Incoming {
    pub(crate) fn of(pod: &Pod) -> Self {
        let labels = strategy::has_label_keys(&pod.spec).then(|| pod.meta.labels.clone());
        Self { spec: pod.spec.clone(), labels, meta: Metadata::of(&pod.meta) }
    }

    /// Takes the spec that came in where the admitted one says the same, so that it stays shared.
    pub(crate) fn share_with(&self, pod: &mut Pod) {
        if *pod.spec == *self.spec {
            pod.spec = self.spec.clone();
        }
    }
}

fn key(spec: &Arc<PodSpec>, namespace: &Name) -> Key {
    (Arc::as_ptr(spec).addr(), namespace.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(spec: &Arc<PodSpec>) -> Pod {
        Pod { spec: spec.clone(), ..Pod::default() }
    }

    #[test]
    fn specs_that_nobody_holds_go() {
        let mut memo = AdmittedSpecs::default();
        let kept = Arc::new(PodSpec::default());
        memo.insert(Incoming::of(&pod(&kept)), &pod(&Arc::default()));
        for _ in 0..3 * PRUNE_AT_LEAST {
            let spec = Arc::new(PodSpec::default());
            memo.insert(Incoming::of(&pod(&spec)), &pod(&spec));
        }
        assert!(memo.entries.len() <= PRUNE_AT_LEAST + 1);
        assert!(memo.find(&pod(&kept)).is_some());
        assert!(memo.find(&pod(&Arc::default())).is_none());
    }

    #[test]
    fn a_changed_class_makes_it_start_over() {
        let mut memo = AdmittedSpecs::default();
        let spec = Arc::new(PodSpec::default());
        memo.insert(Incoming::of(&pod(&spec)), &pod(&spec));
        memo.note_change(&Kind::Pod);
        assert!(memo.find(&pod(&spec)).is_some());
        memo.note_change(&Kind::PriorityClass);
        assert!(memo.find(&pod(&spec)).is_none());
    }
}
