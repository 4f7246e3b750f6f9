//! Whatever comes in: an answer, never a panic, and soon.

use manifest::{Limits, load_source, source::Source, to_yaml};
use proptest::prelude::*;

const VALID: &[&str] = &[
    include_str!("good/shop.yaml"),
    include_str!("good/kyaml.yaml"),
    include_str!("good/list.json"),
    include_str!("good/definition.yaml"),
];

/// A change that people, or their tools, make by mistake.
#[derive(Clone, Debug)]
enum Change {
    Remove,
    Double,
    Replace(&'static str),
}

fn any_change() -> impl Strategy<Value = Change> {
    let pieces = [
        "", " ", "\n", "\t", ":", ": ", "- ", "'", "\"", "{", "}", "[", "]", ",", "&a ", "*a", "<<: ", "|\n",
        "#", "---\n", "~", "!!int ", "yes", "-1", "1e999", "null", "\u{feff}", "\u{0}", "ü", "\r\n", "\\",
        "%", "@", "`", "? ",
    ];
    prop_oneof![
        Just(Change::Remove),
        Just(Change::Double),
        prop::sample::select(pieces.to_vec()).prop_map(Change::Replace)
    ]
}

/// `text` with `change` made to `length` characters at about `at` thousandths of it.
fn changed(text: &str, at: usize, length: usize, change: &Change) -> String {
    let chars: Vec<char> = text.chars().collect();
    let start = chars.len() * at / 1000;
    let end = (start + length).min(chars.len());
    let part = |range: std::ops::Range<usize>| chars[range].iter().collect::<String>();
    let (before, middle, after) = (part(0..start), part(start..end), part(end..chars.len()));
    match change {
        Change::Remove => before + &after,
        Change::Double => before + &middle + &middle + &after,
        Change::Replace(piece) => before + piece + &after,
    }
}

fn is_answered(name: &str, text: String) {
    let loaded = load_source(Source::new(name, text), &Limits::default());
    let words = loaded.diagnostics.to_string();
    assert_eq!(words.is_empty(), loaded.diagnostics.is_empty());
    for it in &loaded.objects {
        to_yaml(&it.object);
        it.origin.position();
    }
}

#[test]
fn the_valid_ones_are_valid() {
    for text in VALID {
        let loaded = load_source(Source::new("it", *text), &Limits::default());
        assert!(loaded.diagnostics.is_empty(), "{}", loaded.diagnostics);
        assert!(!loaded.objects.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn changed_manifests_are_answered(
        which in 0..VALID.len(),
        changes in prop::collection::vec((0_usize..1000, 0_usize..20, any_change()), 1..6),
    ) {
        let text = changes.iter().fold(VALID[which].to_owned(), |text, (at, length, change)| changed(&text, *at, *length, change));
        is_answered("it.yaml", text.clone());
        is_answered("it.json", text);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        is_answered("it.yaml", String::from_utf8_lossy(&bytes).into_owned());
        is_answered("it.json", String::from_utf8_lossy(&bytes).into_owned());
    }
}
