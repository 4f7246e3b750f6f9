//! A pod as the runtime knows it: its network, and its containers.

use std::sync::Arc;

use api::{Pod, PodSpec};
use base::{Luck, Name, Time};

use super::instance::Instance;
use super::processor::PodClaim;

/// The sandbox of a pod and the containers in it, those that have ended included.
#[derive(Clone, Debug)]
pub struct Sandbox {
    pub namespace: Name,
    pub name: Name,
    /// Empty where the pod uses the network of its node.
    pub ip: Name,
    /// When the network was taken down; [`Time::MAX`] while it is up.
    pub up_until: Time,
    /// Whether its address is taken in the node's range.
    pub(crate) holds_address: bool,
    pub(crate) created: Time,
    /// How often it was made again.
    pub(crate) attempt: u32,
    /// Of its containers.
    pub(crate) entity: u64,
    /// How many pods share the load that comes to this one; 0 while none comes.
    pub(crate) sharing: u32,
    /// What its cgroup has a claim to of the node's processor time.
    pub(crate) claim: PodClaim,
    /// What is set aside for the containers. Everything else in it may be out of date.
    pub(crate) allocated: Arc<PodSpec>,
    /// By position among all containers of the spec, init containers first.
    pub(crate) cells: Vec<Cell>,
}

/// The runs of one container: the last, and the one before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    current: Option<Box<Instance>>,
    previous: Option<Box<Instance>>,
    /// How many there have been.
    pub(crate) runs: u32,
}

impl Sandbox {
    pub(crate) fn new(pod: &Pod, entity: u64) -> Self {
        let containers = pod.spec.init_containers.len() + pod.spec.containers.len();
        Self {
            namespace: pod.meta.namespace.clone(),
            name: pod.meta.name.clone(),
            ip: Name::EMPTY,
            up_until: Time::ZERO,
            holds_address: false,
            created: Time::MAX,
            attempt: 0,
            entity,
            sharing: 0,
            claim: PodClaim::of(pod),
            allocated: Arc::clone(&pod.spec),
            cells: vec![Cell::default(); containers],
        }
    }

    pub fn is_up(&self, at: Time) -> bool {
        self.created <= at && at < self.up_until
    }

    /// The last run of a container, by its position among all containers of the pod, init containers first.
    pub fn instance(&self, container: usize) -> Option<&Instance> {
        self.cells.get(container)?.current.as_deref()
    }

    /// How many containers its pod has, init containers included.
    pub fn containers(&self) -> usize {
        self.cells.len()
    }

    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.cells.iter().filter_map(|it| it.current.as_deref())
    }

    pub(crate) fn instance_mut(&mut self, container: usize) -> Option<&mut Instance> {
        self.cells.get_mut(container)?.current_mut()
    }

    pub(crate) fn instances_mut(&mut self) -> impl Iterator<Item = &mut Instance> {
        self.cells.iter_mut().filter_map(|it| it.current.as_deref_mut())
    }

    /// The last run that had started by `at`.
    pub(crate) fn seen(&self, container: usize, at: Time) -> Option<&Instance> {
        self.runs(container).find(|it| it.started <= at)
    }

    /// The run before the one that [`Self::seen`] finds.
    pub(crate) fn seen_before(&self, container: usize, at: Time) -> Option<&Instance> {
        self.runs(container).filter(|it| it.started <= at).nth(1)
    }

    /// When the last run that had ended by `at` did so.
    pub(crate) fn last_end(&self, container: usize, at: Time) -> Option<Time> {
        self.runs(container).find_map(|it| it.ended(at)).map(|it| it.reported)
    }

    /// When the next run ends that is still going on after `at`.
    pub(crate) fn next_end(&self, at: Time) -> Option<Time> {
        self.instances().filter_map(|it| it.end).map(|it| it.at).filter(|end| at < *end).min()
    }

    /// The latest first.
    fn runs(&self, container: usize) -> impl Iterator<Item = &Instance> {
        let cell = self.cells.get(container);
        cell.into_iter().flat_map(|it| it.current.iter().chain(&it.previous)).map(AsRef::as_ref)
    }
}

impl Cell {
    pub(crate) fn start(&mut self, instance: Instance) {
        self.runs += 1;
        self.previous = self.current.replace(Box::new(instance));
    }

    pub(crate) fn current_mut(&mut self) -> Option<&mut Instance> {
        self.current.as_deref_mut()
    }

    /// Forgets its runs, but not how many there were.
    pub(crate) fn purge(&mut self) {
        (self.current, self.previous) = (None, None);
    }
}

/// The number of a draw for a run of a container.
pub(crate) fn draw_of(container: usize, attempt: u32) -> u64 {
    (container as u64) << 32 | u64::from(attempt)
}

/// The number of a pod in all draws for it.
pub(crate) fn entity_of(namespace: &str, name: &str) -> u64 {
    Luck::of_text(&[namespace, "/", name].concat())
}
