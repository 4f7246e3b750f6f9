use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn parse_text(text: &str) -> Parsed {
    parse(&Source::new("it.yaml", text), &Limits::default())
}

/// The documents of a text that is right.
fn values(text: &str) -> Vec<Value> {
    let parsed = parse_text(text);
    assert!(parsed.errors.is_empty(), "{text:?}: {:?}", parsed.errors);
    parsed.documents.into_iter().map(Node::into_value).collect()
}

fn first_error(text: &str) -> String {
    parse_text(text).errors.first().map_or(String::new(), |it| {
        let position = it.position.map_or(String::new(), |at| at.to_string());
        format!("{position} {}", it.message)
    })
}

#[test]
fn documents_are_what_kubernetes_reads() {
    let table = [
        ("", vec![]),
        ("# nothing\n", vec![]),
        ("---\n", vec![json!(null)]),
        ("a: 1\n---\n---\nb: 2\n...\n", vec![json!({"a": 1}), json!(null), json!({"b": 2})]),
        ("a: yes\nb: 'yes'\nc: \"1\"\nd: 0x10\n", vec![json!({"a": true, "b": "yes", "c": "1", "d": 16})]),
        ("\u{feff}a: 1\r\nb: 2\r\n", vec![json!({"a": 1, "b": 2})]),
        ("---\n{\n  kind: \"Pod\",\n  list: [1, 2,],\n}\n", vec![json!({"kind": "Pod", "list": [1, 2]})]), // KYAML.
        ("1: a\ntrue: b\n1.5: c\n", vec![json!({"1": "a", "true": "b", "1.5": "c"})]),
        ("a: |\n  x\n  y\nb: >-\n  x\n  y\n", vec![json!({"a": "x\ny\n", "b": "x y"})]),
        ("a: !!str 12\nb: !!int \"3\"\nc: !mine 4\n", vec![json!({"a": "12", "b": 3, "c": "4"})]),
        ("{\"a\":\t[1,\t2]}", vec![json!({"a": [1, 2]})]),
        ("a:\n- b\n- c:\n  - d\n", vec![json!({"a": ["b", {"c": ["d"]}]})]),
    ];
    for (text, expected) in table {
        assert_eq!(values(text), expected, "{text:?}");
    }
}

#[test]
fn quotes_and_brackets_may_be_indented_too_little() {
    let text = "a:\n  b:\n    c: '[\n  x\n]'\n    d: \"y\n z\"\n  e: [\n1,\n  \"two\",\n]\n  f: .nan\n";
    let parsed = parse_text(text);
    let expected = json!({"a": {"b": {"c": "[ x ]", "d": "y z"}, "e": [1, "two"], "f": null}});
    assert_eq!(parsed.documents[0].to_value(), expected);
    assert_eq!(parsed.errors.iter().filter_map(|it| it.position).map(|it| it.line).collect::<Vec<_>>(), [12]);
    assert_eq!(parsed.documents[0].at("a.e[1]").map(|it| it.mark.position.to_string()), Some("10:3".into()));
    assert_eq!(
        first_error("a:\n  b: 'x\nc: 1\n"),
        "2:6 a quoted text has no end, or goes on with too little indentation"
    );
}

#[test]
fn aliases_and_merge_keys_are_expanded() {
    let text =
        "base: &base {cpu: 1, memory: 2}\na: *base\nb: {<<: *base, cpu: 3}\nc: {<<: [{cpu: 7}, *base]}\n";
    let expected = json!({
        "base": {"cpu": 1, "memory": 2}, "a": {"cpu": 1, "memory": 2}, "b": {"cpu": 3, "memory": 2},
        "c": {"cpu": 7, "memory": 2},
    });
    assert_eq!(values(text), [expected]);
    assert_eq!(values("'<<': 3\n"), [json!({"<<": 3})], "quoted, it is a key like any other");
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let table = [
        ("a: 1\nb: 2\na: 3\n", "3:1 key `a` is here a second time"),
        ("a: *no\n", "1:4 alias to an unknown anchor"),
        ("a: &a [*a]\n", "1:8 alias refers to what it is part of"),
        ("a: &x 1\n---\nb: *x\n", "3:4 alias to an unknown anchor"),
        ("a: \"x\n", "1:4 a quoted text has no end"),
        ("a:\n\tb: 1\n", "2:1 a tab in the indentation"),
        ("a: [1, 2\n", "1:9 a `[` without its `]`"),
        ("a: .nan\n", "1:4 `.nan` is not a number, which Kubernetes cannot store"),
        ("a: !!int x\n", "1:4 `x` is not what its tag `!!int` says"),
        ("? [a]\n: 1\n", "1:3 a key must be a word, not a list or a mapping"),
        ("~: 1\n", "1:1 a key cannot be null"),
        ("<<: 1\n", "1:5 `<<` takes a mapping, or a list of mappings"),
    ];
    for (text, expected) in table {
        assert_eq!(first_error(text), expected, "{text:?}");
    }
}

#[test]
fn every_double_key_is_listed() {
    let parsed = parse_text("a: 1\na: 2\na: 3\nb: {c: 1, c: 2}\n");
    let lines: Vec<_> = parsed.errors.iter().map(|it| it.position.map_or(0, |at| at.line)).collect();
    assert_eq!(lines, [4, 2, 3]); // The inner mapping ends first.
    assert_eq!(parsed.documents[0].to_value(), json!({"a": 1, "b": {"c": 1}}));
}

#[test]
fn bombs_do_not_go_off() {
    let mut laughs = String::from("a0: &a0 lol\n");
    for level in 1..20 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        laughs += &format!("a{level}: &a{level} [{before}]\n");
    }
    assert!(first_error(&laughs).ends_with("aliases expand to more than 16 MiB"), "{}", first_error(&laughs));
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(100));
    assert!(first_error(&long).ends_with("aliases expand to more than 16 MiB"));
    for (text, expected) in [
        ("[".repeat(1_000_000), "nested"),
        ("{a: ".repeat(1_000_000), "nested"),
        ("- ".repeat(1_000_000), "nested"),
        ("? ".repeat(1_000_000), "nested"),
        ("[{".repeat(500_000), "nested"),
    ] {
        let error = first_error(&text);
        assert!(error.contains(expected), "{error}");
    }
    let aliases: String = (1..40).map(|it| format!("a{it}: &a{it} [[[*a{}]]]\n", it - 1)).collect();
    assert!(first_error(&format!("a0: &a0 1\n{aliases}")).contains("nested more than 100 deep"));
}

#[test]
fn places_are_found_by_path() {
    let text = "kind: Pod\nspec:\n  containers:\n  - name: web\n    image: größe\n    ports: [{containerPort: 80}]\n";
    let document = &parse_text(text).documents[0];
    let place = |path: &str| document.mark_of(&crate::path::Path::parse(path)).position.to_string();
    assert_eq!(place("kind"), "1:7");
    assert_eq!(place("spec.containers"), "3:3");
    assert_eq!(place("spec.containers[0].image"), "5:12");
    assert_eq!(place("spec.containers[0].ports[0].containerPort"), "6:29");
    assert_eq!(place("spec.template.spec"), "2:1", "what is missing is shown at its parent");
    assert_eq!(
        document.mark_of_key(&crate::path::Path::parse("spec.containers[0].image")).position.column,
        5
    );
    assert_eq!(document.at("spec.containers[0].image").and_then(Node::as_text), Some("größe"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ \\[\\]{}:,&*!|>'\"%@`\\-?#a-c0-9\n\t<.~\r]{0,200}") {
        parse_text(&text);
    }

    #[test]
    fn any_unicode_is_read_or_refused(text in any::<String>()) {
        parse_text(&text);
    }
}
