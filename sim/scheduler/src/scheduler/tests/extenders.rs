//! Stories with extenders: what they say, and what becomes of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use api::{Kind, StorageClass};
use serde_json::Value;

use super::*;
use crate::config::Extender;
use crate::extender::{Transport, TransportError};

type Answering = fn(nth: usize, url: &str, body: &Value) -> Result<Value, TransportError>;

/// Answers calls, which it counts, by a function.
#[derive(Debug)]
struct Scripted {
    calls: AtomicUsize,
    answer: Answering,
}

impl Transport for Scripted {
    fn call(&self, url: &str, body: &str, _: Span) -> Result<String, TransportError> {
        let nth = self.calls.fetch_add(1, Ordering::Relaxed);
        let body = body.parse().expect("bodies are JSON");
        (self.answer)(nth, url, &body).map(|it| it.to_string())
    }
}

/// One at `http://localhost/<name>`, which takes part in everything that `verbs` names.
fn extender(name: &str, verbs: &[&str]) -> Extender {
    let verb = |it: &str| if verbs.contains(&it) { Name::new(it) } else { Name::EMPTY };
    Extender {
        url_prefix: Name::from(format_args!("http://localhost/{name}")),
        filter_verb: verb("filter"),
        prioritize_verb: verb("prioritize"),
        preempt_verb: verb("preempt"),
        bind_verb: verb("bind"),
        weight: 1,
        node_cache_capable: true,
        ..Extender::default()
    }
}

fn ignorable(name: &str, verbs: &[&str]) -> Extender {
    Extender { ignorable: true, ..extender(name, verbs) }
}

/// A scheduler with these extenders, whose calls take 5 ms.
fn story(extenders: &[Extender], answer: Answering) -> Story {
    let mut story = Story::new();
    let transport = Arc::new(Scripted { calls: AtomicUsize::new(0), answer });
    let extenders = Extenders::new(extenders, Some(transport), Span::millis(5));
    story.scheduler = story.scheduler.with_extenders(extenders);
    story
}

fn refuse(_: usize, _: &str, _: &Value) -> Result<Value, TransportError> {
    Err(TransportError::Status(500))
}

fn storage_class(name: &str) -> Object {
    let json = json!({"metadata": {"name": name}, "provisioner": "p"});
    let class = Object::from_json(&Kind::StorageClass, json).expect("a class");
    assert!(class.get::<StorageClass>().is_some());
    class
}

#[test]
fn a_pod_goes_where_extenders_let_it_and_the_call_takes_time() {
    let mut story = story(&[extender("x", &["filter"])], |_, _, body| {
        assert_eq!(body["NodeNames"].as_array().map(Vec::len), Some(3));
        let failed = json!({"n2": "no licence", "n3": "too"});
        Ok(json!({"NodeNames": ["n1"], "FailedNodes": failed, "FailedAndUnresolvableNodes": {"n3": "never"}}))
    });
    story.set(node("n1", 1)).set(node("n2", 8)).set(node("n3", 8)).set(object(&pod("a", 1, 0, 1)));
    story.at(4).tick().at(5).tick();
    story.is(&expect![[r#"
        00.000 hears of node/n1
        00.000 hears of node/n2
        00.000 hears of node/n3
        00.000 hears of pod/default/a
        00.004 looks around
        00.005 looks around
        00.005   bind a to n1
    "#]]);
}

#[test]
fn what_extenders_refuse_is_told_and_tried_again_whatever_happens() {
    let mut story = story(&[extender("x", &["filter"])], |nth, _, _| match nth {
        0 => {
            Ok(json!({"FailedNodes": {"n2": "no licence"}, "FailedAndUnresolvableNodes": {"n1": "no board"}}))
        }
        _ => Ok(json!({"NodeNames": ["n2"]})), // Nothing of the first answer is remembered.
    });
    story.set(node("n1", 8)).set(node("n2", 8)).set(object(&pod("a", 1, 0, 1)));
    story.at(5).tick().at(2000).set(storage_class("fast")).at(2005).tick();
    story.is(&expect![[r#"
        00.000 hears of node/n1
        00.000 hears of node/n2
        00.000 hears of pod/default/a
        00.005 looks around
        00.005   event FailedScheduling on a: 0/2 nodes are available: 1 no board, 1 no licence. no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.
        00.005   patch a: PodScheduled=False Unschedulable
        02.000 hears of storageclass/fast
        02.005 looks around
        02.005   bind a to n2
    "#]]);
}

#[test]
fn an_extender_that_fails_holds_its_pods_back_unless_it_can_be_ignored() {
    let mut strict = story(&[extender("x", &["filter"])], refuse);
    strict.set(node("n1", 8)).set(object(&pod("a", 1, 0, 1))).at(5).tick();
    strict.is(&expect![[r#"
        00.000 hears of node/n1
        00.000 hears of pod/default/a
        00.005 looks around
        00.005   event FailedScheduling on a: failed filter with extender at URL http://localhost/x/filter, code 500
        00.005   patch a: PodScheduled=False SchedulerError
    "#]]);
    let mut lenient = story(&[ignorable("x", &["filter"])], refuse);
    lenient.set(node("n1", 8)).set(object(&pod("a", 1, 0, 1))).at(5).tick();
    lenient.is(&expect![[r#"
        00.000 hears of node/n1
        00.000 hears of pod/default/a
        00.005 looks around
        00.005   bind a to n1
    "#]]);
}

#[test]
fn waiting_in_vain_takes_as_long_as_the_configuration_allows() {
    let http_timeout = api::GoDuration::from_nanos(2_000_000_000);
    let slow = Extender { http_timeout, ..ignorable("x", &["filter"]) };
    let mut story = story(&[slow], |_, _, _| Err(TransportError::TimedOut));
    story.set(node("n1", 8)).set(object(&pod("a", 1, 0, 1))).at(1999).tick().at(2000).tick();
    story.is(&expect![[r#"
        00.000 hears of node/n1
        00.000 hears of pod/default/a
        01.999 looks around
        02.000 looks around
        02.000   bind a to n1
    "#]]);
}

#[test]
fn each_extender_is_asked_about_what_those_before_it_left_and_all_have_a_say_in_the_score() {
    let extenders = [
        extender("a", &["filter", "prioritize"]),
        Extender { weight: 3, ..extender("b", &["filter", "prioritize"]) },
        extender("silent", &["prioritize"]),
    ];
    let mut story = story(&extenders, |_, url, body| match url {
        "http://localhost/a/filter" => Ok(json!({"NodeNames": ["n1", "n2", "n3"]})),
        "http://localhost/b/filter" => {
            assert_eq!(body["NodeNames"], json!(["n1", "n2", "n3"]));
            Ok(json!({"NodeNames": ["n1", "n3"]}))
        }
        "http://localhost/a/prioritize" => {
            Ok(json!([{"Host": "n1", "Score": 10}, {"Host": "n2", "Score": 10}]))
        }
        "http://localhost/b/prioritize" => Ok(json!([{"Host": "n3", "Score": 4}])),
        _ => Err(TransportError::Unreachable("no route".into())),
    });
    // By plugins alone, the largest node is best; n1 gets 10 x 1 x 10, n3 gets 4 x 3 x 10.
    story.set(node("n1", 8)).set(node("n2", 8)).set(node("n3", 8)).set(node("n4", 64));
    story.set(object(&pod("a", 1, 0, 1))).at(15).tick();
    story.is(&expect![[r#"
        00.000 hears of node/n1
        00.000 hears of node/n2
        00.000 hears of node/n3
        00.000 hears of node/n4
        00.000 hears of pod/default/a
        00.015 looks around
        00.015   bind a to n3
    "#]]);
}

#[test]
fn a_pod_that_mentions_no_managed_resource_is_no_business_of_the_extender() {
    let managed = crate::config::ExtenderManagedResource {
        name: "example.com/fpga".into(),
        ignored_by_scheduler: true,
    };
    let picky =
        Extender { managed_resources: vec![managed], ..extender("x", &["filter", "prioritize", "bind"]) };
    let mut story = story(&[picky], |_, url, _| panic!("{url} was called"));
    story.set(node("n1", 8)).set(node("n2", 8)).set(object(&pod("a", 1, 0, 1)));
    story.is(&expect![[r#"
        00.000 hears of node/n1
        00.000 hears of node/n2
        00.000 hears of pod/default/a
        00.000   bind a to n1
    "#]]);
}

/// Two nodes with a victim each; the one on n1 matters less, so that n1 would be chosen.
fn with_victims(mut story: Story) -> Story {
    story.set(node("n1", 1)).set(node("n2", 1));
    story.set(object(&on(pod("v", 2, 1, 1), "n1"))).set(object(&on(pod("w", 3, 2, 1), "n2")));
    story.at(100).set(object(&pod("a", 9, 5, 1)));
    story
}

#[test]
fn an_extender_chooses_among_the_nodes_where_preemption_would_help() {
    let choosy = story(&[extender("x", &["preempt"])], |_, _, body| {
        let victims = &body["NodeNameToMetaVictims"];
        assert_eq!(victims["n1"]["Pods"].as_array().map(Vec::len), Some(1));
        Ok(json!({"NodeNameToMetaVictims": {"n2": victims["n2"]}}))
    });
    let mut story = with_victims(choosy);
    story.at(105).tick();
    story.is(&expect![[r#"
        00.000 hears of node/n1
        00.000 hears of node/n2
        00.000 hears of pod/default/v
        00.000 hears of pod/default/w
        00.100 hears of pod/default/a
        00.105 looks around
        00.105   patch w: DisruptionTarget=True PreemptionByScheduler
        00.105   event FailedScheduling on a: 0/2 nodes are available: 2 Insufficient cpu.
        00.105   patch a: PodScheduled=False Unschedulable, nominated to `n2`
    "#]]);
}

#[test]
fn preemption_ends_where_an_extender_leaves_nothing_or_fails() {
    let nothing: Answering = |_, _, _| Ok(json!({"NodeNameToMetaVictims": {}}));
    let nobody: Answering = |_, _, _| Ok(json!({"NodeNameToMetaVictims": {"n2": {"Pods": []}}}));
    let cases = [
        (extender("x", &["preempt"]), nothing),
        (extender("x", &["preempt"]), nobody),
        (ignorable("x", &["preempt"]), nobody),
        (extender("x", &["preempt"]), refuse as Answering),
        (ignorable("x", &["preempt"]), refuse as Answering),
    ];
    let told = cases.map(|(extender, answer)| {
        let mut story = with_victims(story(&[extender], answer));
        story.at(105).tick();
        let lines = story.text.lines().filter(|it| it.starts_with("00.105   "));
        format!("{}\n\n", lines.collect::<Vec<_>>().join("\n"))
    });
    expect![[r#"
        00.105   event FailedScheduling on a: 0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: no candidate node for preemption
        00.105   patch a: PodScheduled=False Unschedulable

        00.105   event FailedScheduling on a: 0/2 nodes are available: 2 Insufficient cpu. preemption: expected at least one victim pod on node "n2"
        00.105   patch a: PodScheduled=False Unschedulable

        00.105   event FailedScheduling on a: 0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: no candidate node for preemption
        00.105   patch a: PodScheduled=False Unschedulable

        00.105   event FailedScheduling on a: 0/2 nodes are available: 2 Insufficient cpu. preemption: failed preempt with extender at URL http://localhost/x/preempt, code 500
        00.105   patch a: PodScheduled=False Unschedulable

        00.105   patch v: DisruptionTarget=True PreemptionByScheduler
        00.105   event FailedScheduling on a: 0/2 nodes are available: 2 Insufficient cpu.
        00.105   patch a: PodScheduled=False Unschedulable, nominated to `n1`

    "#]].assert_eq(&told.concat());
}

#[test]
fn an_extender_binds_before_the_plugin_does() {
    let mut agreeing = story(&[extender("x", &["bind"])], |_, _, body| {
        assert_eq!(body["Node"], "n1");
        Ok(json!({}))
    });
    agreeing.set(node("n1", 8)).set(object(&pod("a", 1, 0, 1))).at(5).tick().answer(done());
    agreeing.is(&expect![[r#"
        00.000 hears of node/n1
        00.000 hears of pod/default/a
        00.005 looks around
        00.005   bind a to n1
        00.005 hears that bind a to n1: done
        00.005   event Scheduled on a: Successfully assigned default/a to n1
    "#]]);
    let mut refusing =
        story(&[extender("x", &["bind"])], |_, _, _| Ok(json!({"Error": "the board is taken"})));
    refusing.set(node("n1", 8)).set(object(&pod("a", 1, 0, 1))).at(5).tick();
    refusing.is(&expect![[r#"
        00.000 hears of node/n1
        00.000 hears of pod/default/a
        00.005 looks around
        00.005   event FailedScheduling on a: the board is taken
        00.005   patch a: PodScheduled=False SchedulerError
    "#]]);
    let mut failing = story(&[ignorable("x", &["bind"])], refuse);
    failing.set(node("n1", 8)).set(object(&pod("a", 1, 0, 1))).at(5).tick();
    failing.is(&expect![[r#"
        00.000 hears of node/n1
        00.000 hears of pod/default/a
        00.005 looks around
        00.005   bind a to n1
    "#]]);
}

#[test]
fn a_promised_node_that_an_extender_refuses_is_promised_in_vain() {
    let mut story = story(&[extender("x", &["filter"])], |nth, _, body| match nth {
        0 => Ok(json!({"FailedNodes": {"n1": "not today"}})),
        _ => {
            assert_eq!(body["NodeNames"], json!(["n1", "n2"]));
            Ok(json!({"NodeNames": ["n2"]}))
        }
    });
    let mut promised = pod("a", 1, 0, 1);
    promised.status.nominated_node_name = Name::new("n1");
    story.set(node("n1", 8)).set(node("n2", 8)).set(object(&promised)).at(10).tick();
    story.is(&expect![[r#"
        00.000 hears of node/n1
        00.000 hears of node/n2
        00.000 hears of pod/default/a
        00.010 looks around
        00.010   bind a to n2
    "#]]);
}

#[test]
fn what_extenders_say_is_kept_for_whoever_asks() {
    let mut story = story(&[extender("x", &["filter", "prioritize", "bind"])], |_, url, _| {
        Ok(match url {
            "http://localhost/x/filter" => json!({"NodeNames": ["n1", "n2"]}),
            "http://localhost/x/prioritize" => json!([{"Host": "n2", "Score": 9}]),
            _ => json!({}),
        })
    });
    story.scheduler.trace(pod("a", 1, 0, 1).key());
    story.set(node("n1", 8)).set(node("n2", 8)).set(object(&pod("a", 1, 0, 1))).at(15).tick();
    let [attempt] = story.scheduler.traced() else { panic!("it was tried once") };
    expect![[r#"
        [
            Said {
                extender: "http://localhost/x",
                verb: Filter,
                answer: Left {
                    asked: 2,
                    nodes: [
                        "n1",
                        "n2",
                    ],
                },
                took: Span(
                    5000000,
                ),
            },
            Said {
                extender: "http://localhost/x",
                verb: Prioritize,
                answer: Scores(
                    [
                        (
                            "n2",
                            90,
                        ),
                    ],
                ),
                took: Span(
                    5000000,
                ),
            },
            Said {
                extender: "http://localhost/x",
                verb: Bind,
                answer: Bound,
                took: Span(
                    5000000,
                ),
            },
        ]
    "#]]
    .assert_debug_eq(&attempt.trace.extenders);
}
