//! Conditions over a few objects.

use std::sync::Arc;

use api::{Kind, Object, Request};
use apiserver::{ApiServer, Settings};
use base::{Luck, Name, Time};
use cel::Env;
use expect_test::expect;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Condition;
use super::tables::Tables;

const NOW: Time = Time::from_secs(1_767_225_600);

fn server(objects: Vec<(Kind, Value)>) -> ApiServer {
    let mut server = ApiServer::new(NOW, Settings::default(), Luck::new(1, "test"));
    for (kind, value) in objects {
        let object = Object::from_json(&kind, value).unwrap();
        server.restore(NOW, object, &mut Vec::new()).unwrap();
    }
    server
}

fn pod(name: &str, app: &str, node: &str, ready: &str) -> (Kind, Value) {
    let conditions = json!([{"type": "Ready", "status": ready}]);
    (
        Kind::Pod,
        json!({
            "metadata": {"name": name, "namespace": "default", "labels": {"app": app}},
            "spec": {"nodeName": node, "containers": [{"name": "web", "image": "shop/web:v1"}]},
            "status": {"phase": "Running", "conditions": conditions},
        }),
    )
}

fn deployment(namespace: &str, name: &str, status: &Value) -> (Kind, Value) {
    (
        Kind::Deployment,
        json!({
            "metadata": {"name": name, "namespace": namespace, "generation": 2},
            "spec": {"replicas": 9},
            "status": status,
        }),
    )
}

fn world() -> ApiServer {
    let zone = |zone: &str| json!({"topology.kubernetes.io/zone": zone});
    server(vec![
        deployment(
            "default",
            "web",
            &json!({"observedGeneration": 2, "replicas": 10, "updatedReplicas": 4, "availableReplicas": 8}),
        ),
        deployment(
            "shop",
            "api",
            &json!({"observedGeneration": 2, "replicas": 9, "updatedReplicas": 9, "availableReplicas": 9}),
        ),
        pod("web-0", "web", "general-0", "True"),
        pod("web-1", "web", "general-1", "False"),
        pod("job-0", "job", "general-0", "True"),
        (Kind::Node, json!({"metadata": {"name": "general-0", "labels": zone("a")}})),
        (
            Kind::Node,
            json!({"metadata": {"name": "general-1", "labels": zone("b")}, "spec": {"unschedulable": true}}),
        ),
        (Kind::Event, json!({"metadata": {"name": "e", "namespace": "default"}, "reason": "Killing"})),
    ])
}

/// What comes out, and the facts behind it.
fn judge(text: &str, server: &ApiServer) -> String {
    let condition = match Condition::compile(text) {
        Ok(condition) => condition,
        Err(wrong) => {
            let told = wrong.iter().map(|it| {
                let marked: String = text.chars().skip(it.place.chars_before).take(it.place.width).collect();
                let help = it.help.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
                format!("`{marked}`: {}{help}", it.message)
            });
            return told.collect::<Vec<_>>().join(" | ");
        }
    };
    let mut tables = Tables::default();
    condition.reads().iter().for_each(|kind| tables.look(kind, server));
    let env = Arc::new(Env::stdlib());
    match condition.is_true(&tables, &env) {
        Ok(is_true) => format!("{is_true}: {}", condition.facts(&tables, &env)),
        Err(error) => format!("error: {error}"),
    }
}

fn table(texts: &[&str]) -> String {
    let server = world();
    texts.iter().map(|text| format!("{text}\n    {}\n", judge(text, &server))).collect()
}

#[test]
fn conditions_ask_for_objects_by_name() {
    expect![[r#"
        deployment("web").status.availableReplicas >= 8
            true: availableReplicas was 8
        deployment("web").status.availableReplicas >= 9
            false: availableReplicas was 8
        deployment("shop/api").status.availableReplicas == deployment("shop/api").spec.replicas
            true: availableReplicas was 9; replicas was 9
        deployment("nope").status.availableReplicas >= 8
            error: there is no deployment default/nope
        deployment("web").status.readyReplicas == 0
            true: readyReplicas was 0
        deployment("web").status.unavailableReplicas > 0 || deployment("web").spec.paused
            false: unavailableReplicas was 0; paused was false
        node("general-1").spec.unschedulable && node("general-0").spec.unschedulable
            false: unschedulable was false
        !has(pod("web-0").metadata.deletionTimestamp)
            true: has(pod("web-0").metadata.deletionTimestamp) was false
        pod("web-0").metadata.labels["app"] == "web" && pod("web-0").metadata.labels.app.startsWith("we")
            true: pod("web-0").metadata.labels["app"] was "web"; pod("web-0").metadata.labels.app.startsWith("we") was true
        pod("web-0").metadata.labels["nope"] == "web"
            error: there was no `nope`
        object("Deployment", "shop/api").spec.replicas == 9
            true: replicas was 9
        ready(pod("web-0")) && ready(pod("web-1"))
            false: ready(pod("web-1")) was false
    "#]]
    .assert_eq(&table(&[
        r#"deployment("web").status.availableReplicas >= 8"#,
        r#"deployment("web").status.availableReplicas >= 9"#,
        r#"deployment("shop/api").status.availableReplicas == deployment("shop/api").spec.replicas"#,
        r#"deployment("nope").status.availableReplicas >= 8"#,
        r#"deployment("web").status.readyReplicas == 0"#,
        r#"deployment("web").status.unavailableReplicas > 0 || deployment("web").spec.paused"#,
        r#"node("general-1").spec.unschedulable && node("general-0").spec.unschedulable"#,
        r#"!has(pod("web-0").metadata.deletionTimestamp)"#,
        r#"pod("web-0").metadata.labels["app"] == "web" && pod("web-0").metadata.labels.app.startsWith("we")"#,
        r#"pod("web-0").metadata.labels["nope"] == "web""#,
        r#"object("Deployment", "shop/api").spec.replicas == 9"#,
        r#"ready(pod("web-0")) && ready(pod("web-1"))"#,
    ]));
}

#[test]
fn conditions_ask_for_lists_by_selector() {
    expect![[r#"
        pods("app=web").size() == 2
            true: pods("app=web").size() was 2
        size(pods("app in (web,job)")) == 4
            false: size(pods("app in (web,job)")) was 3
        pods("app=web", "shop").size() == 0
            true: pods("app=web", "shop").size() was 0
        pods().size() == 3
            true: pods().size() was 3
        pods("app=web").all(p, ready(p))
            false: not for pod/default/web-1; ready(p) was false
        pods("app=web").all(p, p.status.phase == "Running" && p.spec.nodeName != "general-0")
            false: not for pod/default/web-0; nodeName was "general-0"
        pods("app=web").exists(p, p.status.phase == "Failed")
            false: pods("app=web").exists(p, p.status.phase == "Failed") was false
        pods("app=web").filter(p, ready(p)).size() >= 2
            false: pods("app=web").filter(p, ready(p)).size() was 1
        pods("app=web").map(p, p.metadata.name) == ["web-0", "web-1"]
            true: pods("app=web").map(p, p.metadata.name) was ["web-0", "web-1"]
        pods("app=web").exists_one(p, node(p.spec.nodeName).metadata.labels["topology.kubernetes.io/zone"] == "a")
            true: pods("app=web").exists_one(p, node(p.spec.nodeName).metadata.labels["topology.kubernetes.io/zone"] == "a") was true
        nodes("topology.kubernetes.io/zone=a").all(n, !n.spec.unschedulable)
            true: nodes("topology.kubernetes.io/zone=a").all(n, !n.spec.unschedulable) was true
        events("Killing").size() == 1 && events().size() == 1 && events("BackOff").size() == 0
            true: events("Killing").size() was 1; events().size() was 1; events("BackOff").size() was 0
        pods("app=web")[0].status.conditions.exists(c, c.type == "Ready" && c.status == "True")
            true: pods("app=web")[0].status.conditions.exists(c, c.type == "Ready" && c.status == "True") was true
        pods("app=nope")[0].status.phase == "Running"
            error: there was no item at that position
        pods("app=web").map(p, p.status)[0].phase == "Running"
            true: phase was "Running"
    "#]]
    .assert_eq(&table(&[
        r#"pods("app=web").size() == 2"#,
        r#"size(pods("app in (web,job)")) == 4"#,
        r#"pods("app=web", "shop").size() == 0"#,
        r#"pods().size() == 3"#,
        r#"pods("app=web").all(p, ready(p))"#,
        r#"pods("app=web").all(p, p.status.phase == "Running" && p.spec.nodeName != "general-0")"#,
        r#"pods("app=web").exists(p, p.status.phase == "Failed")"#,
        r#"pods("app=web").filter(p, ready(p)).size() >= 2"#,
        r#"pods("app=web").map(p, p.metadata.name) == ["web-0", "web-1"]"#,
        r#"pods("app=web").exists_one(p, node(p.spec.nodeName).metadata.labels["topology.kubernetes.io/zone"] == "a")"#,
        r#"nodes("topology.kubernetes.io/zone=a").all(n, !n.spec.unschedulable)"#,
        r#"events("Killing").size() == 1 && events().size() == 1 && events("BackOff").size() == 0"#,
        r#"pods("app=web")[0].status.conditions.exists(c, c.type == "Ready" && c.status == "True")"#,
        r#"pods("app=nope")[0].status.phase == "Running""#,
        r#"pods("app=web").map(p, p.status)[0].phase == "Running""#,
    ]));
}

#[test]
fn rollouts_are_told_as_kubectl_tells_them() {
    expect![[r#"
        rolledOut("web")
            false: 4 of 9 new replicas have been updated
        rolledOut("shop/api")
            true: rolledOut("shop/api") was true
        rolledOut("deployment/shop/api")
            true: rolledOut("deployment/shop/api") was true
        rolledOut("nope")
            error: there is no deployment default/nope
        rolledOut("daemonset/agent")
            error: there is no daemonset default/agent
    "#]]
    .assert_eq(&table(&[
        r#"rolledOut("web")"#,
        r#"rolledOut("shop/api")"#,
        r#"rolledOut("deployment/shop/api")"#,
        r#"rolledOut("nope")"#,
        r#"rolledOut("daemonset/agent")"#,
    ]));
}

#[test]
fn wrong_conditions_are_refused_at_their_place() {
    expect![[r#"
        deploymnt("web").status.availableReplicas >= 8
            `deploymnt`: unknown function `deploymnt` (did you mean `deployment`?)
        deployment("web").status.availableReplica >= 8
            `availableReplica`: unknown field `availableReplica`; did you mean `availableReplicas`?
        deployment("web").statsu.availableReplicas >= 8 && ready(pod("a/b/c"))
            `statsu`: unknown field `statsu`; did you mean `status`? | `"a/b/c"`: `a/b/c` names no pod; write `name` or `namespace/name`
        deployment("web").status.availableReplicas >=
            ``: this is not CEL: mismatched input 'end of the expression'
        deployment("web").status.availableReplicas => 8
            `=`: this is not CEL: token recognition error at: '=>'
        deployment("web")
            `deployment("web")`: an expectation is true or false, but this is a deployment (compare it, as in `deployment("web").status.availableReplicas >= 8`)
        pods("app=web").size()
            `pods("app=web").size()`: an expectation is true or false, but this is a number (compare it, as in `deployment("web").status.availableReplicas >= 8`)
        pods("app=web")
            `pods("app=web")`: an expectation is true or false, but this is a list of pods (compare it, as in `deployment("web").status.availableReplicas >= 8`)
        pods("app=web").status.phase == "Running"
            `status`: this is a list of pods; it has no `status` (take one, as in `[0]`, or say of which: `.all(it, it.status …)`)
        pods("app in web").size() == 1
            `"app in web"`: unable to parse requirement: found 'web' expected: '('
        pods("app=web").all(p, p.status.phaze == "Running")
            `phaze`: unknown field `phaze`; did you mean `phase`?
        pods("app=web").every(p, p.status.phase == "Running")
            `every`: unknown function `every` (there is all, contains, endsWith, exists, existsOne, exists_one, filter, hasValue, map, matches, optMap, or, orValue, size, startsWith, value)
        pods("a", "b", "c").size() == 0
            `pods`: `pods` takes 0 to 2 arguments, not 3 (write pods("selector") or pods("selector", "namespace"))
        deployment(web).status.replicas == 1
            `web`: unknown name `web` (put text in quotes)
        deployment == 1
            `deployment`: unknown name `deployment` (it is a function: deployment("name") or deployment("namespace/name"))
        traffic("web").errors == 0
            `traffic`: `traffic` cannot be asked yet: requests are not simulated (ask for replicas)
        {"a": 1}["a"] == 1
            `{`: mappings cannot be written here: they have no order
        object("Deploymnt", "web").spec.replicas == 1
            `"Deploymnt"`: unknown kind `Deploymnt`; did you mean `Deployment`?
        node("a/b").spec.unschedulable
            `"a/b"`: a node is in no namespace; write its name alone, `b`
        ready(deployment("web"))
            `deployment`: it is asked of a pod or a node, as in `ready(pod("web-0"))`
        rolledOut("a/b/c")
            `"a/b/c"`: `a/b/c` names no deployment; write `name` or `namespace/name`
        true
            true: 
        "größe" == "größe" && depl("web")
            `depl`: unknown function `depl` (there is cronjob, daemonset, daemonsets, deployment, deployments, events, endpointslices, hpa, job, jobs, node, nodes, object, pdb, pod, pods, pvc, ready, replicaset, replicasets, rolledOut, service, statefulset, size, int, uint, double, string, bool, bytes, type, dyn, has)
    "#]]
    .assert_eq(&table(&[
        r#"deploymnt("web").status.availableReplicas >= 8"#,
        r#"deployment("web").status.availableReplica >= 8"#,
        r#"deployment("web").statsu.availableReplicas >= 8 && ready(pod("a/b/c"))"#,
        r#"deployment("web").status.availableReplicas >="#,
        r#"deployment("web").status.availableReplicas => 8"#,
        r#"deployment("web")"#,
        r#"pods("app=web").size()"#,
        r#"pods("app=web")"#,
        r#"pods("app=web").status.phase == "Running""#,
        r#"pods("app in web").size() == 1"#,
        r#"pods("app=web").all(p, p.status.phaze == "Running")"#,
        r#"pods("app=web").every(p, p.status.phase == "Running")"#,
        r#"pods("a", "b", "c").size() == 0"#,
        r#"deployment(web).status.replicas == 1"#,
        r#"deployment == 1"#,
        r#"traffic("web").errors == 0"#,
        r#"{"a": 1}["a"] == 1"#,
        r#"object("Deploymnt", "web").spec.replicas == 1"#,
        r#"node("a/b").spec.unschedulable"#,
        r#"ready(deployment("web"))"#,
        r#"rolledOut("a/b/c")"#,
        "true",
        r#""größe" == "größe" && depl("web")"#,
    ]));
}

#[test]
fn tables_are_read_again_when_something_was_written() {
    let mut server = world();
    let mut tables = Tables::default();
    tables.look(&Kind::Node, &server);
    let key = api::Key::cluster(Kind::Node, "general-0");
    let mut changed = server.read(&key).unwrap().clone();
    changed.meta_mut().labels.insert("disk", "ssd");
    let actor = Name::from_static("test");
    let update = Request::Update { object: changed, sub: api::Subresource::Main };
    server.handle(NOW, &actor, update, &mut Vec::new()).unwrap();
    let new = Object::from_json(&Kind::Node, json!({"metadata": {"name": "general-00"}})).unwrap();
    server.handle(NOW, &actor, Request::Create { object: new }, &mut Vec::new()).unwrap();
    let state = |tables: &Tables| -> String {
        let nodes = tables.table(&Kind::Node).iter().map(|it| it.object().meta());
        nodes.map(|it| format!("{}{} ", it.name, if it.label("disk").is_some() { "+" } else { "" })).collect()
    };
    tables.look(&Kind::Node, &server);
    assert_eq!(state(&tables), "general-0 general-1 ", "nobody said that it was written");
    tables.note_write(key.clone());
    tables.note_write(api::Key::cluster(Kind::Node, "general-00"));
    tables.look(&Kind::Node, &server);
    assert_eq!(state(&tables), "general-0+ general-00 general-1 ");
    let delete = Request::Delete { key: key.clone(), options: api::DeleteOptions::default() };
    server.handle(NOW, &actor, delete, &mut Vec::new()).unwrap();
    tables.note_write(key.clone());
    tables.look(&Kind::Node, &server);
    assert_eq!(state(&tables), "general-00 general-1 ");
    assert!(tables.find(&Kind::Node, &key.namespace, &key.name).is_none());
}

/// A dash comes before a slash, and a slash before a letter.
#[test]
fn tables_stand_in_the_order_of_lists() {
    let mut server = world();
    let mut tables = Tables::default();
    tables.look(&Kind::ConfigMap, &server);
    let actor = Name::from_static("test");
    for namespace in ["shop", "shopping", "shop-b", "shop.b"] {
        for (kind, name, within) in
            [(Kind::Namespace, namespace, ""), (Kind::ConfigMap, "settings", namespace)]
        {
            let object = json!({"metadata": {"name": name, "namespace": within}});
            let object = Object::from_json(&kind, object).unwrap();
            tables.note_write(object.key());
            let _ = server.handle(NOW, &actor, Request::Create { object }, &mut Vec::new());
        }
    }
    tables.look(&Kind::ConfigMap, &server);
    let ours: Vec<_> = tables.table(&Kind::ConfigMap).iter().map(|it| it.object().key()).collect();
    let listed: Vec<_> = server.scan(&Kind::ConfigMap, None).map(Object::key).collect();
    assert_eq!((ours.len(), &ours), (3, &listed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is written as a condition is compiled or refused.
    #[test]
    fn no_text_panics(text in ".{0,60}") {
        let _ = Condition::compile(&text);
    }

    /// Neither does what is nearly a condition.
    #[test]
    fn no_mixture_of_tokens_panics(tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..14)) {
        let text = tokens.concat();
        if let Ok(condition) = Condition::compile(&text) {
            let _ = condition.is_true(&Tables::default(), &Arc::new(Env::stdlib()));
        }
    }
}

const TOKENS: &[&str] = &[
    "pods(",
    "deployment(",
    "\"web\"",
    "\"a=b\"",
    ")",
    "(",
    ".status",
    ".size()",
    ".all(p, ",
    ".map(",
    "p",
    ",",
    " && ",
    " || ",
    "!",
    " == ",
    " >= ",
    "8",
    "-",
    "[",
    "]",
    "0",
    "has(",
    "?",
    ":",
    "{",
    "}",
    "'",
    "\\",
    "r'",
    "ready(",
    "@x",
    "optional.of(",
    ".?a",
    "1u",
    "1e9",
    "null",
    "b\"x\"",
    "ü",
];
