use std::sync::Arc;

use api::{
    Condition, ConditionStatus, DaemonSetStatus, DaemonSetUpdateStrategy, IntOrString, LabelSelector, Labels,
    Meta, Object, Pod, PodPhase, PodSpec, PodTemplate, RollingUpdateDaemonSet, Subresource, Taint,
    TaintEffect, Timestamp, Uid, condition,
};
use base::{Name, Span};
use client::{ControlLoop, Expect, Rate, Requeue};
use proptest::prelude::*;

use super::template::REVISION_HASH;
use super::*;
use crate::testing::{World, events, requests};

const NOW: Time = Time::from_secs(1_000_000);
const HASH: Name = REVISION_HASH;

/// The set `shop/log`, whose pods go one by one.
fn set(unavailable: &str, surge: &str) -> DaemonSet {
    let mut set = DaemonSet {
        meta: Meta { name: "log".into(), namespace: "shop".into(), uid: Uid(1), ..Meta::default() },
        ..DaemonSet::default()
    };
    let match_labels = Labels::from([("app", "log")]);
    let meta = Meta { labels: match_labels.clone(), ..Meta::default() };
    set.spec.selector = LabelSelector { match_labels, ..LabelSelector::default() };
    set.spec.template = Arc::new(PodTemplate { meta, ..PodTemplate::default() });
    set.spec.update_strategy = DaemonSetUpdateStrategy {
        kind: "RollingUpdate".into(),
        rolling_update: Some(RollingUpdateDaemonSet {
            max_unavailable: Some(IntOrString::parse(unavailable)),
            max_surge: Some(IntOrString::parse(surge)),
            ..RollingUpdateDaemonSet::default()
        }),
        ..DaemonSetUpdateStrategy::default()
    };
    set
}

fn hash_of(set: &DaemonSet) -> Name {
    crate::template_hash::compute_hash(&set.spec.template, None)
}

fn node(name: &str, taints: &[Taint]) -> Node {
    let mut node = Node::default();
    node.meta.name = name.into();
    node.meta.labels = Labels::from([("disk", name)]);
    node.spec.taints = taints.to_vec();
    node
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    New,
    NewUnready,
    Old,
    OldUnready,
    Deleting,
    Failed,
    Succeeded,
    FailedAndDeleting,
}

fn pod(set: &DaemonSet, on: &str, is: Is, n: u32) -> Pod {
    let is_old = matches!(is, Is::Old | Is::OldUnready);
    let hash = if is_old { "old".into() } else { hash_of(set) };
    let mut pod = template::pod_for(set, &hash, &on.into());
    pod.meta.name = Name::from(format_args!("log-{on}-{n}"));
    pod.meta.uid = Uid(100 + u128::from(n));
    pod.meta.creation_timestamp = Some(Timestamp::from_secs(n.into()));
    pod.node = on.into();
    pod.status.phase = match is {
        Is::Failed | Is::FailedAndDeleting => PodPhase::Failed,
        Is::Succeeded => PodPhase::Succeeded,
        Is::New | Is::NewUnready | Is::Old | Is::OldUnready | Is::Deleting => PodPhase::Running,
    };
    if matches!(is, Is::New | Is::Old) {
        pod.status.conditions = vec![ready(NOW.into())];
    }
    if matches!(is, Is::Deleting | Is::FailedAndDeleting) {
        pod.meta.deletion_timestamp = Some(NOW.into());
    }
    pod
}

fn ready(since: Timestamp) -> Condition {
    let last_transition_time = Some(since);
    let status = ConditionStatus::True;
    Condition { kind: condition::READY, status, last_transition_time, ..Condition::default() }
}

fn plan_of(set: &DaemonSet, nodes: &[Node], pods: &[(&str, Is)]) -> Plan {
    let mut view = View::default();
    view.set(Object::new(set.clone()));
    nodes.iter().cloned().for_each(|node| drop(view.set(Object::new(node))));
    for (n, (on, is)) in (0..).zip(pods) {
        view.set(Object::new(pod(set, on, *is, n)));
    }
    let context = Context { now: NOW, view: &view, settled: true };
    let plan = DaemonSetController::default().reconcile(&context, &set.key());
    let Some(Expect::Changes { creations, deletions }) = &plan.expect else { return plan };
    let count = |verb: &str| done(&plan).iter().filter(|it| it.starts_with(verb)).count();
    assert_eq!((count("create"), count("delete")), (*creations as usize, deletions.len()));
    plan
}

/// What happens to pods: `create a`, for the node that it is for, and `delete a-0`.
fn done(plan: &Plan) -> Vec<String> {
    let writes = plan.steps.iter().flat_map(|step| &step.writes);
    let line = |request: &Request| {
        if let Request::Create { object } = request {
            let pod = object.get::<Pod>()?;
            return Some(format!("create {}", template::target_node(pod).unwrap()));
        }
        let Request::Delete { key, .. } = request else { return None };
        (key.kind == Kind::Pod).then(|| format!("delete {}", key.name.trim_start_matches("log-")))
    };
    writes.filter_map(|write| line(&write.request)).collect()
}

fn reported(plan: &Plan) -> DaemonSetStatus {
    let mut writes = plan.steps.iter().flat_map(|step| &step.writes);
    let status = |request: &Request| {
        let Request::Update { object, sub: Subresource::Status } = request else { return None };
        object.get::<DaemonSet>().map(|it| it.status.clone())
    };
    writes.find_map(|write| status(&write.request)).expect("a status is reported")
}

/// Facts of `TestDaemonSetController…`: one pod on each node that it suits.
#[test]
fn every_node_gets_a_pod_and_no_more_than_one() {
    use Is::{Deleting, Failed, FailedAndDeleting, New, Succeeded};
    let nodes = ["a", "b"].map(|name| node(name, &[]));
    type Row<'a> = (&'a str, &'a [(&'a str, Is)], &'a [&'a str]);
    let table: [Row<'_>; 8] = [
        ("none yet", &[], &["create a", "create b"]),
        ("one is missing", &[("a", New)], &["create b"]),
        ("all there", &[("a", New), ("b", New)], &[]),
        ("the oldest stays", &[("a", New), ("a", New), ("b", New)], &["delete a-1"]),
        ("one that goes is waited for", &[("a", New), ("b", Deleting)], &[]),
        ("but not one that has finished", &[("a", New), ("b", FailedAndDeleting)], &["create b"]),
        ("a failed one is deleted", &[("a", New), ("b", Failed)], &["delete b-1"]),
        ("and one that is done", &[("a", New), ("b", Succeeded)], &["delete b-1"]),
    ];
    for (what, pods, expected) in table {
        assert_eq!(done(&plan_of(&set("1", "0"), &nodes, pods)), expected, "{what}");
    }
    let plan = plan_of(&set("1", "0"), &nodes, &[("a", New), ("b", Failed)]);
    let message = "FailedDaemonPod: Found failed daemon pod shop/log-b-1 on node b, will try to kill it";
    assert_eq!(events(&plan), [message, "SuccessfulDelete: Deleted pod: log-b-1"]);
}

/// Facts of `TestNodeShouldRunDaemonPod`, `TestTaintedNodeDaemon…` and of `AddOrUpdateDaemonPodTolerations`.
#[test]
fn a_taint_keeps_new_pods_away_and_no_execute_drives_them_out() {
    let taint = |key: &str, effect| [Taint::new(key, "", effect)];
    let table = [
        (taint("mine", TaintEffect::PreferNoSchedule), (true, true)),
        (taint("mine", TaintEffect::NoSchedule), (false, true)),
        (taint("mine", TaintEffect::NoExecute), (false, false)),
        (taint("node.kubernetes.io/not-ready", TaintEffect::NoExecute), (true, true)),
        (taint("node.kubernetes.io/unreachable", TaintEffect::NoExecute), (true, true)),
        (taint("node.kubernetes.io/unschedulable", TaintEffect::NoSchedule), (true, true)),
        (taint("node.kubernetes.io/memory-pressure", TaintEffect::NoSchedule), (true, true)),
        (taint("node.kubernetes.io/not-ready", TaintEffect::NoSchedule), (false, true)),
        (taint("node.kubernetes.io/network-unavailable", TaintEffect::NoSchedule), (false, true)),
    ];
    let set = set("1", "0");
    for (taints, (should_run, may_stay)) in table {
        let judgement = Suits::new(&set).judge(&node("a", &taints));
        assert_eq!(judgement, nodes::Judgement { should_run, may_stay }, "{taints:?}");
    }
    let tainted = node("a", &taint("mine", TaintEffect::NoExecute));
    assert_eq!(done(&plan_of(&set, &[tainted], &[("a", Is::New)])), ["delete a-0"]);
}

#[test]
fn a_node_selector_and_a_node_name_choose_the_nodes() {
    let nodes = ["a", "b"].map(|name| node(name, &[]));
    let mut selecting = set("1", "0");
    let template = Arc::make_mut(&mut selecting.spec.template);
    PodSpec::edit(&mut template.spec, |spec| spec.node_selector = Labels::from([("disk", "b")]));
    assert_eq!(done(&plan_of(&selecting, &nodes, &[("a", Is::New)])), ["create b", "delete a-0"]);
    let status = reported(&plan_of(&selecting, &nodes, &[("a", Is::New)]));
    let counts =
        [status.desired_number_scheduled, status.current_number_scheduled, status.number_misscheduled];
    assert_eq!(counts, [1, 0, 1]);

    let mut naming = set("1", "0");
    let template = Arc::make_mut(&mut naming.spec.template);
    PodSpec::edit(&mut template.spec, |spec| spec.rest.set("nodeName", "a".into()));
    assert_eq!(done(&plan_of(&naming, &nodes, &[])), ["create a"]);
}

/// Facts of `TestDaemonSetUpdatesPods…` and of `rollingUpdate`.
#[test]
fn an_update_deletes_as_many_pods_as_may_be_missing() {
    use Is::{Deleting, New, NewUnready, Old, OldUnready};
    let nodes = ["a", "b", "c"].map(|name| node(name, &[]));
    type Row<'a> = (&'a str, &'a [(&'a str, Is)], &'a [&'a str]);
    let table: [Row<'_>; 6] = [
        ("1", &[("a", Old), ("b", Old), ("c", Old)], &["delete a-0"]),
        ("2", &[("a", Old), ("b", Old), ("c", Old)], &["delete a-0", "delete b-1"]),
        ("1", &[("a", NewUnready), ("b", Old), ("c", Old)], &[]),
        ("1", &[("a", Deleting), ("b", Old), ("c", Old)], &[]),
        ("1", &[("a", New), ("b", OldUnready), ("c", Old)], &["delete b-1"]),
        ("50%", &[("a", Old), ("b", Old), ("c", Old)], &["delete a-0", "delete b-1"]), // 1.5 is 2.
    ];
    for (unavailable, pods, expected) in table {
        assert_eq!(done(&plan_of(&set(unavailable, "0"), &nodes, pods)), expected, "{unavailable} {pods:?}");
    }
    let mut on_delete = set("1", "0");
    on_delete.spec.update_strategy.kind = "OnDelete".into();
    assert_eq!(done(&plan_of(&on_delete, &nodes, &[("a", Old), ("b", Old), ("c", Old)])), [""; 0]);
}

/// Facts of `TestDaemonSetUpdatesAllOldPodsNotReadyMaxSurge`, `TestDaemonSetUpdatesSomeOldPodsNotReadyMaxSurge` …
#[test]
fn a_surge_creates_new_pods_beside_the_old_ones() {
    use Is::{New, NewUnready, Old, OldUnready};
    let nodes = ["a", "b", "c"].map(|name| node(name, &[]));
    type Row<'a> = (&'a str, &'a [(&'a str, Is)], &'a [&'a str]);
    let table: [Row<'_>; 5] = [
        ("1", &[("a", Old), ("b", Old), ("c", Old)], &["create a"]),
        ("2", &[("a", Old), ("b", Old), ("c", Old)], &["create a", "create b"]),
        ("1", &[("a", Old), ("a", NewUnready), ("b", Old), ("c", Old)], &[]),
        ("1", &[("a", Old), ("a", New), ("b", Old), ("c", Old)], &["delete a-0"]),
        ("1", &[("a", OldUnready), ("b", OldUnready), ("c", Old)], &["create a", "create b", "create c"]),
    ];
    for (surge, pods, expected) in table {
        assert_eq!(done(&plan_of(&set("0", surge), &nodes, pods)), expected, "{surge} {pods:?}");
    }
}

#[test]
fn a_set_keeps_its_template_in_a_revision_and_reports() {
    let mut set = set("1", "0");
    set.meta.generation = 3;
    set.meta.annotations.insert("deprecated.daemonset.template.generation", "2");
    let plan = plan_of(&set, &[node("a", &[])], &[]);
    let hash = hash_of(&set);
    let expected = [format!("create controllerrevision/shop/log-{hash}"), "create pod/shop/".to_owned()];
    assert_eq!(requests(&plan)[..2], expected);
    let pod = template::pod_for(&set, &hash, &"a".into());
    assert_eq!(pod.meta.label(&HASH), Some(&hash));
    assert_eq!(pod.meta.label("pod-template-generation").map(|it| it.as_str()), Some("2"));
    let status = reported(&plan);
    assert_eq!((status.desired_number_scheduled, status.number_unavailable), (1, 1));
    assert_eq!(status.observed_generation, 3);
}

#[test]
fn a_pod_counts_as_available_after_a_while() {
    let mut set = set("1", "0");
    set.spec.min_ready_seconds = 30;
    let plan = plan_of(&set, &[node("a", &[])], &[("a", Is::New)]);
    let status = reported(&plan);
    assert_eq!((status.number_ready, status.number_available), (1, 0));
    assert_eq!(plan.requeue, Requeue::After(Span::secs(30)));
}

#[test]
fn a_selector_of_everything_is_refused() {
    let mut set = set("1", "0");
    set.spec.selector = LabelSelector::default();
    let plan = plan_of(&set, &[node("a", &[])], &[]);
    let message = "This daemon set is selecting all pods. A non-empty selector is required.";
    assert_eq!(events(&plan), [format!("SelectingAll: {message}")]);
    assert!(plan.steps.is_empty());
}

type Cluster = World<ControlLoop<DaemonSetController>>;

/// The scheduler and the kubelets: pods are placed where they are meant to be, and become ready.
fn settle(world: &mut Cluster) {
    let pods: Vec<Key> = world.server.of_kind(&Kind::Pod).map(Object::key).collect();
    for key in pods {
        let now = world.now;
        world.change::<Pod>(&key, |pod| {
            if !pod.is_bound() {
                pod.node = template::target_node(pod).expect("it is meant for a node").clone();
            }
            if pod.status.phase != PodPhase::Failed && !pod.is_ready() {
                pod.status.phase = PodPhase::Running;
                pod.status.conditions = vec![ready(now.into())];
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever happens to pods and nodes, in the end each node has one pod, and it is ready and of the last template.
    #[test]
    fn every_node_has_its_pod_in_the_end(
        blows in prop::collection::vec((0_u8..4, 0_u8..5), 1..10),
        surges: bool,
        seed: u64,
    ) {
        let mut world = World::new(ControlLoop::new(DaemonSetController::default(), Rate::CONTROLLER), seed);
        for name in ["n0", "n1", "n2"] {
            world.create(node(name, &[]));
        }
        world.create(if surges { set("0", "1") } else { set("1", "0") });
        let set_key = Key::new(Kind::DaemonSet, "shop", "log");
        for (step, (kind, n)) in blows.into_iter().enumerate() {
            world.run_for(Span::secs(2));
            settle(&mut world);
            let pod = world.server.of_kind(&Kind::Pod).nth(n.into()).map(Object::key);
            match (kind, pod) {
                (0, Some(key)) => world.change::<Pod>(&key, |pod| pod.status.phase = PodPhase::Failed),
                (1, Some(key)) => drop(world.ask(Request::Delete { key, options: api::DeleteOptions::default() })),
                (2, _) => world.change::<DaemonSet>(&set_key, |set| {
                    let template = Arc::make_mut(&mut set.spec.template);
                    template.meta.annotations.insert("version", step.to_string());
                }),
                (3, _) => {
                    let name = format!("m{step}");
                    world.create(node(&name, &[]));
                }
                _ => (),
            }
        }
        for _ in 0..100 {
            world.run_for(Span::secs(20));
            settle(&mut world);
        }
        let set = world.server.get(&set_key).and_then(Object::get::<DaemonSet>).expect("it is there");
        let hash = hash_of(set);
        let pods = world.server.of_kind(&Kind::Pod).filter_map(Object::get::<Pod>);
        let mut on: Vec<&Name> = Vec::new();
        for pod in pods {
            prop_assert!(pod.is_ready() && pod.meta.label(&HASH) == Some(&hash));
            on.push(&pod.node);
        }
        on.sort_unstable();
        let mut nodes: Vec<&Name> = world.server.of_kind(&Kind::Node).map(|it| &it.meta().name).collect();
        nodes.sort_unstable();
        prop_assert_eq!(on, nodes);
    }
}
