//! Which pods to delete first.
//!
//! Upstream: `ActivePodsWithRanks` in `pkg/controller/controller_utils.go`, with `LogarithmicScaleDown` on.

use std::cmp::Ordering;
use std::sync::Arc;

use api::annotation::POD_DELETION_COST;
use api::{Pod, PodPhase, Timestamp, condition};
use base::Time;

/// A pod, and what its rank depends on.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) pod: &'a Arc<Pod>,
    /// Active pods of related sets on its node.
    colocated: usize,
    /// From its annotation; 0 when unset or invalid.
    cost: i32,
    /// `None` for a pod that is not ready.
    ready: Option<Since>,
    /// Of main containers and of sidecars, the most of any one each.
    restarts: (i32, i32),
}

/// A moment that an object states, or leaves out.
type Since = Option<Timestamp>;

impl<'a> Candidate<'a> {
    pub(super) fn new(pod: &'a Arc<Pod>, colocated: usize) -> Self {
        let ready = pod.status.condition(&condition::READY).filter(|it| it.is_true());
        Self {
            pod,
            colocated,
            cost: deletion_cost(pod),
            ready: ready.map(|it| it.last_transition_time),
            restarts: max_container_restarts(pod),
        }
    }
}

/// Those that go first come first.
pub(super) fn rank(candidates: Vec<Candidate<'_>>, now: Time) -> Vec<Candidate<'_>> {
    merge_sort(candidates, &|a, b| compare(a, b, now))
}

/// Less for the one that goes first.
fn compare(a: &Candidate<'_>, b: &Candidate<'_>, now: Time) -> Ordering {
    let by_state = (a.pod.is_bound().cmp(&b.pod.is_bound()))
        .then_with(|| phase_ordinal(a.pod).cmp(&phase_ordinal(b.pod)))
        .then_with(|| a.ready.is_some().cmp(&b.ready.is_some()))
        .then_with(|| a.cost.cmp(&b.cost))
        .then_with(|| b.colocated.cmp(&a.colocated));
    let by_readiness = || match (a.ready, b.ready) {
        (Some(ready_a), Some(ready_b)) => compare_ages((a, ready_a), (b, ready_b), now),
        _ => Ordering::Equal,
    };
    let created = |it: &Candidate<'_>| it.pod.meta.creation_timestamp;
    by_state
        .then_with(by_readiness)
        .then_with(|| b.restarts.cmp(&a.restarts))
        .then_with(|| compare_ages((a, created(a)), (b, created(b)), now))
}

/// The younger goes first, but ages are only told apart by their order of magnitude; within one, chance decides
/// (the uid), so that the newest pods are not always the victims.
fn compare_ages(a: (&Candidate<'_>, Since), b: (&Candidate<'_>, Since), now: Time) -> Ordering {
    match (a.1, b.1) {
        (since_a, since_b) if since_a == since_b => Ordering::Equal,
        (Some(since_a), Some(since_b)) => {
            let by_magnitude = magnitude(since_a, now).cmp(&magnitude(since_b, now));
            by_magnitude.then_with(|| a.0.pod.meta.uid.cmp(&b.0.pod.meta.uid))
        }
        (since_a, since_b) => since_a.is_some().cmp(&since_b.is_some()), // Who states no time counts as newest.
    }
}

/// The binary order of magnitude of an age in nanoseconds; `None` for no age at all.
fn magnitude(since: Timestamp, now: Time) -> Option<u32> {
    since.elapsed(now).nanos().checked_ilog2()
}

fn phase_ordinal(pod: &Pod) -> u8 {
    match pod.status.phase {
        PodPhase::Unknown => 1,
        PodPhase::Running => 2,
        PodPhase::Pending | PodPhase::Succeeded | PodPhase::Failed | PodPhase::Other(_) => 0,
    }
}

/// Upstream: `GetDeletionCostFromPodAnnotations` in `pkg/apis/core/helper/helpers.go`.
fn deletion_cost(pod: &Pod) -> i32 {
    let Some(text) = pod.meta.annotation(&POD_DELETION_COST) else { return 0 };
    let starts_well = text == "0" || text.starts_with(|it: char| it == '-' || ('1'..='9').contains(&it));
    if starts_well { text.parse().unwrap_or(0) } else { 0 }
}

/// Upstream: `maxContainerRestarts`.
fn max_container_restarts(pod: &Pod) -> (i32, i32) {
    let is_sidecar = |name| pod.spec.init_containers.iter().any(|it| it.name == name && it.is_sidecar());
    let main = pod.status.container_statuses.iter().map(|it| it.restart_count).max();
    let sidecars = pod.status.init_container_statuses.iter().filter(|it| is_sidecar(it.name.as_str()));
    (main.unwrap_or(0), sidecars.map(|it| it.restart_count).max().unwrap_or(0))
}

/// A stable sort that asks nothing of `compare`. Upstream's comparison is not an order: three pods can each go before
/// the next in a circle (equal ready times compare by restarts, different ones of one magnitude by uid), on which the
/// standard library's sort may panic.
fn merge_sort<T>(mut items: Vec<T>, compare: &impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    if items.len() < 2 {
        return items;
    }
    let right = items.split_off(items.len() / 2);
    let left = merge_sort(items, compare);
    let right = merge_sort(right, compare);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let takes_right = compare(b, a) == Ordering::Less;
        merged.extend(if takes_right { right.next() } else { left.next() });
    }
    merged.extend(left.chain(right));
    merged
}

#[cfg(test)]
mod tests {
    use api::{Condition, ConditionStatus, Container, ContainerStatus, Labels, PodSpec, Uid};
    use base::Span;
    use proptest::prelude::*;

    use super::*;

    const NOW: Time = Time::from_secs(1_000_000);

    /// A pod that runs and has been ready for an hour, on a node.
    fn pod(name: &str, change: impl FnOnce(&mut Pod)) -> Arc<Pod> {
        let mut pod = Pod { node: "node".into(), ..Pod::default() };
        pod.meta.name = name.into();
        pod.meta.creation_timestamp = Some(ago(7200));
        pod.status.phase = PodPhase::Running;
        pod.status.conditions = vec![ready(ConditionStatus::True, Some(ago(3600)))];
        change(&mut pod);
        Arc::new(pod)
    }

    fn ago(secs: u64) -> Timestamp {
        NOW.before(Span::secs(secs)).into()
    }

    fn ready(status: ConditionStatus, since: Option<Timestamp>) -> Condition {
        Condition { kind: condition::READY, status, last_transition_time: since, ..Condition::default() }
    }

    fn ready_since(secs: u64) -> impl FnOnce(&mut Pod) {
        move |pod| pod.status.conditions = vec![ready(ConditionStatus::True, Some(ago(secs)))]
    }

    fn restarted(main: i32, sidecar: i32) -> impl FnOnce(&mut Pod) {
        move |pod| {
            let status = |name: &str, restart_count| ContainerStatus {
                name: name.into(),
                restart_count,
                ..ContainerStatus::default()
            };
            let sidecar_container = Container {
                name: "proxy".into(),
                restart_policy: Some("Always".into()),
                ..Container::default()
            };
            pod.spec = Arc::new(PodSpec { init_containers: vec![sidecar_container], ..PodSpec::default() });
            pod.status.container_statuses = vec![status("web", main), status("log", 0)];
            pod.status.init_container_statuses = vec![status("proxy", sidecar), status("migrate", 99)];
        }
    }

    fn names(pods: &[(Arc<Pod>, usize)]) -> Vec<&str> {
        let candidates = pods.iter().map(|(pod, colocated)| Candidate::new(pod, *colocated)).collect();
        rank(candidates, NOW).into_iter().map(|it| it.pod.meta.name.as_str()).collect()
    }

    /// Facts of `TestSortingActivePods` and `TestSortingActivePodsWithRanks`: each pod goes before the next.
    #[test]
    fn pods_that_can_best_be_spared_go_first() {
        let cost = |text: &'static str| {
            move |pod: &mut Pod| pod.meta.annotations = Labels::from([(POD_DELETION_COST, text)])
        };
        let phase = |phase| move |pod: &mut Pod| pod.status.phase = phase;
        let mut pods = vec![
            (pod("unbound", |it| it.node = "".into()), 0),
            (pod("pending", phase(PodPhase::Pending)), 0),
            (pod("unknown", phase(PodPhase::Unknown)), 0),
            (pod("not ready", |it| it.status.conditions = vec![ready(ConditionStatus::False, None)]), 0),
            (pod("cheap", cost("-5")), 0),
            (pod("crowded", |_| ()), 3),
            (
                pod("ready, nobody knows since when", |it| {
                    it.status.conditions[0].last_transition_time = None;
                }),
                2,
            ),
            (pod("just ready", ready_since(0)), 2),
            (pod("ready for seconds", ready_since(20)), 2),
            (pod("restarted often", restarted(5, 0)), 2),
            (pod("restarted once", restarted(1, 7)), 2),
            (pod("sidecar restarted", restarted(0, 3)), 2),
            (pod("created nobody knows when", |it| it.meta.creation_timestamp = None), 2),
            (pod("young", |it| it.meta.creation_timestamp = Some(ago(3600))), 2),
            (pod("old", |it| it.meta.creation_timestamp = Some(ago(86_400))), 2),
            (pod("lonely", |_| ()), 1),
            (pod("invalid cost counts as none", cost("+10")), 0),
            (pod("dear", cost("10")), 9),
        ];
        let expected: Vec<String> = pods.iter().map(|(pod, _)| pod.meta.name.to_string()).collect();
        for _ in 0..pods.len() {
            pods.rotate_left(1);
            assert_eq!(names(&pods), expected);
        }
    }

    #[test]
    fn pods_of_about_one_age_go_by_their_uid() {
        let with_uid = |name, uid, secs| {
            let pod = pod(name, |pod| {
                pod.meta.uid = Uid(uid);
                ready_since(secs)(pod);
            });
            (pod, 0)
        };
        // 2^41 to 2^42 ns are 2199 to 4398 s.
        let pods = [with_uid("c", 3, 2200), with_uid("a", 1, 4300), with_uid("b", 2, 3000)];
        assert_eq!(names(&pods), ["a", "b", "c"]);
        let pods = [with_uid("older", 1, 4400), with_uid("younger", 2, 4300)];
        assert_eq!(names(&pods), ["younger", "older"]);
    }

    #[test]
    fn a_circle_of_pods_is_no_reason_to_panic() {
        let circle: Vec<_> = (0..60_u16)
            .map(|n| {
                let pod = pod("x", |pod| {
                    restarted(i32::from(n % 3), 0)(pod);
                    pod.meta.uid = Uid((n * 7 % 60).into());
                    ready_since(3000 + u64::from(n % 2))(pod);
                });
                (pod, 0)
            })
            .collect();
        assert_eq!(names(&circle).len(), circle.len());
    }

    proptest! {
        /// Where the comparison is an order, the standard library agrees.
        #[test]
        fn sorts_stably(items in prop::collection::vec((0_u8..9, any::<u32>()), 0..80)) {
            let mut expected = items.clone();
            expected.sort_by_key(|it| it.0);
            prop_assert_eq!(merge_sort(items, &|a, b| a.0.cmp(&b.0)), expected);
        }
    }
}
