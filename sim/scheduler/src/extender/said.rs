//! What extenders have said in one attempt to schedule a pod, and how long that took.

use base::{Name, Span};

/// What an extender was called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Filter,
    Prioritize,
    Preempt,
    Bind,
}

/// One call and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its address.
    pub extender: Name,
    pub verb: Verb,
    pub answer: Answer,
    /// In virtual time.
    pub took: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was asked about so many nodes, and left these.
    Left {
        asked: usize,
        nodes: Vec<Name>,
    },
    /// What it adds to the total of each node.
    Scores(Vec<(Name, i64)>),
    /// The nodes where preemption would do, each with the pods that would go.
    Victims(Vec<(Name, Vec<Name>)>),
    Bound,
    Failed {
        error: Name,
        is_ignored: bool,
    },
}

impl Verb {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Prioritize => "prioritize",
            Self::Preempt => "preempt",
            Self::Bind => "bind",
        }
    }
}

/// How long these calls keep the scheduler waiting: those that prioritize are made at the same time, all others one
/// after the other.
pub(super) fn duration(calls: &[Said]) -> Span {
    let is_beside = |it: &&Said| it.verb == Verb::Prioritize;
    let longest = calls.iter().filter(is_beside).map(|it| it.took).max().unwrap_or(Span::ZERO);
    calls.iter().filter(|it| !is_beside(it)).fold(longest, |sum, it| sum + it.took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_for_priorities_overlap() {
        let call = |verb, millis| {
            let answer = Answer::Failed { error: Name::EMPTY, is_ignored: true };
            Said { extender: Name::EMPTY, verb, answer, took: Span::millis(millis) }
        };
        let calls = [
            call(Verb::Filter, 1),
            call(Verb::Filter, 2),
            call(Verb::Prioritize, 10),
            call(Verb::Prioritize, 30),
            call(Verb::Preempt, 4),
        ];
        assert_eq!(duration(&calls), Span::millis(37));
        assert_eq!(duration(&[]), Span::ZERO);
    }
}
