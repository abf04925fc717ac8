//! Jinja2's tests: what may follow `is`.

use std::cmp::Ordering;

use super::arithmetic;
use super::equality::{compare, contains, equal, same};
use super::error::{Budget, Outcome, error};
use super::given::{Given, needed};
use super::letters;
use super::names::{is_filter, is_test};
use super::value::{Value, whole};

/// `value is name(given)`
pub fn test(name: &str, value: &Value, given: Given, budget: &Budget) -> Outcome<bool> {
    budget.spend(1)?;
    let takes = match name {
        "divisibleby" | "sameas" | "in" | "==" | "eq" | "equalto" | "!=" | "ne" | ">" | "gt"
        | "greaterthan" | "ge" | ">=" | "<" | "lt" | "lessthan" | "<=" | "le" => true,
        _ if is_test(name) => false,
        _ => return error(format!("No test named '{name}'.")),
    };
    if takes {
        let [other] = given.bind(name, ["other"])?;
        return with(name, value, &needed(other, name)?, budget);
    }
    let [] = given.places(name)?;
    Ok(match name {
        "odd" | "even" => {
            let rest = arithmetic::binary("%", value, &Value::Int(2), budget)?;
            equal(&rest, &Value::Int(i64::from(name == "odd")), budget)?
        }
        "defined" => !matches!(value, Value::Undefined(_)),
        "undefined" => matches!(value, Value::Undefined(_)),
        "filter" => matches!(value, Value::Text(name) if is_filter(name)),
        "test" => matches!(value, Value::Text(name) if is_test(name)),
        "none" => matches!(value, Value::None),
        "boolean" => matches!(value, Value::Bool(_)),
        "false" => matches!(value, Value::Bool(false)),
        "true" => matches!(value, Value::Bool(true)),
        "integer" => matches!(value, Value::Int(_)),
        "float" => matches!(value, Value::Float(_)),
        "number" => matches!(value, Value::Bool(_) | Value::Int(_) | Value::Float(_)),
        "string" => matches!(value, Value::Text(_)),
        "mapping" => matches!(value, Value::Dict(_)),
        "lower" | "upper" => letters::call(&value.shown(budget)?, &format!("is{name}"))?.is_true(),
        // What has a length and a `[…]`.
        "sequence" => value.length().is_some() && !matches!(value, Value::View(..)),
        "iterable" => {
            value.length().is_some() || matches!(value, Value::Iterator(_) | Value::Loop(_))
        }
        // An undefined value has a `__call__`, which fails.
        "callable" => matches!(
            value,
            Value::Macro(_)
                | Value::Method(..)
                | Value::Function(_)
                | Value::Loop(_)
                | Value::Joiner(_)
                | Value::Undefined(_)
        ),
        _ => return error(format!("the test `{name}` is not supported")),
    })
}

fn with(name: &str, value: &Value, other: &Value, budget: &Budget) -> Outcome<bool> {
    let order = |sign: &str| compare(value, other, sign, budget);
    Ok(match name {
        "divisibleby" => {
            let rest = arithmetic::binary("%", value, other, budget)?;
            equal(&rest, &Value::Int(0), budget)?
        }
        "in" => contains(other, value, budget)?,
        "==" | "eq" | "equalto" => equal(value, other, budget)?,
        "!=" | "ne" => !equal(value, other, budget)?,
        ">" | "gt" | "greaterthan" => order(">")? == Some(Ordering::Greater),
        "<" | "lt" | "lessthan" => order("<")? == Some(Ordering::Less),
        ">=" | "ge" => matches!(order(">=")?, Some(Ordering::Greater | Ordering::Equal)),
        "<=" | "le" => matches!(order("<=")?, Some(Ordering::Less | Ordering::Equal)),
        _ => match (value, other) {
            (Value::None, Value::None) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            // Python keeps small integers once.
            (Value::Int(_), Value::Int(_)) => match (whole(value), whole(other)) {
                (Some(a), Some(b)) if a != b => false,
                (Some(a), _) if (-5..=256).contains(&a) => true,
                _ => return error("`sameas` of these values is not supported"),
            },
            (Value::None | Value::Bool(_), _) | (_, Value::None | Value::Bool(_)) => false,
            (Value::Text(_) | Value::List(_) | Value::Dict(_) | Value::Tuple(_), _) => {
                return error(format!("`sameas` of a {} is not supported", value.kind()));
            }
            _ => same(value, other),
        },
    })
}
