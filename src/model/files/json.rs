//! JSON as Python's `json` reads it, which writes what the format has no word for.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

/// Stands for half of a surrogate pair, which Python keeps in a text, and no other text can have.
const HALF: char = '\u{ffff}';

/// A JSON object.
pub(crate) fn object(text: &str) -> Result<Map<String, Value>> {
    ensure!(
        !text.starts_with('\u{feff}'),
        "it begins with a byte order mark, which JSON must not have: save it as UTF-8 without one"
    );
    match parse(text).context("no JSON")? {
        Value::Object(map) => Ok(map),
        _ => anyhow::bail!("no JSON object"),
    }
}

/// A JSON value. Numbers that are none become texts: `"NaN"`, `"Infinity"`. So they are refused
/// where a number counts, and nowhere else.
pub(crate) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
        .or_else(|error| serde_json::from_str(&plain(text)).map_err(|_| error))
}

/// Whether a text in a value has half of a surrogate pair.
pub(crate) fn has_half(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(HALF),
        Value::Array(all) => all.iter().any(has_half),
        Value::Object(all) => all.iter().any(|(key, one)| key.contains(HALF) || has_half(one)),
        _ => false,
    }
}

/// The same in the words of the format.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => text_length(rest),
            '-' | '0'..='9' | 'A'..='Z' | 'a'..='z' => {
                let ends = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
                rest.find(ends).unwrap_or(rest.len())
            }
            other => other.len_utf8(),
        };
        let (part, after) = rest.split_at(length);
        let is_number = first.is_ascii_digit() || first == '-';
        match part {
            "NaN" | "Infinity" | "-Infinity" => out.extend(["\"", part, "\""]),
            _ if first == '"' => put_text(part, &mut out),
            _ if is_number && part.parse().is_ok_and(|number: f64| number.is_infinite()) => {
                out += if first == '-' { "\"-Infinity\"" } else { "\"Infinity\"" };
            }
            _ => out += part,
        }
        rest = after;
    }
    out
}

/// Appends a JSON string, halves of surrogate pairs as [`HALF`].
fn put_text(text: &str, out: &mut String) {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let is = |text: &str, range: std::ops::RangeInclusive<u16>| {
        unit(text).is_some_and(|unit| range.contains(&unit))
    };
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let escaped = rest.chars().nth(1).map_or(1, |letter| 1 + letter.len_utf8());
        let is_pair = is(rest, 0xd800..=0xdbff)
            && rest.get(6..).is_some_and(|next| is(next, 0xdc00..=0xdfff));
        let length = match () {
            () if is_pair => 12,
            () if is(rest, 0xd800..=0xdfff) => {
                out.push(HALF);
                rest = &rest[6..];
                continue;
            }
            () => escaped,
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out.push_str(rest);
}

/// The length of a JSON string with its quotes.
fn text_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_become_texts_outside_of_texts() {
        let text = r#"{"a": NaN, "b": [-Infinity, 1e999, 1e3, -2], "c": "NaN \" Infinity"}"#;
        let expected =
            r#"{"a": "NaN", "b": ["-Infinity", "Infinity", 1e3, -2], "c": "NaN \" Infinity"}"#;
        assert_eq!(plain(text), expected);
    }

    #[test]
    fn halves_of_surrogate_pairs_are_known_and_pairs_are_letters() -> Result<()> {
        let read = parse(r#"{"a": "\ud83d\ude00 \\ud83d", "b": ["x\ud83d", "\ude00\\\uDE00"]}"#)?;
        assert_eq!(read["a"], "\u{1f600} \\ud83d");
        assert!(has_half(&read["b"][0]) && has_half(&read["b"][1]) && !has_half(&read["a"]));
        Ok(())
    }
}
