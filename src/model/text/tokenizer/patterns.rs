//! Patterns of tokenizers as Oniguruma reads them, with which they were made: here another engine
//! does, for which `^` and `$` are the ends of a text, not of each line.

use anyhow::Result;
use serde_json::Value;
use tokenizers::{NormalizerWrapper, PreTokenizerWrapper, Tokenizer};

use super::guard;

/// The start and the end of each line, for both engines alike. A text that ends with a line break
/// has no line behind it.
const START: &str = r"(?:\A|(?m:^)(?!\z))";
const END: &str = "(?m:$)";

/// Writes the patterns of a tokenizer so that both engines read them alike.
pub fn settle(inner: &mut Tokenizer) -> Result<()> {
    if let Some(normalizer) = inner.get_normalizer() {
        let mut json = serde_json::to_value(normalizer)?;
        if settle_all(&mut json) {
            let normalizer: NormalizerWrapper = serde_json::from_value(json)?;
            guard(|| inner.with_normalizer(Some(normalizer)).map(|_| ()))?;
        }
    }
    if let Some(splitter) = inner.get_pre_tokenizer() {
        let mut json = serde_json::to_value(splitter)?;
        if settle_all(&mut json) {
            let splitter: PreTokenizerWrapper = serde_json::from_value(json)?;
            inner.with_pre_tokenizer(Some(splitter));
        }
    }
    Ok(())
}

/// The same for all patterns in a part of a file; true if one has changed.
fn settle_all(part: &mut Value) -> bool {
    let mut changed = false;
    match part {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(pattern) if key == "Regex" => {
                        let settled = by_lines(pattern);
                        changed |= settled != *pattern;
                        *pattern = settled;
                    }
                    value => changed |= settle_all(value),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|value| changed |= settle_all(value)),
        _ => {}
    }
    changed
}

fn by_lines(pattern: &str) -> String {
    // It is settled already, in a file that was written here.
    if pattern.contains(START) || pattern.contains(END) {
        return pattern.to_string();
    }
    let (mut out, mut depth) = (String::new(), 0);
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                out.push(letter);
                out.extend(letters.next());
                continue;
            }
            '[' => depth += 1,
            ']' if depth > 0 => depth -= 1,
            '^' if depth == 0 => {
                out += START;
                continue;
            }
            '$' if depth == 0 => {
                out += END;
                continue;
            }
            _ => {}
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::by_lines;

    #[test]
    fn ends_of_lines_are_meant_outside_of_classes_and_escapes() {
        for same in [r"[^\s$]+\^\$", r" ?[^(\s|[.,^$])]+", r"\p{N}{1,3}|\s+(?!\S)"] {
            assert_eq!(by_lines(same), same);
        }
        let both = r"(?:\A|(?m:^)(?!\z))\s+|[^$]+(?m:$)";
        assert_eq!(by_lines(r"^\s+|[^$]+$"), both);
        assert_eq!(by_lines(both), both);
    }
}
