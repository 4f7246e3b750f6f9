//! Stories: what happens to the scheduler, and what it asks for.

mod extenders;

use std::fmt::Write;
use std::sync::Arc;

use api::{Answer, Edit, Node, Object, Patch, Pod, Reason, Request, Response, Status, Timestamp, Uid};
use base::{Cause, Name, Span, Time};
use client::{Change, Effect, Input, RequestId, View};
use expect_test::{Expect, expect};
use serde_json::json;

use super::*;
use crate::framework::{Cycle, Permit, Plugin};
use crate::node_info::NodeInfo;
use crate::plugins;

const START: Time = Time::from_secs(1000);

/// Has pods that are labelled `wait` wait for ten seconds.
struct Patience;

impl Plugin for Patience {
    fn name(&self) -> &'static str {
        "Patience"
    }

    fn permit(&self, cycle: &Cycle<'_>, _node: &NodeInfo) -> Permit {
        if cycle.pod.labels().contains_key("wait") { Permit::Wait(Span::secs(10)) } else { Permit::Allow }
    }
}

struct Story {
    scheduler: Scheduler,
    view: View,
    now: Time,
    open: Vec<(RequestId, Request)>,
    text: String,
}

impl Story {
    fn new() -> Self {
        let mut all = plugins::defaults();
        all.push((Box::new(Patience), 0));
        let profiles = vec![Profile::new(Name::from_static(NAME), all)];
        let scheduler = Scheduler::with_profiles(START, profiles, Ties::FirstName, BackOff::default());
        let scheduler = scheduler.with_cost(Cost::None);
        Self { scheduler, view: View::default(), now: START, open: Vec::new(), text: String::new() }
    }

    fn at(&mut self, millis: u64) -> &mut Self {
        self.now = START + Span::millis(millis);
        self
    }

    fn set(&mut self, object: Object) -> &mut Self {
        let change = self.view.set(object);
        self.hear(&change)
    }

    fn gone(&mut self, pod: &Pod) -> &mut Self {
        let change = self.view.remove(&pod.key()).expect("it was there");
        self.hear(&change)
    }

    fn hear(&mut self, change: &Change) -> &mut Self {
        self.line(&format!(
            "hears of {}{}",
            change.key(),
            if change.is_gone() { ", which is gone" } else { "" }
        ));
        self.handle(Input::Changed { change, cause: Cause::NONE })
    }

    fn tick(&mut self) -> &mut Self {
        self.line("looks around");
        self.handle(Input::Tick)
    }

    /// Answers the oldest request that is open.
    fn answer(&mut self, response: Response) -> &mut Self {
        let (id, request) = self.open.remove(0);
        let outcome = response.as_ref().map_or_else(|it| it.message.to_string(), |_| "done".into());
        self.line(&format!("hears that {}: {outcome}", tell(&request)));
        self.handle(Input::Answer { id, response })
    }

    fn handle(&mut self, input: Input<'_>) -> &mut Self {
        let mut effects = Vec::new();
        self.scheduler.handle(self.now, input, &mut effects);
        self.note(effects)
    }

    fn note(&mut self, effects: Vec<Effect>) -> &mut Self {
        for effect in effects {
            let Effect::Send { id, request, .. } = effect else { continue };
            self.line(&format!("  {}", tell(&request)));
            if !matches!(request, Request::Create { .. }) {
                self.open.push((id, request));
            }
        }
        self
    }

    fn line(&mut self, text: &str) {
        let secs = self.now.since(START).as_secs_f64();
        writeln!(self.text, "{secs:06.3} {text}").expect("writing to a string does not fail");
    }

    #[track_caller]
    fn is(&self, expected: &Expect) {
        expected.assert_eq(&self.text);
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the requests that a scheduler makes")]
fn tell(request: &Request) -> String {
    match request {
        Request::Create { object: Object::Event(event) } => {
            format!("event {} on {}: {}", event.reason, event.involved_object.name, event.message)
        }
        Request::Patch { key, patch: Patch::Apply(edits), .. } => {
            let edits: Vec<String> = edits.iter().map(tell_edit).collect();
            format!("patch {}: {}", key.name, edits.join(", "))
        }
        Request::Bind { pod, node, .. } => format!("bind {} to {node}", pod.name),
        Request::Patch { key, .. } => format!("patch {}", key.kind.name()),
        Request::Delete { key, .. } => format!("delete {}", key.name),
        other => format!("{other:?}"),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the edits that a scheduler makes")]
fn tell_edit(edit: &Edit) -> String {
    match edit {
        Edit::PodCondition { condition, nominated_node, .. } => {
            let node = nominated_node.as_ref().map_or(String::new(), |it| format!(", nominated to `{it}`"));
            format!("{}={:?} {}{node}", condition.kind, condition.status, condition.reason)
        }
        other => format!("{other:?}"),
    }
}

fn done() -> Response {
    Ok(Answer::Object(Object::Node(Arc::default())))
}

fn node(name: &str, cpu: u32) -> Object {
    let status = json!({"allocatable": {"cpu": format!("{cpu}"), "pods": "10"}});
    let node: Node =
        serde_json::from_value(json!({"metadata": {"name": name}, "status": status})).expect("a node");
    Object::Node(Arc::new(node))
}

fn pod(name: &str, uid: u128, priority: i32, cpu: u32) -> Pod {
    let container = json!({"name": "main", "resources": {"requests": {"cpu": format!("{cpu}")}}});
    let mut pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"priority": priority, "containers": [container], "schedulerName": NAME},
    }))
    .expect("a pod");
    pod.meta.uid = Uid(uid);
    pod.meta.resource_version = api::Revision(u64::try_from(uid).expect("a small number"));
    pod
}

fn object(pod: &Pod) -> Object {
    Object::Pod(Arc::new(pod.clone()))
}

fn on(mut pod: Pod, node: &str) -> Pod {
    pod.node = Name::new(node);
    pod.meta.resource_version.0 += 100;
    pod
}

fn terminating(victim: &Pod) -> Pod {
    let mut pod = victim.clone();
    pod.meta.resource_version.0 += 1;
    pod.meta.deletion_timestamp = Some(Timestamp::from(START));
    pod.status.conditions.push(api::Condition {
        kind: api::condition::DISRUPTION_TARGET,
        status: api::ConditionStatus::True,
        reason: Name::from_static(plugins::PREEMPTION_BY_SCHEDULER),
        ..api::Condition::default()
    });
    pod
}

#[test]
fn a_pod_that_fits_nowhere_waits_for_a_node() {
    let mut story = Story::new();
    story.set(object(&pod("a", 1, 0, 2))).at(1500).tick();
    story.at(2000).tick().at(2100).set(node("small", 1)).at(9000).set(node("large", 4));
    story.answer(done());
    story.is(&expect![[r#"
        00.000 hears of pod/default/a
        00.000   event FailedScheduling on a: no nodes available to schedule pods
        00.000   patch a: PodScheduled=False Unschedulable
        01.500 looks around
        02.000 looks around
        02.000   patch Event
        02.000   patch a: PodScheduled=False Unschedulable
        02.100 hears of node/small
        09.000 hears of node/large
        09.000   bind a to large
        09.000 hears that patch a: PodScheduled=False Unschedulable: done
    "#]]);
}

#[test]
fn victims_are_told_and_deleted_while_the_pod_waits() {
    let mut story = Story::new();
    let victims = [on(pod("v", 2, 0, 1), "n"), on(pod("w", 3, 0, 1), "n")];
    story.set(node("n", 2)).set(object(&victims[0])).set(object(&victims[1]));
    let mut wanted = pod("a", 9, 5, 2);
    story.at(100).set(object(&wanted));
    story.at(110).answer(done()).answer(done());
    story.at(120).answer(done());
    story.at(130).answer(done()).answer(done());
    wanted.status.nominated_node_name = Name::new("n");
    wanted.meta.resource_version.0 += 1;
    story.set(object(&wanted));
    for victim in &victims {
        story.set(object(&terminating(victim)));
    }
    story.at(200).gone(&victims[0]).at(5000).gone(&victims[1]);
    story.is(&expect![[r#"
        00.000 hears of node/n
        00.000 hears of pod/default/v
        00.000 hears of pod/default/w
        00.100 hears of pod/default/a
        00.100   patch v: DisruptionTarget=True PreemptionByScheduler
        00.100   event FailedScheduling on a: 0/1 nodes are available: 1 Insufficient cpu.
        00.100   patch a: PodScheduled=False Unschedulable, nominated to `n`
        00.110 hears that patch v: DisruptionTarget=True PreemptionByScheduler: done
        00.110   delete v
        00.110 hears that patch a: PodScheduled=False Unschedulable, nominated to `n`: done
        00.120 hears that delete v: done
        00.120   event Preempted on v: Preempted by pod 00000000-0000-0000-0000-000000000009 on node n
        00.120   patch w: DisruptionTarget=True PreemptionByScheduler
        00.130 hears that patch w: DisruptionTarget=True PreemptionByScheduler: done
        00.130   delete w
        00.130 hears that delete w: done
        00.130   event Preempted on w: Preempted by pod 00000000-0000-0000-0000-000000000009 on node n
        00.130 hears of pod/default/a
        00.130 hears of pod/default/v
        00.130 hears of pod/default/w
        00.200 hears of pod/default/v, which is gone
        00.200   event FailedScheduling on a: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to a terminating pod on the nominated node.
        00.200   patch a: PodScheduled=False Unschedulable
        05.000 hears of pod/default/w, which is gone
        05.000   bind a to n
    "#]]);
}

#[test]
fn a_failed_binding_gives_the_room_to_others() {
    let mut story = Story::new();
    story.set(node("n", 1)).set(object(&pod("a", 1, 0, 1))).at(10).set(object(&pod("b", 2, 0, 1)));
    let status = Status::new(Reason::Conflict, Name::new("it has changed"));
    story.at(20).answer(Err(status)).at(3000).tick();
    story.is(&expect![[r#"
        00.000 hears of node/n
        00.000 hears of pod/default/a
        00.000   bind a to n
        00.010 hears of pod/default/b
        00.010   event FailedScheduling on b: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.
        00.010   patch b: PodScheduled=False Unschedulable
        00.020 hears that bind a to n: it has changed
        00.020   event FailedScheduling on a: running Bind plugin "DefaultBinder": it has changed
        00.020   patch a: PodScheduled=False SchedulerError
        00.020   bind b to n
        03.000 looks around
        03.000   patch Event
        03.000   patch a: PodScheduled=False Unschedulable
    "#]]);
}

#[test]
fn a_pod_that_waits_for_permission_is_bound_when_all_allow_it() {
    let mut story = Story::new();
    let mut patient = pod("a", 1, 0, 1);
    patient.meta.labels.insert("wait", "");
    story.set(node("n", 1)).set(object(&patient)).at(1000);
    let mut effects = Vec::new();
    story.scheduler.allow(story.now, Uid(1), "Patience", &mut effects);
    story.note(effects).answer(done());
    story.is(&expect![[r#"
        00.000 hears of node/n
        00.000 hears of pod/default/a
        01.000   bind a to n
        01.000 hears that bind a to n: done
        01.000   event Scheduled on a: Successfully assigned default/a to n
    "#]]);
}

#[test]
fn a_pod_that_waits_too_long_for_permission_is_rejected() {
    let mut story = Story::new();
    let mut patient = pod("a", 1, 0, 1);
    patient.meta.labels.insert("wait", "");
    story.set(node("n", 1)).set(object(&patient)).at(10_000).tick();
    story.is(&expect![[r#"
        00.000 hears of node/n
        00.000 hears of pod/default/a
        10.000 looks around
        10.000   event FailedScheduling on a: 0/1 nodes are available: 1 rejected due to timeout after waiting 10s at plugin Patience.
        10.000   patch a: PodScheduled=False Unschedulable
    "#]]);
}

#[test]
fn a_pod_that_is_being_deleted_is_not_scheduled() {
    let mut story = Story::new();
    let mut going = pod("a", 1, 0, 1);
    going.meta.deletion_timestamp = Some(Timestamp::from(START));
    story.set(node("n", 1)).set(object(&going));
    story.is(&expect![[r#"
        00.000 hears of node/n
        00.000 hears of pod/default/a
        00.000   event FailedScheduling on a: skip schedule deleting pod: default/a
    "#]]);
}
