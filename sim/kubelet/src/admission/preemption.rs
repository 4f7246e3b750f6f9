//! Which pods make room for a critical one that lacks nothing but resources.
//!
//! Upstream: `pkg/kubelet/preemption/preemption.go`.

use std::cmp::Ordering;

use api::Pod;
use base::Name;

use super::is_critical;
use super::room::Shortage;

/// A pod that could be asked to go, and whatever finds it again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a, T> {
    pub(crate) pod: &'a Pod,
    pub(crate) key: T,
}

/// What is still to come free, by resource.
type Needs = Vec<(Name, i64)>;

/// The pods that go, so that `pod` has what it lacks: as few and as small as can be, those with the least claim first.
/// `Err` says what cannot be found however many go. Upstream: `getPodsToPreempt`.
pub(crate) fn victims<T: Copy>(
    pod: &Pod,
    others: &[Candidate<'_, T>],
    shortages: &[Shortage],
) -> Result<Vec<T>, String> {
    let needs: Needs = shortages.iter().map(|it| (it.resource.clone(), it.amount())).collect();
    let of_class = |class: &str| -> Vec<Candidate<'_, T>> {
        let others = others.iter().filter(|it| may_preempt(pod, it.pod));
        others.filter(|it| it.pod.status.qos_class == class).copied().collect()
    };
    let [best_effort, burstable, guaranteed] = ["BestEffort", "Burstable", "Guaranteed"].map(of_class);
    let lacking = less(&needs, best_effort.iter().chain(&burstable).chain(&guaranteed));
    if !lacking.is_empty() {
        return Err(nothing_found(&lacking));
    }
    // What of the better classes must go if all of the lesser ones did, and then less of those.
    let guaranteed = nearest(guaranteed, less(&needs, best_effort.iter().chain(&burstable)))?;
    let burstable = nearest(burstable, less(&needs, best_effort.iter().chain(&guaranteed)))?;
    let best_effort = nearest(best_effort, less(&needs, burstable.iter().chain(&guaranteed)))?;
    Ok(best_effort.into_iter().chain(burstable).chain(guaranteed).map(|it| it.key).collect())
}

/// Upstream: `pkg/kubelet/types/pod_update.go`, `Preemptable`.
fn may_preempt(pod: &Pod, other: &Pod) -> bool {
    let outranks = pod.spec.priority.zip(other.spec.priority).is_some_and(|(own, its)| its < own);
    (is_critical(pod) && !is_critical(other)) || outranks
}

/// Those that meet most of the needs, one after the other. Upstream: `getPodsToPreemptByDistance`.
fn nearest<'a, T: Copy>(
    mut pods: Vec<Candidate<'a, T>>,
    mut needs: Needs,
) -> Result<Vec<Candidate<'a, T>>, String> {
    let mut chosen = Vec::new();
    while !needs.is_empty() {
        let best = (0..pods.len()).reduce(|best, n| {
            let is_nearer = distance(&needs, pods[n].pod).total_cmp(&distance(&needs, pods[best].pod));
            match is_nearer {
                Ordering::Less => n,
                Ordering::Equal if is_no_larger(pods[n].pod, pods[best].pod) => n,
                Ordering::Equal | Ordering::Greater => best,
            }
        });
        let Some(best) = best else { return Err(nothing_found(&needs)) };
        let pod = pods.swap_remove(best);
        needs = less(&needs, std::iter::once(&pod));
        chosen.push(pod);
    }
    Ok(chosen)
}

/// What is left of `needs` when these pods have gone.
fn less<'a, 'b: 'a, T: 'a>(needs: &Needs, gone: impl Iterator<Item = &'a Candidate<'b, T>>) -> Needs {
    let mut left = needs.clone();
    for pod in gone {
        left.iter_mut().for_each(|(resource, amount)| *amount -= request(pod.pod, resource));
    }
    left.retain(|(_, amount)| 0 < *amount);
    left
}

/// How far a pod's requests are from meeting the needs, each as a part of what is needed.
#[expect(clippy::cast_precision_loss, reason = "as upstream, which computes with 64-bit floats")]
fn distance(needs: &Needs, pod: &Pod) -> f64 {
    let missing = |(resource, amount): &(Name, i64)| {
        let left = (amount - request(pod, resource)).max(0) as f64 / *amount as f64;
        left * left
    };
    needs.iter().map(missing).sum()
}

fn is_no_larger(pod: &Pod, other: &Pod) -> bool {
    let size = |it: &Pod| (it.requests().memory_bytes, it.requests().cpu_milli);
    size(pod) <= size(other)
}

/// Upstream: `resource.GetResourceRequest`, where each pod asks for one of `pods`.
fn request(pod: &Pod, resource: &str) -> i64 {
    let requests = pod.requests();
    match resource {
        "pods" => 1,
        "cpu" => requests.cpu_milli,
        "memory" => requests.memory_bytes,
        "ephemeral-storage" => requests.ephemeral_bytes,
        other => requests.scalar(other).unwrap_or(0),
    }
}

fn nothing_found(needs: &Needs) -> String {
    let each: String = needs.iter().map(|(name, amount)| format!("(res: {name}, q: {amount}), ")).collect();
    format!("no set of running pods found to reclaim resources: [{each}]")
}

#[cfg(test)]
mod tests {
    use api::Resources;
    use serde_json::json;

    use super::super::Room;
    use super::*;

    fn pod(class: &str, priority: i32, cpu: &str) -> Pod {
        serde_json::from_value(json!({
            "spec": {
                "priority": priority,
                "containers": [{"name": "a", "resources": {"requests": {"cpu": cpu}}}],
            },
            "status": {"qosClass": class},
        }))
        .unwrap()
    }

    fn chosen(wanted: &str, others: &[Pod]) -> Result<Vec<usize>, String> {
        let mut room = Room::new(Resources { cpu_milli: 4_000, pods: 10, ..Resources::default() });
        others.iter().for_each(|it| room.take(it, it.requests()));
        let critical = pod("Guaranteed", 2_000_000_000, wanted);
        let candidates: Vec<_> = others.iter().enumerate().map(|(key, pod)| Candidate { pod, key }).collect();
        victims(&critical, &candidates, &room.shortages(&critical))
    }

    #[test]
    fn the_fewest_and_smallest_of_the_least_claim_go() {
        let others = [
            pod("Guaranteed", 0, "1"),
            pod("Burstable", 0, "1"),
            pod("Burstable", 0, "500m"),
            pod("Burstable", 0, "1500m"),
            pod("BestEffort", 0, "0"),
        ];
        assert_eq!(chosen("500m", &others), Ok(vec![2]), "one that is just large enough");
        assert_eq!(chosen("1200m", &others), Ok(vec![3]), "one rather than two");
        assert_eq!(
            chosen("3500m", &others),
            Ok(vec![3, 1, 0]),
            "a guaranteed one spares a small burstable one"
        );
        let important = [pod("Burstable", 2_000_000_000, "4")];
        let error = "no set of running pods found to reclaim resources: [(res: cpu, q: 1000), ]";
        assert_eq!(chosen("1", &important), Err(error.to_owned()));
    }
}
