//! What is wrong with an input, where, and what would be right.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::source::{Mark, Position, Source};

/// How many errors of one file are listed; the others are counted.
const SHOWN_PER_FILE_MAX: usize = 20;
/// How many characters of a line are shown.
const EXCERPT_MAX: usize = 100;

/// One thing that is wrong with a file.
///
/// Shown as `file:line:column: message`, then the line with a caret, then the help, if there is any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub file: Arc<str>,
    /// Absent when the file as a whole is wrong.
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    pub position: Option<Position>,
    /// The object's field, as `spec.containers[0].image`; empty where that says nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    pub message: String,
    /// What would be right, when that does not fit in the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    #[serde(skip)]
    excerpt: Option<Box<Excerpt>>,
}

/// A line, cut to what fits, and what a caret underlines in it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    text: String,
    /// Characters before the caret.
    indent: usize,
    width: usize,
}

/// Everything that is wrong with an input: the first errors of each file, in its order, and how many more there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
    /// Files with more errors than are listed, and how many more.
    hidden: Vec<(Arc<str>, usize)>,
}

impl Diagnostic {
    pub fn new(source: &Source, mark: Mark, message: impl Into<String>) -> Self {
        Self {
            position: Some(mark.position),
            excerpt: Excerpt::of(source, mark).map(Box::new),
            ..Self::of_file(source.name().clone(), message)
        }
    }

    /// An error that has no place in the text, such as that there is none.
    pub fn of_file(file: impl Into<Arc<str>>, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            position: None,
            path: String::new(),
            message: message.into(),
            help: None,
            excerpt: None,
        }
    }

    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Diagnostics {
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Those that are listed.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.items.iter()
    }

    /// All, listed or not.
    pub fn count(&self) -> usize {
        self.items.len() + self.hidden.iter().map(|(_, count)| count).sum::<usize>()
    }

    /// Adds what was found in one file: by position, each once, the first [`SHOWN_PER_FILE_MAX`].
    pub fn add(&mut self, mut found: Vec<Diagnostic>) {
        found.sort_by_key(|it| it.position);
        let mut unique: Vec<Diagnostic> = Vec::with_capacity(found.len());
        for it in found {
            let before = unique.iter().rev().take_while(|other| other.position == it.position);
            if !before.into_iter().any(|other| other.message == it.message) {
                unique.push(it);
            }
        }
        if unique.len() > SHOWN_PER_FILE_MAX {
            self.hidden.push((unique[0].file.clone(), unique.len() - SHOWN_PER_FILE_MAX));
            unique.truncate(SHOWN_PER_FILE_MAX);
        }
        self.items.append(&mut unique);
    }

    /// Adds what another reader found.
    pub fn append(&mut self, mut other: Self) {
        self.items.append(&mut other.items);
        self.hidden.append(&mut other.hidden);
    }
}

impl From<Vec<Diagnostic>> for Diagnostics {
    /// Of one file.
    fn from(found: Vec<Diagnostic>) -> Self {
        let mut all = Self::default();
        all.add(found);
        all
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(found: Diagnostic) -> Self {
        Self::from(vec![found])
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl std::error::Error for Diagnostics {}

impl std::error::Error for Diagnostic {}

impl Serialize for Diagnostics {
    /// As the list of those that are shown.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.items)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (idx, it) in self.items.iter().enumerate() {
            writeln!(f, "{it}")?;
            let is_last_of_file = self.items.get(idx + 1).is_none_or(|next| next.file != it.file);
            let hidden = self.hidden.iter().find(|(file, _)| *file == it.file);
            if let (true, Some((file, count))) = (is_last_of_file, hidden) {
                writeln!(f, "{file}: and {count} more")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(f, "{}:{position}: {}", self.file, self.message)?,
            None => write!(f, "{}: {}", self.file, self.message)?,
        }
        let gutter = self.position.map_or(0, |it| it.line.to_string().len());
        if let (Some(position), Some(excerpt)) = (self.position, &self.excerpt) {
            let (text, indent) = (&excerpt.text, excerpt.indent);
            write!(f, "\n{:gutter$} |\n{} | {text}", "", position.line)?;
            write!(f, "\n{:gutter$} | {:indent$}{}", "", "", "^".repeat(excerpt.width))?;
        }
        match &self.help {
            Some(help) => write!(f, "\n{:gutter$} = {help}", ""),
            None => Ok(()),
        }
    }
}

impl Excerpt {
    /// `None` where there is nothing to show.
    fn of(source: &Source, mark: Mark) -> Option<Self> {
        let line = source.line(mark.position.line);
        let column = mark.position.column.saturating_sub(1) as usize;
        // Very long lines are cut on the left too, so that the place is within what is shown.
        let cut = if column + 20 > EXCERPT_MAX { column - EXCERPT_MAX / 2 } else { 0 };
        let mut chars = line.chars().skip(cut);
        let shown: String = chars.by_ref().take(EXCERPT_MAX).map(printable).collect();
        let (before, after) = (if cut > 0 { "…" } else { "" }, if chars.next().is_some() { "…" } else { "" });
        let indent = column - cut + before.chars().count();
        let text = format!("{before}{}{after}", shown.trim_end());
        let width = (mark.width.max(1) as usize).min(text.chars().count().saturating_sub(indent).max(1));
        (!text.trim().is_empty()).then_some(Self { text, indent, width })
    }
}

/// One character for one column: no tabs, nothing that moves a terminal's cursor.
fn printable(it: char) -> char {
    if it == '\t' {
        ' '
    } else if it.is_control() {
        '\u{fffd}'
    } else {
        it
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn at(line: u32, column: u32) -> Diagnostic {
        let source = Source::new("web.yaml", "kind: Pod\nspec:\n  replcas: 3\n");
        Diagnostic::new(&source, Mark::new(line, column, 7), "unknown field `replcas`")
    }

    #[test]
    fn errors_show_the_line_with_a_caret() {
        expect![[r"
            web.yaml:3:3: unknown field `replcas`
              |
            3 |   replcas: 3
              |   ^^^^^^^
              = write `replicas`"]]
        .assert_eq(&at(3, 3).with_help("write `replicas`").to_string());
    }

    #[test]
    fn errors_beyond_the_limit_are_counted() {
        let found: Vec<_> =
            (0..30).map(|it| Diagnostic { message: format!("no {it}"), ..at(1, 1) }).collect();
        let all = Diagnostics::from([found.clone(), found].concat());
        assert_eq!((all.iter().count(), all.count()), (20, 30));
        assert!(all.to_string().ends_with("web.yaml: and 10 more\n"));
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let source = Source::new("long.json", "x".repeat(1_000));
        let text = Diagnostic::new(&source, Mark::new(1, 500, 3), "wrong").to_string();
        assert!(text.lines().all(|line| line.chars().count() < 110), "{text}");
        let (line, caret) = (text.lines().nth(2).unwrap_or(""), text.lines().nth(3).unwrap_or(""));
        assert!(caret.ends_with("^^^") && caret.len() < line.len());
    }

    #[test]
    fn json_names_file_line_and_column() {
        let json = serde_json::to_string(&Diagnostics::from(at(3, 3))).expect("plain data");
        expect![[r#"[{"file":"web.yaml","line":3,"column":3,"message":"unknown field `replcas`"}]"#]]
            .assert_eq(&json);
    }
}
