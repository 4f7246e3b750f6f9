//! The pod that a set creates for a node.
//!
//! Upstream: `pkg/controller/daemon/util/daemonset_util.go`.

use api::{
    Affinity, DaemonSet, NodeAffinity, NodeSelector, NodeSelectorOperator, NodeSelectorRequirement,
    NodeSelectorTerm, Pod, PodSpec, TaintEffect, Toleration, TolerationOperator,
};
use base::Name;

use crate::pod_from_template::pod_from_template;

pub(super) const REVISION_HASH: Name = Name::from_static("controller-revision-hash");
const TEMPLATE_GENERATION: Name = Name::from_static("pod-template-generation");
const NAME_FIELD: Name = Name::from_static("metadata.name");
/// Upstream: `DeprecatedTemplateGeneration`.
const DEPRECATED_GENERATION: Name = Name::from_static("deprecated.daemonset.template.generation");

/// Upstream: `CreatePodTemplate`, `ReplaceDaemonSetPodNodeNameNodeAffinity`.
pub(super) fn pod_for(set: &DaemonSet, hash: &Name, node: &Name) -> Pod {
    let mut pod = pod_from_template(set, &set.spec.template);
    if let Some(generation) = generation(set) {
        pod.meta.labels.insert(TEMPLATE_GENERATION, generation);
    }
    pod.meta.labels.insert(REVISION_HASH, hash.clone());
    PodSpec::edit(&mut pod.spec, |spec| {
        spec.tolerations = tolerations(spec);
        let affinity = spec.affinity.get_or_insert_default();
        pin(affinity, node);
    });
    pod
}

/// That of the template, as the API server counts it; `None` if it does not.
fn generation(set: &DaemonSet) -> Option<Name> {
    set.meta.annotation(&DEPRECATED_GENERATION).filter(|it| it.parse::<i64>().is_ok()).cloned()
}

/// Upstream: `IsPodUpdated`.
pub(super) fn is_updated(set: &DaemonSet, hash: &Name, pod: &Pod) -> bool {
    let generation = generation(set);
    pod.meta.label(&REVISION_HASH) == Some(hash)
        || generation.is_some() && pod.meta.label(&TEMPLATE_GENERATION) == generation.as_ref()
}

fn pin(affinity: &mut Affinity, node: &Name) {
    let requirement = NodeSelectorRequirement {
        key: NAME_FIELD,
        operator: NodeSelectorOperator::In,
        values: vec![node.clone()],
        ..NodeSelectorRequirement::default()
    };
    let term = NodeSelectorTerm { match_fields: vec![requirement], ..NodeSelectorTerm::default() };
    let node_affinity: &mut NodeAffinity = affinity.node_affinity.get_or_insert_default();
    let required: &mut NodeSelector = node_affinity.required.get_or_insert_default();
    required.node_selector_terms = vec![term];
}

/// The node that a pod is on, or is meant for. Upstream: `GetTargetNodeName`.
pub(super) fn target_node(pod: &Pod) -> Option<&Name> {
    if pod.is_bound() {
        return Some(&pod.node);
    }
    let required = pod.spec.affinity.as_ref()?.node_affinity.as_ref()?.required.as_ref()?;
    let mut requirements = required.node_selector_terms.iter().flat_map(|term| &term.match_fields);
    let named = requirements.find(|it| it.key == NAME_FIELD && it.operator == NodeSelectorOperator::In)?;
    if let [node] = named.values.as_slice() { Some(node) } else { None }
}

/// Those of the template, and those that keep the pods of a set where others must go.
///
/// Upstream: `AddOrUpdateDaemonPodTolerations`.
pub(super) fn tolerations(spec: &PodSpec) -> Vec<Toleration> {
    let mut all = spec.tolerations.clone();
    let added = [
        ("not-ready", TaintEffect::NoExecute),
        ("unreachable", TaintEffect::NoExecute),
        ("disk-pressure", TaintEffect::NoSchedule),
        ("memory-pressure", TaintEffect::NoSchedule),
        ("pid-pressure", TaintEffect::NoSchedule),
        ("unschedulable", TaintEffect::NoSchedule),
    ];
    let network = spec.host_network.then_some(("network-unavailable", TaintEffect::NoSchedule));
    for (taint, effect) in added.into_iter().chain(network) {
        let toleration = Toleration {
            key: Name::from(format_args!("node.kubernetes.io/{taint}")),
            operator: TolerationOperator::Exists,
            effect,
            ..Toleration::default()
        };
        add_or_update(&mut all, toleration);
    }
    all
}

/// Upstream: `AddOrUpdateTolerationInPodSpec`.
fn add_or_update(all: &mut Vec<Toleration>, new: Toleration) {
    let is_alike = |it: &&mut Toleration| {
        (&it.key, &it.operator, &it.value, &it.effect) == (&new.key, &new.operator, &new.value, &new.effect)
    };
    match all.iter_mut().find(is_alike) {
        Some(old) => *old = new,
        None => all.push(new),
    }
}
