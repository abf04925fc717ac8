//! Attributes, elements and slices of values.

use super::error::{Budget, Outcome, error};
use super::python;
use super::value::{Items, Value, items, range_length, whole};

/// Methods of texts, as far as they are supported.
const TEXT: [&str; 42] = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "upper",
];
const MORE_TEXT: [&str; 1] = ["zfill"];
const DICT: [&str; 5] = ["copy", "get", "items", "keys", "values"];
const LIST: [&str; 3] = ["copy", "count", "index"];
const TUPLE: [&str; 2] = ["count", "index"];

/// What Python has there, and templates do not use.
const STRANGE: [(&str, &[&str]); 4] = [
    ("str", &["encode", "format_map", "maketrans", "translate"]),
    ("dict", &["fromkeys"]),
    ("int", NUMBERS),
    ("float", NUMBERS),
];
const NUMBERS: &[&str] = &[
    "as_integer_ratio",
    "bit_count",
    "bit_length",
    "conjugate",
    "denominator",
    "from_bytes",
    "fromhex",
    "hex",
    "imag",
    "is_integer",
    "numerator",
    "real",
    "to_bytes",
];

/// Methods that change their value: the sandbox of transformers refuses them, too.
const CHANGING: [(&str, &[&str]); 2] = [
    ("list", &["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"]),
    ("dict", &["clear", "pop", "popitem", "setdefault", "update"]),
];

/// `value.name`: an attribute first, then an element.
pub fn attribute(value: &Value, name: &str, budget: &Budget) -> Outcome<Value> {
    if let Some(found) = own(value, name)? {
        return Ok(found);
    }
    match value {
        Value::Dict(dict) => {
            budget.spend(dict.entries.len() as u64)?;
            Ok(dict.named(name).cloned().unwrap_or_else(|| lacking(value, name)))
        }
        _ => Ok(lacking(value, name)),
    }
}

/// `value[key]`: an element first, then an attribute.
pub fn item(value: &Value, key: &Value, budget: &Budget) -> Outcome<Value> {
    if let Value::Undefined(text) = value {
        return error(&**text);
    }
    let found = match (value, whole(key)) {
        (Value::Dict(dict), _) => match super::equality::hashable(key) {
            Ok(()) => dict.get(key, budget)?.cloned(),
            Err(_) => None,
        },
        (Value::List(items) | Value::Tuple(items), Some(at)) => {
            place(at, items.all.len()).map(|at| items.all[at].clone())
        }
        (Value::Text(text), Some(at)) => {
            budget.spend(text.len() as u64)?;
            let at = place(at, text.chars().count());
            at.and_then(|at| text.chars().nth(at)).map(|c| Value::text(c.encode_utf8(&mut [0; 4])))
        }
        (Value::Range(start, end, step), Some(at)) => {
            let at = place(at, range_length(*start, *end, *step));
            at.map(|at| Value::Int(start + at as i64 * step))
        }
        _ => None,
    };
    match (found, key) {
        (Some(found), _) => Ok(found),
        (None, Value::Text(name)) => Ok(own(value, name)?.unwrap_or_else(|| lacking(value, name))),
        (None, key) => {
            let key = key.repr(budget).unwrap_or_else(|_| key.kind().into());
            Ok(Value::Undefined(format!("{} object has no element {key}", value.kind()).into()))
        }
    }
}

/// `value[start:end:step]`
pub fn slice(value: &Value, bounds: [Option<Value>; 3], budget: &Budget) -> Outcome<Value> {
    if let Value::Undefined(text) = value {
        return error(&**text);
    }
    let Some(length) =
        value.length().filter(|_| !matches!(value, Value::Dict(_) | Value::View(..)))
    else {
        return error(format!("'{}' object is not subscriptable with a slice", value.kind()));
    };
    let mut numbers = [None; 3];
    for (number, bound) in numbers.iter_mut().zip(bounds) {
        *number = match bound {
            None | Some(Value::None) => None,
            Some(bound) => match whole(&bound) {
                Some(bound) => Some(bound),
                None => return error("slice indices must be integers or None"),
            },
        };
    }
    let places = places(numbers, length)?;
    budget.spend(length as u64)?;
    match value {
        Value::Text(text) => {
            let letters: Vec<char> = text.chars().collect();
            let part: String = places.into_iter().map(|at| letters[at]).collect();
            Ok(Value::text(part))
        }
        Value::List(all) => Ok(Value::List(chosen(all, &places, budget)?)),
        Value::Tuple(all) => Ok(Value::Tuple(chosen(all, &places, budget)?)),
        _ => error("a slice of a range is not supported"),
    }
}

fn chosen(all: &Items, places: &[usize], budget: &Budget) -> Outcome<std::rc::Rc<Items>> {
    items(places.iter().map(|at| all.all[*at].clone()).collect(), budget)
}

/// The places that a slice takes of so many, as Python counts them.
fn places([start, end, step]: [Option<i64>; 3], length: usize) -> Outcome<Vec<usize>> {
    let length = length as i64;
    let step = step.unwrap_or(1);
    if step == 0 {
        return error("slice step cannot be zero");
    }
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let bound = |bound: Option<i64>, default: i64| match bound {
        None => default,
        Some(bound) if bound < 0 => (bound.saturating_add(length)).max(low),
        Some(bound) => bound.min(high),
    };
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    let (mut at, end) = (bound(start, first), bound(end, last));
    let mut places = Vec::new();
    while if step > 0 { at < end } else { at > end } {
        places.push(at as usize);
        at = at.saturating_add(step);
    }
    Ok(places)
}

/// A place counted from the start, or from the end if it is negative.
fn place(at: i64, length: usize) -> Option<usize> {
    let at = if at < 0 { at.checked_add(length as i64)? } else { at };
    usize::try_from(at).ok().filter(|at| *at < length)
}

/// What a value has as a part of its kind.
fn own(value: &Value, name: &str) -> Outcome<Option<Value>> {
    let kind = value.kind();
    if let Value::Undefined(text) = value {
        return error(&**text);
    }
    if name.starts_with("__") {
        return error(format!("access to attribute '{name}' of '{kind}' object is unsafe"));
    }
    let has = |all: &[(&str, &[&str])]| {
        all.iter().any(|(known, names)| *known == kind && names.contains(&name))
    };
    if has(&STRANGE) {
        return error(format!("the attribute `{name}` of a {kind} is not supported"));
    }
    if has(&CHANGING) {
        let text = format!("access to attribute '{name}' of '{kind}' object is unsafe.");
        return Ok(Some(Value::Undefined(text.into())));
    }
    let methods: &[&'static str] = match value {
        Value::Text(_) if name == MORE_TEXT[0] => &MORE_TEXT,
        Value::Text(_) => &TEXT,
        Value::Dict(_) => &DICT,
        Value::List(_) => &LIST,
        Value::Tuple(_) => &TUPLE,
        _ => &[],
    };
    if let Some(method) = methods.iter().find(|method| **method == name) {
        return Ok(Some(Value::Method(value.clone().into(), method)));
    }
    Ok(match (value, name) {
        (Value::Namespace(names), _) => {
            let names = names.borrow();
            names.iter().find(|(known, _)| **known == *name).map(|(_, value)| value.clone())
        }
        (Value::Macro(found), "name") => {
            Some(found.name.as_ref().map_or(Value::None, |name| Value::Text(name.clone())))
        }
        (Value::Cycler(_), "next") => Some(Value::Method(value.clone().into(), "next")),
        (Value::Cycler(_), "reset") => Some(Value::Method(value.clone().into(), "reset")),
        (Value::Cycler(all), "current") => all.0.get(all.1.get()).cloned(),
        (Value::Tuple(items), "grouper") if items.group => items.all.first().cloned(),
        (Value::Tuple(items), "list") if items.group => items.all.get(1).cloned(),
        (
            Value::Macro(_)
            | Value::Method(..)
            | Value::Function(_)
            | Value::Iterator(_)
            | Value::View(..)
            | Value::Joiner(_)
            | Value::Range(..),
            _,
        ) => return error(format!("the attribute `{name}` of a {kind} is not supported")),
        _ => None,
    })
}

fn lacking(value: &Value, name: &str) -> Value {
    let (kind, name) = (value.kind(), python::repr_text(name));
    Value::Undefined(format!("'{kind} object' has no attribute {name}").into())
}
