//! YAML as Kubernetes reads it, with the place of every value.

mod build;
mod frame;
mod node;
mod repair;
pub(crate) mod scalar;
mod syntax;

use saphyr_parser::{Event, Parser, ScanError};

use crate::diagnostic::Diagnostic;
use crate::limits::Limits;
use crate::source::Source;

use self::build::Builder;
pub use self::node::{Content, Entry, Node};
use self::repair::{Shifts, repair};

/// The documents of a text, as far as they could be read, and everything that is wrong with it.
///
/// A document that is empty, or all comments, is a node of [`Content::Null`]. After an error of the syntax nothing
/// more is read; after other errors (a key twice, an unknown tag) reading goes on.
#[derive(Debug, Default)]
pub struct Parsed {
    pub documents: Vec<Node>,
    pub errors: Vec<Diagnostic>,
}

pub fn parse(source: &Source, limits: &Limits) -> Parsed {
    let mut shifts = Shifts::default();
    let (parsed, refused) = attempt(source, source.text(), &shifts, limits);
    let Some(error) = refused else { return parsed };
    let mut next = repair(source.text(), &error, &mut shifts);
    for _ in 0..REPAIRS_MAX {
        let Some(text) = next else { break };
        match attempt(source, &text, &shifts, limits) {
            (repaired, None) => return repaired,
            (_, Some(again)) => next = repair(&text, &again, &mut shifts),
        }
    }
    let mut parsed = parsed;
    parsed.errors.push(syntax::explain(source, &error));
    parsed
}

/// How often one text is repaired before its first error is believed.
const REPAIRS_MAX: usize = 200;

/// Reads `text`, which is that of `source` but for its indentation, up to the first error of the syntax.
fn attempt(source: &Source, text: &str, shifts: &Shifts, limits: &Limits) -> (Parsed, Option<ScanError>) {
    let mut builder = Builder::new(source, shifts, limits);
    let mut refused = None;
    for event in Events(Parser::new_from_str(text)) {
        match event {
            Ok((event, span)) => {
                if let Err(fatal) = builder.take(event, span) {
                    builder.errors.push(fatal);
                    break;
                }
            }
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    (Parsed { documents: builder.documents, errors: builder.errors }, refused)
}

/// The events of a parser, which itself goes on for ever after an error.
struct Events<'a>(Parser<'a, saphyr_parser::StrInput<'a>>);

impl<'a> Iterator for Events<'a> {
    type Item = Result<(Event<'a>, saphyr_parser::Span), ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next_event()
    }
}

#[cfg(test)]
mod tests;
