//! The text form of selectors: `a=b,c!=d,e in (x,y),!f,g>1`.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever token is not expected is an error, a new one too"
)]

use std::collections::BTreeSet;

use base::Name;

use super::requirement::{Operator, Requirement, RequirementError, key_problem};

/// Why a text is not a selector, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorSyntaxError {
    #[error("found '{found}', expected: {expected}")]
    Unexpected { found: String, expected: &'static str },
    #[error("unable to parse requirement: {0}")]
    Requirement(RequirementSyntaxError),
}

/// Why a part of a text is not a requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequirementSyntaxError {
    #[error("found '{found}', expected: {expected}")]
    Unexpected { found: String, expected: &'static str },
    /// Upstream has no comma here.
    #[error("found '{found}' expected: '('")]
    NoParenthesis { found: String },
    #[error("{0}")]
    Key(String),
    #[error(transparent)]
    Requirement(#[from] RequirementError),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    End,
    Close,
    Comma,
    Not,
    /// One of `=`, `==`, `!=`, `>`, `<`.
    Sign(&'a str, Operator),
    Open,
    /// `in` and `notin` too: whether these are operators depends on where they stand.
    Word(&'a str),
}

/// In the order of the text.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, SelectorSyntaxError> {
    let mut parser = Parser { tokens: tokens(text), position: 0 };
    let mut requirements = Vec::new();
    loop {
        match parser.peek() {
            Token::Word(_) | Token::Not => (),
            Token::End => return Ok(requirements),
            other => return Err(unexpected(other, "!, identifier, or 'end of string'")),
        }
        requirements.push(parser.requirement().map_err(SelectorSyntaxError::Requirement)?);
        match (parser.next(), parser.peek()) {
            (Token::End, _) => return Ok(requirements),
            (Token::Comma, Token::Word(_) | Token::Not) => (),
            (Token::Comma, other) => return Err(unexpected(other, "identifier after ','")),
            (other, _) => return Err(unexpected(other, "',' or 'end of string'")),
        }
    }
}

fn unexpected(token: Token<'_>, expected: &'static str) -> SelectorSyntaxError {
    SelectorSyntaxError::Unexpected { found: token.as_str().into(), expected }
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    position: usize,
}

type Parsed<T> = Result<T, RequirementSyntaxError>;

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        self.tokens.get(self.position).copied().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.position += 1;
        token
    }

    fn requirement(&mut self) -> Parsed<Requirement> {
        let is_negated = self.peek() == Token::Not;
        if is_negated {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) => key,
            other => return Err(wrong(other, "identifier")),
        };
        if let Some(problem) = key_problem(key, "<nil>") {
            return Err(RequirementSyntaxError::Key(problem));
        }
        let (operator, values) = match self.peek() {
            _ if is_negated => (Operator::DoesNotExist, BTreeSet::new()),
            Token::End | Token::Comma => (Operator::Exists, BTreeSet::new()),
            _ => self.operator_and_values()?,
        };
        let values: Vec<Name> = values.into_iter().map(Name::new).collect();
        Ok(Requirement::new(Name::new(key), operator, &values)?)
    }

    fn operator_and_values(&mut self) -> Parsed<(Operator, BTreeSet<&'a str>)> {
        match self.next() {
            Token::Word("in") => Ok((Operator::In, self.values()?)),
            Token::Word("notin") => Ok((Operator::NotIn, self.values()?)),
            Token::Sign(_, operator) => Ok((operator, BTreeSet::from([self.value()?]))),
            other => Err(wrong(other, "in, notin, =, ==, !=, gt, lt")),
        }
    }

    /// No value before a comma or the end is the empty value.
    fn value(&mut self) -> Parsed<&'a str> {
        if matches!(self.peek(), Token::End | Token::Comma) {
            return Ok("");
        }
        match self.next() {
            Token::Word(value) => Ok(value),
            other => Err(wrong(other, "identifier")),
        }
    }

    fn values(&mut self) -> Parsed<BTreeSet<&'a str>> {
        match self.next() {
            Token::Open => (),
            other => return Err(RequirementSyntaxError::NoParenthesis { found: other.as_str().into() }),
        }
        match self.peek() {
            Token::Word(_) | Token::Comma => self.list(),
            Token::Close => {
                self.next();
                Ok(BTreeSet::from([""]))
            }
            other => Err(wrong(other, "',', ')' or identifier")),
        }
    }

    /// Nothing before, between or behind commas is the empty value: `(,a)`, `(a,,b)`, `(a,)`; but `(a,,)` is wrong.
    fn list(&mut self) -> Parsed<BTreeSet<&'a str>> {
        let mut values = BTreeSet::new();
        loop {
            let token = self.next();
            match token {
                Token::Word(value) => values.insert(value),
                Token::Comma if values.is_empty() => values.insert(""),
                Token::Comma => false,
                other => return Err(wrong(other, "',', or identifier")),
            };
            match (token, self.peek()) {
                (_, Token::Close) => {
                    if token == Token::Comma {
                        values.insert("");
                    }
                    self.next();
                    return Ok(values);
                }
                (Token::Comma, Token::Comma) => {
                    values.insert("");
                    self.next();
                }
                (Token::Comma, _) | (_, Token::Comma) => (),
                (_, other) => return Err(wrong(other, "',' or ')'")),
            }
        }
    }
}

fn wrong(token: Token<'_>, expected: &'static str) -> RequirementSyntaxError {
    RequirementSyntaxError::Unexpected { found: token.as_str().into(), expected }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        let (token, length) = first_token(rest);
        tokens.push(token);
        rest = rest[length..].trim_start_matches(is_space);
    }
    tokens
}

fn first_token(text: &str) -> (Token<'_>, usize) {
    let sign = |length: usize, operator| (Token::Sign(&text[..length], operator), length);
    match (text.as_bytes()[0], text.as_bytes().get(1)) {
        (b'=', Some(b'=')) => sign(2, Operator::DoubleEquals),
        (b'=', _) => sign(1, Operator::Equals),
        (b'!', Some(b'=')) => sign(2, Operator::NotEquals),
        (b'!', _) => (Token::Not, 1),
        (b'>', _) => sign(1, Operator::GreaterThan),
        (b'<', _) => sign(1, Operator::LessThan),
        (b',', _) => (Token::Comma, 1),
        (b'(', _) => (Token::Open, 1),
        (b')', _) => (Token::Close, 1),
        _ => {
            let is_end = |it: char| is_space(it) || "=!(),><".contains(it);
            let length = text.find(is_end).unwrap_or(text.len());
            (Token::Word(&text[..length]), length)
        }
    }
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

impl<'a> Token<'a> {
    const fn as_str(self) -> &'a str {
        match self {
            Self::End => "",
            Self::Close => ")",
            Self::Comma => ",",
            Self::Not => "!",
            Self::Open => "(",
            Self::Sign(text, _) | Self::Word(text) => text,
        }
    }
}
