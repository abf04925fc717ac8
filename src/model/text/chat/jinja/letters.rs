//! Methods of texts that look at their letters: cases and classes.

use super::error::{Outcome, error};
use super::value::Value;

/// `text.name()`
pub fn call(own: &str, name: &str) -> Outcome<Value> {
    Ok(match name {
        "lower" | "casefold" if name == "lower" || own.is_ascii() => {
            Value::text(own.to_lowercase())
        }
        "upper" => Value::text(own.to_uppercase()),
        "capitalize" => Value::text(capitalized(own)),
        "title" => Value::text(titled(own)),
        "swapcase" => {
            let swap = |c: char| -> String {
                if c.is_uppercase() {
                    c.to_lowercase().collect()
                } else {
                    c.to_uppercase().collect()
                }
            };
            Value::text(own.chars().map(swap).collect::<String>())
        }
        "isascii" => Value::Bool(own.is_ascii()),
        "isspace" => Value::Bool(!own.is_empty() && own.chars().all(super::python::is_space)),
        "islower" | "isupper" => {
            let [is, is_not]: [fn(char) -> bool; 2] = match name {
                "islower" => [char::is_lowercase, char::is_uppercase],
                _ => [char::is_uppercase, char::is_lowercase],
            };
            Value::Bool(own.chars().any(is) && !own.chars().any(is_not))
        }
        "isalpha" | "isalnum" | "isdigit" | "isdecimal" | "isnumeric" | "isidentifier"
        | "istitle" | "isprintable" => {
            // Python's classes of other letters are not quite those of the standard library.
            if !own.is_ascii() {
                return error(format!(
                    "`{name}` of a text with letters beyond ASCII is not supported"
                ));
            }
            let all = |is: fn(&char) -> bool| !own.is_empty() && own.chars().all(|c| is(&c));
            Value::Bool(match name {
                "isalpha" => all(char::is_ascii_alphabetic),
                "isalnum" => all(char::is_ascii_alphanumeric),
                "isidentifier" => {
                    all(|c| c.is_ascii_alphanumeric() || *c == '_')
                        && !own.starts_with(|c: char| c.is_ascii_digit())
                }
                "istitle" => is_titled(own),
                "isprintable" => own.chars().all(|c| (' '..='~').contains(&c)),
                _ => all(char::is_ascii_digit),
            })
        }
        other => return error(format!("the method `{other}` of a str is not supported")),
    })
}

/// The first letter large, all others small.
pub fn capitalized(own: &str) -> String {
    let mut letters = own.chars();
    let Some(first) = letters.next() else { return String::new() };
    large(first) + &letters.as_str().to_lowercase()
}

/// A letter as a word in a title begins with it: of `ß` only the first half is large.
fn large(c: char) -> String {
    // Unicode has letters of their own for these at a word's begin.
    let own = match c {
        'Ǆ'..='ǆ' => Some('ǅ'),
        'Ǉ'..='ǉ' => Some('ǈ'),
        'Ǌ'..='ǌ' => Some('ǋ'),
        'Ǳ'..='ǳ' => Some('ǲ'),
        _ => None,
    };
    if let Some(own) = own {
        return own.to_string();
    }
    let mut letters = c.to_uppercase();
    let first: String = letters.next().into_iter().collect();
    let rest: String = letters.collect();
    first + &rest.to_lowercase()
}

/// `str.title`: a letter is large where no letter is before it.
fn titled(own: &str) -> String {
    let mut out = String::with_capacity(own.len());
    let mut within = false;
    for c in own.chars() {
        let cased = c.is_lowercase() || c.is_uppercase();
        match (cased, within) {
            (true, false) => out += &large(c),
            (true, true) => out.extend(c.to_lowercase()),
            _ => out.push(c),
        }
        within = cased;
    }
    out
}

fn is_titled(own: &str) -> bool {
    let (mut within, mut any) = (false, false);
    for c in own.chars() {
        if c.is_ascii_uppercase() == within && c.is_ascii_alphabetic() {
            return false;
        }
        within = c.is_ascii_alphabetic();
        any |= within;
    }
    any
}
