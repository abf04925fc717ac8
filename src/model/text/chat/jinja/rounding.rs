//! The filters that make numbers.

use super::error::{Outcome, error};
use super::given::{Given, integer, text};
use super::python;
use super::value::{Value, number, whole};

/// `abs`, `int`, `float` and `round`.
pub fn apply(name: &str, value: &Value, given: Given) -> Outcome<Value> {
    match name {
        "abs" => {
            let [] = given.places(name)?;
            match (whole(value), value) {
                (Some(value), _) => match value.checked_abs() {
                    Some(value) => Ok(Value::Int(value)),
                    None => error("an integer does not fit into 64 bits"),
                },
                (_, Value::Float(value)) => Ok(Value::Float(value.abs())),
                _ => error(format!("bad operand type for abs(): '{}'", value.kind())),
            }
        }
        "int" => {
            let [default, base] = given.bind(name, ["default", "base"])?;
            let base = integer(base, 10, name)?;
            let default = default.unwrap_or(Value::Int(0));
            to_integer(value, base).map(|found| found.unwrap_or(default))
        }
        "float" => {
            let [default] = given.bind(name, ["default"])?;
            if let Value::Undefined(text) = value {
                return error(&**text);
            }
            let default = default.unwrap_or(Value::Float(0.0));
            Ok(to_float(value).map_or(default, Value::Float))
        }
        _ => {
            let [precision, method] = given.bind(name, ["precision", "method"])?;
            let method = method.map_or(Ok("common".into()), |method| text(Some(method), name))?;
            rounded(value, integer(precision, 0, name)?, &method)
        }
    }
}

fn to_integer(value: &Value, base: i64) -> Outcome<Option<Value>> {
    if let Some(value) = whole(value) {
        return Ok(Some(Value::Int(value)));
    }
    let float = match value {
        Value::Undefined(text) => return error(&**text),
        Value::Text(text) => {
            let digits = text.trim_matches(python::is_space);
            if base != 10 {
                return error("`int` with another base than 10 is not supported");
            }
            let plain = python_digits(digits).map(|digits| digits.parse::<i64>());
            match plain {
                Some(Ok(value)) => return Ok(Some(Value::Int(value))),
                Some(Err(_)) => return error("an integer does not fit into 64 bits"),
                None => to_float(value),
            }
        }
        other => number(other),
    };
    match float {
        Some(float) if float.is_finite() && float.abs() < 9e18 => {
            Ok(Some(Value::Int(float.trunc() as i64)))
        }
        Some(float) if float.is_finite() => error("an integer does not fit into 64 bits"),
        _ => Ok(None),
    }
}

/// Digits with a sign, without the underscores that may lie between them.
fn python_digits(text: &str) -> Option<String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let well = !digits.is_empty()
        && digits
            .split('_')
            .all(|some| !some.is_empty() && some.bytes().all(|c| c.is_ascii_digit()));
    well.then(|| text.strip_prefix('+').unwrap_or(text).replace('_', ""))
}

fn to_float(value: &Value) -> Option<f64> {
    let Value::Text(text) = value else { return number(value) };
    let text = text.trim_matches(python::is_space).replace('_', "");
    text.parse().ok()
}

fn rounded(value: &Value, precision: i64, method: &str) -> Outcome<Value> {
    let Some(own) = number(value) else {
        return error(match value {
            Value::Undefined(text) => text.to_string(),
            _ => format!("type {} doesn't define __round__ method", value.kind()),
        });
    };
    if !matches!(method, "common" | "ceil" | "floor") {
        return error("method must be common, ceil or floor");
    }
    let places = match usize::try_from(precision) {
        Ok(places) if places <= 15 => places,
        _ => return error("`round` to such a precision is not supported"),
    };
    if method != "common" {
        let scale = 10f64.powi(places as i32);
        let scaled = own * scale;
        let scaled = if method == "ceil" { scaled.ceil() } else { scaled.floor() };
        return Ok(Value::Float(scaled / scale));
    }
    if let Some(value) = whole(value) {
        return Ok(Value::Int(value));
    }
    // The decimal digits are rounded as they are, halves to the even digit.
    let text = format!("{own:.places$}");
    Ok(Value::Float(text.parse().unwrap_or(own)))
}
