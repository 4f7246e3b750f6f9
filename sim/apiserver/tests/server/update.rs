//! Updates and patches: which part changes, what counts as a change, who loses a race.

use std::sync::Arc;

use crate::lab::*;
use api::{
    ConditionStatus, Deployment, Edit, Key, Kind, Object, Patch, Pod, PodPhase, PodStatus, Preconditions,
    Reason, ReplicaSet, ReplicationController, Request, Revision, Subresource, Taint, TaintEffect, Uid,
    condition,
};
use base::{Name, Span};
use serde_json::json;

fn scaled(object: &Object, replicas: i32) -> Object {
    let mut object = object.clone();
    object.get_mut::<Deployment>().unwrap().spec.replicas = Some(replicas);
    object
}

#[test]
fn main_keeps_the_status_and_status_keeps_the_rest() {
    let mut lab = Lab::new();
    let web = lab.create(deployment("web"));
    let mut both = scaled(&web, 5);
    both.get_mut::<Deployment>().unwrap().status.replicas = 4;
    both.meta_mut().labels.insert("a", "b");

    let after_status = lab.update_status(both.clone());
    let it = after_status.get::<Deployment>().unwrap();
    assert_eq!((it.replicas(), it.status.replicas, it.meta.generation), (3, 4, 1));
    assert!(it.meta.labels.is_empty());

    both.meta_mut().resource_version = revision_of(&after_status);
    both.get_mut::<Deployment>().unwrap().status.replicas = 9;
    let after_main = lab.update(both);
    let it = after_main.get::<Deployment>().unwrap();
    assert_eq!((it.replicas(), it.status.replicas, it.meta.generation), (5, 4, 2));
    assert_eq!(it.meta.label("a"), Some(&"b".into()));
}

#[test]
fn the_generation_counts_what_the_strategy_counts() {
    type Change = fn(&mut Object);
    let label: Change = |it| it.meta_mut().labels.insert("a", "b");
    let annotation: Change = |it| it.meta_mut().annotations.insert("a", "b");
    let cases: [(Object, Change, i64); 7] = [
        (deployment("d"), label, 1),
        (deployment("d"), annotation, 2),
        (deployment("d"), |it| it.get_mut::<Deployment>().unwrap().spec.replicas = Some(9), 2),
        (replica_set(), annotation, 1),
        (replica_set(), |it| it.get_mut::<ReplicaSet>().unwrap().spec.replicas = Some(9), 2),
        (pod("p"), label, 1),
        (network_policy(), label, 1),
    ];
    for (object, change, generation) in cases {
        let mut lab = Lab::new();
        let mut changed = lab.create(object);
        change(&mut changed);
        assert_eq!(lab.update(changed).meta().generation, generation);
    }
}

fn replica_set() -> Object {
    let web = deployment("web");
    let spec = web.get::<Deployment>().unwrap().spec.clone();
    let mut set = ReplicaSet { meta: web.meta().clone(), ..ReplicaSet::default() };
    set.spec.selector = spec.selector;
    set.spec.template = spec.template;
    Object::new(set)
}

fn network_policy() -> Object {
    object(
        Kind::NetworkPolicy,
        json!({"metadata": {"name": "n", "namespace": "default"}, "spec": {"podSelector": {}}}),
    )
}

#[test]
fn a_change_that_changes_nothing_is_not_written() {
    let mut lab = Lab::new();
    let web = lab.create(deployment("web"));
    let before = lab.server.revision();
    lab.fresh_commits();
    assert_eq!(lab.update(web.clone()), web);
    assert_eq!(lab.update_status(web.clone()), web);
    assert_eq!(lab.patch(web.key(), Patch::Merge(json!({"spec": {"replicas": 3}}))), web);
    assert_eq!(lab.patch(web.key(), Patch::Apply(vec![Edit::Labels(vec![("x".into(), None)])])), web);
    assert_eq!((lab.server.revision(), lab.fresh_commits()), (before, vec![]));
}

#[test]
fn the_loser_of_a_race_hears_of_it() {
    let mut lab = Lab::new();
    let web = lab.create(deployment("web"));
    lab.update(scaled(&web, 4));
    let refusal = lab.refusal(Request::Update { object: scaled(&web, 5), sub: Subresource::Main });
    assert_eq!(refusal.reason, Reason::Conflict);
    assert_eq!(
        refusal.message,
        "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please apply your \
         changes to the latest version and try again"
    );
    let mut unconditional = scaled(&web, 6);
    unconditional.meta_mut().resource_version = Revision(0);
    assert_eq!(lab.update(unconditional).get::<Deployment>().unwrap().replicas(), 6);
}

#[test]
fn some_kinds_must_say_their_revision() {
    let mut lab = Lab::new();
    let budget = json!({"metadata": {"name": "b", "namespace": "default"}, "spec": {"maxUnavailable": 1}});
    let mut budget = lab.create(object(Kind::PodDisruptionBudget, budget));
    budget.meta_mut().resource_version = Revision(0);
    let message = lab.message(Request::Update { object: budget, sub: Subresource::Main });
    assert_eq!(
        message,
        "poddisruptionbudgets.policy \"b\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for \
         an update"
    );
}

#[test]
fn preconditions_and_identity_are_checked() {
    let mut lab = Lab::new();
    let web = lab.create(deployment("web"));
    let mut stranger = web.clone();
    stranger.meta_mut().uid = Uid(1);
    let message = lab.message(Request::Update { object: stranger, sub: Subresource::Main });
    assert_eq!(
        message,
        format!(
            "Operation cannot be fulfilled on deployments.apps \"web\": StorageError: invalid object, Code: 4, Key: \
             /registry/deployments/default/web, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in \
             precondition: 00000000-0000-0000-0000-000000000001, UID in object meta: {}",
            web.meta().uid
        )
    );
    let patch = |preconditions| Request::Patch {
        key: web.key(),
        sub: Subresource::Main,
        patch: Patch::Apply(vec![Edit::label("a", Some("b".into()))]),
        preconditions,
    };
    let old = Preconditions { resource_version: Some(Revision(1)), uid: None };
    assert_eq!(lab.refusal(patch(old)).reason, Reason::Conflict);
    let right = Preconditions { resource_version: Some(revision_of(&web)), uid: Some(web.meta().uid) };
    lab.get(patch(right));
    let in_patch = Patch::Merge(json!({"metadata": {"resourceVersion": "1"}}));
    assert_eq!(lab.refusal(patch_of(web.key(), in_patch)).reason, Reason::Conflict);
}

#[test]
fn json_and_merge_patches_share_what_they_leave_alone() {
    let mut lab = Lab::new();
    let before = lab.create(pod("web"));
    let merged =
        lab.patch(pod_key("web"), Patch::Merge(json!({"metadata": {"labels": {"app": null, "b": "c"}}})));
    assert_eq!(merged.meta().labels, api::Labels::from([("b", "c")]));
    assert!(Arc::ptr_eq(spec_of(&merged), spec_of(&before)));
    let steps = json!([
        {"op": "test", "path": "/metadata/labels/b", "value": "c"},
        {"op": "replace", "path": "/spec/containers/0/image", "value": "web:v2"},
    ]);
    let patched = lab.patch(pod_key("web"), Patch::Json(steps));
    assert_eq!(spec_of(&patched).containers[0].image, "web:v2");
    assert_eq!(patched.meta().generation, 2);

    let failing = json!([{"op": "test", "path": "/metadata/labels/b", "value": "x"}]);
    let refusal = lab.refusal(patch_of(pod_key("web"), Patch::Json(failing)));
    assert_eq!(refusal.reason, Reason::Invalid);
    assert_eq!(refusal.message, "the server rejected our request due to an error in our request");
    let renaming = Patch::Merge(json!({"metadata": {"name": "other"}}));
    assert_eq!(
        lab.message(patch_of(pod_key("web"), renaming)),
        "the name of the object (other) does not match the name on the URL (web)"
    );
    assert_eq!(
        lab.refusal(patch_of(pod_key("web"), Patch::Json(json!({"no": "list"})))).reason,
        Reason::BadRequest
    );
    let wrong_type = Patch::Merge(json!({"spec": {"containers": 7}}));
    assert_eq!(lab.refusal(patch_of(pod_key("web"), wrong_type)).reason, Reason::Invalid);
}

#[test]
fn a_kubelets_status_keeps_the_conditions_of_others() {
    let mut lab = Lab::new();
    lab.create(pod("web"));
    let disrupted = api::Condition {
        kind: condition::DISRUPTION_TARGET,
        status: ConditionStatus::True,
        ..api::Condition::default()
    };
    let edit = Edit::PodCondition { condition: disrupted, nominated_node: Some("n-1".into()), phase: None };
    let nominated = lab.edit(pod_key("web"), Subresource::Status, edit);
    assert_eq!(nominated.get::<Pod>().unwrap().status.nominated_node_name, "n-1");

    let ready =
        api::Condition { kind: condition::READY, status: ConditionStatus::True, ..api::Condition::default() };
    let status = PodStatus { phase: PodPhase::Running, conditions: vec![ready], ..PodStatus::default() };
    let running = lab.edit(pod_key("web"), Subresource::Status, Edit::PodStatus(Box::new(status)));
    let running = running.get::<Pod>().unwrap();
    let kinds: Vec<&Name> = running.status.conditions.iter().map(|it| &it.kind).collect();
    assert_eq!(kinds, ["DisruptionTarget", "Ready"]);
    assert_eq!(running.status.qos_class, "BestEffort", "nobody can change it");
    assert_eq!(running.meta.generation, 1);

    // The main resource does not write the status.
    let failed = PodStatus { phase: PodPhase::Failed, ..PodStatus::default() };
    let same = lab.edit(pod_key("web"), Subresource::Main, Edit::PodStatus(Box::new(failed)));
    assert_eq!(same.get::<Pod>().unwrap().status.phase, PodPhase::Running);
}

#[test]
fn node_edits_do_one_thing_each() {
    let mut lab = Lab::new();
    let key = Key::cluster(Kind::Node, "n");
    lab.create(object(Kind::Node, json!({"metadata": {"name": "n"}})));
    let taint = |value: &'static str| Taint::new("k", value, TaintEffect::NoExecute);
    lab.edit(key.clone(), Subresource::Main, Edit::AddTaints(vec![taint("a")]));
    let node = lab.edit(key.clone(), Subresource::Main, Edit::AddTaints(vec![taint("b")]));
    let taints: Vec<String> =
        node.get::<api::Node>().unwrap().spec.taints.iter().map(ToString::to_string).collect();
    assert_eq!(taints, ["node.kubernetes.io/not-ready:NoSchedule", "k=b:NoExecute"]);
    let node = lab.edit(key.clone(), Subresource::Main, Edit::RemoveTaints(vec![taint("")]));
    assert_eq!(node.get::<api::Node>().unwrap().spec.taints.len(), 1);
    let node = lab.edit(key.clone(), Subresource::Main, Edit::Unschedulable(true));
    assert!(node.get::<api::Node>().unwrap().spec.unschedulable);

    lab.sleep(Span::secs(9));
    let ready = |status| {
        let kind = Name::from_static("Ready");
        Edit::NodeCondition(api::Condition { kind, status, ..api::Condition::default() })
    };
    lab.edit(key.clone(), Subresource::Status, ready(ConditionStatus::True));
    lab.sleep(Span::secs(9));
    let node = lab.edit(key, Subresource::Status, ready(ConditionStatus::Unknown));
    let condition = node.get::<api::Node>().unwrap().condition("Ready").unwrap().clone();
    assert_eq!(condition.last_transition_time.map(api::Timestamp::time), Some(START + Span::secs(18)));

    let misplaced = Patch::Apply(vec![Edit::Unschedulable(true)]);
    lab.create(pod("web"));
    assert_eq!(lab.refusal(patch_of(pod_key("web"), misplaced)).reason, Reason::BadRequest);
}

#[test]
fn some_kinds_are_created_by_an_update() {
    let mut lab = Lab::new();
    let lease = object(Kind::Lease, json!({"metadata": {"name": "l", "namespace": "kube-node-lease"}}));
    lab.update(lease);
    let message = lab.message(Request::Update { object: deployment("web"), sub: Subresource::Main });
    assert_eq!(message, "deployments.apps \"web\" not found");
}

#[test]
fn scaling_sets_the_replicas_and_nothing_else() {
    let mut lab = Lab::new();
    let web = lab.create(deployment("web"));
    let scale = |key: &Key, replicas, revision| Request::Scale {
        key: key.clone(),
        replicas,
        resource_version: revision,
    };
    let scaled = lab.get(scale(&web.key(), 7, Revision(0)));
    let it = scaled.get::<Deployment>().unwrap();
    assert_eq!((it.replicas(), it.meta.generation), (7, 2));
    assert_eq!(lab.refusal(scale(&web.key(), 8, revision_of(&web))).reason, Reason::Conflict);
    assert_eq!(
        lab.message(scale(&web.key(), -1, Revision(0))),
        "Scale.autoscaling \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"
    );
    let controller = json!({"metadata": {"name": "rc", "namespace": "default"}, "spec": {"replicas": 1}});
    let controller = lab.create(object(Kind::ReplicationController, controller));
    let scaled = lab.get(scale(&controller.key(), 2, Revision(0)));
    assert_eq!(scaled.get::<ReplicationController>().unwrap().replicas(), 2);
    lab.create(pod("web"));
    assert_eq!(lab.refusal(scale(&pod_key("web"), 2, Revision(0))).reason, Reason::NotFound);
}

#[test]
fn a_pod_is_bound_once() {
    let mut lab = Lab::new();
    let web = lab.create(pod("web"));
    let bind = |uid| Request::Bind { pod: pod_key("web"), uid, node: "n-1".into() };
    assert_eq!(lab.refusal(bind(Uid(1))).reason, Reason::Conflict);
    lab.ask(bind(web.meta().uid)).unwrap();
    let bound = lab.find::<Pod>("default", "web");
    assert_eq!((bound.node.as_str(), bound.meta.generation), ("n-1", 1));
    assert!(bound.status.condition("PodScheduled").unwrap().is_true());
    assert_eq!(
        lab.message(bind(Uid(0))),
        "Operation cannot be fulfilled on pods/binding \"web\": pod web is already assigned to node \"n-1\""
    );

    let mut gated = pod("gated");
    api::PodSpec::edit(&mut gated.get_mut::<Pod>().unwrap().spec, |spec| {
        spec.scheduling_gates.push(api::PodSchedulingGate { name: "wait".into(), ..Default::default() });
    });
    let gated = lab.create(gated);
    let waiting = gated.get::<Pod>().unwrap().status.condition("PodScheduled").unwrap().clone();
    assert_eq!((waiting.status, waiting.reason.as_str()), (ConditionStatus::False, "SchedulingGated"));
    let bind = Request::Bind { pod: pod_key("gated"), uid: Uid(0), node: "n-1".into() };
    assert!(lab.message(bind).ends_with("pod gated has non-empty .spec.schedulingGates"));
}
