//! What the constraints say of each node, kept up to date as pods come and go.
//!
//! A pod changes the count of one domain, and now and then the fewest of any; few nodes are seen otherwise then. To look
//! at all of them for each pod is what takes time.

use super::filtering::{SKEWED, UNLABELLED};
use super::tally::Tally;
use crate::node_info::NodeIdx;
use crate::nodes::Domain;

/// By node and constraint: the domain that the node is in; `None` where it lacks the label.
#[derive(Debug)]
pub(super) struct Places {
    constraints: usize,
    domains: Vec<Option<Domain>>,
    /// By constraint and domain: the nodes in it.
    nodes: Vec<Vec<Vec<NodeIdx>>>,
}

#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// By constraint and domain: whether it has more pods than it may have.
    full: Vec<Vec<bool>>,
    /// The limits that this goes by.
    limits: Vec<i64>,
    /// By position of the node: 0 where it will do, else one more than the position of the refusal.
    verdicts: Vec<u8>,
}

impl Places {
    /// `rows` has the domains of each node, in order.
    pub(super) fn new(constraints: usize, rows: impl Iterator<Item = Vec<Option<Domain>>>) -> Self {
        let mut places = Self { constraints, domains: Vec::new(), nodes: vec![Vec::new(); constraints] };
        for (position, row) in rows.enumerate() {
            for (nodes, domain) in places.nodes.iter_mut().zip(&row) {
                let Some(domain) = domain else { continue };
                if nodes.len() <= domain.position() {
                    nodes.resize_with(domain.position() + 1, Vec::new);
                }
                nodes[domain.position()].push(NodeIdx::new(position));
            }
            places.domains.extend(row);
        }
        places
    }

    /// By constraint.
    pub(super) fn of(&self, node: NodeIdx) -> &[Option<Domain>] {
        &self.domains[node.position() * self.constraints..][..self.constraints]
    }

    fn count(&self) -> usize {
        self.domains.len().checked_div(self.constraints).unwrap_or(0)
    }

    fn nodes_in(&self, constraint: usize, domain: usize) -> &[NodeIdx] {
        self.nodes[constraint].get(domain).map_or(&[], Vec::as_slice)
    }
}

impl Standing {
    pub(super) fn new(places: &Places, tallies: &[Tally], limits: &[i64]) -> Self {
        let full = |(tally, limit): (&Tally, &i64)| {
            tally.counts().iter().map(|count| i64::from(*count) > *limit).collect()
        };
        let full = tallies.iter().zip(limits).map(full).collect();
        let mut standing = Self { full, limits: limits.to_vec(), verdicts: vec![0; places.count()] };
        for position in 0..places.count() {
            standing.judge(NodeIdx::new(position), places);
        }
        standing
    }

    pub(super) fn verdicts(&self) -> &[u8] {
        &self.verdicts
    }

    /// By constraint, the count of the `touched` domain may have changed, and the limit.
    pub(super) fn follow(
        &mut self,
        touched: impl Iterator<Item = Option<Domain>>,
        places: &Places,
        tallies: &[Tally],
        limits: &[i64],
    ) {
        for (constraint, touched) in touched.enumerate() {
            let (tally, limit) = (&tallies[constraint], limits[constraint]);
            if self.limits[constraint] != limit {
                self.limits[constraint] = limit;
                for (domain, count) in tally.counts().iter().enumerate() {
                    self.set_full(constraint, domain, i64::from(*count) > limit, places);
                }
            } else if let Some(domain) = touched {
                let is_full = i64::from(tally.count(domain)) > limit;
                self.set_full(constraint, domain.position(), is_full, places);
            }
        }
    }

    fn set_full(&mut self, constraint: usize, domain: usize, is_full: bool, places: &Places) {
        if std::mem::replace(&mut self.full[constraint][domain], is_full) != is_full {
            places.nodes_in(constraint, domain).iter().for_each(|&node| self.judge(node, places));
        }
    }

    /// The first constraint that is not met counts.
    fn judge(&mut self, node: NodeIdx, places: &Places) {
        let refusal = places.of(node).iter().zip(&self.full).find_map(|(place, full)| match place {
            None => Some(UNLABELLED),
            Some(domain) => full[domain.position()].then_some(SKEWED),
        });
        self.verdicts[node.position()] = refusal.map_or(0, |it| it + 1);
    }
}
