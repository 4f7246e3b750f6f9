//! Expressions as text again, for messages.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, operators};
use cel::common::traits::Iterable;
use cel::common::types::{CelBool, CelDouble, CelInt, CelNull, CelString, CelUInt};
use cel::common::value::Val;

use crate::expect::parts::{Loop, infix, question};
use crate::expect::value::{Fields, ObjectVal};

/// `expr` as it could have been written.
pub(crate) fn expression(expr: &IdedExpr) -> String {
    within(expr, 0)
}

/// In brackets if what is around it binds tighter.
fn within(expr: &IdedExpr, around: u8) -> String {
    match &expr.expr {
        Expr::Call(call) => match infix(&call.func_name) {
            Some((sign, binds)) if call.args.len() == 2 => {
                let sides = [within(&call.args[0], binds), within(&call.args[1], binds + 1)];
                let text = sides.join(&format!(" {sign} "));
                if binds < around { format!("({text})") } else { text }
            }
            _ => self::call(call),
        },
        Expr::Comprehension(it) => comprehension(it),
        Expr::Ident(name) => name.clone(),
        Expr::Select(it) if it.test => format!("has({}.{})", within(&it.operand, 9), it.field),
        Expr::Select(it) => format!("{}.{}", within(&it.operand, 9), it.field),
        Expr::Literal(it) => literal(it),
        Expr::List(it) => format!("[{}]", list(&it.elements)),
        Expr::Map(_) => "{…}".into(),
        Expr::Struct(it) => format!("{}{{…}}", it.type_name),
        Expr::Unspecified => String::new(),
    }
}

fn call(call: &CallExpr) -> String {
    if let Some((function, arguments)) = question(call) {
        return format!("{function}({})", list(arguments));
    }
    match (call.func_name.as_str(), call.args.as_slice(), &call.target) {
        (operators::CONDITIONAL, [condition, a, b], _) => {
            format!("({} ? {} : {})", within(condition, 1), within(a, 1), within(b, 1))
        }
        (operators::LOGICAL_NOT, [it], _) => format!("!{}", within(it, 9)),
        (operators::NEGATE, [it], _) => format!("-{}", within(it, 9)),
        (operators::INDEX, [it, idx], _) => format!("{}[{}]", within(it, 9), within(idx, 0)),
        (operators::OPT_INDEX, [it, idx], _) => format!("{}[?{}]", within(it, 9), within(idx, 0)),
        (operators::OPT_SELECT, [it, field], _) => format!("{}.?{}", within(it, 9), within(field, 0)),
        (name, arguments, Some(target)) => format!("{}.{name}({})", within(target, 9), list(arguments)),
        (name, arguments, None) => format!("{name}({})", list(arguments)),
    }
}

fn comprehension(it: &ComprehensionExpr) -> String {
    let (name, inside) = match Loop::of(it) {
        Some(Loop::All(inside)) => ("all", vec![inside]),
        Some(Loop::Exists(inside)) => ("exists", vec![inside]),
        Some(Loop::ExistsOne(inside)) => ("exists_one", vec![inside]),
        Some(Loop::Filter(inside)) => ("filter", vec![inside]),
        Some(Loop::Map(condition, inside)) => ("map", condition.into_iter().chain([inside]).collect()),
        None => ("…", Vec::new()),
    };
    let inside: Vec<String> = inside.into_iter().map(expression).collect();
    format!("{}.{name}({}, {})", within(&it.iter_range, 9), it.iter_var, inside.join(", "))
}

fn list(items: &[IdedExpr]) -> String {
    items.iter().map(expression).collect::<Vec<_>>().join(", ")
}

fn literal(it: &LiteralValue) -> String {
    match it {
        LiteralValue::Boolean(it) => it.inner().to_string(),
        LiteralValue::Bytes(_) => "b\"…\"".into(),
        LiteralValue::Double(it) => it.inner().to_string(),
        LiteralValue::Int(it) => it.inner().to_string(),
        LiteralValue::Null => "null".into(),
        LiteralValue::String(it) => api::quote(it.inner()),
        LiteralValue::UInt(it) => format!("{}u", it.inner()),
    }
}

/// How many items of a list, and fields of a mapping, are shown.
const SHOWN_MAX: usize = 4;

/// A value on one line, cut short where it is long.
pub(crate) fn value(it: &dyn Val) -> String {
    if let Some(it) = it.downcast_ref::<CelString<'_>>() {
        return api::quote(it.inner());
    }
    if let Some(it) = it.downcast_ref::<ObjectVal>() {
        return it.object().key().to_string();
    }
    if let Some(it) = it.downcast_ref::<Fields>() {
        let fields = it.iter().map(|(key, value)| format!("{key}: {}", self::value(value)));
        return format!("{{{}}}", cut(fields));
    }
    if let Some(list) = it.as_iterable() {
        return format!("[{}]", cut(items(list).into_iter().map(value)));
    }
    scalar(it).unwrap_or_else(|| format!("a {}", it.get_type().name()))
}

fn scalar(it: &dyn Val) -> Option<String> {
    let number = it.downcast_ref::<CelInt>().map(|it| it.inner().to_string());
    number
        .or_else(|| it.downcast_ref::<CelBool>().map(|it| it.inner().to_string()))
        .or_else(|| it.downcast_ref::<CelDouble>().map(|it| it.inner().to_string()))
        .or_else(|| it.downcast_ref::<CelUInt>().map(|it| it.inner().to_string()))
        .or_else(|| it.downcast_ref::<CelNull>().map(|_| "null".into()))
}

/// What a loop goes through.
pub(crate) fn items<'b>(list: &'b (dyn Iterable + 'b)) -> Vec<&'b (dyn Val + 'b)> {
    let mut items = Vec::new();
    let mut iterator = list.iter();
    while let Some(item) = iterator.next() {
        items.push(item);
    }
    items
}

fn cut(parts: impl ExactSizeIterator<Item = String>) -> String {
    let more = parts.len().saturating_sub(SHOWN_MAX);
    let mut shown: Vec<String> = parts.take(SHOWN_MAX).collect();
    if 0 < more {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}
