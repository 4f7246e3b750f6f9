//! Whole numbers of the widths that Kubernetes uses.

use serde_json::Value;

use super::fault::Fault;

/// The whole number that `value` is, between `min` and `max`.
pub(super) fn whole(value: &Value, min: i64, max: i64) -> Result<i64, Fault> {
    let Value::Number(number) = value else {
        let fault = Fault::expected("a whole number", value);
        return Err(match value.as_str().map(str::trim) {
            Some(text) if text.parse::<i64>().is_ok() => fault.with_help(format!("without quotes: {text}")),
            _ => fault,
        });
    };
    match number.as_i64() {
        Some(it) if (min..=max).contains(&it) => Ok(it),
        Some(_) => Err(out_of_range(value, min, max)),
        None if number.is_f64() => Err(Fault::expected("a whole number", value)),
        None => Err(out_of_range(value, min, max)),
    }
}

fn out_of_range(value: &Value, min: i64, max: i64) -> Fault {
    Fault::new(format!("the number `{value}` is out of range; it can be {min} to {max}"))
}
