//! Facts from upstream's own tables (`pkg/labels/selector_test.go`), and a law against a model.

use proptest::prelude::*;

use super::*;

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

fn label_selector(json: &str) -> LabelSelector {
    serde_json::from_str(json).unwrap()
}

#[test]
fn texts_come_back_as_they_were() {
    let table = [
        "",
        "x=a,y=b,z=c",
        "x!=a,y=b",
        "x=",
        "x= ",
        "x=,z= ",
        "x= ,z= ",
        "!x",
        "x>1",
        "x>1,z<5",
        "x==a",
        "in=notin",
        "example.com/x=a",
    ];
    for text in table {
        assert_eq!(selector(text).to_string(), text.replace(' ', ""));
    }
}

#[test]
fn texts_are_brought_into_canonical_form() {
    let table = [
        ("x=a,a=x", "a=x,x=a"),
        ("x in (c,a,b)", "x in (a,b,c)"),
        ("x  notin( a , b )", "x notin (a,b)"),
        ("x in ()", "x in ()"),
        ("x in (,a)", "x in (,a)"),
        ("x in (a,)", "x in (,a)"),
        ("x in (a,,b)", "x in (,a,b)"),
        ("x in (,)", "x in ()"),
        ("x in (in,notin)", "x in (in,notin)"),
        ("x in (a,a)", "x in (a)"),
        (" x , ! y ", "x,!y"),
        ("z,x=b,x=a", "x=b,x=a,z"),
        ("x\t=\na\r", "x=a"),
        ("x>01", "x>01"),
        ("in in (in)", "in in (in)"),
    ];
    for (text, expected) in table {
        assert_eq!(selector(text).to_string(), expected, "{text}");
    }
}

#[test]
fn wrong_texts_are_refused_in_upstreams_words() {
    let key_pattern = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                       alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation \
                       is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    let value_pattern = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', \
                         and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or \
                         '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    let operators = "in, notin, =, ==, !=, gt, lt";
    let table = [
        (",x", "found ',', expected: !, identifier, or 'end of string'".to_owned()),
        ("x=a,", "found '', expected: identifier after ','".into()),
        ("x==a==b", "found '==', expected: ',' or 'end of string'".into()),
        ("!x=a", "found '=', expected: ',' or 'end of string'".into()),
        ("!", "unable to parse requirement: found '', expected: identifier".into()),
        ("x a", format!("unable to parse requirement: found 'a', expected: {operators}")),
        ("x !y", format!("unable to parse requirement: found '!', expected: {operators}")),
        ("x in a", "unable to parse requirement: found 'a' expected: '('".into()),
        ("x in (", "unable to parse requirement: found '', expected: ',', ')' or identifier".into()),
        ("x in (a", "unable to parse requirement: found '', expected: ',' or ')'".into()),
        ("x in (a,,)", "unable to parse requirement: found ')', expected: ',', or identifier".into()),
        ("x in (a,=)", "unable to parse requirement: found '=', expected: ',', or identifier".into()),
        ("x=(", "unable to parse requirement: found '(', expected: identifier".into()),
        ("a||b", format!("unable to parse requirement: <nil>: Invalid value: \"a||b\": name part {key_pattern}")),
        ("x=a||y=b", format!("unable to parse requirement: values[0][x]: Invalid value: \"a||y\": {value_pattern}")),
        (
            "x<a",
            "unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be \
             an integer"
                .into(),
        ),
    ];
    for (text, expected) in table {
        let error = Selector::parse(text).map(|it| it.to_string()).unwrap_err().to_string();
        // The first of several errors at once is enough.
        assert!(error.starts_with(&expected), "{text}\n{error}\n{expected}");
    }
}

#[test]
fn selectors_match_as_upstreams_do() {
    type Row = (&'static str, &'static [(&'static str, &'static str)], bool);
    let table: [Row; 30] = [
        ("", &[("x", "y")], true),
        ("x=y", &[("x", "y")], true),
        ("x=y,z=w", &[("x", "y"), ("z", "w")], true),
        ("x!=y,z!=w", &[("x", "z"), ("z", "a")], true),
        ("notin=in", &[("notin", "in")], true),
        ("x", &[("x", "z")], true),
        ("!x", &[("y", "z")], true),
        ("x>1", &[("x", "2")], true),
        ("x<1", &[("x", "0")], true),
        ("x=z", &[], false),
        ("x=y", &[("x", "z")], false),
        ("x=y,z=w", &[("x", "w"), ("z", "w")], false),
        ("x!=y,z!=w", &[("x", "z"), ("z", "w")], false),
        ("x", &[("y", "z")], false),
        ("!x", &[("x", "z")], false),
        ("x>1", &[("x", "0")], false),
        ("x<1", &[("x", "2")], false),
        ("x>1", &[("x", "1")], false),
        ("x>1", &[("x", "two")], false),
        ("x<1", &[], false),
        ("x!=y", &[], true),
        ("x notin (y)", &[], true),
        ("x in (y,z)", &[("x", "z")], true),
        ("x in (y,z)", &[("x", "w")], false),
        ("x notin (y,z)", &[("x", "y")], false),
        ("x notin (y,z)", &[("x", "w")], true),
        ("x in ()", &[("x", "")], true),
        ("x=", &[("x", "")], true),
        ("x=", &[], false),
        ("x==y", &[("x", "y")], true),
    ];
    for (text, labels, expected) in table {
        let labels: Labels = labels.iter().map(|(key, value)| (Name::new(key), Name::new(value))).collect();
        assert_eq!(selector(text).matches(&labels), expected, "{text} {labels:?}");
    }
}

#[test]
fn a_selector_without_requirements_is_not_a_selector_that_is_missing() {
    assert!(!Selector::default().matches(&Labels::EMPTY));
    assert!(Selector::everything().matches(&Labels::EMPTY));
    assert!(LabelSelector::default().compile().unwrap().is_everything());
    assert!(Selector::from_labels(&Labels::EMPTY).is_everything());
    assert!(!Selector::Nothing.is_everything());
    assert_eq!(Selector::from_node_requirements(&[]), Ok(Selector::everything()));
}

#[test]
fn label_selectors_compile_as_upstreams_do() {
    let table = [
        (r#"{}"#, "<none>"),
        (r#"{"matchLabels":{"foo":"bar"}}"#, "foo=bar"),
        (
            r#"{"matchExpressions":[{"key":"baz","operator":"In","values":["qux","norf"]}]}"#,
            "baz in (norf,qux)",
        ),
        (
            r#"{"matchLabels":{"foo":"bar"},"matchExpressions":[{"key":"baz","operator":"NotIn","values":["qux"]}]}"#,
            "baz notin (qux),foo=bar",
        ),
        (
            r#"{"matchExpressions":[{"key":"b","operator":"DoesNotExist"},{"key":"a","operator":"Exists"}]}"#,
            "a,!b",
        ),
        (r#"{"matchExpressions":[{"key":"baz","operator":"Exists","values":["qux"]}]}"#, "<error>"),
        (r#"{"matchExpressions":[{"key":"baz","operator":"Equals","values":["qux"]}]}"#, "<error>"),
    ];
    for (json, expected) in table {
        assert_eq!(LabelSelector::describe(Some(&label_selector(json))), expected, "{json}");
    }
    assert_eq!(LabelSelector::describe(None), "<none>");
}

#[test]
fn wrong_requirements_are_refused_in_upstreams_words() {
    let table = [
        ("x", "Sometimes", "[]", "\"Sometimes\" is not a valid label selector operator"),
        (
            "x",
            "In",
            "[]",
            "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
        ),
        (
            "x",
            "Exists",
            r#"["a","b"]"#,
            r#"values: Invalid value: ["a","b"]: values set must be empty for exists and does not exist"#,
        ),
        (
            "",
            "Exists",
            "[]",
            "key: Invalid value: \"\": name part must be non-empty; name part must consist of",
        ),
        ("", "In", "[]", "[key: Invalid value: \"\": name part must be non-empty; name part must consist of"),
        (
            "x",
            "In",
            r#"["a","-"]"#,
            "values[1][x]: Invalid value: \"-\": a valid label must be an empty string or",
        ),
    ];
    for (key, operator, values, expected) in table {
        let json = format!(
            r#"{{"matchExpressions":[{{"key":"{key}","operator":"{operator}","values":{values}}}]}}"#
        );
        let error = label_selector(&json).compile().unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

fn node_requirement(key: &str, operator: &str, values: &[&str]) -> NodeSelectorRequirement {
    NodeSelectorRequirement {
        key: Name::new(key),
        operator: operator.into(),
        values: values.iter().map(Name::new).collect(),
        ..NodeSelectorRequirement::default()
    }
}

#[test]
fn node_requirements_compare_numbers() {
    let requirement = |operator: &str, values: &[&str]| node_requirement("cores", operator, values);
    let compiled =
        Selector::from_node_requirements(&[requirement("Gt", &["4"]), requirement("Lt", &["10"])]).unwrap();
    for (cores, expected) in [("4", false), ("5", true), ("9", true), ("10", false), ("many", false)] {
        assert_eq!(compiled.matches(&Labels::from([("cores", cores)])), expected, "{cores}");
    }
    let error = Selector::from_node_requirements(&[requirement("Gt", &["a", "4"])]).unwrap_err().to_string();
    assert_eq!(
        error,
        "[values: Invalid value: [\"a\",\"4\"]: for 'Gt', 'Lt' operators, exactly one value is required, values[0]: \
         Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer]"
    );
    let error = Selector::from_node_requirements(&[requirement("Ge", &["4"])]).unwrap_err().to_string();
    assert_eq!(
        error,
        "operator: Unsupported value: \"Ge\": supported values: \"In\", \"NotIn\", \"Exists\", \"DoesNotExist\", \
         \"Gt\", \"Lt\""
    );
}

#[test]
fn fields_of_nodes_may_be_longer_than_labels() {
    let name = "n".repeat(100);
    let fields = Labels::from([("metadata.name", name.as_str())]);
    let compile = |operator: &str, values: &[&str]| {
        Selector::from_field_requirements(&[node_requirement("metadata.name", operator, values)])
    };
    assert!(compile("In", &[&name]).unwrap().matches(&fields));
    assert!(!compile("NotIn", &[&name]).unwrap().matches(&fields));
    assert!(compile("NotIn", &["other"]).unwrap().matches(&fields));
    let errors = [compile("In", &["a", "b"]), compile("Exists", &[])].map(|it| it.unwrap_err().to_string());
    assert_eq!(
        errors,
        [
            r#"values: Invalid value: ["a","b"]: must have one element"#,
            r#"operator: Unsupported value: "Exists": supported values: "In", "NotIn""#,
        ]
    );
}

#[test]
fn the_only_possible_value_of_a_label_is_known() {
    let compiled = selector("a=1,b in (2),c in (3,4),d!=5,e");
    let known = ["a", "b", "c", "d", "e", "f"].map(|it| compiled.exact_value(it).map(Name::as_str));
    assert_eq!(known, [Some("1"), Some("2"), None, None, None, None]);
}

#[test]
fn json_keeps_what_it_was() {
    let json = r#"{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"c","operator":"In","values":["d"]}]}"#;
    assert_eq!(serde_json::to_string(&label_selector(json)).unwrap(), json);
}

proptest! {
    /// The canonical text is read back as the same selector, and matches are those of the requirements' definitions.
    #[test]
    fn matching_agrees_with_the_definitions(
        requirements in prop::collection::vec(("[abc]", 0_usize..4, prop::collection::vec("[123]", 1..3)), 0..4),
        labels in prop::collection::btree_map("[abc]", "[123]", 0..4),
    ) {
        let texts: Vec<String> = requirements.iter().map(|(key, operator, values)| match operator {
            0 => format!("{key} in ({})", values.join(",")),
            1 => format!("{key} notin ({})", values.join(",")),
            2 => key.clone(),
            _ => format!("!{key}"),
        }).collect();
        let expected = requirements.iter().all(|(key, operator, values)| match operator {
            0 => labels.get(key).is_some_and(|it| values.contains(it)),
            1 => !labels.get(key).is_some_and(|it| values.contains(it)),
            2 => labels.contains_key(key),
            _ => !labels.contains_key(key),
        });
        let compiled = selector(&texts.join(","));
        prop_assert_eq!(selector(&compiled.to_string()), compiled.clone());
        let labels: Labels = labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        prop_assert_eq!(compiled.matches(&labels), expected);
    }

    #[test]
    fn no_text_panics(text in "[ab=!(),<> ]{0,20}|\\PC{0,20}") {
        let _ = Selector::parse(&text);
    }
}
