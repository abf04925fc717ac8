//! Draws that other languages make within expressions: `[randint(1, 6) for _ in range(n)]`.

use super::given::{Given, Written};
use super::reader::{ATOM, Node, Reader};
use super::words::{has_name, split};
use crate::source::Span;
use crate::stdlib;

/// Functions of a chance between 0 and 1, as their call is said.
const FRACTIONS: [&str; 4] = ["random()", "rand()", "Math.random()", "gen()"];

impl Reader<'_> {
    /// Samplers of this language with values as other languages give them: `pick(1, 2, 3)`.
    pub fn sampled(&mut self, name: &str, place: Span, given: &[Given]) -> Written {
        let all: Vec<&str> = given.iter().map(|one| &*one.said).collect();
        let offered = |text: String| Some((text, ATOM, false));
        let number = |text: &str| text.parse::<i64>().is_ok();
        let plain = |text: &str| number(text) || text.starts_with('"') || text.contains('.');
        if given.iter().any(|one| one.name.is_some()) {
            return self.sampled_by_name(name, given);
        }
        match (name, &all[..]) {
            ("pick" | "choice" | "choose" | "shuffle" | "sample", [_, _, ..])
                if all.iter().all(|one| plain(one)) =>
            {
                let ours = if name == "shuffle" { "shuffle" } else { "pick" };
                offered(format!("{ours}([{}])", all.join(", ")))
            }
            ("pick", [n, xs]) | ("pick", [xs, n]) if number(n) => {
                offered(format!("distinct({n}, {xs})"))
            }
            ("pick", [n, xs]) => offered(format!("distinct({n}, {xs})")),
            ("distinct" | "draw" | "span", [xs])
                if !number(xs) && xs.ends_with(['s', ']', ')']) =>
            {
                match name {
                    "distinct" => offered(format!("shuffle({xs})")),
                    _ => offered(format!("{name}(size({xs}), {xs})")),
                }
            }
            ("repeat", [draw, n]) if is_draw(draw) && !is_draw(n) => {
                offered(format!("repeat({n}, {draw})"))
            }
            ("weighted" | "pick" | "choice" | "choices", [one]) if one.contains("], [") => {
                offered(format!("weighted({one})"))
            }
            ("weighted", [first, second]) => weights(first, second).and_then(offered),
            ("uniform", [a, b]) if is_real(a) || is_real(b) => {
                self.no_reals(place, b);
                None
            }
            ("uniform" | "randrange", [a, b, step]) if all.iter().all(|one| number(one)) => {
                let [a, b, step] = [a, b, step].map(|one| one.parse::<i64>().unwrap_or(1).max(0));
                let last = (b - 1 - a).max(0) / step.max(1);
                let help = format!(
                    "write `step ~ uniform(0..{last})` above, and `{a} + {step} * step` here"
                );
                self.advise("E302", "`uniform` takes a range", place, "with a step", help);
                None
            }
            ("bool" | "boolean" | "random_bool" | "randbool", []) => {
                offered("coin(0.5)".to_string())
            }
            ("int" | "integer", [a, b]) => offered(format!("uniform({a}..{b})")),
            ("choices", [xs]) => offered(format!("pick({xs})")),
            ("int" | "floor" | "trunc" | "round", [one]) => {
                let (fraction, times) = one.split_once(" * ")?;
                let times = times.trim_start_matches('(').trim_end_matches(')');
                let is_draw = FRACTIONS.contains(&fraction);
                is_draw.then(|| (format!("uniform(0..{})", less_one(times)), ATOM, false))
            }
            _ => None,
        }
    }

    /// `choices(xs, weights=w, k=3)`, `choice(xs, size=3, p=w)`, `randint(0, 9, size=5)`
    fn sampled_by_name(&self, name: &str, given: &[Given]) -> Written {
        let named = |names: &[&str]| {
            let is_it =
                |one: &&Given| one.name.as_deref().is_some_and(|name| names.contains(&name));
            given.iter().find(is_it).map(|one| &*one.said)
        };
        let plain: Vec<&str> =
            given.iter().filter(|one| one.name.is_none()).map(|one| &*one.said).collect();
        let count = named(&["k", "n", "size", "count"]);
        let count = count.or_else(|| (plain.len() == 2).then(|| plain[1]));
        let drawn = match (name, &plain[..]) {
            ("choice" | "choices" | "sample" | "pick", [xs, ..]) => {
                let heavy = named(&["weights", "p", "probs", "cum_weights"]);
                let heavy = heavy.or_else(|| match (name, &plain[1..]) {
                    ("choices", [weights]) if named(&["k"]).is_some() => Some(*weights),
                    _ => None,
                });
                match heavy {
                    Some(heavy) => weights(xs, heavy)?,
                    None if named(&["replace", "replacement"]) == Some("false") => {
                        return Some((format!("distinct({}, {xs})", count?), ATOM, false));
                    }
                    None => return None,
                }
            }
            ("randint" | "integers" | "randrange", [a, b]) => {
                format!("uniform({a}..{})", less_one(b))
            }
            ("randint" | "integers" | "randrange", [n]) => format!("uniform(0..{})", less_one(n)),
            _ => return None,
        };
        let text = match named(&["k", "n", "size", "count"]) {
            None | Some("1") => drawn,
            Some(count) => format!("repeat({count}, {drawn})"),
        };
        Some((text, ATOM, false))
    }

    /// `random() > 0.3`
    pub fn chance_above(&mut self, left: &Node, right: &Node) -> Option<Node> {
        let chance: f64 = self.source.slice(right.span).parse().ok()?;
        self.habit("E205", "a chance is drawn with `coin`", left.span, "no random fractions");
        let chance = format!("coin({})", ((1.0 - chance) * 1e6).round() / 1e6);
        Some(Node::written(left.span.to(right.span), ATOM, chance))
    }

    fn no_reals(&mut self, place: Span, high: &str) {
        let help = format!(
            "a draw gives integers: write `uniform(0..100)` for hundredths of {high}, or \
             `coin(0.5)` for a chance"
        );
        self.advise("E302", "`uniform` draws an Int", place, "between Reals", help);
    }
}

fn is_real(text: &str) -> bool {
    text.contains('.') && text.parse::<f64>().is_ok()
}

/// `weighted(xs, [1, 2])` of values and weights in any order; fractions become integers.
fn weights(first: &str, second: &str) -> Option<String> {
    let numbers = |text: &str| -> Option<Vec<f64>> {
        let inside = text.strip_prefix('[')?.strip_suffix(']')?;
        split(inside).iter().map(|one| one.parse().ok()).collect()
    };
    let (xs, heavy) = match (numbers(first), numbers(second)) {
        (Some(_), None) if second.starts_with('[') || is_real_list(first) => (second, first),
        _ => (first, second),
    };
    let all = numbers(heavy);
    let heavy = match &all {
        Some(all) if all.iter().any(|one| one.fract() != 0.0) => {
            let whole = all.iter().map(|one| format!("{}", (one * 100.0).round()));
            format!("[{}]", whole.collect::<Vec<_>>().join(", "))
        }
        _ => heavy.to_string(),
    };
    Some(format!("weighted({xs}, {heavy})"))
}

fn is_real_list(text: &str) -> bool {
    text.contains('.') && text.starts_with('[')
}

fn less_one(number: &str) -> String {
    match (number.parse::<i64>(), number.strip_suffix(" + 1")) {
        (Ok(value), _) => (value - 1).to_string(),
        (_, Some(value)) => value.to_string(),
        _ => format!("{number} - 1"),
    }
}

/// Is this call one that draws?
pub fn draws(name: &str) -> bool {
    name == "repeat" || stdlib::draws(name) == Some(true)
}

/// The calls in a text that draw, the outermost alone, as bytes from and to.
pub fn drawn(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let (mut found, mut at, mut quoted) = (Vec::new(), 0, false);
    let mut word = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => quoted = !quoted,
            b'(' if !quoted && draws(&text[word..at]) => {
                let Some(end) = closing(text, at) else { return found };
                found.push((word, end));
                at = end;
                word = at;
                continue;
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'_' => {
                at += 1;
                continue;
            }
            _ => {}
        }
        at += 1;
        word = at;
    }
    found
}

/// The byte after the bracket that closes this one.
fn closing(text: &str, open: usize) -> Option<usize> {
    let (mut depth, mut quoted) = (0, false);
    for (at, letter) in text[open..].char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(open + at + 1);
        }
    }
    None
}

/// Is all of a text one call that draws?
pub fn is_draw(text: &str) -> bool {
    matches!(drawn(text)[..], [(0, end)] if end == text.len())
}

/// `x in 0..n - 1` and a draw in which `x` does not stand, as `repeat(n, draw)`.
pub fn repeated(head: &str, value: &str) -> Option<String> {
    let (item, list) = head.split_once(" in ")?;
    if !is_draw(value) || has_name(value, item) || list.contains(" where ") {
        return None;
    }
    Some(format!("repeat({}, {value})", length(list)))
}

/// How many elements a list has: of `0..n - 1` there are `n`.
pub fn length(list: &str) -> String {
    let list = list.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(list);
    let (low, high) = list.split_once("..").unwrap_or(("", ""));
    match (low, high.parse::<i64>(), high.strip_suffix(" - 1")) {
        ("0", Ok(high), _) => (high + 1).to_string(),
        ("1", Ok(high), _) => high.to_string(),
        ("0", _, Some(count)) => count.to_string(),
        ("1", _, _) => high.to_string(),
        _ => format!("size({list})"),
    }
}
