//! Jinja2's filters.

use std::rc::Rc;

use super::access::attribute;
use super::error::{Budget, Outcome, error};
use super::given::{Given, flag, integer, needed, text};
use super::letters;
use super::lists;
use super::methods::{centred, replaced, stripped};
use super::names::is_filter;
use super::percent;
use super::python;
use super::rounding;
use super::tojson;
use super::value::Value;

/// `value | name(given)`
pub fn apply(name: &str, value: Value, given: Given, budget: &Budget) -> Outcome<Value> {
    budget.spend(1)?;
    match name {
        "map" | "select" | "reject" | "selectattr" | "rejectattr" => {
            lists::each(name, &value, given, budget, &apply)
        }
        "batch" | "dictsort" | "first" | "groupby" | "items" | "last" | "list" | "max" | "min"
        | "reverse" | "slice" | "sort" | "sum" | "unique" => {
            lists::apply(name, value, given, budget)
        }
        "capitalize" | "center" | "escape" | "e" | "forceescape" | "format" | "indent"
        | "lower" | "replace" | "string" | "title" | "trim" | "upper" => {
            let own = value.shown(budget)?;
            budget.spend(2 * own.len() as u64)?;
            of_text(name, &own, value, given, budget)
        }
        "default" | "d" => {
            let [default, boolean] = given.bind(name, ["default_value", "boolean"])?;
            let lacks =
                matches!(value, Value::Undefined(_)) || (flag(&boolean) && !value.is_true());
            Ok(if lacks { default.unwrap_or_else(|| Value::text("")) } else { value })
        }
        "length" | "count" => {
            let [] = given.places(name)?;
            if let Value::Text(text) = &value {
                budget.spend(text.len() as u64 / 8)?;
            }
            match value.length() {
                Some(length) => Ok(Value::Int(length as i64)),
                None => error(format!("object of type '{}' has no len()", value.kind())),
            }
        }
        "join" => joined(&value, given, budget),
        "attr" => {
            let [which] = given.bind(name, ["name"])?;
            let which = text(which, name)?;
            match &value {
                // Only attributes count here, no keys.
                Value::Dict(_) => Ok(match attribute(&value, &which, budget)? {
                    method @ Value::Method(..) => method,
                    _ => Value::missing(&which),
                }),
                _ => attribute(&value, &which, budget),
            }
        }
        "abs" | "int" | "float" | "round" => rounding::apply(name, &value, given),
        "tojson" => tojson::filter(&value, given, budget),
        "safe" => {
            let [] = given.places(name)?;
            Ok(Value::Text(value.shown(budget)?))
        }
        other => error(match is_filter(other) {
            true => format!("the filter `{other}` is not supported"),
            false => format!("No filter named '{other}'."),
        }),
    }
}

fn of_text(
    name: &str,
    own: &Rc<str>,
    value: Value,
    given: Given,
    budget: &Budget,
) -> Outcome<Value> {
    Ok(Value::text(match name {
        "trim" => {
            let [which] = given.bind(name, ["chars"])?;
            let which = which.filter(|which| !matches!(which, Value::None));
            let which = which.map(|which| text(Some(which), name)).transpose()?;
            stripped(own, which.as_deref(), "strip").to_string()
        }
        "replace" => {
            let [old, new, count] = given.bind(name, ["old", "new", "count"])?;
            let shown = |part: Option<Value>| needed(part, name)?.shown(budget);
            let count = count.filter(|count| !matches!(count, Value::None));
            replaced(own, &shown(old)?, &shown(new)?, integer(count, -1, name)?, budget)?
        }
        "center" => {
            let [width] = given.bind(name, ["width"])?;
            let width = usize::try_from(integer(width, 80, name)?).unwrap_or(0);
            let missing = width.saturating_sub(own.chars().count());
            budget.spend(missing as u64)?;
            centred(own, missing, " ")
        }
        "format" => {
            let pairs = |(key, value): (Rc<str>, Value)| (Value::Text(key), value);
            let given = match (given.plain.is_empty(), given.named.is_empty()) {
                (false, false) => {
                    return error("can't handle positional and keyword arguments at the same time");
                }
                (true, false) => Value::dict(given.named.into_iter().map(pairs).collect(), budget)?,
                _ => Value::tuple(given.plain, budget)?,
            };
            percent::format(own, &given, budget)?
        }
        "indent" => {
            let Value::Text(own) = value else {
                return error(format!("`indent` takes a str, not {}", value.kind()));
            };
            indented(&own, given, budget)?
        }
        _ => {
            let [] = given.places(name)?;
            match name {
                "upper" => own.to_uppercase(),
                "lower" => own.to_lowercase(),
                "capitalize" => letters::capitalized(own),
                "title" => titled(own),
                "string" => return Ok(Value::Text(own.clone())),
                _ => escaped(own),
            }
        }
    }))
}

fn escaped(own: &str) -> String {
    let pairs = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;"), ("\"", "&#34;")];
    pairs.iter().fold(own.to_string(), |text, (from, to)| text.replace(from, to))
}

/// Jinja2's own `title`: words begin behind white space, hyphens and opening brackets.
fn titled(own: &str) -> String {
    let mut out = String::with_capacity(own.len());
    let mut starts = true;
    for c in own.chars() {
        let parts = python::is_space(c) || matches!(c, '-' | '(' | '{' | '[' | '<');
        match starts {
            true => out.extend(c.to_uppercase()),
            false => out.extend(c.to_lowercase()),
        }
        starts = parts;
    }
    out
}

fn indented(own: &str, given: Given, budget: &Budget) -> Outcome<String> {
    let [width, first, blank] = given.bind("indent", ["width", "first", "blank"])?;
    let indent: Rc<str> = match width {
        Some(Value::Text(text)) => text,
        width => {
            let width = usize::try_from(integer(width, 4, "indent")?).unwrap_or(0);
            budget.spend(width as u64)?;
            " ".repeat(width).into()
        }
    };
    let own = own.to_string() + "\n";
    let lines = python::lines(&own, false);
    budget.spend((lines.len() as u64).saturating_mul(indent.len() as u64))?;
    let mut out = if flag(&first) { indent.to_string() } else { String::new() };
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push('\n');
            if flag(&blank) || !line.is_empty() {
                out += &indent;
            }
        }
        out += line;
    }
    Ok(out)
}

fn joined(value: &Value, given: Given, budget: &Budget) -> Outcome<Value> {
    let [between, by] = given.bind("join", ["d", "attribute"])?;
    let between = between.unwrap_or_else(|| Value::text("")).shown(budget)?;
    let by = by.filter(|by| !matches!(by, Value::None));
    let mut out = String::new();
    for (at, one) in value.elements(budget)?.into_iter().enumerate() {
        let one = match &by {
            Some(by) => lists::part(&one, by, &None, budget)?,
            None => one,
        };
        let shown = one.shown(budget)?;
        budget.spend((between.len() + shown.len()) as u64)?;
        out += if at > 0 { &between } else { "" };
        out += &shown;
    }
    Ok(Value::text(out))
}

/// Whether a filter gives markup, which escapes what it is joined with.
pub fn is_markup(name: &str) -> bool {
    matches!(name, "safe" | "e" | "escape" | "forceescape")
}
