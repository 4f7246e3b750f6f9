//! The functions over quantities and semantic versions.
//!
//! Upstream: `staging/src/k8s.io/apiserver/pkg/cel/library/{quantity,semverlib}.go`.

use std::cmp::Ordering;

use api::{Quantity, QuantityFormat};
use cel::common::types::{BOOL_TYPE, CelBool, CelDouble, CelInt, CelString, INT_TYPE, STRING_TYPE};
use cel::common::value::{CowVal, StaticVal};
use cel::{DeclarationError, Env, ExecutionError};

use crate::device_selector::quantity::{QuantityVal, quantity_type};
use crate::device_selector::version::{Version, VersionVal, version_type};

type Outcome<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

pub(super) fn quantities(env: &mut Env) -> Result<(), DeclarationError> {
    let of = quantity_type;
    env.add_overload("quantity", "string_to_quantity", vec![STRING_TYPE], |args| {
        let text = text(&args, 0)?;
        let parsed: Result<Quantity, _> = text.parse();
        let quantity =
            parsed.map_err(|error| ExecutionError::function_error("quantity", error.to_string()))?;
        Ok(CowVal::owned(QuantityVal(quantity)))
    })?;
    env.add_overload("isQuantity", "is_quantity_string", vec![STRING_TYPE], |args| {
        Ok(boolean(text(&args, 0)?.parse::<Quantity>().is_ok()))
    })?;
    env.add_member_overload("sign", "quantity_sign", of(), vec![], |args| {
        Ok(int(quantity(&args, 0)?.sign().into()))
    })?;
    env.add_member_overload("isInteger", "quantity_is_integer", of(), vec![], |args| {
        Ok(boolean(quantity(&args, 0)?.as_i64().is_some()))
    })?;
    env.add_member_overload("asInteger", "quantity_as_integer", of(), vec![], |args| {
        let integer = quantity(&args, 0)?.as_i64();
        let message = "cannot convert value to integer";
        integer.map(int).ok_or_else(|| ExecutionError::function_error("asInteger", message))
    })?;
    env.add_member_overload("asApproximateFloat", "quantity_as_float", of(), vec![], |args| {
        Ok(CowVal::owned(CelDouble::from(quantity(&args, 0)?.approximate_f64())))
    })?;
    sums(env)?;
    env.add_member_overload("compareTo", "quantity_compare_to", of(), vec![of()], |args| {
        Ok(int(compare_quantities(&args)? as i64))
    })?;
    env.add_member_overload("isGreaterThan", "quantity_is_greater_than", of(), vec![of()], |args| {
        Ok(boolean(compare_quantities(&args)?.is_gt()))
    })?;
    env.add_member_overload("isLessThan", "quantity_is_less_than", of(), vec![of()], |args| {
        Ok(boolean(compare_quantities(&args)?.is_lt()))
    })
}

fn sums(env: &mut Env) -> Result<(), DeclarationError> {
    let of = quantity_type;
    env.add_member_overload("add", "quantity_add", of(), vec![of()], |args| {
        let sum = quantity(&args, 0)? + quantity(&args, 1)?;
        Ok(CowVal::owned(QuantityVal(sum)))
    })?;
    env.add_member_overload("add", "quantity_add_int", of(), vec![INT_TYPE], |args| {
        let sum = quantity(&args, 0)? + integer(&args, 1)?;
        Ok(CowVal::owned(QuantityVal(sum)))
    })?;
    env.add_member_overload("sub", "quantity_sub", of(), vec![of()], |args| {
        let difference = quantity(&args, 0)? - quantity(&args, 1)?;
        Ok(CowVal::owned(QuantityVal(difference)))
    })?;
    env.add_member_overload("sub", "quantity_sub_int", of(), vec![INT_TYPE], |args| {
        let difference = quantity(&args, 0)? - integer(&args, 1)?;
        Ok(CowVal::owned(QuantityVal(difference)))
    })
}

pub(super) fn versions(env: &mut Env) -> Result<(), DeclarationError> {
    let of = version_type;
    env.add_overload("semver", "string_to_semver", vec![STRING_TYPE], |args| semver(&args))?;
    env.add_overload("semver", "string_bool_to_semver", vec![STRING_TYPE, BOOL_TYPE], |args| semver(&args))?;
    env.add_overload("isSemver", "is_semver_string", vec![STRING_TYPE], |args| is_semver(&args))?;
    env.add_overload("isSemver", "is_semver_string_bool", vec![STRING_TYPE, BOOL_TYPE], |args| {
        is_semver(&args)
    })?;
    env.add_member_overload("major", "semver_major", of(), vec![], |args| part(&args, |it| it.major))?;
    env.add_member_overload("minor", "semver_minor", of(), vec![], |args| part(&args, |it| it.minor))?;
    env.add_member_overload("patch", "semver_patch", of(), vec![], |args| part(&args, |it| it.patch))?;
    env.add_member_overload("compareTo", "semver_compare_to", of(), vec![of()], |args| {
        Ok(int(compare_versions(&args)? as i64))
    })?;
    env.add_member_overload("isGreaterThan", "semver_is_greater_than", of(), vec![of()], |args| {
        Ok(boolean(compare_versions(&args)?.is_gt()))
    })?;
    env.add_member_overload("isLessThan", "semver_is_less_than", of(), vec![of()], |args| {
        Ok(boolean(compare_versions(&args)?.is_lt()))
    })
}

fn semver<'b, 'v>(args: &[CowVal<'b, 'v>]) -> Outcome<'b, 'v> {
    let version = parse_version(args)?;
    let message = || format!("`{}` is not a semantic version", text(args, 0).unwrap_or_default());
    let version = version.ok_or_else(|| ExecutionError::function_error("semver", message()))?;
    Ok(CowVal::owned(VersionVal(version)))
}

fn is_semver<'b, 'v>(args: &[CowVal<'b, 'v>]) -> Outcome<'b, 'v> {
    Ok(boolean(parse_version(args)?.is_some()))
}

/// The second argument, if there is one, says whether to be lenient.
fn parse_version(args: &[CowVal<'_, '_>]) -> Result<Option<Version>, ExecutionError> {
    let text = text(args, 0)?;
    let is_lenient = match args.get(1) {
        None => false,
        Some(_) => *of::<CelBool>(args, 1)?.inner(),
    };
    Ok(if is_lenient { Version::parse_loosely(text) } else { Version::parse(text) })
}

fn part<'b, 'v>(args: &[CowVal<'b, 'v>], part: fn(&Version) -> u64) -> Outcome<'b, 'v> {
    let number = part(&of::<VersionVal>(args, 0)?.0);
    Ok(int(i64::try_from(number).unwrap_or(i64::MAX)))
}

fn compare_versions(args: &[CowVal<'_, '_>]) -> Result<Ordering, ExecutionError> {
    Ok(of::<VersionVal>(args, 0)?.0.cmp(&of::<VersionVal>(args, 1)?.0))
}

fn compare_quantities(args: &[CowVal<'_, '_>]) -> Result<Ordering, ExecutionError> {
    Ok(quantity(args, 0)?.cmp(&quantity(args, 1)?))
}

fn quantity(args: &[CowVal<'_, '_>], n: usize) -> Result<Quantity, ExecutionError> {
    Ok(of::<QuantityVal>(args, n)?.0)
}

/// A whole number as a quantity.
fn integer(args: &[CowVal<'_, '_>], n: usize) -> Result<Quantity, ExecutionError> {
    Ok(Quantity::new(*of::<CelInt>(args, n)?.inner(), QuantityFormat::DecimalExponent))
}

fn text<'a>(args: &'a [CowVal<'_, '_>], n: usize) -> Result<&'a str, ExecutionError> {
    let text = args.get(n).and_then(|it| it.as_ref().downcast_ref::<CelString<'_>>());
    text.map(CelString::inner).ok_or_else(wrong_argument)
}

fn of<'a, T: StaticVal>(args: &'a [CowVal<'_, '_>], n: usize) -> Result<&'a T, ExecutionError> {
    args.get(n).and_then(|it| it.as_ref().downcast_ref::<T>()).ok_or_else(wrong_argument)
}

fn wrong_argument() -> ExecutionError {
    ExecutionError::function_error("argument", "no such overload")
}

fn boolean<'b, 'v>(it: bool) -> CowVal<'b, 'v> {
    CowVal::owned(CelBool::from(it))
}

fn int<'b, 'v>(it: i64) -> CowVal<'b, 'v> {
    CowVal::owned(CelInt::from(it))
}
