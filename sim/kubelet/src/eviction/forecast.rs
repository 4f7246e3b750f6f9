//! When something can run short: the first moment that is worth a look.
//!
//! Upstream looks every 10 s. What a container will use is known when it starts, so that all looks but the first that
//! finds something can be left out.

use base::{Slab, Time};
use workload::{Resource, Total};

use super::local_storage;
use super::observation::{Capacity, Observation, besides_containers, is_used_up, level_below, resource_of};
use super::threshold::Threshold;
use crate::pod::Worker;
use crate::runtime::Runtime;

/// What signals are about.
const RESOURCES: [Resource; 4] = [Resource::Memory, Resource::Disk, Resource::Inodes, Resource::Pids];

/// The first moment from `now` on at which a threshold is met or a pod exceeds a limit, if nothing else happens.
pub(crate) fn next_shortage(
    now: Time,
    thresholds: &[Threshold],
    capacity: Capacity,
    pods: &Slab<Worker>,
    runtime: &Runtime,
) -> Option<Time> {
    let crossings = RESOURCES.into_iter().filter_map(|resource| {
        if is_used_up(runtime, resource) {
            return is_short_of(resource, thresholds, capacity).then_some(now);
        }
        let level = lowest_level(resource, thresholds, capacity)?;
        total(runtime, resource, now).next_reach(now, level)
    });
    let excesses = pods.iter().filter_map(|(_, worker)| next_excess(now, worker, runtime));
    crossings.chain(excesses).min()
}

/// The first moment from `now` on at which the kernel has no memory left for all that runs.
pub(crate) fn next_out_of_memory(now: Time, capacity: Capacity, runtime: &Runtime) -> Option<Time> {
    let level = capacity.memory_of_pods? as f64;
    total(runtime, Resource::Memory, now).next_reach(now, level)
}

fn total(runtime: &Runtime, resource: Resource, now: Time) -> Total<'_> {
    runtime.total_usage(resource, besides_containers(runtime, resource, now))
}

/// Whether a threshold is met while nothing is left.
fn is_short_of(resource: Resource, thresholds: &[Threshold], capacity: Capacity) -> bool {
    let nothing_of =
        |it: &Threshold| Some(Observation { available: 0, capacity: capacity.behind(it.signal)? });
    let is_met = |it: &Threshold| nothing_of(it).is_some_and(|nothing| it.is_met(nothing, false));
    thresholds.iter().any(|it| resource_of(it.signal) == resource && is_met(it))
}

/// How much must be used for the first threshold to be met.
fn lowest_level(resource: Resource, thresholds: &[Threshold], capacity: Capacity) -> Option<f64> {
    let level = |it: &Threshold| {
        let capacity = capacity.behind(it.signal)?;
        Some(level_below(resource, capacity, it.least(capacity, false)))
    };
    let of_resource = thresholds.iter().filter(|it| resource_of(it.signal) == resource);
    of_resource.filter_map(level).reduce(f64::min)
}

/// The first moment at which a pod may have written more than its smallest limit.
fn next_excess(now: Time, worker: &Worker, runtime: &Runtime) -> Option<Time> {
    let limit = local_storage::least_limit(&worker.pod.spec)?;
    let level = level_below(Resource::Disk, limit, 0);
    runtime.total_usage_of(worker.pod.meta.uid, Resource::Disk).next_reach(now, level)
}
