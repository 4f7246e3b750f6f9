use std::sync::Arc;

use api::{
    Condition, ConditionStatus, DaemonSet, Deployment, IntOrString, LabelSelector, Labels, Meta, Object,
    OwnerReference, Pod, PodDisruptionBudget, ReplicaSet, Request, Resource, StatefulSet, Timestamp, Uid,
    condition,
};
use base::{Name, Span, Time};
use client::{Context, Requeue};

use super::*;

const NOW: Time = Time::from_secs(1_000_000);

fn meta(name: &str, uid: u128, owner: Option<OwnerReference>) -> Meta {
    Meta {
        name: name.into(),
        namespace: "shop".into(),
        uid: Uid(uid),
        labels: Labels::from([("app", "web")]),
        owner_references: owner.into_iter().collect(),
        ..Meta::default()
    }
}

fn owner(kind: &Kind, name: &str, uid: u128) -> Option<OwnerReference> {
    Some(OwnerReference::controller(kind, &name.into(), Uid(uid)))
}

/// A deployment of ten replicas with its set, another set of five without a deployment, a stateful set of three and a
/// daemon set.
fn controllers() -> Vec<Object> {
    let mut deployment = Deployment { meta: meta("web", 1, None), ..Deployment::default() };
    deployment.spec.replicas = Some(10);
    let mut set =
        ReplicaSet { meta: meta("web-a", 2, owner(&Kind::Deployment, "web", 1)), ..ReplicaSet::default() };
    set.spec.replicas = Some(7);
    let mut alone = ReplicaSet { meta: meta("alone", 3, None), ..ReplicaSet::default() };
    alone.spec.replicas = Some(5);
    let mut stateful = StatefulSet { meta: meta("db", 4, None), ..StatefulSet::default() };
    stateful.spec.replicas = Some(3);
    let daemons = DaemonSet { meta: meta("log", 5, None), ..DaemonSet::default() };
    vec![
        Object::new(deployment),
        Object::new(set),
        Object::new(alone),
        Object::new(stateful),
        Object::new(daemons),
    ]
}

fn pod(name: &str, owner: Option<OwnerReference>) -> Pod {
    let mut pod = Pod { meta: meta(name, 100, owner), ..Pod::default() };
    let kind = condition::READY;
    pod.status.conditions = vec![Condition { kind, status: ConditionStatus::True, ..Condition::default() }];
    pod
}

fn web(count: usize) -> Vec<Pod> {
    (0..count).map(|n| pod(&format!("web-{n}"), owner(&Kind::ReplicaSet, "web-a", 2))).collect()
}

fn budget(min_available: Option<&str>, max_unavailable: Option<&str>) -> PodDisruptionBudget {
    let mut budget = PodDisruptionBudget { meta: meta("budget", 50, None), ..PodDisruptionBudget::default() };
    budget.meta.generation = 3;
    budget.spec.min_available = min_available.map(IntOrString::parse);
    budget.spec.max_unavailable = max_unavailable.map(IntOrString::parse);
    let match_labels = Labels::from([("app", "web")]);
    budget.spec.selector = Some(LabelSelector { match_labels, ..LabelSelector::default() });
    budget
}

fn plan(budget: &PodDisruptionBudget, pods: impl IntoIterator<Item = Pod>) -> Plan {
    let mut view = View::default();
    let pods = pods.into_iter().map(Object::new);
    for object in controllers().into_iter().chain(pods).chain([Object::new(budget.clone())]) {
        view.set(object);
    }
    let context = Context { now: NOW, view: &view, settled: true };
    DisruptionController.reconcile(&context, &budget.key())
}

fn reported(plan: &Plan) -> PodDisruptionBudget {
    let Request::Update { object, .. } = &plan.steps[0].writes[0].request else { panic!("{plan:?}") };
    object.get::<PodDisruptionBudget>().map(|it| PodDisruptionBudget::clone(it)).unwrap()
}

/// Facts of `TestNoSelector`, `TestUnavailable`, `TestIntegerMaxUnavailable`, `TestPercentage…`, `TestMultipleControllers`.
#[test]
fn a_budget_counts_what_its_controllers_want() {
    let stateful = || pod("db-0", owner(&Kind::StatefulSet, "db", 4));
    let alone = || pod("alone-0", owner(&Kind::ReplicaSet, "alone", 3));
    let table = [
        // At least, at most missing; pods; allowed, healthy, desired, expected.
        (Some("3"), None, web(5), [2, 5, 3, 5]),
        (Some("5"), None, web(3), [0, 3, 5, 3]),
        (Some("50%"), None, web(7), [2, 7, 5, 10]),
        (Some("55%"), None, web(7), [1, 7, 6, 10]), // 5.5 is 6.
        (None, Some("1"), web(10), [1, 10, 9, 10]),
        (None, Some("25%"), web(10), [3, 10, 7, 10]), // 2.5 is 3.
        (None, Some("20"), web(2), [2, 2, 0, 10]),
        (Some("50%"), None, vec![stateful(), alone()], [0, 2, 4, 8]),
        (Some("0"), None, vec![], [0, 0, 0, 0]),
        (None, Some("1"), vec![pod("bare", None)], [0, 1, 0, 0]),
    ];
    for (min, max, pods, expected) in table {
        let status = reported(&plan(&budget(min, max), pods)).status;
        let counts = [
            status.disruptions_allowed,
            status.current_healthy,
            status.desired_healthy,
            status.expected_pods,
        ];
        assert_eq!((counts, status.observed_generation), (expected, 3), "{min:?} {max:?}");
        let reason = if 0 < expected[0] { "SufficientPods" } else { "InsufficientPods" };
        assert_eq!(status.conditions[0].reason, reason);
    }
}

#[test]
fn what_was_reported_is_not_reported_again() {
    let before = reported(&plan(&budget(Some("3"), None), web(5)));
    assert_eq!(plan(&before, web(5)), Plan::done());
}

#[test]
fn a_budget_that_cannot_count_allows_nothing() {
    let mut budget = budget(None, Some("1"));
    budget.status.disruptions_allowed = 4;
    let daemon = pod("log-x", owner(&Kind::DaemonSet, "log", 5));
    let planned = plan(&budget, [daemon]);
    let status = reported(&planned).status;
    assert_eq!((status.disruptions_allowed, status.conditions[0].reason.as_str()), (0, "SyncFailed"));
    assert_eq!(status.conditions[0].message, "daemonsets.apps does not implement the scale subresource");
    let message = "Failed to calculate the number of expected pods: daemonsets.apps does not implement the scale subresource";
    assert_eq!(planned.notes[0].message, message);
    let orphan = pod("x", owner(&Kind::ReplicaSet, "gone", 77));
    let status = reported(&plan(&budget, [orphan])).status;
    assert_eq!(status.conditions[0].message, "found no controllers for pod \"x\"");
}

/// Facts of `TestTwoPDBsShareOnePod` aside, of `TestPDBNotExist` and of the events.
#[test]
fn what_people_should_know_is_an_event() {
    let reasons = |plan: &Plan| plan.notes.iter().map(|note| note.reason.to_string()).collect::<Vec<_>>();
    assert_eq!(reasons(&plan(&budget(Some("1"), None), [])), ["NoPods"]);
    let plan = plan(&budget(Some("50%"), None), [pod("bare", None)]);
    assert_eq!(reasons(&plan), ["UnmanagedPods"]);
    let selector = "&LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}";
    assert!(plan.notes[0].message.contains(selector), "{}", plan.notes[0].message);
}

/// Facts of `TestUpdateDisruptedPods`.
#[test]
fn an_eviction_that_was_granted_counts_for_two_minutes() {
    let ago = |secs| Timestamp::from(NOW.before(Span::secs(secs)));
    let mut budget = budget(Some("1"), None);
    budget.status.disrupted_pods =
        [("web-0", ago(10)), ("web-1", ago(121)), ("web-2", ago(60)), ("gone", ago(5))]
            .map(|(name, since)| (Name::new(name), since))
            .into();
    let mut pods = web(4);
    pods[2].meta.deletion_timestamp = Some(ago(1));
    let plan = plan(&budget, pods);
    let status = reported(&plan).status;
    assert_eq!(status.disrupted_pods, [(Name::new("web-0"), ago(10))].into());
    assert_eq!((status.current_healthy, status.disruptions_allowed), (2, 1));
    assert_eq!(plan.requeue, Requeue::After(Span::secs(110)));
    assert_eq!(plan.notes[0].message, "Pod was expected by PDB shop/shop to be deleted but it wasn't");
}

/// Facts of `TestStalePodDisruption`.
#[test]
fn an_announcement_is_taken_back_after_two_minutes() {
    let announced = |secs, reason: &str| {
        let mut pod = pod("web-0", None);
        pod.status.conditions.push(Condition {
            kind: condition::DISRUPTION_TARGET,
            status: ConditionStatus::True,
            reason: reason.into(),
            last_transition_time: Some(NOW.before(Span::secs(secs)).into()),
            ..Condition::default()
        });
        pod
    };
    let sync = |pod: Pod| stale::sync_stale_pod_disruption(NOW, &Arc::new(pod));
    assert_eq!(sync(announced(90, "EvictionByEvictionAPI")).requeue, Requeue::After(Span::secs(30)));
    assert_eq!(sync(announced(120, "EvictionByEvictionAPI")).steps.len(), 1);
    assert_eq!(sync(announced(500, "TerminationByKubelet")), Plan::done());
    let mut going = announced(500, "EvictionByEvictionAPI");
    going.meta.deletion_timestamp = Some(NOW.into());
    assert_eq!(sync(going), Plan::done());
}

#[test]
fn pods_wake_the_budgets_that_select_them() {
    let mut other = budget(Some("1"), None);
    other.meta.name = "other".into();
    other.spec.selector = None; // Selects nothing.
    let mut view = View::default();
    for object in [Object::new(budget(Some("1"), None)), Object::new(other)] {
        view.set(object);
    }
    let woken = |old: Option<Pod>, new: Pod| {
        let mut wakes = Wakes::default();
        let change = Change::Set { old: old.map(Object::new), new: Object::new(new) };
        DisruptionController.wakes(&change, &view, &mut wakes);
        wakes.0.into_iter().map(|(key, _)| key.name.to_string()).collect::<Vec<_>>()
    };
    let mut unready = pod("web-0", None);
    unready.status.conditions.clear();
    let mut bound = pod("web-0", None);
    bound.node = "node".into();
    assert_eq!(woken(None, pod("web-0", None)), ["budget"]);
    assert_eq!(woken(Some(unready), pod("web-0", None)), ["budget"]);
    assert!(woken(Some(pod("web-0", None)), bound).is_empty());
}
