//! The chain of causes behind what happened to an object.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use api::Key;
use base::{Cause, Time};
use record::{Log, Record};

use crate::tables::seconds;

/// Everything recorded about `object` in the order of time, each with what led to it, indented, back to the command or
/// the fault that it began with. A cause that was told before is not told again.
pub fn explain(log: &Log, start: Time, object: &Key) -> String {
    let mut text = String::new();
    let mut told: BTreeSet<Cause> = BTreeSet::new();
    for record in log.about(object) {
        line(&mut text, start, &record, 0);
        told.insert(record.id);
        for (depth, cause) in log.chain(record.cause).into_iter().rev().enumerate() {
            let is_news = told.insert(cause.id);
            if !is_news {
                break;
            }
            line(&mut text, start, &cause, depth + 1);
        }
    }
    text
}

fn line(text: &mut String, start: Time, record: &Record, depth: usize) {
    let because = if depth == 0 { String::new() } else { format!("{}because ", "  ".repeat(depth)) };
    let _ = writeln!(text, "{:>13} s  {because}{} {}", seconds(start, record.at), record.actor, record.what);
}
