//! Tables of the keys in a model's or an adapter's files: read, without effect here, or refused.
//!
//! A key that is in no table passes only if its value says that what it names is switched off, so
//! that nothing which a file asks for is left out without a word.

use anyhow::{Result, bail};
use serde_json::{Map, Value};

/// What a key means here.
pub(crate) enum Key {
    /// The reader of the file uses it, and refuses values that it cannot compute with.
    Read,
    /// It changes nothing that is computed here, for this reason.
    Harmless(#[expect(dead_code, reason = "the reason is for readers of the table")] &'static str),
    /// What it names must be switched off, since this is not supported.
    Off(&'static str),
    /// It must be left out, be null, or have this value, written as JSON.
    Only(&'static str, &'static str),
    /// The same, and it may be switched off too.
    OnlyOrOff(&'static str, &'static str),
}

/// Keys and what they mean, in any order.
pub(crate) type Table = [(&'static str, Key)];

/// Refuses the first key whose value asks for what is not computed here. For messages, `prefix`
/// stands before each key, and `file` is the name of the file.
pub(crate) fn check(
    map: &Map<String, Value>,
    table: &Table,
    prefix: &str,
    file: &str,
) -> Result<()> {
    for (key, value) in map {
        let row = table.iter().find(|(known, _)| known == key);
        match row.map(|(_, meaning)| meaning) {
            Some(Key::Read | Key::Harmless(_)) => {}
            Some(Key::Only(wanted, _) | Key::OnlyOrOff(wanted, _))
                if value.is_null() || is(value, wanted) => {}
            Some(Key::Off(_) | Key::OnlyOrOff(..)) | None if is_off(value) => {}
            Some(Key::Off(why)) => {
                bail!("`{prefix}{key}` is {}, which is not supported: {why}", shown(value))
            }
            Some(Key::Only(wanted, why) | Key::OnlyOrOff(wanted, why)) => {
                bail!("`{prefix}{key}` is {}; only {wanted} is supported: {why}", shown(value))
            }
            // By convention a note of the program that wrote the file to itself.
            None if key.starts_with('_') => {}
            None => bail!(
                "`{prefix}{key}` is {}, and cookc does not know this key: it may change what is \
                 computed. If it does not, delete it from {file}",
                shown(value)
            ),
        }
    }
    Ok(())
}

/// Whether a value says that what its key names is not there: null, false, 0, or empty.
pub(crate) fn is_off(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// A value as it stands in the file, cut where it is long.
pub(crate) fn shown(value: &Value) -> String {
    const LENGTH_MAX: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LENGTH_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Whether a value is that one; 1 and 1.0 are the same.
fn is(value: &Value, wanted: &str) -> bool {
    match value.as_f64() {
        Some(number) => wanted.parse() == Ok(number),
        None => serde_json::from_str::<Value>(wanted).is_ok_and(|wanted| wanted == *value),
    }
}
