//! Methods of texts, dicts and lists, as Python has them.

use std::rc::Rc;

use super::equality::equal;
use super::error::{Budget, Outcome, error};
use super::given::{Given, flag, integer, needed, text};
use super::letters;
use super::percent;
use super::python;
use super::value::{Value, items};

/// `value.name(given)`
pub fn call(value: &Value, name: &str, given: Given, budget: &Budget) -> Outcome<Value> {
    match value {
        Value::Text(own) => {
            budget.spend(own.len() as u64)?;
            of_text(own, name, given, budget)
        }
        Value::Dict(dict) => {
            let parts = |of: fn(&(Value, Value)) -> Value| -> Outcome<_> {
                items(dict.entries.iter().map(of).collect(), budget)
            };
            match name {
                "get" => {
                    let [key, default] = given.places("get")?;
                    let key = needed(key, "get")?;
                    super::equality::hashable(&key)?;
                    let found = dict.get(&key, budget)?.cloned();
                    Ok(found.or(default).unwrap_or(Value::None))
                }
                "keys" => Ok(Value::View("dict_keys", parts(|(key, _)| key.clone())?)),
                "values" => Ok(Value::View("dict_values", parts(|(_, value)| value.clone())?)),
                "items" => {
                    let pair = |(key, value): &(Value, Value)| {
                        Value::tuple(vec![key.clone(), value.clone()], budget)
                    };
                    let all: Outcome<Vec<Value>> = dict.entries.iter().map(pair).collect();
                    Ok(Value::View("dict_items", items(all?, budget)?))
                }
                _ => Ok(value.clone()),
            }
        }
        Value::List(all) | Value::Tuple(all) => {
            if name == "copy" {
                return Ok(value.clone());
            }
            let [wanted, start, end] = given.places(name)?;
            let wanted = needed(wanted, name)?;
            if start.is_some() || end.is_some() {
                return error("`index` with bounds is not supported");
            }
            let mut places = Vec::new();
            for (at, one) in all.all.iter().enumerate() {
                if equal(one, &wanted, budget)? {
                    places.push(at as i64);
                }
            }
            match (name, places.first()) {
                ("count", _) => Ok(Value::Int(places.len() as i64)),
                (_, Some(at)) => Ok(Value::Int(*at)),
                _ => error(format!("{} is not in list", wanted.repr(budget)?)),
            }
        }
        other => error(format!("a {} has no method `{name}`", other.kind())),
    }
}

fn of_text(own: &Rc<str>, name: &str, given: Given, budget: &Budget) -> Outcome<Value> {
    let texts = |all: Vec<&str>| -> Outcome<Value> {
        Value::list(all.into_iter().map(Value::text).collect(), budget)
    };
    match name {
        "strip" | "lstrip" | "rstrip" => {
            let [which] = given.places(name)?;
            let which = match which {
                None | Some(Value::None) => None,
                given => Some(text(given, name)?),
            };
            Ok(Value::text(stripped(own, which.as_deref(), name)))
        }
        "split" | "rsplit" => texts(cut(own, name, given)?),
        "splitlines" => {
            let [keep] = given.bind(name, ["keepends"])?;
            texts(python::lines(own, flag(&keep)))
        }
        "partition" | "rpartition" => parted(own, name, given, budget),
        "startswith" | "endswith" => ends(own, name, given),
        "find" | "rfind" | "index" | "rindex" | "count" => found(own, name, given),
        "replace" => {
            let [old, new, count] = given.bind(name, ["", "", "count"])?;
            let (old, new) = (text(old, name)?, text(new, name)?);
            Ok(Value::text(replaced(own, &old, &new, integer(count, -1, name)?, budget)?))
        }
        "removeprefix" | "removesuffix" => {
            let [part] = given.places(name)?;
            let part = text(part, name)?;
            let rest = match name {
                "removeprefix" => own.strip_prefix(&*part),
                _ => own.strip_suffix(&*part),
            };
            Ok(Value::text(rest.unwrap_or(own)))
        }
        "join" => joined(own, given, budget),
        "format" => Ok(Value::text(percent::braces(own, &given.plain, &given.named, budget)?)),
        "center" | "ljust" | "rjust" | "zfill" => filled(own, name, given, budget),
        _ => {
            let [] = given.places(name)?;
            letters::call(own, name)
        }
    }
}

fn cut<'a>(own: &'a str, name: &str, given: Given) -> Outcome<Vec<&'a str>> {
    let [by, most] = given.bind(name, ["sep", "maxsplit"])?;
    let most = usize::try_from(integer(most, -1, name)?).unwrap_or(usize::MAX);
    match by {
        None | Some(Value::None) => Ok(at_space(own, most, name == "rsplit")),
        by => {
            let by = &*text(by, name)?;
            if by.is_empty() {
                return error("empty separator");
            }
            let count = most.saturating_add(1);
            Ok(match name {
                "split" => own.splitn(count, by).collect(),
                _ => {
                    let mut all: Vec<&str> = own.rsplitn(count, by).collect();
                    all.reverse();
                    all
                }
            })
        }
    }
}

fn parted(own: &str, name: &str, given: Given, budget: &Budget) -> Outcome<Value> {
    let [by] = given.places(name)?;
    let by = text(by, name)?;
    let found = match name {
        _ if by.is_empty() => return error("empty separator"),
        "partition" => own.split_once(&*by),
        _ => own.rsplit_once(&*by),
    };
    let parts = match (found, name) {
        (Some((before, after)), _) => [before, &by, after],
        (None, "partition") => [own, "", ""],
        _ => ["", "", own],
    };
    Value::tuple(parts.map(Value::text).into(), budget)
}

fn joined(own: &str, given: Given, budget: &Budget) -> Outcome<Value> {
    let [all] = given.places("join")?;
    let all = needed(all, "join")?.elements(budget)?;
    let mut out = String::new();
    for (at, one) in all.iter().enumerate() {
        let Value::Text(one) = one else {
            let kind = one.kind();
            return error(format!("sequence item {at}: expected str instance, {kind} found"));
        };
        budget.spend((own.len() + one.len()) as u64)?;
        out += if at > 0 { own } else { "" };
        out += one;
    }
    Ok(Value::text(out))
}

/// A text without white space, or without these letters, at one or both of its ends.
pub fn stripped<'a>(own: &'a str, which: Option<&str>, name: &str) -> &'a str {
    let goes = |c: char| which.map_or_else(|| python::is_space(c), |which| which.contains(c));
    match name {
        "lstrip" => own.trim_start_matches(goes),
        "rstrip" => own.trim_end_matches(goes),
        _ => own.trim_matches(goes),
    }
}

/// A text with `count` places of `old`, or all if it is negative, written as `new`.
pub fn replaced(own: &str, old: &str, new: &str, count: i64, budget: &Budget) -> Outcome<String> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let places = if old.is_empty() { own.chars().count() + 1 } else { own.matches(old).count() };
    let places = places.min(count) as u64;
    budget.spend(places.saturating_mul(new.len() as u64).saturating_add(own.len() as u64))?;
    Ok(own.replacen(old, new, count))
}

fn at_space(own: &str, most: usize, from_end: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = own;
    loop {
        rest = if from_end {
            rest.trim_end_matches(python::is_space)
        } else {
            rest.trim_start_matches(python::is_space)
        };
        if rest.is_empty() {
            break;
        }
        let found = match (parts.len() < most, from_end) {
            (false, _) => None,
            (true, false) => rest.find(python::is_space),
            (true, true) => rest.rfind(python::is_space),
        };
        let Some(at) = found else {
            parts.push(rest);
            break;
        };
        if from_end {
            let length = rest[at..].chars().next().map_or(1, char::len_utf8);
            parts.push(&rest[at + length..]);
            rest = &rest[..at];
        } else {
            parts.push(&rest[..at]);
            rest = &rest[at..];
        }
    }
    if from_end {
        parts.reverse();
    }
    parts
}

/// The part of a text between two places, which count from the end if they are negative.
fn part(
    own: &str,
    start: Option<Value>,
    end: Option<Value>,
    name: &str,
) -> Outcome<(usize, String)> {
    let length = own.chars().count() as i64;
    let bound = |value: Option<Value>, default: i64| -> Outcome<i64> {
        let value = value.filter(|value| !matches!(value, Value::None));
        let at = integer(value, default, name)?;
        Ok(if at < 0 { (at + length).max(0) } else { at })
    };
    let (start, end) = (bound(start, 0)?, bound(end, length)?.min(length));
    let count = (end - start).max(0) as usize;
    Ok((start as usize, own.chars().skip(start as usize).take(count).collect()))
}

fn ends(own: &str, name: &str, given: Given) -> Outcome<Value> {
    let [which, start, end] = given.places(name)?;
    let which = match needed(which, name)? {
        Value::Tuple(all) => all.all.clone(),
        one => vec![one],
    };
    let length = own.chars().count();
    let (at, own) = part(own, start, end, name)?;
    for one in which {
        let one = text(Some(one), name)?;
        let well = if name == "startswith" { own.starts_with(&*one) } else { own.ends_with(&*one) };
        if well && at <= length {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn found(own: &str, name: &str, given: Given) -> Outcome<Value> {
    let [wanted, start, end] = given.places(name)?;
    let wanted = text(wanted, name)?;
    let length = own.chars().count();
    let (from, own) = part(own, start, end, name)?;
    if name == "count" {
        let count = match wanted.is_empty() {
            true if from > length => 0,
            true => own.chars().count() + 1,
            false => own.matches(&*wanted).count(),
        };
        return Ok(Value::Int(count as i64));
    }
    let at = if name.starts_with('r') { own.rfind(&*wanted) } else { own.find(&*wanted) };
    match at.filter(|_| from <= length) {
        Some(at) => Ok(Value::Int((from + own[..at].chars().count()) as i64)),
        None if name.ends_with("index") => error("substring not found"),
        None => Ok(Value::Int(-1)),
    }
}

fn filled(own: &str, name: &str, given: Given, budget: &Budget) -> Outcome<Value> {
    let [width, fill] = given.places(name)?;
    let width = integer(Some(needed(width, name)?), 0, name)?;
    let fill = match fill {
        Some(fill) => text(Some(fill), name)?,
        None => " ".into(),
    };
    if fill.chars().count() != 1 {
        return error("The fill character must be exactly one character long");
    }
    let length = own.chars().count();
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(length);
    budget.spend((missing as u64).saturating_mul(fill.len() as u64))?;
    let some = |count: usize| fill.repeat(count);
    Ok(Value::text(match name {
        "ljust" => own.to_string() + &some(missing),
        "rjust" => some(missing) + own,
        "center" => centred(own, missing, &fill),
        _ => {
            let signs = usize::from(own.starts_with(['+', '-']));
            format!("{}{}{}", &own[..signs], "0".repeat(missing), &own[signs..])
        }
    }))
}

/// As Python's `center`: of an odd number one more goes to the left if the width is odd.
pub fn centred(own: &str, missing: usize, fill: &str) -> String {
    let width = own.chars().count() + missing;
    let left = missing / 2 + (missing & width & 1);
    fill.repeat(left) + own + &fill.repeat(missing - left)
}
