//! What the scheduler works out of a pod once: for itself, and for all pods of its template together.
//!
//! Upstream: `pkg/scheduler/framework/types.go`, `PodInfo`.

use std::borrow::Cow;
use std::sync::Arc;

use api::{
    LabelSelector, Labels, OwnerReference, Pod, PodAffinityTerm, PodSpec, Quantity, QuantityFormat,
    ResourceList, Resources, Selector, Uid,
};
use base::{Digest, Lookup, Name};

use crate::host_ports::{HostPort, host_ports};
use crate::volumes::claims_of;

/// What a container without a request is taken to ask for when nodes are ranked.
/// Upstream: `pkg/scheduler/util/pod_resources.go`.
const DEFAULT_CPU_MILLI: i64 = 100;
const DEFAULT_MEMORY_BYTES: i64 = 200 * 1024 * 1024;

/// A pod and what is known of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PodInfo {
    pub pod: Arc<Pod>,
    pub shape: Arc<Shape>,
    /// What it counts for on a node; not always what its spec asks for, see [`Pod::requests`].
    pub usage: Arc<Usage>,
    /// The pod's, at hand: nodes are searched by it.
    uid: Uid,
}

/// What all pods of a template have in common: equal specs, labels, namespaces and controllers.
#[derive(Debug)]
pub struct Shape {
    pub id: ShapeId,
    namespace: Name,
    labels: Labels,
    spec: Arc<PodSpec>,
    controller: Option<OwnerReference>,
    usage: Arc<Usage>,
    /// What its containers ask for, where one that asks for no cpu or memory counts as asking for a little. What is
    /// asked for the pod as a whole does not count.
    pub container_requests: Resources,
    pub host_ports: Vec<HostPort>,
    pub affinity: Vec<AffinityTerm>,
    pub anti_affinity: Vec<AffinityTerm>,
    pub preferred_affinity: Vec<WeightedTerm>,
    pub preferred_anti_affinity: Vec<WeightedTerm>,
    /// The names of the claims that its volumes name, in their order; ephemeral volumes name none.
    pub claims: Vec<Name>,
}

/// Never used again for another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShapeId(u64);

/// What a pod takes of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub requests: Resources,
    pub non_zero: NonZero,
}

/// Requests of cpu and memory that are never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NonZero {
    pub cpu_milli: i64,
    pub memory_bytes: i64,
}

/// A compiled term of affinity to pods. Upstream: `AffinityTerm`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffinityTerm {
    /// Sorted.
    pub namespaces: Vec<Name>,
    pub selector: Selector,
    pub topology_key: Name,
    pub namespace_selector: Selector,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightedTerm {
    /// From 1 to 100.
    pub weight: i32,
    pub term: AffinityTerm,
}

/// The shapes of all pods that are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shapes {
    by_content: Lookup<u64, Vec<Arc<Shape>>>,
    /// The one that was asked for last: pods of a template come one after the other.
    last: Option<Arc<Shape>>,
    /// All of them, to find those that no pod has any more.
    all: Vec<Arc<Shape>>,
    sweep_at: usize,
    next_id: u64,
}

impl PodInfo {
    pub fn uid(&self) -> Uid {
        self.uid
    }

    pub fn namespace(&self) -> &Name {
        &self.pod.meta.namespace
    }

    pub fn labels(&self) -> &Labels {
        &self.pod.meta.labels
    }

    pub fn priority(&self) -> i32 {
        self.pod.priority()
    }

    /// Whether it asks to be near other pods or away from them.
    pub fn has_affinity(&self) -> bool {
        let shape = &self.shape;
        !(shape.affinity.is_empty()
            && shape.anti_affinity.is_empty()
            && shape.preferred_affinity.is_empty()
            && shape.preferred_anti_affinity.is_empty())
    }

    /// Whether nothing that scheduling looks at is different in `other`, which is the same pod at another time.
    pub(crate) fn is_alike(&self, other: &Self) -> bool {
        self.shape.id == other.shape.id
            && self.pod.is_deleting() == other.pod.is_deleting()
            && (Arc::ptr_eq(&self.usage, &other.usage) || self.usage == other.usage)
    }
}

impl Shapes {
    const SWEEP_MIN: usize = 1024;

    pub(crate) fn pod_info(&mut self, pod: &Arc<Pod>) -> PodInfo {
        let shape = self.shape_of(pod);
        let usage = Usage::of_bound(pod).map_or_else(|| shape.usage.clone(), Arc::new);
        PodInfo { pod: pod.clone(), shape, usage, uid: pod.meta.uid }
    }

    fn shape_of(&mut self, pod: &Pod) -> Arc<Shape> {
        if let Some(last) = self.last.as_ref().filter(|it| it.is_of(pod)) {
            return last.clone();
        }
        let shape = self.find_or_add(pod);
        self.last = Some(shape.clone());
        shape
    }

    fn find_or_add(&mut self, pod: &Pod) -> Arc<Shape> {
        let key = content_key(&pod.spec, &pod.meta.labels, &pod.meta.namespace);
        if let Some(known) = self.by_content.get(&key).and_then(|it| it.iter().find(|it| it.is_of(pod))) {
            return known.clone();
        }
        if self.all.len() >= self.sweep_at {
            self.sweep();
        }
        self.next_id += 1;
        let shape = Arc::new(Shape::new(ShapeId(self.next_id), pod));
        self.all.push(shape.clone());
        self.by_content.entry_or_insert_with(key, Vec::new).push(shape.clone());
        shape
    }

    /// Forgets shapes that no pod has.
    fn sweep(&mut self) {
        self.by_content.clear();
        self.last = None;
        self.all.retain(|it| Arc::strong_count(it) > 1);
        for shape in &self.all {
            let key = content_key(&shape.spec, &shape.labels, &shape.namespace);
            self.by_content.entry_or_insert_with(key, Vec::new).push(shape.clone());
        }
        self.sweep_at = (self.all.len() * 2).max(Self::SWEEP_MIN);
    }
}

/// Equal for pods of a template, and hardly ever for others.
fn content_key(spec: &PodSpec, labels: &Labels, namespace: &Name) -> u64 {
    let mut digest = Digest::default();
    digest.word(spec.fingerprint());
    digest.text(namespace);
    for (key, value) in labels.iter() {
        digest.text(key);
        digest.text(value);
    }
    digest.value()
}

impl Shape {
    fn new(id: ShapeId, pod: &Pod) -> Self {
        let affinity = pod.spec.affinity.as_ref();
        let near = affinity.and_then(|it| it.pod_affinity.as_ref());
        let away = affinity.and_then(|it| it.pod_anti_affinity.as_ref());
        let required =
            |it: &api::PodAffinity| it.required.iter().map(|it| AffinityTerm::new(pod, it)).collect();
        let preferred = |it: &api::PodAffinity| {
            let weighted = |it: &api::WeightedPodAffinityTerm| WeightedTerm {
                weight: it.weight,
                term: AffinityTerm::new(pod, &it.pod_affinity_term),
            };
            it.preferred.iter().map(weighted).collect()
        };
        Self {
            id,
            namespace: pod.meta.namespace.clone(),
            labels: pod.meta.labels.clone(),
            spec: pod.spec.clone(),
            controller: pod.meta.controller().cloned(),
            usage: Arc::new(Usage::of(pod)),
            container_requests: Resources::from_list(&api::container_request_list(&pod.spec, &a_little())),
            host_ports: host_ports(pod).collect(),
            affinity: near.map(required).unwrap_or_default(),
            anti_affinity: away.map(required).unwrap_or_default(),
            preferred_affinity: near.map(preferred).unwrap_or_default(),
            preferred_anti_affinity: away.map(preferred).unwrap_or_default(),
            claims: claims_of(pod).filter(|it| !it.is_ephemeral).map(|it| it.name).collect(),
        }
    }

    fn is_of(&self, pod: &Pod) -> bool {
        let has_same_spec = || Arc::ptr_eq(&self.spec, &pod.spec) || self.spec == pod.spec;
        self.namespace == pod.meta.namespace
            && self.labels == pod.meta.labels
            && self.controller.as_ref() == pod.meta.controller()
            && has_same_spec()
    }
}

impl AffinityTerm {
    /// Upstream: `newAffinityTerm`, `getNamespacesFromPodAffinityTerm`.
    fn new(pod: &Pod, term: &PodAffinityTerm) -> Self {
        let compile =
            |it: &Option<LabelSelector>| it.as_ref().and_then(|it| it.compile().ok()).unwrap_or_default();
        let mut namespaces = term.namespaces.clone();
        if namespaces.is_empty() && term.namespace_selector.is_none() {
            namespaces.push(pod.meta.namespace.clone());
        }
        namespaces.sort();
        Self {
            namespaces,
            selector: compile(&term.label_selector),
            topology_key: term.topology_key.clone(),
            namespace_selector: compile(&term.namespace_selector),
        }
    }

    /// Whether the term means `pod`, whose namespace has `namespace_labels`. Upstream: `AffinityTerm.Matches`.
    pub fn matches(&self, pod: &Pod, namespace_labels: &Labels) -> bool {
        let in_namespace = self.namespaces.binary_search(&pod.meta.namespace).is_ok()
            || self.namespace_selector.matches(namespace_labels);
        in_namespace && self.selector.matches(&pod.meta.labels)
    }
}

impl Usage {
    fn of(pod: &Pod) -> Self {
        Self { requests: pod.requests().clone(), non_zero: NonZero::of(pod) }
    }

    /// What a bound pod takes that is being resized in place; `None` if that is what its spec asks for.
    fn of_bound(pod: &Pod) -> Option<Self> {
        let Cow::Owned(requests) = pod.requests_in_use() else { return None };
        Some(Self { requests, non_zero: NonZero::of(pod) })
    }
}

impl NonZero {
    /// Upstream: `calculateResource`, `getNonMissingContainerRequests`.
    fn of(pod: &Pod) -> Self {
        let mut missing = a_little();
        if pod.spec.has_pod_level_requests() {
            let stated = pod.request_list_in_use(&ResourceList::default());
            missing.retain(|name, _| !stated.contains_key(name));
        }
        let filled = Resources::from_list(&pod.request_list_in_use(&missing));
        Self { cpu_milli: filled.cpu_milli, memory_bytes: filled.memory_bytes }
    }

    /// Absurd amounts wrap around as upstream's do, and so are gone again once they are removed.
    pub(crate) fn add(&mut self, other: Self) {
        self.cpu_milli = self.cpu_milli.wrapping_add(other.cpu_milli);
        self.memory_bytes = self.memory_bytes.wrapping_add(other.memory_bytes);
    }

    pub(crate) fn remove(&mut self, other: Self) {
        self.cpu_milli = self.cpu_milli.wrapping_sub(other.cpu_milli);
        self.memory_bytes = self.memory_bytes.wrapping_sub(other.memory_bytes);
    }
}

/// Upstream: `DefaultMilliCPURequest`, `DefaultMemoryRequest`.
fn a_little() -> ResourceList {
    let cpu = Quantity::milli(DEFAULT_CPU_MILLI, QuantityFormat::DecimalSi);
    let memory = Quantity::new(DEFAULT_MEMORY_BYTES, QuantityFormat::BinarySi);
    [(api::CPU, cpu), (api::MEMORY, memory)].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const MIB: i64 = 1024 * 1024;

    fn usage(spec: &Value, status: &Value) -> (i64, i64, i64, i64) {
        let pod = json!({"metadata": {"name": "web"}, "spec": spec, "status": status});
        let pod: Arc<Pod> = Arc::new(serde_json::from_value(pod).expect("a pod"));
        let Usage { requests, non_zero } = (*Shapes::default().pod_info(&pod).usage).clone();
        (requests.cpu_milli, requests.memory_bytes / MIB, non_zero.cpu_milli, non_zero.memory_bytes / MIB)
    }

    fn container(requests: &Value) -> Value {
        json!({"name": "main", "resources": {"requests": requests}})
    }

    #[test]
    fn a_container_that_asks_for_nothing_counts_as_asking_for_a_little() {
        let none = json!({});
        let cpu = json!({"cpu": "1"});
        let table = [
            (json!({"containers": [container(&none)]}), (0, 0, 100, 200)),
            (json!({"containers": [container(&cpu), container(&none)]}), (1000, 0, 1100, 400)),
            (json!({"containers": [container(&json!({"cpu": "0", "memory": "0"}))]}), (0, 0, 0, 0)),
            (
                json!({"containers": [container(&none)], "initContainers": [container(&cpu)]}),
                (1000, 0, 1000, 200),
            ),
            (
                json!({"containers": [container(&none)], "overhead": {"cpu": "5m", "memory": "1Mi"}}),
                (5, 1, 105, 201),
            ),
        ];
        for (spec, expected) in table {
            assert_eq!(usage(&spec, &none), expected, "{spec}");
        }
    }

    #[test]
    fn with_requests_for_the_pod_as_a_whole_only_what_nobody_asks_for_is_filled_in() {
        let pod = |pod_level: &Value, main: &Value| {
            let spec = json!({
                "resources": {"requests": pod_level},
                "containers": [container(main), container(&json!({}))],
            });
            usage(&spec, &json!({}))
        };
        assert_eq!(pod(&json!({"cpu": "1"}), &json!({})), (1000, 0, 1000, 400));
        assert_eq!(pod(&json!({"cpu": "1"}), &json!({"memory": "64Mi"})), (1000, 64, 1000, 64));
        assert_eq!(pod(&json!({"cpu": "1", "memory": "1Mi"}), &json!({})), (1000, 1, 1000, 1));
    }

    #[test]
    fn a_pod_that_is_being_resized_takes_the_more_of_what_it_asks_for_and_has() {
        let spec = json!({"containers": [container(&json!({"cpu": "1"}))]});
        let status = json!({"containerStatuses": [{
            "name": "main",
            "resources": {"requests": {"cpu": "3", "memory": "64Mi"}},
        }]});
        assert_eq!(usage(&spec, &status), (3000, 64, 3000, 64));
    }
}
