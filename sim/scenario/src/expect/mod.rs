//! What must hold in a run: expectations in CEL over the live objects.

mod compile;
mod describe;
mod fields;
mod functions;
mod judge;
mod parts;
mod render;
mod rollout;
mod tables;
#[cfg(test)]
mod tests;
mod value;

use base::{Name, Span};
use manifest::Path;

pub(crate) use self::compile::Condition;
pub(crate) use self::judge::Jury;
pub use self::judge::Verdict;
use crate::document::Problems;
use crate::file;
use crate::timeline;

/// One thing that must be so.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The condition itself where the scenario gives no name.
    pub name: Name,
    pub claim: Claim,
    pub(crate) condition: Condition,
    /// From when on it counts, since the start of the run.
    pub after: Span,
}

/// When the condition must be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// At every instant from `after` to the end.
    Always,
    /// At some instant from `after` to the deadline, which is since the start of the run; to the end if there is
    /// none.
    Eventually { by: Option<Span> },
    /// At no instant from `after` to the end.
    Never,
}

impl Expectation {
    /// The condition as it was written.
    pub fn text(&self) -> &str {
        self.condition.text()
    }
}

impl Claim {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Eventually { .. } => "eventually",
            Self::Never => "never",
        }
    }
}

/// The expectations of a scenario that ends at `end`. What is wrong with them goes to `problems`.
pub(crate) fn read(entries: &[file::Expect], end: Span, problems: &mut Problems) -> Vec<Expectation> {
    let at = |n| Path::parse("spec.expect").index(n);
    entries.iter().enumerate().filter_map(|(n, it)| read_one(it, &at(n), end, problems)).collect()
}

fn read_one(it: &file::Expect, path: &Path, end: Span, problems: &mut Problems) -> Option<Expectation> {
    let (word, text) = one_claim(it, path, problems)?;
    let after = it.after.map(|after| (after, path.clone().key("after")));
    let after = after.and_then(|(after, path)| timely(after, &path, end, problems)).unwrap_or(Span::ZERO);
    let within = it.within.and_then(|within| {
        let path = path.clone().key("within");
        if word != "eventually" {
            let help = "an `always` or `never` holds from `after` to the end of the run";
            problems.add_with_help(&path, "`within` belongs to `eventually`", help);
        }
        timely(within, &path, end, problems)
    });
    let claim = match word {
        "always" => Claim::Always,
        "never" => Claim::Never,
        _ => Claim::Eventually { by: within.map(|within| after + within) },
    };
    let condition = Condition::compile(text)
        .map_err(|wrong| {
            let here = path.clone().key(word);
            for it in wrong {
                let diagnostic = problems.document().within(&here, it.place, it.message);
                let diagnostic = match it.help {
                    Some(help) => diagnostic.with_help(help),
                    None => diagnostic,
                };
                problems.add_at(&here, diagnostic);
            }
        })
        .ok()?;
    let name = it.name.clone().unwrap_or_else(|| Name::new(text.trim()));
    Some(Expectation { name, claim, condition, after })
}

/// A time within the run.
fn timely(duration: api::GoDuration, path: &Path, end: Span, problems: &mut Problems) -> Option<Span> {
    let span = timeline::span(duration, path, problems)?;
    if end < span {
        let end = api::GoDuration::from(end);
        problems.add(path, format!("{duration} lies beyond the end of the run at {end}"));
    }
    Some(span)
}

/// Which of the three claims an entry makes, and about what.
fn one_claim<'a>(
    it: &'a file::Expect,
    path: &Path,
    problems: &mut Problems,
) -> Option<(&'static str, &'a String)> {
    let claims = [("always", &it.always), ("eventually", &it.eventually), ("never", &it.never)];
    let mut there = claims.into_iter().filter_map(|(word, text)| Some((word, text.as_ref()?)));
    match (there.next(), there.next()) {
        (Some(one), None) => return Some(one),
        (Some((first, _)), Some((second, _))) => problems.add_with_help(
            &path.clone().key(second),
            format!("an expectation claims one thing: `{first}` or `{second}`"),
            "make it two expectations",
        ),
        (None, _) => problems.add_with_help(
            path,
            "this expectation claims nothing",
            "add `always: …`, `eventually: …` or `never: …`",
        ),
    }
    None
}
