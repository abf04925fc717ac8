//! Which values are equal, which comes first, and dicts, which find a value by an equal key.

use std::cmp::Ordering;
use std::rc::Rc;

use super::error::{Budget, Outcome, error};
use super::value::{Dict, Value, measure, number, range_length, whole};

impl Value {
    /// A dict; of equal keys the last one's value counts.
    pub fn dict(pairs: Vec<(Value, Value)>, budget: &Budget) -> Outcome<Value> {
        let mut entries: Vec<(Value, Value)> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            budget.spend(entries.len() as u64)?;
            hashable(&key)?;
            let mut known = None;
            for (at, (other, _)) in entries.iter().enumerate() {
                if equal(other, &key, budget)? {
                    known = Some(at);
                    break;
                }
            }
            match known {
                Some(at) => entries[at].1 = value,
                None => entries.push((key, value)),
            }
        }
        let parts = entries.iter().flat_map(|(key, value)| [key, value]);
        let depth = measure(parts, budget)?;
        Ok(Value::Dict(Rc::new(Dict { entries, depth })))
    }
}

impl Dict {
    /// The value of a key.
    pub fn get(&self, key: &Value, budget: &Budget) -> Outcome<Option<&Value>> {
        budget.spend(self.entries.len() as u64)?;
        for (other, value) in &self.entries {
            if equal(other, key, budget)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

/// Fails where Python cannot use a value as a key.
pub fn hashable(value: &Value) -> Outcome<()> {
    match value {
        Value::List(_) | Value::Dict(_) => error(format!("unhashable type: '{}'", value.kind())),
        Value::Tuple(items) => items.all.iter().try_for_each(hashable),
        _ => Ok(()),
    }
}

/// `==`.
pub fn equal(a: &Value, b: &Value, budget: &Budget) -> Outcome<bool> {
    if let (Some(a), Some(b)) = (whole(a), whole(b)) {
        return Ok(a == b);
    }
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return Ok(a == b);
    }
    budget.spend(8)?;
    Ok(match (a, b) {
        (Value::Undefined(_), Value::Undefined(_)) | (Value::None, Value::None) => true,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            if a.all.len() != b.all.len() {
                return Ok(false);
            }
            for (a, b) in a.all.iter().zip(&b.all) {
                if !equal(a, b, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Dict(a), Value::Dict(b)) => {
            if a.entries.len() != b.entries.len() {
                return Ok(false);
            }
            for (key, value) in &a.entries {
                match b.get(key, budget)? {
                    Some(other) if equal(value, other, budget)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Value::Range(a, b, c), Value::Range(d, e, f)) => {
            (a, range_length(*a, *b, *c), c) == (d, range_length(*d, *e, *f), f)
        }
        _ => same(a, b),
    })
}

/// Whether both are one and the same object.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Namespace(a), Value::Namespace(b)) => Rc::ptr_eq(a, b),
        (Value::Macro(a), Value::Macro(b)) => Rc::ptr_eq(a, b),
        (Value::Loop(a), Value::Loop(b)) => Rc::ptr_eq(a, b),
        (Value::Iterator(a), Value::Iterator(b)) => Rc::ptr_eq(a, b),
        (Value::Cycler(a), Value::Cycler(b)) => Rc::ptr_eq(a, b),
        (Value::Joiner(a), Value::Joiner(b)) => Rc::ptr_eq(a, b),
        (Value::Function(a), Value::Function(b)) => a == b,
        _ => false,
    }
}

/// `<`, `>` and the order of a sort. None for numbers that are none.
pub fn compare(a: &Value, b: &Value, sign: &str, budget: &Budget) -> Outcome<Option<Ordering>> {
    if let (Some(a), Some(b)) = (whole(a), whole(b)) {
        return Ok(Some(a.cmp(&b)));
    }
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return Ok(a.partial_cmp(&b));
    }
    budget.spend(1)?;
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Ok(Some(a.cmp(b))),
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            for (a, b) in a.all.iter().zip(&b.all) {
                if !equal(a, b, budget)? {
                    return compare(a, b, sign, budget);
                }
            }
            Ok(Some(a.all.len().cmp(&b.all.len())))
        }
        (Value::Undefined(text), _) | (_, Value::Undefined(text)) => error(&**text),
        _ => error(format!(
            "'{sign}' not supported between instances of '{}' and '{}'",
            a.kind(),
            b.kind()
        )),
    }
}

/// `a in b`.
pub fn contains(b: &Value, a: &Value, budget: &Budget) -> Outcome<bool> {
    match (b, a) {
        (Value::Text(text), Value::Text(part)) => {
            budget.spend(text.len() as u64)?;
            Ok(text.contains(&**part))
        }
        (Value::Text(_), other) => {
            error(format!("'in <string>' requires string as left operand, not {}", other.kind()))
        }
        (Value::Dict(dict), key) => {
            hashable(key)?;
            Ok(dict.get(key, budget)?.is_some())
        }
        (Value::Iterator(_), _) => {
            error("`in` over what can be gone through once is not supported")
        }
        (Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_), _) => {
            error(format!("argument of type '{}' is not iterable", b.kind()))
        }
        _ => {
            for one in b.elements(budget)? {
                if equal(&one, a, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}
