//! How many pods each domain has, and the fewest that any has.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::nodes::Domain;

/// Counts by domain, with their minimum exact after each step. Cheap to clone.
///
/// Upstream keeps the two emptiest domains, which is exact as long as pods change on one node only; here pods on all
/// nodes come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// By position of the domain. Below zero where pods were taken away that had not been counted.
    counts: Arc<[i32]>,
    /// How many domains have any node that counts.
    domains: usize,
    /// How many of those have `lowest` pods, `lowest + 1`, and so on.
    histogram: VecDeque<u32>,
    lowest: i32,
    minimum: i32,
}

impl Tally {
    /// Without pods. There are so many domains; those of `counting`, some of them perhaps more than once, have nodes
    /// that count.
    pub(super) fn new(domains: usize, counting: impl Iterator<Item = Domain>) -> Self {
        let mut is_present = vec![false; domains];
        counting.for_each(|it| is_present[it.position()] = true);
        let present = is_present.into_iter().filter(|it| *it).count();
        Self {
            counts: vec![0; domains].into(),
            domains: present,
            histogram: [u32::try_from(present).expect("domains are counted in 32 bits")].into(),
            lowest: 0,
            minimum: 0,
        }
    }

    pub(super) fn count(&self, domain: Domain) -> i32 {
        self.counts[domain.position()]
    }

    /// By position of the domain.
    pub(super) fn counts(&self) -> &[i32] {
        &self.counts
    }

    /// The fewest pods of any domain; none, if there are fewer domains than `min_domains`, which is at least 1.
    /// Upstream: `minMatchNum`.
    pub(super) fn minimum(&self, min_domains: usize) -> i32 {
        if self.domains < min_domains { 0 } else { self.minimum }
    }

    /// One pod more in `domain`, which has a node that counts.
    pub(super) fn add(&mut self, domain: Domain) {
        let count = &mut Arc::make_mut(&mut self.counts)[domain.position()];
        let old = *count;
        *count += 1;
        *self.with_count(old) -= 1;
        *self.with_count(old + 1) += 1;
        if old == self.minimum && *self.with_count(old) == 0 {
            self.minimum += 1;
        }
    }

    /// One pod fewer in `domain`, which has a node that counts.
    pub(super) fn remove(&mut self, domain: Domain) {
        let count = &mut Arc::make_mut(&mut self.counts)[domain.position()];
        let old = *count;
        *count -= 1;
        *self.with_count(old) -= 1;
        *self.with_count(old - 1) += 1;
        self.minimum = self.minimum.min(old - 1);
    }

    /// How many domains have `count` pods, which is at most one beyond what any has had.
    fn with_count(&mut self, count: i32) -> &mut u32 {
        if count < self.lowest {
            self.histogram.push_front(0);
            self.lowest -= 1;
        }
        let position = usize::try_from(count - self.lowest).expect("nothing is below the lowest count");
        if position == self.histogram.len() {
            self.histogram.push_back(0);
        }
        &mut self.histogram[position]
    }
}

#[cfg(test)]
mod tests {
    use api::Node;
    use base::Name;
    use proptest::prelude::*;

    use super::*;
    use crate::nodes::Nodes;

    /// As many domains as asked for.
    fn domains(count: usize) -> Vec<Domain> {
        let mut nodes = Nodes::default();
        nodes.mention(&Name::from_static("domain"));
        for n in 0..count {
            let mut node = Node::default();
            node.meta.name = Name::from(format!("node-{n}"));
            node.meta.labels.insert("domain", format!("domain-{n}"));
            nodes.set(&node.into());
        }
        let column = &nodes[nodes.column("domain")];
        nodes.iter().map(|it| column.of(it.idx).unwrap()).collect()
    }

    #[test]
    fn with_fewer_domains_than_wanted_the_emptiest_counts_as_empty() {
        let domains = domains(2);
        let mut tally = Tally::new(2, domains.iter().copied());
        domains.iter().for_each(|it| tally.add(*it));
        assert_eq!([1, 2, 3].map(|min_domains| tally.minimum(min_domains)), [1, 1, 0]);
        assert_eq!(Tally::new(1, std::iter::empty()).minimum(1), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever pods come and go, the minimum is that of the counts.
        #[test]
        fn the_minimum_is_exact(
            present in prop::collection::vec(prop::bool::weighted(0.8), 6),
            steps in prop::collection::vec((0_usize..6, prop::bool::weighted(0.6)), 0..60),
        ) {
            let domains = domains(6);
            let counting = domains.iter().zip(&present).filter(|(_, present)| **present);
            let mut tally = Tally::new(6, counting.map(|(domain, _)| *domain));
            for (position, comes) in steps.into_iter().filter(|(position, _)| present[*position]) {
                if comes { tally.add(domains[position]) } else { tally.remove(domains[position]) }
                let counts = domains.iter().zip(&present).filter(|(_, present)| **present);
                let fewest = counts.map(|(domain, _)| tally.count(*domain)).min();
                prop_assert_eq!(Some(tally.minimum(1)), fewest);
            }
        }
    }
}
