//! The report for people: a table, what differs, and the sum.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::report::{Disagreement, FileReport, Report};

/// How many disagreements of a file are told.
const DISAGREEMENTS_MAX: usize = 20;

/// Ends with the line `N passed, M failed`, which counts attempts.
pub fn text(report: &Report) -> String {
    let mut text = format!("{}\n", table(report));
    for file in report.files.iter().filter(|it| !it.disagreements.is_empty()) {
        tell_disagreements(&mut text, file);
    }
    let _ = writeln!(text, "\n{} passed, {} failed", report.passed, report.failed);
    text
}

fn table(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["file", "cases", "attempts", "agreed", "disagreed"]);
    for file in &report.files {
        let counts = [file.cases, file.attempts, file.agreed, file.disagreed].map(|it| it.to_string());
        table.add_row(std::iter::once(file.file.clone()).chain(counts));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn tell_disagreements(text: &mut String, file: &FileReport) {
    let _ = writeln!(text, "\n{}", file.file);
    for it in file.disagreements.iter().take(DISAGREEMENTS_MAX) {
        let Disagreement { case, field, expected, got, .. } = it;
        let _ = writeln!(text, "  {case}{}: {field}", place(it));
        let _ = writeln!(text, "    expected {expected}\n    got      {got}");
    }
    let left = file.disagreements.len().saturating_sub(DISAGREEMENTS_MAX);
    if left > 0 {
        let _ = writeln!(text, "  and {left} more");
    }
}

fn place(it: &Disagreement) -> String {
    let phase = it.phase.map(|it| format!(" in phase {it}")).unwrap_or_default();
    match (it.pod.as_str(), it.attempt) {
        ("", _) => String::new(),
        (pod, 0) => format!(", pod {pod}"),
        (pod, attempt) => format!(", pod {pod}, attempt {attempt}{phase}"),
    }
}
