use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Node, Object, Pod, Uid};
use base::{Cause, Name, Span, Time};
use client::Change;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::cluster::Cluster;
use crate::framework::{Plugin, Rejection};
use crate::hint::{Actions, EventResource, events_of};
use crate::profile::Profile;

const PICKY: &str = "Picky";
const START: Time = Time::from_secs(1000);

/// Wakes for any new node, and does not let pods in that are labelled `closed`, while there is no node `open`.
struct Picky;

impl Plugin for Picky {
    fn name(&self) -> &'static str {
        PICKY
    }

    fn pre_enqueue(&self, pod: &Pod, cluster: &Cluster) -> Option<Rejection> {
        let is_closed = pod.meta.labels.contains_key("closed") && cluster.nodes.find("open").is_none();
        is_closed.then(|| Rejection::unresolvable("closed"))
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        vec![ClusterEvent::new(EventResource::Node, Actions::ADD)]
    }
}

struct World {
    queue: Queue,
    cluster: Cluster,
    profiles: Vec<Profile>,
}

impl World {
    fn new() -> Self {
        let profiles = vec![Profile::new(Name::from_static("test"), vec![(Box::new(Picky), 0)])];
        let queue = Queue::new(START, BackOff::default());
        Self { queue, cluster: Cluster::default(), profiles }
    }

    fn add(&mut self, now: Time, pod: Pod) {
        let info = self.cluster.pod_info(&Arc::new(pod));
        let rules = Rules { profiles: &self.profiles, cluster: &self.cluster };
        self.queue.add(now, info, 0, rules, Cause::NONE);
    }

    fn pop(&mut self, now: Time) -> Option<QueuedPod> {
        self.queue.pop(now)
    }

    fn popped(&mut self, now: Time) -> Option<String> {
        self.pop(now).map(|it| it.pod.pod.meta.name.to_string())
    }

    fn reject(&mut self, now: Time, mut queued: QueuedPod, pending: bool) {
        let rejectors = BTreeSet::from([PICKY]);
        if pending {
            queued.pending_for = rejectors;
        } else {
            queued.rejected_by = rejectors;
        }
        let rules = Rules { profiles: &self.profiles, cluster: &self.cluster };
        assert!(self.queue.give_back(now, queued, rules));
    }

    fn node_comes(&mut self, now: Time, name: &str) {
        let mut node = Node::default();
        node.meta.name = Name::new(name);
        let node = Arc::new(node);
        self.cluster.set_node(&node);
        let change = Change::Set { old: None, new: Object::Node(node) };
        let rules = Rules { profiles: &self.profiles, cluster: &self.cluster };
        self.queue.on_events(now, &events_of(&change), &change, rules, Cause::NONE, |_| true);
    }

    fn tick(&mut self, now: Time) {
        let rules = Rules { profiles: &self.profiles, cluster: &self.cluster };
        self.queue.tick(now, rules);
    }
}

fn pod(name: &str, uid: u128, priority: i32) -> Pod {
    let mut pod: Pod =
        serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"priority": priority}}))
            .expect("written as the API server would");
    pod.meta.uid = Uid(uid);
    pod.meta.resource_version = api::Revision(u64::try_from(uid).expect("a small number"));
    pod
}

fn at(millis: u64) -> Time {
    START + Span::millis(millis)
}

#[test]
fn back_offs_double_and_end_with_the_second_in_which_they_are_over() {
    let cases = [
        (0, 1, 2000),
        (300, 1, 2000),
        (999, 1, 2000),
        (1000, 1, 3000),
        (300, 2, 3000),
        (300, 3, 5000),
        (300, 4, 9000),
        (300, 5, 11_000),
        (300, 60, 11_000),
    ];
    for (since, failures, until) in cases {
        assert_eq!(
            BackOff::default().until(at(since), failures),
            at(until),
            "{failures} failures by {since}"
        );
    }
}

#[test]
fn a_rejected_pod_waits_for_an_event_and_then_for_its_back_off() {
    let mut world = World::new();
    world.add(START, pod("a", 1, 0));
    let queued = world.pop(START).expect("it is ready");
    world.reject(START, queued, false);
    assert_eq!(world.popped(at(10)), None);
    world.node_comes(at(100), "n");
    assert_eq!(world.queue.next_due(), Some(at(2000)));
    // Pods that are ready go first; where there are none, the back-off is cut short.
    world.add(at(100), pod("b", 2, -5));
    assert_eq!(world.popped(at(100)).as_deref(), Some("b"));
    assert_eq!(world.popped(at(100)).as_deref(), Some("a"));
}

#[test]
fn an_event_during_the_attempt_counts() {
    let mut world = World::new();
    world.add(START, pod("a", 1, 0));
    let queued = world.pop(START).expect("it is ready");
    world.node_comes(at(1), "n");
    world.reject(at(2), queued, false);
    assert_eq!(world.queue.next_due(), Some(at(2000)));
    let queued = world.pop(at(2000)).expect("its back-off is over");
    world.reject(at(2001), queued, false);
    assert_eq!(world.popped(at(9000)), None, "the event has been used up");
}

#[test]
fn a_plugin_that_waits_for_something_under_way_spares_the_back_off() {
    let mut world = World::new();
    world.add(START, pod("a", 1, 0));
    let queued = world.pop(START).expect("it is ready");
    world.reject(START, queued, true);
    world.node_comes(at(100), "n");
    assert_eq!(world.queue.next_due(), None, "it is ready at once");
    assert_eq!(world.popped(at(100)).as_deref(), Some("a"));
}

#[test]
fn an_error_makes_a_pod_wait_for_the_whole_of_its_back_off() {
    let mut world = World::new();
    world.add(START, pod("a", 1, 0));
    let queued = world.pop(START).expect("it is ready");
    let rules = Rules { profiles: &world.profiles, cluster: &world.cluster };
    world.queue.give_back(START, queued, rules);
    assert_eq!(world.popped(at(1999)), None);
    assert_eq!(world.popped(at(2000)).as_deref(), Some("a"));
}

#[test]
fn a_gated_pod_is_let_in_by_an_event_that_its_gate_registered_for() {
    let mut world = World::new();
    let mut closed = pod("a", 1, 0);
    closed.meta.labels.insert("closed", "");
    world.add(START, closed);
    assert_eq!(world.popped(START), None);
    world.node_comes(at(10), "other");
    world.tick(START + Span::hours(1));
    assert_eq!(world.popped(START + Span::hours(1)), None, "time alone opens no gate");
    world.node_comes(START + Span::hours(1), "open");
    assert_eq!(world.popped(START + Span::hours(1)).as_deref(), Some("a"));
}

#[test]
fn a_pod_that_nothing_wakes_is_tried_after_five_minutes_at_the_next_look() {
    let mut world = World::new();
    world.add(START, pod("a", 1, 0));
    let queued = world.pop(at(500)).expect("it is ready");
    world.reject(at(500), queued, false);
    assert_eq!(world.queue.next_due(), Some(at(330_000)));
    world.tick(at(330_000));
    assert_eq!(world.popped(at(330_000)).as_deref(), Some("a"));
}

#[test]
fn a_pod_that_is_gone_does_not_come_back() {
    let mut world = World::new();
    world.add(START, pod("a", 1, 0));
    let mut queued = world.pop(START).expect("it is ready");
    queued.rejected_by.insert(PICKY);
    world.queue.remove(Uid(1));
    let rules = Rules { profiles: &world.profiles, cluster: &world.cluster };
    assert!(!world.queue.give_back(START, queued, rules));
    assert_eq!(world.queue.len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Higher priority first, then who came first, then by the order of the API server.
    #[test]
    fn pods_go_by_priority_and_time(pods in prop::collection::vec((-2..3_i32, 0..4_u64), 0..30)) {
        let mut world = World::new();
        let mut model: Vec<(i32, u64, u128)> = Vec::new();
        for (&(priority, when), uid) in pods.iter().zip(1..) {
            world.add(at(when), pod(&format!("{uid}"), uid, priority));
            model.push((-priority, when, uid));
        }
        model.sort();
        let popped: Vec<String> = std::iter::from_fn(|| world.popped(at(10))).collect();
        let expected: Vec<String> = model.iter().map(|it| format!("{}", it.2)).collect();
        prop_assert_eq!(popped, expected);
    }

    /// Whatever happens, a pod is in one place, and every pod that was added and not removed is tried in the end.
    #[test]
    fn no_pod_is_lost(steps in prop::collection::vec((0..6_u8, 0..5_u128, 0..1500_u64), 0..60)) {
        let mut world = World::new();
        let (mut now, mut alive, mut popped) = (START, BTreeSet::new(), Vec::<QueuedPod>::new());
        for (what, uid, millis) in steps {
            now += Span::millis(millis);
            match what {
                0 if alive.insert(uid) => world.add(now, pod(&format!("{uid}"), uid, 0)),
                1 => popped.extend(world.pop(now)),
                2 => {
                    if let Some(queued) = popped.pop() {
                        world.reject_if_alive(now, queued, alive.contains(&uid));
                    }
                }
                3 => world.node_comes(now, &format!("n{}", now.nanos())),
                4 if alive.remove(&uid) => {
                    popped.retain(|it| it.pod.uid() != Uid(uid));
                    world.queue.remove(Uid(uid));
                }
                _ => world.tick(now),
            }
            prop_assert_eq!(world.queue.len() + popped.len(), alive.len());
        }
        now += Span::hours(1);
        while let Some(queued) = popped.pop() {
            world.reject(now, queued, false);
        }
        now += Span::hours(1);
        world.tick(now);
        let tried: BTreeSet<u128> = std::iter::from_fn(|| world.pop(now)).map(|it| it.pod.uid().0).collect();
        prop_assert_eq!(tried, alive);
    }
}

impl World {
    /// Either way it comes back; with or without somebody to blame.
    fn reject_if_alive(&mut self, now: Time, queued: QueuedPod, is_rejected: bool) {
        if is_rejected {
            return self.reject(now, queued, false);
        }
        let rules = Rules { profiles: &self.profiles, cluster: &self.cluster };
        self.queue.give_back(now, queued, rules);
    }
}
