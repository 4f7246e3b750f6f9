//! Indentation that YAML 1.2 forbids and Kubernetes' parser does not mind: inside quotes and brackets.
//!
//! The parser that we use keeps to YAML 1.2. Where it refuses a text for this, the lines in question are indented
//! and the text is read again; places are told as they are in the text that was given.

use std::collections::BTreeMap;

use saphyr_parser::ScanError;

/// More than anything that stands in a bracket or in quotes could need.
const INDENT: usize = 64;

/// Larger texts are not repaired, since each line takes another reading.
const BYTES_MAX: usize = 1 << 20;

/// How many spaces were put before lines that were indented too little, by the line's number.
#[derive(Clone, Debug, Default)]
pub(super) struct Shifts(BTreeMap<usize, usize>);

impl Shifts {
    /// The column that was given, counted from 0.
    pub(super) fn undo(&self, line: usize, column: usize) -> usize {
        column.saturating_sub(self.0.get(&line).copied().unwrap_or(0))
    }

    fn indent(&mut self, lines: &mut [String], number: usize) {
        if let Some(line) = number.checked_sub(1).and_then(|idx| lines.get_mut(idx)) {
            line.insert_str(0, &" ".repeat(INDENT));
            *self.0.entry(number).or_default() += INDENT;
        }
    }
}

/// The text with more indentation, if that is what `error` is about.
pub(super) fn repair(text: &str, error: &ScanError, shifts: &mut Shifts) -> Option<String> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let mut lines: Vec<String> = text.split_inclusive('\n').map(String::from).collect();
    let (start, column) = (error.marker().line(), error.marker().col());
    let is_first = lines.get(start.checked_sub(1)?)?.chars().take(column).all(char::is_whitespace);
    match error.info() {
        "invalid indentation" | "invalid indentation in flow construct" => shifts.indent(&mut lines, start),
        "invalid indentation in quoted scalar" => {
            let end = end_of_quoted(&lines, start, column)?;
            let first = if end == start && is_first { start } else { start + 1 };
            (first..=end).for_each(|number| shifts.indent(&mut lines, number));
        }
        _ => return None,
    }
    Some(lines.concat())
}

/// The line in which a quoted text ends that starts at this line and column.
fn end_of_quoted(lines: &[String], start: usize, column: usize) -> Option<usize> {
    let quote = lines.get(start.checked_sub(1)?)?.chars().nth(column)?;
    let mut skip = column + 1;
    let mut is_escaped = false;
    for (idx, line) in lines.iter().enumerate().skip(start - 1) {
        for it in line.chars().skip(skip) {
            if it == quote && !is_escaped {
                return Some(idx + 1);
            }
            is_escaped = quote == '"' && it == '\\' && !is_escaped;
        }
        skip = 0;
    }
    None
}
