//! Values as lines of YAML.
//!
//! Upstream: `goyaml.v2/emitterc.go`.

use serde_json::{Map, Value};

use super::order;
use super::scalar::{self, Style};

/// Upstream's `best_width`: a text is broken at the first space beyond this column.
const WIDTH: usize = 80;

/// A value with its line break.
pub(super) fn write(value: &Value) -> String {
    let mut writer = Writer { out: String::new(), column: 0 };
    writer.value(value, 0, Place::Top);
    writer.out.push('\n');
    writer.out
}

struct Writer {
    out: String,
    /// Characters in the line so far.
    column: usize,
}

/// What a value comes after.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Key,
    Dash,
}

impl Writer {
    /// Writes `value`. `indent` is that of its key; of an item of a list, where the item starts.
    fn value(&mut self, value: &Value, indent: usize, place: Place) {
        match value {
            Value::Object(map) if !map.is_empty() => self.map(map, indent, place),
            Value::Array(items) if !items.is_empty() => self.list(items, indent, place),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {
                if place != Place::Top {
                    self.put(" ");
                }
                if let Some(text) = value.as_str() {
                    self.text(text, if place == Place::Dash { indent } else { indent + 2 }, false);
                } else {
                    self.put(&value.to_string()); // As in JSON, also `[]` and `{}`.
                }
            }
        }
    }

    fn map(&mut self, map: &Map<String, Value>, indent: usize, place: Place) {
        let mut entries: Vec<(&String, &Value)> = map.iter().collect();
        entries.sort_by(|(a, _), (b, _)| order::compare(a, b));
        let indent = if place == Place::Key { indent + 2 } else { indent };
        for (idx, (key, value)) in entries.into_iter().enumerate() {
            match (idx, place) {
                (0, Place::Top) => (),
                (0, Place::Dash) => self.put(" "),
                _ => self.start_line(indent),
            }
            self.text(key, indent, true);
            self.put(":");
            self.value(value, indent, Place::Key);
        }
    }

    /// The items of a list stand below its key, no further in.
    fn list(&mut self, items: &[Value], indent: usize, place: Place) {
        for (idx, item) in items.iter().enumerate() {
            match (idx, place) {
                (0, Place::Top) => (),
                (0, Place::Dash) => self.put(" "),
                _ => self.start_line(indent),
            }
            self.put("-");
            self.value(item, indent + 2, Place::Dash);
        }
    }

    fn text(&mut self, text: &str, indent: usize, is_key: bool) {
        match scalar::style(text, is_key) {
            Style::Plain => self.folded(text, indent, is_key),
            Style::Single => {
                self.put("'");
                self.folded(&text.replace('\'', "''"), indent, is_key);
                self.put("'");
            }
            Style::Double => self.double(text, indent, is_key),
            Style::Literal => self.literal(text, indent),
        }
    }

    /// Breaks at single spaces beyond the width, where a reader puts the space back.
    fn folded(&mut self, text: &str, indent: usize, is_key: bool) {
        let mut chars = text.chars().peekable();
        let (mut is_start, mut after_space) = (true, false);
        while let Some(it) = chars.next() {
            let is_single = it == ' ' && !after_space && chars.peek().is_some_and(|next| *next != ' ');
            if is_single && !is_start && !is_key && self.column > WIDTH {
                self.start_line(indent);
            } else {
                self.put_char(it);
            }
            (is_start, after_space) = (false, it == ' ');
        }
    }

    fn double(&mut self, text: &str, indent: usize, is_key: bool) {
        self.put("\"");
        let mut chars = text.chars().peekable();
        let (mut is_start, mut after_space) = (true, false);
        while let Some(it) = chars.next() {
            match it {
                ' ' if !is_key
                    && !after_space
                    && !is_start
                    && chars.peek().is_some()
                    && self.column > WIDTH =>
                {
                    self.start_line(indent);
                    if chars.peek() == Some(&' ') {
                        self.put("\\");
                    }
                    after_space = true;
                }
                _ => {
                    self.escaped(it);
                    after_space = it == ' ';
                }
            }
            is_start = false;
        }
        self.put("\"");
    }

    fn escaped(&mut self, it: char) {
        let name = match it {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            _ if scalar::is_printable(it) => return self.put_char(it),
            _ => return self.put(&code_of(it)),
        };
        self.put(name);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2"); // The indentation cannot be told from the first line.
        }
        match text.strip_suffix('\n') {
            None => self.put("-"),
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => self.put("+"),
            Some(_) => (),
        }
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            self.out.push('\n');
            self.column = 0;
            if !line.is_empty() {
                self.put(&" ".repeat(indent));
                self.put(line);
            }
        }
    }

    fn start_line(&mut self, indent: usize) {
        self.out.push('\n');
        self.column = 0;
        self.put(&" ".repeat(indent));
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn put_char(&mut self, it: char) {
        self.out.push(it);
        self.column += 1;
    }
}

fn code_of(it: char) -> String {
    match u32::from(it) {
        code @ ..=0xff => format!("\\x{code:02X}"),
        code @ ..=0xffff => format!("\\u{code:04X}"),
        code => format!("\\U{code:08X}"),
    }
}
