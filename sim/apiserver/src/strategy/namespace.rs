//! Namespaces.

use api::Namespace;
use base::Name;

use super::Strategy;

/// The namespace controller takes it away when all content is gone.
pub(crate) const KUBERNETES: Name = Name::from_static("kubernetes");
/// Set by the server, for selectors.
const NAME_LABEL: Name = Name::from_static("kubernetes.io/metadata.name");

impl Strategy for Namespace {
    fn prepare_create(&mut self) {
        self.status = Default::default();
        self.status.phase = Name::from_static("Active");
        if !self.spec.finalizers.contains(&KUBERNETES) {
            self.spec.finalizers.push(KUBERNETES);
        }
        label(self);
    }

    fn prepare_update(&mut self, old: &Self) {
        self.spec.finalizers.clone_from(&old.spec.finalizers);
        self.status = old.status.clone();
        label(self);
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
        label(self);
    }
}

/// Upstream: `Canonicalize`.
fn label(namespace: &mut Namespace) {
    if namespace.meta.label(&NAME_LABEL) != Some(&namespace.meta.name) {
        namespace.meta.labels.insert(NAME_LABEL, namespace.meta.name.clone());
    }
}
