//! Templates without examples: expressions over drawn inputs, of which those are kept that differ
//! most and pass all gates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rayon::prelude::*;

use super::bank::TermId;
use super::examples::{Column, Examples};
use super::expression::Expression;
use super::gates::{self, Gate, Refusal, admit};
use super::kind::{Kind, Scalar};
use super::limits::Limits;
use super::op::{self, Op};
use super::space::{Search, Space, constant};
use super::values::{Value, Values};
use crate::runtime::RunKey;
use crate::runtime::random::{self, Stream};
use crate::stdlib;

/// Rows of inputs on which expressions are told apart.
const ROWS: usize = 16;
/// All expressions of up to this cost are looked at; those of less than the other are too plain.
const COST_MAX: usize = 7;
const COST_MIN: usize = 3;
/// Megabytes for the expressions over one kind of inputs.
const MEGABYTES: u64 = 384;
/// Expressions of one feature that are tried, the cheapest first.
const OF_A_FEATURE: usize = 3;
/// Candidates that go through the gates at a time.
const AT_A_TIME: usize = 16;
/// An output is different in at least so many of the rows; a boolean is either in so many.
const DIFFERENT_MIN: usize = 12;
const EITHER_MIN: usize = 5;
/// The elements of an output, and its greatest number, at most.
const ELEMENTS_MAX: usize = 12;
const NUMBER_MAX: i64 = 9999;

/// A template that passed all gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grown {
    /// Its name: the functions of its rule.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Its rule.
    pub rule: String,
    /// What it is like: its inputs, its output, its operations.
    pub feature: String,
}

/// What growing templates tells.
#[derive(Debug)]
pub enum Growth<'a> {
    /// One more is kept.
    Kept(&'a Grown),
    /// One was refused.
    Refused(&'a Refusal),
}

/// Grows so many templates, or as many as there are. The same number and seed give the same ones.
/// An error of `event` ends it.
///
/// # Errors
/// Those of `event`.
pub fn grow<E>(
    count: usize,
    seed: u64,
    samples: u64,
    stop: &AtomicBool,
    event: &mut dyn FnMut(Growth) -> Result<(), E>,
) -> Result<Vec<Grown>, E> {
    let candidates = candidates(seed, stop);
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut kept: Vec<Grown> = Vec::new();
    for part in candidates.chunks(AT_A_TIME) {
        let tried: Vec<(Grown, Option<Refusal>)> =
            part.par_iter().map(|candidate| candidate.tried(samples, stop)).collect();
        for (mut grown, refusal) in tried {
            if kept.len() == count || stop.load(Ordering::Relaxed) {
                return Ok(kept);
            }
            if let Some(refusal) = &refusal {
                event(Growth::Refused(refusal))?;
                continue;
            }
            let first = grown.name.clone();
            let mut number = 1;
            while stdlib::template(&grown.name).is_some() || !names.insert(grown.name.clone()) {
                number += 1;
                grown.name = format!("{first}_{number}");
            }
            event(Growth::Kept(&grown))?;
            kept.push(grown);
        }
    }
    Ok(kept)
}

/// A rule over some inputs, not tried yet.
struct Candidate {
    examples: Examples,
    rule: Expression,
    feature: String,
    name: String,
}

impl Candidate {
    fn tried(&self, samples: u64, stop: &AtomicBool) -> (Grown, Option<Refusal>) {
        let text = super::write::grown(&self.examples, &self.rule);
        let refusal = match stop.load(Ordering::Relaxed) {
            true => Some(Refusal::new(Gate::Stopped, "")),
            false => {
                let (name, examples) = (&self.name, &self.examples);
                admit(&gates::Candidate { name, text: &text, examples }, samples, stop).err()
            }
        };
        let rule = self.rule.written(&self.examples.names());
        let (name, feature) = (self.name.clone(), self.feature.clone());
        (Grown { name, text, rule, feature }, refusal)
    }
}

/// The candidates over all inputs, those of different features first.
fn candidates(seed: u64, stop: &AtomicBool) -> Vec<Candidate> {
    let by_inputs: Vec<BTreeMap<String, Vec<Candidate>>> =
        INPUTS.par_iter().map(|(name, columns)| over(name, columns, seed, stop)).collect();
    let run = RunKey::new("grow", "", "", seed);
    let mut ordered: Vec<(Order, Candidate)> = Vec::new();
    for features in by_inputs {
        let keys = features.into_iter().map(|(feature, all)| (run.stream(&feature), all));
        let mut keyed: Vec<([u64; 4], Vec<Candidate>)> = keys.collect();
        keyed.sort_by_key(|(key, _)| *key);
        for (at, (key, all)) in keyed.into_iter().enumerate() {
            let turns = all.into_iter().enumerate();
            ordered.extend(turns.map(|(turn, candidate)| (Order { turn, at, key }, candidate)));
        }
    }
    ordered.sort_by_key(|(order, _)| *order);
    ordered.into_iter().map(|(_, candidate)| candidate).collect()
}

/// One of each feature of each kind of inputs in turn, then the second of each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Order {
    turn: usize,
    at: usize,
    key: [u64; 4],
}

/// Inputs: what they are called, and their names and kinds.
type Inputs = (&'static str, &'static [(&'static str, Kind)]);

const WORDS: Kind = Kind { depth: 1, ..Kind::TEXT };
const NUMBERS: Kind = Kind { depth: 1, ..Kind::INT };
const GRID: Kind = Kind { depth: 2, ..Kind::INT };

const INPUTS: [Inputs; 8] = [
    ("numbers", &[("numbers", NUMBERS)]),
    ("numbers and a number", &[("numbers", NUMBERS), ("n", Kind::INT)]),
    ("two lists of numbers", &[("left", NUMBERS), ("right", NUMBERS)]),
    ("words", &[("words_", WORDS)]),
    ("words and a number", &[("words_", WORDS), ("n", Kind::INT)]),
    ("two lists of words", &[("left", WORDS), ("right", WORDS)]),
    ("keys and values", &[("keys", WORDS), ("values", NUMBERS)]),
    ("a grid", &[("grid", GRID)]),
];

/// The expressions over some inputs, by their features, the cheapest first.
fn over(
    name: &str,
    columns: &[(&str, Kind)],
    seed: u64,
    stop: &AtomicBool,
) -> BTreeMap<String, Vec<Candidate>> {
    let run = RunKey::new("grow", name, "", seed);
    let mut stream = random::start(&run.stream("inputs"), 0);
    let inputs = inputs(columns, &mut stream);
    let mut found: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
    let mut values = Values::of_megabytes(MEGABYTES);
    let Some(mut space) = Space::over_inputs(&inputs, &mut values) else { return found };
    for number in 0..=3 {
        let cost = if number < 3 { 1 } else { 2 };
        _ = constant(&mut space.bank, &mut values, &Value::Int(number), Kind::INT, cost);
    }
    let limits = Limits::new(Duration::MAX, stop);
    let rows = op::rows(&op::ELEMENTS);
    let bytes_max = (MEGABYTES << 20) as usize / 2;
    let mut search = Search { rows, values, limits: &limits, bytes_max };
    while space.done < COST_MAX && space.grow(&mut search).is_some() {}
    for kind in space.bank.kinds() {
        for id in space.bank.all(kind) {
            if stop.load(Ordering::Relaxed) {
                return found;
            }
            if let Some((feature, candidate)) = candidate(name, id, &inputs, &space, &search) {
                let of = found.entry(feature).or_default();
                if of.len() < OF_A_FEATURE {
                    of.push(candidate);
                }
            }
        }
    }
    found
}

/// A term as a candidate, if it reads all inputs and its values say something.
fn candidate(
    name: &str,
    id: TermId,
    inputs: &[Column],
    space: &Space,
    search: &Search,
) -> Option<(String, Candidate)> {
    let term = space.bank.term(id);
    let values: Vec<Value> =
        space.bank.values(id).iter().map(|&cell| search.values.get(cell, term.kind)).collect();
    if term.cost < COST_MIN || !says_something(&values) {
        return None;
    }
    let rule = space.bank.expression(id, &search.rows);
    let reads = |at: usize| rule.has(&|one| *one == Expression::Field(at));
    if !(0..inputs.len()).all(reads) || has_idle_part(&rule) {
        return None;
    }
    let mut words = Vec::new();
    rule.walk(&mut |one| match one {
        Expression::Apply(op, _) => words.push(word(*op)),
        Expression::Loop(each, ..) => words.push(each.word()),
        Expression::Fold(..) => words.push("fold"),
        _ => {}
    });
    let called = words.iter().take(4).copied().collect::<Vec<_>>().join("_");
    words.sort_unstable();
    words.dedup();
    let feature = format!("{} of {name}: {}", term.kind, words.join(" "));
    let output = Column { name: "answer".into(), kind: term.kind, values, has_words: false };
    let examples = Examples { inputs: inputs.to_vec(), output };
    Some((feature.clone(), Candidate { examples, rule, feature, name: called }))
}

/// Is some part of it the same for all inputs, or a loop's body for all elements?
fn has_idle_part(rule: &Expression) -> bool {
    let reads = |one: &Expression| matches!(one, Expression::Field(_) | Expression::Element(_));
    rule.has(&|one| match one {
        Expression::Apply(..) => !one.has(&reads),
        Expression::Loop(_, level, of) => {
            let is_element = |one: &Expression| *one == Expression::Element(*level);
            !of[1..].iter().all(|part| part.has(&is_element))
        }
        _ => false,
    })
}

/// Are the values different enough to be asked for, and small enough to be written?
fn says_something(values: &[Value]) -> bool {
    let mut different: Vec<&Value> = values.iter().collect();
    different.sort();
    different.dedup();
    let is_small = |value: &Value| match value {
        Value::Int(number) => number.abs() <= NUMBER_MAX,
        Value::List(elements) => {
            !elements.is_empty()
                && elements.len() <= ELEMENTS_MAX
                && elements.iter().all(|one| !matches!(one, Value::List(_)))
        }
        Value::Bool(_) | Value::Text(_) => true,
    };
    let is_varied = match values.first() {
        Some(Value::Bool(_)) => {
            let yes = values.iter().filter(|value| **value == Value::Bool(true)).count();
            (EITHER_MIN..=values.len() - EITHER_MIN).contains(&yes)
        }
        _ => different.len() >= DIFFERENT_MIN,
    };
    is_varied && values.iter().all(is_small)
}

/// An operation as a part of a name.
fn word(op: Op) -> &'static str {
    match op.sign() {
        None => match op {
            Op::Single => "single",
            Op::Shown | Op::Joined => "text",
            _ => op.name(),
        },
        Some("+") if matches!(op, Op::Builtin(_)) => "joined",
        Some("+") => "plus",
        Some("-") => "minus",
        Some("*") => "times",
        Some("/") => "part",
        Some("%") => "rest",
        Some("==") => "equal",
        Some("<") => "less",
        Some("<=") => "at_most",
        Some("..") => "range",
        Some(other) => other,
    }
}

/// Rows of drawn inputs.
fn inputs(columns: &[(&str, Kind)], stream: &mut Stream) -> Vec<Column> {
    let mut made: Vec<Column> = columns
        .iter()
        .map(|&(name, kind)| Column {
            name: name.to_string(),
            kind,
            values: Vec::new(),
            has_words: false,
        })
        .collect();
    for _ in 0..ROWS {
        // Lists side by side are equally long in every other kind of inputs: those of keys.
        let sizes: Vec<usize> = columns.iter().map(|_| 4 + stream.below(5) as usize).collect();
        for (at, column) in made.iter_mut().enumerate() {
            let size = if columns[0].0 == "keys" { sizes[0] } else { sizes[at] };
            column.values.push(drawn(column.kind, size, stream));
        }
    }
    made
}

fn drawn(kind: Kind, size: usize, stream: &mut Stream) -> Value {
    let element = kind.element();
    match (element, kind.scalar) {
        (Some(element), _) if element.depth > 0 => {
            Value::List((0..size.min(5)).map(|_| drawn(element, 4, stream)).collect())
        }
        (Some(_), Scalar::Text) => {
            // Words of few letters, some of which come in both lists.
            let word = |at: usize, stream: &mut Stream| {
                let letters = "abdefgiklmnoprstuvz".as_bytes();
                let mut text = String::new();
                for _ in 0..2 + (at + stream.below(3) as usize) % 4 {
                    text.push(letters[stream.below(letters.len() as u32) as usize] as char);
                }
                Value::Text(text)
            };
            let mut words: Vec<Value> = Vec::new();
            while words.len() < size {
                let word = word(words.len(), stream);
                if !words.contains(&word) {
                    words.push(word);
                }
            }
            Value::List(words)
        }
        (Some(element), _) => {
            Value::List((0..size).map(|_| drawn(element, size, stream)).collect())
        }
        (None, _) => Value::Int(1 + i64::from(stream.below(if size > 6 { 9 } else { 4 }))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Evaluator, failures};

    #[test]
    fn a_candidate_has_the_values_of_its_examples_and_reads_all_its_inputs() {
        let (name, columns) = INPUTS[1];
        let found = over(name, columns, 7, &AtomicBool::new(false));
        assert!(found.len() > 20, "{} features", found.len());
        for candidate in found.values().flatten() {
            let wrong = failures(&candidate.rule, &candidate.examples, &mut Evaluator::new());
            let rule = candidate.rule.written(&candidate.examples.names());
            assert!(wrong.is_empty(), "{rule}: {wrong:?}");
            assert!(candidate.rule.has(&|one| *one == Expression::Field(1)));
        }
    }
}
