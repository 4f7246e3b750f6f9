//! The nearest known word, for messages that ask “did you mean …?”.

/// The candidate most like `word`, if one is so like it that it was probably meant. Of several equally near
/// ones, the first.
///
/// A third of the letters may be wrong, missing, too many or swapped, but at least one; case does not count.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distances =
        candidates.into_iter().map(|it| (strsim::damerau_levenshtein(&word, &it.to_lowercase()), it));
    let (distance, candidate) = distances.min_by_key(|(distance, _)| *distance)?;
    let distance_max = (word.chars().count() / 3).max(1);
    (distance <= distance_max).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_probably_meant() {
        let fields = ["replicas", "selector", "strategy", "template", "paused"];
        let table = [
            ("replica", Some("replicas")),
            ("Replicas", Some("replicas")),
            ("tempalte", Some("template")),
            ("stratgey", Some("strategy")),
            ("pause", Some("paused")),
            ("colour", None),
            ("", None),
        ];
        for (word, expected) in table {
            assert_eq!(nearest(word, fields), expected, "{word}");
        }
        assert_eq!(nearest("x", []), None);
        assert_eq!(nearest("ab", ["ac", "ad"]), Some("ac"));
    }
}
