//! `%` on texts, and what `str.format` writes in its braces.

use super::error::{Budget, Outcome, error};
use super::python;
use super::value::{Value, whole};

/// `pattern % given`
pub fn format(pattern: &str, given: &Value, budget: &Budget) -> Outcome<String> {
    let places: Vec<Value> = match given {
        Value::Tuple(items) => items.all.clone(),
        other => vec![other.clone()],
    };
    let mut places = places.into_iter();
    let mut out = String::new();
    let mut letters = pattern.chars().peekable();
    let mut named = false;
    while let Some(c) = letters.next() {
        budget.spend(1)?;
        if c != '%' {
            out.push(c);
            continue;
        }
        let key = key(&mut letters)?;
        let mut layout = Layout::default();
        while let Some(flag) = letters.next_if(|c| matches!(c, '-' | '+' | ' ' | '0' | '#')) {
            layout.flag(flag);
        }
        let mut number = || -> Option<usize> {
            let mut digits = String::new();
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits.parse().ok()
        };
        layout.width = number().unwrap_or(0);
        if letters.next_if_eq(&'.').is_some() {
            let mut digits = String::new();
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            layout.precision = Some(digits.parse().unwrap_or(0));
        }
        let Some(kind) = letters.next() else { return error("incomplete format") };
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = match key {
            Some(name) => {
                named = true;
                let Value::Dict(dict) = given else { return error("format requires a mapping") };
                match dict.named(&name) {
                    Some(value) => value.clone(),
                    None => return error(format!("KeyError: {}", python::repr_text(&name))),
                }
            }
            None => match places.next() {
                Some(value) => value,
                None => return error("not enough arguments for format string"),
            },
        };
        out += &layout.write(kind, &value, budget)?;
    }
    // What has a `[…]` and is no tuple may be a mapping, of which not all is used.
    let mapping =
        matches!(given, Value::Dict(_) | Value::List(_) | Value::Range(..) | Value::Undefined(_));
    let all_used = named || mapping || places.next().is_none();
    match all_used {
        true => Ok(out),
        false => error("not all arguments converted during string formatting"),
    }
}

/// The key of `%(key)s`, if there is one.
fn key(letters: &mut std::iter::Peekable<std::str::Chars>) -> Outcome<Option<String>> {
    if letters.next_if_eq(&'(').is_none() {
        return Ok(None);
    }
    let mut name = String::new();
    loop {
        match letters.next() {
            Some(')') => return Ok(Some(name)),
            Some(c) => name.push(c),
            None => return error("incomplete format key"),
        }
    }
}

/// How a value is laid out.
#[derive(Clone, Copy, Default)]
struct Layout {
    left: bool,
    sign: bool,
    blank: bool,
    zeros: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

impl Layout {
    fn flag(&mut self, flag: char) {
        match flag {
            '-' => self.left = true,
            '+' => self.sign = true,
            ' ' => self.blank = true,
            '0' => self.zeros = true,
            _ => self.alternate = true,
        }
    }

    fn write(&self, kind: char, value: &Value, budget: &Budget) -> Outcome<String> {
        budget.spend((self.width + self.precision.unwrap_or(0)) as u64)?;
        let text = match kind {
            's' => return Ok(self.padded(self.cut(&value.shown(budget)?))),
            'r' => return Ok(self.padded(self.cut(&value.repr(budget)?))),
            'c' => match value {
                Value::Text(text) if text.chars().count() == 1 => {
                    return Ok(self.padded(text.to_string()));
                }
                _ => return error("%c requires one character"),
            },
            'd' | 'i' | 'u' => match value {
                Value::Float(value) if value.abs() < 9e15 => (value.trunc() as i64).to_string(),
                _ => match whole(value) {
                    Some(value) => value.to_string(),
                    None => {
                        let kind = value.kind();
                        return error(format!("%d format: a real number is required, not {kind}"));
                    }
                },
            },
            'f' | 'F' => match super::value::number(value) {
                Some(value) if value.is_finite() => {
                    std::format!("{value:.*}", self.precision.unwrap_or(6))
                }
                _ => return error("%f takes a finite number"),
            },
            'x' | 'X' | 'o' => match whole(value) {
                Some(value) => {
                    let size = value.unsigned_abs();
                    let (digits, prefix) = match kind {
                        'x' => (std::format!("{size:x}"), "0x"),
                        'X' => (std::format!("{size:X}"), "0X"),
                        _ => (std::format!("{size:o}"), "0o"),
                    };
                    let prefix = if self.alternate { prefix } else { "" };
                    let sign = if value < 0 { "-" } else { "" };
                    std::format!("{sign}{prefix}{digits}")
                }
                None => return error("%x format: an integer is required"),
            },
            other => return error(format!("the format `%{other}` is not supported")),
        };
        if self.precision.is_some() && !matches!(kind, 'f' | 'F') {
            return error(format!("the format `%{kind}` with a precision is not supported"));
        }
        let text = match text.starts_with('-') {
            false if self.sign => std::format!("+{text}"),
            false if self.blank => std::format!(" {text}"),
            _ => text,
        };
        let missing = self.width.saturating_sub(text.chars().count());
        if self.zeros && !self.left && missing > 0 {
            let signs = usize::from(text.starts_with(['-', '+', ' ']));
            let (sign, digits) = text.split_at(signs);
            return Ok(std::format!("{sign}{}{digits}", "0".repeat(missing)));
        }
        Ok(self.padded(text))
    }

    fn cut(&self, text: &str) -> String {
        match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.to_string(),
        }
    }

    fn padded(&self, text: String) -> String {
        let space = " ".repeat(self.width.saturating_sub(text.chars().count()));
        if self.left { text + &space } else { space + &text }
    }
}

/// `pattern.format(…)`: fields by place and by name, with `!r`, a width, a precision and `d`, `f`.
pub fn braces(
    pattern: &str,
    plain: &[Value],
    named: &[(std::rc::Rc<str>, Value)],
    budget: &Budget,
) -> Outcome<String> {
    let mut out = String::new();
    let mut rest = pattern;
    let mut next = 0;
    while let Some(at) = rest.find(['{', '}']) {
        out += &rest[..at];
        budget.spend(at as u64 + 1)?;
        let sign = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(sign) {
            out += sign;
            rest = after;
            continue;
        }
        let end = rest.find('}').filter(|_| sign == "{");
        let Some(end) = end else {
            return error(format!("Single '{sign}' encountered in format string"));
        };
        let field = &rest[..end];
        rest = &rest[end + 1..];
        let (field, layout) = field.split_once(':').unwrap_or((field, ""));
        let (name, conversion) = field.split_once('!').unwrap_or((field, ""));
        let value = if name.is_empty() {
            next += 1;
            plain.get(next - 1)
        } else if let Ok(at) = name.parse::<usize>() {
            plain.get(at)
        } else if name.contains(['.', '[', '{']) || layout.contains('{') {
            return error(format!("the field `{name}` of a format is not supported"));
        } else {
            named.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
        };
        let Some(value) = value else {
            return error(format!("a format has no value for `{{{name}}}`"));
        };
        let shown;
        let value = match conversion {
            "" => value,
            "r" => {
                shown = Value::text(value.repr(budget)?);
                &shown
            }
            "s" => {
                shown = Value::Text(value.shown(budget)?);
                &shown
            }
            other => {
                return error(format!("the conversion `!{other}` of a format is not supported"));
            }
        };
        out += &laid_out(value, layout, budget)?;
    }
    Ok(out + rest)
}

/// A value by the part of a field behind the colon.
fn laid_out(value: &Value, layout: &str, budget: &Budget) -> Outcome<String> {
    if layout.is_empty() {
        return Ok(value.shown(budget)?.to_string());
    }
    let strange = || error(format!("the layout `{layout}` of a format is not supported"));
    let mut letters = layout.chars().peekable();
    let second = layout.chars().nth(1);
    let mut fill = ' ';
    let mut side = None;
    if second.is_some_and(|c| matches!(c, '<' | '>' | '^')) {
        fill = letters.next().unwrap_or(' ');
        side = letters.next();
    } else {
        side = letters.next_if(|c| matches!(c, '<' | '>' | '^')).or(side);
    }
    let zeros = letters.next_if_eq(&'0').is_some();
    let rest: String = letters.collect();
    let kind = rest.chars().next_back().filter(|c| matches!(c, 's' | 'd' | 'f'));
    let numbers = rest.strip_suffix(|c| Some(c) == kind).unwrap_or(&rest);
    let (width, precision) = match numbers.split_once('.') {
        Some((width, precision)) => (width, Some(precision)),
        None => (numbers, None),
    };
    let number = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<usize>().ok() };
    let (Some(width), Ok(precision)) = (number(width), precision.map(str::parse).transpose())
    else {
        return strange();
    };
    budget.spend((width + precision.unwrap_or(0)) as u64)?;
    let text = matches!(value, Value::Text(_));
    let layout =
        Layout { precision, zeros, width: if zeros { width } else { 0 }, ..Layout::default() };
    let shown = match (kind, value) {
        (None | Some('s'), Value::Text(_)) if !zeros => layout.write('s', value, budget)?,
        (None | Some('d'), Value::Int(_)) if precision.is_none() => {
            layout.write('d', value, budget)?
        }
        (Some('f'), Value::Int(_) | Value::Float(_)) => layout.write('f', value, budget)?,
        _ => return strange(),
    };
    let missing = width.saturating_sub(shown.chars().count());
    let before = match side {
        Some('<') => 0,
        Some('^') => missing / 2,
        Some(_) => missing,
        None if text => 0,
        None => missing,
    };
    let filled = |count: usize| fill.to_string().repeat(count);
    Ok(filled(before) + &shown + &filled(missing - before))
}
