//! How far we agree with recordings, file by file.

use std::io::BufRead;
use std::path::Path;

use base::Name;
use serde::Serialize;
use serde_json::Value;

use crate::case::Case;
use crate::read::{ReadError, each_case, each_case_of};
use crate::replay::{Disagreed, replay};

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    pub files: Vec<FileReport>,
    /// Attempts that agree in every field.
    pub passed: usize,
    /// Attempts that do not. What is no attempt, such as a gate or a weight, counts only if it disagrees.
    pub failed: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FileReport {
    pub file: String,
    pub cases: usize,
    /// As upstream made them.
    pub attempts: usize,
    pub agreed: usize,
    pub disagreed: usize,
    /// One for each field that differs.
    pub disagreements: Vec<Disagreement>,
}

/// One field of one attempt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Disagreement {
    pub case: String,
    /// `namespace/name`; empty for what is about the case as a whole.
    pub pod: Name,
    /// 0 for what is no attempt.
    pub attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<u32>,
    pub field: String,
    pub expected: Value,
    pub got: Value,
}

/// Replays the recordings in these files.
///
/// # Errors
///
/// The first thing that is wrong with the files.
pub fn check(files: &[impl AsRef<Path>]) -> Result<Report, ReadError> {
    let mut report = Report::default();
    for file in files {
        let mut own = FileReport::new(file.as_ref().display().to_string());
        each_case(file.as_ref(), |case| own.add(&case))?;
        report.add(own);
    }
    Ok(report)
}

/// Replays a recording that is not compressed; `file` is its name.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn check_text(file: &str, reader: impl BufRead) -> Result<Report, ReadError> {
    let mut own = FileReport::new(file.into());
    each_case_of(file, reader, |case| own.add(&case))?;
    let mut report = Report::default();
    report.add(own);
    Ok(report)
}

impl Report {
    fn add(&mut self, file: FileReport) {
        self.passed += file.agreed;
        self.failed += file.disagreed;
        self.files.push(file);
    }
}

impl FileReport {
    fn new(file: String) -> Self {
        Self { file, ..Self::default() }
    }

    fn add(&mut self, case: &Case) {
        let outcome = replay(case);
        self.cases += 1;
        self.attempts += outcome.attempts;
        self.agreed += outcome.agreed;
        self.disagreed += outcome.disagreed.len();
        self.disagreements.extend(outcome.disagreed.into_iter().flat_map(|it| disagreements(&case.name, it)));
    }
}

fn disagreements(case: &str, disagreed: Disagreed) -> impl Iterator<Item = Disagreement> {
    let Disagreed { pod, attempt, phase, differences } = disagreed;
    differences.into_iter().map(move |it| Disagreement {
        case: case.into(),
        pod: pod.clone(),
        attempt,
        phase,
        field: it.field,
        expected: it.expected,
        got: it.got,
    })
}
