//! The objects that a scenario's files hold, and what was noticed about them.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};

use api::{Kind, Object};
use base::Name;
use manifest::{Diagnostics, Limits, Loaded, Path, Skipped};

use crate::document::Problems;

/// What was met in the files that a scenario names: for people, and without effect on the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    pub objects: usize,
    /// Custom resources, which are kept without effect: how many of each `kind.group`.
    pub custom: BTreeMap<Name, usize>,
    /// Files in folders that hold no Kubernetes object.
    pub skipped: Vec<Skipped>,
    /// Fields that Kubernetes knows and the simulation has no use for, as `deployment: spec.template.…`, and in how
    /// many objects they are set.
    pub unmodelled: BTreeMap<String, usize>,
    /// What the API server takes in with a warning.
    pub warnings: Diagnostics,
}

/// Loads what a scenario names, relative to its own folder.
#[derive(Debug)]
pub(crate) struct Loader {
    folder: PathBuf,
    limits: Limits,
    pub(crate) inputs: Inputs,
}

impl Loader {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, limits: Limits::default(), inputs: Inputs::default() }
    }

    /// The objects of `files`, which the scenario names at `at(n)`. What is wrong goes to `problems`.
    pub(crate) fn load<'a>(
        &mut self,
        files: impl IntoIterator<Item = &'a String>,
        at: impl Fn(usize) -> Path,
        problems: &mut Problems,
    ) -> Vec<Object> {
        let mut objects = Vec::new();
        for (n, file) in files.into_iter().enumerate() {
            let path = self.folder.join(file);
            if file.is_empty() {
                problems.add(&at(n), "expected a file or folder, found nothing");
            } else if !path.exists() {
                problems.add(&at(n), format!("there is no file or folder `{}`", shown(&path)));
            } else {
                let loaded = manifest::load(&[path], &self.limits);
                objects.extend(self.take(loaded, problems));
            }
        }
        objects
    }

    fn take(&mut self, loaded: Loaded, problems: &mut Problems) -> Vec<Object> {
        problems.append(self.inputs.note(&loaded));
        loaded.objects.into_iter().map(|it| it.object).collect()
    }
}

impl Inputs {
    /// Counts what was loaded. Returns what is wrong with it.
    pub(crate) fn note(&mut self, loaded: &Loaded) -> Diagnostics {
        self.objects += loaded.objects.len();
        self.skipped.extend(loaded.skipped.iter().cloned());
        self.warnings.append(loaded.warnings.clone());
        for (kind, count) in &loaded.custom {
            *self.custom.entry(kind.clone()).or_default() += count;
        }
        for it in &loaded.objects {
            let kind = it.object.kind().singular();
            for path in &it.unmodelled {
                *self.unmodelled.entry(format!("{kind}: {}", without_positions(path))).or_default() += 1;
            }
        }
        loaded.diagnostics.clone()
    }
}

/// The field, whichever item of a list it is in.
fn without_positions(path: &Path) -> Path {
    let is_key = |it: &&manifest::Segment| matches!(it, manifest::Segment::Key(_));
    path.segments().iter().filter(is_key).cloned().collect()
}

/// In the order in which `kubectl apply -k` creates kinds: what others need comes first. Otherwise as they stand.
///
/// Upstream: `sigs.k8s.io/kustomize`, `api/internal/builtins/SortOrderTransformer.go`.
pub(crate) fn in_order(mut objects: Vec<Object>) -> Vec<Object> {
    objects.sort_by_key(|it| rank(&it.kind()));
    objects
}

/// Kinds that are not listed come behind those that are, but before webhooks.
fn rank(kind: &Kind) -> usize {
    const FIRST: [Kind; 24] = [
        Kind::Namespace,
        Kind::ResourceQuota,
        Kind::StorageClass,
        Kind::CustomResourceDefinition,
        Kind::ServiceAccount,
        Kind::Role,
        Kind::ClusterRole,
        Kind::RoleBinding,
        Kind::ClusterRoleBinding,
        Kind::ConfigMap,
        Kind::Secret,
        Kind::Endpoints,
        Kind::Service,
        Kind::LimitRange,
        Kind::PriorityClass,
        Kind::PersistentVolume,
        Kind::PersistentVolumeClaim,
        Kind::Deployment,
        Kind::StatefulSet,
        Kind::CronJob,
        Kind::PodDisruptionBudget,
        // Not listed upstream, but pods name them.
        Kind::RuntimeClass,
        Kind::IngressClass,
        Kind::DeviceClass,
    ];
    const LAST: [Kind; 2] = [Kind::MutatingWebhookConfiguration, Kind::ValidatingWebhookConfiguration];
    if LAST.contains(kind) {
        return FIRST.len() + 1;
    }
    FIRST.iter().position(|it| it == kind).unwrap_or(FIRST.len())
}

/// With slashes that lean the same way everywhere.
pub(crate) fn shown(path: &FilePath) -> String {
    path.to_string_lossy().replace('\\', "/")
}
