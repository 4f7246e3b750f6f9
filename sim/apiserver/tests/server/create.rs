//! Creating objects: what the server adds, and what it refuses.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::lab::*;
use api::{Deployment, Kind, Namespace, Object, Pod, PodPhase, Reason, Request, Revision, Uid};
use serde_json::json;

#[test]
fn a_new_cluster_has_four_namespaces_and_two_priority_classes() {
    let mut lab = Lab::new();
    let mut names = |kind| match lab.ask(Request::List { kind, namespace: None, selector: None }) {
        Ok(api::Answer::List(items, _)) => {
            items.iter().map(|it| it.meta().name.to_string()).collect::<Vec<_>>()
        }
        other => panic!("no list but {other:?}"),
    };
    assert_eq!(names(Kind::Namespace), ["default", "kube-node-lease", "kube-public", "kube-system"]);
    assert_eq!(names(Kind::PriorityClass), ["system-cluster-critical", "system-node-critical"]);
}

#[test]
fn the_server_alone_says_identity_times_and_status() {
    let mut lab = Lab::new();
    let mut wanted = pod("web");
    wanted.meta_mut().uid = Uid(7);
    wanted.meta_mut().generation = 9;
    wanted.meta_mut().deletion_timestamp = Some(api::Timestamp::from_secs(1));
    wanted.get_mut::<Pod>().unwrap().status.phase = PodPhase::Running;
    let created = lab.create(wanted);
    let pod = created.get::<Pod>().unwrap();
    assert_ne!(pod.meta.uid, Uid(7));
    assert_eq!(pod.meta.generation, 1);
    assert_eq!(pod.meta.created().time(), START);
    assert_eq!(pod.meta.deletion_timestamp, None);
    assert_eq!(pod.status.phase, PodPhase::Pending);
    assert_eq!(pod.status.qos_class, "BestEffort");
    assert_eq!(pod.meta.resource_version, lab.server.revision());
    assert_eq!(lab.read(&pod_key("web")), Some(&created));
    let commits = lab.fresh_commits();
    assert_eq!(commits.len(), 1);
    assert_eq!((&commits[0].old, &commits[0].new, commits[0].verb), (&None, &Some(created), "create"));
}

#[test]
fn refusals_are_upstreams() {
    let mut lab = Lab::new();
    lab.create(pod("web"));
    let changed = |change: fn(&mut Object)| {
        let mut object = pod("web");
        change(&mut object);
        Request::Create { object }
    };
    let cases: [(Request, Reason, &str); 6] = [
        (changed(|_| ()), Reason::AlreadyExists, "pods \"web\" already exists"),
        (
            changed(|it| it.meta_mut().namespace = "nowhere".into()),
            Reason::NotFound,
            "namespaces \"nowhere\" not found",
        ),
        (
            changed(|it| it.meta_mut().namespace = "".into()),
            Reason::BadRequest,
            "an empty namespace may not be set during creation",
        ),
        (
            changed(|it| it.meta_mut().resource_version = Revision(5)),
            Reason::InternalError,
            "resourceVersion should not be set on objects to be created",
        ),
        (
            changed(|it| it.meta_mut().name = "".into()),
            Reason::Invalid,
            "Pod \"\" is invalid: metadata.name: Required value: name or generateName is required",
        ),
        (
            changed(|it| it.meta_mut().name = "Web".into()),
            Reason::Invalid,
            "Pod \"Web\" is invalid: metadata.name: Invalid value: \"Web\": a lowercase RFC 1123 subdomain must consist \
             of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character \
             (e.g. 'example.com', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
    ];
    for (request, reason, message) in cases {
        let refusal = lab.refusal(request);
        assert_eq!((refusal.reason, refusal.message.as_str()), (reason, message));
    }
}

#[test]
fn an_object_on_its_way_out_still_has_its_name() {
    let mut lab = Lab::new();
    let mut held = pod("web");
    held.meta_mut().finalizers.push("example.com/hold".into());
    lab.create(held);
    lab.get(Request::Delete { key: pod_key("web"), options: Default::default() });
    let message = lab.message(Request::Create { object: pod("web") });
    assert_eq!(message, "object is being deleted: pods \"web\" already exists");
}

#[test]
fn generated_names_are_unique_and_nobody_elses_luck() {
    let make = |with_others: bool| {
        let mut lab = Lab::new();
        let template = template_of(&deployment("web")).clone();
        let mut made = Vec::new();
        for _ in 0..200 {
            if with_others {
                lab.create(pod_of(&template, "web-", "kube-system"));
            }
            let pod = lab.create(pod_of(&template, "web-", "default"));
            made.push((pod.meta().name.clone(), pod.meta().uid));
        }
        made
    };
    let alone = make(false);
    assert_eq!(alone, make(true));
    assert_eq!(alone.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len(), 200);
    assert_eq!(alone.iter().map(|(_, uid)| uid).collect::<BTreeSet<_>>().len(), 200);
}

#[test]
fn pods_of_one_template_share_one_admitted_spec() {
    let mut lab = Lab::new();
    let created = lab.create(deployment("web"));
    let template = template_of(&created).clone();
    let pods: Vec<Object> = (0..50).map(|_| lab.create(pod_of(&template, "web-", "default"))).collect();
    assert!(pods.iter().all(|it| Arc::ptr_eq(spec_of(it), spec_of(&pods[0]))));
    assert_eq!(spec_of(&pods[0]).tolerations.len(), 2);

    // A change of what admission looks at makes a new one.
    let class = json!({"metadata": {"name": "usual"}, "value": 5, "globalDefault": true});
    lab.create(object(Kind::PriorityClass, class));
    let later = lab.create(pod_of(&template, "web-", "default"));
    assert_eq!(spec_of(&later).priority, Some(5));
    assert_eq!(spec_of(&pods[0]).priority, Some(0));
}

#[test]
fn a_spec_that_admission_leaves_alone_stays_the_same() {
    let mut lab = Lab::new();
    let admitted = spec_of(&lab.create(pod("first"))).clone();
    let mut second = pod("second");
    second.get_mut::<Pod>().unwrap().spec = admitted.clone();
    assert!(Arc::ptr_eq(&admitted, spec_of(&lab.create(second))));
}

#[test]
fn each_kind_starts_as_its_strategy_says() {
    let mut lab = Lab::new();
    let mut web = deployment("web");
    web.get_mut::<Deployment>().unwrap().status.replicas = 7;
    let web = lab.create(web);
    assert_eq!(web.meta().generation, 1);
    assert_eq!(web.get::<Deployment>().unwrap().status.replicas, 0);

    let team =
        lab.create(object(Kind::Namespace, json!({"metadata": {"name": "team", "namespace": "ignored"}})));
    let team = team.get::<Namespace>().unwrap();
    assert_eq!(team.meta.namespace, "");
    assert_eq!(team.status.phase, "Active");
    assert_eq!(team.spec.finalizers, ["kubernetes"]);
    assert_eq!(team.meta.label("kubernetes.io/metadata.name"), Some(&"team".into()));

    let node = lab
        .create(object(Kind::Node, json!({"metadata": {"name": "n"}, "status": {"capacity": {"cpu": "4"}}})));
    let node = node.get::<api::Node>().unwrap();
    assert!(!node.status.capacity.is_empty(), "a kubelet registers its node with a status");
    assert_eq!(node.spec.taints[0].to_string(), "node.kubernetes.io/not-ready:NoSchedule");

    let set = json!({"metadata": {"name": "d", "namespace": "default"}, "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
    let set = lab.create(object(Kind::DaemonSet, set));
    assert_eq!(set.meta().annotation("deprecated.daemonset.template.generation"), Some(&"1".into()));
}

#[test]
fn a_snapshot_is_restored_as_it_was() {
    let mut lab = Lab::new();
    let mut old = pod("old");
    {
        let meta = old.meta_mut();
        meta.uid = Uid(99);
        meta.creation_timestamp = Some(api::Timestamp::from_secs(5));
        meta.resource_version = Revision(123_456);
    }
    let pod = old.get_mut::<Pod>().unwrap();
    pod.node = "n-0".into();
    pod.status.phase = PodPhase::Running;
    let restored = lab.server.restore(lab.now, old.clone(), &mut lab.commits).unwrap();
    old.meta_mut().resource_version = lab.server.revision();
    assert_eq!(restored, old);
}
