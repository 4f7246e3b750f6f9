//! Laws that hold for every pod, whatever its containers do and whatever happens to its node.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a law is about some notes, and not about the others")]

mod world;

use std::collections::BTreeMap;

use api::{ContainerStatus, PodPhase, PodStatus};
use base::{Name, Span, Time};
use kubelet::{Start, What};
use proptest::prelude::*;
use serde_json::{Value, json};

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
