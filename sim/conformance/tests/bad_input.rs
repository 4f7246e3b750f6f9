//! Whatever a file holds, it is replayed or refused with its name and line, and never breaks the program.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use conformance::{check, check_text};
use expect_test::expect;
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use proptest::prelude::*;

const CASE: &str = r#"{"name": "a", "family": "f", "kubernetes": "v1.34.1", "config": null,
    "options": {"order": "list", "eviction": "immediate"}, "objects": {"nodes": [], "pods": []},
    "pods": [], "weights": {}, "expect": []}"#;

fn recording(family: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/scheduler/{family}.jsonl.gz"))
}

/// The first cases of a recording.
fn lines(family: &str, count: usize) -> Vec<String> {
    let file = BufReader::new(File::open(recording(family)).expect("it is there"));
    let lines = BufReader::new(MultiGzDecoder::new(file)).lines();
    lines.take(count).map(|it| it.expect("it is text")).collect()
}

fn error_of(text: &str) -> String {
    check_text("some.jsonl", text.as_bytes()).expect_err("it is wrong").to_string()
}

/// The case with one part of its text replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(CASE.contains(from));
    CASE.replace('\n', " ").replace(from, to)
}

#[test]
fn an_error_names_file_and_line_and_what_is_wrong() {
    let texts = [
        String::new(),
        "[1, 2]".into(),
        format!("\n{}", &CASE[..20]),
        changed("\"expect\": []", "\"expect\": [{\"pod\": \"default/p\", \"luck\": 1}]"),
        changed("immediate", "slow"),
        changed("v1.34.1", "v1.28.0"),
        changed("\"nodes\"", "\"gnomes\""),
        changed("\"nodes\": []", "\"nodes\": [{\"metadata\": {\"name\": \"a\"}}, 7]"),
        changed("\"config\": null", "\"config\": {\"apiVersion\": \"v1\"}"),
    ];
    let errors: Vec<String> = texts.iter().map(|it| error_of(it)).collect();
    expect![[r#"
        some.jsonl: it holds no case; expected one JSON object in each line
        some.jsonl:1: not a case of a recording: invalid type: integer `1`, expected a string at line 1 column 2
        some.jsonl:2: not a case of a recording: EOF while parsing a string at line 1 column 20
        some.jsonl:1: not a case of a recording: unknown field `luck`, expected one of `pod`, `attempt`, `phase`, `gated`, `prefilter`, `nominated_fast_path`, `filter`, `scores`, `total`, `best`, `bound`, `volumes`, `message`, `postfilter`, `nominated`, `nominated_ties`, `candidates`, `victims`, `cleared_nominations`, `error`, `reserve_error` at line 1 column 236
        some.jsonl:1: not a case of a recording: unknown variant `slow`, expected `immediate` or `graceful` at line 1 column 121
        some.jsonl:1: recorded from Kubernetes `v1.28.0`; only v1.34 can be compared with
        some.jsonl:1: `objects` has `gnomes`, which is no kind of object
        some.jsonl:1: object 2 of `nodes`: invalid type: integer `7`, expected struct Node
        some.jsonl:1: `config`: apiVersion: "v1" is not supported; write "kubescheduler.config.k8s.io/v1"; kind: "" is not a scheduler configuration; write "KubeSchedulerConfiguration""#]].assert_eq(&errors.join("\n"));
}

#[test]
fn a_folder_and_a_file_that_is_not_there_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = |path: &Path| check(&[path]).expect_err("it is wrong").to_string();
    assert!(text(folder.path()).ends_with("it is a folder; name the files in it"));
    assert!(text(&folder.path().join("none")).contains("none: "));
}

#[test]
fn a_compressed_file_that_ends_too_early_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("short.jsonl.gz");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(CASE.as_bytes()).expect("memory can be written to");
    let bytes = encoder.finish().expect("memory can be written to");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("it can be written");
    assert!(check(&[&path]).expect_err("it is wrong").to_string().contains("short.jsonl.gz:1: "));
}

#[test]
fn a_wrong_expectation_is_told_once_and_the_rest_still_agrees() {
    let mut lines = lines("images", 1);
    let right = check_text("images", lines[0].as_bytes()).expect("it can be read");
    lines[0] = lines[0].replacen("\"best\":[\"", "\"best\":[\"not-", 1);
    let wrong = check_text("images", lines[0].as_bytes()).expect("it can be read");
    assert_eq!((wrong.passed, wrong.failed), (right.passed - 1, right.failed + 1));
    let told = &wrong.files[0].disagreements;
    assert!(told.iter().any(|it| it.field == "best" && it.expected != it.got), "{told:?}");
}

#[test]
fn attempts_that_are_missing_or_too_many_disagree() {
    let line = &lines("images", 1)[0];
    let mut case: serde_json::Value = serde_json::from_str(line).expect("a case");
    let records = case["expect"].as_array_mut().expect("a list");
    let last = records.pop().expect("there are some");
    let fewer = check_text("images", case.to_string().as_bytes()).expect("it can be read");
    assert!(fewer.failed > 0 && fewer.files[0].disagreements.iter().any(|it| it.field == "order"));
    let records = case["expect"].as_array_mut().expect("a list");
    records.extend([last.clone(), last]);
    let more = check_text("images", case.to_string().as_bytes()).expect("it can be read");
    assert!(more.failed > 0 && more.files[0].disagreements.iter().any(|it| it.field == "order"));
}

/// What a mutation puts in the place of something else.
fn junk() -> impl Strategy<Value = String> {
    let words =
        ["", "0", "-1", "null", "\"\"", "[]", "{}", "\"x\"", "true", "9223372036854775807", "1e99", ",", "}"];
    prop::sample::select(words.map(String::from).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A line with a piece replaced is replayed or refused.
    #[test]
    fn no_line_breaks_the_replay(
        family in prop::sample::select(vec!["gates", "preemption", "volumes", "spread", "interpod", "fit"]),
        nth in 0_usize..12,
        cuts in prop::collection::vec((0.0_f64..1.0, 0_usize..12, junk()), 1..4),
    ) {
        let mut line = lines(family, nth + 1).pop().expect("there are so many");
        for (place, length, junk) in cuts {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the text")]
            let start = line.floor_char_boundary((line.len() as f64 * place) as usize);
            let end = line.floor_char_boundary(start + length);
            line.replace_range(start..end, &junk);
        }
        let _ = check_text("mutated", line.as_bytes());
    }

    /// A value of a case replaced by another is replayed or refused.
    #[test]
    fn no_value_breaks_the_replay(
        family in prop::sample::select(vec!["gates", "preemption", "volumes", "spread", "interpod", "fit"]),
        nth in 0_usize..12,
        place in 0.0_f64..1.0,
        junk in junk(),
    ) {
        let Ok(junk) = serde_json::from_str(&junk) else { return Ok(()) };
        let line = lines(family, nth + 1).pop().expect("there are so many");
        let mut case: serde_json::Value = serde_json::from_str(&line).expect("a case");
        let count = walk(&mut case, usize::MAX, &junk);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the case")]
        walk(&mut case, (count as f64 * place) as usize, &junk);
        let _ = check_text("mutated", case.to_string().as_bytes());
    }
}

/// Puts `junk` in the place of the nth value; returns how many there are before it.
fn walk(value: &mut serde_json::Value, nth: usize, junk: &serde_json::Value) -> usize {
    use serde_json::Value::{Array, Object};
    let mut seen = 1;
    if nth == 0 {
        *value = junk.clone();
        return seen;
    }
    let children: Vec<&mut serde_json::Value> = match value {
        Array(items) => items.iter_mut().collect(),
        Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    for child in children {
        if seen > nth {
            break;
        }
        seen += walk(child, nth - seen, junk);
    }
    seen
}
