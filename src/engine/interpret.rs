//! The interpreter: what each step means, one `match` arm an operation.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::check::types::Type;
use crate::engine::memory::fingerprint;
use crate::engine::{Engine, begin, give, judge, shapes};
use crate::ir::{Arithmetic, Comparison, NOWHERE, Op, Program, Register, Step, StepId};
use crate::runtime::arena::List;
use crate::runtime::shape::{Shape, canonical};
use crate::runtime::{Fault, FaultKind, Memory, samplers};

/// Runs a program step by step.
pub struct Interpreter {
    program: Arc<Program>,
    /// The shape of the elements that each step works on.
    pub(super) shapes: Vec<Shape>,
    pub(super) fingerprint: u64,
    /// Between which registers the steps write that begin at a step.
    written: HashMap<StepId, Range<usize>>,
}

impl Interpreter {
    pub(crate) fn new(program: Arc<Program>) -> Interpreter {
        let shapes = program.steps.iter().map(|step| shapes::of_elements(&program, step)).collect();
        let fingerprint = fingerprint(&program);
        let rules = program.rules.iter().map(|rule| &rule.steps);
        let given = program.given.iter().map(|given| &given.steps);
        let ranges = rules.chain(given).chain([&program.sample]);
        let ranges = ranges.filter(|steps| !steps.is_empty()).cloned();
        let written = ranges.map(|steps| (steps.start, written(&program, steps))).collect();
        Interpreter { program, shapes, fingerprint, written }
    }
}

/// The registers that some steps write to, one after the other.
fn written(program: &Program, steps: Range<StepId>) -> Range<usize> {
    let registers = steps.flat_map(|at| {
        let step = &program.steps[at as usize];
        let index = match step.op {
            Op::Loop { index, .. } => index,
            _ => NOWHERE,
        };
        [step.into, index].into_iter().filter(|one| *one != NOWHERE)
    });
    let around = |(first, end): (usize, usize), register: Register| {
        (first.min(register as usize), end.max(register as usize + 1))
    };
    let (first, end) = registers.fold((usize::MAX, 0), around);
    first.min(end)..end
}

impl Engine for Interpreter {
    fn program(&self) -> &Arc<Program> {
        &self.program
    }

    fn sample(&self, memory: &mut Memory, index: u64) -> Result<(), Fault> {
        begin(memory, self.fingerprint, index);
        self.run(memory, self.program.sample.clone())
    }

    fn give(&self, memory: &mut Memory) {
        give(&self.program, self.fingerprint, memory, |memory, at| {
            self.run(memory, self.program.given[at].steps.clone())
        });
    }

    fn judge(&self, memory: &mut Memory, scores: &mut Vec<f64>) {
        judge(&self.program, self.fingerprint, memory, scores, |memory, at| {
            let rule = &self.program.rules[at];
            self.run(memory, rule.steps.clone())?;
            Ok(memory.registers[rule.score as usize])
        });
    }
}

impl Interpreter {
    fn run(&self, memory: &mut Memory, steps: Range<StepId>) -> Result<(), Fault> {
        // Those of the other rules are not needed: with many rules they are nearly all.
        match self.written.get(&steps.start) {
            Some(written) => memory.registers[written.clone()].fill(0),
            None => memory.registers.fill(0),
        }
        let (mut at, mut count) = (steps.start, 0);
        while at < steps.end {
            let step = &self.program.steps[at as usize];
            count += 1;
            at = match self.next(memory, step, at) {
                Some(next) => next,
                None => {
                    let done = self.compute(memory, step, self.shapes[at as usize]);
                    let cell = done.map_err(|kind| Fault { kind, step: at })?;
                    if let (Some(cell), Some(into)) =
                        (cell, memory.registers.get_mut(step.into as usize))
                    {
                        *into = cell;
                    }
                    at + 1
                }
            };
        }
        memory.steps_done += count;
        Ok(())
    }

    /// Where a step of the control flow goes on; `None` for a step that computes.
    pub(super) fn next(&self, memory: &mut Memory, step: &Step, at: StepId) -> Option<StepId> {
        let registers = &mut memory.registers;
        Some(match step.op {
            Op::If(condition, otherwise) => {
                let taken = registers[condition as usize] != 0;
                if let Some(counts) = memory.branches.get_mut(at as usize) {
                    counts[taken as usize] += 1;
                }
                if taken { at + 1 } else { otherwise }
            }
            Op::Else(end) => end,
            Op::EndIf => at + 1,
            Op::Loop { index, count, end } => {
                registers[index as usize] = 0;
                if registers[count as usize] > 0 { at + 1 } else { end + 1 }
            }
            Op::BreakIf(condition, end) => {
                if registers[condition as usize] != 0 {
                    end + 1
                } else {
                    at + 1
                }
            }
            Op::EndLoop(start) => {
                let Op::Loop { index, count, .. } = self.program.steps[start as usize].op else {
                    panic!("lower pairs each EndLoop with its Loop");
                };
                registers[index as usize] += 1;
                let more = registers[index as usize] < registers[count as usize];
                if more { start + 1 } else { at + 1 }
            }
            _ => return None,
        })
    }

    /// The result of a step that computes, if it has one.
    pub(super) fn compute(
        &self,
        memory: &mut Memory,
        step: &Step,
        shape: Shape,
    ) -> Result<Option<i64>, FaultKind> {
        let cell = |register: Register| memory.registers[register as usize];
        Ok(Some(match step.op {
            Op::Constant(cell) => cell,
            Op::Copy(register) => cell(register),
            Op::Load(slot) => memory.frame[slot as usize],
            Op::Store(slot, register) => {
                memory.frame[slot as usize] = cell(register);
                return Ok(None);
            }
            Op::Pool(pool) => memory.frame[self.program.slots.len() + pool as usize],
            Op::Integer(operator, left, right) => operator.apply(cell(left), cell(right))?,
            Op::Real(operator, left, right) => real(operator, cell(left), cell(right)),
            Op::ToReal(register) => (cell(register) as f64).to_bits() as i64,
            Op::Compare(comparison, left, right) => {
                let by_value = self.program.registers[left as usize] == Type::Real;
                compare(comparison, by_value, cell(left), cell(right)) as i64
            }
            Op::Not(register) => cell(register) ^ 1,
            Op::Size(list) => List::from(cell(list)).size as i64,
            Op::Element(list, index) => {
                let (list, index) = (cell(list), cell(index));
                inside(list, index)?;
                memory.lists().element(list, index as usize, shape)
            }
            Op::NewList(count) => {
                let count = cell(count);
                new_list(memory, shape, count)?
            }
            Op::Put(list, index, value) => {
                let (list, index, value) = (cell(list), cell(index), cell(value));
                inside(list, index)?;
                memory.arena.put(list, index as usize, value, shape);
                return Ok(None);
            }
            Op::Call(builtin, operands) => {
                let operands = self.operands(memory, operands);
                builtin.run(memory, shape, operands)?
            }
            Op::Draw(sampler, stream, operands) => {
                let operands = self.operands(memory, operands);
                samplers::draw(memory, sampler, stream, shape, operands)?
            }
            Op::Seed(stream) => {
                memory.start_stream(stream as usize);
                return Ok(None);
            }
            Op::Mark => memory.arena.mark(),
            Op::Release(mark) => {
                let mark = cell(mark);
                memory.arena.release(mark);
                return Ok(None);
            }
            Op::If(..)
            | Op::Else(_)
            | Op::EndIf
            | Op::Loop { .. }
            | Op::BreakIf(..)
            | Op::EndLoop(_) => unreachable!("`next` took the control flow"),
        }))
    }

    /// The operands' cells; 0 for those that are nowhere.
    fn operands(&self, memory: &Memory, operands: [Register; 3]) -> [i64; 3] {
        operands.map(|register| memory.registers.get(register as usize).copied().unwrap_or(0))
    }
}

fn real(operator: Arithmetic, left: i64, right: i64) -> i64 {
    let (left, right) = (f64::from_bits(left as u64), f64::from_bits(right as u64));
    let result = match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => panic!("check gives `%` to integers only"),
    };
    canonical(result).to_bits() as i64
}

fn compare(comparison: Comparison, by_value: bool, left: i64, right: i64) -> bool {
    if by_value {
        let (left, right) = (f64::from_bits(left as u64), f64::from_bits(right as u64));
        comparison.holds(left, right)
    } else {
        comparison.holds(left, right)
    }
}

fn inside(list: i64, index: i64) -> Result<(), FaultKind> {
    if (index as u64) < List::from(list).size as u64 { Ok(()) } else { Err(FaultKind::OutsideList) }
}

fn new_list(memory: &mut Memory, shape: Shape, count: i64) -> Result<i64, FaultKind> {
    if count < 0 {
        return Err(FaultKind::Negative);
    }
    memory.arena.new_list(count as u64, shape)
}
