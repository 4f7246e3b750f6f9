//! Pods that have written more than they may, whatever the node has left.
//!
//! Upstream: `pkg/kubelet/eviction/eviction_manager.go`, `localStorageEviction`.

use api::{EPHEMERAL_STORAGE, Pod, PodSpec, Quantity, Volume, pod_limits};
use base::Name;

use super::observation::PodStats;

/// Why a pod must go, if it must: the first limit that it has exceeded.
pub(crate) fn excess(pod: &Pod, stats: &PodStats) -> Option<Name> {
    match of_volumes(pod, stats) {
        Some(why) => Some(why),
        None => of_pod(pod, stats).or_else(|| of_containers(pod, stats)),
    }
}

/// The smallest amount of bytes that can be too much for a pod.
pub(crate) fn least_limit(spec: &PodSpec) -> Option<i64> {
    let volumes = spec.volumes.iter().filter_map(size_limit);
    let containers =
        spec.all_containers().filter_map(|it| it.resources.limits.get(EPHEMERAL_STORAGE.as_str()).copied());
    volumes.chain(containers).map(Quantity::value).filter(|it| 0 < *it).min()
}

fn of_volumes(pod: &Pod, stats: &PodStats) -> Option<Name> {
    let too_large = |(idx, volume): (usize, &Volume)| {
        let limit = size_limit(volume)?;
        let name = &volume.name;
        (limit.value() < stats.disk_of_volume(idx)).then(|| {
            Name::from(format_args!("Usage of EmptyDir volume \"{name}\" exceeds the limit \"{limit}\". "))
        })
    };
    pod.spec.volumes.iter().enumerate().find_map(too_large)
}

fn of_pod(pod: &Pod, stats: &PodStats) -> Option<Name> {
    let limit = *pod_limits(&pod.spec).get(&EPHEMERAL_STORAGE)?;
    (limit.value() < stats.disk()).then(|| {
        Name::from(format_args!(
            "Pod ephemeral local storage usage exceeds the total limit of containers {limit}. "
        ))
    })
}

fn of_containers(pod: &Pod, stats: &PodStats) -> Option<Name> {
    stats.containers.iter().find_map(|it| {
        let container = pod.spec.containers.iter().find(|main| main.name == it.name)?;
        let limit = *container.resources.limits.get(EPHEMERAL_STORAGE.as_str())?;
        (limit.value() != 0 && limit.value() < it.own_disk).then(|| {
            let name = &it.name;
            Name::from(format_args!(
                "Container {name} exceeded its local ephemeral storage limit \"{limit}\". "
            ))
        })
    })
}

/// Of an `emptyDir` volume; a limit of zero is none.
fn size_limit(volume: &Volume) -> Option<Quantity> {
    let text = volume.rest.get("emptyDir")?.get("sizeLimit")?.as_str()?;
    text.parse().ok().filter(|it: &Quantity| 0 < it.sign())
}
