//! The program as users and CI jobs meet it: what it prints, and how it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use expect_test::expect;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn wavetank(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wavetank"));
    command.current_dir(root()).args(args).output().expect("it can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it prints text")
}

/// The folder of a run of the quickstart, and one of its pods.
fn run_quickstart(folder: &Path) -> (String, String) {
    let run = folder.join("run").display().to_string();
    let done = wavetank(&["-q", "run", "scenarios/quickstart.yaml", "--out", &run]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let pods = fs::read_to_string(folder.join("run/pods.csv")).expect("it was written");
    let row: Vec<&str> = pods.lines().nth(1).expect("there are pods").split(',').collect();
    (run, format!("pod/{}/{}", row[0], row[1]))
}

#[test]
fn explain_tells_what_each_plugin_said_of_each_node() {
    let folder = tempfile::tempdir().expect("a folder");
    let (run, pod) = run_quickstart(folder.path());
    let told = wavetank(&["explain", &run, &pod, "--scheduling"]);
    // Under a heading, since a golden text loses what all its lines are indented by.
    expect![[r#"
        told:
             0.013236 s  attempt 1: general-2 (3 of 3 nodes would do)
         node       TaintToleration x3  NodeResourcesFit x1  PodTopologySpread x2  NodeResourcesBalancedAllocation x1  ImageLocality x1  total 
         general-0                 100                   98                   100                                  98                 0    696 
         general-1                 100                   98                   100                                  98                 0    696 
         general-2                 100                   98                   100                                  98                 0    696 
          general-0, general-1, general-2 are equally good; chance took general-2
    "#]].assert_eq(&format!("told:\n{}", text(&told.stdout)));
    let json = wavetank(&["explain", &run, &pod, "--scheduling", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("it is JSON");
    assert_eq!(json["attempts"][0]["verdicts"].as_array().map(Vec::len), Some(3));
}

#[test]
fn explain_says_when_a_run_comes_out_otherwise_than_it_did() {
    let folder = tempfile::tempdir().expect("a folder");
    let (run, pod) = run_quickstart(folder.path());
    let summary = folder.path().join("run/summary.json");
    let changed = fs::read_to_string(&summary).expect("it was written").replacen(
        "\"digest\": \"",
        "\"digest\": \"x",
        1,
    );
    fs::write(summary, changed).expect("it can be written");
    let told = wavetank(&["explain", &run, &pod, "--scheduling"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(text(&told.stderr).contains("its inputs have changed, or the program has"));
}

#[test]
fn conformance_ends_by_how_well_we_agree() {
    let recording = "sim/conformance/tests/scheduler/gates.jsonl.gz";
    let agreed = wavetank(&["conformance", "scheduler", recording]);
    assert_eq!(agreed.status.code(), Some(0));
    assert!(text(&agreed.stdout).ends_with("\n745 passed, 0 failed\n"));

    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other.jsonl");
    let case = r#"{"name": "a", "family": "f", "kubernetes": "v1.34.1", "config": null,
        "options": {"order": "list", "eviction": "immediate"}, "objects": {"nodes": [], "pods": []},
        "pods": [], "weights": {"Dice": 1}, "expect": []}"#;
    fs::write(&other, case.replace('\n', " ")).expect("it can be written");
    let other = other.display().to_string();
    let disagreed = wavetank(&["conformance", "scheduler", &other]);
    assert_eq!(disagreed.status.code(), Some(1));
    assert!(text(&disagreed.stdout).ends_with("\n0 passed, 1 failed\n"));

    let refused = wavetank(&["conformance", "scheduler", "Cargo.toml"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).starts_with("error: Cargo.toml:1: not a case of a recording"));
}

/// A scenario with a slip of the pen in its behaviours.
fn write_slip(folder: &Path) -> String {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: 'shop/web:v1'}]}\n";
    fs::write(folder.join("web.yaml"), pod).expect("it can be written");
    let text = "apiVersion: wavetank.dev/v1\nkind: Scenario\nspec:\n  duration: 1m\n  \
        cluster: {nodePools: [{name: general, count: 1}]}\n  manifests: [web.yaml]\n  behaviours:\n  \
        - {match: {image: 'shop/wbe:*'}, startup: 5s}\n";
    let file = folder.join("slip.yaml");
    fs::write(&file, text).expect("it can be written");
    file.display().to_string()
}

#[test]
fn behaviours_that_no_container_has_are_warned_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let slip = write_slip(folder.path());
    let words = "slip.yaml:8:21: no container has this behaviour: unknown image `shop/wbe:*`; did you mean `shop/web:v1`?";

    let validated = wavetank(&["validate", &slip]);
    assert_eq!(validated.status.code(), Some(0));
    assert!(text(&validated.stderr).contains(words), "{}", text(&validated.stderr));
    let json = wavetank(&["validate", &slip, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("it is JSON");
    assert_eq!(json["warnings"][0]["path"], "spec.behaviours[0].match.image");

    let out = folder.path().join("run");
    let done = wavetank(&["run", &slip, "--out", &out.display().to_string()]);
    assert_eq!(done.status.code(), Some(0));
    assert!(text(&done.stderr).contains(words), "{}", text(&done.stderr));
    let summary = fs::read_to_string(out.join("summary.json")).expect("it was written");
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("it is JSON");
    let warning = &summary["warnings"][0];
    assert_eq!((warning["line"].as_u64(), warning["column"].as_u64()), (Some(8), Some(21)));
}

#[test]
fn what_the_api_server_takes_in_with_a_warning_is_told_where_it_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  terminationGracePeriodSeconds: -5\n  \
        containers: [{name: web, image: 'shop/web:v1'}]\n";
    let file = folder.path().join("web.yaml");
    fs::write(&file, pod).expect("it can be written");
    let (file, out) = (file.display().to_string(), folder.path().join("run").display().to_string());
    let words = "web.yaml:5:34: spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1";
    for args in [&["validate", &file][..], &["run", "-f", &file, "--until", "1m", "--out", &out]] {
        let done = wavetank(args);
        assert_eq!(done.status.code(), Some(0), "{args:?}");
        assert!(text(&done.stderr).contains(words), "{args:?}: {}", text(&done.stderr));
    }
}

#[test]
fn where_nothing_is_to_be_warned_of_the_summary_does_not_speak_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    run_quickstart(folder.path());
    let summary = fs::read_to_string(folder.path().join("run/summary.json")).expect("it was written");
    assert!(!summary.contains("warnings"), "{summary}");
}
