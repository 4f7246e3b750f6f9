//! Errors of YAML's syntax, said so that one knows what to change.

use saphyr_parser::ScanError;

use crate::diagnostic::Diagnostic;
use crate::source::{Mark, Source};

pub(super) fn explain(source: &Source, error: &ScanError) -> Diagnostic {
    let small = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    let marker = error.marker();
    let mut mark = Mark::new(small(marker.line()), small(marker.col() + 1), 1);
    let line = source.line(mark.position.line);
    let spaces = line.len() - line.trim_start_matches(' ').len();
    let (message, help) = if line[spaces..].starts_with('\t') {
        mark.position.column = small(spaces + 1);
        ("a tab in the indentation", Some("YAML is indented by spaces only"))
    } else {
        words(error.info())
    };
    let diagnostic = Diagnostic::new(source, shown(source, mark), message);
    match help {
        Some(help) => diagnostic.with_help(help),
        None => diagnostic,
    }
}

/// A place that can be shown: at the end of a text the last line that has something in it.
fn shown(source: &Source, mark: Mark) -> Mark {
    let mut line = mark.position.line;
    if !source.line(line).trim().is_empty() {
        return mark;
    }
    while line > 1 && source.line(line).trim().is_empty() {
        line -= 1;
    }
    let width = source.line(line).trim_end().chars().count();
    Mark::new(line, u32::try_from(width).unwrap_or(u32::MAX).saturating_add(1), 1)
}

/// The parser's words for an error, and ours.
fn words(info: &str) -> (&str, Option<&'static str>) {
    const INDENTATION: &str = "what belongs together starts in the same column";
    const QUOTE: &str = "close it with the quote it begins with";
    const FLOW: &str = "every `[` has its `]`, every `{` its `}`, with commas between the values";
    let known = [
        ("unexpected end of stream", "a quoted text has no end", Some(QUOTE)),
        ("unexpected document indicator", "a quoted text has no end before the next document", Some(QUOTE)),
        (
            "invalid indentation in quoted",
            "a quoted text has no end, or goes on with too little indentation",
            Some(QUOTE),
        ),
        ("invalid trailing content", "something stands after the end of a quoted text", None),
        (
            "unknown escape",
            "unknown escape in a double-quoted text",
            Some("write a backslash as `\\\\`, or use single quotes"),
        ),
        ("tab", "a tab where only spaces may stand", Some("YAML is indented by spaces only")),
        ("simple key expect", "a key without `:`", Some(INDENTATION)),
        (
            "mapping values are not allowed",
            "a `:` where no key can be",
            Some("quote a text that has a `: ` in it; indent a mapping below its key"),
        ),
        (
            "block sequence entries are not allowed",
            "a list item where none can be",
            Some("a list starts on a line of its own, below its key"),
        ),
        ("mapping keys are not allowed", "a key where none can be", Some(INDENTATION)),
        ("did not find expected key", "this does not fit the lines above", Some(INDENTATION)),
        ("did not find expected '-'", "this does not fit the list above", Some(INDENTATION)),
        ("',' or '}'", "a `{` without its `}`", Some(FLOW)),
        ("',' or ']'", "a `[` without its `]`", Some(FLOW)),
        ("misplaced bracket", "a closing bracket without its opening one", Some(FLOW)),
        (
            "invalid indentation in flow",
            "what is inside brackets has too little indentation",
            Some(INDENTATION),
        ),
        (
            "wrongly indented line in block",
            "a line of this block has too little indentation",
            Some(INDENTATION),
        ),
        ("invalid indentation", "this indentation fits nothing above", Some(INDENTATION)),
        (
            "unknown anchor",
            "alias to an unknown anchor",
            Some("an anchor comes before its aliases, in the same document"),
        ),
        ("recursion limit", "values are nested more than 100 deep", None),
        ("expected next token", "a character that cannot start a value", Some("quote the text")),
        ("unprintable", "a control character", Some("in a double-quoted text it can be written as `\\x…`")),
        (
            "<document start>",
            "something stands after the end of the document",
            Some("documents are separated by a line `---`"),
        ),
    ];
    let found = known.iter().find(|(part, _, _)| info.contains(part));
    found.map_or((info, None), |(_, message, help)| (message, *help))
}
