//! YAML as Kubernetes reads it, with the place of every value.

mod build;
mod frame;
mod node;
pub(crate) mod scalar;
mod syntax;

use saphyr_parser::{Event, Parser};

use crate::diagnostic::Diagnostic;
use crate::limits::Limits;
use crate::source::Source;

use self::build::Builder;
pub use self::node::{Content, Entry, Node};

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
    let mut builder = Builder::new(source, limits);
    for event in Events(Parser::new_from_str(source.text())) {
        let taken = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(syntax::explain(source, &error)),
        };
        if let Err(fatal) = taken {
            builder.errors.push(fatal);
            break;
        }
    }
    Parsed { documents: builder.documents, errors: builder.errors }
}

/// The events of a parser, which itself goes on for ever after an error.
struct Events<'a>(Parser<'a, saphyr_parser::StrInput<'a>>);

impl<'a> Iterator for Events<'a> {
    type Item = Result<(Event<'a>, saphyr_parser::Span), saphyr_parser::ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next_event()
    }
}

#[cfg(test)]
mod tests;
