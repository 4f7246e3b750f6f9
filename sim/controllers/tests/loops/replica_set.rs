//! Replica sets: creating, deleting, claiming, reporting.

use std::sync::Arc;

use api::{
    Condition, ConditionStatus, Kind, Labels, Object, OwnerReference, Pod, PodPhase, ReplicaSet, Resource,
    Timestamp, Uid, condition,
};
use base::Span;
use client::{Context, Controller, Expect, OnFailure, Plan, Requeue};
use controllers::ReplicaSetController;

use crate::fixtures::{NOW, deployment, events, pod, reconcile, reported, requests, set, view, writes};
use crate::world::World;

fn ready(mut pod: Pod, secs_ago: u64) -> Pod {
    let since = Some(NOW.before(Span::secs(secs_ago)).into());
    let (kind, status) = (condition::READY, ConditionStatus::True);
    pod.status.phase = PodPhase::Running;
    pod.status.conditions =
        vec![Condition { kind, status, last_transition_time: since, ..Condition::default() }];
    pod
}

fn plan(set: &ReplicaSet, pods: impl IntoIterator<Item = Pod>) -> Plan {
    let objects = pods.into_iter().map(Object::new).chain([Object::new(set.clone())]);
    reconcile(&ReplicaSetController::default(), &view(objects), set)
}

fn pods(count: usize, set: &ReplicaSet) -> Vec<Pod> {
    (0..count).map(|n| pod(&format!("pod-{n}"), set)).collect()
}

#[test]
fn missing_pods_are_created_in_batches_that_double() {
    let set = set(1, 12, 0);
    let plan = plan(&set, pods(2, &set));
    assert_eq!(plan.expect, Some(Expect::Creations(10)));
    let batches: Vec<_> = plan.steps.iter().map(|step| (step.writes.len(), step.on_failure)).collect();
    let skip = OnFailure::SkipCreates;
    assert_eq!(batches, [(1, skip), (2, skip), (4, skip), (3, skip), (1, OnFailure::Stop)]);
    assert_eq!(events(&plan)[0], "SuccessfulCreate: Created pod: ");
    assert_eq!(reported::<ReplicaSet>(&plan).unwrap().status.replicas, 2);
}

#[test]
fn a_burst_is_five_hundred_pods() {
    let large = set(1, 2000, 0);
    assert_eq!(plan(&large, []).expect, Some(Expect::Creations(500)));
    let small = set(1, 1, 0);
    let Some(Expect::Deletions(deletions)) = plan(&small, pods(700, &small)).expect else {
        panic!("no deletions")
    };
    assert_eq!(deletions.len(), 500);
}

#[test]
fn surplus_pods_are_deleted_the_least_useful_first() {
    let set = set(1, 1, 3);
    let pods = [("old", 4000), ("unready", 0), ("young", 10)]
        .map(|(name, secs)| if secs == 0 { pod(name, &set) } else { ready(pod(name, &set), secs) });
    let plan = plan(&set, pods);
    assert_eq!(requests(&plan)[..2], ["delete pod/shop/unready", "delete pod/shop/young"]);
    assert_eq!(
        events(&plan),
        ["SuccessfulDelete: Deleted pod: unready", "SuccessfulDelete: Deleted pod: young"]
    );
}

/// Facts of `TestGetPodsToDelete` and `TestRelatedPodsLookup`: pods of all sets of one deployment count.
#[test]
fn nodes_with_many_pods_of_the_deployment_are_relieved_first() {
    let (shrinking, other) = (set(1, 1, 2), set(2, 2, 2));
    let on = |node: &str, pod: Pod| {
        let mut pod = ready(pod, 4000);
        pod.node = node.into();
        Object::new(pod)
    };
    let objects = [
        on("quiet", pod("quiet", &shrinking)),
        on("crowded", pod("crowded", &shrinking)),
        on("crowded", pod("sibling", &other)),
        Object::new(other.clone()),
        Object::new(shrinking.clone()),
    ];
    let deleted = |objects: Vec<Object>| {
        let plan = reconcile(&ReplicaSetController::default(), &view(objects), &shrinking);
        requests(&plan)[0].clone()
    };
    assert_eq!(deleted(objects.to_vec()), "delete pod/shop/crowded");
    let alone = objects[..2].iter().chain(&objects[4..]).cloned().collect();
    assert_eq!(deleted(alone), "delete pod/shop/quiet"); // The one seen first.
}

#[test]
fn nothing_is_done_before_what_was_asked_for_is_seen() {
    let set = set(1, 5, 0);
    let view = view([Object::new(set.clone())]);
    let context = Context { now: NOW, view: &view, settled: false };
    let plan = ReplicaSetController::default().reconcile(&context, &set.key());
    assert_eq!(
        (requests(&plan), plan.expect),
        (vec!["update replicaset/shop/web-1 status".to_owned()], None)
    );
}

#[test]
fn a_set_that_goes_creates_nothing() {
    let mut set = set(1, 5, 0);
    set.meta.deletion_timestamp = Some(Timestamp::from_secs(1));
    assert_eq!(requests(&plan(&set, [])), ["update replicaset/shop/web-1 status"]);
}

#[test]
fn a_set_at_rest_plans_nothing() {
    let mut set = set(1, 2, 2);
    set.status.fully_labeled_replicas = 2;
    assert_eq!(plan(&set, pods(2, &set).into_iter().map(|pod| ready(pod, 5))), Plan::done());
}

#[test]
fn pods_that_match_are_adopted_and_count() {
    let mut set = set(1, 2, 2);
    set.status.ready_replicas = 0;
    let mut orphan = pod("orphan", &set);
    orphan.meta.owner_references.clear();
    let mut leaver = pod("leaver", &set);
    leaver.meta.labels = Labels::from([("app", "other")]);
    let plan = plan(&set, [orphan, pod("own", &set), leaver]);
    let mut patches = requests(&plan)[..2].to_vec();
    patches.sort();
    assert_eq!(patches, ["patch pod/shop/leaver", "patch pod/shop/orphan"]);
    assert_eq!(plan.expect, None);
    assert_eq!(plan.steps[0].on_failure, OnFailure::Stop);
}

/// Facts of `TestCalculateStatus`.
#[test]
fn the_status_counts_labelled_ready_and_available_pods() {
    let mut set = set(1, 6, 0);
    set.meta.generation = 4;
    set.spec.min_ready_seconds = 30;
    Arc::make_mut(&mut set.spec.template).meta.labels.insert("extra", "yes");
    let mut unlabelled = pod("unlabelled", &set);
    unlabelled.meta.labels.remove("extra");
    let finished = |name, phase| {
        let mut pod = pod(name, &set);
        pod.status.phase = phase;
        pod
    };
    let pods = [
        pod("pending", &set),
        ready(pod("ready", &set), 29),
        ready(pod("available", &set), 30),
        unlabelled,
        finished("failed", PodPhase::Failed),
        finished("done", PodPhase::Succeeded),
    ];
    let plan = plan(&set, pods);
    let status = reported::<ReplicaSet>(&plan).unwrap().status;
    let counts =
        [status.replicas, status.fully_labeled_replicas, status.ready_replicas, status.available_replicas];
    assert_eq!((counts, status.observed_generation, status.terminating_replicas), ([4, 3, 2, 1], 4, None));
    assert_eq!(plan.requeue, Requeue::After(Span::secs(1)));
    assert_eq!(writes(&plan).last().unwrap().conflict_retries, 1);
}

#[test]
fn a_refusal_stops_the_creations_and_is_told() {
    let mut world = World::new(deployment(8, "1", "0"));
    let _ = world.sync_deployment();
    world.events.clear();
    world.refusal = Some(("Pod", "exceeded quota"));
    let refusal = world.sync_sets().unwrap_err().to_string();
    assert_eq!(world.events, [format!("FailedCreate: Error creating: {refusal}")]);
    let failure = world.sets()[0].condition("ReplicaFailure").cloned().unwrap();
    assert_eq!((failure.reason.as_str(), failure.message.as_str()), ("FailedCreate", refusal.as_str()));

    let before = world.sets()[0].clone();
    world.sync_sets().unwrap_err();
    assert_eq!(*world.sets()[0], *before); // The same again is no news.

    world.refusal = None;
    world.sync_sets().unwrap();
    assert!(world.sets()[0].condition("ReplicaFailure").is_none());
    assert_eq!(world.active_pods().len(), 8);
}

#[test]
fn a_pod_of_a_namesake_is_left_alone() {
    let set = set(1, 1, 0);
    let mut stranger = pod("stranger", &set);
    stranger.meta.owner_references =
        [OwnerReference::controller(&Kind::ReplicaSet, &"web-1".into(), Uid(77))].into();
    assert_eq!(plan(&set, [stranger]).expect, Some(Expect::Creations(1)));
}
