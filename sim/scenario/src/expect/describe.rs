//! Why a condition is not true: the values that it compared.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the expression library has many variants, of which we tell a few apart"
)]

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, operators};
use cel::common::types::CelBool;
use cel::{Context, ExecutionError, IdedExpr, Value};

use crate::expect::parts::{Loop, is_comparison, literal_text, question};
use crate::expect::render;
use crate::expect::rollout::{self, Progress};
use crate::expect::tables::Tables;

/// How many facts are told.
const FACTS_MAX: usize = 4;

/// The values that `expr` came from, as `availableReplicas was 5; replicas was 9`.
pub(crate) fn facts(expr: &IdedExpr, context: &Context<'_, '_>, tables: &Tables) -> String {
    let mut facts = Facts { tables, told: Vec::new() };
    facts.tell(expr, context);
    facts.told.truncate(FACTS_MAX);
    facts.told.join("; ")
}

/// What went wrong in an evaluation, in our words.
pub(crate) fn error(error: &ExecutionError) -> String {
    match error {
        ExecutionError::FunctionError { message, .. } => message.clone(),
        ExecutionError::NoSuchKey(key) => format!("there was no `{key}`"),
        ExecutionError::IndexOutOfBounds(_) => "there was no item at that position".into(),
        other => other.to_string(),
    }
}

struct Facts<'a> {
    tables: &'a Tables,
    told: Vec<String>,
}

impl Facts<'_> {
    fn tell(&mut self, expr: &IdedExpr, context: &Context<'_, '_>) {
        if FACTS_MAX <= self.told.len() {
            return;
        }
        match &expr.expr {
            Expr::Call(call) => self.tell_call(expr, call, context),
            Expr::Comprehension(it) => self.tell_loop(expr, it, context),
            Expr::Literal(_) => (),
            Expr::Ident(_)
            | Expr::List(_)
            | Expr::Map(_)
            | Expr::Select(_)
            | Expr::Struct(_)
            | Expr::Unspecified => self.tell_value(expr, context),
        }
    }

    fn tell_call(&mut self, expr: &IdedExpr, call: &CallExpr, context: &Context<'_, '_>) {
        match call.func_name.as_str() {
            operators::LOGICAL_AND => {
                // What held is not why it failed.
                let fails = |it: &&IdedExpr| evaluate(it, context) != Ok(true);
                let failing: Vec<&IdedExpr> = call.args.iter().filter(fails).collect();
                let sides = if failing.is_empty() { call.args.iter().collect() } else { failing };
                sides.into_iter().for_each(|it| self.tell(it, context));
            }
            operators::LOGICAL_OR | operators::LOGICAL_NOT => {
                call.args.iter().for_each(|it| self.tell(it, context));
            }
            name if is_comparison(name) => call.args.iter().for_each(|it| self.tell_value(it, context)),
            _ => match question(call) {
                Some(("rolledOut", [target])) => self.tell_rollout(expr, target, context),
                _ => self.tell_value(expr, context),
            },
        }
    }

    fn tell_rollout(&mut self, expr: &IdedExpr, target: &IdedExpr, context: &Context<'_, '_>) {
        match literal_text(target).map(|text| rollout::progress(text, self.tables)) {
            Some(Ok(Progress::Waiting(what))) => self.add(what),
            Some(Err(error)) => self.add(error),
            Some(Ok(Progress::Done)) | None => self.tell_value(expr, context),
        }
    }

    /// Of `all`, the first item for which it is not so; of the others, the outcome.
    fn tell_loop(&mut self, expr: &IdedExpr, it: &ComprehensionExpr, context: &Context<'_, '_>) {
        let Some(Loop::All(inside)) = Loop::of(it) else { return self.tell_value(expr, context) };
        let Ok(range) = Value::resolve_val(&it.iter_range, context) else {
            return self.tell_value(&it.iter_range, context);
        };
        let Some(list) = range.as_iterable() else { return };
        for item in render::items(list) {
            let mut inner = context.new_inner_scope();
            inner.add_variable_as_val(&it.iter_var, item.clone_as_boxed());
            if evaluate(inside, &inner) != Ok(true) {
                self.add(format!("not for {}", render::value(item)));
                return self.tell(inside, &inner);
            }
        }
        self.tell_value(expr, context);
    }

    fn tell_value(&mut self, expr: &IdedExpr, context: &Context<'_, '_>) {
        if matches!(expr.expr, Expr::Literal(_) | Expr::List(_)) {
            return;
        }
        match Value::resolve_val(expr, context) {
            Ok(value) => self.add(format!("{} was {}", name_of(expr), render::value(value.as_ref()))),
            Err(error) => self.add(self::error(&error)),
        }
    }

    fn add(&mut self, fact: String) {
        if !self.told.contains(&fact) {
            self.told.push(fact);
        }
    }
}

/// A field by its own name, anything else as it was written.
fn name_of(expr: &IdedExpr) -> String {
    match &expr.expr {
        Expr::Select(it) if !it.test => it.field.clone(),
        _ => render::expression(expr),
    }
}

/// Whether `expr` is true.
pub(crate) fn evaluate(expr: &IdedExpr, context: &Context<'_, '_>) -> Result<bool, ExecutionError> {
    let value = Value::resolve_val(expr, context)?;
    match value.downcast_ref::<CelBool>() {
        Some(it) => Ok(*it.inner()),
        None => Err(ExecutionError::UnexpectedType {
            got: value.get_type().name().to_owned(),
            want: "bool".to_owned(),
        }),
    }
}
