//! What other languages have and this one has not: what to do in its place.

use super::reader::Reader;
use crate::source::Span;

/// How a name, or a place of a text, is got in another way.
const PRINTED: &str = "write what is shown in `prompt` and `reply`: `reply \"{answer}\"`";
const SPELLED: &str = "texts and words are shown as they are: bring them in the form that you \
                       need, a word a line of a file: `words names = \"names.txt\"`";
const FORMATTED: &str = "write the values in the text itself: `prompt \"{a} and {b}\"`";
const FRACTION: &str = "write `coin(0.5)` for a chance, or `uniform(0..99)` for a number";
const NORMAL: &str = "a sum of draws is near to it: write `parts ~ draw(12, 0..9)`, and \
                      `sum(parts)`";
const NUMBERED: &str = "write `for i in 0..size(xs) - 1: …`, with `at(i, xs)` for the element";
const REDUCED: &str = "write `fold total = 0 over x in xs: total + x`";
const ROOT: &str = "compute with Ints and `+ - * / %`: draw the root and show its square";
const TAKEN: &str = "lists do not change: `at(size(xs) - 1, xs)` is the last element, \
                     `take(size(xs) - 1, xs)` is the rest";

impl Reader<'_> {
    /// Functions that nothing here stands for.
    pub fn refused(&mut self, name: &str, place: Span) -> bool {
        if matches!(self.text(self.at), "<" | "*") && matches!(name, "random" | "rand") {
            return false;
        }
        let help = match name {
            "print" | "println" | "printf" | "echo" | "puts" | "display" | "log" => PRINTED,
            "input" | "open" | "read" => "write `words names = \"names.txt\"` to bring words in",
            "format" | "sprintf" | "CONCAT" | "CONCATENATE" => FORMATTED,
            "upper" | "lower" | "capitalize" | "title" | "strip" | "UPPER" | "LOWER" => SPELLED,
            "random" | "rand" | "RAND" => FRACTION,
            "normal" | "gauss" | "normalvariate" | "randn" | "standard_normal" => NORMAL,
            "enumerate" => NUMBERED,
            "reduce" => REDUCED,
            "round" | "ROUND" => {
                "compute with Ints: `(2 * a + b) / (2 * b)` is `a / b` to the nearest"
            }
            "sqrt" | "log10" | "sin" | "cos" | "exp" => ROOT,
            "dict" | "Map" => {
                "write two lists and look a value up: `at(position(key, keys), values)`"
            }
            "isinstance" | "type" | "typeof" | "instanceof" => {
                "leave it out: every name has one type"
            }
            _ => match self.has_advice(name) {
                Some(help) => help,
                None => return false,
            },
        };
        let title = format!("no function is called `{name}`");
        self.advise("E205", title, place, "not known here", help);
        true
    }

    /// Methods that nothing here stands for.
    pub fn refused_method(&mut self, name: &str, xs: &str, place: Span) -> bool {
        let help = match name {
            "format" => FORMATTED.to_string(),
            "split" if xs.starts_with('"') => listed(xs),
            "split" | "upper" | "lower" | "capitalize" | "title" | "strip" | "trim"
            | "toUpperCase" | "toLowerCase" | "to_uppercase" | "to_lowercase" | "startswith"
            | "startsWith" | "starts_with" | "endswith" | "endsWith" | "lstrip" | "rstrip"
            | "isdigit" | "chars" | "splitlines" | "zfill" | "ljust" | "rjust" | "center" => {
                SPELLED.to_string()
            }
            "pop" => TAKEN.replace("xs", xs),
            "reduce" | "fold" | "inject" => REDUCED.replace("xs", xs),
            "forEach" | "for_each" => format!("write `for x in {xs}: …`, with a value for each"),
            "enumerate" | "entries" => NUMBERED.replace("xs", xs),
            "keys" | "items" | "get" if xs == "row" => {
                "write two lists and look a value up: `at(position(key, keys), values)`".to_string()
            }
            "default" => format!("write `{xs}`: every name has a value"),
            "tojson" | "safe" | "escape" => format!("write `{{{xs}}}`: a value is shown as it is"),
            _ => return false,
        };
        self.advise("E135", "there are no methods", place, "called with a dot", help);
        true
    }
}

/// `"a b c".split()`
fn listed(text: &str) -> String {
    let words = text.trim_matches('"').split_whitespace();
    let all: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
    format!("write `[{}]`", all.join(", "))
}
