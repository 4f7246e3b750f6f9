//! Scenarios that are run: those of the project hold what they promise, and runs can be repeated.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use api::{Deployment, Key, Kind};
use base::Span;
use expect_test::expect;
use expect_test::expect_file;
use manifest::source::Source;
use scenario::{Ended, Finished, Options, Override, Scenario, compare, is_scenario, load, load_source};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// All scenarios of the project, by their paths in its folder.
fn all() -> Vec<(String, Scenario)> {
    let files = manifest::files::expand(&root()).expect("the folder is there");
    let mut scenarios = Vec::new();
    for file in files {
        let source = manifest::read(&file.path, &manifest::Limits::default()).expect("it can be read");
        if is_scenario(&source) {
            let name = file.path.strip_prefix(root()).expect("it lies there").to_string_lossy().into_owned();
            let scenario = load(&file.path, &[]).unwrap_or_else(|error| panic!("{error}"));
            scenarios.push((name, scenario));
        }
    }
    scenarios
}

fn run(scenario: &Scenario, options: &Options) -> Finished {
    scenario::run(scenario, options, |_| ControlFlow::Continue(())).expect("it can be set up")
}

/// A scenario on three nodes with the manifests of the quickstart.
fn inline(spec: &str) -> Scenario {
    let text = format!(
        "apiVersion: wavetank.dev/v1\nkind: Scenario\nspec:\n  cluster: {{nodePools: [{{name: general, count: 3}}]}}\n\
         \x20 manifests: [apps/web.yaml]\n{spec}"
    );
    load_source(Source::new("it.yaml", text), root(), "it", &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn verdicts(finished: &Finished) -> String {
    let line = |it: &scenario::Verdict| {
        let mark = if it.ok { "ok  " } else { "FAIL" };
        let at = it.at.map_or_else(String::new, |at| format!("{at}"));
        format!("{mark} {at:>9}  {}: {}\n", it.name, it.detail)
    };
    finished.verdicts.iter().map(line).collect()
}

#[test]
fn the_scenarios_of_the_project_hold_what_they_promise() {
    let mut told = String::new();
    for (name, scenario) in all() {
        let finished = run(&scenario, &Options::default());
        told.push_str(&format!("{name}\n{}\n", verdicts(&finished)));
        assert_eq!(finished.ended, Ended::AtEnd);
    }
    expect_file!["golden/verdicts.txt"].assert_eq(&told);
    assert!(!told.contains("FAIL"), "{told}");
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    for (name, scenario) in all() {
        let options = Options::default();
        let first = run(&scenario, &options);
        let difference = compare(&scenario, &options, &first.run).expect("it can be set up");
        assert!(difference.is_none(), "{name}: {}", difference.expect("there is one"));
        let other = run(&scenario, &Options { seed: Some(7), ..options });
        assert_ne!(first.run.digest, other.run.digest, "{name}");
    }
}

/// What is computed comes to what would have happened.
#[test]
fn one_by_one_everything_comes_to_the_same() {
    for (name, scenario) in all() {
        let computed = run(&scenario, &Options::default());
        let simulated = run(&scenario, &Options { one_by_one: true, ..Options::default() });
        assert_eq!(computed.run.digest, simulated.run.digest, "{name}");
        assert_eq!(verdicts(&computed), verdicts(&simulated), "{name}");
        assert!(computed.run.events() < simulated.run.events(), "{name}");
    }
}

#[test]
fn runs_that_differ_are_compared_event_by_event() {
    let scenario = inline("  duration: 1m\n");
    let other = run(&scenario, &Options { seed: Some(7), ..Options::default() });
    let difference = compare(&scenario, &Options::default(), &other.run).expect("it can be set up");
    let difference = difference.expect("another seed gives another run");
    assert!(difference.first.is_none(), "two runs of one seed are the same");
    assert!(difference.to_string().starts_with("the runs differ after event "), "{difference}");
}

#[test]
fn what_is_not_met_says_when_and_why() {
    let scenario = inline(
        r#"  duration: 5m
  timeline:
    - {at: 2m, kubectl: scale deployment/web --replicas=4}
  expect:
    - {name: always ten, always: 'deployment("web").status.availableReplicas >= 10', after: 1m}
    - {name: always ten from the start, always: 'deployment("web").status.availableReplicas >= 10'}
    - {name: never below five, never: 'deployment("web").status.availableReplicas < 5', after: 1m}
    - {name: twelve in time, eventually: 'deployment("web").status.availableReplicas == 12', within: 3m}
    - {name: another one, eventually: 'rolledOut("other")'}
    - {name: never the other, never: 'deployment("other").status.replicas > 0'}
    - {name: ten in time, eventually: 'deployment("web").status.availableReplicas == 10', within: 1m}
    - {name: always four later, always: 'pods("app=web").size() == 4 && pods("app=web").all(p, ready(p))', after: 3m}
"#,
    );
    let finished = run(&scenario, &Options::default());
    expect![[r#"
        FAIL  120.023s  always ten: availableReplicas was 4
        FAIL    0.000s  always ten from the start: there is no deployment default/web
        FAIL  120.023s  never below five: availableReplicas was 4
        FAIL  180.000s  twelve in time: availableReplicas was 4
        FAIL  300.000s  another one: there is no deployment default/other
        FAIL  300.000s  never the other: could never be evaluated: there is no deployment default/other
        ok      6.279s  ten in time: availableReplicas was 10
        ok              always four later: held from 3m0s to the end
    "#]]
    .assert_eq(&verdicts(&finished));
}

#[test]
fn runs_can_be_cut_short() {
    let scenario = inline(
        "  duration: 5m\n  expect:\n    - {name: late, eventually: 'deployment(\"web\").status.replicas == 11', within: 4m}\n",
    );
    let until = Span::secs(90);
    let finished = run(&scenario, &Options { until: Some(until), ..Options::default() });
    assert_eq!(finished.run.now(), scenario.start + until);
    expect![[r#"
          FAIL   90.000s  late: the run ended before its time was up; replicas was 10
    "#]]
    .assert_eq(&verdicts(&finished));

    let finished = scenario::run(&scenario, &Options::default(), |progress| {
        assert!(progress.now <= progress.end);
        ControlFlow::Break(())
    });
    let finished = finished.expect("it can be set up");
    assert_eq!(finished.ended, Ended::Interrupted);
    assert!(finished.run.now() < scenario.start + scenario.duration);
}

#[test]
fn manifests_run_without_a_scenario() {
    let files = [root().join("apps")];
    let scenario = scenario::of_manifests(&files, 3, Span::mins(2)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((scenario.name.as_str(), scenario.nodes.len(), scenario.inputs.objects), ("apps", 3, 2));
    let finished = run(&scenario, &Options::default());
    let web = finished.run.world.read(&Key::new(Kind::Deployment, "default", "web"));
    let web = web.and_then(|it| it.get::<Deployment>()).expect("it was applied");
    assert_eq!(web.status.available_replicas, 10);
}

#[test]
fn the_command_line_overrides_the_file() {
    let file = root().join("quickstart.yaml");
    let set = |text: &str| text.parse::<Override>().expect("it is PATH=VALUE");
    let overrides =
        [set("spec.cluster.nodePools.general.count=5"), set("spec.seed=7"), set("spec.duration=12m")];
    let scenario = load(&file, &overrides).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((scenario.nodes.len(), scenario.seed, scenario.duration), (5, 7, Span::mins(12)));
    assert_eq!(scenario.seed(&Options { seed: Some(8), ..Options::default() }), 8);
}

#[test]
fn snapshots_are_taken_as_they_are() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dump = r#"
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Node
  metadata:
    name: old-1
    uid: 0b5a2f0e-6a3c-4a53-9f0a-1d1b0c5f7a11
    labels: {topology.kubernetes.io/zone: zone-x, kubernetes.io/arch: arm64}
  spec: {podCIDR: 10.244.0.0/24}
  status:
    addresses: [{type: InternalIP, address: 10.0.0.7}]
    allocatable: {cpu: "2", memory: 4Gi, pods: "20"}
    capacity: {cpu: "2", memory: 4Gi, pods: "20"}
- apiVersion: v1
  kind: Pod
  metadata: {name: web-1, namespace: shop, uid: 1b5a2f0e-6a3c-4a53-9f0a-1d1b0c5f7a11}
  spec:
    nodeName: old-1
    containers: [{name: web, image: "shop/web:v1"}]
  status: {phase: Running, podIP: 10.244.0.7}
"#;
    std::fs::write(folder.path().join("cluster.yaml"), dump).expect("can be written");
    let text = "apiVersion: wavetank.dev/v1\nkind: Scenario\nspec:\n  duration: 2m\n  cluster:\n    snapshots: [cluster.yaml]\n\
                \x20   nodePools: [{name: new}]\n  expect:\n\
                \x20   - {name: stays, always: 'ready(node(\"old-1\")) && pod(\"shop/web-1\").status.phase == \"Running\"', after: 30s}\n\
                \x20   - {name: has its namespace, always: 'object(\"Namespace\", \"shop\").status.phase == \"Active\"', after: 30s}\n";
    let source = Source::new("it.yaml", text);
    let scenario =
        load_source(source, folder.path().into(), "it", &[]).unwrap_or_else(|error| panic!("{error}"));
    let cidrs: Vec<&str> = scenario.nodes.iter().map(|it| it.pod_cidr.as_str()).collect();
    assert_eq!(cidrs, ["10.244.1.0/24", "10.244.0.0/24"]);
    expect![[r#"
          ok              stays: held from 30s to the end
          ok              has its namespace: held from 30s to the end
    "#]]
    .assert_eq(&verdicts(&run(&scenario, &Options::default())));
}

#[test]
fn what_is_wrong_with_a_scheduler_configuration_is_told_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let config = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n\
                  percentageOfNodesToScore: 101\nprofiles:\n- schedulerName: a\n- schedulerNam: b\n";
    std::fs::write(folder.path().join("scheduler.yaml"), config).unwrap();
    let text = "apiVersion: wavetank.dev/v1\nkind: Scenario\nspec:\n  cluster:\n    nodePools: [{name: a, count: 1}]\n\
                \x20   schedulerConfig: scheduler.yaml\n";
    let source = Source::new("it.yaml", text);
    let wrong = load_source(source, folder.path().to_owned(), "it", &[]).unwrap_err();
    let told = wrong.to_string().replace(&*folder.path().to_string_lossy(), "FOLDER");
    expect![[r#"
        FOLDER/scheduler.yaml:6:17: unknown field "profiles[1].schedulerNam"; did you mean "schedulerName"?
          |
        6 | - schedulerNam: b
          |                 ^
    "#]]
    .assert_eq(&told);
}

/// The rows of `timeseries.csv` about nodes.
fn usage_of_nodes(finished: &Finished) -> String {
    let world = &finished.run.world;
    let rows = world.series().samples().iter().filter(|it| it.subject.starts_with("node/"));
    let row = |it: &cluster::Sample| {
        let time = it.time.since(world.started());
        format!("{time} {} {} {}\n", it.subject, it.metric, it.value)
    };
    rows.map(row).collect()
}

/// Two services with 0.8 cores and 128 Mi each; then four workers that take what is left, with 64 Mi each; and when
/// these are gone, as at first. On a grid of 15 s, and the same where nothing is computed.
#[test]
fn nodes_tell_what_their_containers_use_while_that_changes() {
    let scenario =
        load(&root().join("pods/noisy-neighbours.yaml"), &[]).unwrap_or_else(|error| panic!("{error}"));
    let told = usage_of_nodes(&run(&scenario, &Options::default()));
    expect![[r#"
        15.000s node/general-0 used_cpu_milli 1600
        15.000s node/general-0 used_memory_bytes 268435456
        135.000s node/general-0 used_cpu_milli 4000
        135.000s node/general-0 used_memory_bytes 536870912
        315.000s node/general-0 used_cpu_milli 1600
        315.000s node/general-0 used_memory_bytes 268435456
    "#]]
    .assert_eq(&told);
    let one_by_one = run(&scenario, &Options { one_by_one: true, ..Options::default() });
    assert_eq!(usage_of_nodes(&one_by_one), told);
}

#[test]
fn nodes_tell_nothing_where_nobody_says_what_is_used() {
    let scenario = inline("  duration: 2m\n");
    assert_eq!(usage_of_nodes(&run(&scenario, &Options::default())), "");
}

/// Upstream: 4 cores − 600m; 16Gi − 1Gi − 512Mi − 200Mi, and 1Gi for the pool; 100Gi − 10 %, which is a 32-bit float.
#[test]
fn what_a_kubelet_keeps_is_not_allocatable() {
    let text = "apiVersion: wavetank.dev/v1\nkind: Scenario\nspec:\n  cluster:\n    nodePools:\n\
                \x20   - name: kept\n      reserved: {memory: 1Gi}\n      kubelet:\n\
                \x20       kubeReserved: {cpu: 500m, memory: 1Gi}\n        systemReserved: {cpu: 100m, memory: 512Mi}\n\
                \x20       evictionHard: {memory.available: 200Mi, nodefs.available: 10%}\n\
                \x20   - name: plain\n      reserved: {memory: 1Gi}\n";
    let source = Source::new("it.yaml", text);
    let scenario = load_source(source, root(), "it", &[]).unwrap_or_else(|error| panic!("{error}"));
    let told = |it: &kubelet::Setup| {
        let amounts: Vec<String> =
            it.allocatable.iter().map(|(name, left)| format!("{name} {left}")).collect();
        format!("{}: {}\n", it.name, amounts.join(", "))
    };
    let told: String = scenario.nodes.iter().map(told).collect();
    expect![[r#"
        kept-0: cpu 3400m, ephemeral-storage 96636764000, memory 13624Mi, pods 110
        plain-0: cpu 4, ephemeral-storage 100Gi, memory 15Gi, pods 110
    "#]]
    .assert_eq(&told);
}
