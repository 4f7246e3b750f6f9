//! Behaviours that no container has: what is said of them, before a run and after it.

use std::ops::ControlFlow;
use std::path::Path;

use expect_test::expect_file;
use manifest::source::Source;
use scenario::{Options, Scenario, load, load_source};

/// A Deployment, a Job and a Pod on two pools of nodes.
const MANIFEST: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      initContainers: [{name: prepare, image: 'shop/prepare:v1'}]
      containers: [{name: web, image: 'shop/web:v1'}, {name: proxy, image: envoy}]
---
apiVersion: v1
kind: Pod
metadata: {name: too-large, namespace: batch, labels: {app: large}}
spec: {containers: [{name: main, image: 'shop/large:v1', resources: {requests: {cpu: 64}}}]}
";

fn scenario(rules: &str) -> Scenario {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("web.yaml"), MANIFEST).expect("it can be written");
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: batch}\n";
    std::fs::write(folder.path().join("batch.yaml"), namespace).expect("it can be written");
    let text = format!(
        "apiVersion: wavetank.dev/v1\nkind: Scenario\nspec:\n  duration: 2m\n  cluster:\n    nodePools:\n    \
         - {{name: general, count: 2}}\n    - {{name: spare, count: 1, labels: {{disk: ssd}}, taints: [{{key: spare, effect: NoSchedule}}]}}\n  \
         manifests: [batch.yaml, web.yaml]\n{rules}"
    );
    load_source(Source::new("it.yaml", text), folder.path().into(), "it", &[])
        .unwrap_or_else(|error| panic!("{error}"))
}

/// What is said before a run, and what after it.
fn told(scenario: &Scenario) -> (String, String) {
    let options = Options::default();
    let finished =
        scenario::run(scenario, &options, |_| ControlFlow::Continue(())).expect("it can be set up");
    let after = scenario.unused_behaviours(&options, &finished.run.world);
    (scenario.unusable_behaviours().to_string(), after.to_string())
}

/// Cases that each have rules, told under their names.
fn stories(cases: &[(&str, &str)]) -> String {
    let story = |(name, rules): &(&str, &str)| match told(&scenario(rules)) {
        (before, after) if before == after => format!("--- {name}\n{before}"),
        (before, after) => format!("--- {name}\n[before the run]\n{before}[after it]\n{after}"),
    };
    cases.iter().map(story).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_behaviour_that_matches_nothing_names_what_comes_near() {
    let cases = [
        ("an image", "  behaviours:\n  - {match: {image: 'shop/wbe:*'}, startup: 5s}\n"),
        ("like nothing there is", "  behaviours:\n  - {match: {image: postgres}, startup: 5s}\n"),
        ("a namespace", "  behaviours:\n  - {match: {namespace: btach}, startup: 5s}\n"),
        ("a container", "  behaviours:\n  - match:\n      container: porxy\n    startup: 5s\n"),
        ("an owner of a kind", "  behaviours:\n  - {match: {owner: Deployment/wbe}, startup: 5s}\n"),
        ("an owner", "  behaviours:\n  - {match: {owner: wbe}, startup: 5s}\n"),
        ("another kind of owner", "  behaviours:\n  - {match: {owner: StatefulSet/web}, startup: 5s}\n"),
        ("a label", "  behaviours:\n  - {match: {labels: {tier: frnot, app: web}}, startup: 5s}\n"),
        (
            "two things",
            "  behaviours:\n  - {match: {image: 'shop/web:v2', node: {pool: genral}}, startup: 5s}\n",
        ),
        ("a node", "  behaviours:\n  - {match: {node: general-9}, startup: 5s}\n"),
        ("a label of a node", "  behaviours:\n  - {match: {node: {labels: {disk: sdd}}}, startup: 5s}\n"),
        (
            "two things that are not together",
            "  behaviours:\n  - {match: {image: envoy, container: web}, startup: 5s}\n",
        ),
        ("after the end", "  behaviours:\n  - {match: {image: envoy, from: 5m}, startup: 5s}\n"),
        ("an empty time", "  behaviours:\n  - {match: {image: envoy, from: 1m, until: 30s}, startup: 5s}\n"),
    ];
    expect_file!["golden/unused-near.txt"].assert_eq(&stories(&cases));
}

#[test]
fn a_behaviour_in_the_shadow_of_another_says_so() {
    let cases = [
        (
            "one before it takes all",
            "  behaviours:\n  - {match: {image: 'shop/web:*'}, startup: 5s}\n  - {match: {image: 'shop/web:v1'}, startup: 9s}\n",
        ),
        (
            "two before it take all",
            "  behaviours:\n  - {match: {container: web}, startup: 5s}\n  - {match: {container: 'pr*'}, startup: 6s}\n  \
             - {match: {labels: {app: web}}, startup: 7s}\n",
        ),
        (
            "what comes first has a time",
            "  behaviours:\n  - {match: {container: web, until: 1m}, startup: 5s}\n  - {match: {container: web}, startup: 9s}\n",
        ),
    ];
    expect_file!["golden/unused-shadow.txt"].assert_eq(&stories(&cases));
}

#[test]
fn only_the_run_can_tell_of_what_never_starts() {
    let cases = [
        (
            "a pod for which there is no room",
            "  behaviours:\n  - {match: {labels: {app: large}}, startup: 5s}\n",
        ),
        (
            "a node that nothing is on",
            "  behaviours:\n  - {match: {image: envoy, node: {pool: spare}}, startup: 5s}\n",
        ),
        ("a hash", "  behaviours:\n  - {match: {labels: {pod-template-hash: abc}}, startup: 5s}\n"),
        ("nothing to say", "  behaviours:\n  - {match: {owner: Deployment/web}, startup: 5s}\n"),
        (
            "an image that a command brings",
            "  behaviours:\n  - {match: {image: 'shop/web:v2'}, startup: 5s}\n  timeline:\n  \
             - {at: 30s, kubectl: set image deployment/web web=shop/web:v2}\n",
        ),
        (
            "a patch may bring anything",
            "  behaviours:\n  - {match: {image: 'shop/web:v3'}, startup: 5s}\n  timeline:\n  \
             - at: 30s\n    kubectl: patch deployment/web -p '{\"spec\":{\"replicas\":3}}'\n",
        ),
    ];
    expect_file!["golden/unused-run.txt"].assert_eq(&stories(&cases));
}

#[test]
fn the_scenarios_of_the_project_have_none() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    for file in manifest::files::expand(&root).expect("the folder is there") {
        let source = manifest::read(&file.path, &manifest::Limits::default()).expect("it can be read");
        if scenario::is_scenario(&source) {
            let scenario = load(&file.path, &[]).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(scenario.unusable_behaviours().to_string(), "");
        }
    }
}
