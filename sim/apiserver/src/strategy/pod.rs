//! Pods: what becomes of a new one's spec, and what each resource may change.
//!
//! Upstream: `pkg/registry/core/pod/strategy.go`.

use std::sync::Arc;

use api::{
    Affinity, Condition, ConditionStatus, LabelSelector, LabelSelectorOperator, LabelSelectorRequirement,
    Labels, Pod, PodAffinity, PodAffinityTerm, PodPhase, PodSpec, PodStatus, Timestamp, condition,
};
use base::{Name, Time};

use super::Strategy;

impl Strategy for Pod {
    /// The rest depends on the spec alone, is worked out in [`initial_status`], and is shared.
    fn prepare_create(&mut self) {
        self.meta.generation = 1;
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        let same = self.node == old.node && is_same_spec(&self.spec, &old.spec);
        self.meta.generation = old.meta.generation + i64::from(!same);
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
        self.node = old.node.clone();
        self.meta.owner_references.clone_from(&old.meta.owner_references);
        if self.status.qos_class.is_empty() {
            self.status.qos_class = old.status.qos_class.clone();
        }
        keep_observed_generations(&mut self.status, &old.status);
    }

    fn share(&mut self, old: &Self) {
        if is_same_spec(&self.spec, &old.spec) {
            self.spec = old.spec.clone();
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.status == other.status
            && self.meta == other.meta
            && self.node == other.node
            && is_same_spec(&self.spec, &other.spec)
    }
}

/// Of the containers, their resources and what becomes of them in a resize are taken; anything else stays as it was.
/// Containers that are not those of `old` are left for the validation to refuse. Upstream: `podResizeStrategy`.
pub(super) fn prepare_resize(new: &mut Pod, old: &Pod) {
    let names = |spec: &PodSpec| spec.all_containers().map(|it| it.name.clone()).collect::<Vec<_>>();
    let has_same_counts = new.spec.init_containers.len() == old.spec.init_containers.len();
    if has_same_counts && names(&new.spec) == names(&old.spec) {
        let asked = std::mem::replace(&mut new.spec, old.spec.clone());
        if !is_same_spec(&asked, &old.spec) {
            PodSpec::edit(&mut new.spec, |own| take_resources(own, &asked));
        }
        (new.meta, new.node, new.status) = (old.meta.clone(), old.node.clone(), old.status.clone());
    }
    let is_same = is_same_spec(&new.spec, &old.spec);
    new.meta.generation = old.meta.generation + i64::from(!is_same);
}

fn take_resources(own: &mut PodSpec, asked: &PodSpec) {
    let own = own.init_containers.iter_mut().chain(&mut own.containers);
    for (own, asked) in own.zip(asked.all_containers()) {
        own.resources = asked.resources.clone();
        own.resize_policy.clone_from(&asked.resize_policy);
    }
}

fn is_same_spec(left: &Arc<PodSpec>, right: &Arc<PodSpec>) -> bool {
    Arc::ptr_eq(left, right) || left == right
}

/// A status writer that does not say what generation it saw has seen none since. Upstream: `preserveOldObservedGeneration`.
fn keep_observed_generations(new: &mut PodStatus, old: &PodStatus) {
    if new.observed_generation == 0 {
        new.observed_generation = old.observed_generation;
    }
    for condition in new.conditions.iter_mut().filter(|it| it.observed_generation == 0) {
        if let Some(old) = old.condition(&condition.kind) {
            condition.observed_generation = old.observed_generation;
        }
    }
}

/// The status of a pod that was just created.
pub(crate) fn initial_status(spec: &PodSpec, qos_class: Name, now: Time) -> PodStatus {
    let mut status = PodStatus { phase: PodPhase::Pending, qos_class, ..PodStatus::default() };
    if !spec.scheduling_gates.is_empty() {
        let gated = Condition {
            kind: condition::POD_SCHEDULED,
            status: ConditionStatus::False,
            reason: Name::from_static("SchedulingGated"),
            message: Name::from_static("Scheduling is blocked due to non-empty scheduling gates"),
            ..Condition::default()
        };
        set_condition(&mut status.conditions, gated, now);
    }
    status
}

/// Sets a condition by its type. Unless it says when, it changed now, or when it last did if its status is the same.
///
/// Upstream: `UpdatePodCondition` in `pkg/api/pod/util.go`.
pub(crate) fn set_condition(conditions: &mut Vec<Condition>, mut new: Condition, now: Time) {
    let old = conditions.iter_mut().find(|it| it.kind == new.kind);
    if new.last_transition_time.is_none() {
        let since =
            old.as_ref().filter(|old| old.status == new.status).and_then(|old| old.last_transition_time);
        new.last_transition_time = since.or(Some(Timestamp::from(now)));
    }
    match old {
        Some(old) => *old = new,
        None => conditions.push(new),
    }
}

/// Whether the admitted spec depends on the pod's own labels.
pub(crate) fn has_label_keys(spec: &PodSpec) -> bool {
    let of_terms = spec
        .affinity
        .iter()
        .flat_map(terms)
        .any(|it| !it.match_label_keys.is_empty() || !it.mismatch_label_keys.is_empty());
    of_terms || spec.topology_spread_constraints.iter().any(|it| !it.match_label_keys.is_empty())
}

/// Puts the values of the named labels of this pod into the selectors of its affinity and spreading.
///
/// Upstream: `mutatePodAffinity`, `mutateTopologySpreadConstraints`.
pub(crate) fn apply_label_keys(spec: &mut PodSpec, labels: &Labels) {
    for term in spec.affinity.iter_mut().flat_map(terms_mut) {
        if let Some(selector) = &mut term.label_selector {
            require(selector, &term.match_label_keys, &LabelSelectorOperator::In, labels);
            require(selector, &term.mismatch_label_keys, &LabelSelectorOperator::NotIn, labels);
        }
    }
    for constraint in &mut spec.topology_spread_constraints {
        if let Some(selector) = &mut constraint.label_selector {
            require(selector, &constraint.match_label_keys, &LabelSelectorOperator::In, labels);
        }
    }
}

fn require(selector: &mut LabelSelector, keys: &[Name], operator: &LabelSelectorOperator, labels: &Labels) {
    for (key, value) in keys.iter().filter_map(|key| Some((key, labels.get(key)?))) {
        selector.match_expressions.push(LabelSelectorRequirement {
            key: key.clone(),
            operator: operator.clone(),
            values: vec![value.clone()],
            ..LabelSelectorRequirement::default()
        });
    }
}

fn terms(affinity: &Affinity) -> impl Iterator<Item = &PodAffinityTerm> {
    affinity
        .pod_affinity
        .iter()
        .chain(&affinity.pod_anti_affinity)
        .flat_map(|it| it.preferred.iter().map(|it| &it.pod_affinity_term).chain(&it.required))
}

fn terms_mut(affinity: &mut Affinity) -> impl Iterator<Item = &mut PodAffinityTerm> {
    affinity.pod_affinity.iter_mut().chain(&mut affinity.pod_anti_affinity).flat_map(
        |it: &mut PodAffinity| {
            it.preferred.iter_mut().map(|it| &mut it.pod_affinity_term).chain(&mut it.required)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_keeps_its_time_while_its_status_stays() {
        let ready = |status: ConditionStatus, reason: &'static str| Condition {
            kind: condition::READY,
            status,
            reason: Name::from_static(reason),
            ..Condition::default()
        };
        let mut conditions = Vec::new();
        set_condition(&mut conditions, ready(ConditionStatus::False, "A"), Time::from_secs(1));
        set_condition(&mut conditions, ready(ConditionStatus::False, "B"), Time::from_secs(2));
        assert_eq!(conditions.len(), 1);
        assert_eq!(conditions[0].reason, "B");
        assert_eq!(conditions[0].last_transition_time, Some(Timestamp::from_secs(1)));
        set_condition(&mut conditions, ready(ConditionStatus::True, ""), Time::from_secs(3));
        assert_eq!(conditions[0].last_transition_time, Some(Timestamp::from_secs(3)));
    }

    #[test]
    fn label_keys_become_requirements() {
        let mut term =
            PodAffinityTerm { label_selector: Some(LabelSelector::default()), ..PodAffinityTerm::default() };
        term.match_label_keys = vec!["hash".into(), "missing".into()];
        let required = PodAffinity { required: vec![term], ..PodAffinity::default() };
        let affinity = Affinity { pod_anti_affinity: Some(required), ..Affinity::default() };
        let mut spec = PodSpec { affinity: Some(affinity), ..PodSpec::default() };
        assert!(has_label_keys(&spec));
        apply_label_keys(&mut spec, &Labels::from([("hash", "x")]));
        let selector = terms(spec.affinity.as_ref().unwrap()).next().unwrap().label_selector.clone().unwrap();
        assert_eq!(selector.compile().unwrap().to_string(), "hash in (x)");
    }
}
