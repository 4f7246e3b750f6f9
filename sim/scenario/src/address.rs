//! The addresses of nodes and of their pods: as a cluster that kubeadm made would hand them out.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use api::ResourceList;
use base::Name;

/// Hands out a range for pods to each node, in order. The same nodes always get the same ranges.
#[derive(Debug)]
pub(crate) struct PodRanges {
    base: u32,
    /// How many bits of a range are fixed: 24, or fewer where a node takes more pods than that has room for.
    prefix: u32,
    next: u32,
    taken: BTreeSet<Name>,
}

/// Where ranges come from while they fit: what kubeadm's guides recommend for flannel.
const SMALL: (Ipv4Addr, u32) = (Ipv4Addr::new(10, 244, 0, 0), 16);
/// Where they come from otherwise. Below it lies the range of services, 10.96.0.0/12.
const LARGE: (Ipv4Addr, u32) = (Ipv4Addr::new(10, 128, 0, 0), 9);
/// `--node-cidr-mask-size` of kube-controller-manager by default.
const PREFIX: u32 = 24;
/// Of each range, the network, the bridge and the broadcast address are not for pods.
const NOT_FOR_PODS: i64 = 3;

impl PodRanges {
    /// For so many nodes, none of which takes more than `pods_max` pods, beside the ranges that are `taken`.
    /// `None` if there is no room.
    pub(crate) fn new(nodes: u32, pods_max: i64, taken: BTreeSet<Name>) -> Option<Self> {
        let needed = pods_max.checked_add(NOT_FOR_PODS)?;
        let prefix = (8..=PREFIX).rev().find(|prefix| needed <= 1 << (32 - prefix))?;
        let nodes = u64::from(nodes) + taken.len() as u64;
        let fits = |(_, outer): &(Ipv4Addr, u32)| {
            *outer <= prefix && nodes <= 1_u64.checked_shl(prefix - outer).unwrap_or(0)
        };
        let (base, _) = [SMALL, LARGE].into_iter().find(fits)?;
        Some(Self { base: u32::from(base), prefix, next: 0, taken })
    }

    /// The next range: `10.244.3.0/24`.
    pub(crate) fn next(&mut self) -> Name {
        loop {
            let address = Ipv4Addr::from(self.base.wrapping_add(self.next << (32 - self.prefix)));
            self.next += 1;
            let range = Name::from(format_args!("{address}/{}", self.prefix));
            if !self.taken.contains(&range) {
                return range;
            }
        }
    }
}

/// The address of the node with this number in the cluster: 192.168.0.1, 192.168.0.2, …
pub(crate) fn of_node(n: u32) -> Name {
    const FIRST: u32 = u32::from_be_bytes([192, 168, 0, 0]);
    const HOSTS: u32 = 254; // None ends in 0 or 255.
    Name::from(format_args!("{}", Ipv4Addr::from(FIRST + (n / HOSTS) * 256 + n % HOSTS + 1)))
}

/// How many pods a node with this capacity may have; 110 if it does not say.
pub(crate) fn pods_of(capacity: &ResourceList) -> i64 {
    capacity.get("pods").map_or(110, |it| it.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(nodes: u32, pods: i64, show: &[u32]) -> Option<Vec<String>> {
        let mut ranges = PodRanges::new(nodes, pods, BTreeSet::new())?;
        let all: Vec<Name> = (0..nodes).map(|_| ranges.next()).collect();
        Some(show.iter().map(|&n| all[n as usize].to_string()).collect())
    }

    #[test]
    fn ranges_grow_with_the_cluster() {
        let table = [
            (3, 110, &[0, 2][..], Some(vec!["10.244.0.0/24", "10.244.2.0/24"])),
            (256, 110, &[255], Some(vec!["10.244.255.0/24"])),
            (257, 110, &[0, 256], Some(vec!["10.128.0.0/24", "10.129.0.0/24"])),
            (5_000, 253, &[4_999], Some(vec!["10.147.135.0/24"])),
            (64, 500, &[0, 63], Some(vec!["10.244.0.0/23", "10.244.126.0/23"])),
            (40_000, 110, &[], None),
            (1, i64::MAX, &[], None),
        ];
        for (nodes, pods, show, expected) in table {
            let expected = expected.map(|it| it.into_iter().map(str::to_owned).collect());
            assert_eq!(ranges(nodes, pods, show), expected, "{nodes} nodes of {pods} pods");
        }
    }

    #[test]
    fn ranges_of_a_snapshot_are_left_out() {
        let taken = BTreeSet::from([Name::from_static("10.244.0.0/24"), Name::from_static("10.244.2.0/24")]);
        let mut ranges = PodRanges::new(2, 110, taken).expect("there is room");
        assert_eq!([ranges.next(), ranges.next()], ["10.244.1.0/24", "10.244.3.0/24"]);
    }

    #[test]
    fn nodes_have_addresses_of_their_own() {
        assert_eq!(
            [0, 253, 254, 29_999].map(of_node),
            ["192.168.0.1", "192.168.0.254", "192.168.1.1", "192.168.118.28"]
        );
        let all: BTreeSet<Name> = (0..30_000).map(of_node).collect();
        assert_eq!(all.len(), 30_000);
    }
}
