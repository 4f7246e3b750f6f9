//! `cel.bind(name, value, expression)`: a name for a value.
//!
//! Upstream: `ext.Bindings` of cel-go, a comprehension over nothing whose accumulator is the value.

use cel::IdedExpr;
use cel::common::ast::{ComprehensionExpr, Expr, ListExpr, LiteralValue};
use cel::parser::Macro;

pub(super) fn bind() -> Macro {
    Macro::receiver("bind", 3, |helper, target, arguments| {
        let is_cel = |it: &IdedExpr| matches!(&it.expr, Expr::Ident(name) if name == "cel");
        let Some(Expr::Ident(name)) = arguments.first().map(|it| it.expr.clone()) else { return Ok(None) };
        if !target.as_ref().is_some_and(is_cel) {
            return Ok(None);
        }
        let (Some(result), Some(value)) = (arguments.pop(), arguments.pop()) else { return Ok(None) };
        let nothing = helper.next_expr(Expr::List(ListExpr::new(Vec::new())));
        let never = helper.next_expr(Expr::Literal(LiteralValue::Boolean(false.into())));
        let itself = helper.next_expr(Expr::Ident(name.clone()));
        Ok(Some(helper.next_expr(Expr::Comprehension(Box::new(ComprehensionExpr {
            iter_range: nothing,
            iter_var: "#unused".into(),
            iter_var2: None,
            accu_var: name,
            accu_init: value,
            loop_cond: never,
            loop_step: itself,
            result,
        })))))
    })
}
