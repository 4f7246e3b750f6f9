//! What a Deployment does besides arithmetic: sets created, adopted, numbered, forgotten; collisions and failures.

use api::annotation::{LAST_APPLIED, POD_TEMPLATE_HASH, REVISION, REVISION_HISTORY};
use api::{Deployment, LabelSelector, Labels, Object, PodPhase, ReplicaSet, Request, Resource, Timestamp};
use base::Name;
use client::{Change, Controller, Plan, Wakes};
use controllers::DeploymentController;

use crate::fixtures::{
    deployment, events, pod, reconcile, recreate, reported, requests, scaled_for, set, sizes, template, view,
    writes,
};
use crate::world::World;

fn plan(deployment: &Deployment, sets: impl IntoIterator<Item = ReplicaSet>) -> Plan {
    let objects = sets.into_iter().map(Object::new).chain([Object::new(deployment.clone())]);
    reconcile(&DeploymentController::default(), &view(objects), deployment)
}

/// For a deployment of four replicas with a surge of one.
fn scaled(set: ReplicaSet) -> ReplicaSet {
    scaled_for(set, 4, 5)
}

fn created(plan: &Plan) -> Option<ReplicaSet> {
    let create = |request: &Request| match request {
        Request::Create { object } => object.get::<ReplicaSet>().map(|it| ReplicaSet::clone(it)),
        _ => None,
    };
    writes(plan).iter().find_map(|write| create(&write.request))
}

fn progressing(deployment: &Deployment) -> Option<(&str, &str)> {
    deployment.condition("Progressing").map(|it| (it.reason.as_str(), it.message.as_str()))
}

#[test]
fn a_new_deployment_creates_its_first_set() {
    let mut deployment = deployment(4, "25%", "25%");
    deployment.meta.annotations = Labels::from([(LAST_APPLIED, "{}"), ("team".into(), "shop")]);
    deployment.spec.min_ready_seconds = 7;
    let plan = plan(&deployment, []);
    let set = created(&plan).unwrap();

    let hash = set.meta.label(&POD_TEMPLATE_HASH).unwrap();
    assert_eq!(set.meta.name, Name::from(format_args!("web-{hash}")));
    assert_eq!(set.spec.selector.match_labels, Labels::from([("app", "web"), (&POD_TEMPLATE_HASH, hash)]));
    assert_eq!(set.spec.template.meta.labels, set.meta.labels);
    assert_eq!((set.replicas(), set.spec.min_ready_seconds), (4, 7));
    assert!(std::sync::Arc::ptr_eq(&set.spec.template.spec, &deployment.spec.template.spec));
    let annotations = Labels::from([
        (REVISION, "1"),
        ("deployment.kubernetes.io/desired-replicas".into(), "4"),
        ("deployment.kubernetes.io/max-replicas".into(), "5"),
        ("team".into(), "shop"),
    ]);
    assert_eq!(set.meta.annotations, annotations);

    let name = &set.meta.name;
    assert_eq!(events(&plan), [format!("ScalingReplicaSet: Scaled up replica set {name} from 0 to 4")]);
    let status = "update deployment/shop/web status".to_owned();
    assert_eq!(requests(&plan), [format!("create replicaset/shop/{name}"), status.clone(), status]);
    let after = reported::<Deployment>(&plan).unwrap();
    assert_eq!(after.meta.annotation(&REVISION).unwrap(), "1");
    let message = format!("Created new replica set \"{name}\"");
    assert_eq!(progressing(&after), Some(("NewReplicaSetCreated", message.as_str())));
    assert_eq!(after.status.unavailable_replicas, 4);
}

#[test]
fn a_set_of_the_same_template_is_adopted() {
    let mut deployment = deployment(4, "1", "1");
    deployment.meta.annotations = Labels::EMPTY;
    let mut orphan = scaled(set(2, 4, 4));
    orphan.meta.owner_references.clear();
    let plan = plan(&deployment, [orphan]);
    assert_eq!(requests(&plan)[0], "patch replicaset/shop/web-2");
    assert!(created(&plan).is_none());
    let after = reported::<Deployment>(&plan).unwrap();
    assert_eq!(after.meta.annotation(&REVISION).unwrap(), "2");
}

#[test]
fn a_found_set_starts_the_clock_of_a_deployment_without_one() {
    let plan = plan(&deployment(4, "1", "1"), [scaled(set(2, 4, 0))]);
    let Request::Update { object, .. } = &writes(&plan)[0].request else { panic!("{plan:?}") };
    let after = object.get::<Deployment>().unwrap();
    assert_eq!(progressing(after), Some(("FoundNewReplicaSet", "Found new replica set \"web-2\"")));
}

#[test]
fn annotations_and_ready_seconds_follow_the_deployment() {
    let mut deployment = deployment(4, "1", "1");
    deployment.meta.annotations.insert("team", "shop");
    deployment.spec.min_ready_seconds = 9;
    let plan = plan(&deployment, [scaled(set(2, 4, 4))]);
    let Request::Update { object, .. } = &writes(&plan)[0].request else { panic!("{plan:?}") };
    let set = object.get::<ReplicaSet>().unwrap();
    assert_eq!((set.meta.annotation("team").unwrap().as_str(), set.spec.min_ready_seconds), ("shop", 9));
}

/// The template is that of an old set again: that set becomes the new one, at the next revision, and remembers the ones
/// it had. Facts of `TestAnnotationUtils` too.
#[test]
fn a_rollback_renumbers_the_set() {
    let long = vec!["10000"; 334].join(","); // 2003 characters; the limit is 2000.
    let kept = vec!["10000"; 333].join(",") + ",1";
    let table = [("", "1"), ("1,3", "1,3,1"), (long.as_str(), kept.as_str())];
    for (history, expected) in table {
        let mut deployment = deployment(4, "1", "1");
        deployment.spec.template = template("web:1").into();
        let mut old = scaled(set(1, 0, 0));
        if !history.is_empty() {
            old.meta.annotations.insert(REVISION_HISTORY, history);
        }
        let plan = plan(&deployment, [old, scaled(set(2, 4, 4))]);
        let Request::Update { object, .. } = &writes(&plan)[0].request else { panic!("{plan:?}") };
        let annotation = |key: &str| object.meta().annotation(key).unwrap().as_str();
        assert_eq!((annotation(&REVISION), annotation(&REVISION_HISTORY)), ("3", expected));
    }
}

/// Facts of `TestDeploymentController_cleanupDeployment`.
#[test]
fn old_sets_beyond_the_limit_are_deleted_unless_they_are_busy() {
    let idle = |version| scaled(set(version, 0, 0));
    let with = |mut set: ReplicaSet, change: &dyn Fn(&mut ReplicaSet)| {
        change(&mut set);
        set
    };
    let busy = with(idle(3), &|set| set.status.replicas = 1);
    let unobserved = with(idle(4), &|set| set.meta.generation = 2);
    let going = with(idle(5), &|set| set.meta.deletion_timestamp = Some(Timestamp::from_secs(1)));
    let table = [
        (Some(10), "", vec![idle(3), idle(4), idle(5)]),
        (Some(2), "3", vec![idle(3), idle(4), idle(5)]),
        (Some(0), "3 4 5", vec![idle(5), idle(3), idle(4)]), // The lowest revision goes first.
        (Some(i32::MAX), "", vec![idle(3), idle(4)]),
        (None, "", vec![idle(3), idle(4)]),
        (Some(0), "5", vec![busy, unobserved, idle(5)]),
        (Some(1), "", vec![idle(3), going]), // What goes already does not count.
    ];
    for (limit, expected, old) in table {
        let mut deployment = deployment(0, "1", "1");
        deployment.meta.annotations.insert(REVISION, "9");
        deployment.spec.template = template("web:9").into();
        deployment.spec.revision_history_limit = limit;
        deployment.status.observed_generation = 1;
        let plan = plan(&deployment, old.into_iter().chain([scaled_for(set(9, 0, 0), 0, 0)]));
        let deleted = requests(&plan);
        let deleted =
            deleted.iter().filter_map(|request| request.strip_prefix("delete replicaset/shop/web-"));
        assert_eq!(deleted.collect::<Vec<_>>().join(" "), expected, "{limit:?}");
    }
}

#[test]
fn a_hash_that_another_set_bears_counts_as_a_collision() {
    let mut world = World::new(deployment(2, "1", "0"));
    world.sync_deployment().unwrap_err(); // The second status of one sync is a conflict, as upstream's is.
    let taken = world.sets()[0].meta.name.clone();

    // The same again, but somebody else's set bears the name.
    let mut stranger = set(7, 1, 1);
    stranger.meta.name = taken.clone();
    stranger.meta.labels = Labels::EMPTY;
    stranger.meta.owner_references.clear();
    let mut world = World::new(deployment(2, "1", "0"));
    world.view.set(Object::new(stranger));
    assert!(world.sync_deployment().unwrap_err().to_string().ends_with("already exists"));
    assert_eq!(world.deployment().status.collision_count, Some(1));
    let _ = world.sync_deployment();
    assert_eq!(world.sets().len(), 2);
    assert_ne!(world.sets()[1].meta.name, taken);
    assert_eq!(world.events.len(), 1, "{:?}", world.events);
}

#[test]
fn a_set_that_cannot_be_created_is_reported_once() {
    let mut world = World::new(deployment(2, "1", "0"));
    world.refusal = Some(("ReplicaSet", "exceeded quota"));
    let refusal = world.sync_deployment().unwrap_err().to_string();
    let message = format!("Failed to create new replica set \"{}\": {refusal}", "web-HASH");
    let stated = progressing(world.deployment()).map(|(reason, message)| (reason, without_hash(message)));
    assert_eq!(stated, Some(("ReplicaSetCreateError", without_hash(&message))));
    let event = format!("ReplicaSetCreateError: {}", progressing(world.deployment()).unwrap().1);
    assert_eq!(world.events, [event]);
    let before = world.deployment().clone();
    world.sync_deployment().unwrap_err();
    assert_eq!(world.deployment().status, before.status);

    world.refusal = None;
    let _ = world.sync_deployment();
    assert_eq!(progressing(world.deployment()).unwrap().0, "NewReplicaSetCreated");
}

/// Replaces what follows `web-` up to the next quote.
fn without_hash(text: &str) -> String {
    let parts: Vec<&str> = text.split("\"web-").collect();
    let cut = parts[1..].iter().map(|part| part.split_once('"').map_or("", |(_, rest)| rest));
    [parts[0]].into_iter().chain(cut).collect()
}

#[test]
fn a_deployment_that_goes_only_reports() {
    let mut deployment = deployment(4, "1", "1");
    deployment.meta.deletion_timestamp = Some(Timestamp::from_secs(1));
    let plan = plan(&deployment, [scaled(set(1, 4, 4))]);
    assert_eq!(requests(&plan), ["update deployment/shop/web status"]);
    assert_eq!(reported::<Deployment>(&plan).unwrap().status.available_replicas, 4);
}

#[test]
fn a_deployment_that_selects_everything_does_nothing() {
    let mut deployment = deployment(4, "1", "1");
    deployment.spec.selector = LabelSelector::default();
    let plan = plan(&deployment, []);
    assert_eq!(requests(&plan), ["update deployment/shop/web status"]);
    let message = "SelectingAll: This deployment is selecting all pods. A non-empty selector is required.";
    assert_eq!(events(&plan), [message]);
}

/// Facts of `TestOldPodsRunning` and of the strategy.
#[test]
fn recreation_waits_until_no_old_pod_runs() {
    let old = |size| scaled_for(set(1, size, size), 3, 3);
    let with_pod = |phase: PodPhase, of: &ReplicaSet| {
        let mut pod = pod("one", of);
        pod.status.phase = phase;
        pod.meta.deletion_timestamp = Some(Timestamp::from_secs(1));
        pod
    };
    let next = |old: ReplicaSet, phase: Option<PodPhase>| {
        let deployment = recreate(3);
        let pod = phase.map(|phase| Object::new(with_pod(phase, &old)));
        let view = view([Object::new(deployment.clone()), Object::new(old)].into_iter().chain(pod));
        let plan = reconcile(&DeploymentController::default(), &view, &deployment);
        (sizes(&plan).get("web-1").copied(), created(&plan).map(|set| set.replicas()))
    };
    assert_eq!(next(old(3), None), (Some(0), None));
    assert_eq!(next(old(0), Some(PodPhase::Running)), (None, None));
    assert_eq!(next(old(0), Some(PodPhase::Unknown)), (None, None));
    assert_eq!(next(old(0), Some(PodPhase::Failed)), (None, Some(3)));
    assert_eq!(next(old(0), Some(PodPhase::Succeeded)), (None, Some(3)));
    assert_eq!(next(old(0), None), (None, Some(3)));
}

/// Facts of `TestPodDeletionEnqueuesRecreateDeployment` and its siblings.
#[test]
fn the_last_pod_of_a_recreation_wakes_it() {
    let woken = |deployment: Deployment, left: &[&str]| {
        let set = set(1, 0, 0);
        let pods = left.iter().map(|name| Object::new(pod(name, &set)));
        let view = view([Object::new(deployment), Object::new(set.clone())].into_iter().chain(pods));
        let mut wakes = Wakes::default();
        DeploymentController::default().wakes(
            &Change::Gone(Object::new(pod("gone", &set))),
            &view,
            &mut wakes,
        );
        !wakes.0.is_empty()
    };
    assert!(woken(recreate(3), &[]));
    assert!(!woken(recreate(3), &["left"]));
    assert!(!woken(deployment(3, "1", "1"), &[]));
}

#[test]
fn a_change_of_a_set_wakes_its_deployment_or_those_that_might_adopt_it() {
    let mut other = deployment(1, "1", "1");
    other.meta.name = "other".into();
    other.meta.uid = api::Uid(2000);
    let mut orphan = set(2, 1, 1);
    orphan.meta.owner_references.clear();
    let view = view([Object::new(deployment(1, "1", "1")), Object::new(other)]);
    let woken = |old: Option<&ReplicaSet>, new: Option<&ReplicaSet>| {
        let object = |set: &ReplicaSet| Object::new(set.clone());
        let change = match (old, new) {
            (old, Some(new)) => Change::Set { old: old.map(object), new: object(new) },
            (old, None) => Change::Gone(object(old.expect("something changes"))),
        };
        let mut wakes = Wakes::default();
        DeploymentController::default().wakes(&change, &view, &mut wakes);
        wakes.0.iter().map(|(key, _)| key.name.to_string()).collect::<Vec<_>>()
    };
    let owned = set(2, 1, 1);
    let mut relabelled = orphan.clone();
    relabelled.meta.labels.insert("more", "yes");
    assert_eq!(woken(None, Some(&owned)), ["web"]);
    assert_eq!(woken(None, Some(&orphan)), ["web", "other"]);
    assert_eq!(woken(Some(&owned), Some(&owned)), ["web"]);
    assert_eq!(woken(Some(&owned), Some(&orphan)), ["web", "web", "other"]);
    assert_eq!(woken(Some(&orphan), Some(&relabelled)), ["web", "other"]);
    assert!(woken(Some(&orphan), Some(&orphan)).is_empty());
    assert_eq!(woken(Some(&owned), None), ["web"]);
    assert!(woken(Some(&orphan), None).is_empty());
    assert_eq!(owned.key().name, "web-2");
}
