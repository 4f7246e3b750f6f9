use api::{Condition, ConditionStatus, Meta, PodPhase, Request, Taint, TaintEffect, Timestamp};
use client::{ControlLoop, Rate};

use super::*;
use crate::testing::{START, World};

type Bench = World<ControlLoop<PodGc>>;

fn bench(controller: PodGc) -> Bench {
    World::new(ControlLoop::new(controller, Rate::CONTROLLER), 1)
}

fn pod(name: &str, node: &str, phase: PodPhase) -> Pod {
    let mut pod = Pod { node: node.into(), ..Pod::default() };
    pod.meta = Meta { name: name.into(), namespace: "default".into(), ..Meta::default() };
    pod.status.phase = phase;
    pod
}

fn deleting(mut pod: Pod) -> Pod {
    pod.meta.deletion_timestamp = Some(Timestamp::from(START));
    pod
}

fn node(name: &str, is_ready: bool, taint: Option<&str>) -> Node {
    let mut node = Node::default();
    node.meta.name = name.into();
    let taint = taint.map(|key| Taint::new(key, "nodeshutdown", TaintEffect::NoExecute));
    node.spec.taints = taint.into_iter().collect();
    node.status.conditions = vec![Condition {
        kind: "Ready".into(),
        status: if is_ready { ConditionStatus::True } else { ConditionStatus::Unknown },
        ..Condition::default()
    }];
    node
}

/// What was asked for, and how many seconds after the start.
fn asked(bench: &Bench) -> Vec<(u64, String)> {
    let words = |request: &Request| format!("{} {}", request.verb(), request.key().name);
    bench.log.iter().map(|(at, request)| (at.since(START).as_secs(), words(request))).collect()
}

fn told(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    expected.iter().map(|(at, words)| (*at, (*words).to_owned())).collect()
}

#[test]
fn pods_of_a_missing_node_go_after_the_quarantine() {
    let mut bench = bench(PodGc::new(START));
    bench.create(node("there", true, None));
    bench.create(pod("safe", "there", PodPhase::Running));
    bench.run_for(Span::secs(5));
    bench.create(pod("done", "lost", PodPhase::Succeeded));
    bench.create(pod("web", "lost", PodPhase::Running));
    bench.run_for(Span::mins(10));
    // The look at 20 s finds them; the one at 60 s removes them.
    let expected = [(60, "delete done"), (60, "patch web"), (60, "delete web")];
    assert_eq!(asked(&bench), told(&expected));
    let marked = bench
        .log
        .iter()
        .find_map(|(_, it)| if let Request::Patch { patch, .. } = it { Some(patch) } else { None });
    let text = format!("{marked:?}");
    assert!(text.contains("DeletionByPodGC") && text.contains("Failed"), "{text}");
}

#[test]
fn a_node_that_turns_up_in_time_keeps_its_pods() {
    let mut bench = bench(PodGc::new(START));
    bench.create(pod("web", "late", PodPhase::Running));
    bench.run_for(Span::secs(30));
    bench.create(node("late", true, None));
    bench.run_for(Span::mins(10));
    assert_eq!(asked(&bench), []);
}

#[test]
fn terminating_pods_go_only_where_the_node_is_out_of_service_and_not_ready() {
    let mut bench = bench(PodGc::new(START));
    let out = Some(OUT_OF_SERVICE);
    for (name, is_ready, taint) in
        [("out", false, out), ("ready", true, out), ("silent", false, None), ("well", true, None)]
    {
        bench.create(node(name, is_ready, taint));
        bench.create(deleting(pod(&format!("old-{name}"), name, PodPhase::Running)));
        bench.create(pod(&format!("new-{name}"), name, PodPhase::Running));
    }
    bench.run_for(Span::mins(10));
    assert_eq!(asked(&bench), told(&[(20, "patch old-out"), (20, "delete old-out")]));
}

#[test]
fn a_taint_that_comes_later_frees_what_waits() {
    let mut bench = bench(PodGc::new(START));
    let there = bench.create(node("node", false, None));
    bench.create(deleting(pod("web", "node", PodPhase::Failed)));
    bench.run_for(Span::secs(65));
    bench.change::<Node>(&there.key(), |it| *it = node("node", false, Some(OUT_OF_SERVICE)));
    bench.run_for(Span::mins(10));
    assert_eq!(asked(&bench), told(&[(80, "delete web")]), "what has failed need not be marked");
}

#[test]
fn what_was_deleted_before_it_had_a_node_goes() {
    let mut bench = bench(PodGc::new(START));
    let mut held = deleting(pod("held", "", PodPhase::Pending));
    held.meta.finalizers = ["example.com/wait".into()].into();
    bench.create(held);
    bench.create(pod("waiting", "", PodPhase::Pending));
    bench.run_for(Span::secs(30));
    assert_eq!(asked(&bench), told(&[(20, "patch held"), (20, "delete held")]));
}

#[test]
fn of_too_many_that_have_ended_the_evicted_and_the_oldest_go() {
    let mut bench = bench(PodGc { terminated_max: 2, ..PodGc::new(START) });
    bench.create(node("node", true, None));
    for name in ["a", "b", "c"] {
        bench.create(pod(name, "node", PodPhase::Succeeded));
        bench.run_for(Span::secs(1));
    }
    let mut evicted = pod("d", "node", PodPhase::Failed);
    evicted.status.reason = "Evicted".into();
    bench.create(evicted);
    bench.run_for(Span::mins(1));
    let mut asked = asked(&bench);
    asked.sort(); // They are sent at once, and need not arrive in that order.
    assert_eq!(asked, told(&[(20, "delete a"), (20, "delete d")]));
}

#[test]
fn what_fails_is_tried_again_with_the_next_look() {
    let mut bench = bench(PodGc::new(START));
    bench.refusals_percent = 100;
    bench.create(node("node", false, Some(OUT_OF_SERVICE)));
    bench.create(deleting(pod("web", "node", PodPhase::Failed)));
    bench.run_for(Span::secs(45));
    bench.refusals_percent = 0;
    bench.run_for(Span::mins(5));
    let expected = [(20, "delete web"), (40, "delete web"), (60, "delete web")];
    assert_eq!(asked(&bench), told(&expected));
}
