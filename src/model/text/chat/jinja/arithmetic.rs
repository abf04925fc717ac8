//! The operators of arithmetic.

use super::error::{Budget, Outcome, error};
use super::percent;
use super::value::{Value, items, number, whole};

/// `a operator b`
pub fn binary(operator: &str, a: &Value, b: &Value, budget: &Budget) -> Outcome<Value> {
    if let Value::Undefined(text) = a {
        return error(&**text);
    }
    match (operator, a, b) {
        ("%", Value::Text(pattern), given) => {
            return Ok(Value::text(percent::format(pattern, given, budget)?));
        }
        (_, _, Value::Undefined(text)) => return error(&**text),
        ("+", Value::Text(a), Value::Text(b)) => {
            budget.spend((a.len() + b.len()) as u64)?;
            return Ok(Value::text(format!("{a}{b}")));
        }
        ("+", Value::List(a), Value::List(b)) => {
            return Ok(Value::List(items([&a.all[..], &b.all[..]].concat(), budget)?));
        }
        ("+", Value::Tuple(a), Value::Tuple(b)) => {
            return Ok(Value::Tuple(items([&a.all[..], &b.all[..]].concat(), budget)?));
        }
        ("*", Value::Text(_) | Value::List(_) | Value::Tuple(_), count)
            if whole(count).is_some() =>
        {
            return repeated(a, whole(count).unwrap_or(0), budget);
        }
        ("*", count, Value::Text(_) | Value::List(_) | Value::Tuple(_))
            if whole(count).is_some() =>
        {
            return repeated(b, whole(count).unwrap_or(0), budget);
        }
        _ => {}
    }
    if let (Some(left), Some(right)) = (whole(a), whole(b)) {
        return integers(operator, left, right);
    }
    match (number(a), number(b)) {
        (Some(left), Some(right)) => floats(operator, left, right),
        _ => error(format!(
            "unsupported operand type(s) for {operator}: '{}' and '{}'",
            a.kind(),
            b.kind()
        )),
    }
}

/// `-value`
pub fn negative(value: &Value) -> Outcome<Value> {
    match (value, whole(value)) {
        (Value::Undefined(text), _) => error(&**text),
        (_, Some(value)) => binary_result(value.checked_neg()),
        (Value::Float(value), _) => Ok(Value::Float(-value)),
        _ => error(format!("bad operand type for unary -: '{}'", value.kind())),
    }
}

/// `+value`
pub fn positive(value: &Value) -> Outcome<Value> {
    match (value, whole(value)) {
        (Value::Undefined(text), _) => error(&**text),
        (_, Some(value)) => Ok(Value::Int(value)),
        (Value::Float(value), _) => Ok(Value::Float(*value)),
        _ => error(format!("bad operand type for unary +: '{}'", value.kind())),
    }
}

fn repeated(value: &Value, count: i64, budget: &Budget) -> Outcome<Value> {
    let count = usize::try_from(count).unwrap_or(0);
    let room = |length: usize| budget.spend((length as u64).saturating_mul(count as u64));
    match value {
        Value::Text(text) => {
            room(text.len())?;
            Ok(Value::text(text.repeat(count)))
        }
        Value::List(all) => {
            room(all.all.len())?;
            Ok(Value::List(items(vec![&all.all[..]; count].concat(), budget)?))
        }
        Value::Tuple(all) => {
            room(all.all.len())?;
            Ok(Value::Tuple(items(vec![&all.all[..]; count].concat(), budget)?))
        }
        _ => unreachable!("only what has elements is repeated"),
    }
}

fn integers(operator: &str, a: i64, b: i64) -> Outcome<Value> {
    let by_zero = matches!(operator, "/" | "//" | "%") && b == 0;
    if by_zero {
        return error("division by zero");
    }
    binary_result(match operator {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        "//" => a.checked_div(b).map(|q| if a % b != 0 && (a < 0) != (b < 0) { q - 1 } else { q }),
        "%" => a.checked_rem(b).map(|r| if r != 0 && (r < 0) != (b < 0) { r + b } else { r }),
        "**" if b >= 0 => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        "**" if a == 0 => return error("0.0 cannot be raised to a negative power"),
        _ => return floats(operator, a as f64, b as f64),
    })
}

fn binary_result(value: Option<i64>) -> Outcome<Value> {
    match value {
        Some(value) => Ok(Value::Int(value)),
        None => error("an integer does not fit into 64 bits, which is not supported"),
    }
}

fn floats(operator: &str, a: f64, b: f64) -> Outcome<Value> {
    if matches!(operator, "/" | "//" | "%") && b == 0.0 {
        return error("division by zero");
    }
    let modulo = || {
        let rest = a % b;
        if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest.copysign(b) }
    };
    Ok(Value::Float(match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "//" => ((a - modulo()) / b).round(),
        "%" => {
            let rest = modulo();
            if rest == 0.0 { 0f64.copysign(b) } else { rest }
        }
        _ if a < 0.0 && b.fract() != 0.0 => return error("complex numbers are not supported"),
        _ => a.powf(b),
    }))
}
