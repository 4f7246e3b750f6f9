mod laws;

use std::sync::Arc;

use api::{
    ClaimRetentionPolicy, Condition, ConditionStatus, ControllerRevision, LabelSelector, Labels, Meta,
    Object, PersistentVolumeClaim, Pod, PodPhase, PodTemplate, Request, Resource, RollingUpdateStatefulSet,
    StatefulSetOrdinals, StatefulSetSpec, StatefulSetStatus, StatefulSetUpdateStrategy, Subresource,
    Timestamp, Uid, condition,
};
use base::{Span, Time};
use client::Requeue;

use super::*;
use crate::history::{new_revision, template_patch};
use crate::testing::{events, requests};

const NOW: Time = Time::from_secs(1_000_000);

fn template(image: &str) -> PodTemplate {
    let labels = Labels::from([("app", "web"), ("image", image)]);
    PodTemplate { meta: Meta { labels, ..Meta::default() }, ..PodTemplate::default() }
}

/// The set `shop/web` of that many pods, with its partition at 0, its revision in the store and all reported.
fn set(replicas: i32) -> StatefulSet {
    let match_labels = Labels::from([("app", "web")]);
    let rolling = RollingUpdateStatefulSet { partition: Some(0), ..RollingUpdateStatefulSet::default() };
    let spec = StatefulSetSpec {
        replicas: Some(replicas),
        selector: LabelSelector { match_labels, ..LabelSelector::default() },
        template: Arc::new(template("1")),
        service_name: "nginx".into(),
        pod_management_policy: "OrderedReady".into(),
        update_strategy: StatefulSetUpdateStrategy {
            kind: "RollingUpdate".into(),
            rolling_update: Some(rolling),
            ..StatefulSetUpdateStrategy::default()
        },
        revision_history_limit: Some(10),
        ..StatefulSetSpec::default()
    };
    let meta = Meta { name: "web".into(), namespace: "shop".into(), uid: Uid(1), ..Meta::default() };
    StatefulSet { meta, spec, ..StatefulSet::default() }
}

fn parallel(replicas: i32) -> StatefulSet {
    let mut set = set(replicas);
    set.spec.pod_management_policy = "Parallel".into();
    set
}

fn revision(set: &StatefulSet, image: &str, number: i64) -> ControllerRevision {
    let template = template(image);
    let data = template_patch(&template);
    new_revision(&View::default(), set, &template.meta.labels, data, number, &mut 0)
}

/// How a pod is, and of which revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Pending,
    Ready,
    Unready,
    Failed,
    Succeeded,
    Deleting,
    /// Ready, and of the revision before.
    Old,
}

fn pod(set: &StatefulSet, ordinal: i32, is: Is) -> Pod {
    let image = if is == Is::Old { "0" } else { "1" };
    let name = revision(set, image, 1).meta.name;
    let mut pod = identity::new_pod(set, &template(image), &name, ordinal);
    pod.meta.uid = Uid(100 + u128::from(ordinal.unsigned_abs()));
    pod.status.phase = match is {
        Is::Pending => PodPhase::Pending,
        Is::Failed => PodPhase::Failed,
        Is::Succeeded => PodPhase::Succeeded,
        Is::Ready | Is::Unready | Is::Deleting | Is::Old => PodPhase::Running,
    };
    if is == Is::Deleting {
        pod.meta.deletion_timestamp = Some(NOW.into());
    }
    if matches!(is, Is::Ready | Is::Old | Is::Deleting) {
        pod.status.conditions = vec![ready(NOW.into())];
    }
    pod
}

fn ready(since: Timestamp) -> Condition {
    let last_transition_time = Some(since);
    Condition {
        kind: condition::READY,
        status: ConditionStatus::True,
        last_transition_time,
        ..Condition::default()
    }
}

fn plan_with(set: &StatefulSet, others: impl IntoIterator<Item = Object>) -> Plan {
    let mut view = View::default();
    view.set(Object::new(set.clone()));
    view.set(Object::new(revision(set, "0", 1)));
    view.set(Object::new(revision(set, "1", 2)));
    for object in others {
        view.set(object);
    }
    let context = Context { now: NOW, view: &view, settled: true };
    StatefulSetController::default().reconcile(&context, &set.key())
}

fn plan(set: &StatefulSet, pods: &[(i32, Is)]) -> Plan {
    plan_with(set, pods.iter().map(|(ordinal, is)| Object::new(pod(set, *ordinal, *is))))
}

/// What happens to pods: `create 0`.
fn done(plan: &Plan) -> Vec<String> {
    let of_pods = |line: String| Some(line.replace(" pod/shop/web-", " ")).filter(|it| *it != line);
    requests(plan).into_iter().filter_map(of_pods).collect()
}

fn reported(plan: &Plan) -> Option<StatefulSetStatus> {
    let writes = plan.steps.iter().flat_map(|step| &step.writes);
    let status = |request: &Request| {
        let Request::Update { object, sub: Subresource::Status } = request else { return None };
        object.get::<StatefulSet>().map(|it| it.status.clone())
    };
    writes.filter_map(|write| status(&write.request)).next_back()
}

/// Facts of `TestStatefulSetControl` and `TestUpdatePodClaims…`: what becomes of which pods.
#[test]
fn pods_come_and_go_one_after_the_other() {
    use Is::{Deleting, Failed, Old, Pending, Ready, Succeeded, Unready};
    type Row<'a> = (&'a str, StatefulSet, &'a [(i32, Is)], &'a [&'a str]);
    let table: [Row<'_>; 20] = [
        ("the first", set(3), &[], &["create 0"]),
        ("not before it is ready", set(3), &[(0, Pending)], &[]),
        ("nor while it is not", set(3), &[(0, Unready)], &[]),
        ("the next", set(3), &[(0, Ready)], &["create 1"]),
        ("a gap", set(3), &[(0, Ready), (2, Ready)], &["create 1"]),
        ("nothing to do", set(2), &[(0, Ready), (1, Ready)], &[]),
        ("one that goes is waited for", set(3), &[(0, Deleting), (1, Ready)], &[]),
        ("a failed one is replaced", set(2), &[(0, Failed), (1, Ready)], &["delete 0"]),
        ("and one that is done", set(2), &[(0, Succeeded), (1, Ready)], &["delete 0"]),
        ("too many: the last goes", set(1), &[(0, Ready), (1, Ready), (2, Ready)], &["delete 2"]),
        ("not while one goes", set(1), &[(0, Ready), (1, Ready), (2, Deleting)], &[]),
        ("not while one within is ill", set(1), &[(0, Unready), (1, Ready), (2, Ready)], &[]),
        ("the one that is ill itself goes", set(1), &[(0, Ready), (1, Ready), (2, Unready)], &["delete 2"]),
        ("but not before one below it", set(1), &[(0, Ready), (1, Unready), (2, Ready)], &["delete 2"]),
        ("an ill one waits for the lower ill one", set(1), &[(0, Ready), (1, Unready), (2, Unready)], &[]),
        ("down to none", set(0), &[(0, Ready)], &["delete 0"]),
        ("an update from the end", set(3), &[(0, Old), (1, Old), (2, Old)], &["delete 2"]),
        ("one by one", set(3), &[(0, Old), (1, Old), (2, Ready)], &["delete 1"]),
        ("all at once", parallel(3), &[], &["create 0", "create 1", "create 2"]),
        ("whatever goes", parallel(1), &[(0, Pending), (1, Ready), (2, Deleting)], &["delete 1"]),
    ];
    for (what, set, pods, expected) in table {
        assert_eq!(done(&plan(&set, pods)), expected, "{what}");
    }
}

/// Facts of `TestStatefulSetControlRollingUpdateWithPartition`, `TestStatefulSetControlOnDeleteUpdate` and of the code.
#[test]
fn an_update_stops_at_its_partition_and_on_delete_waits_for_deletions() {
    use Is::{Old, Pending, Ready};
    let old = [(0, Old), (1, Old), (2, Old)];
    let partitioned = |partition, policy: fn(i32) -> StatefulSet| {
        let mut set = policy(3);
        let rolling = set.spec.update_strategy.rolling_update.as_mut().unwrap();
        rolling.partition = Some(partition);
        set
    };
    assert_eq!(done(&plan(&partitioned(2, set), &old)), ["delete 2"]);
    assert_eq!(done(&plan(&partitioned(2, set), &[(0, Old), (1, Old), (2, Ready)])), [""; 0]);
    assert_eq!(done(&plan(&partitioned(5, set), &old)), [""; 0]);
    assert_eq!(done(&plan(&partitioned(0, parallel), &[(0, Old), (1, Old), (2, Pending)])), [""; 0]);

    let mut on_delete = set(3);
    on_delete.spec.update_strategy.kind = "OnDelete".into();
    on_delete.spec.update_strategy.rolling_update = None;
    assert_eq!(done(&plan(&on_delete, &old)), [""; 0]);
    let plan = plan(&on_delete, &[(0, Old), (1, Old)]);
    assert_eq!(created(&plan).meta.label("image").unwrap(), "1");
}

fn created(plan: &Plan) -> Arc<Pod> {
    let mut writes = plan.steps.iter().flat_map(|step| &step.writes);
    let pod = |request: &Request| {
        let Request::Create { object } = request else { return None };
        object.get::<Pod>().cloned()
    };
    writes.find_map(|write| pod(&write.request)).expect("a pod is created")
}

/// Facts of `TestNewVersionedStatefulSetPod`… and `newVersionedStatefulSetPod`.
#[test]
fn a_place_below_the_partition_keeps_the_template_it_had() {
    let mut set = set(3);
    set.status.current_revision = revision(&set, "0", 1).meta.name;
    set.spec.update_strategy.rolling_update.as_mut().unwrap().partition = Some(2);
    let image = |pods: &[(i32, Is)]| created(&plan(&set, pods)).meta.label("image").unwrap().to_string();
    assert_eq!(image(&[]), "0");
    assert_eq!(image(&[(0, Is::Old), (1, Is::Old)]), "1");
}

#[test]
fn a_pod_knows_who_it_is() {
    let mut set = set(2);
    set.spec.ordinals = Some(StatefulSetOrdinals { start: 5, ..StatefulSetOrdinals::default() });
    let plan = plan(&set, &[]);
    let pod = created(&plan);
    let label = |key| pod.meta.label(key).map(|it| it.as_str());
    assert_eq!((pod.spec.hostname.as_str(), pod.spec.subdomain.as_str()), ("web-5", "nginx"));
    assert_eq!(label("statefulset.kubernetes.io/pod-name"), Some("web-5"));
    assert_eq!(label("apps.kubernetes.io/pod-index"), Some("5"));
    assert_eq!(label("controller-revision-hash"), Some(revision(&set, "1", 2).meta.name.as_str()));
    assert!(pod.meta.is_controlled_by(Uid(1)));
    assert_eq!(events(&plan), ["SuccessfulCreate: create Pod web-5 in StatefulSet web successful"]);
}

#[test]
fn claims_come_before_their_pod_and_one_that_goes_is_waited_for() {
    let mut set = set(1);
    set.spec.volume_claim_templates = ["data", "log"]
        .map(|name| {
            let meta = Meta { name: name.into(), ..Meta::default() };
            PersistentVolumeClaim { meta, ..PersistentVolumeClaim::default() }
        })
        .into();
    let claim = |name: &str, is_deleting: bool| {
        let deletion_timestamp = is_deleting.then_some(NOW.into());
        let meta =
            Meta { name: name.into(), namespace: "shop".into(), deletion_timestamp, ..Meta::default() };
        Object::new(PersistentVolumeClaim { meta, ..PersistentVolumeClaim::default() })
    };
    let planned = plan_with(&set, [claim("data-web-0", false)]);
    assert_eq!(
        requests(&planned)[..2],
        ["create persistentvolumeclaim/shop/log-web-0", "create pod/shop/web-0"]
    );
    let message = "SuccessfulCreate: create Claim log-web-0 Pod web-0 in StatefulSet web success";
    assert_eq!(events(&planned)[0], message);
    let claims: Vec<_> = created(&planned).spec.volumes.iter().map(|it| it.claim_name("")).collect();
    assert_eq!(claims, [Some("data-web-0".into()), Some("log-web-0".into())]);

    let blocked = plan_with(&set, [claim("data-web-0", true)]);
    let message =
        "FailedCreate: create Pod web-0 in StatefulSet web failed error: pvc data-web-0 is being deleted";
    assert_eq!((done(&blocked), events(&blocked)), (vec![], vec![message.to_owned()]));
    assert_eq!(blocked.requeue, Requeue::BackOff);
}

#[test]
fn a_claim_goes_with_the_pod_where_the_policy_says_so() {
    let mut set = set(1);
    let meta = Meta { name: "data".into(), ..Meta::default() };
    set.spec.volume_claim_templates =
        vec![PersistentVolumeClaim { meta, ..PersistentVolumeClaim::default() }];
    set.spec.persistent_volume_claim_retention_policy = Some(ClaimRetentionPolicy {
        when_scaled: "Delete".into(),
        when_deleted: "Retain".into(),
        ..ClaimRetentionPolicy::default()
    });
    let claim = |name: &str| {
        let meta = Meta { name: name.into(), namespace: "shop".into(), ..Meta::default() };
        Object::new(PersistentVolumeClaim { meta, ..PersistentVolumeClaim::default() })
    };
    let pods = [0, 1].map(|ordinal| Object::new(pod(&set, ordinal, Is::Ready)));
    let plan = plan_with(&set, pods.into_iter().chain(["data-web-0", "data-web-1"].map(claim)));
    let expected = ["update persistentvolumeclaim/shop/data-web-1", "delete pod/shop/web-1"];
    assert_eq!(requests(&plan)[..2], expected);
}

#[test]
fn the_status_counts_pods_by_revision_and_completes_an_update() {
    let mut set = set(3);
    set.meta.generation = 4;
    let [old, new] = [("0", 1), ("1", 2)].map(|(image, number)| revision(&set, image, number).meta.name);
    set.status.current_revision = old.clone();
    let status = reported(&plan(&set, &[(0, Is::Old), (1, Is::Old), (2, Is::Ready)])).unwrap();
    // One of the two old ones has just been deleted.
    assert_eq!((status.replicas, status.current_replicas, status.updated_replicas), (3, 1, 1));
    assert_eq!((&status.current_revision, &status.update_revision), (&old, &new));
    assert_eq!((status.observed_generation, status.collision_count), (4, Some(0)));

    let all_new = [(0, Is::Ready), (1, Is::Ready), (2, Is::Ready)];
    let status = reported(&plan(&set, &all_new)).unwrap();
    assert_eq!((status.current_replicas, &status.current_revision), (3, &new));
    set.status = status;
    assert!(plan(&set, &all_new).is_done());
}

#[test]
fn a_pod_counts_as_available_after_a_while() {
    let mut set = set(2);
    set.spec.min_ready_seconds = 30;
    let mut first = pod(&set, 0, Is::Ready);
    first.status.conditions = vec![ready(Timestamp::from_secs(1_000_000 - 20))];
    let early = plan_with(&set, [Object::new(first.clone())]);
    assert_eq!((done(&early), early.requeue), (vec![], Requeue::After(Span::secs(10))));
    first.status.conditions = vec![ready(Timestamp::from_secs(1_000_000 - 30))];
    assert_eq!(done(&plan_with(&set, [Object::new(first)])), ["create 1"]);
}

/// Facts of `TestStatefulSetControlLimitsHistory`.
#[test]
fn history_keeps_what_is_in_use_and_the_newest_of_the_rest() {
    let mut set = set(1);
    set.spec.revision_history_limit = Some(1);
    let revisions = [("a", 1), ("b", 2), ("c", 3)].map(|(image, number)| revision(&set, image, number));
    let mut stays = pod(&set, 0, Is::Ready);
    stays.meta.labels.insert("controller-revision-hash", revisions[0].meta.name.clone());
    let objects = revisions.iter().cloned().map(Object::new).chain([Object::new(stays)]);
    let deletes: Vec<String> =
        requests(&plan_with(&set, objects)).into_iter().filter(|it| it.contains("revision")).collect();
    // "0" is the oldest that nobody uses, then comes "b"; "c" is the one to keep. "1" comes back, and is the newest.
    let [zero, one] = ["0", "1"].map(|image| revision(&set, image, 1).meta.name);
    let key = |name: &str| format!("controllerrevision/shop/{name}");
    let expected = [
        format!("update {}", key(&one)),
        format!("delete {}", key(&zero)),
        format!("delete {}", key(&revisions[1].meta.name)),
    ];
    assert_eq!(deletes, expected);
}

#[test]
fn a_set_that_goes_only_reports() {
    let mut set = set(3);
    set.meta.deletion_timestamp = Some(NOW.into());
    let plan = plan(&set, &[(0, Is::Failed)]);
    assert_eq!(requests(&plan), ["update statefulset/shop/web status"]);
}
