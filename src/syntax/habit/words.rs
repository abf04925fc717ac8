//! Names and values in the text of an expression: parts between commas, names in place of others.

use crate::syntax::tokens::is_keyword;

/// The parts of a text between the commas outside brackets and quotes.
pub fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0, false, 0);
    let mut parts = Vec::new();
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if depth == 0 && !quoted => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// The same without empty ones.
pub fn split(text: &str) -> Vec<String> {
    parts(text).into_iter().filter(|part| !part.is_empty()).map(String::from).collect()
}

/// A text with names in place of others, all at once; what is between quotes stays.
pub fn renamed(text: &str, new: &[(String, String)]) -> String {
    let mut result = String::with_capacity(text.len());
    let (mut quoted, mut word) = (false, String::new());
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let put = |word: &mut String, result: &mut String| {
        let known = new.iter().find(|(old, _)| old == word);
        result.push_str(known.map_or(word, |(_, new)| new));
        word.clear();
    };
    for letter in text.chars() {
        if !quoted && is_name(letter) {
            word.push(letter);
            continue;
        }
        put(&mut word, &mut result);
        quoted ^= letter == '"';
        result.push(letter);
    }
    put(&mut word, &mut result);
    result
}

/// Does a name stand in a text, outside quotes?
pub fn has_name(text: &str, name: &str) -> bool {
    renamed(text, &[(name.to_string(), String::new())]) != text
}

/// A number as a condition: other languages take 0 for false.
pub fn truth(condition: &str) -> String {
    let symbols = ["==", "!=", "<", ">", " in ", " and ", " or ", "not ", "true", "false", ":"];
    let is_number = condition.contains([' ']) && condition.contains(['%', '*', '-', '+', '/']);
    match is_number && !symbols.iter().any(|symbol| condition.contains(symbol)) {
        true => format!("{condition} != 0"),
        false => condition.to_string(),
    }
}

/// `for i in 0..3: [i, at(i, xs)]` as the head of the loop and the values of each pair.
pub fn pairs(xs: &str) -> Option<(String, Vec<String>)> {
    let (head, rest) = xs.strip_prefix("for ")?.split_once(": [")?;
    let inside = rest.strip_suffix(']')?;
    Some((head.to_string(), split(inside)))
}

/// A name as this language has them: `maxLen` as `max_len`.
pub fn own_name(name: &str) -> String {
    let mut own = String::new();
    let mut after_small = false;
    for letter in name.trim_start_matches('_').chars() {
        if letter.is_ascii_uppercase() && after_small {
            own.push('_');
        }
        after_small = letter.is_ascii_lowercase();
        own.push(letter.to_ascii_lowercase());
    }
    match own.is_empty() {
        true => "x".to_string(),
        false if is_keyword(&own) => own + "_",
        false => own,
    }
}
