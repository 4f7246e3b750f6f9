//! Lists, watches, and what time does to them.

use api::{Answer, Kind, Object, Reason, Request, Revision, Selector};
use base::Span;
use serde_json::json;

use crate::lab::*;

fn names(lab: &mut Lab, namespace: Option<&str>, selector: Option<&str>) -> Vec<String> {
    let selector = selector.map(|it| Selector::parse(it).unwrap());
    match lab.ask(Request::List { kind: Kind::Pod, namespace: namespace.map(Into::into), selector }) {
        Ok(Answer::List(items, revision)) => {
            assert_eq!(revision, lab.server.revision());
            items.iter().map(|it| format!("{}/{}", it.meta().namespace, it.meta().name)).collect()
        }
        other => panic!("no list but {other:?}"),
    }
}

#[test]
fn lists_come_in_the_order_of_etcds_keys() {
    let mut lab = Lab::new();
    for namespace in ["team", "team-b"] {
        lab.create(object(Kind::Namespace, json!({"metadata": {"name": namespace}})));
        for name in ["b", "a"] {
            let mut pod = pod(name);
            pod.meta_mut().namespace = namespace.into();
            pod.meta_mut().labels.insert("name", name);
            lab.create(pod);
        }
    }
    assert_eq!(names(&mut lab, None, None), ["team-b/a", "team-b/b", "team/a", "team/b"]);
    assert_eq!(names(&mut lab, Some("team"), None), ["team/a", "team/b"]);
    assert_eq!(names(&mut lab, None, Some("name=b")), ["team-b/b", "team/b"]);
    assert_eq!(names(&mut lab, Some("elsewhere"), None), [""; 0]);
}

fn story(lab: &Lab, since: Revision) -> Vec<String> {
    let events = lab.server.events_since(since).unwrap();
    events
        .map(|event| {
            let verb = match (event.old, event.new) {
                (None, _) => "added",
                (Some(_), Some(_)) => "modified",
                (Some(_), None) => "deleted",
            };
            let name = event.new.or(event.old).map(|it| it.meta().name.clone()).unwrap_or_default();
            format!("{} {name} {verb}", event.revision.0 - since.0)
        })
        .collect()
}

#[test]
fn a_watch_goes_on_where_a_list_ended() {
    let mut lab = Lab::new();
    let start = lab.server.revision();
    lab.create(pod("a"));
    lab.create(pod("b"));
    lab.get(Request::Delete { key: pod_key("a"), options: Default::default() });
    assert_eq!(story(&lab, start), ["1 a added", "2 b added", "3 a modified", "4 a deleted"]);
    assert_eq!(story(&lab, lab.server.revision()), [""; 0]);
}

#[test]
fn who_sleeps_ten_minutes_must_list_again() {
    let mut lab = Lab::new();
    let start = lab.server.revision();
    lab.create(pod("a"));
    let mut commits = Vec::new();
    for minutes in [4, 5, 9] {
        lab.server.advance(START + Span::mins(minutes), &mut commits);
        assert_eq!(story(&lab, start), ["1 a added"], "after {minutes} minutes");
    }
    lab.now = START + Span::mins(9);
    lab.create(pod("b"));
    lab.server.advance(START + Span::mins(10), &mut commits);
    let expired = lab.server.events_since(Revision(start.0 - 1)).err().unwrap();
    assert_eq!(expired.reason, Reason::Expired);
    assert_eq!(
        expired.message,
        format!("too old resource version: {} ({})", start.0 - 1, start.0 + 1).as_str()
    );
    assert_eq!(story(&lab, Revision(start.0 + 1)), ["1 b added"]);
}

#[test]
fn events_go_after_an_hour() {
    let mut lab = Lab::new();
    let event = |name: &str| -> Object {
        object(
            Kind::Event,
            json!({"metadata": {"name": name, "namespace": "default"},
            "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web"}, "reason": "Started"}),
        )
    };
    lab.create(event("a"));
    lab.sleep(Span::secs(30));
    lab.create(event("b"));
    let due = lab.server.next_expiry().unwrap();
    assert!(START + Span::mins(60) < due && due <= START + Span::mins(62), "leases are shared for a minute");
    lab.sleep(Span::mins(30));
    let mut seen = lab.create(event("c"));
    seen.get_mut::<api::Event>().unwrap().count = 2;
    lab.now = START + Span::mins(62);
    lab.fresh_commits();
    lab.update(seen); // Its hour begins again.
    let gone: Vec<(String, &str)> =
        lab.fresh_commits().iter().map(|it| (it.key.name.to_string(), it.verb)).collect();
    assert_eq!(gone, [("a".into(), "expire"), ("b".into(), "expire"), ("c".into(), "update")]);
    lab.now = START + Span::mins(95);
    lab.create(pod("web"));
    assert!(lab.read(&event("c").key()).is_some());
    lab.now = START + Span::mins(125);
    lab.create(pod("web-2"));
    assert_eq!(lab.read(&event("c").key()), None);
}

#[test]
fn a_fork_goes_its_own_way_with_the_same_luck() {
    let mut lab = Lab::new();
    let template = template_of(&deployment("web")).clone();
    lab.create(pod_of(&template, "web-", "default"));
    let mut fork = lab.clone();
    let here = lab.create(pod_of(&template, "web-", "default"));
    assert_eq!(fork.server.revision().0 + 1, lab.server.revision().0);
    assert_eq!(fork.create(pod_of(&template, "web-", "default")), here);
}

#[test]
fn services_have_addresses_of_their_own() {
    let mut lab = Lab::new();
    let service = |name: &str| {
        object(
            Kind::Service,
            json!({"metadata": {"name": name, "namespace": "default"},
            "spec": {"type": "NodePort", "selector": {"app": name}, "ports": [{"port": 80}]}}),
        )
    };
    let address = |it: &Object| it.get::<api::Service>().unwrap().spec.cluster_ip.clone();
    let web = lab.create(service("web"));
    let api = lab.create(service("api"));
    assert_ne!(address(&web), address(&api));
    let same = lab.update({
        let mut again = service("web"); // As an apply of the manifest would say it.
        again.meta_mut().uid = web.meta().uid;
        again
    });
    assert_eq!(address(&same), address(&web));
    assert_eq!(same.meta().resource_version, web.meta().resource_version);
    lab.get(Request::Delete { key: web.key(), options: Default::default() });
    let mut wanted = service("next");
    wanted.get_mut::<api::Service>().unwrap().spec.cluster_ip = address(&web);
    assert_eq!(address(&lab.create(wanted)), address(&web));
}
