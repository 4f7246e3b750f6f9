//! The registries as all nodes share them: which of them fail, and how what they send is dealt out.
//!
//! Nodes ask nobody while a registry neither fails nor has a limit. Where it has one, each node tells how many pulls
//! it has under way there, and is told how fast each of them may go.

use std::collections::{BTreeMap, BTreeSet};

use base::Name;

use super::reference::Reference;

/// What is wrong with registries now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// By host.
    pub failing: BTreeMap<Name, Failing>,
    /// Images that their registry does not have, by full name.
    pub missing: BTreeSet<Name>,
}

/// How a registry fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failing {
    /// It answers requests with 429, but goes on sending what it sends.
    Throttle,
    /// It answers with 503, and what it was sending breaks off.
    Outage,
}

impl Conditions {
    pub(crate) fn of(&self, image: &Reference) -> Option<Failing> {
        self.failing.get(image.host()).copied()
    }
}

/// What a node would take in now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    /// The node's own link, in bytes per second.
    pub link: f64,
    /// How many pulls come from registries with a limit, by host.
    pub limited: BTreeMap<Name, u32>,
    /// How many come from elsewhere.
    pub others: u32,
}

/// How fast one pull from a host may go, in bytes per second, by host.
pub type Allowance = BTreeMap<Name, f64>;

/// Deals out what registries send among all pulls of the cluster.
#[derive(Clone, Debug, Default)]
pub struct Registries {
    /// Of each host, in bytes per second.
    limits: BTreeMap<Name, f64>,
    demands: BTreeMap<Name, Demand>,
    /// What each node was told last.
    told: BTreeMap<Name, Allowance>,
}

/// A link, and what of it is still to be dealt out to how many pulls.
#[derive(Clone, Copy, Debug)]
struct Link {
    left: f64,
    open: u32,
}

/// Pulls that share both their links: of one node, from one host.
struct Group<'a> {
    node: &'a Name,
    /// `None` where the host has no limit.
    host: Option<&'a Name>,
    pulls: u32,
}

impl Registries {
    pub fn new(limits: BTreeMap<Name, f64>) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes in what a node wants now; `None` when it pulls no more. Returns the nodes to be told something new.
    pub fn set(&mut self, node: &Name, demand: Option<Demand>) -> Vec<(Name, Allowance)> {
        match demand.filter(|it| !it.limited.is_empty()) {
            Some(demand) => drop(self.demands.insert(node.clone(), demand)),
            None => drop(self.demands.remove(node)),
        }
        let fresh = self.deal();
        let is_new = |(node, it): &(&Name, &Allowance)| self.told.get(*node) != Some(*it);
        let news = fresh.iter().filter(is_new).map(|(node, it)| (node.clone(), it.clone())).collect();
        self.told = fresh;
        news
    }

    /// Fills all links evenly: the link that is full first fixes what its pulls get, and so on with the rest.
    fn deal(&self) -> BTreeMap<Name, Allowance> {
        let mut groups = self.groups();
        let mut links = self.links(&groups);
        let mut dealt: BTreeMap<Name, Allowance> = BTreeMap::new();
        while let Some((full, rate)) = tightest(&links) {
            let (fixed, open): (Vec<_>, Vec<_>) = groups.into_iter().partition(|it| it.uses(&full));
            for it in fixed {
                for link in it.links() {
                    links.get_mut(&link).expect("all links of all groups are there").take(it.pulls, rate);
                }
                if let Some(host) = it.host {
                    dealt.entry(it.node.clone()).or_default().insert(host.clone(), rate);
                }
            }
            groups = open;
        }
        dealt
    }

    fn groups(&self) -> Vec<Group<'_>> {
        let mut groups = Vec::new();
        for (node, demand) in &self.demands {
            groups.extend(demand.limited.iter().map(|(host, pulls)| Group {
                node,
                host: Some(host),
                pulls: *pulls,
            }));
            if 0 < demand.others {
                groups.push(Group { node, host: None, pulls: demand.others });
            }
        }
        groups
    }

    fn links(&self, groups: &[Group<'_>]) -> BTreeMap<LinkName, Link> {
        let mut links: BTreeMap<LinkName, Link> = BTreeMap::new();
        for group in groups {
            for name in group.links() {
                let capacity = match &name {
                    LinkName::Node(node) => self.demands[node].link,
                    LinkName::Host(host) => self.limits.get(host).copied().unwrap_or(f64::INFINITY),
                };
                links.entry(name).or_insert(Link { left: capacity, open: 0 }).open += group.pulls;
            }
        }
        links
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LinkName {
    Node(Name),
    Host(Name),
}

impl Group<'_> {
    fn links(&self) -> impl Iterator<Item = LinkName> + use<> {
        [Some(LinkName::Node(self.node.clone())), self.host.cloned().map(LinkName::Host)]
            .into_iter()
            .flatten()
    }

    fn uses(&self, link: &LinkName) -> bool {
        match link {
            LinkName::Node(node) => node == self.node,
            LinkName::Host(host) => Some(host) == self.host,
        }
    }
}

impl Link {
    fn take(&mut self, pulls: u32, rate: f64) {
        self.left = (self.left - f64::from(pulls) * rate).max(0.0);
        self.open -= pulls;
    }
}

/// The link whose pulls get least, and how much each; the first by name among equals.
fn tightest(links: &BTreeMap<LinkName, Link>) -> Option<(LinkName, f64)> {
    let open = links.iter().filter(|(_, it)| 0 < it.open);
    let fair = open.map(|(name, it)| (name, it.left / f64::from(it.open)));
    fair.reduce(|least, it| if it.1 < least.1 { it } else { least }).map(|(name, rate)| (name.clone(), rate))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn demand(link: f64, pulls: &[(&str, u32)], others: u32) -> Demand {
        Demand { link, limited: pulls.iter().map(|(host, n)| (Name::new(host), *n)).collect(), others }
    }

    fn registries() -> Registries {
        Registries::new([(Name::new("docker.io"), 100.0)].into())
    }

    #[test]
    fn a_limit_is_shared_by_all_nodes() {
        let mut registries = registries();
        let told = registries.set(&Name::new("a"), Some(demand(80.0, &[("docker.io", 1)], 0)));
        assert_eq!(
            told,
            [(Name::new("a"), [(Name::new("docker.io"), 80.0)].into())],
            "its own link is slower"
        );
        let told = registries.set(&Name::new("b"), Some(demand(80.0, &[("docker.io", 3)], 0)));
        let rates: Vec<f64> = told.iter().map(|it| it.1["docker.io"]).collect();
        assert_eq!(rates, [25.0, 25.0]);
        let told = registries.set(&Name::new("b"), None);
        assert_eq!(told, [(Name::new("a"), [(Name::new("docker.io"), 80.0)].into())]);
        assert!(registries.set(&Name::new("b"), None).is_empty(), "nothing is new");
    }

    #[test]
    fn what_a_slow_node_cannot_take_is_left_to_the_others() {
        let mut registries = registries();
        registries.set(&Name::new("slow"), Some(demand(30.0, &[("docker.io", 1)], 2)));
        let told = registries.set(&Name::new("fast"), Some(demand(500.0, &[("docker.io", 1)], 0)));
        assert_eq!(told, [(Name::new("fast"), [(Name::new("docker.io"), 90.0)].into())]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_link_is_exceeded(nodes in prop::collection::vec((1.0_f64..1e3, 0_u32..5, 0_u32..5, 0_u32..3), 1..12)) {
            let mut registries =
                Registries::new([(Name::new("docker.io"), 100.0), (Name::new("quay.io"), 50.0)].into());
            for (n, (link, docker, quay, others)) in nodes.iter().enumerate() {
                let pulls: Vec<(&str, u32)> =
                    [("docker.io", *docker), ("quay.io", *quay)].into_iter().filter(|it| 0 < it.1).collect();
                registries.set(&Name::from(format!("node-{n}")), Some(demand(*link, &pulls, *others)));
            }
            for (host, limit) in &registries.limits {
                let rate = |(node, it): (&Name, &Demand)| {
                    it.limited.get(host).map_or(0.0, |n| f64::from(*n) * registries.told[node][host])
                };
                let sum: f64 = registries.demands.iter().map(rate).sum();
                prop_assert!(sum <= limit * (1.0 + 1e-9), "{host}: {sum}");
            }
            for (node, demand) in &registries.demands {
                let sum: f64 = demand.limited.iter().map(|(host, n)| f64::from(*n) * registries.told[node][host]).sum();
                prop_assert!(sum <= demand.link * (1.0 + 1e-9), "{node}: {sum}");
            }
        }
    }
}
