//! Extenders that answer as they are told.

use api::{GoDuration, Meta, Object};
use expect_test::expect;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::config::ExtenderManagedResource;

/// Gives one answer to all calls, and keeps them.
#[derive(Debug)]
#[expect(clippy::disallowed_types, reason = "what was asked is looked at from outside")]
struct Canned {
    answer: Result<String, TransportError>,
    calls: std::sync::Mutex<Vec<(String, Value)>>,
}

impl Canned {
    fn saying(answer: impl Into<String>) -> Self {
        Self { answer: Ok(answer.into()), calls: Default::default() }
    }

    fn failing(error: TransportError) -> Self {
        Self { answer: Err(error), calls: Default::default() }
    }

    /// Where the only call went, and its body.
    fn call(&self) -> String {
        let calls = self.calls.lock().expect("nobody panicked");
        let [(url, body)] = calls.as_slice() else { panic!("one call was to be made") };
        format!("{url}\n{body:#}\n")
    }
}

impl Transport for Canned {
    fn call(&self, url: &str, body: &str, _: Span) -> Result<String, TransportError> {
        let body = body.parse().expect("bodies are JSON");
        self.calls.lock().expect("nobody panicked").push((url.into(), body));
        self.answer.clone()
    }
}

fn extender(node_cache_capable: bool) -> HttpExtender {
    HttpExtender::new(Extender {
        url_prefix: "http://127.0.0.1:8888/v1/".into(),
        filter_verb: "filter".into(),
        preempt_verb: "preempt".into(),
        prioritize_verb: "rank".into(),
        bind_verb: "bind".into(),
        weight: 3,
        node_cache_capable,
        ..Extender::default()
    })
}

fn pod(name: &str, uid: u128) -> Arc<Pod> {
    let meta = Meta { name: name.into(), namespace: "default".into(), uid: Uid(uid), ..Meta::default() };
    Arc::new(Pod { meta, ..Pod::default() })
}

fn nodes() -> [Arc<Node>; 2] {
    ["a", "b"].map(|name| {
        let meta = Meta { name: name.into(), ..Meta::default() };
        Arc::new(Node { meta, ..Node::default() })
    })
}

/// A cluster of the node `a` with these pods on it.
fn nodes_with(pods: &[Arc<Pod>]) -> Nodes {
    let mut cluster = crate::Cluster::default();
    cluster.set_node(&nodes()[0]);
    pods.iter().for_each(|it| cluster.assume(it, &"a".into()));
    cluster.nodes
}

fn filter_error(node_cache_capable: bool, answer: &str) -> String {
    let result = extender(node_cache_capable).filter(&pod("p", 1), &nodes(), &Canned::saying(answer));
    format!("{}\n", result.expect_err("the answer is wrong"))
}

#[test]
fn nodes_are_sent_whole_or_by_name() {
    let (whole, named) = (Canned::saying("null"), Canned::saying("null"));
    let empty = extender(false).filter(&pod("p", 1), &nodes(), &whole);
    assert_eq!(empty, Ok(Filtered::default()));
    expect![[r#"
        http://127.0.0.1:8888/v1/filter
        {
          "NodeNames": null,
          "Nodes": {
            "items": [
              {
                "metadata": {
                  "name": "a"
                }
              },
              {
                "metadata": {
                  "name": "b"
                }
              }
            ],
            "metadata": {}
          },
          "Pod": {
            "metadata": {
              "name": "p",
              "namespace": "default",
              "uid": "00000000-0000-0000-0000-000000000001"
            },
            "spec": {},
            "status": {}
          }
        }
    "#]]
    .assert_eq(&whole.call());
    assert_eq!(extender(true).filter(&pod("p", 1), &nodes(), &named), empty);
    expect![[r#"
        http://127.0.0.1:8888/v1/filter
        {
          "NodeNames": [
            "a",
            "b"
          ],
          "Nodes": null,
          "Pod": {
            "metadata": {
              "name": "p",
              "namespace": "default",
              "uid": "00000000-0000-0000-0000-000000000001"
            },
            "spec": {},
            "status": {}
          }
        }
    "#]]
    .assert_eq(&named.call());
}

#[test]
fn what_is_left_is_read_in_the_form_that_was_sent() {
    let answer = json!({
        "Nodes": { "items": [{ "metadata": { "name": "a" }, "spec": {} }] },
        "nodenames": ["b"],
        "failedNodes": { "b": "no licence" },
        "FailedAndUnresolvableNodes": { "c": "wrong kind" },
        "Error": "",
        "more": 1,
    });
    let left =
        |capable| extender(capable).filter(&pod("p", 1), &nodes(), &Canned::saying(answer.to_string()));
    let whole = left(false).expect("the answer is right");
    assert_eq!((whole.nodes.as_slice(), whole.failed["b"].as_str()), (&["a".into()][..], "no licence"));
    assert_eq!(whole.failed_and_unresolvable["c"], "wrong kind");
    assert_eq!(left(true).expect("the answer is right").nodes, ["b"]);
}

#[test]
fn an_extender_without_the_verb_is_not_asked() {
    let silent = Canned::failing(TransportError::Status(500));
    let extender = HttpExtender::new(Extender { url_prefix: "http://x".into(), ..Extender::default() });
    let all = extender.filter(&pod("p", 1), &nodes(), &silent).expect("nobody is asked");
    assert_eq!(all.nodes, ["a", "b"]);
    assert_eq!(extender.prioritize(&pod("p", 1), &nodes(), &silent), Ok(Vec::new()));
    let binding = Binding { namespace: "d".into(), name: "p".into(), uid: Uid(1), node: "a".into() };
    let errors = [
        extender.bind(&binding, &silent).expect_err("it does not bind"),
        extender
            .preempt(&pod("p", 1), &BTreeMap::new(), &Nodes::default(), &silent)
            .expect_err("it does not preempt"),
    ];
    assert!(silent.calls.lock().expect("nobody panicked").is_empty());
    expect![[r#"
        unexpected empty bindVerb in extender
        preempt verb is not defined for extender http://x but run into ProcessPreemption
    "#]]
    .assert_eq(&errors.map(|it| format!("{it}\n")).concat());
}

#[test]
fn wrong_answers_say_what_is_wrong() {
    let answers = [
        "",
        "{",
        "[]",
        "5",
        r#"{"Error": "out of licences"}"#,
        r#"{"Error": 5}"#,
        r#"{"NodeNames": "a"}"#,
        r#"{"NodeNames": ["a", "c"]}"#,
        r#"{"NodeNames": [1]}"#,
        r#"{"FailedNodes": []}"#,
        r#"{"FailedNodes": {"a": 1}}"#,
    ];
    let by_name: String = answers.iter().map(|it| filter_error(true, it)).collect();
    let whole = filter_error(false, r#"{"Nodes": {"items": {}}}"#) + &filter_error(false, r#"{"Nodes": []}"#);
    expect![[r#"
        extender at URL http://127.0.0.1:8888/v1/filter gave an answer that cannot be read: it is empty
        extender at URL http://127.0.0.1:8888/v1/filter gave an answer that cannot be read: not JSON: EOF while parsing an object at line 1 column 1
        extender at URL http://127.0.0.1:8888/v1/filter gave an answer that cannot be read: expected an object with `Error`, found []
        extender at URL http://127.0.0.1:8888/v1/filter gave an answer that cannot be read: expected an object with `Error`, found 5
        out of licences
        extender at URL http://127.0.0.1:8888/v1/filter gave an answer that cannot be read: `Error`: expected a text, found 5
        extender at URL http://127.0.0.1:8888/v1/filter gave an answer that cannot be read: `NodeNames`: expected a list, found "a"
        extender "http://127.0.0.1:8888/v1/" claims a filtered node "c" which is not found in the input node list
        extender at URL http://127.0.0.1:8888/v1/filter gave an answer that cannot be read: `NodeNames`: expected a text, found 1
        extender at URL http://127.0.0.1:8888/v1/filter gave an answer that cannot be read: `FailedNodes`: expected an object, found []
        extender at URL http://127.0.0.1:8888/v1/filter gave an answer that cannot be read: `FailedNodes`: expected a text, found 1
        extender at URL http://127.0.0.1:8888/v1/filter gave an answer that cannot be read: `items`: expected a list, found {}
        extender at URL http://127.0.0.1:8888/v1/filter gave an answer that cannot be read: expected an object with `items`, found []
    "#]].assert_eq(&(by_name + &whole));
}

#[test]
fn calls_that_fail_say_where() {
    let fail = |error| {
        let error = extender(true).prioritize(&pod("p", 1), &nodes(), &Canned::failing(error));
        format!("{}\n", error.expect_err("there is no answer"))
    };
    let refused = "dial tcp 127.0.0.1:8888: connect: connection refused";
    let errors = [
        TransportError::Status(503),
        TransportError::Unreachable(refused.into()),
        TransportError::TimedOut,
        TransportError::Body("unexpected EOF".into()),
    ];
    expect![[r#"
        failed rank with extender at URL http://127.0.0.1:8888/v1/rank, code 503
        Post "http://127.0.0.1:8888/v1/rank": dial tcp 127.0.0.1:8888: connect: connection refused
        Post "http://127.0.0.1:8888/v1/rank": context deadline exceeded (Client.Timeout exceeded while awaiting headers)
        unexpected EOF
    "#]]
    .assert_eq(&errors.map(fail).concat());
}

#[test]
fn priorities_are_brought_to_the_scale_of_scores() {
    let answer = json!([{ "Host": "a", "Score": 10 }, { "host": "b", "score": 2 }, { "Host": "c" }]);
    let scores = extender(true).prioritize(&pod("p", 1), &nodes(), &Canned::saying(answer.to_string()));
    assert_eq!(scores, Ok(vec![("a".into(), 300), ("b".into(), 60), ("c".into(), 0)]));
    let wrong = extender(true).prioritize(&pod("p", 1), &nodes(), &Canned::saying("[{\"Score\": 1.5}]"));
    assert!(
        wrong
            .expect_err("priorities are whole")
            .to_string()
            .ends_with("`Score`: expected a whole number, found 1.5")
    );
}

#[test]
fn victims_are_sent_whole_or_by_identity_and_come_back_by_identity() {
    let on_a = [pod("v", 7), pod("w", 8)];
    let victims = BTreeMap::from([(Name::new("a"), Victims { pods: on_a.to_vec(), pdb_violations: 2 })]);
    let uid = Uid(8).to_string();
    let answer =
        json!({ "NodeNameToMetaVictims": { "a": { "Pods": [{ "UID": uid }], "NumPDBViolations": 1 } } });
    let there = nodes_with(&on_a);
    let (whole, named) = (Canned::saying(answer.to_string()), Canned::saying(answer.to_string()));
    let left = extender(true).preempt(&pod("p", 1), &victims, &there, &named).expect("the answer is right");
    assert_eq!(
        left,
        BTreeMap::from([("a".into(), Victims { pods: vec![on_a[1].clone()], pdb_violations: 1 })])
    );
    assert_eq!(extender(false).preempt(&pod("p", 1), &victims, &there, &whole), Ok(left));
    expect![[r#"
        http://127.0.0.1:8888/v1/preempt
        {
          "NodeNameToMetaVictims": {
            "a": {
              "NumPDBViolations": 2,
              "Pods": [
                {
                  "UID": "00000000-0000-0000-0000-000000000007"
                },
                {
                  "UID": "00000000-0000-0000-0000-000000000008"
                }
              ]
            }
          },
          "NodeNameToVictims": null,
          "Pod": {
            "metadata": {
              "name": "p",
              "namespace": "default",
              "uid": "00000000-0000-0000-0000-000000000001"
            },
            "spec": {},
            "status": {}
          }
        }
        http://127.0.0.1:8888/v1/preempt
        {
          "NodeNameToMetaVictims": null,
          "NodeNameToVictims": {
            "a": {
              "NumPDBViolations": 2,
              "Pods": [
                {
                  "metadata": {
                    "name": "v",
                    "namespace": "default",
                    "uid": "00000000-0000-0000-0000-000000000007"
                  },
                  "spec": {},
                  "status": {}
                },
                {
                  "metadata": {
                    "name": "w",
                    "namespace": "default",
                    "uid": "00000000-0000-0000-0000-000000000008"
                  },
                  "spec": {},
                  "status": {}
                }
              ]
            }
          },
          "Pod": {
            "metadata": {
              "name": "p",
              "namespace": "default",
              "uid": "00000000-0000-0000-0000-000000000001"
            },
            "spec": {},
            "status": {}
          }
        }
    "#]]
    .assert_eq(&(named.call() + &whole.call()));
}

#[test]
fn victims_that_are_not_there_are_refused() {
    let on_a = [pod("v", 7)];
    let there = nodes_with(&on_a);
    let error = |answer: Value| {
        let transport = Canned::saying(answer.to_string());
        let result = extender(true).preempt(&pod("p", 1), &BTreeMap::new(), &there, &transport);
        format!("{}\n", result.expect_err("the answer is wrong"))
    };
    let found = error(json!({ "NodeNameToMetaVictims": { "a": { "Pods": [{ "UID": "nobody" }] } } }))
        + &error(json!({ "NodeNameToMetaVictims": { "z": { "Pods": [] } } }))
        + &error(json!({ "NodeNameToMetaVictims": { "a": { "Pods": 5 } } }));
    expect![[r#"
        extender: http://127.0.0.1:8888/v1/ claims to preempt pod (UID: &{nobody}) on node: a, but the pod is not found on that node
        nodeinfo not found for node name "z"
        extender at URL http://127.0.0.1:8888/v1/preempt gave an answer that cannot be read: `Pods`: expected a list, found 5
    "#]].assert_eq(&found);
}

#[test]
fn bindings_are_sent_by_name_and_identity() {
    let binding = Binding { namespace: "default".into(), name: "p".into(), uid: Uid(1), node: "a".into() };
    let transport = Canned::saying("{}");
    assert_eq!(extender(true).bind(&binding, &transport), Ok(()));
    expect![[r#"
        http://127.0.0.1:8888/v1/bind
        {
          "Node": "a",
          "PodName": "p",
          "PodNamespace": "default",
          "PodUID": "00000000-0000-0000-0000-000000000001"
        }
    "#]]
    .assert_eq(&transport.call());
    let error = extender(true).bind(&binding, &Canned::saying(r#"{"error": "taken"}"#));
    assert_eq!(error, Err(ExtenderError::Failed("taken".into())));
}

#[test]
fn only_pods_that_mention_a_managed_resource_are_of_interest() {
    let managed = ExtenderManagedResource { name: "example.com/fpga".into(), ignored_by_scheduler: false };
    let picky = HttpExtender::new(Extender { managed_resources: vec![managed], ..Extender::default() });
    let asking = |spec: Value| {
        let kind = api::Kind::Pod;
        let object = Object::from_json(&kind, json!({ "metadata": { "name": "p" }, "spec": spec }));
        object.expect("a pod").get::<Pod>().expect("a pod").clone()
    };
    let container =
        |part: &str, resource: &str| json!([{ "name": "c", "resources": { part: { resource: "1" } } }]);
    let table = [
        (json!({ "containers": container("requests", "example.com/fpga") }), true),
        (json!({ "containers": container("limits", "example.com/fpga") }), true),
        (json!({ "initContainers": container("limits", "example.com/fpga") }), true),
        (json!({ "containers": container("requests", "cpu") }), false),
        (json!({ "containers": [] }), false),
    ];
    for (spec, expected) in table {
        let pod = asking(spec);
        assert_eq!(picky.is_interested(&pod), expected, "{:?}", pod.spec);
        assert!(extender(true).is_interested(&pod));
    }
}

#[test]
fn a_call_may_take_five_seconds_unless_it_is_said_otherwise() {
    let timeout = |nanos| {
        let http_timeout = GoDuration::from_nanos(nanos);
        HttpExtender::new(Extender { http_timeout, ..Extender::default() }).timeout()
    };
    assert_eq!((timeout(0), timeout(1)), (Span::secs(5), Span::from_nanos(1)));
}

/// Almost JSON, or an object of one field.
fn any_answer() -> impl Strategy<Value = String> {
    let field =
        prop::sample::select(vec!["Nodes", "NodeNames", "Error", "FailedNodes", "NodeNameToMetaVictims"]);
    let value = prop::sample::select(vec!["1", "\"a\"", "null", "[]", "[[]]", "{}", "{\"a\": []}"]);
    let object = (field, value).prop_map(|(field, value)| format!("{{\"{field}\": {value}}}"));
    prop_oneof!["[\\[\\]{}:,\"a0 ]{0,12}", object]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever an extender says is understood or refused.
    #[test]
    fn any_answer_is_read_or_refused(answer in any_answer()) {
        let transport = Canned::saying(answer);
        let (extender, pod) = (extender(true), pod("p", 1));
        drop(extender.filter(&pod, &nodes(), &transport));
        drop(extender.prioritize(&pod, &nodes(), &transport));
        drop(extender.preempt(&pod, &BTreeMap::new(), &Nodes::default(), &transport));
    }
}
