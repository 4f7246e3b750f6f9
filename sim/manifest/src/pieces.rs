//! How finely a text is cut up, counted before anything is made of it: a file of tiny values takes far more memory
//! than its size says.

/// In JSON, its values: what commas, brackets and braces outside of texts set apart. Elsewhere its lines and commas, of
/// which a few values lie between two at most, unless it is written to deceive; [`Limits::values_max`] is for those.
///
/// [`Limits::values_max`]: crate::limits::Limits::values_max
pub(crate) fn pieces(text: &[u8]) -> usize {
    let first = text.iter().find(|it| !it.is_ascii_whitespace());
    if matches!(first, Some(b'{' | b'[')) {
        return values_of_json(text);
    }
    text.iter().filter(|it| matches!(it, b'\n' | b',')).count()
}

fn values_of_json(text: &[u8]) -> usize {
    let (mut count, mut is_text, mut is_escaped) = (1, false, false);
    for byte in text {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => count += 1,
            _ => (),
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_json_are_counted_outside_of_texts() {
        assert_eq!(pieces(br#" {"a": [1, 2, "x,\",[{", {}]}"#), 7);
        assert_eq!(pieces(b"[1]"), 2);
    }

    #[test]
    fn lines_and_commas_of_yaml_are_counted() {
        assert_eq!(pieces(b"a: [1, 2]\nb: 3\n"), 3);
        assert_eq!(pieces(b""), 0);
    }
}
