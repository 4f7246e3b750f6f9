//! What filters would say if other pods were on a node.

use crate::diagnosis::Refusal;
use crate::framework::{Cycle, Filter};
use crate::node_info::NodeInfo;
use crate::pod_info::PodInfo;

/// The filters that have something to say about a pod, to be changed at will. Upstream: a cloned `CycleState`.
#[derive(Clone)]
pub struct Hypothesis {
    filters: Vec<(&'static str, Box<dyn Filter>)>,
}

impl Hypothesis {
    pub(crate) fn new(filters: Vec<(&'static str, Box<dyn Filter>)>) -> Self {
        Self { filters }
    }

    /// As if `other` were on `node` too.
    pub fn add_pod(&mut self, cycle: &Cycle<'_>, other: &PodInfo, node: &mut NodeInfo) {
        node.add_pod(other.clone());
        self.filters.iter_mut().for_each(|(_, it)| it.add_pod(cycle, other, node));
    }

    /// As if `other` were not on `node`.
    pub fn remove_pod(&mut self, cycle: &Cycle<'_>, other: &PodInfo, node: &mut NodeInfo) {
        node.remove_pod(other.uid());
        self.filters.iter_mut().for_each(|(_, it)| it.remove_pod(cycle, other, node));
    }

    /// Whether `node` would do, both if the pods that were promised room there took it and if they did not.
    /// Upstream: `RunFilterPluginsWithNominatedPods`.
    pub fn verdict(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Refusal> {
        let mut more_important = cycle.cluster.nominated.ahead_of(cycle.pod, node.name()).peekable();
        if more_important.peek().is_some() {
            let (mut with, mut crowded) = (self.clone(), node.clone());
            more_important.for_each(|it| with.add_pod(cycle, it, &mut crowded));
            with.run(cycle, &crowded)?;
        }
        self.run(cycle, node)
    }

    fn run(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Refusal> {
        self.filters.iter().try_for_each(|(plugin, filter)| {
            filter.filter(cycle, node).map_err(|rejection| Refusal { plugin, rejection })
        })
    }
}

impl std::fmt::Debug for Hypothesis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.filters.iter().map(|it| it.0)).finish()
    }
}
