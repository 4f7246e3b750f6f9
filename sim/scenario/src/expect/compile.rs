//! From the text of a condition to what can be evaluated: parsed, and checked as far as it can be without a cluster.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::Kind;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, SelectExpr, SourceInfo, operators};
use cel::parser::Parser;
use cel::{IdedExpr, ParseError};
use manifest::Path;

use crate::document::TextPlace;
use crate::expect::fields;
use crate::expect::functions::{Answer, FUNCTIONS, Function, read_kind, read_name, read_selector};
use crate::expect::parts::{Loop, is_comparison, literal_text};
use crate::expect::rollout;

/// A compiled condition. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Condition(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: String,
    expr: IdedExpr,
    reads: BTreeSet<Kind>,
}

/// Something that is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) place: TextPlace,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// Longer than anything a person writes, in bytes.
const LENGTH_MAX: usize = 10_000;

impl Condition {
    pub(crate) fn compile(text: &str) -> Result<Self, Vec<Wrong>> {
        let whole = TextPlace { chars_before: 0, width: text.chars().count() };
        let refuse = |message: &str| vec![Wrong { place: whole, message: message.into(), help: None }];
        if text.trim().is_empty() {
            return Err(refuse("expected a CEL expression, found nothing"));
        }
        if LENGTH_MAX < text.len() {
            return Err(refuse("the expression is longer than 10,000 bytes"));
        }
        let (mut expr, info) =
            Parser::new().enable_optional_syntax(true).parse_with_source_info(text).map_err(|errors| {
                errors.errors.iter().map(|it| syntax_error(text, it)).take(1).collect::<Vec<_>>()
            })?;
        let mut checker =
            Checker { text, info, wrong: Vec::new(), reads: BTreeSet::new(), variables: Vec::new() };
        let shape = checker.check(&mut expr);
        if let (true, Some(found)) = (checker.wrong.is_empty(), shape.never_true()) {
            let help = "compare it, as in `deployment(\"web\").status.availableReplicas >= 8`".into();
            let message = format!("an expectation is true or false, but this is {found}");
            checker.wrong.push(Wrong { place: whole, message, help: Some(help) });
        }
        if checker.wrong.is_empty() {
            Ok(Self(Arc::new(Inner { text: text.into(), expr, reads: checker.reads })))
        } else {
            Err(checker.wrong)
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.0.text
    }

    pub(crate) fn expr(&self) -> &IdedExpr {
        &self.0.expr
    }

    /// The kinds whose objects it looks at.
    pub(crate) fn reads(&self) -> &BTreeSet<Kind> {
        &self.0.reads
    }
}

fn syntax_error(text: &str, error: &ParseError) -> Wrong {
    let (line, column) = error.pos;
    let line = usize::try_from(line).unwrap_or(1).max(1) - 1;
    let column = usize::try_from(column).unwrap_or(1).max(1) - 1;
    let before: usize = text.split_inclusive('\n').take(line).map(|it| it.chars().count()).sum();
    let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
    // What could have stood there instead is every token of the language.
    let message =
        message.split(" expecting ").next().unwrap_or(message).replace("<EOF>", "end of the expression");
    Wrong {
        place: TextPlace { chars_before: before + column, width: 1 },
        message: format!("this is not CEL: {message}"),
        help: None,
    }
}

/// What can be told of an expression's value before there is one.
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Bool,
    /// Not a claim: a number, a text …
    Other(&'static str),
    /// An object of a kind, or the part of it at a path.
    Part(Kind, Path),
    /// A list of them.
    Parts(Kind, Path),
    Unknown,
}

impl Shape {
    /// What it is, if it can be neither true nor false.
    fn never_true(&self) -> Option<String> {
        match self {
            Self::Other(what) => Some((*what).into()),
            Self::Part(kind, path) if path.is_empty() => Some(format!("a {}", kind.singular())),
            Self::Parts(kind, path) if path.is_empty() => Some(format!("a list of {}", kind.plural())),
            Self::Bool | Self::Part(..) | Self::Parts(..) | Self::Unknown => None,
        }
    }

    /// One of its items.
    fn item(&self) -> Self {
        match self {
            Self::Parts(kind, path) if path.is_empty() => Self::Part(kind.clone(), path.clone()),
            Self::Parts(kind, path) | Self::Part(kind, path) => {
                Self::Part(kind.clone(), path.clone().index(0))
            }
            Self::Bool | Self::Other(_) | Self::Unknown => Self::Unknown,
        }
    }
}

/// Functions that CEL itself has. Times and durations are not among them: Kubernetes' times are text here, and
/// compare as such.
const GLOBAL: [&str; 10] = ["size", "int", "uint", "double", "string", "bool", "bytes", "type", "dyn", "has"];
const MEMBERS: [&str; 16] = [
    "all",
    "contains",
    "endsWith",
    "exists",
    "existsOne",
    "exists_one",
    "filter",
    "hasValue",
    "map",
    "matches",
    "optMap",
    "or",
    "orValue",
    "size",
    "startsWith",
    "value",
];
const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

struct Checker<'a> {
    text: &'a str,
    info: SourceInfo,
    wrong: Vec<Wrong>,
    reads: BTreeSet<Kind>,
    /// Of the loops around, innermost last.
    variables: Vec<(String, Shape)>,
}

impl Checker<'_> {
    /// Checks an expression, and turns its calls to the cluster into what can be evaluated.
    fn check(&mut self, expr: &mut IdedExpr) -> Shape {
        let id = expr.id;
        match &mut expr.expr {
            Expr::Literal(it) => of_literal(it),
            Expr::Ident(name) => self.check_name(id, name),
            Expr::Select(it) => self.check_select(id, it),
            Expr::Comprehension(it) => self.check_loop(it),
            Expr::List(it) => {
                it.elements.iter_mut().for_each(|it| drop(self.check(it)));
                Shape::Other("a list")
            }
            Expr::Map(_) | Expr::Struct(_) => {
                self.refuse(id, "mappings cannot be written here: they have no order".into(), None);
                Shape::Unknown
            }
            Expr::Unspecified => Shape::Unknown,
            Expr::Call(it) if it.target.is_some() => self.check_member(id, it),
            Expr::Call(it) => match Function::find(&it.func_name) {
                Some(function) => {
                    let shape = self.check_question(id, function, it);
                    let arguments = std::mem::take(&mut it.args);
                    *it = question(id, function, arguments);
                    shape
                }
                None => self.check_call(id, it),
            },
        }
    }

    fn check_name(&mut self, id: u64, name: &str) -> Shape {
        if let Some((_, shape)) = self.variables.iter().rfind(|(it, _)| it == name) {
            return shape.clone();
        }
        if name.starts_with('@') || TYPES.contains(&name) {
            return Shape::Unknown;
        }
        let message = format!("unknown name `{name}`");
        if let Some(function) = Function::find(name) {
            self.refuse(id, message, Some(format!("it is a function: {}", function.usage)));
        } else {
            let known = self.variables.iter().map(|(it, _)| it.as_str());
            let meant = api::nearest(name, known).map(|it| format!("did you mean `{it}`?"));
            self.refuse(id, message, Some(meant.unwrap_or_else(|| "put text in quotes".into())));
        }
        Shape::Unknown
    }

    fn check_select(&mut self, id: u64, it: &mut SelectExpr) -> Shape {
        let shape = match self.check(&mut it.operand) {
            Shape::Part(kind, path) => self.enter(id, kind, path.key(it.field.as_str())),
            Shape::Parts(kind, _) => {
                let help = format!("take one, as in `[0]`, or say of which: `.all(it, it.{} …)`", it.field);
                let message = format!("this is a list of {}; it has no `{}`", kind.plural(), it.field);
                self.refuse(id, message, Some(help));
                Shape::Unknown
            }
            Shape::Bool | Shape::Other(_) | Shape::Unknown => Shape::Unknown,
        };
        if it.test { Shape::Bool } else { shape }
    }

    /// A field of an object.
    fn enter(&mut self, id: u64, kind: Kind, path: Path) -> Shape {
        match fields::unknown(&kind, &path) {
            Some((message, help)) => {
                self.refuse(id, message, help);
                Shape::Unknown
            }
            None => Shape::Part(kind, path),
        }
    }

    fn check_loop(&mut self, it: &mut ComprehensionExpr) -> Shape {
        let range = self.check(&mut it.iter_range);
        self.check(&mut it.accu_init);
        let depth = self.variables.len();
        self.variables.push((it.accu_var.clone(), Shape::Unknown));
        self.variables.push((it.iter_var.clone(), range.item()));
        self.variables.extend(it.iter_var2.iter().map(|name| (name.clone(), Shape::Unknown)));
        for part in [&mut it.loop_cond, &mut it.loop_step, &mut it.result] {
            self.check(part);
        }
        self.variables.truncate(depth);
        match Loop::of(it) {
            Some(Loop::All(_) | Loop::Exists(_) | Loop::ExistsOne(_)) => Shape::Bool,
            Some(Loop::Filter(_)) => match range {
                Shape::Part(kind, path) | Shape::Parts(kind, path) => Shape::Parts(kind, path),
                Shape::Bool | Shape::Other(_) | Shape::Unknown => Shape::Other("a list"),
            },
            Some(Loop::Map(..)) => Shape::Other("a list"),
            None => Shape::Unknown,
        }
    }

    fn check_member(&mut self, id: u64, it: &mut CallExpr) -> Shape {
        let target = it.target.as_mut().expect("a member is called on something");
        let name = it.func_name.as_str();
        let is_optional = matches!(&target.expr, Expr::Ident(name) if name == "optional");
        if is_optional && ["of", "none", "ofNonZeroValue"].contains(&name) {
            it.args.iter_mut().for_each(|it| drop(self.check(it)));
            return Shape::Unknown;
        }
        self.check(target);
        if !MEMBERS.contains(&name) {
            let help = match api::nearest(name, MEMBERS) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if Function::find(name).is_some() => format!("it stands alone: `{name}(…)`"),
                None => format!("there is {}", MEMBERS.join(", ")),
            };
            self.refuse(id, format!("unknown function `{name}`"), Some(help));
            return Shape::Unknown; // What its arguments mean is anyone's guess.
        }
        it.args.iter_mut().for_each(|it| drop(self.check(it)));
        match name {
            "size" => Shape::Other("a number"),
            "contains" | "endsWith" | "startsWith" | "matches" | "hasValue" => Shape::Bool,
            _ => Shape::Unknown,
        }
    }

    fn check_call(&mut self, id: u64, it: &mut CallExpr) -> Shape {
        let shapes: Vec<Shape> = it.args.iter_mut().map(|it| self.check(it)).collect();
        match (it.func_name.as_str(), shapes.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT, _) => Shape::Bool,
            (name, _) if is_comparison(name) => Shape::Bool,
            (operators::INDEX | operators::OPT_INDEX, [Shape::Part(kind, path), _]) => {
                let path = match (&it.args[1].expr, literal_text(&it.args[1])) {
                    (_, Some(key)) => path.clone().key(key),
                    (Expr::Literal(LiteralValue::Int(_)), None) => path.clone().index(0),
                    _ => return Shape::Unknown,
                };
                self.enter(it.args[1].id, kind.clone(), path)
            }
            (operators::INDEX | operators::OPT_INDEX, [parts @ Shape::Parts(..), _]) => parts.item(),
            (operators::ADD | operators::SUBSTRACT | operators::MULTIPLY, _) => {
                Shape::Other("a number or text")
            }
            (operators::DIVIDE | operators::MODULO | operators::NEGATE | "size", _) => {
                Shape::Other("a number")
            }
            (name, _) if is_operator(name) || GLOBAL.contains(&name) => Shape::Unknown,
            (name, _) => {
                let (message, help) = unknown_function(name);
                self.refuse(id, message, Some(help));
                Shape::Unknown
            }
        }
    }

    /// A call to the cluster: as many arguments as it takes, and those right that stand there in plain text.
    fn check_question(&mut self, id: u64, function: &'static Function, it: &mut CallExpr) -> Shape {
        let (least, most) = function.arguments;
        if it.args.len() < least || most < it.args.len() {
            let count = if least == most { least.to_string() } else { format!("{least} to {most}") };
            let found = it.args.len();
            let message = format!("`{}` takes {count} arguments, not {found}", function.name);
            let message = message.replace(" 1 arguments", " 1 argument");
            self.refuse(id, message, Some(format!("write {}", function.usage)));
            return Shape::Unknown;
        }
        let shapes: Vec<Shape> = it.args.iter_mut().map(|it| self.check(it)).collect();
        let first = it.args.first().and_then(literal_text);
        let place = it.args.first().map_or(id, |it| it.id);
        let checked = match &function.answer {
            Answer::One(kind) => {
                self.reads.insert(kind.clone());
                first.map(|text| read_name(kind, text).map(drop))
            }
            Answer::List(kind) => {
                self.reads.insert(kind.clone());
                first.map(|text| read_selector(text).map(drop))
            }
            Answer::Events => {
                self.reads.insert(Kind::Event);
                None
            }
            Answer::Any => return self.check_any(place, first, it.args.get(1).and_then(literal_text)),
            Answer::RolledOut => match first.map(rollout::read_target) {
                Some(Ok(key)) => {
                    self.reads.insert(key.kind);
                    None
                }
                Some(Err(error)) => Some(Err(error)),
                None => {
                    self.reads.extend(rollout::KINDS);
                    None
                }
            },
            Answer::Ready => {
                let is_part = |it: &Shape| matches!(it, Shape::Part(_, path) if !path.is_empty());
                let is_wrong = first.is_some() || shapes.iter().any(|it| is_part(it) || it.never_ready());
                is_wrong.then(|| Err("it is asked of a pod or a node, as in `ready(pod(\"web-0\"))`".into()))
            }
        };
        if let Some(Err(error)) = checked {
            self.refuse(place, error, None);
        }
        match &function.answer {
            Answer::One(kind) => Shape::Part(kind.clone(), Path::default()),
            Answer::List(kind) => Shape::Parts(kind.clone(), Path::default()),
            Answer::Events => Shape::Parts(Kind::Event, Path::default()),
            Answer::RolledOut | Answer::Ready => Shape::Bool,
            Answer::Any => Shape::Unknown,
        }
    }

    /// `object("kind", "name")`: the kind must be known before the run, since it says what to look at.
    fn check_any(&mut self, place: u64, word: Option<&str>, name: Option<&str>) -> Shape {
        let kind = word.map_or_else(|| Err("the kind must be plain text".to_owned()), read_kind);
        let checked = kind.and_then(|kind| {
            name.map_or(Ok(()), |name| read_name(&kind, name).map(drop))?;
            Ok(kind)
        });
        match checked {
            Ok(kind) => {
                self.reads.insert(kind.clone());
                Shape::Part(kind, Path::default())
            }
            Err(error) => {
                self.refuse(place, error, None);
                Shape::Unknown
            }
        }
    }

    fn refuse(&mut self, id: u64, message: String, help: Option<String>) {
        let place = self.place(id);
        self.wrong.push(Wrong { place, message, help });
    }

    /// Where a part of the expression stands: its token, or the name beside it if that is a bracket or a dot.
    fn place(&self, id: u64) -> TextPlace {
        let letters: Vec<char> = self.text.chars().collect();
        // The parser counts bytes.
        let at = |bytes: u32| self.text.char_indices().take_while(|(it, _)| *it < bytes as usize).count();
        let (start, stop) = self.info.offset_for(id).map_or((0, 0), |(start, stop)| (at(start), at(stop)));
        let stop = stop.min(letters.len().saturating_sub(1));
        let is_word = |at: usize| letters.get(at).is_some_and(|it| it.is_alphanumeric() || *it == '_');
        match letters.get(start) {
            Some('(') => {
                let word = (0..start).rev().take_while(|&at| is_word(at)).count();
                TextPlace { chars_before: start - word, width: word.max(1) }
            }
            Some('.') => {
                let word = (start + 1..).take_while(|&at| is_word(at)).count();
                TextPlace { chars_before: start + 1, width: word.max(1) }
            }
            _ => TextPlace { chars_before: start, width: (stop + 1).saturating_sub(start).max(1) },
        }
    }
}

impl Shape {
    /// Whether it is an object, but neither a pod nor a node.
    fn never_ready(&self) -> bool {
        match self {
            Self::Part(kind, _) => ![Kind::Pod, Kind::Node].contains(kind),
            Self::Bool | Self::Other(_) | Self::Parts(..) => true,
            Self::Unknown => false,
        }
    }
}

fn of_literal(it: &LiteralValue) -> Shape {
    match it {
        LiteralValue::Boolean(_) => Shape::Bool,
        LiteralValue::String(_) => Shape::Other("text"),
        LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_) => Shape::Other("a number"),
        LiteralValue::Bytes(_) | LiteralValue::Null => Shape::Other("a value"),
    }
}

/// `f(a, b)` as `@f[[a, b]]`.
fn question(id: u64, function: &Function, arguments: Vec<IdedExpr>) -> CallExpr {
    let list = cel::common::ast::ListExpr::new(arguments);
    CallExpr {
        func_name: operators::INDEX.into(),
        target: None,
        args: vec![
            IdedExpr { id, expr: Expr::Ident(format!("@{}", function.name)) },
            IdedExpr { id, expr: Expr::List(list) },
        ],
    }
}

fn is_operator(name: &str) -> bool {
    !name.starts_with(|it: char| it.is_ascii_alphabetic())
}

fn unknown_function(name: &str) -> (String, String) {
    if name == "traffic" {
        return (
            "`traffic` cannot be asked yet: requests are not simulated".into(),
            "ask for replicas".into(),
        );
    }
    let known = FUNCTIONS.iter().map(|it| it.name).chain(GLOBAL);
    let help = match api::nearest(name, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there is {}", known.collect::<Vec<_>>().join(", ")),
    };
    (format!("unknown function `{name}`"), help)
}
