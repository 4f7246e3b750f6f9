//! What came in goes out again: modelled or not, nothing that a person wrote gets lost.

use std::collections::BTreeSet;

use api::{Kind, Object};
use manifest::{Limits, Loaded, load_source, source::Source, to_json, to_yaml, yaml};
use serde_json::Value;

const KINDS: &str = include_str!("good/kinds.yaml");

fn read(name: &str, text: &str) -> Loaded {
    let loaded = load_source(Source::new(name, text), &Limits::default());
    assert!(loaded.diagnostics.is_empty(), "{}\n{text}", loaded.diagnostics);
    loaded
}

fn written() -> Vec<Value> {
    let parsed = yaml::parse(&Source::new("kinds.yaml", KINDS), &Limits::default());
    parsed.documents.into_iter().map(yaml::Node::into_value).collect()
}

/// What of `before` is not in `after`, by path.
fn lost(before: &Value, after: &Value, path: &str, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                lost(value, after.get(key).unwrap_or(&Value::Null), &format!("{path}.{key}"), found);
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (idx, (value, other)) in before.iter().zip(after).enumerate() {
                lost(value, other, &format!("{path}[{idx}]"), found);
            }
        }
        (before, after) if before == after => (),
        _ => found.push(format!("{path}: {before} became {after}")),
    }
}

#[test]
fn every_modelled_kind_is_in_the_test() {
    let seen: BTreeSet<Kind> = read("kinds.yaml", KINDS).objects.iter().map(|it| it.object.kind()).collect();
    let modelled = Kind::ALL.iter().filter(|it| it.info().is_some_and(|it| it.modelled)).cloned();
    assert_eq!(seen, modelled.collect());
}

#[test]
fn nothing_that_was_written_gets_lost() {
    let mut found = Vec::new();
    for (before, loaded) in written().iter().zip(read("kinds.yaml", KINDS).objects) {
        lost(before, &loaded.object.to_json(), &loaded.object.key().to_string(), &mut found);
    }
    // What is nothing to Kubernetes is left out, as it is there.
    let expected: Vec<String> = vec![];
    assert_eq!(found, expected);
}

#[test]
fn objects_are_the_same_after_yaml_and_json() {
    for it in read("kinds.yaml", KINDS).objects {
        for (name, text) in [("it.yaml", to_yaml(&it.object)), ("it.json", to_json(&it.object))] {
            let again = read(name, &text).objects;
            assert_eq!(again.len(), 1);
            assert_eq!(again[0].object, it.object, "{text}");
        }
    }
}

#[test]
fn every_stored_kind_loads_and_comes_back() {
    for kind in Kind::ALL.iter().filter(|it| it.info().is_some_and(|it| !it.modelled)) {
        let text =
            format!("apiVersion: {}\nkind: {}\nmetadata: {{name: a}}\n", kind.api_version(), kind.name());
        let loaded = read("it.yaml", &text);
        let object: &Object = &loaded.objects[0].object;
        assert_eq!(object.kind(), *kind);
        let is_namespaced = kind.info().is_some_and(|it| it.namespaced);
        assert_eq!(object.meta().namespace, if is_namespaced { "default" } else { "" }, "{text}");
        assert_eq!(read("it.yaml", &to_yaml(object)).objects[0].object, *object);
    }
}

#[test]
fn definitions_say_where_custom_resources_belong() {
    let text = include_str!("good/definition.yaml");
    let loaded = read("definition.yaml", text);
    let widget = &loaded.objects[0].object;
    assert_eq!((widget.meta().namespace.as_str(), widget.kind().plural().as_str()), ("", "widgets"));
    assert_eq!(
        loaded.custom.iter().map(|(name, count)| (name.as_str(), *count)).collect::<Vec<_>>(),
        [("Widget.example.com", 1)]
    );
    assert_eq!(
        read("it.yaml", &to_yaml(widget)).objects[0].object.meta().namespace,
        "default",
        "no definition: it is guessed"
    );
}
