//! Refuses nodes where required company is missing, or where there is company that must not be.
//!
//! Upstream: `pkg/scheduler/framework/plugins/interpodaffinity/filtering.go`.

use std::sync::Arc;

use api::{Labels, Pod};
use base::{Lookup, Name};

use super::counts::Counts;
use super::incoming_term::IncomingTerm;
use crate::framework::{Cycle, Filter, PodStep, Rejection, Scope};
use crate::node_info::{NodeIdx, NodeInfo};
use crate::nodes::{ColumnIdx, Nodes};
use crate::pod_info::{AffinityTerm, PodInfo, ShapeId};

const NO_COMPANY: &str = "node(s) didn't match pod affinity rules";
const BAD_COMPANY: &str = "node(s) didn't match pod anti-affinity rules";
const NOT_WELCOME: &str = "node(s) didn't satisfy existing pods anti-affinity rules";

/// Where the pods are that matter to the one that is to be scheduled. Upstream: `preFilterState`.
#[derive(Clone, Debug)]
pub(super) struct Company {
    required: Arc<Required>,
    /// The pods that meet all affinity terms at once; each counts once for each term.
    friends: Counts,
    /// The pods that meet an anti-affinity term.
    foes: Counts,
    /// The pods with an anti-affinity term that the pod meets. Upstream: `existingAntiAffinityCounts`.
    repelling: Counts,
}

/// What the pod requires, and what can be required of it.
#[derive(Debug)]
struct Required {
    affinity: Vec<IncomingTerm>,
    anti_affinity: Vec<IncomingTerm>,
    /// Whether the pod itself meets all its affinity terms.
    is_own_friend: bool,
    namespace_labels: Labels,
}

/// What a pod of some template counts for, wherever it is.
#[derive(Debug, Default)]
struct Role {
    is_friend: bool,
    foe_by: Vec<ColumnIdx>,
    repels_by: Vec<ColumnIdx>,
}

impl Company {
    /// Upstream: `PreFilter`.
    pub(super) fn new(cycle: &Cycle<'_>) -> Self {
        let mut company = Self {
            required: Arc::new(Required::new(cycle)),
            friends: Counts::default(),
            foes: Counts::default(),
            repelling: Counts::default(),
        };
        let mut roles: Lookup<ShapeId, Role> = Lookup::new();
        let looks_at_all = !company.required.is_nothing();
        if looks_at_all || cycle.cluster.nodes.have_required_anti_affinity() {
            for node in cycle.cluster.nodes.iter() {
                let others = if looks_at_all { node.pods() } else { node.pods_with_required_anti_affinity() };
                for other in others {
                    let required = &company.required;
                    let role = roles.entry_or_insert_with(other.shape.id, || required.role(cycle, other));
                    company.count(&cycle.cluster.nodes, role, node.idx, 1);
                }
            }
        }
        company
    }

    fn count(&mut self, nodes: &Nodes, role: &Role, node: NodeIdx, amount: i32) {
        if role.is_friend {
            for term in &self.required.affinity {
                self.friends.add(nodes, term.column, node, amount);
            }
        }
        for column in &role.foe_by {
            self.foes.add(nodes, *column, node, amount);
        }
        for column in &role.repels_by {
            self.repelling.add(nodes, *column, node, amount);
        }
    }

    /// Upstream: `updateWithPod`.
    fn change(&mut self, cycle: &Cycle<'_>, other: &PodInfo, node: &NodeInfo, amount: i32) {
        if !self.required.is_nothing() || !other.shape.anti_affinity.is_empty() {
            let role = self.required.role(cycle, other);
            self.count(&cycle.cluster.nodes, &role, node.idx, amount);
        }
    }

    /// Upstream: `satisfyPodAffinity`.
    fn has_friends(&self, nodes: &Nodes, node: NodeIdx) -> bool {
        let mut are_everywhere = true;
        for term in &self.required.affinity {
            // Without the label a node is in no domain, and nobody can be near.
            let Some(count) = self.friends.of(nodes, term.column, node) else { return false };
            are_everywhere &= count > 0;
        }
        // The first of a group whose pods want to be near each other has nobody to be near to.
        are_everywhere || (self.friends.is_empty() && self.required.is_own_friend)
    }
}

impl Filter for Company {
    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        let nodes = &cycle.cluster.nodes;
        if !self.has_friends(nodes, node.idx) {
            return Err(Rejection::unresolvable(Name::from_static(NO_COMPANY)));
        }
        if self.foes.any(nodes, node.idx) {
            return Err(Rejection::unschedulable(Name::from_static(BAD_COMPANY)));
        }
        if self.repelling.any(nodes, node.idx) {
            return Err(Rejection::unschedulable(Name::from_static(NOT_WELCOME)));
        }
        Ok(())
    }

    fn scope(&self) -> Scope {
        Scope::Pods
    }

    /// Upstream: the Skip in `PreFilter`.
    fn is_idle(&self) -> bool {
        self.required.is_nothing() && self.repelling.is_empty()
    }

    fn add_pod(&mut self, cycle: &Cycle<'_>, other: &PodInfo, node: &NodeInfo) {
        self.change(cycle, other, node, 1);
    }

    fn remove_pod(&mut self, cycle: &Cycle<'_>, other: &PodInfo, node: &NodeInfo) {
        self.change(cycle, other, node, -1);
    }

    fn advance(&mut self, cycle: &Cycle<'_>, step: PodStep, other: &PodInfo, node: &NodeInfo) {
        let amount = match step {
            PodStep::Came => 1,
            PodStep::Left => -1,
        };
        self.change(cycle, other, node, amount);
    }
}

impl Required {
    fn new(cycle: &Cycle<'_>) -> Self {
        let cluster = cycle.cluster;
        let shape = &cycle.pod.shape;
        let resolve = |terms: &[AffinityTerm]| -> Vec<IncomingTerm> {
            terms.iter().map(|it| IncomingTerm::new(cluster, it)).collect()
        };
        let affinity = resolve(&shape.affinity);
        Self {
            is_own_friend: meets_all(&affinity, &cycle.pod.pod),
            affinity,
            anti_affinity: resolve(&shape.anti_affinity),
            namespace_labels: cluster.objects.namespace_labels(cycle.pod.namespace()).clone(),
        }
    }

    fn is_nothing(&self) -> bool {
        self.affinity.is_empty() && self.anti_affinity.is_empty()
    }

    fn role(&self, cycle: &Cycle<'_>, other: &PodInfo) -> Role {
        let foe_by = self.anti_affinity.iter().filter(|it| it.matches(&other.pod));
        let own = &cycle.pod.pod;
        let repels = other.shape.anti_affinity.iter().filter(|it| it.matches(own, &self.namespace_labels));
        Role {
            is_friend: meets_all(&self.affinity, &other.pod),
            foe_by: foe_by.map(|it| it.column).collect(),
            repels_by: repels.map(|it| cycle.cluster.nodes.column(&it.topology_key)).collect(),
        }
    }
}

/// Nobody meets no terms. Upstream: `podMatchesAllAffinityTerms`.
fn meets_all(terms: &[IncomingTerm], pod: &Pod) -> bool {
    !terms.is_empty() && terms.iter().all(|it| it.matches(pod))
}
