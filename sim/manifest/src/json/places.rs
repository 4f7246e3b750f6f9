//! The thorough way: the place of every value, and every error with its place. Taken when an error is to be shown.

use crate::diagnostic::Diagnostic;
use crate::limits::Limits;
use crate::source::{Mark, Source};
use crate::yaml::{Content, Entry, Node, Parsed, scalar};

/// The values of a text, one after the other.
pub fn parse(source: &Source, limits: &Limits) -> Parsed {
    let mut reader = Reader { source, limits, at: 0, counted: Counted::default(), errors: Vec::new() };
    let mut documents = Vec::new();
    while reader.peek().is_some() {
        match reader.value(0) {
            Ok(node) => documents.push(node),
            Err(fatal) => {
                reader.errors.push(fatal);
                break;
            }
        }
    }
    Parsed { documents, errors: reader.errors }
}

struct Reader<'a> {
    source: &'a Source,
    limits: &'a Limits,
    /// In bytes.
    at: usize,
    counted: Counted,
    errors: Vec<Diagnostic>,
}

/// The line and column of a byte, moved forward as reading goes on.
#[derive(Clone, Copy)]
struct Counted {
    at: usize,
    line: u32,
    column: u32,
}

impl Default for Counted {
    fn default() -> Self {
        Self { at: 0, line: 1, column: 1 }
    }
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Node, Diagnostic> {
        let Some(first) = self.peek() else { return Err(self.wrong("a value is missing at the end")) };
        if depth > self.limits.depth_max {
            return Err(self.wrong(format!("values are nested more than {} deep", self.limits.depth_max)));
        }
        let mark = self.mark();
        match first {
            b'{' => self.map(depth, mark),
            b'[' => self.list(depth, mark),
            b'"' => self.text(mark),
            _ => self.word(mark),
        }
    }

    fn map(&mut self, depth: usize, mark: Mark) -> Result<Node, Diagnostic> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut lines_of = std::collections::BTreeMap::new();
        self.at += 1;
        while self.goes_on(b'}', entries.is_empty())? {
            let key_mark = self.mark();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a key in double quotes is missing here"));
            }
            let key = self.text(key_mark)?;
            let Content::Text(text) = key.content else { unreachable!("`text` reads text") };
            if self.peek() != Some(b':') {
                return Err(self.wrong(format!("`:` is missing after the key `{text}`")));
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            match lines_of.insert(text.clone(), key.mark.position.line) {
                None => entries.push(Entry { key: text, mark: key.mark, value }),
                Some(first) => {
                    let error = self.error(key.mark, format!("key `{text}` is here a second time"));
                    let help = format!("the first one is in line {first}; a mapping has each key once");
                    self.errors.push(error.with_help(help));
                }
            }
        }
        Ok(Node::new(mark, Content::Map(entries)))
    }

    fn list(&mut self, depth: usize, mark: Mark) -> Result<Node, Diagnostic> {
        let mut items = Vec::new();
        self.at += 1;
        while self.goes_on(b']', items.is_empty())? {
            items.push(self.value(depth + 1)?);
        }
        Ok(Node::new(mark, Content::List(items)))
    }

    /// Whether another item comes; takes the comma before it, or the closing bracket.
    fn goes_on(&mut self, close: u8, is_first: bool) -> Result<bool, Diagnostic> {
        let next = self.peek();
        if next == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        if is_first && next.is_some() {
            return Ok(true);
        }
        if next != Some(b',') {
            return Err(self.wrong(format!("`,` or `{}` is missing here", char::from(close))));
        }
        self.at += 1;
        if self.peek() == Some(close) {
            return Err(
                self.wrong(format!("a comma before `{}`, which JSON does not allow", char::from(close)))
            );
        }
        Ok(true)
    }

    /// A text in quotes: its end is sought here, its escapes are left to `serde_json`.
    fn text(&mut self, mark: Mark) -> Result<Node, Diagnostic> {
        let bytes = self.source.text().as_bytes();
        let mut end = self.at + 1;
        while !matches!(bytes.get(end), None | Some(b'"' | b'\n')) {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        if bytes.get(end) != Some(&b'"') {
            return Err(self.error(mark, "a quoted text has no end"));
        }
        let quoted = &self.source.text()[self.at..=end];
        let text = serde_json::from_str(quoted)
            .map_err(|_| self.error(mark, "an escape or character that JSON does not know in a text"))?;
        let width = u32::try_from(quoted.chars().count()).unwrap_or(u32::MAX);
        self.at = end + 1;
        Ok(Node::new(Mark { width, ..mark }, Content::Text(text)))
    }

    fn word(&mut self, mark: Mark) -> Result<Node, Diagnostic> {
        let rest = &self.source.text()[self.at..];
        let end = rest.find([',', '}', ']', ':', '"', '{', '[', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
        let word = &rest[..end];
        let content = match word {
            "null" => Content::Null,
            "true" => Content::Bool(true),
            "false" => Content::Bool(false),
            _ => match number(word) {
                Some(number) => Content::Number(number),
                None if word.is_empty() => return Err(self.error(mark, "a value is missing here")),
                None => {
                    let error = self.error(mark, format!("`{word}` is not a JSON value"));
                    return Err(error.with_help("text stands in double quotes"));
                }
            },
        };
        let width = u32::try_from(word.chars().count()).unwrap_or(u32::MAX);
        self.at += end;
        Ok(Node::new(Mark { width, ..mark }, content))
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.source.text().as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn mark(&mut self) -> Mark {
        let Counted { at, mut line, mut column } = self.counted;
        for it in self.source.text()[at..self.at].chars() {
            (line, column) = if it == '\n' { (line + 1, 1) } else { (line, column.saturating_add(1)) };
        }
        self.counted = Counted { at: self.at, line, column };
        Mark::new(line, column, 1)
    }

    /// An error right here; at the end of the text, at the last thing in it.
    fn wrong(&mut self, message: impl Into<String>) -> Diagnostic {
        let text = self.source.text();
        if self.at >= text.len() {
            let last = text.trim_end().char_indices().next_back().map_or(0, |(at, _)| at);
            (self.at, self.counted) = (last, Counted::default());
        }
        let mark = self.mark();
        self.error(mark, message)
    }

    fn error(&self, mark: Mark, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.source, mark, message)
    }
}

fn number(word: &str) -> Option<serde_json::Number> {
    let number: serde_json::Number = serde_json::from_str(word).ok()?;
    if number.is_f64() { number.as_f64().and_then(scalar::normal) } else { Some(number) }
}
