//! Deletion: grace, finalizers, propagation, namespaces, evictions.

use crate::lab::*;
use api::{
    Answer, DeleteOptions, Deployment, Edit, Key, Kind, Namespace, Object, Patch, Pod, PodDisruptionBudget,
    PodPhase, PodStatus, Preconditions, Propagation, Reason, Request, Revision, Selector, Subresource, Uid,
};
use base::{Name, Span};
use serde_json::json;

fn delete(key: Key, grace_period_seconds: Option<i64>) -> Request {
    Request::Delete { key, options: DeleteOptions { grace_period_seconds, ..DeleteOptions::default() } }
}

fn running(lab: &mut Lab, name: &str) -> Object {
    lab.create(pod(name));
    lab.ask(Request::Bind { pod: pod_key(name), uid: Uid(0), node: "n-1".into() }).unwrap();
    let status = PodStatus { phase: PodPhase::Running, ..PodStatus::default() };
    lab.edit(pod_key(name), Subresource::Status, Edit::PodStatus(Box::new(status)))
}

fn grace(lab: &Lab, name: &str) -> Option<i64> {
    lab.find::<Pod>("default", name).meta.deletion_grace_period_seconds
}

#[test]
fn the_grace_of_a_pod_depends_on_who_runs_it() {
    // (bound, phase, asked for) → granted; `None` for a pod that is gone at once.
    let cases = [
        (true, PodPhase::Running, None, Some(30)),
        (true, PodPhase::Pending, None, Some(30)),
        (true, PodPhase::Running, Some(5), Some(5)),
        (true, PodPhase::Running, Some(-7), Some(1)),
        (true, PodPhase::Running, Some(0), None),
        (true, PodPhase::Succeeded, None, None),
        (true, PodPhase::Failed, Some(9), None),
        (false, PodPhase::Pending, None, None),
        (false, PodPhase::Pending, Some(60), None),
    ];
    for (bound, phase, asked, granted) in cases {
        let mut lab = Lab::new();
        lab.create(pod("web"));
        if bound {
            lab.ask(Request::Bind { pod: pod_key("web"), uid: Uid(0), node: "n-1".into() }).unwrap();
        }
        let status = PodStatus { phase: phase.clone(), ..PodStatus::default() };
        lab.edit(pod_key("web"), Subresource::Status, Edit::PodStatus(Box::new(status)));
        lab.fresh_commits();
        lab.get(delete(pod_key("web"), asked));
        let commits = lab.fresh_commits();
        match granted {
            Some(granted) => {
                let pod = lab.find::<Pod>("default", "web");
                assert_eq!(pod.meta.deletion_grace_period_seconds, Some(granted));
                assert_eq!(pod.meta.deletion_timestamp.unwrap().time(), START + Span::from_api_secs(granted));
                assert_eq!(pod.meta.generation, 2, "a deletion is a change of what is wanted");
                assert_eq!(commits.len(), 1);
            }
            None => {
                assert_eq!(lab.read(&pod_key("web")), None, "{bound} {phase} {asked:?}");
                assert_eq!(commits.len(), 2, "watchers see it marked, then gone");
                assert!(commits[0].new.as_ref().unwrap().meta().is_deleting());
                assert_eq!(commits[1].new, None);
            }
        }
    }
}

#[test]
fn grace_only_becomes_shorter() {
    let mut lab = Lab::new();
    running(&mut lab, "web");
    lab.get(delete(pod_key("web"), Some(20)));
    for longer in [None, Some(20), Some(60)] {
        let before = lab.server.revision();
        lab.get(delete(pod_key("web"), longer));
        assert_eq!((grace(&lab, "web"), lab.server.revision()), (Some(20), before));
    }
    lab.sleep(Span::secs(3));
    lab.get(delete(pod_key("web"), Some(10)));
    let pod = lab.find::<Pod>("default", "web");
    assert_eq!(pod.meta.deletion_timestamp.unwrap().time(), START + Span::secs(10));
    lab.sleep(Span::secs(6));
    lab.get(delete(pod_key("web"), Some(4)));
    let pod = lab.find::<Pod>("default", "web");
    assert_eq!(pod.meta.deletion_timestamp.unwrap().time(), lab.now, "no deadline lies in the past");
    assert_eq!(grace(&lab, "web"), Some(1), "it stays graceful");
    lab.get(delete(pod_key("web"), Some(0)));
    assert_eq!(lab.read(&pod_key("web")), None);
    assert_eq!(lab.refusal(delete(pod_key("web"), None)).reason, Reason::NotFound);
}

#[test]
fn an_object_with_finalizers_stays_until_they_are_gone() {
    let mut lab = Lab::new();
    let hold: Name = "example.com/hold".into();
    for mut object in [deployment("web"), pod("web")] {
        object.meta_mut().finalizers.push(hold.clone());
        let key = lab.create(object).key();
        let held = lab.get(delete(key.clone(), None));
        assert_eq!(held.meta().deletion_grace_period_seconds, Some(0));
        assert_eq!(held.meta().generation, 2);
        let before = lab.server.revision();
        lab.get(delete(key.clone(), None));
        assert_eq!(lab.server.revision(), before);
        let adding = patch_of(
            key.clone(),
            Patch::Merge(json!({"metadata": {"finalizers": ["example.com/hold", "a.b/c"]}})),
        );
        assert!(
            lab.message(adding).contains("no new finalizers can be added if the object is being deleted")
        );
        lab.edit(key.clone(), Subresource::Main, Edit::RemoveFinalizer(hold.clone()));
        assert_eq!(lab.read(&key), None);
    }
}

#[test]
fn propagation_becomes_a_finalizer() {
    let cases: [(Option<Propagation>, &[&str]); 4] = [
        (None, &[]),
        (Some(Propagation::Background), &[]),
        (Some(Propagation::Foreground), &["foregroundDeletion"]),
        (Some(Propagation::Orphan), &["orphan"]),
    ];
    for (propagation, expected) in cases {
        let mut lab = Lab::new();
        let key = lab.create(deployment("web")).key();
        let options = DeleteOptions { propagation, ..DeleteOptions::default() };
        lab.get(Request::Delete { key: key.clone(), options });
        let left = lab.read(&key).map(|it| it.meta().finalizers.clone()).unwrap_or_default();
        assert_eq!(left.as_slice(), expected);
    }
    // Jobs and replication controllers leave their pods alone unless told otherwise.
    let mut lab = Lab::new();
    let job = json!({"metadata": {"name": "j", "namespace": "default"},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}}});
    let key = lab.create(object(Kind::Job, job)).key();
    lab.get(delete(key.clone(), None));
    assert_eq!(lab.read(&key).unwrap().meta().finalizers, ["orphan"]);
}

#[test]
fn preconditions_are_upstreams() {
    let mut lab = Lab::new();
    let web = lab.create(deployment("web"));
    let mut refused = |preconditions| {
        let options = DeleteOptions { preconditions, ..DeleteOptions::default() };
        lab.message(Request::Delete { key: web.key(), options })
    };
    assert_eq!(
        refused(Preconditions { uid: Some(Uid(1)), resource_version: None }),
        format!(
            "Operation cannot be fulfilled on Deployment.apps \"web\": the UID in the precondition \
             (00000000-0000-0000-0000-000000000001) does not match the UID in record ({}). The object might have been \
             deleted and then recreated",
            web.meta().uid
        )
    );
    let current = revision_of(&web).0;
    assert_eq!(
        refused(Preconditions { uid: None, resource_version: Some(Revision(1)) }),
        format!(
            "Operation cannot be fulfilled on Deployment.apps \"web\": the ResourceVersion in the precondition (1) does \
             not match the ResourceVersion in record ({current}). The object might have been modified"
        )
    );
}

#[test]
fn a_collection_goes_one_by_one_in_the_order_of_names() {
    let mut lab = Lab::new();
    for name in ["c", "a", "b"] {
        lab.create(pod(name));
    }
    let mut other = pod("other");
    other.meta_mut().labels = api::Labels::EMPTY;
    lab.create(other);
    lab.fresh_commits();
    let selector = Some(Selector::parse("app=web").unwrap());
    let namespace = Some("default".into());
    let answer = lab.ask(Request::DeleteCollection {
        kind: Kind::Pod,
        namespace,
        selector,
        options: Default::default(),
    });
    let Ok(Answer::List(items, _)) = answer else { panic!("no list") };
    assert_eq!(items.len(), 3);
    let gone: Vec<String> =
        lab.fresh_commits().iter().filter(|it| it.new.is_none()).map(|it| it.key.name.to_string()).collect();
    assert_eq!(gone, ["a", "b", "c"]);
    assert!(lab.read(&pod_key("other")).is_some());
}

#[test]
fn a_namespace_waits_for_its_content() {
    let mut lab = Lab::new();
    lab.create(object(Kind::Namespace, json!({"metadata": {"name": "team"}})));
    let key = Key::cluster(Kind::Namespace, "team");
    lab.get(delete(key.clone(), None));
    let team = lab.find::<Namespace>("", "team");
    assert_eq!((team.status.phase.as_str(), team.meta.is_deleting()), ("Terminating", true));

    let mut late = pod("late");
    late.meta_mut().namespace = "team".into();
    let refusal = lab.refusal(Request::Create { object: late });
    assert_eq!(refusal.reason, Reason::NamespaceTerminating);
    assert_eq!(
        refusal.message,
        "pods \"late\" is forbidden: unable to create new content in namespace team because it is being terminated"
    );
    lab.get(delete(key.clone(), None));
    assert!(lab.read(&key).is_some(), "its finalizer holds it");
    lab.edit(key.clone(), Subresource::Status, Edit::label("a", Some("b".into())));
    assert!(lab.read(&key).is_some());
    let finalize = Patch::Apply(vec![Edit::RemoveFinalizer("kubernetes".into())]);
    lab.patch(key.clone(), finalize);
    assert_eq!(lab.read(&key), None);
    assert_eq!(
        lab.message(delete(Key::cluster(Kind::Namespace, "default"), None)),
        "namespaces \"default\" is forbidden: this namespace may not be deleted"
    );
}

fn budget(lab: &mut Lab, name: &str, allowed: i32) {
    let budget = json!({"metadata": {"name": name, "namespace": "default"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}});
    let mut budget = lab.create(object(Kind::PodDisruptionBudget, budget));
    let status = &mut budget.get_mut::<PodDisruptionBudget>().unwrap().status;
    status.observed_generation = 1;
    status.disruptions_allowed = allowed;
    status.desired_healthy = 2;
    status.current_healthy = 2 + allowed;
    lab.update_status(budget);
}

fn evict(name: &str) -> Request {
    Request::Evict { pod: pod_key(name), options: DeleteOptions::default() }
}

fn ready(lab: &mut Lab, name: &str) {
    running(lab, name);
    let condition = api::Condition {
        kind: api::condition::READY,
        status: api::ConditionStatus::True,
        ..api::Condition::default()
    };
    let edit = Edit::PodCondition { condition, nominated_node: None, phase: None };
    lab.edit(pod_key(name), Subresource::Status, edit);
}

#[test]
fn a_budget_is_spent_and_then_refuses() {
    let mut lab = Lab::new();
    ready(&mut lab, "a");
    ready(&mut lab, "b");
    budget(&mut lab, "two", 1);
    lab.ask(evict("a")).unwrap();
    assert!(lab.find::<Pod>("default", "a").is_deleting());
    let spent = lab.find::<PodDisruptionBudget>("default", "two");
    assert_eq!(spent.status.disruptions_allowed, 0);
    assert!(spent.status.disrupted_pods.contains_key("a"));
    assert_eq!(spent.status.conditions[0].reason, "InsufficientPods");

    let refusal = lab.refusal(evict("b"));
    assert_eq!(refusal.reason, Reason::TooManyRequests);
    assert_eq!(refusal.message, "Cannot evict pod as it would violate the pod's disruption budget.");
    assert_eq!(
        refusal.causes[0].message,
        "The disruption budget two needs 2 healthy pods and has 3 currently"
    );
}

#[test]
fn a_budget_that_is_behind_says_so() {
    let mut lab = Lab::new();
    ready(&mut lab, "a");
    budget(&mut lab, "two", 1);
    lab.patch(
        Key::new(Kind::PodDisruptionBudget, "default", "two"),
        Patch::Merge(json!({"spec": {"minAvailable": 1}})),
    );
    let refusal = lab.refusal(evict("a"));
    assert_eq!(
        refusal.causes[0].message,
        "The disruption budget two is still being processed by the server."
    );
    assert_eq!(refusal.retry_after, Some(Span::secs(10)));
}

#[test]
fn two_budgets_are_one_too_many() {
    let mut lab = Lab::new();
    ready(&mut lab, "a");
    budget(&mut lab, "one", 1);
    budget(&mut lab, "two", 1);
    let refusal = lab.refusal(evict("a"));
    assert_eq!(refusal.reason.code(), 500);
    assert_eq!(
        refusal.message,
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    );
}

#[test]
fn pods_that_serve_nobody_go_without_asking() {
    let mut lab = Lab::new();
    budget(&mut lab, "two", 0);
    lab.create(pod("pending"));
    lab.ask(evict("pending")).unwrap();
    assert_eq!(lab.read(&pod_key("pending")), None);
    // Not ready, and the budget is met without it.
    running(&mut lab, "unready");
    lab.ask(evict("unready")).unwrap();
    assert!(lab.find::<Pod>("default", "unready").is_deleting());
    // On its way already.
    lab.ask(evict("unready")).unwrap();
}

#[test]
fn deleted_names_can_be_used_again_with_another_identity() {
    let mut lab = Lab::new();
    let first = lab.create(deployment("web"));
    lab.get(delete(first.key(), None));
    let second = lab.create(deployment("web"));
    assert_ne!(first.meta().uid, second.meta().uid);
    assert_eq!(second.get::<Deployment>().unwrap().meta.generation, 1);
}
