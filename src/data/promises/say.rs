//! What is said of a step that fails for some draws: which values lead there, and what to write.

use std::collections::BTreeSet;

use super::Broken;
use crate::check::types::Type;
use crate::diagnostic::{Diagnostic, Severity};
use crate::engine::rehearse::Rehearsal;
use crate::ir::{
    Arithmetic, Bound, Builtin, NOWHERE, Op, Program, Register, Rule, Sampler, SlotId, StepId,
};
use crate::runtime::FaultKind;
use crate::runtime::arena::List;

/// An expression that may have no value.
const NO_VALUE: &str = "L604";
/// A draw that may be from nothing.
const NOTHING: &str = "L605";
/// A count that may be below 0, or above the size of the list.
const COUNT: &str = "L606";
/// No more values are named in a message.
const VALUES_MAX: usize = 3;
/// No more numbers of a list are shown.
const NUMBERS_MAX: usize = 8;

/// The warning of a step that was seen to fail.
pub fn warning(broken: &Broken) -> Diagnostic {
    let Broken { program, memory, error, .. } = broken;
    let step = &program.steps[error.step as usize];
    let registers = decisive(&step.op, error.kind);
    let slots = named(program, &registers, error.step);
    let label = match case(broken, &slots) {
        Some(case) => case,
        None => operand(&registers, program, |register| Rehearsal::operand(memory, register)),
    };
    let (code, title) = title(error.kind, matches!(step.op, Op::Draw(..)));
    let lint = Diagnostic::lint(code, title, step.span, label).help(help(broken));
    match rule(program, error.step) {
        Some(rule) => lint.and(rule.span, "the sample's own reply scores 0 by this rule then"),
        None => lint,
    }
}

/// The error of a step that failed in every sample, from its warning.
pub fn always(warning: Diagnostic) -> Diagnostic {
    let code = match warning.code {
        NOTHING => "E510",
        COUNT => "E511",
        _ => "E504",
    };
    let mut title = warning.title.clone();
    for (may, always) in ALWAYS {
        title = title.replacen(may, always, 1);
    }
    let help = format!("no sample that was tried could be drawn: {}", warning.help);
    Diagnostic { code, severity: Severity::Error, title, help, ..warning }
}

/// What may happen, and the same where it always does.
const ALWAYS: [(&str, &str); 7] = [
    ("weights may be", "weights are always"),
    ("may not be", "is never"),
    ("may not fit", "never fits"),
    ("may divide", "always divides"),
    ("may be asked", "are always asked"),
    ("may be", "is always"),
    ("may take", "always takes"),
];

/// The rule that a step belongs to.
fn rule(program: &Program, at: StepId) -> Option<&Rule> {
    program.rules.iter().find(|rule| rule.steps.contains(&at))
}

/// The code, and what may happen.
fn title(kind: FaultKind, draws: bool) -> (&'static str, &'static str) {
    match kind {
        FaultKind::Overflow => (NO_VALUE, "this number may not fit into 64 bits"),
        FaultKind::DivisionByZero => (NO_VALUE, "this may divide by zero"),
        FaultKind::OutsideList => (NO_VALUE, "the index may be outside the list"),
        FaultKind::NotFound => (NO_VALUE, "what is looked for may not be in the list"),
        FaultKind::Empty if draws => (NOTHING, "the list to draw from may be empty"),
        FaultKind::Empty => (NO_VALUE, "the list may be empty"),
        FaultKind::EmptyRange => (NOTHING, "the range to draw from may be empty"),
        FaultKind::Probability => (NOTHING, "the probability may be outside 0..1"),
        FaultKind::Weights => (NOTHING, "the weights may be of no use"),
        FaultKind::TooFew => (COUNT, "more elements may be asked for than there are"),
        FaultKind::Negative => (COUNT, "the count may be below 0"),
        FaultKind::NotPositive => (COUNT, "the count may be below 1"),
        FaultKind::NoNumber => (NO_VALUE, "the text may be no number"),
        FaultKind::Memory => (NO_VALUE, "a sample may take more memory than there is"),
    }
}

/// The operands that make a step fail.
fn decisive(op: &Op, kind: FaultKind) -> Vec<Register> {
    match (op, kind) {
        (Op::Integer(_, _, divisor), FaultKind::DivisionByZero) => vec![*divisor],
        (Op::Integer(_, left, right), _) => vec![*left, *right],
        (Op::Element(list, index), _) => vec![*index, *list],
        (Op::NewList(count), _) => vec![*count],
        (Op::Call(_, [first, ..]), FaultKind::Negative | FaultKind::NotPositive) => vec![*first],
        (Op::Draw(_, _, [first, ..]), FaultKind::Negative | FaultKind::NotPositive) => vec![*first],
        (Op::Call(_, operands) | Op::Draw(_, _, operands), _) => operands.to_vec(),
        _ => Vec::new(),
    }
}

/// `` `n` may be 0: it is drawn from 0..3 ``; none where no named value decides.
fn case(broken: &Broken, slots: &[SlotId]) -> Option<String> {
    let Broken { program, memory, error, .. } = broken;
    let divides = error.kind == FaultKind::DivisionByZero;
    let said = |&id: &SlotId| {
        let slot = &program.slots[id as usize];
        let cell = memory.slot(id);
        let (low, high) = match &slot.kind {
            Type::List(_) => slot.bound.sizes(),
            _ => slot.bound.interval(),
        };
        let one_of = |may: &'static str, is: &'static str| if low == high { is } else { may };
        let said = match &slot.kind {
            Type::Int => format!("`{}` {} {cell}", slot.name, one_of("may be", "is")),
            Type::Bool => format!("`{}` may be {}", slot.name, cell != 0),
            Type::List(element)
                if divides && **element == Type::Int && List::from(cell).size > 0 =>
            {
                let numbers = memory.wide(cell).iter().take(NUMBERS_MAX);
                let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
                let more = if memory.wide(cell).len() > NUMBERS_MAX { ", …" } else { "" };
                let is = if program.slots[id as usize].drawn { "may be" } else { "is then" };
                format!("`{}` {is} [{}{more}]", slot.name, numbers.join(", "))
            }
            Type::List(_) => {
                let size = List::from(cell).size;
                let noun = if size == 1 { "element" } else { "elements" };
                format!("`{}` {} {size} {noun}", slot.name, one_of("may have", "has"))
            }
            _ => return None,
        };
        Some((said, range(program, id)))
    };
    let all: Vec<(String, Option<String>)> = slots.iter().filter_map(said).collect();
    match &all[..] {
        [] => None,
        [(said, Some(range))] => Some(format!("{said}: {range}")),
        all => {
            let said = all.iter().take(VALUES_MAX).map(|(said, _)| said.as_str());
            Some(said.collect::<Vec<_>>().join(" while "))
        }
    }
}

/// What is known of a named value.
fn range(program: &Program, id: SlotId) -> Option<String> {
    let slot = &program.slots[id as usize];
    let known = |low: &i64, high: &i64| *low > i64::MIN && *high < i64::MAX;
    match &slot.bound {
        Bound::Int { low, high } if known(low, high) && slot.kind == Type::Int => {
            let made = if slot.drawn { "it is drawn from" } else { "it lies in" };
            Some(format!("{made} {low}..{high}"))
        }
        Bound::List { low, high, .. } if low < high => Some(format!("it has {low} to {high}")),
        _ => None,
    }
}

/// What the operands are, where they have no name.
fn operand(registers: &[Register], program: &Program, cell: impl Fn(Register) -> i64) -> String {
    let said = |&register: &Register| match program.registers.get(register as usize) {
        Some(Type::Int) => Some(format!("a number that may be {}", cell(register))),
        Some(Type::List(_)) => {
            Some(format!("a list that may have size {}", { List::from(cell(register)).size }))
        }
        _ => None,
    };
    let all: Vec<String> = registers.iter().filter_map(said).collect();
    if all.is_empty() { "for some draws".to_string() } else { all.join(", ") }
}

/// What to write instead: a condition under which the step has a value, in the words of the text.
fn help(broken: &Broken) -> String {
    let Broken { program, error, written, .. } = broken;
    let op = &program.steps[error.step as usize].op;
    let advice = advice(op, error.kind);
    let guard = written.and_then(|written| {
        let condition = condition(op, error.kind, written)?;
        Some(format!("`if {condition} then … else …`"))
    });
    match guard {
        Some(guard) => format!("{advice}, or write {guard} around it"),
        None => advice.to_string(),
    }
}

fn advice(op: &Op, kind: FaultKind) -> &'static str {
    let draws = matches!(op, Op::Draw(..));
    match kind {
        FaultKind::DivisionByZero => "draw such that the divisor is never 0",
        FaultKind::OutsideList => "write an index that the list always has",
        FaultKind::NotFound => "look for what is always there",
        FaultKind::Empty if draws => "draw from a list that always has an element",
        FaultKind::Empty => "write a list that always has an element",
        FaultKind::EmptyRange => "draw from a range whose end is never below its start",
        FaultKind::Probability => "write a probability from 0.0 to 1.0",
        FaultKind::Weights => "write a weight for each element, none below 0, and one above 0",
        FaultKind::TooFew => "write a count that the list always has",
        FaultKind::Negative => "write a count that is never below 0",
        FaultKind::NotPositive => "write a count that is never below 1",
        FaultKind::NoNumber => "take the number of digits, with `-` before them or nothing",
        FaultKind::Overflow if matches!(op, Op::Integer(Arithmetic::Multiply, ..)) => {
            "write smaller numbers to multiply"
        }
        FaultKind::Overflow | FaultKind::Memory => "write smaller numbers",
    }
}

/// The condition under which a step does not fail in this way; for a divisor, under which it does.
fn condition(op: &Op, kind: FaultKind, written: &[String]) -> Option<String> {
    let [first, rest @ ..] = written else { return None };
    let second = rest.first();
    Some(match (kind, second) {
        (FaultKind::DivisionByZero, Some(divisor)) => format!("{divisor} == 0"),
        (FaultKind::OutsideList, Some(list)) => format!("{first} in 0..size({list}) - 1"),
        (FaultKind::NotFound, Some(list)) => match op {
            Op::Call(Builtin::Position, _) => format!("{first} in {list}"),
            Op::Call(Builtin::Around, _) => format!("{list} within {}", rest.get(1)?),
            _ => format!("{first} within {list}"),
        },
        (FaultKind::Empty, from) => match op {
            Op::Draw(Sampler::Draw, ..) => format!("size({}) > 0", from?),
            _ => format!("size({first}) > 0"),
        },
        (FaultKind::EmptyRange, Some(end)) => format!("{first} <= {end}"),
        (FaultKind::Probability, None) => format!("{first} >= 0.0 and {first} <= 1.0"),
        (FaultKind::Weights, Some(weights)) => format!(
            "size({weights}) == size({first}) and size({weights}) > 0 and min({weights}) >= 0 \
             and max({weights}) > 0"
        ),
        (FaultKind::TooFew, Some(list)) => format!("{first} <= size({list})"),
        // One element of what is left.
        (FaultKind::TooFew, None) => format!("size({first}) > 0"),
        (FaultKind::Negative, _) => format!("{first} >= 0"),
        (FaultKind::NotPositive, _) => format!("{first} >= 1"),
        _ => return None,
    })
}

/// The named values that a register is made of, nearest first; only those that are stored before a
/// step.
fn named(program: &Program, registers: &[Register], before: StepId) -> Vec<SlotId> {
    let steps = || program.steps[..before as usize].iter();
    let has_name = |slot: SlotId| !program.slots[slot as usize].name.is_empty();
    let stored = |register: Register| {
        steps().find_map(|step| match step.op {
            Op::Store(slot, of) if of == register && has_name(slot) => Some(slot),
            Op::Load(slot) if step.into == register && has_name(slot) => Some(slot),
            _ => None,
        })
    };
    let (mut open, mut seen, mut found) = (registers.to_vec(), BTreeSet::new(), Vec::new());
    let mut next = 0;
    while let Some(&register) = open.get(next) {
        next += 1;
        if register == NOWHERE || !seen.insert(register) {
            continue;
        }
        match stored(register) {
            Some(slot) if found.contains(&slot) => {}
            Some(slot) => found.push(slot),
            None => {
                for step in steps() {
                    if step.op.outputs(step.into).contains(&register) {
                        open.extend(step.op.inputs());
                    }
                }
            }
        }
    }
    found
}
