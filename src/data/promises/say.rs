//! What is said of a step that fails for some draws: which values lead there, and what to write.

use super::Broken;
use super::depends::named;
use crate::check::types::Type;
use crate::diagnostic::Diagnostic;
use crate::engine::rehearse::Rehearsal;
use crate::ir::{Arithmetic, Bound, Op, Program, Register, SlotId};
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

/// The warning of a step that was seen to fail.
pub fn warning(broken: &Broken) -> Diagnostic {
    let Broken { program, memory, fault } = broken;
    let step = &program.steps[fault.step as usize];
    let registers = decisive(&step.op, fault.kind);
    let slots = named(program, &registers, fault.step);
    let label = match case(broken, &slots) {
        Some(case) => case,
        None => operand(&registers, program, |register| Rehearsal::operand(memory, register)),
    };
    let draws = matches!(step.op, Op::Draw(..));
    let (code, title) = title(fault.kind, draws);
    Diagnostic::lint(code, title, step.span, label).help(help(broken, &slots, draws))
}

/// The code, and what may happen.
fn title(kind: FaultKind, draws: bool) -> (&'static str, &'static str) {
    match kind {
        FaultKind::Overflow => (NO_VALUE, "this number may not fit into 64 bits"),
        FaultKind::DivisionByZero => (NO_VALUE, "this may divide by zero"),
        FaultKind::OutsideList => (NO_VALUE, "the place may be outside the list"),
        FaultKind::NotFound => (NO_VALUE, "what is looked for may not be in the list"),
        FaultKind::Empty if draws => (NOTHING, "the list to draw from may be empty"),
        FaultKind::Empty => (NO_VALUE, "the list may be empty"),
        FaultKind::EmptyRange => (NOTHING, "the range to draw from may be empty"),
        FaultKind::Probability => (NOTHING, "the probability may be outside 0..1"),
        FaultKind::Weights => (NOTHING, "the weights may not be of use"),
        FaultKind::TooFew => (COUNT, "more elements may be asked for than there are"),
        FaultKind::Negative => (COUNT, "the count may be below 0"),
        FaultKind::NotPositive => (COUNT, "the count may be below 1"),
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
    let Broken { program, memory, .. } = broken;
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

/// What to write instead.
fn help(broken: &Broken, slots: &[SlotId], draws: bool) -> String {
    let Broken { program, fault, .. } = broken;
    let of = |is_it: fn(&Type) -> bool| {
        let mut found = slots.iter().map(|&id| &program.slots[id as usize]);
        found.find(|slot| is_it(&slot.kind)).map(|slot| slot.name.as_str())
    };
    let number = of(|kind| *kind == Type::Int).unwrap_or("n");
    let list = of(|kind| kind.element().is_some()).unwrap_or("xs");
    let Op::Integer(operator, ..) = program.steps[fault.step as usize].op else {
        return help_of_kind(fault.kind, number, list, draws);
    };
    match (fault.kind, operator) {
        (FaultKind::DivisionByZero, _) => {
            let named = of(|kind| *kind == Type::Int).is_some();
            let divisor = match named || of(|kind| kind.element().is_some()).is_none() {
                true => number.to_string(),
                false => format!("size({list})"),
            };
            format!(
                "draw such that the divisor is never 0, or write `if {divisor} == 0 then … else …` \
                 around it"
            )
        }
        (_, Arithmetic::Multiply) => "write smaller numbers to multiply".to_string(),
        _ => "write smaller numbers".to_string(),
    }
}

fn help_of_kind(kind: FaultKind, number: &str, list: &str, draws: bool) -> String {
    let guard = |condition: String| format!("or write `if {condition} then … else …` around it");
    match kind {
        FaultKind::OutsideList => format!(
            "write a place from 0 to `size({list}) - 1`, {}",
            guard(format!("{number} < size({list})"))
        ),
        FaultKind::NotFound => {
            format!("look for what is always there, {}", guard(format!("x in {list}")))
        }
        FaultKind::Empty => format!(
            "{} a list that always has an element, {}",
            if draws { "draw from" } else { "write" },
            guard(format!("size({list}) > 0"))
        ),
        FaultKind::EmptyRange => {
            format!(
                "draw from a range whose end is never below its start, {}",
                guard("a <= b".into())
            )
        }
        FaultKind::Probability => "write a probability from 0.0 to 1.0".to_string(),
        FaultKind::Weights => {
            "write a weight for each element, none below 0, and one above 0".to_string()
        }
        FaultKind::TooFew => format!(
            "draw a count that the list always has, {}",
            guard(format!("{number} <= size({list})"))
        ),
        FaultKind::Negative => {
            format!("write a count that is never below 0, {}", guard(format!("{number} >= 0")))
        }
        FaultKind::NotPositive => {
            format!("write a count that is never below 1, {}", guard(format!("{number} >= 1")))
        }
        FaultKind::Overflow | FaultKind::DivisionByZero | FaultKind::Memory => {
            "write smaller numbers".to_string()
        }
    }
}
