//! All nodes of a scenario: those of its pools, and those of its snapshots.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Labels, Node, Object, Rest};
use base::Name;
use kubelet::{Catalog, Setup};
use manifest::Path;

use crate::address::{self, PodRanges};
use crate::document::Problems;
use crate::pool::{NODES_MAX, Pool};

/// What is wrong with the nodes of a scenario as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NodesError {
    #[error("there are {count} nodes in all; {NODES_MAX} is the most")]
    TooMany { count: u64 },
    #[error("a range of addresses for {pods} pods on each of {nodes} nodes does not fit in 10.128.0.0/9")]
    NoRoom { nodes: u32, pods: i64 },
}

/// The nodes of the pools, pool by pool, then those of the snapshot.
pub(crate) fn all(
    pools: &[Pool],
    snapshot: &[Object],
    catalog: &Arc<Catalog>,
) -> Result<Vec<Setup>, NodesError> {
    let old: Vec<Setup> = snapshot.iter().filter_map(Object::get::<Node>).map(|it| Setup::of(it)).collect();
    let count = pools.iter().map(|it| u64::from(it.count)).sum::<u64>() + old.len() as u64;
    let nodes =
        u32::try_from(count).ok().filter(|it| *it <= NODES_MAX).ok_or(NodesError::TooMany { count })?;
    let capacities = pools.iter().map(|it| &it.capacity).chain(old.iter().map(|it| &it.capacity));
    let pods = capacities.map(address::pods_of).max().unwrap_or(0);
    let taken = old.iter().map(|it| it.pod_cidr.clone()).filter(|it| !it.is_empty()).collect();
    let mut ranges = PodRanges::new(nodes, pods, taken).ok_or(NodesError::NoRoom { nodes, pods })?;

    let mut all = Vec::with_capacity(nodes as usize);
    for pool in pools {
        for n in 0..pool.count {
            let idx = u32::try_from(all.len()).expect("their number was checked");
            all.push(of_pool(pool, n, idx, ranges.next()));
        }
    }
    all.extend(old.into_iter().map(|mut it| {
        if it.pod_cidr.is_empty() {
            it.pod_cidr = ranges.next();
        }
        Arc::make_mut(&mut it.images).catalog = Arc::clone(catalog);
        it
    }));
    Ok(all)
}

fn of_pool(pool: &Pool, n: u32, idx: u32, pod_cidr: Name) -> Setup {
    let labels = pool.node_labels(n);
    let arch = labels.get("kubernetes.io/arch").cloned();
    Setup {
        name: pool.node_name(n),
        labels,
        annotations: Labels::EMPTY,
        taints: pool.taints.clone(),
        capacity: pool.capacity.clone(),
        allocatable: pool.allocatable.clone(),
        address: address::of_node(idx),
        pod_cidr,
        provider_id: Name::EMPTY,
        arch: arch.unwrap_or(Name::from_static("amd64")),
        status_rest: Rest::default(),
        static_pods: pool.static_pods.clone(),
        configuration: Arc::clone(&pool.kubelet),
        images: Arc::clone(&pool.images),
    }
}

/// Two pools of one name, or two nodes. Pools without a name have been told of.
pub(crate) fn check_names(pools: &[(Path, Pool)], nodes: &[Setup], problems: &mut Problems) {
    for (idx, (path, pool)) in pools.iter().enumerate() {
        if !pool.name.is_empty() && pools[..idx].iter().any(|(_, other)| other.name == pool.name) {
            problems
                .add(&path.clone().key("name"), format!("there are two node pools named `{}`", pool.name));
            return; // Their nodes would have the same names too.
        }
    }
    let mut times: BTreeMap<&Name, u32> = BTreeMap::new();
    nodes.iter().for_each(|it| *times.entry(&it.name).or_default() += 1);
    for (name, _) in times.into_iter().filter(|(name, times)| 1 < *times && !name.starts_with('-')) {
        let pool = pools.iter().rfind(|(_, pool)| (0..pool.count).any(|n| pool.node_name(n) == *name));
        let path =
            pool.map_or_else(|| Path::parse("spec.cluster.snapshots"), |(path, _)| path.clone().key("name"));
        problems.add(&path, format!("there are two nodes named `{name}`"));
    }
}
