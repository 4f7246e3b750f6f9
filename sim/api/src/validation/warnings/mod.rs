//! What is taken in but hardly meant: the API server answers it with a warning.
//!
//! Upstream: `pkg/api/pod/warnings.go`, `pkg/api/node/util.go`. Where upstream goes over a map, in the order of keys.

mod containers;
#[cfg(test)]
mod tests;
mod volumes;

use std::fmt;

use base::Name;

use super::json::Fields;
use super::path::Path;
use crate::affinity::{Affinity, NodeSelectorTerm, PodAffinity, PodAffinityTerm};
use crate::kind::Object;
use crate::labels::Labels;
use crate::naming;
use crate::pod::{PodSpec, PodTemplate};

/// One thing about one field. Displays as upstream's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// `spec.containers[0].ports[1]`.
    pub field: Name,
    pub text: Name,
}

/// What is odd about `object`, which is about to be created. Kinds that hold no pods are not looked at.
pub fn warnings(object: &Object) -> Vec<Warning> {
    let mut found = Warnings::default();
    let (root, template) = (&Path::Root(""), &Path::Root("spec.template"));
    match object {
        Object::Pod(it) => found.check(&it.meta.annotations, &it.spec, false, root),
        Object::DaemonSet(it) => found.check_template(&it.spec.template, template),
        Object::Deployment(it) => found.check_template(&it.spec.template, template),
        Object::Job(it) => found.check_template(&it.spec.template, template),
        Object::ReplicaSet(it) => found.check_template(&it.spec.template, template),
        Object::StatefulSet(it) => found.check_template(&it.spec.template, template),
        Object::CronJob(it) => {
            found.check_template(
                &it.spec.job_template.spec.template,
                &Path::Root("spec.jobTemplate.spec.template"),
            );
        }
        Object::ReplicationController(it) => {
            it.spec.template.iter().for_each(|it| found.check_template(it, template));
        }
        Object::CSIDriver(_)
        | Object::CSINode(_)
        | Object::CSIStorageCapacity(_)
        | Object::ControllerRevision(_)
        | Object::DeviceClass(_)
        | Object::DeviceTaintRule(_)
        | Object::EndpointSlice(_)
        | Object::Event(_)
        | Object::HorizontalPodAutoscaler(_)
        | Object::Lease(_)
        | Object::LimitRange(_)
        | Object::Namespace(_)
        | Object::Node(_)
        | Object::PersistentVolume(_)
        | Object::PersistentVolumeClaim(_)
        | Object::PodDisruptionBudget(_)
        | Object::PriorityClass(_)
        | Object::ResourceClaim(_)
        | Object::ResourceClaimTemplate(_)
        | Object::ResourceSlice(_)
        | Object::Service(_)
        | Object::StorageClass(_)
        | Object::VolumeAttachment(_)
        | Object::Raw(_) => (),
    }
    found.0
}

#[derive(Debug, Default)]
struct Warnings(Vec<Warning>);

impl Warnings {
    fn add(&mut self, path: &Path<'_>, text: impl Into<Name>) {
        self.0.push(Warning { field: Name::from(format_args!("{path}")), text: text.into() });
    }

    fn check_template(&mut self, template: &PodTemplate, path: &Path<'_>) {
        self.check(&template.meta.annotations, &template.spec, true, path);
    }

    /// Upstream: `warningsForPodSpecAndMeta`.
    fn check(&mut self, annotations: &Labels, spec: &PodSpec, is_template: bool, path: &Path<'_>) {
        let at = &path.child("spec");
        for (key, _) in spec.node_selector.iter() {
            self.check_label(key, &at.entry("nodeSelector", key), "");
        }
        if let Some(affinity) = &spec.affinity {
            self.check_node_affinity(affinity, &at.child("affinity.nodeAffinity"));
        }
        self.check_spreading(spec, at);
        self.check_annotations(annotations, spec, path);
        volumes::check(&spec.volumes, &at.child("volumes"), self);
        self.check_lists(spec, at);
        containers::check_amounts(&[("overhead", &spec.overhead)], at, self);
        containers::check(annotations, spec, is_template, path, self);
        if spec.termination_grace_period_seconds.is_some_and(|it| it < 0) {
            let text = "must be >= 0; negative values are invalid and will be treated as 1";
            self.add(&at.child("terminationGracePeriodSeconds"), text);
        }
        if let Some(affinity) = &spec.affinity {
            self.check_pod_affinity(affinity.pod_affinity.as_ref(), &at.child("affinity.podAffinity"));
            self.check_pod_affinity(
                affinity.pod_anti_affinity.as_ref(),
                &at.child("affinity.podAntiAffinity"),
            );
        }
    }

    /// A label of nodes that a pod asks for. `is` stands before what is wrong with it.
    fn check_label(&mut self, key: &str, path: &Path<'_>, is: &str) {
        if let Some((_, message)) = OLD_LABELS.iter().find(|(old, _)| *old == key) {
            self.add(path, format!("{is}{message}"));
        }
    }

    /// Values that no label can have are refused where they are required, once they are pods'.
    fn check_node_affinity(&mut self, affinity: &Affinity, path: &Path<'_>) {
        let Some(affinity) = &affinity.node_affinity else { return };
        let required = &path.child("requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
        for (idx, term) in affinity.required.iter().flat_map(|it| &it.node_selector_terms).enumerate() {
            self.check_term(term, false, &required.index(idx));
        }
        let preferred = &path.child("preferredDuringSchedulingIgnoredDuringExecution");
        for (idx, weighted) in affinity.preferred.iter().enumerate() {
            self.check_term(&weighted.preference, true, &preferred.index(idx).child("preference"));
        }
    }

    /// Upstream: `GetWarningsForNodeSelectorTerm`.
    fn check_term(&mut self, term: &NodeSelectorTerm, with_values: bool, path: &Path<'_>) {
        for (idx, it) in term.match_expressions.iter().enumerate() {
            let path = &path.item("matchExpressions", idx);
            self.check_label(&it.key, &path.child("key"), &format!("{} is ", it.key));
            for (idx, value) in it.values.iter().enumerate().filter(|_| with_values) {
                for message in naming::label_value(value) {
                    self.add(&path.item("values", idx), format!("{value} is invalid, {message}"));
                }
            }
        }
    }

    fn check_spreading(&mut self, spec: &PodSpec, at: &Path<'_>) {
        for (idx, it) in spec.topology_spread_constraints.iter().enumerate() {
            let path = &at.item("topologySpreadConstraints", idx);
            self.check_label(
                &it.topology_key,
                &path.child("topologyKey"),
                &format!("{} is ", it.topology_key),
            );
            if it.label_selector.is_none() {
                self.add(&path.child("labelSelector"), MATCHES_NO_POD);
            }
        }
    }

    fn check_annotations(&mut self, annotations: &Labels, spec: &PodSpec, path: &Path<'_>) {
        let at = &path.child("metadata");
        for (key, text) in OLD_ANNOTATIONS {
            if annotations.contains_key(key) {
                self.add(&at.entry("annotations", key), text);
            }
        }
        if annotations.contains_key(containers::POD_SECCOMP) && !containers::has_seccomp(&spec.rest) {
            self.add(&at.entry("annotations", containers::POD_SECCOMP), containers::USE_SECCOMP);
        }
    }

    /// Entries that come twice.
    fn check_lists(&mut self, spec: &PodSpec, at: &Path<'_>) {
        let aliases: Vec<&str> = spec.rest.items("hostAliases").iter().map(|it| it.text("ip")).collect();
        for (idx, ip) in twice(&aliases) {
            self.add(&at.item("hostAliases", idx).child("ip"), format!("duplicate ip {}", crate::quote(ip)));
        }
        let secrets: Vec<&str> =
            spec.rest.items("imagePullSecrets").iter().map(|it| it.text("name")).collect();
        let path = |idx| at.item("imagePullSecrets", idx);
        for (idx, name) in twice(&secrets) {
            self.add(&path(idx).child("name"), format!("duplicate name {}", crate::quote(name)));
        }
        for (idx, name) in secrets.iter().enumerate().filter(|it| it.1.is_empty()) {
            self.add(&path(idx).child("name"), format!("invalid empty name {}", crate::quote(name)));
        }
    }

    fn check_pod_affinity(&mut self, affinity: Option<&PodAffinity>, path: &Path<'_>) {
        let Some(affinity) = affinity else { return };
        let is_null = |it: &PodAffinityTerm| it.label_selector.is_none();
        let terms = &path.child("requiredDuringSchedulingIgnoredDuringExecution");
        for (idx, _) in affinity.required.iter().enumerate().filter(|it| is_null(it.1)) {
            self.add(&terms.index(idx).child("labelSelector"), MATCHES_NO_POD);
        }
        let terms = &path.child("preferredDuringSchedulingIgnoredDuringExecution");
        for (idx, _) in affinity.preferred.iter().enumerate().filter(|it| is_null(&it.1.pod_affinity_term)) {
            self.add(&terms.index(idx).child("podAffinityTerm.labelSelector"), MATCHES_NO_POD);
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.text)
    }
}

/// Those that came before, and their positions.
fn twice<'a>(words: &[&'a str]) -> Vec<(usize, &'a str)> {
    words
        .iter()
        .enumerate()
        .filter(|(idx, it)| words[..*idx].contains(it))
        .map(|(idx, it)| (idx, *it))
        .collect()
}

const MATCHES_NO_POD: &str = "a null labelSelector results in matching no pod";

/// Upstream: `deprecatedNodeLabels`.
const OLD_LABELS: [(&str, &str); 8] = [
    ("beta.kubernetes.io/arch", r#"deprecated since v1.14; use "kubernetes.io/arch" instead"#),
    ("beta.kubernetes.io/os", r#"deprecated since v1.14; use "kubernetes.io/os" instead"#),
    (
        "failure-domain.beta.kubernetes.io/region",
        r#"deprecated since v1.17; use "topology.kubernetes.io/region" instead"#,
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        r#"deprecated since v1.17; use "topology.kubernetes.io/zone" instead"#,
    ),
    (
        "beta.kubernetes.io/instance-type",
        r#"deprecated since v1.17; use "node.kubernetes.io/instance-type" instead"#,
    ),
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    (
        "scheduler.alpha.kubernetes.io/preferAvoidPods",
        "deprecated since v1.22; use Taints and Tolerations instead",
    ),
    ("node-role.kubernetes.io/master", r#"use "node-role.kubernetes.io/control-plane" instead"#),
];

/// Upstream: `deprecatedAnnotations`.
const OLD_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        r#"non-functional in v1.16+; use the "priorityClassName" field instead"#,
    ),
    ("security.alpha.kubernetes.io/sysctls", r#"non-functional in v1.11+; use the "sysctls" field instead"#),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        r#"non-functional in v1.11+; use the "sysctls" field instead"#,
    ),
];
