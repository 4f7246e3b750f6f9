//! Laws that hold for every pod, whatever its containers do and whatever happens to its node.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a law is about some notes, and not about the others")]

mod world;

use std::collections::BTreeMap;

use api::{ContainerStatus, PodPhase, PodStatus, Uid};
use base::{Name, Span, Time};
use kubelet::{Start, What};
use proptest::prelude::*;
use serde_json::{Value, json};
use workload::Resource;

use crate::world::{START, World, defaults, pod};

/// What a container does and how it is probed.
#[derive(Clone, Debug)]
struct Container {
    exit: Option<(u32, u8)>,
    stop_secs: Option<u32>,
    startup_secs: u32,
    /// Readiness, startup.
    probes: (bool, bool),
    is_sidecar: bool,
    has_hook: bool,
}

#[derive(Clone, Debug)]
enum Trouble {
    Nothing,
    KubeletGone { at: u32, back: u32 },
    NodeDown { at: u32, back: u32 },
}

#[derive(Clone, Debug)]
struct Case {
    seed: u64,
    policy: &'static str,
    init: Vec<Container>,
    main: Vec<Container>,
    delete: Option<(u32, u64)>,
    trouble: Trouble,
}

fn container() -> impl Strategy<Value = Container> {
    let exit = prop::option::of((1_u32..40, 0_u8..2));
    let stop = prop::option::of(0_u32..40);
    (exit, stop, 0_u32..20, any::<(bool, bool)>(), any::<bool>(), any::<bool>()).prop_map(
        |(exit, stop_secs, startup_secs, probes, is_sidecar, has_hook)| Container {
            exit,
            stop_secs,
            startup_secs,
            probes,
            is_sidecar,
            has_hook,
        },
    )
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let times = (1_u32..100, 1_u32..60);
    prop_oneof![
        2 => Just(Trouble::Nothing),
        1 => times.clone().prop_map(|(at, back)| Trouble::KubeletGone { at, back: at + back }),
        1 => times.prop_map(|(at, back)| Trouble::NodeDown { at, back: at + back }),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let policy = prop::sample::select(vec!["Always", "OnFailure", "Never"]);
    let init = prop::collection::vec(container(), 0..3);
    let main = prop::collection::vec(container(), 1..3);
    let delete = prop::option::of((1_u32..120, 0_u64..40));
    (any::<u64>(), policy, init, main, delete, trouble()).prop_map(
        |(seed, policy, init, main, delete, trouble)| Case { seed, policy, init, main, delete, trouble },
    )
}

impl Container {
    fn spec(&self, name: &str, is_init: bool) -> Value {
        let probe = json!({"tcpSocket": {"port": 80}, "periodSeconds": 3, "failureThreshold": 9});
        let mut spec = json!({"name": name, "image": format!("{name}:v1")});
        let is_main = !is_init || self.is_sidecar;
        if is_init && self.is_sidecar {
            spec["restartPolicy"] = json!("Always");
        }
        if is_main && self.probes.0 {
            spec["readinessProbe"] = probe.clone();
        }
        if is_main && self.probes.1 {
            spec["startupProbe"] = probe;
        }
        if self.has_hook {
            spec["lifecycle"] = json!({"preStop": {"sleep": {"seconds": 4}}});
        }
        spec
    }

    fn rule(&self, name: &str) -> Value {
        let mut rule = json!({"match": {"container": name}, "startup": format!("{}s", self.startup_secs)});
        if let Some((after, code)) = self.exit {
            rule["exit"] = json!({"after": format!("{after}s"), "code": code});
        }
        rule["stop"] = self.stop_secs.map_or(json!("never"), |secs| json!(format!("{secs}s")));
        rule
    }
}

impl Case {
    fn world(&self) -> World {
        let named = |prefix: &str, list: &[Container], is_init: bool| {
            let name = |n: usize| format!("{prefix}{n}");
            let specs: Vec<Value> =
                list.iter().enumerate().map(|(n, it)| it.spec(&name(n), is_init)).collect();
            let rules: Vec<Value> = list.iter().enumerate().map(|(n, it)| it.rule(&name(n))).collect();
            (specs, rules)
        };
        let (init, init_rules) = named("i", &self.init, true);
        let (main, main_rules) = named("m", &self.main, false);
        let spec = json!({"restartPolicy": self.policy, "initContainers": init, "containers": main});
        let rules: Vec<Value> = init_rules.into_iter().chain(main_rules).collect();
        let mut world = World::with_seed(json!(rules), defaults(), self.seed);
        world.at(5.3, move |it| it.create(pod("web", spec)));
        world
    }

    fn run(&self) -> World {
        let mut world = self.world();
        if let Some((at, grace)) = self.delete {
            world.at(f64::from(at) + 5.4, move |it| {
                if it.pods.contains_key("web") {
                    it.delete("web", grace);
                }
            });
        }
        match self.trouble {
            Trouble::Nothing => (),
            Trouble::KubeletGone { at, back } => {
                world.at(f64::from(at), World::stop_kubelet);
                world.at(f64::from(back), |it| it.start_kubelet(Start::Restarted));
            }
            Trouble::NodeDown { at, back } => {
                world.at(f64::from(at), World::crash_node);
                world.at(f64::from(back), |it| it.start_kubelet(Start::Booted));
            }
        }
        world.run_until(700.0);
        world
    }
}

fn rank(phase: &PodPhase) -> u8 {
    match phase {
        PodPhase::Pending => 0,
        PodPhase::Running => 1,
        PodPhase::Succeeded | PodPhase::Failed => 2,
        PodPhase::Unknown | PodPhase::Other(_) => panic!("a kubelet does not say {phase}"),
    }
}

fn containers(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    status.init_container_statuses.iter().chain(&status.container_statuses)
}

/// The runs of containers as the notes tell: name, start, and end with its exit code.
type Run = (Name, Time, Option<(Time, i32)>);

fn runs(world: &World) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (at, note) in &world.notes {
        match note.what {
            What::Started { .. } => runs.push((note.container.clone(), *at, None)),
            What::Exited { at, code, .. } => {
                let run = runs.iter_mut().rev().find(|it| it.0 == note.container).expect("it started before");
                run.2 = Some((at, code));
            }
            _ => (),
        }
    }
    runs
}

/// A container that uses processor time and memory.
#[derive(Clone, Debug)]
struct Consumer {
    class: usize,
    /// What it asks for and may have at most, in hundredths of a core.
    request: u32,
    limit: Option<u32>,
    /// What it wants, in hundredths of a core: at first, and how much more from some second on.
    cpu: (u32, u32, u32),
    /// In mebibytes: at first, and how much more each minute.
    memory: (u32, u32),
    /// When its pod is made, and how long its work takes, in seconds.
    begin: u32,
    life: Option<u32>,
}

fn consumer() -> impl Strategy<Value = Consumer> {
    let limit = prop::option::of(10_u32..300);
    let cpu = (0_u32..500, 0_u32..500, 1_u32..60);
    let life = prop::option::of(5_u32..60);
    (0_usize..3, 1_u32..300, limit, cpu, (0_u32..4_000, 0_u32..4_000), 1_u32..60, life).prop_map(
        |(class, request, limit, cpu, memory, begin, life)| Consumer {
            class,
            request,
            limit,
            cpu,
            memory,
            begin,
            life,
        },
    )
}

const CORES: f64 = 4.0;

impl Consumer {
    fn pod(&self, n: usize) -> api::Pod {
        let cores = |it: u32| format!("{}m", 10 * it);
        let resources = match (self.class, self.limit) {
            (0, _) => {
                json!({"requests": {"cpu": cores(self.request)}, "limits": {"cpu": cores(self.request)}})
            }
            (1, Some(limit)) => {
                json!({"requests": {"cpu": cores(self.request.min(limit))}, "limits": {"cpu": cores(limit)}})
            }
            (1, None) => json!({"requests": {"cpu": cores(self.request)}}),
            _ => json!({}),
        };
        let name = format!("pod-{n}");
        let container = json!({"name": name, "image": "app:v1", "resources": resources});
        let mut pod = pod(&name, json!({"restartPolicy": "Never", "containers": [container]}));
        pod.status.qos_class = Name::new(["Guaranteed", "Burstable", "BestEffort"][self.class]);
        pod
    }

    fn rule(&self, n: usize) -> Value {
        let ((first, more, at), (memory, growth)) = (self.cpu, self.memory);
        let hundredths = |it: u32| format!("{}m", 10 * it);
        let cpu = json!({"steps": [
            format!("0s,{}", hundredths(first)), format!("{at}s,{}", hundredths(first + more)),
        ]});
        let memory = json!({"leak": {"from": format!("{memory}Mi"), "perMinute": format!("{growth}Mi")}});
        let mut rule =
            json!({"match": {"container": format!("pod-{n}")}, "usage": {"cpu": cpu, "memory": memory}});
        if let Some(life) = self.life {
            rule["exit"] = json!({"after": format!("{life}s")});
        }
        rule
    }

    /// What it wants so long after its start.
    fn wanted(&self, since: Span) -> f64 {
        let (first, more, at) = self.cpu;
        let wanted = if Span::secs(at.into()) <= since { first + more } else { first };
        let most = match self.class {
            0 => Some(self.request),
            1 => self.limit,
            _ => None,
        };
        (f64::from(wanted) / 100.0).min(f64::from(most.unwrap_or(u32::MAX)) / 100.0).min(CORES)
    }

    fn milli(&self) -> u32 {
        let limit = if self.class == 1 { self.limit } else { None };
        10 * self.request.min(limit.unwrap_or(u32::MAX))
    }
}

/// One thousandth of a core after the other goes to whoever has least for its weight: first among the pods and groups
/// of the node, then within the group. By class, what each wants, and what it asks for.
fn slice_by_slice(wants: &[(usize, f64, u32)]) -> Vec<f64> {
    const SLICE: f64 = 0.001;
    let weight = |milli: u32| {
        let shares = (u64::from(milli) * 1_024 / 1_000).max(2);
        (1 + (shares - 2) * 9_999 / 262_142) as f64
    };
    let burstable = wants.iter().filter(|it| it.0 == 1).map(|it| it.2).sum();
    let (mut has, mut groups) = (vec![0.0; wants.len()], [0.0; 3]);
    for _ in 0..4_000 {
        // How much of its weight it has: of its group where it is in one, and of its own.
        let level = |n: usize| {
            let (class, _, milli) = wants[n];
            let own = has[n] / if class == 2 { 1.0 } else { weight(milli) };
            match class {
                0 => (own, 0.0),
                1 => (groups[1] / weight(burstable), own),
                _ => (groups[2], own),
            }
        };
        let hungry = (0..wants.len()).filter(|&n| has[n] + SLICE / 2.0 < wants[n].1);
        let Some(next) = hungry.min_by(|&a, &b| level(a).partial_cmp(&level(b)).unwrap()) else { break };
        has[next] += SLICE;
        groups[wants[next].0] += SLICE;
    }
    has
}

/// Nothing is used that there is not, nothing is left over that anybody wants, and everybody has its share.
fn check_usage(consumers: &[Consumer], world: &World) {
    let mut wants = Vec::new();
    let mut uses = Vec::new();
    for (n, consumer) in consumers.iter().enumerate() {
        let uid = Uid(u128::from(base::Luck::of_text(&format!("pod-{n}"))));
        let instance = world.runtime.pod(uid).and_then(|it| it.instance(0));
        // The burstable group counts all of its pods, also those of which nothing runs yet.
        let is_up = world.runtime.pod(uid).is_some_and(|it| it.is_up(world.now));
        let running = instance.filter(|it| it.is_running(world.now));
        let wanted = running.map_or(0.0, |it| consumer.wanted(world.now.since(it.started)));
        if is_up || running.is_some() {
            wants.push((consumer.class, wanted, consumer.milli()));
            uses.push(world.runtime.usage_of(uid, Resource::Cpu, world.now));
        }
    }
    let (wanted, used): (f64, f64) = (wants.iter().map(|it| it.1).sum(), uses.iter().sum());
    assert!((used - wanted.min(CORES)).abs() < 1e-6, "{used} of {wanted} cores at {}", world.now);
    for (n, (has, expected)) in uses.iter().zip(slice_by_slice(&wants)).enumerate() {
        assert!((has - expected).abs() < 0.02, "{n}: {has} for {expected} cores at {}: {wants:?}", world.now);
    }
    let memory = world.runtime.usage(Resource::Memory, world.now);
    assert!(memory <= 8.0 * 1_073_741_824.0, "{memory} bytes at {}:\n{}", world.now, world.story());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever containers want of the processor and the memory: it fits, and none is wasted.
    #[test]
    fn what_is_used_is_what_there_is_shared_by_weight(
        consumers in prop::collection::vec(consumer(), 1..8), seed: u64,
    ) {
        let rules: Vec<Value> = consumers.iter().enumerate().map(|(n, it)| it.rule(n)).collect();
        let mut world = World::with_seed(json!(rules), defaults(), seed);
        for (n, it) in consumers.iter().enumerate() {
            let pod = it.pod(n);
            world.at(f64::from(it.begin), move |it| it.create(pod));
        }
        for second in (1..120).step_by(3) {
            let consumers = consumers.clone();
            world.at(f64::from(second) + 0.123, move |it| check_usage(&consumers, it));
        }
        world.run_until(120.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// In one sandbox, main containers start when every init container has succeeded.
    #[test]
    fn no_container_starts_before_its_init_containers_are_done(case in case()) {
        let world = case.run();
        let mut done: BTreeMap<Name, bool> = BTreeMap::new();
        for (_, note) in &world.notes {
            match &note.what {
                What::SandboxCreated { .. } => done.clear(),
                What::Exited { code, .. } => {
                    done.insert(note.container.clone(), *code == 0);
                }
                What::Started { .. } if note.container.starts_with('m') => {
                    for (n, init) in case.init.iter().enumerate() {
                        let name = format!("i{n}");
                        prop_assert!(init.is_sidecar || done.get(name.as_str()) == Some(&true), "{}", world.story());
                    }
                }
                _ => (),
            }
        }
    }

    /// Of one container, one run ends before the next begins, whatever happens to the node.
    #[test]
    fn a_container_never_runs_twice_at_once(case in case()) {
        let world = case.run();
        let mut by_name: BTreeMap<Name, Vec<Run>> = BTreeMap::new();
        for run in runs(&world) {
            by_name.entry(run.0.clone()).or_default().push(run);
        }
        for pair in by_name.values().flat_map(|runs| runs.windows(2)) {
            let (end, _) = pair[0].2.expect("one ends before the next starts");
            prop_assert!(end <= pair[1].1, "{}", world.story());
        }
    }

    /// What is deleted has stopped after its grace, the 2 s that are always left, up to a second each that is not
    /// counted for a hook and for the wait of a sidecar, and a second until the kubelet has listed its runtime.
    #[test]
    fn grace_periods_are_not_overrun(mut case in case()) {
        case.trouble = Trouble::Nothing;
        let (at, grace) = *case.delete.get_or_insert((30, 10));
        let world = case.run();
        let deleted = START + Span::from_secs_f64(f64::from(at) + 5.4);
        // With no grace at all the object goes at once, and its containers have what their pod says.
        let grace = if grace == 0 { 30 } else { grace };
        let latest = deleted + Span::secs(grace) + Span::millis(5_010);
        for (_, _, end) in runs(&world) {
            prop_assert!(end.is_some_and(|(end, _)| end <= latest), "{}", world.story());
        }
    }

    /// The second restart comes 10 s after the end at the earliest, the next after 20 s, and so on. (A container that
    /// its probe killed is judged by the end of the run before, as upstream does; so there are no such probes here.)
    #[test]
    fn restarts_are_never_faster_than_the_back_off(mut case in case()) {
        case.trouble = Trouble::Nothing;
        case.init.iter_mut().chain(&mut case.main).for_each(|it| it.probes.1 = false);
        let world = case.run();
        let mut by_name: BTreeMap<Name, Vec<Run>> = BTreeMap::new();
        for run in runs(&world) {
            by_name.entry(run.0.clone()).or_default().push(run);
        }
        for runs in by_name.values() {
            for (n, pair) in runs.windows(2).enumerate() {
                let (end, _) = pair[0].2.expect("one ends before the next starts");
                let delay = if n == 0 { Span::ZERO } else { Span::secs((10 << (n - 1)).min(300)) };
                prop_assert!(end + delay <= pair[1].1, "{}", world.story());
            }
        }
    }

    /// A pod is pending, then running, then over; and what is over stays as it is. (Upstream lets a pod be pending
    /// again when its sidecar starts again while its main containers back off; so there are no sidecars here.)
    #[test]
    fn phases_only_go_forward(mut case in case()) {
        case.init.iter_mut().for_each(|it| it.is_sidecar = false);
        let world = case.run();
        for pair in world.statuses.windows(2) {
            let (old, new) = (&pair[0].2.phase, &pair[1].2.phase);
            prop_assert!(rank(old) <= rank(new), "{}", world.story());
            prop_assert!(rank(old) < 2 || old == new, "{}", world.story());
        }
    }

    /// Restart counts and times only grow, and nothing is reported that is still to come.
    #[test]
    fn statuses_never_go_back_in_time(case in case()) {
        let world = case.run();
        for (at, _, status) in &world.statuses {
            prop_assert!(status.conditions.iter().all(|it| it.last_transition_time <= Some((*at).into())));
        }
        for pair in world.statuses.windows(2) {
            let (old, new) = (&pair[0].2, &pair[1].2);
            prop_assert_eq!(old.start_time, new.start_time);
            for before in containers(old) {
                let after = containers(new).find(|it| it.name == before.name);
                prop_assert!(after.is_none_or(|it| before.restart_count <= it.restart_count), "{}", world.story());
            }
            for before in &old.conditions {
                let after = new.condition(&before.kind).expect("conditions stay");
                prop_assert!(before.last_transition_time <= after.last_transition_time, "{}", world.story());
            }
        }
    }

    /// What is deleted goes: from the API server, the runtime and the kubelet. (That its containers have stopped by
    /// then is asserted by the API server of these tests.)
    #[test]
    fn what_is_deleted_goes(mut case in case()) {
        case.delete.get_or_insert((30, 10));
        let world = case.run();
        prop_assert!(world.pods.is_empty(), "{}", world.story());
        prop_assert_eq!(world.runtime.pods().count(), 0, "{}", world.story());
        prop_assert_eq!(world.kubelet.as_ref().unwrap().pod_count(), 0, "{}", world.story());
        prop_assert_eq!(world.pending(), 0, "nothing is left to do: {}", world.story());
    }

    #[test]
    fn the_same_seed_gives_the_same_story(case in case()) {
        let (world, again) = (case.run(), case.run());
        prop_assert_eq!(world.story(), again.story());
    }
}
