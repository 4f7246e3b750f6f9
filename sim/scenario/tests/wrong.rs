//! Scenarios that are wrong: each error names its place, what is wrong there, and what would be right.

use std::fs;

use expect_test::{ExpectFile, expect_file};
use manifest::source::Source;
use proptest::prelude::*;
use scenario::{Override, load_source};

/// A folder with a manifest that is right, and one that is not.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("can be written");
    write(
        "web.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: web}]}\n",
    );
    write("broken.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {container: []}\n");
    fs::create_dir(folder.path().join("empty")).expect("can be made");
    folder
}

/// What is told of a text, with the folder taken out of it.
fn errors(text: &str, overrides: &[&str]) -> String {
    let folder = folder();
    let source = Source::new("it.yaml", text);
    let overrides: Vec<Override> = overrides.iter().map(|it| it.parse().expect("it is PATH=VALUE")).collect();
    let told = match load_source(source, folder.path().into(), "it", &overrides) {
        Ok(_) => "nothing is wrong\n".into(),
        Err(errors) => errors.to_string(),
    };
    told.replace(&format!("{}/", folder.path().display()), "")
}

fn tell(expected: &ExpectFile, cases: &[(&str, &str)]) {
    let told: Vec<String> =
        cases.iter().map(|(name, text)| format!("--- {name}\n{}", errors(text, &[]))).collect();
    expected.assert_eq(&told.join("\n"));
}

/// The text of a scenario with this under `spec:`, on three nodes.
fn with(spec: &str) -> String {
    format!(
        "apiVersion: wavetank.dev/v1\nkind: Scenario\nspec:\n  cluster: {{nodePools: [{{name: general, count: 3, \
         zones: [zone-a, zone-b]}}]}}\n{spec}"
    )
}

fn tell_specs(expected: &ExpectFile, cases: &[(&str, &str)]) {
    let texts: Vec<(&str, String)> = cases.iter().map(|(name, spec)| (*name, with(spec))).collect();
    let cases: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    tell(expected, &cases);
}

#[test]
fn what_is_no_scenario_is_not_taken_for_one() {
    let head = "apiVersion: wavetank.dev/v1\nkind: Scenario\n";
    let pools = "  cluster: {nodePools: [{name: general}]}\n";
    let cases = [
        ("empty", String::new()),
        ("only comments", "# nothing\n---\n# here\n".into()),
        ("a manifest", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n".into()),
        ("another version", "apiVersion: wavetank.dev/v2\nkind: Scenario\n".into()),
        ("no kind", "apiVersion: wavetank.dev/v1\nspec: {}\n".into()),
        ("a list", "- apiVersion: wavetank.dev/v1\n".into()),
        ("two documents", format!("{head}---\n{head}")),
        ("a tab", format!("{head}spec:\n\tseed: 1\n")),
        ("a key twice", format!("{head}spec:\n{pools}  seed: 1\n  seed: 2\n")),
        ("an unclosed bracket", format!("{head}spec: {{seed: 1\n")),
        (
            "unknown fields",
            format!("{head}metdata: {{name: x}}\nspec:\n{pools}  manifest: [web.yaml]\n  sede: 7\n"),
        ),
        ("a bad name", format!("{head}metadata: {{name: My Scenario}}\nspec:\n{pools}")),
        (
            "wrong types",
            format!(
                "{head}spec:\n{pools}  seed: many\n  duration: 90\n  startTime: today\n  manifests: web.yaml\n"
            ),
        ),
        ("a negative duration", format!("{head}spec:\n{pools}  duration: -5m\n")),
        ("no duration", format!("{head}spec:\n{pools}  duration: 0s\n")),
    ];
    let cases: Vec<(&str, &str)> = cases.iter().map(|(name, text)| (*name, text.as_str())).collect();
    tell(&expect_file!["golden/wrong-form.txt"], &cases);
}

#[test]
fn wrong_clusters_are_refused() {
    let head = "apiVersion: wavetank.dev/v1\nkind: Scenario\nspec:\n  cluster:\n";
    let pools = |pools: &str| format!("{head}    nodePools:\n{pools}");
    let cases = [
        ("no nodes", "apiVersion: wavetank.dev/v1\nkind: Scenario\nspec: {}\n".into()),
        ("no name", pools("    - {count: 3}\n    - {count: 2}\n")),
        ("a bad name", pools("    - {name: General_Pool}\n")),
        ("two pools of one name", pools("    - {name: a, count: 2}\n    - {name: a}\n")),
        ("an unknown field", pools("    - {name: a, zone: zone-a}\n")),
        ("a negative count", pools("    - {name: a, count: -1}\n")),
        ("too many nodes", pools("    - {name: a, count: 20000}\n    - {name: b, count: 20000}\n")),
        ("too many pods", pools("    - {name: a, count: 20000, capacity: {pods: 2000}}\n")),
        ("bad quantities", pools("    - {name: a, capacity: {cpu: 4 cores, memory: -1Gi}}\n")),
        ("negative", pools("    - {name: a, capacity: {cpu: -1}}\n")),
        ("more reserved than there is", pools("    - {name: a, capacity: {cpu: 1}, reserved: {cpu: 2}}\n")),
        ("reserved of nothing", pools("    - {name: a, reserved: {memry: 1Gi}}\n")),
        ("bad labels", pools("    - {name: a, labels: {-x: y, ok: 'not ok'}, zones: ['zone a', '']}\n")),
        (
            "bad taints",
            pools(
                "    - {name: a, taints: [{key: gpu}, {key: gpu, effect: NoSchedul}, {effect: NoExecute}]}\n",
            ),
        ),
        (
            "a kubelet that would not start",
            pools(
                "    - name: a\n      kubelet:\n        shutdownGracePeriod: 30s\n        shutdownGracePeriodCriticalPods: 1m\n        evictionHard: {memory.avail: 10%}\n        crashLoopBackOff: {maxContainerRestartPeriod: 10m}\n",
            ),
        ),
        (
            "fields of a kubelet",
            pools("    - {name: a, kubelet: {registryQPS: 5, kubeAPIQPS: -1, shutdownGracePeriod: long}}\n"),
        ),
        (
            "a kubelet that keeps too much",
            pools(
                "    - name: a\n      capacity: {cpu: 2}\n      kubelet:\n        kubeReserved: {cpu: 1500m, gpu: \"1\"}\n        systemReserved: {cpu: \"1\", memory: -1Gi}\n        enforceNodeAllocatable: [pods, kube-reserved]\n    - name: b\n      reserved: {cpu: 3}\n      kubelet:\n        kubeReserved: {cpu: 1500m}\n",
            ),
        ),
        ("two numbers of pods", pools("    - {name: a, capacity: {pods: 20}, kubelet: {maxPods: 30}}\n")),
        ("a negative price", pools("    - {name: a, pricePerHour: -1}\n")),
        ("a scheduler", format!("{head}    schedulerConfig: scheduler.yaml\n    nodePools: [{{name: a}}]\n")),
        ("no such cost", format!("{head}    schedulerCost: some\n    nodePools: [{{name: a}}]\n")),
        ("no such snapshot", format!("{head}    snapshots: [cluster.yaml]\n    nodePools: [{{name: a}}]\n")),
    ];
    let cases: Vec<(&str, &str)> = cases.iter().map(|(name, text)| (*name, text.as_str())).collect();
    tell(&expect_file!["golden/wrong-cluster.txt"], &cases);
}

#[test]
fn wrong_timelines_and_files_are_refused() {
    let cases = [
        ("no such manifest", "  manifests: [web.yaml, wbe.yaml, '']\n"),
        ("a broken manifest", "  manifests: [broken.yaml]\n"),
        ("an empty folder", "  manifests: [empty]\n"),
        ("no time", "  timeline:\n  - {kubectl: scale deployment/web --replicas=3}\n"),
        ("no action", "  timeline:\n  - {at: 5m}\n"),
        ("two actions", "  timeline:\n  - {at: 5m, kubectl: cordon general-0, apply: web.yaml}\n"),
        ("an unknown action", "  timeline:\n  - {at: 5m, kubctl: cordon general-0}\n"),
        ("a bad time", "  timeline:\n  - {at: 5 minutes, kubectl: cordon general-0}\n"),
        ("beyond the end", "  duration: 5m\n  timeline:\n  - {at: 6m, kubectl: cordon general-0}\n"),
        ("an unknown command", "  timeline:\n  - {at: 1m, kubectl: scael deployment/web --replicas=3}\n"),
        ("an unknown flag", "  timeline:\n  - {at: 1m, kubectl: scale deployment/web --replica=3}\n"),
        ("no object", "  timeline:\n  - {at: 1m, kubectl: rollout restart}\n"),
        ("an unknown kind", "  timeline:\n  - {at: 1m, kubectl: delete deploymint/web}\n"),
        ("unmatched quotes", "  timeline:\n  - at: 1m\n    kubectl: annotate deployment/web note='it\n"),
        (
            "files of commands",
            "  timeline:\n  - {at: 1m, kubectl: apply -f nope.yaml}\n  - {at: 2m, apply: [web.yaml, nope.yaml]}\n",
        ),
        ("an unknown fault", "  timeline:\n  - {at: 1m, fault: {nodeCrush: {nodes: {zone: zone-a}}}}\n"),
        ("an unknown target", "  timeline:\n  - {at: 1m, fault: {nodeCrash: {nodes: {zones: [zone-a]}}}}\n"),
        ("no targets", "  timeline:\n  - {at: 1m, fault: {nodeCrash: {for: 5m}}}\n"),
        ("an unknown zone", "  timeline:\n  - {at: 1m, fault: {nodeCrash: {nodes: {zone: zone-x}}}}\n"),
        ("an unknown pool", "  timeline:\n  - {at: 1m, fault: {kubeletStop: {nodes: {pool: genral}}}}\n"),
        (
            "an unknown node",
            "  timeline:\n  - {at: 1m, fault: {nodeCrash: {nodes: {names: [general-0, general-7]}}}}\n",
        ),
        (
            "no such node",
            "  timeline:\n  - {at: 1m, fault: {nodeCrash: {nodes: {zone: zone-b, names: [general-0]}}}}\n",
        ),
        (
            "a negative outage",
            "  timeline:\n  - {at: 1m, fault: {nodeCrash: {nodes: {zone: zone-a}, for: -5m}}}\n",
        ),
        (
            "wrong figures of faults",
            "  timeline:\n  - {at: 1m, fault: {slowDisk: {nodes: {}, factor: 0.5}}}\n  - {at: 1m, fault: {clockSkew: {nodes: {}, by: 0s}}}\n  - {at: 1m, fault: {nodeReboot: {nodes: {}, for: -1m}}}\n  - {at: 1m, fault: {networkLoss: {nodes: {zone: zone-x}}}}\n  - {at: 1m, fault: {nodeFreeze: {nodes: {}, form: 1m}}}\n",
        ),
        (
            "behaviours",
            "  behaviours:\n  - {match: {img: web}, startup: {lognormal: {median: 5s, p99: 1s}}}\n  - {exit: {code: 300}}\n",
        ),
        (
            "many at once",
            "  sede: 1\n  manifests: [nope.yaml]\n  timeline:\n  - {at: 1h, kubectl: cordon general-0}\n  expect:\n  - {always: 'x == 1'}\n",
        ),
    ];
    tell_specs(&expect_file!["golden/wrong-timeline.txt"], &cases);
}

#[test]
fn wrong_expectations_are_refused() {
    let cases = [
        ("no claim", "  expect:\n  - {name: nothing}\n"),
        ("two claims", "  expect:\n  - {always: 'true', never: 'true'}\n"),
        ("an unknown claim", "  expect:\n  - {eventualy: 'rolledOut(\"web\")'}\n"),
        ("a deadline of always", "  expect:\n  - {always: 'rolledOut(\"web\")', within: 1m}\n"),
        ("beyond the end", "  expect:\n  - {eventually: 'rolledOut(\"web\")', after: 11m}\n"),
        ("not CEL", "  expect:\n  - {always: 'deployment(\"web\").status.availableReplicas >= '}\n"),
        ("not a claim", "  expect:\n  - always: deployment(\"web\").status.availableReplicas + 1\n"),
        (
            "an unknown function",
            "  expect:\n  - {always: 'deploymnt(\"web\").status.availableReplicas >= 8'}\n",
        ),
        (
            "an unknown field",
            "  expect:\n  - name: a field\n    always: \"deployment('web').status.availableReplica >= 8\"\n",
        ),
        (
            "a folded text",
            "  expect:\n  - always: >-\n      deployment(\"web\").status.availableReplicas >= 8\n      && deploy(\"web\").status.replicas > 1\n",
        ),
        ("text as a number", "  expect:\n  - {always: 8}\n"),
    ];
    tell_specs(&expect_file!["golden/wrong-expectations.txt"], &cases);
}

#[test]
fn wrong_images_and_registries_are_refused() {
    let head =
        "apiVersion: wavetank.dev/v1\nkind: Scenario\nspec:\n  cluster:\n    nodePools: [{name: general";
    let with = |rest: &str| format!("{head}{rest}");
    let cases = [
        ("no link", with(", network: {pull: 0}}]\n")),
        ("no image", with(", images: [Web:v1]}]\n")),
        ("no name", with("}]\n    images: [{size: 1Gi}]\n")),
        ("a bad name", with("}]\n    images: [{name: 'web:'}]\n")),
        ("two of a name", with("}]\n    images: [{name: web}, {name: 'docker.io/library/web:latest'}]\n")),
        ("a negative size", with("}]\n    images: [{name: web, size: -1}]\n")),
        ("a layer without a size", with("}]\n    images: [{name: web, layers: [{digest: base}]}]\n")),
        ("another sum", with("}]\n    images: [{name: web, size: 3M, layers: [{size: 1M}, {size: 1M}]}]\n")),
        ("more than all", with("}]\n    imageBaseShare: 1.5\n")),
        ("no host", with("}]\n    registries: [{bandwidth: 100M}]\n")),
        ("too slow", with("}]\n    registries: [{host: docker.io, bandwidth: -1}]\n")),
        (
            "a fault of no image",
            with("}]\n  timeline:\n  - {at: 1m, fault: {imageMissing: {image: 'web v2'}}}\n"),
        ),
        (
            "an unknown failure",
            with("}]\n  timeline:\n  - {at: 1m, fault: {registry: {host: docker.io, fails: outtage}}}\n"),
        ),
    ];
    let cases: Vec<(&str, &str)> = cases.iter().map(|(name, text)| (*name, text.as_str())).collect();
    tell(&expect_file!["golden/wrong-images.txt"], &cases);
}

#[test]
fn wrong_overrides_are_shown_as_they_were_given() {
    let text = with("");
    let sets = [
        "spec.seed=many",
        "spec.sede=7",
        "spec.cluster.nodePools.genral.count=3",
        "spec.cluster.nodePools.general.count=-3",
        "spec.cluster.nodePools.general.zones=[a b, c]",
        "spec.duration=5 minutes",
        "spec.expect=[{always: 'depl(1)'}]",
        "spec.seed={",
        "kind=Pod",
    ];
    let told: Vec<String> =
        sets.iter().map(|it| format!("--- --set '{it}'\n{}", errors(&text, &[it]))).collect();
    expect_file!["golden/wrong-overrides.txt"].assert_eq(&told.join("\n"));
}

/// What scenarios are made of.
const PIECES: &[&str] = &[
    "apiVersion: wavetank.dev/v1\n",
    "kind: Scenario\n",
    "spec:\n",
    "  ",
    "- ",
    "cluster: ",
    "nodePools:\n",
    "{name: a}",
    "name: a\n",
    "count: 3\n",
    "capacity: {cpu: 1}\n",
    "timeline:\n",
    "at: 1m\n",
    "kubectl: cordon a-0\n",
    "fault:\n",
    "nodeCrash: {nodes: {count: 1}}\n",
    "expect:\n",
    "always: 'pods().size() == 0'\n",
    "manifests: []\n",
    "seed: 1\n",
    "behaviours:\n",
    "startup: 1s\n",
    "---\n",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "&a ",
    "*a",
    "\n",
    "null",
    "!!binary ",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let _ = load_source(Source::new("it.yaml", text), "nowhere".into(), "it", &[]);
    }

    #[test]
    fn no_mixture_of_pieces_panics(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30)) {
        let text = format!("apiVersion: wavetank.dev/v1\nkind: Scenario\n{}", pieces.concat());
        let _ = load_source(Source::new("it.yaml", text), "nowhere".into(), "it", &[]);
    }

    #[test]
    fn no_override_panics(path in "(spec|cluster|nodePools|\\[[0-9]\\]|general|\\.|=){0,6}", value in ".{0,20}") {
        let overrides = [Override::new(path, value)];
        let _ = load_source(Source::new("it.yaml", with("")), "nowhere".into(), "it", &overrides);
    }
}
