//! What a pass over a namespace has found.

use std::collections::BTreeMap;

use api::{Kind, Object};
use base::{Name, Span};

/// What is left, and what went wrong. Upstream: `allGVRDeletionMetadata`.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    /// How many objects of each kind are left.
    pub(super) remaining: BTreeMap<Kind, usize>,
    /// How many objects wait for each finalizer.
    pub(super) finalizers: BTreeMap<Name, usize>,
    pub(super) failures: Vec<String>,
    /// How long the objects of the kind under way may still take.
    pub(super) grace: Span,
    /// The longest that anything may still take.
    estimate: Span,
}

/// What finalizers are given. Upstream: `finalizerEstimateSeconds`.
const FINALIZER_ESTIMATE: Span = Span::secs(15);

impl Content {
    /// Takes in what is left of a kind after its deletion. Upstream: `deleteAllContentForGroupVersionResource`.
    pub(super) fn count(&mut self, namespace: &Name, kind: &Kind, items: &[Object]) {
        if items.is_empty() {
            return;
        }
        self.remaining.insert(kind.clone(), items.len());
        let finalizers: Vec<&Name> = items.iter().flat_map(|it| &it.meta().finalizers).collect();
        for &finalizer in &finalizers {
            *self.finalizers.entry(finalizer.clone()).or_default() += 1;
        }
        if self.grace != Span::ZERO {
            self.estimate = self.estimate.max(self.grace);
        } else if finalizers.is_empty() {
            let resource = resource(kind);
            self.fail(&format!(
                "unexpected items still remain in namespace: {namespace} for gvr: {resource}"
            ));
        } else {
            self.estimate = self.estimate.max(FINALIZER_ESTIMATE);
        }
    }

    pub(super) fn fail(&mut self, why: &str) {
        self.failures.push(why.into());
    }

    pub(super) fn has(&self, kind: &Kind) -> bool {
        self.remaining.contains_key(kind)
    }

    pub(super) const fn has_failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// How long the rest may take; `None` when nothing is left.
    pub(super) fn estimate(&self) -> Option<Span> {
        (self.estimate != Span::ZERO).then_some(self.estimate)
    }

    /// While pods are left, upstream reports nothing but failures.
    pub(super) fn failures_only(&self) -> Self {
        Self { failures: self.failures.clone(), ..Self::default() }
    }
}

/// As Go prints a `GroupVersionResource`: `apps/v1, Resource=deployments`, `/v1, Resource=pods`.
fn resource(kind: &Kind) -> String {
    let (version, plural) = (kind.api_version(), kind.plural());
    let slash = if version.contains('/') { "" } else { "/" };
    format!("{slash}{version}, Resource={plural}")
}
