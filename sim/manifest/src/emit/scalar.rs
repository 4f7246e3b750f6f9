//! Which way a text is written: bare, in quotes or as a block.
//!
//! Upstream: `goyaml.v2/encode.go` (`stringv`) and `goyaml.v2/emitterc.go` (`yaml_emitter_analyze_scalar`).

use crate::yaml::scalar::is_ambiguous;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    /// `|`
    Literal,
}

/// What the characters of a text allow.
#[derive(Clone, Copy)]
struct Allowed {
    plain: bool,
    single: bool,
    block: bool,
}

pub(super) fn style(text: &str, is_key: bool) -> Style {
    let allowed = analyze(text);
    if text.contains('\n') {
        return if allowed.block && !is_key { Style::Literal } else { Style::Double };
    }
    match (is_ambiguous(text), allowed) {
        (true, _) => Style::Double,
        (false, Allowed { plain: true, .. }) => Style::Plain,
        (false, Allowed { single: true, .. }) => Style::Single,
        (false, _) => Style::Double,
    }
}

fn analyze(text: &str) -> Allowed {
    let chars: Vec<char> = text.chars().collect();
    let blank = |idx: Option<usize>| {
        idx.is_none_or(|it| chars.get(it).is_none_or(|c| matches!(c, ' ' | '\t' | '\n' | '\r')))
    };
    let mut is_special = false;
    let mut has_indicator = text.starts_with("---") || text.starts_with("...");
    let (mut space_break, mut break_space) = (false, false);
    for (idx, &it) in chars.iter().enumerate() {
        has_indicator |= match it {
            '#' => idx == 0 || blank(idx.checked_sub(1)),
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                idx == 0
            }
            '?' | '-' => idx == 0 && blank(Some(idx + 1)),
            ':' => blank(Some(idx + 1)),
            _ => false,
        };
        is_special |= !is_printable(it);
        space_break |= it == '\n' && idx > 0 && chars[idx - 1] == ' ';
        break_space |= it == ' ' && idx > 0 && chars[idx - 1] == '\n';
    }
    let edge = |it: Option<&char>| it.is_some_and(|it| matches!(it, ' ' | '\n'));
    let has_edge = edge(chars.first()) || edge(chars.last());
    let is_quoted = space_break || is_special;
    Allowed {
        plain: !(is_quoted || has_indicator || has_edge || break_space || text.contains('\n')),
        single: !(is_quoted || break_space),
        block: !(is_quoted || chars.last() == Some(&' ')),
    }
}

/// Upstream: `is_printable`. A tab is not.
pub(super) fn is_printable(it: char) -> bool {
    matches!(it, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && it != '\u{feff}'
}
