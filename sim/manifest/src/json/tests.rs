use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::limits::Limits;
use crate::source::Source;

fn errors(text: &str) -> Vec<String> {
    let errors = parse(&Source::new("it.json", text), &Limits::default()).errors;
    let shown = errors.iter().map(|it| format!("{} {}", it.position.unwrap_or_default(), it.message));
    shown.collect()
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let table = [
        ("{\"a\": 1,\n \"a\": 2}", "2:2 key `a` is here a second time"),
        ("{\"a\": 1,}", "1:9 a comma before `}`, which JSON does not allow"),
        ("{\"a\": [1 2]}", "1:10 `,` or `]` is missing here"),
        ("{\"a\" 1}", "1:6 `:` is missing after the key `a`"),
        ("{a: 1}", "1:2 a key in double quotes is missing here"),
        ("{\"a\": x}", "1:7 `x` is not a JSON value"),
        ("{\"a\": 01}", "1:7 `01` is not a JSON value"),
        ("{\"a\": \"x\n\"}", "1:7 a quoted text has no end"),
        ("{\"a\": \"\\q\"}", "1:7 an escape or character that JSON does not know in a text"),
        ("{\"ä\": \"ö\", \"b\": }", "1:17 a value is missing here"),
        ("{\"a\": [1,\n", "1:9 a value is missing at the end"),
        ("[", "1:1 `,` or `]` is missing here"),
    ];
    for (text, expected) in table {
        assert_eq!(errors(text), [expected], "{text}");
        assert!(read(text).is_err(), "{text}");
    }
    assert!(errors(&"[".repeat(1_000_000))[0].contains("nested more than 100 deep"));
}

#[test]
fn numbers_are_as_in_yaml() {
    let text = r#"[3.0, 1e3, 0.5, 18446744073709551615, -1, "\ud83d\ude00\/"] {}"#;
    let expected = vec![json!([3, 1000, 0.5, 18_446_744_073_709_551_615_u64, -1, "😀/"]), json!({})];
    assert_eq!(read(text).ok(), Some(expected.clone()));
    let parsed = parse(&Source::new("it.json", text), &Limits::default());
    assert_eq!(parsed.documents.iter().map(crate::yaml::Node::to_value).collect::<Vec<_>>(), expected);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Both ways read the same.
    #[test]
    fn the_fast_and_the_thorough_way_agree(value in any_value(), is_pretty in any::<bool>()) {
        let text = if is_pretty { format!("{value:#}") } else { value.to_string() };
        let parsed = parse(&Source::new("it.json", text.as_str()), &Limits::default());
        prop_assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
        prop_assert_eq!(parsed.documents.iter().map(crate::yaml::Node::to_value).collect::<Vec<_>>(), [value.clone()]);
        prop_assert_eq!(read(&text).ok(), Some(vec![value]));
    }

    /// And refuse the same.
    #[test]
    fn what_one_way_refuses_the_other_does(text in "[\\[\\]{}:,\"a1.e\\-n \\\\\n]{0,30}") {
        let parsed = parse(&Source::new("it.json", text.as_str()), &Limits::default());
        prop_assert_eq!(read(&text).is_ok(), parsed.errors.is_empty(), "{:?}", parsed.errors);
    }
}
