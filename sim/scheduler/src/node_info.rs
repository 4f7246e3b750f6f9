//! What the scheduler knows of a node: what it offers, and what the pods on it (bound or assumed) have taken.
//!
//! Upstream: `pkg/scheduler/framework/types.go`, `NodeInfo`.

use std::sync::Arc;

use api::{Node, Pod, Resources, Uid};
use base::Name;

use crate::host_ports::HostPorts;

/// What a container without a request is taken to ask for when nodes are ranked.
/// Upstream: `pkg/scheduler/util/pod_resources.go`.
const DEFAULT_CPU_MILLI: i64 = 100;
const DEFAULT_MEMORY_BYTES: i64 = 200 * 1024 * 1024;

#[derive(Clone, Debug)]
pub struct NodeInfo {
    pub node: Arc<Node>,
    pub allocatable: Resources,
    /// Summed over the pods; `pods` counts them.
    pub requested: Resources,
    /// The same for cpu and memory, where a container that asks for none counts as asking for a little.
    pub non_zero: NonZero,
    pub ports: HostPorts,
    pods: Vec<Arc<Pod>>,
}

/// Requests of cpu and memory that are never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NonZero {
    pub cpu_milli: i64,
    pub memory_bytes: i64,
}

impl NodeInfo {
    pub fn new(node: Arc<Node>) -> Self {
        Self {
            allocatable: Resources::from_list(&node.status.allocatable),
            node,
            requested: Resources::default(),
            non_zero: NonZero::default(),
            ports: HostPorts::default(),
            pods: Vec::new(),
        }
    }

    pub fn name(&self) -> &Name {
        &self.node.meta.name
    }

    /// In the order in which they came.
    pub fn pods(&self) -> &[Arc<Pod>] {
        &self.pods
    }

    pub fn set_node(&mut self, node: Arc<Node>) {
        self.allocatable = Resources::from_list(&node.status.allocatable);
        self.node = node;
    }

    pub fn add_pod(&mut self, pod: Arc<Pod>) {
        self.requested += pod.requests();
        self.requested.pods += 1;
        let non_zero = NonZero::of(&pod);
        self.non_zero.cpu_milli += non_zero.cpu_milli;
        self.non_zero.memory_bytes += non_zero.memory_bytes;
        self.ports.add(&pod);
        self.pods.push(pod);
    }

    /// Takes out the pod with this uid, if it is there.
    pub fn remove_pod(&mut self, uid: Uid) -> Option<Arc<Pod>> {
        let idx = self.pods.iter().position(|it| it.meta.uid == uid)?;
        let pod = self.pods.remove(idx);
        self.requested -= pod.requests();
        self.requested.pods -= 1;
        let non_zero = NonZero::of(&pod);
        self.non_zero.cpu_milli -= non_zero.cpu_milli;
        self.non_zero.memory_bytes -= non_zero.memory_bytes;
        self.ports.remove(&pod);
        Some(pod)
    }
}

impl NonZero {
    /// Upstream: `calculatePodResourceRequest` with `useRequested` off, by way of `resource.PodRequests`
    /// with `NonMissingContainerRequests`.
    pub fn of(pod: &Pod) -> Self {
        let own = |container: &api::Container| {
            let requests = &container.resources.requests;
            Self {
                cpu_milli: requests.get("cpu").map_or(DEFAULT_CPU_MILLI, |it| it.milli_value()),
                memory_bytes: requests.get("memory").map_or(DEFAULT_MEMORY_BYTES, |it| it.value()),
            }
        };
        let (mut sum, mut sidecars, mut starting) = (Self::default(), Self::default(), Self::default());
        pod.spec.containers.iter().for_each(|it| sum = sum.plus(own(it)));
        for container in &pod.spec.init_containers {
            let at_once = own(container).plus(sidecars);
            if container.is_sidecar() {
                sum = sum.plus(own(container));
                sidecars = at_once;
            }
            starting = starting.max(at_once);
        }
        let overhead = Resources::from_list(&pod.spec.overhead);
        let sum = sum.max(starting);
        let pod_level = pod.spec.resources.as_ref().map(|it| &it.requests);
        Self {
            cpu_milli: pod_level.and_then(|it| it.get("cpu")).map_or(sum.cpu_milli, |it| it.milli_value())
                + overhead.cpu_milli,
            memory_bytes: pod_level.and_then(|it| it.get("memory")).map_or(sum.memory_bytes, |it| it.value())
                + overhead.memory_bytes,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            cpu_milli: self.cpu_milli + other.cpu_milli,
            memory_bytes: self.memory_bytes + other.memory_bytes,
        }
    }

    fn max(self, other: Self) -> Self {
        Self {
            cpu_milli: self.cpu_milli.max(other.cpu_milli),
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
        }
    }
}
