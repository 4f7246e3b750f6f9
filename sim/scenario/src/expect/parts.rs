//! The parts of an expression, as far as conditions and messages care: CEL's macros come out of the parser as loops.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the expression library has many variants, of which we tell a few apart"
)]

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, operators};

/// What a loop was written as. Each holds the expression inside.
pub(crate) enum Loop<'a> {
    All(&'a IdedExpr),
    Exists(&'a IdedExpr),
    ExistsOne(&'a IdedExpr),
    Filter(&'a IdedExpr),
    /// With the condition of its three-argument form.
    Map(Option<&'a IdedExpr>, &'a IdedExpr),
}

impl<'a> Loop<'a> {
    pub(crate) fn of(it: &'a ComprehensionExpr) -> Option<Self> {
        let is_accumulator =
            |expr: &IdedExpr| matches!(&expr.expr, Expr::Ident(name) if *name == it.accu_var);
        let Expr::Call(step) = &it.loop_step.expr else { return None };
        match (step.func_name.as_str(), step.args.as_slice()) {
            (operators::LOGICAL_AND, [_, inside]) => Some(Self::All(inside)),
            (operators::LOGICAL_OR, [_, inside]) => Some(Self::Exists(inside)),
            (operators::ADD, [_, added]) => Some(Self::Map(None, only_item(added)?)),
            (operators::CONDITIONAL, [condition, added, _]) => {
                let Expr::Call(add) = &added.expr else { return None };
                let [before, added] = add.args.as_slice() else { return None };
                match only_item(added) {
                    _ if !is_accumulator(before) => None,
                    None => Some(Self::ExistsOne(condition)),
                    Some(item) if matches!(&item.expr, Expr::Ident(name) if *name == it.iter_var) => {
                        Some(Self::Filter(condition))
                    }
                    Some(item) => Some(Self::Map(Some(condition), item)),
                }
            }
            _ => None,
        }
    }
}

fn only_item(expr: &IdedExpr) -> Option<&IdedExpr> {
    match &expr.expr {
        Expr::List(list) if list.elements.len() == 1 => list.elements.first(),
        _ => None,
    }
}

/// The text of a literal.
pub(crate) fn literal_text(expr: &IdedExpr) -> Option<&str> {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

/// The function of the cluster that a compiled call asks, and its arguments.
pub(crate) fn question(call: &CallExpr) -> Option<(&str, &[IdedExpr])> {
    let [function, arguments] = call.args.as_slice() else { return None };
    match (call.func_name.as_str(), &function.expr, &arguments.expr) {
        (operators::INDEX, Expr::Ident(name), Expr::List(list)) => {
            Some((name.strip_prefix('@')?, &list.elements))
        }
        _ => None,
    }
}

/// The sign of an operator with two sides, and how tightly it binds.
pub(crate) fn infix(name: &str) -> Option<(&'static str, u8)> {
    Some(match name {
        operators::LOGICAL_OR => ("||", 1),
        operators::LOGICAL_AND => ("&&", 2),
        operators::EQUALS => ("==", 3),
        operators::NOT_EQUALS => ("!=", 3),
        operators::LESS => ("<", 3),
        operators::LESS_EQUALS => ("<=", 3),
        operators::GREATER => (">", 3),
        operators::GREATER_EQUALS => (">=", 3),
        operators::IN => ("in", 3),
        operators::ADD => ("+", 4),
        operators::SUBSTRACT => ("-", 4),
        operators::MULTIPLY => ("*", 5),
        operators::DIVIDE => ("/", 5),
        operators::MODULO => ("%", 5),
        _ => return None,
    })
}

/// Whether an operator compares.
pub(crate) fn is_comparison(name: &str) -> bool {
    infix(name).is_some_and(|(_, binds)| binds == 3)
}
