use expect_test::expect;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::limits::Limits;
use crate::source::Source;
use crate::yaml;

#[test]
fn objects_look_as_kubectl_prints_them() {
    let value = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "web", "annotations": {
            "on": "yes", "n": "1", "time": "2026-01-01T00:00:00Z", "base60": "12:30", "empty": "", "version": "v1",
            "json": "{\"a\": 1}\n", "colon": "a: b", "hash": "a #b", "quote": "it's", "star": "*x", "tab": "a\tb\n",
            "long": "containers with unready status: [web] and so on and so forth until the line is long enough to break",
        }},
        "data": {"script": "#!/bin/sh\necho hello\n\nexit\n", "none": "a\nb", "more": "a\n\n", "indented": "  a\nb\n"},
        "list": ["a", ["b", "c"], {"d": 1, "e": [true, null]}, [], {}, [{"f": 1.5}]],
    });
    expect![[r#"
        apiVersion: v1
        data:
          indented: |2
              a
            b
          more: |+
            a

          none: |-
            a
            b
          script: |
            #!/bin/sh
            echo hello

            exit
        kind: ConfigMap
        list:
        - a
        - - b
          - c
        - d: 1
          e:
          - true
          - null
        - []
        - {}
        - - f: 1.5
        metadata:
          annotations:
            base60: "12:30"
            colon: 'a: b'
            empty: ""
            hash: 'a #b'
            json: |
              {"a": 1}
            long: 'containers with unready status: [web] and so on and so forth until the
              line is long enough to break'
            "n": "1"
            "on": "yes"
            quote: it's
            star: '*x'
            tab: "a\tb\n"
            time: "2026-01-01T00:00:00Z"
            version: v1
          name: web
    "#]]
    .assert_eq(&value_to_yaml(&value));
}

#[test]
fn json_is_indented_by_four() {
    let object =
        Object::from_json(&api::Kind::Namespace, json!({"metadata": {"name": "a  b"}})).expect("a namespace");
    expect![[r#"
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": "a  b"
            }
        }
    "#]]
    .assert_eq(&to_json(&object));
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9 :#\\-?,\\[\\]{}&*!|>'\"%@`~._<=/\\\\\n\t]{0,12}",
        "[yYnNoOfFtrueasl0-9.:e+_-]{1,6}",
        "([a-z']{1,9} {1,2}){0,40}[a-z]",
        any::<String>(),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any_text(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// What is written is read back as it was.
    #[test]
    fn yaml_survives_the_way_there_and_back(value in any_value()) {
        let text = value_to_yaml(&value);
        let parsed = yaml::parse(&Source::new("it.yaml", text.as_str()), &Limits::default());
        prop_assert!(parsed.errors.is_empty(), "{text}\n{:?}", parsed.errors);
        let values: Vec<Value> = parsed.documents.into_iter().map(yaml::Node::into_value).collect();
        prop_assert_eq!(values, [value], "{}", text);
    }
}
