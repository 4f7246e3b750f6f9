//! What a node has left of everything, and what its pods use, at one moment.
//!
//! Upstream: `pkg/kubelet/eviction/helpers.go`, `makeSignalObservations`;
//! `pkg/kubelet/server/stats/summary.go`, `pkg/kubelet/stats/pidlimit/pidlimit_linux.go`.

use api::{Pod, PodSpec, Resources};
use base::{Name, Time};
use workload::Resource;

use super::signal::Signal;
use super::threshold::Threshold;
use crate::runtime::Runtime;
use crate::setup::Setup;

/// The kernel accounts memory, and the file system blocks, in units of so many bytes.
const PAGE: i64 = 4_096;
/// The kernel's default for `threads-max` allows one thread for so many bytes of memory: an eighth of it for stacks
/// of 16 KiB. That is below `pid_max`, which is 2^22 on machines of today.
const MEMORY_PER_THREAD: i64 = 128 << 10;
const PID_MAX: i64 = 1 << 22;
/// `mke2fs` makes one inode for so many bytes of a file system. Upstream: `mke2fs.conf`, `inode_ratio`.
const BYTES_PER_INODE: i64 = 16_384;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Observation {
    pub(crate) available: i64,
    pub(crate) capacity: i64,
}

/// What there is of everything on a node. `None` where nobody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    pub(crate) memory: Option<i64>,
    /// What all pods may use together: the limit of their cgroup.
    pub(crate) memory_of_pods: Option<i64>,
    disk: Option<i64>,
    inodes: Option<i64>,
    pids: Option<i64>,
}

impl Capacity {
    /// Allocatable is what is left of the capacity without what is reserved for the system, and, as upstream has it,
    /// without the hard threshold of memory: the cgroup of the pods has that back, where it has a limit at all.
    pub(crate) fn of(setup: &Setup, thresholds: &[Threshold]) -> Self {
        let (all, left) = (Resources::from_list(&setup.capacity), setup.allocatable());
        let some = |amount: i64| Some(amount).filter(|it| 0 < *it);
        let memory = some(all.memory_bytes);
        let hard = thresholds.iter().find(|it| it.signal == Signal::MemoryAvailable && it.is_hard());
        let of_pods = |memory: i64| {
            if !setup.configuration.enforces_pods() {
                return memory;
            }
            let hard = hard.map_or(0, |it| it.quantity(memory).value());
            memory.min(left.memory_bytes.saturating_add(hard))
        };
        Self {
            memory,
            memory_of_pods: memory.map(of_pods),
            disk: some(all.ephemeral_bytes),
            inodes: some(all.ephemeral_bytes / BYTES_PER_INODE),
            pids: memory.map(|it| (it / MEMORY_PER_THREAD).min(PID_MAX)),
        }
    }

    /// What a signal is measured against.
    pub(crate) fn behind(self, signal: Signal) -> Option<i64> {
        match signal {
            Signal::MemoryAvailable => self.memory,
            Signal::AllocatableMemoryAvailable => self.memory_of_pods,
            Signal::NodefsAvailable | Signal::ImagefsAvailable | Signal::ContainerfsAvailable => self.disk,
            Signal::PidAvailable => self.pids,
            Signal::NodefsInodesFree | Signal::ImagefsInodesFree | Signal::ContainerfsInodesFree => {
                self.inodes
            }
        }
    }
}

/// The resource that a signal is about, as behaviours state it.
pub(crate) const fn resource_of(signal: Signal) -> Resource {
    match signal {
        Signal::MemoryAvailable | Signal::AllocatableMemoryAvailable => Resource::Memory,
        Signal::NodefsAvailable | Signal::ImagefsAvailable | Signal::ContainerfsAvailable => Resource::Disk,
        Signal::NodefsInodesFree | Signal::ImagefsInodesFree | Signal::ContainerfsInodesFree => {
            Resource::Inodes
        }
        Signal::PidAvailable => Resource::Pids,
    }
}

/// All that is used of a resource at `at`, in whole units.
pub(crate) fn used(runtime: &Runtime, resource: Resource, at: Time) -> i64 {
    units(resource, runtime.total_usage(resource, besides_containers(runtime, resource, at)).at(at))
}

/// What is used that no container uses.
pub(crate) fn besides_containers(runtime: &Runtime, resource: Resource, at: Time) -> f64 {
    match resource {
        Resource::Disk => runtime.images_bytes(at) as f64,
        Resource::Cpu | Resource::Memory | Resource::Inodes | Resource::Pids => 0.0,
    }
}

/// Whether nothing is left, whoever has it.
pub(crate) fn is_used_up(runtime: &Runtime, resource: Resource) -> bool {
    match resource {
        Resource::Disk => runtime.disk().is_full,
        Resource::Cpu | Resource::Memory | Resource::Inodes | Resource::Pids => false,
    }
}

/// How much must be used for a signal to leave less than `least` of its capacity.
pub(crate) fn level_below(resource: Resource, capacity: i64, least: i64) -> f64 {
    let unit = unit(resource);
    let kept = capacity.saturating_sub(least).max(0);
    ((kept / unit + 1) * unit) as f64
}

/// As the kernel counts: whole pages, blocks and processes.
pub(crate) fn units(resource: Resource, amount: f64) -> i64 {
    let unit = unit(resource);
    whole(amount / unit as f64) * unit
}

const fn unit(resource: Resource) -> i64 {
    match resource {
        Resource::Memory | Resource::Disk => PAGE,
        Resource::Cpu | Resource::Inodes | Resource::Pids => 1,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "`as` cuts off and saturates, which is meant")]
fn whole(amount: f64) -> i64 {
    amount as i64
}

/// What every signal shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observations([Option<Observation>; Signal::ALL.len()]);

impl Observations {
    pub(crate) fn at(at: Time, runtime: &Runtime, capacity: Capacity) -> Self {
        let observe = |signal| {
            let (capacity, resource) = (capacity.behind(signal)?, resource_of(signal));
            let left = capacity - used(runtime, resource, at);
            let available = if is_used_up(runtime, resource) { 0 } else { left.max(0) };
            Some(Observation { available, capacity })
        };
        Self(Signal::ALL.map(observe))
    }

    pub(crate) fn of(&self, signal: Signal) -> Option<Observation> {
        self.0[signal as usize]
    }
}

/// What the running containers of a pod use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PodStats {
    pub(crate) containers: Vec<ContainerStats>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerStats {
    pub(crate) name: Name,
    pub(crate) memory: i64,
    /// Written to its own layer and its logs.
    pub(crate) own_disk: i64,
    /// Written to an `emptyDir` volume.
    pub(crate) volume_disk: i64,
    /// The position of that volume.
    pub(crate) volume: Option<usize>,
    pub(crate) inodes: i64,
    pub(crate) pids: i64,
}

impl PodStats {
    /// `None` for a pod without a running container: nothing is measured of it.
    pub(crate) fn at(at: Time, runtime: &Runtime, pod: &Pod) -> Option<Self> {
        let sandbox = runtime.pod(pod.meta.uid)?;
        let measure = |(idx, container): (usize, &api::Container)| {
            let instance = sandbox.instance(idx).filter(|it| it.is_running(at))?;
            let amount = |resource| units(resource, instance.usage(resource, at));
            let (disk, volume) = (amount(Resource::Disk), scratch_volume(&pod.spec, container));
            let (own_disk, volume_disk) = if volume.is_some() { (0, disk) } else { (disk, 0) };
            Some(ContainerStats {
                name: container.name.clone(),
                memory: amount(Resource::Memory),
                own_disk,
                volume_disk,
                volume,
                inodes: amount(Resource::Inodes),
                pids: amount(Resource::Pids),
            })
        };
        let containers: Vec<_> = pod.spec.all_containers().enumerate().filter_map(measure).collect();
        (!containers.is_empty()).then_some(Self { containers })
    }

    pub(crate) fn memory(&self) -> i64 {
        self.containers.iter().map(|it| it.memory).sum()
    }

    pub(crate) fn disk(&self) -> i64 {
        self.containers.iter().map(|it| it.own_disk + it.volume_disk).sum()
    }

    pub(crate) fn inodes(&self) -> i64 {
        self.containers.iter().map(|it| it.inodes).sum()
    }

    pub(crate) fn pids(&self) -> i64 {
        self.containers.iter().map(|it| it.pids).sum()
    }

    pub(crate) fn disk_of_volume(&self, volume: usize) -> i64 {
        self.containers.iter().filter(|it| it.volume == Some(volume)).map(|it| it.volume_disk).sum()
    }
}

/// Where a container writes: to the first `emptyDir` on disk that it mounts; to its own layer where there is none.
pub(crate) fn scratch_volume(spec: &PodSpec, container: &api::Container) -> Option<usize> {
    let mounts = container.rest.get("volumeMounts")?.as_array()?;
    let named = |mount: &serde_json::Value| {
        let name = mount.get("name")?.as_str()?;
        spec.volumes.iter().position(|it| it.name == name && is_on_disk(it))
    };
    mounts.iter().find_map(named)
}

fn is_on_disk(volume: &api::Volume) -> bool {
    volume
        .rest
        .get("emptyDir")
        .is_some_and(|it| it.get("medium").and_then(|it| it.as_str()) != Some("Memory"))
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these figures are exact")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_level_is_the_first_page_that_is_too_much() {
        assert_eq!(level_below(Resource::Memory, 10 * PAGE, 2 * PAGE), (9 * PAGE) as f64);
        assert_eq!(level_below(Resource::Memory, 10 * PAGE, 2 * PAGE - 1), (9 * PAGE) as f64);
        assert_eq!(level_below(Resource::Pids, 100, 10), 91.0);
        assert_eq!(units(Resource::Memory, 8_191.5), 4_096);
    }

    #[test]
    fn a_container_writes_to_the_first_scratch_volume_that_it_mounts() {
        let spec: PodSpec = serde_json::from_value(json!({
            "containers": [{"name": "main", "volumeMounts": [
                {"name": "config", "mountPath": "/etc"}, {"name": "ram", "mountPath": "/ram"},
                {"name": "scratch", "mountPath": "/tmp"},
            ]}],
            "volumes": [
                {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}, {"name": "config", "configMap": {}},
                {"name": "ram", "emptyDir": {"medium": "Memory"}},
            ],
        }))
        .unwrap();
        assert_eq!(scratch_volume(&spec, &spec.containers[0]), Some(0));
        assert_eq!(scratch_volume(&spec, &api::Container::default()), None);
    }
}
