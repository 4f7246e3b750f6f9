//! Texts that people wrote, and where in them something stands.

use std::sync::{Arc, OnceLock};

use serde::Serialize;

/// A text with a name, usually that of its file. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Source(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: Arc<str>,
    text: String,
    /// Byte offsets at which lines start; worked out when an error is shown.
    lines: OnceLock<Vec<usize>>,
}

/// Where something starts, as editors count: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// A place on one line: where it starts, and how many characters a caret underlines, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    pub position: Position,
    pub width: u32,
}

impl Source {
    /// `name` is shown to people as it is given; a byte order mark at the start of `text` is dropped.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Self(Arc::new(Inner { name: name.into(), text, lines: OnceLock::new() }))
    }

    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The line with this number, counted from 1, without its end. Empty when there is none.
    pub fn line(&self, number: u32) -> &str {
        let starts = self.0.lines.get_or_init(|| line_starts(self.text()));
        let Some(idx) = (number as usize).checked_sub(1) else { return "" };
        let Some(&start) = starts.get(idx) else { return "" };
        let end = starts.get(idx + 1).copied().unwrap_or(self.text().len());
        self.text()[start..end].trim_end_matches(['\n', '\r'])
    }

    /// The characters that `mark` underlines.
    pub fn excerpt(&self, mark: Mark) -> String {
        let column = mark.position.column.saturating_sub(1) as usize;
        self.line(mark.position.line).chars().skip(column).take(mark.width as usize).collect()
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

impl Position {
    pub const START: Self = Self { line: 1, column: 1 };

    pub const fn new(line: u32, column: u32) -> Self {
        Self { line, column }
    }
}

impl Mark {
    pub const fn new(line: u32, column: u32, width: u32) -> Self {
        Self { position: Position::new(line, column), width }
    }
}

impl Default for Mark {
    fn default() -> Self {
        Self { position: Position::START, width: 1 }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_number_whatever_ends_them() {
        let source = Source::new("it", "\u{feff}one\r\ntwo\n\nfour");
        assert_eq!([1, 2, 3, 4].map(|it| source.line(it)), ["one", "two", "", "four"]);
        assert_eq!((source.line(0), source.line(5)), ("", ""));
    }

    #[test]
    fn excerpts_count_characters_not_bytes() {
        let source = Source::new("it", "größe: zehn");
        assert_eq!(source.excerpt(Mark::new(1, 8, 4)), "zehn");
        assert_eq!(source.excerpt(Mark::new(1, 10, 99)), "hn");
    }
}
