//! Samples made with draws of one's choice: what samples may be, where chance alone shows it late.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::begin;
use super::interpret::Interpreter;
use crate::check::types::Type;
use crate::ir::{Builtin, Op, Program, Register, Sampler, StepId};
use crate::runtime::arena::List;
use crate::runtime::shape::Shape;
use crate::runtime::{Fault, FaultKind, Memory, builtins};

/// What the draws of a stream give. Each is something that chance may give as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Draws {
    /// What the stream says.
    #[default]
    Chance,
    /// The least number, the first elements, false.
    Low,
    /// The greatest number, the last elements, true.
    High,
    /// This number, where it can be drawn; else what the stream says.
    Number(i64),
}

/// Runs a program step by step, its draws chosen.
pub struct Rehearsal {
    interpreter: Interpreter,
    program: Arc<Program>,
}

impl Rehearsal {
    /// For a program.
    pub fn new(program: Arc<Program>) -> Rehearsal {
        Rehearsal { interpreter: Interpreter::new(program.clone()), program }
    }

    /// What is run.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Makes a sample like [`Engine::sample`](super::Engine::sample), with what `draws` gives for
    /// each stream; false if it cannot be made. `fails` gets each step that fails, and the memory
    /// as it is then: what does not depend on a step that failed is done all the same. `patience`
    /// counts down by the steps and the memory that it takes; none when it is at its end.
    pub fn sample(
        &self,
        memory: &mut Memory,
        index: u64,
        draws: &[Draws],
        patience: &mut u64,
        fails: &mut dyn FnMut(&Memory, Fault),
    ) -> Option<bool> {
        let program = &self.program;
        begin(memory, self.interpreter.fingerprint, index);
        memory.registers.fill(0);
        let mut unknown = Unknown::default();
        let mut at = program.sample.start;
        while at < program.sample.end {
            let (before, step) = (memory.mark(), &program.steps[at as usize]);
            at = match unknown.step(program, memory, at) {
                Follows::End => return Some(false),
                Follows::Next => at + 1,
                Follows::Known => match self.interpreter.next(memory, step, at) {
                    Some(next) => next,
                    None => {
                        if let Err(kind) = self.compute(memory, at, draws) {
                            fails(memory, Fault { kind, step: at });
                            unknown.result(program, memory, at);
                        }
                        at + 1
                    }
                },
            };
            let cost = 1 + memory.mark().saturating_sub(before).max(0) as u64 / 8;
            *patience = patience.checked_sub(cost)?;
        }
        Some(unknown.registers.is_empty())
    }

    /// The operands of a step as they are in the memory; 0 for one that is nowhere.
    pub fn operand(memory: &Memory, register: Register) -> i64 {
        memory.registers.get(register as usize).copied().unwrap_or(0)
    }

    fn compute(&self, memory: &mut Memory, at: StepId, draws: &[Draws]) -> Result<(), FaultKind> {
        let step = &self.program.steps[at as usize];
        let shape = self.interpreter.shapes[at as usize];
        let made = self.interpreter.compute(memory, step, shape)?;
        let (Some(mut cell), true) = (made, (step.into as usize) < memory.registers.len()) else {
            return Ok(());
        };
        if let Op::Draw(sampler, stream, operands) = step.op {
            let draws = draws.get(stream as usize).copied().unwrap_or_default();
            let wide = operands.map(|register| Self::operand(memory, register));
            let is_int = self.program.registers[step.into as usize] == Type::Int;
            let chosen = chosen(memory, sampler, shape, wide, draws, is_int)?;
            cell = chosen.unwrap_or(cell);
        }
        memory.registers[step.into as usize] = cell;
        Ok(())
    }
}

/// The registers whose value hangs on a step that failed.
#[derive(Default)]
struct Unknown {
    registers: BTreeSet<Register>,
}

/// How a run goes on at a step.
enum Follows {
    /// All that it reads is known.
    Known,
    /// What it makes is unknown.
    Next,
    /// Where it goes on is unknown.
    End,
}

impl Unknown {
    fn step(&mut self, program: &Program, memory: &mut Memory, at: StepId) -> Follows {
        let op = &program.steps[at as usize].op;
        if self.registers.is_empty()
            || !op.inputs().iter().any(|register| self.registers.contains(register))
        {
            return Follows::Known;
        }
        if matches!(op, Op::If(..) | Op::Loop { .. } | Op::BreakIf(..)) {
            return Follows::End;
        }
        self.result(program, memory, at);
        Follows::Next
    }

    /// Notes that what a step makes is unknown; something of its type stands there.
    fn result(&mut self, program: &Program, memory: &mut Memory, at: StepId) {
        let step = &program.steps[at as usize];
        self.registers.extend(step.op.outputs(step.into));
        if let Some(register) = memory.registers.get_mut(step.into as usize) {
            let is_list = program.registers[step.into as usize].element().is_some();
            *register = if is_list { List::EMPTY.cell() } else { 0 };
        }
        if let Op::Store(slot, register) = step.op {
            memory.frame[slot as usize] = memory.registers[register as usize];
        }
    }
}

/// What is drawn by choice, where the choice decides. The sampler was found to have something to
/// draw, and each of these is one of its draws.
fn chosen(
    memory: &mut Memory,
    sampler: Sampler,
    shape: Shape,
    [first, second, third]: [i64; 3],
    draws: Draws,
    is_int: bool,
) -> Result<Option<i64>, FaultKind> {
    let end = |list: List| match draws {
        Draws::Low => Some(0),
        Draws::High => list.size.checked_sub(1),
        Draws::Chance | Draws::Number(_) => None,
    };
    let part = |list: List, count: i64| {
        let count = count as u32;
        match draws {
            Draws::Low => Some(list.run(0, count, shape).cell()),
            Draws::High => Some(list.run(list.size - count, count, shape).cell()),
            Draws::Chance | Draws::Number(_) => None,
        }
    };
    Ok(match (sampler, draws) {
        (_, Draws::Chance) => None,
        (Sampler::Uniform, Draws::Low) => Some(first),
        (Sampler::Uniform, Draws::High) => Some(second),
        (Sampler::Uniform, Draws::Number(number)) => {
            (first..=second).contains(&number).then_some(number)
        }
        (Sampler::Coin, Draws::Low) => (f64::from_bits(first as u64) < 1.0).then_some(0),
        (Sampler::Coin, Draws::High) => (f64::from_bits(first as u64) > 0.0).then_some(1),
        (Sampler::Pick, Draws::Number(number)) if is_int => {
            memory.lists().wide(first).contains(&number).then_some(number)
        }
        (Sampler::Pick, _) => {
            end(List::from(first)).map(|at| memory.lists().element(first, at as usize, shape))
        }
        (Sampler::Weighted, _) => {
            let numbers = is_int.then(|| memory.lists().wide(first));
            let at = likely(draws, numbers, memory.lists().wide(second));
            at.map(|at| memory.lists().element(first, at, shape))
        }
        (Sampler::Distinct | Sampler::Span, _) => part(List::from(second), first),
        (Sampler::DistinctWithout, Draws::Low | Draws::High) => {
            let left = builtins::call(memory, Builtin::Without, shape, [second, third, 0])?;
            part(List::from(left), first)
        }
        (Sampler::Draw, Draws::Low | Draws::High) => match end(List::from(second)) {
            Some(at) => {
                let element = memory.lists().element(second, at as usize, shape);
                let list = memory.arena.new_list(first as u64, shape)?;
                (0..first as usize).for_each(|at| memory.arena.put(list, at, element, shape));
                Some(list)
            }
            None => None,
        },
        (Sampler::Shuffle, Draws::Low) => Some(first),
        (Sampler::Shuffle, Draws::High) => {
            Some(builtins::call(memory, Builtin::Reverse, shape, [first, 0, 0])?)
        }
        _ => None,
    })
}

/// Which of some weighted elements is drawn: one whose weight is above 0.
fn likely(draws: Draws, numbers: Option<&[i64]>, weights: &[i64]) -> Option<usize> {
    let mut likely = (0..weights.len()).filter(|&at| weights[at] > 0);
    match (draws, numbers) {
        (Draws::Low, _) => likely.next(),
        (Draws::High, _) => likely.next_back(),
        (Draws::Number(number), Some(numbers)) => likely.find(|&at| numbers[at] == number),
        (Draws::Number(_) | Draws::Chance, _) => None,
    }
}
