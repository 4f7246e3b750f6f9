//! Sums by topology key and value.
//!
//! Upstream: `topologyToMatchedTermCount` in `pkg/scheduler/framework/plugins/interpodaffinity/filtering.go`.

use std::sync::Arc;

use crate::node_info::NodeIdx;
use crate::nodes::{ColumnIdx, Nodes};

/// Cheap to clone. Holds as long as no node changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// In the order in which the keys were first met; there are few.
    columns: Vec<Counted>,
    /// How many sums are not zero.
    nonzero: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Counted {
    column: ColumnIdx,
    /// By position of the domain.
    sums: Arc<[i32]>,
}

impl Counts {
    pub(super) fn is_empty(&self) -> bool {
        self.nonzero == 0
    }

    /// Adds to the domain of the node. Returns whether it is in any.
    pub(super) fn add(&mut self, nodes: &Nodes, column: ColumnIdx, node: NodeIdx, amount: i32) -> bool {
        let Some(domain) = nodes[column].of(node) else { return false };
        let counted = self.counted(nodes, column);
        let sum = &mut Arc::make_mut(&mut counted.sums)[domain.position()];
        let was_zero = *sum == 0;
        *sum += amount;
        match (was_zero, *sum == 0) {
            (true, false) => self.nonzero += 1,
            (false, true) => self.nonzero -= 1,
            (true, true) | (false, false) => (),
        }
        true
    }

    /// The sum for the domain of the node; `None` if it is in none.
    pub(super) fn of(&self, nodes: &Nodes, column: ColumnIdx, node: NodeIdx) -> Option<i32> {
        let domain = nodes[column].of(node)?;
        let counted = self.columns.iter().find(|it| it.column == column);
        Some(counted.map_or(0, |it| it.sums[domain.position()]))
    }

    /// Whether any sum for a domain of the node is above zero.
    pub(super) fn any(&self, nodes: &Nodes, node: NodeIdx) -> bool {
        self.nonzero > 0 && self.sums(nodes, node).any(|sum| sum > 0)
    }

    /// Over all keys.
    pub(super) fn total(&self, nodes: &Nodes, node: NodeIdx) -> i64 {
        self.sums(nodes, node).map(i64::from).sum()
    }

    fn sums(&self, nodes: &Nodes, node: NodeIdx) -> impl Iterator<Item = i32> {
        self.columns.iter().filter_map(move |it| {
            let domain = nodes[it.column].of(node)?;
            Some(it.sums[domain.position()])
        })
    }

    fn counted(&mut self, nodes: &Nodes, column: ColumnIdx) -> &mut Counted {
        let position = self.columns.iter().position(|it| it.column == column).unwrap_or_else(|| {
            let sums = vec![0; nodes[column].domains()].into();
            self.columns.push(Counted { column, sums });
            self.columns.len() - 1
        });
        &mut self.columns[position]
    }
}
