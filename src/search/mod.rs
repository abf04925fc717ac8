//! Templates found, not written: the shortest rule of the language that explains examples.

mod ask;
mod bank;
mod cascade;
mod evaluate;
mod examples;
mod expression;
mod fold;
mod gates;
mod goal;
mod grow;
mod kind;
mod known;
mod limits;
mod mined;
mod op;
mod space;
mod table;
mod usage;
mod values;
mod write;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use ask::{Question, filled, question};
pub use evaluate::Evaluator;
pub use examples::{Column, Examples, Unfit};
pub use expression::Expression;
pub use gates::{Gate, Refusal, Verdict, fitted};
use goal::{Found, Goal, text_cost};
pub use grow::{Grown, Growth, grow};
pub use kind::{Kind, Scalar};
pub use known::{Known, known};
use limits::Limits;
use op::Op;
use space::{Search, Space, cells, constant};
pub use values::Value;
use values::Values;
pub use write::{Width, template};

use crate::runtime::builtins::Builtin;

/// The rows that the search itself looks at; the others only check what it finds.
const ROWS_MAX: usize = 12;
/// How often rows that contradict what was found are added.
const ROUNDS_MAX: usize = 6;
/// Values that are computed, looking for other rules, before cascades are looked for.
const BEFORE_CASCADES: u64 = 500_000;
/// The same before folds are.
const BEFORE_FOLDS: u64 = 2_000_000;
/// Other rules are looked for until so many values were computed.
const OTHERS_COMPUTED_MAX: u64 = 2_000_000;

/// What a search may take.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Its time.
    pub time: Duration,
    /// Its memory.
    pub megabytes: u64,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The rule, if one explains all examples; otherwise that which explains most, if any does.
    pub rule: Option<Expression>,
    /// How many examples it explains.
    pub explained: usize,
    /// Other rules that explain all of them, the shortest first.
    pub others: Vec<Expression>,
    /// How many values were computed, of expressions for examples.
    pub computed: u64,
    /// How long it took.
    pub time: Duration,
    /// True if the budget ended it.
    pub is_cut: bool,
}

/// Looks for the shortest rule that explains the examples. The same examples give the same rule,
/// unless the time ends the search.
pub fn explain(examples: &Examples, budget: Budget, stop: &AtomicBool) -> Outcome {
    let limits = Limits::new(budget.time, stop);
    let mut rows: Vec<usize> = chosen(examples);
    let mut evaluator = Evaluator::new();
    let mut computed = 0;
    let mut best = (0, None);
    for round in 0..ROUNDS_MAX {
        let part = examples.only(&rows);
        let found = Searching::new(&part, budget).map(|searching| searching.run(&limits));
        let Some(found) = found else { break };
        computed += found.computed;
        let mut rules = found.rules.into_iter().map(|(_, rule)| rule);
        let mut others = Vec::new();
        let mut wrong = Vec::new();
        for rule in rules.by_ref() {
            let failures = failures(&rule, examples, &mut evaluator);
            if failures.is_empty() {
                others.push(rule);
                continue;
            }
            if examples.len() - failures.len() > best.0 {
                best = (examples.len() - failures.len(), Some(rule));
            }
            if wrong.is_empty() {
                wrong = failures;
            }
        }
        if !others.is_empty() {
            let rule = Some(others.remove(0));
            let (explained, time) = (examples.len(), limits.elapsed());
            return Outcome { rule, explained, others, computed, time, is_cut: false };
        }
        let new: Vec<usize> = wrong.into_iter().filter(|row| !rows.contains(row)).take(2).collect();
        if new.is_empty() || round + 1 == ROUNDS_MAX {
            break;
        }
        rows.extend(new);
    }
    let (explained, rule) = best;
    let (time, is_cut) = (limits.elapsed(), limits.is_over());
    Outcome { rule, explained, others: Vec::new(), computed, time, is_cut }
}

/// The rows where a rule does not give the output.
pub fn failures(rule: &Expression, examples: &Examples, evaluator: &mut Evaluator) -> Vec<usize> {
    (0..examples.len()).filter(|&row| !evaluator.explains(rule, examples, row)).collect()
}

/// The first rows, without those that say the same.
fn chosen(examples: &Examples) -> Vec<usize> {
    let mut rows: Vec<usize> = Vec::new();
    for row in 0..examples.len() {
        let is_known = |&known: &usize| examples.given(known) == examples.given(row);
        if rows.len() < ROWS_MAX && !rows.iter().any(is_known) {
            rows.push(row);
        }
    }
    rows
}

/// A search over some rows.
struct Searching<'a> {
    examples: &'a Examples,
    space: Space,
    values: Values,
    goal: Goal,
    bytes_max: usize,
}

/// Rules with their costs, and how many values were computed.
struct Rules {
    rules: Vec<Found>,
    computed: u64,
}

impl<'a> Searching<'a> {
    /// None if the examples have no room.
    fn new(examples: &'a Examples, budget: Budget) -> Option<Searching<'a>> {
        let mut values = Values::of_megabytes(budget.megabytes);
        let mut space = Space::over_inputs(&examples.inputs, &mut values)?;
        let goal =
            Goal { kind: examples.output.kind, values: cells(&examples.output, &mut values)? };
        for (value, kind, cost) in constants(examples) {
            constant(&mut space.bank, &mut values, &value, kind, cost)?;
        }
        space.bank.want(goal.kind, goal.values.clone());
        let bytes_max = (budget.megabytes << 20) as usize / 2;
        Some(Searching { examples, space, values, goal, bytes_max })
    }

    fn run(self, limits: &Limits) -> Rules {
        let Searching { examples, mut space, values, goal, bytes_max } = self;
        let rows = op::rows(&op::ELEMENTS);
        let mut search = Search { rows, values, limits, bytes_max };
        let is_cascade = examples.inputs.len() == 1
            && examples.inputs[0].kind == Kind::TEXT
            && goal.kind == Kind::TEXT;
        let mut best: Option<Found> = None;
        let mut has_folded = false;
        loop {
            let grown = space.grow(&mut search);
            let found = space.find(&goal, &mut search);
            let is_better = |found: &Found| best.as_ref().is_none_or(|best| found.0 < best.0);
            if let Some(found) = found.filter(is_better) {
                best = Some(found);
            }
            let is_short = |(cost, rule): &Found| *cost <= space.done + ahead(rule);
            if best.as_ref().is_some_and(is_short) {
                // Rules that cost little more may say other things of other inputs.
                while space.done <= best.as_ref().map_or(0, |best| best.0)
                    && space.computed() < OTHERS_COMPUTED_MAX
                    && space.grow(&mut search).is_some()
                {}
                break;
            }
            if grown.is_none() {
                break;
            }
            if !has_folded && best.is_none() && space.computed() > BEFORE_FOLDS {
                has_folded = true;
                best = fold::fold(examples, limits).map(|rule| (rule.size(), rule));
                if best.is_some() {
                    break;
                }
            }
            if is_cascade && space.computed() > BEFORE_CASCADES {
                best = cascade_of(examples, limits).map(|rule| (rule.size(), rule)).or(best);
                break;
            }
        }
        let mut rules: Vec<Found> = best.into_iter().collect();
        rules.extend(space.bank.others(&search.rows, 0));
        if rules.is_empty() {
            rules.extend(partial(&space, &goal, &search));
        }
        Rules { rules, computed: space.computed() }
    }
}

/// A rule that was put together of terms may cost so much more than what is searched whole: a
/// shorter one is not likely to come. With a condition many a rule explains few examples.
fn ahead(rule: &Expression) -> usize {
    if rule.has(&|one| matches!(one, Expression::Apply(Op::If, _))) { 1 } else { 4 }
}

/// The term that is right for most examples.
fn partial(space: &Space, goal: &Goal, search: &Search) -> Option<Found> {
    let right = |id: u32| {
        let both = space.bank.values(id).iter().zip(&goal.values);
        both.filter(|(one, goal)| one == goal).count()
    };
    let mut best = None;
    for id in space.bank.all(goal.kind) {
        let count = right(id);
        if count > best.map_or(0, |(count, _)| count) {
            best = Some((count, id));
        }
    }
    let (_, id) = best?;
    Some((space.bank.term(id).cost, space.bank.expression(id, &search.rows)))
}

/// The constants that rules may have: small numbers, and what columns have again and again.
fn constants(examples: &Examples) -> Vec<(Value, Kind, usize)> {
    let mut found = vec![
        (Value::Int(0), Kind::INT, 1),
        (Value::Int(1), Kind::INT, 1),
        (Value::Int(2), Kind::INT, 1),
        (Value::Text(String::new()), Kind::TEXT, 1),
    ];
    found.extend([3, 4, 5, 10].map(|number| (Value::Int(number), Kind::INT, 2)));
    let columns = examples.inputs.iter().map(|input| (input, false));
    for (column, is_output) in columns.chain([(&examples.output, true)]) {
        for value in repeated(column, is_output) {
            let kind = Kind { depth: 0, ..column.kind };
            if !found.iter().any(|(known, other, _)| *known == value && *other == kind) {
                let cost = match &value {
                    Value::Text(text) => text_cost(text),
                    _ => 2,
                };
                found.push((value, kind, cost));
            }
        }
    }
    let list = Kind { depth: examples.output.kind.depth.max(1), ..examples.output.kind };
    found.push((Value::List(Vec::new()), list, 2));
    found
}

/// The most of them that a column gives.
const REPEATED_MAX: usize = 8;

/// The numbers and texts that a column has in at least two rows; of the output, in one of few.
fn repeated(column: &Column, is_output: bool) -> Vec<Value> {
    let mut counts: Vec<(Value, usize)> = Vec::new();
    for value in &column.values {
        let mut own = Vec::new();
        scalars(value, &mut own);
        own.sort();
        own.dedup();
        for one in own {
            match counts.iter_mut().find(|(known, _)| *known == one) {
                Some((_, count)) => *count += 1,
                None => counts.push((one, 1)),
            }
        }
    }
    let is_few = is_output && counts.len() <= REPEATED_MAX;
    counts.retain(|(_, count)| *count >= 2 || is_few);
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    counts.truncate(REPEATED_MAX);
    counts.into_iter().map(|(value, _)| value).collect()
}

fn scalars(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::List(elements) => elements.iter().for_each(|element| scalars(element, found)),
        Value::Bool(_) => {}
        other => found.push(other.clone()),
    }
}

/// A cascade as an expression.
fn cascade_of(examples: &Examples, limits: &Limits) -> Option<Expression> {
    let steps =
        cascade::cascade(&texts_of(&examples.inputs[0]), &texts_of(&examples.output), limits)?;
    let list = Kind::TEXT.list();
    let letters = |text: &str| {
        let letters = text.chars().map(|letter| Value::Text(letter.into())).collect();
        Expression::Constant(Value::List(letters), list)
    };
    let builtin = Op::Builtin(Builtin::Letters);
    let start = Expression::Apply(builtin, vec![Expression::Field(0)]);
    let end = steps.iter().fold(start, |before, step| {
        Expression::Replaced(vec![letters(&step.old), letters(&step.new), before])
    });
    let nothing = Expression::Constant(Value::Text(String::new()), Kind::TEXT);
    Some(Expression::Apply(Op::Joined, vec![nothing, end]))
}

fn texts_of(column: &Column) -> Vec<&str> {
    let texts = column.values.iter().filter_map(|value| match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}
