//! Draws of other languages: Python's `random`, NumPy, Rust's `rand`, lodash, spreadsheets.

use super::given::{Given, Written};
use super::reader::ATOM;

/// What Python's `random`, JavaScript's lodash and spreadsheets draw with.
pub fn random(name: &str, given: &[Given]) -> Written {
    // What is given by other names says something that the texts below would leave out.
    let known = ["k", "n", "size", "weights"];
    if given.iter().any(|one| one.name.as_deref().is_some_and(|name| !known.contains(&name))) {
        return None;
    }
    elements(name, given).or_else(|| numbers(name, given))
}

/// The values that are given by place, and one that is given by one of some names.
fn values(given: &[Given]) -> Vec<&str> {
    given.iter().filter(|one| one.name.is_none()).map(|one| &*one.said).collect()
}

fn named<'g>(given: &'g [Given], names: &[&str]) -> Option<&'g str> {
    let is_it = |one: &&Given| one.name.as_deref().is_some_and(|name| names.contains(&name));
    given.iter().find(is_it).map(|one| &*one.said)
}

fn sure(text: impl Into<String>) -> Written {
    Some((text.into(), ATOM, true))
}

fn offered(text: impl Into<String>) -> Written {
    Some((text.into(), ATOM, false))
}

/// `choice(xs)`, `choices(xs, k=3)`, `sample(xs, 3)`
fn elements(name: &str, given: &[Given]) -> Written {
    let plain = values(given);
    let named = |names: &[&str]| named(given, names);
    let count = named(&["k", "n", "size"]).or(plain.get(1).copied());
    match (name, &plain[..]) {
        // Python's second value are the weights, and what it returns is a list.
        ("choices", [xs, ..]) if plain.len() > 1 || named(&["weights"]).is_some() => {
            let weights = named(&["weights"]).or(plain.get(1).copied())?;
            let one = format!("weighted({xs}, {weights})");
            match named(&["k"]).or(plain.get(2).copied()) {
                None | Some("1") => offered(one),
                Some(k) => offered(format!("repeat({k}, {one})")),
            }
        }
        ("choice" | "choose" | "sample" | "random_choice" | "rand_choice", [xs])
            if named(&["k", "n", "size"]).is_none() =>
        {
            // R's and pandas' `sample` have other defaults.
            Some((format!("pick({xs})"), ATOM, name.contains("choice")))
        }
        ("choices" | "choice", [xs, ..]) if named(&["weights"]).is_none() => {
            Some((format!("draw({}, {xs})", count?), ATOM, name == "choices" && plain.len() == 1))
        }
        ("sample" | "sampleSize" | "random_sample", [xs, ..]) => {
            let (count, xs, is_sure) = match (count?, *xs) {
                (list, number) if number.parse::<i64>().is_ok() => (number, list, false),
                (count, xs) => (count, xs, true),
            };
            Some((format!("distinct({count}, {xs})"), ATOM, is_sure))
        }
        _ => None,
    }
}

/// `randint(1, 6)`, `randrange(6)`, `gen_range(0..6)`, `flip()`
fn numbers(name: &str, given: &[Given]) -> Written {
    let plain = values(given);
    let named = |names: &[&str]| named(given, names);
    let is_counted = named(&["k", "n", "size", "weights"]).is_some();
    match (name, &plain[..]) {
        (
            "randint" | "rand_int" | "random_int" | "RANDBETWEEN" | "gen_range" | "uniform",
            [a, b],
        ) if !is_counted => {
            // Rust leaves the last number out, and `uniform` of Python returns a Real.
            let is_sure = matches!(name, "randint" | "RANDBETWEEN");
            let high = if name == "gen_range" { less_one(&tight(b)) } else { tight(b) };
            let is_plain = !a.contains("..") && !b.contains("..");
            is_plain.then(|| (format!("uniform({}..{high})", tight(a)), ATOM, is_sure))
        }
        ("np.randint", [..]) if named(&["size"]).or(plain.get(2).copied()).is_some() => {
            let count = named(&["size"]).or(plain.get(2).copied())?;
            let (from, to) = match &plain[..] {
                [n] => ("0", *n),
                [a, b, ..] => (*a, *b),
                _ => return None,
            };
            offered(format!("draw({count}, {}..{})", tight(from), less_one(&tight(to))))
        }
        _ if is_counted => None,
        ("randrange" | "np.randint", [a, b]) => {
            let text = format!("uniform({}..{})", tight(a), less_one(&tight(b)));
            Some((text, ATOM, name == "randrange"))
        }
        ("gen_range" | "random_range", [range]) if range.contains("..") => {
            // Rust's `..` leaves the last number out, its `..=` takes it in.
            let takes_last_in = given[0].node.edits.iter().any(|edit| edit.text == "..");
            let (from, to) = range.split_once("..")?;
            let to = if takes_last_in { to.to_string() } else { less_one(to) };
            offered(format!("uniform({from}..{to})"))
        }
        ("randint" | "randrange", [range]) if range.contains("..") => {
            offered(format!("uniform({range})"))
        }
        ("randrange" | "randint" | "randbelow" | "np.randint", [n]) => {
            let text = format!("uniform(0..{})", less_one(&tight(n)));
            Some((text, ATOM, name == "randrange"))
        }
        ("shuffled", [xs]) => sure(format!("shuffle({xs})")),
        ("bernoulli" | "flip", [p]) => offered(format!("coin({p})")),
        ("coin" | "flip" | "randbool", []) => sure("coin(0.5)"),
        _ => None,
    }
}

/// A value of a call as an end of a range.
fn tight(text: &str) -> String {
    let is_sum = |letter: char| letter.is_ascii_alphanumeric() || "_()+-*, ".contains(letter);
    let has_words =
        text.starts_with("if ") || [" in ", " and ", " or "].iter().any(|word| text.contains(word));
    match text.chars().all(is_sum) && !has_words {
        true => text.to_string(),
        false => format!("({text})"),
    }
}

pub fn less_one(number: &str) -> String {
    match (number.parse::<i64>(), number.strip_suffix(" + 1")) {
        (Ok(value), _) => (value - 1).to_string(),
        (_, Some(value)) => value.to_string(),
        _ => format!("{number} - 1"),
    }
}
