//! A term of the pod that is to be scheduled, to be matched against pods on nodes.
//!
//! Upstream: `pkg/scheduler/framework/plugins/interpodaffinity/plugin.go`, `mergeAffinityTermNamespacesIfNotEmpty`.

use api::{Labels, Namespace, Pod, Selector};
use base::Name;

use crate::cluster::Cluster;
use crate::nodes::ColumnIdx;
use crate::pod_info::AffinityTerm;

#[derive(Clone, Debug)]
pub(super) struct IncomingTerm {
    pub(super) column: ColumnIdx,
    /// Those that it names and those that it selects. Sorted.
    namespaces: Vec<Name>,
    /// Whether its selector of namespaces would match one without labels. Upstream looks up no labels here, since
    /// the selector has been resolved; but it leaves the selector in place.
    means_all_namespaces: bool,
    selector: Selector,
}

impl IncomingTerm {
    pub(super) fn new(cluster: &Cluster, term: &AffinityTerm) -> Self {
        let mut namespaces = term.namespaces.clone();
        let all = cluster.objects.list::<Namespace>();
        let selected = all.filter(|it| term.namespace_selector.matches(&it.meta.labels));
        namespaces.extend(selected.map(|it| it.meta.name.clone()));
        namespaces.sort();
        Self {
            column: cluster.nodes.column(&term.topology_key),
            namespaces,
            means_all_namespaces: term.namespace_selector.matches(&Labels::EMPTY),
            selector: term.selector.clone(),
        }
    }

    pub(super) fn matches(&self, pod: &Pod) -> bool {
        let in_namespace =
            self.means_all_namespaces || self.namespaces.binary_search(&pod.meta.namespace).is_ok();
        in_namespace && self.selector.matches(&pod.meta.labels)
    }
}
