//! The filters that take lists and what else has elements.

use std::cmp::Ordering;
use std::rc::Rc;

use super::access::item;
use super::arithmetic;
use super::checks;
use super::equality::{compare, equal, hashable};
use super::error::{Budget, Outcome, error};
use super::given::{Given, flag, integer, needed, text};
use super::value::{Items, Value, items};

/// A filter that filters call by its name.
type Filter<'a> = &'a dyn Fn(&str, Value, Given, &Budget) -> Outcome<Value>;

/// `map`, `select`, `reject`, `selectattr` and `rejectattr`.
pub fn each(
    name: &str,
    value: &Value,
    mut given: Given,
    budget: &Budget,
    filter: Filter,
) -> Outcome<Value> {
    let mut out = Vec::new();
    if !value.is_true() {
        return Value::iterator(out, budget);
    }
    let first = |given: &mut Given| (!given.plain.is_empty()).then(|| given.plain.remove(0));
    if name == "map" {
        if given.plain.is_empty() && given.named.iter().any(|(name, _)| &**name == "attribute") {
            let [by, default] = given.bind(name, ["attribute", "default"])?;
            let by = needed(by, name)?;
            for one in value.elements(budget)? {
                out.push(part(&one, &by, &default, budget)?);
            }
            return Value::iterator(out, budget);
        }
        let called = text(first(&mut given), "map")?;
        for one in value.elements(budget)? {
            let given = Given { plain: given.plain.clone(), named: given.named.clone() };
            out.push(filter(&called, one, given, budget)?);
        }
        return Value::iterator(out, budget);
    }
    let by = match name.ends_with("attr") {
        true => Some(needed(first(&mut given), name)?),
        false => None,
    };
    let test = first(&mut given).map(|test| text(Some(test), name)).transpose()?;
    for one in value.elements(budget)? {
        let looked_at = match &by {
            Some(by) => part(&one, by, &None, budget)?,
            None => one.clone(),
        };
        let well = match &test {
            Some(test) => {
                let given = Given { plain: given.plain.clone(), named: given.named.clone() };
                checks::test(test, &looked_at, given, budget)?
            }
            None => looked_at.is_true(),
        };
        if well == name.starts_with("select") {
            out.push(one);
        }
    }
    Value::iterator(out, budget)
}

/// The other filters of lists.
pub fn apply(name: &str, value: Value, given: Given, budget: &Budget) -> Outcome<Value> {
    match name {
        "list" => {
            let [] = given.places(name)?;
            Value::list(value.elements(budget)?, budget)
        }
        "first" => {
            let [] = given.places(name)?;
            if let Value::Iterator(rest) = &value {
                return Ok(rest.borrow_mut().pop_front().unwrap_or_else(|| none_of("first item")));
            }
            let all = value.elements(budget)?;
            Ok(all.into_iter().next().unwrap_or_else(|| none_of("first item")))
        }
        "last" => {
            let [] = given.places(name)?;
            if matches!(value, Value::Iterator(_)) {
                return error("'generator' object is not reversible");
            }
            let all = value.elements(budget)?;
            Ok(all.into_iter().next_back().unwrap_or_else(|| none_of("last item")))
        }
        "reverse" => {
            let [] = given.places(name)?;
            let mut all = value.elements(budget)?;
            all.reverse();
            match value {
                Value::Text(text) => Ok(Value::text(text.chars().rev().collect::<String>())),
                Value::Iterator(_) => Value::list(all, budget),
                _ => Value::iterator(all, budget),
            }
        }
        "items" => {
            let [] = given.places(name)?;
            let pairs = match &value {
                Value::Undefined(_) => Vec::new(),
                Value::Dict(dict) => dict.entries.clone(),
                _ => return error("Can only get item pairs from a mapping."),
            };
            let pair = |(key, value)| Value::tuple(vec![key, value], budget);
            let all: Outcome<Vec<Value>> = pairs.into_iter().map(pair).collect();
            Value::iterator(all?, budget)
        }
        "batch" | "slice" => parts(name, &value, given, budget),
        "sum" => {
            let [by, start] = given.bind(name, ["attribute", "start"])?;
            let mut sum = start.unwrap_or(Value::Int(0));
            for one in value.elements(budget)? {
                let one = match &by {
                    None | Some(Value::None) => one,
                    Some(by) => part(&one, by, &None, budget)?,
                };
                if matches!(sum, Value::Text(_)) {
                    return error("sum() can't sum strings [use ''.join(seq) instead]");
                }
                sum = arithmetic::binary("+", &sum, &one, budget)?;
            }
            Ok(sum)
        }
        _ => ordered(name, value, given, budget),
    }
}

/// The part of a value that an attribute such as `a.0.b` names.
pub fn part(value: &Value, by: &Value, default: &Option<Value>, budget: &Budget) -> Outcome<Value> {
    let mut found = value.clone();
    match by {
        Value::Text(names) => {
            for name in names.split('.') {
                let digits = !name.is_empty() && name.bytes().all(|c| c.is_ascii_digit());
                let key = match name.parse() {
                    Ok(at) if digits => Value::Int(at),
                    _ => Value::text(name),
                };
                found = item(&found, &key, budget)?;
                found = replaced(found, default);
            }
            Ok(found)
        }
        other => Ok(replaced(item(&found, other, budget)?, default)),
    }
}

fn replaced(found: Value, default: &Option<Value>) -> Value {
    match (found, default) {
        (Value::Undefined(_), Some(default)) if !matches!(default, Value::None) => default.clone(),
        (found, _) => found,
    }
}

fn none_of(what: &str) -> Value {
    Value::Undefined(format!("No {what}, sequence was empty.").into())
}

fn parts(name: &str, value: &Value, given: Given, budget: &Budget) -> Outcome<Value> {
    let [count, fill] =
        given.bind(name, [if name == "batch" { "linecount" } else { "slices" }, "fill_with"])?;
    let count = usize::try_from(integer(Some(needed(count, name)?), 0, name)?).unwrap_or(0);
    let fill = fill.filter(|fill| !matches!(fill, Value::None));
    let all = value.elements(budget)?;
    if count == 0 || count > 100_000 {
        return error(format!("`{name}` into {count} is not supported"));
    }
    budget.spend(count as u64)?;
    let mut out = Vec::new();
    if name == "batch" {
        for some in all.chunks(count) {
            let mut some = some.to_vec();
            if let Some(fill) = &fill {
                budget.spend(24 * (count - some.len()) as u64)?;
                some.resize(count, fill.clone());
            }
            out.push(Value::list(some, budget)?);
        }
        return Value::iterator(out, budget);
    }
    let (each, more) = (all.len() / count, all.len() % count);
    let mut rest = &all[..];
    for at in 0..count {
        let (some, after) = rest.split_at(each + usize::from(at < more));
        let fill = fill.iter().filter(|_| at >= more).cloned();
        out.push(Value::list(some.iter().cloned().chain(fill).collect(), budget)?);
        rest = after;
    }
    Value::iterator(out, budget)
}

/// A value without regard to large and small letters, if that is not asked for.
fn key(value: Value, exact: bool) -> Value {
    match value {
        Value::Text(text) if !exact => Value::text(text.to_lowercase()),
        value => value,
    }
}

/// `sort`, `dictsort`, `groupby`, `unique`, `min` and `max`.
fn ordered(name: &str, value: Value, given: Given, budget: &Budget) -> Outcome<Value> {
    let [reverse, exact, by, default] = match name {
        "sort" => given.bind(name, ["reverse", "case_sensitive", "attribute", ""])?,
        "dictsort" => {
            let [exact, by, reverse] = given.bind(name, ["case_sensitive", "by", "reverse"])?;
            [reverse, exact, by, None]
        }
        "groupby" => {
            let [by, default, exact] =
                given.bind(name, ["attribute", "default", "case_sensitive"])?;
            [None, exact, Some(needed(by, name)?), default]
        }
        _ => {
            let [exact, by] = given.bind(name, ["case_sensitive", "attribute"])?;
            [None, exact, by, None]
        }
    };
    let (reverse, exact) = (flag(&reverse), flag(&exact));
    let by = by.filter(|by| !matches!(by, Value::None));
    let by = match (name, by) {
        ("dictsort", by) => {
            let by = by.map_or(Ok("key".into()), |by| text(Some(by), name))?;
            Some(Value::Int(i64::from(&*by == "value")))
        }
        ("sort", Some(Value::Text(names))) if names.contains(',') => {
            return error("`sort` by several attributes is not supported");
        }
        (_, by) => by,
    };
    let all = match (&value, name) {
        (Value::Dict(_), "dictsort") => {
            let pairs = apply("items", value, Given::default(), budget)?;
            pairs.elements(budget)?
        }
        (_, "dictsort") => return error("`dictsort` takes a dict"),
        _ => value.elements(budget)?,
    };
    let mut keyed = Vec::with_capacity(all.len());
    for one in all {
        let of = match &by {
            Some(by) => part(&one, by, &default, budget)?,
            None => one.clone(),
        };
        keyed.push((key(of, exact), one));
    }
    match name {
        "unique" => return unique(keyed, budget),
        "min" | "max" => return extreme(name, keyed, budget),
        _ => {}
    }
    let keyed = sorted(keyed, reverse, name == "sort", budget)?;
    if name == "groupby" {
        return groups(keyed, &by.unwrap_or(Value::None), &default, budget);
    }
    Value::list(keyed.into_iter().map(|(_, one)| one).collect(), budget)
}

type Keyed = Vec<(Value, Value)>;

/// A stable sort, also where it is reversed. Keys that are `listed` lie in lists in Jinja2: there,
/// equal ones need no order.
fn sorted(mut keyed: Keyed, reverse: bool, listed: bool, budget: &Budget) -> Outcome<Keyed> {
    let mut failed = None;
    let order = |a: &Value, b: &Value| match listed && equal(a, b, budget)? {
        true => Ok(Some(Ordering::Equal)),
        false => compare(a, b, "<", budget),
    };
    keyed.sort_by(|(a, _), (b, _)| match order(a, b) {
        Ok(order) => {
            let order = order.unwrap_or(Ordering::Equal);
            if reverse { order.reverse() } else { order }
        }
        Err(error) => {
            failed.get_or_insert(error);
            Ordering::Equal
        }
    });
    failed.map_or(Ok(keyed), Err)
}

fn unique(keyed: Keyed, budget: &Budget) -> Outcome<Value> {
    let mut seen: Vec<Value> = Vec::new();
    let mut out = Vec::new();
    for (key, one) in keyed {
        hashable(&key)?;
        let mut known = false;
        for other in &seen {
            known |= equal(other, &key, budget)?;
        }
        if !known {
            seen.push(key);
            out.push(one);
        }
    }
    Value::iterator(out, budget)
}

fn extreme(name: &str, keyed: Keyed, budget: &Budget) -> Outcome<Value> {
    let wanted = if name == "min" { Ordering::Less } else { Ordering::Greater };
    let sign = if name == "min" { "<" } else { ">" };
    let mut best: Option<(Value, Value)> = None;
    for (key, one) in keyed {
        let better = match &best {
            Some((other, _)) => compare(&key, other, sign, budget)? == Some(wanted),
            None => true,
        };
        if better {
            best = Some((key, one));
        }
    }
    let none = || Value::Undefined("No aggregated item, sequence was empty.".into());
    Ok(best.map_or_else(none, |(_, one)| one))
}

fn groups(keyed: Keyed, by: &Value, default: &Option<Value>, budget: &Budget) -> Outcome<Value> {
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (key, one) in keyed {
        match groups.last_mut() {
            Some((known, all)) if equal(known, &key, budget)? => all.push(one),
            _ => groups.push((key, vec![one])),
        }
    }
    let mut out = Vec::new();
    for (_, all) in groups {
        // The key as the first of them has it, with its large letters.
        let own = part(&all[0], by, default, budget)?;
        let pair = items(vec![own, Value::list(all, budget)?], budget)?;
        let Items { all, depth, .. } = &*pair;
        let group = Items { all: all.clone(), depth: *depth, group: true };
        out.push(Value::Tuple(Rc::new(group)));
    }
    Value::list(out, budget)
}
