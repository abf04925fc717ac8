//! Samples made with draws of one's choice: what samples may be, where chance alone shows it late.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::begin;
use super::interpret::Interpreter;
use crate::check::types::Type;
use crate::ir::{Builtin, Op, Program, Register, Sampler, StepId, StreamId};
use crate::runtime::arena::List;
use crate::runtime::shape::Shape;
use crate::runtime::{FaultKind, Memory};

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

/// A number that is drawn: the stream, how many draws of the stream are before it in the sample,
/// and its index in the list that is drawn; 0 where one number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// The stream.
    pub stream: StreamId,
    /// How many draws of the stream are before it.
    pub visit: u32,
    /// Its index in the list.
    pub place: u32,
}

/// What one sample is made with, and how much of it is made.
#[derive(Clone, Debug, Default)]
pub struct Try<'a> {
    /// Where the streams start.
    pub index: u64,
    /// What each stream draws; chance, where nothing is said.
    pub draws: &'a [Draws],
    /// Single numbers: the nearest that can be drawn in their place.
    pub set: &'a [(Site, i64)],
    /// For each step the first from there on that is taken; all, if there are none.
    pub route: &'a [StepId],
    /// The steps of the rules that are run after the sample.
    pub rules: &'a [Range<StepId>],
    /// The steps that are reported when their operands are known; true for such. If there are
    /// none, neither are drawn numbers.
    pub watched: &'a [bool],
}

/// What is reported while a sample is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    /// The operands of a watched step are known.
    Comes,
    /// A step cannot be done.
    Fails(FaultKind),
    /// A number was drawn.
    Drew(Site, i64),
}

/// So many half cells take about as long to fill as a step.
const CELLS_A_STEP: u64 = 32;
/// The most numbers of one list that are reported.
const PLACES_MAX: usize = 256;

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

    /// Makes a sample like [`Engine::sample`](super::Engine::sample), and runs rules on it as on a
    /// reply that is its own; false if it cannot be made. `see` gets what happens, and the memory
    /// as it is then: what does not depend on a step that failed is done all the same. `patience`
    /// counts down by the steps and the memory that it takes; none when it is at its end.
    pub fn sample(
        &self,
        memory: &mut Memory,
        one: &Try,
        patience: &mut u64,
        see: &mut dyn FnMut(&Memory, StepId, Seen),
    ) -> Option<bool> {
        begin(memory, self.interpreter.fingerprint, one.index);
        memory.registers.fill(0);
        let mut run = Run { one, unknown: Unknown::default(), visits: Vec::new() };
        let sample = self.program.sample.clone();
        if !self.steps(memory, &mut run, sample, patience, see)? {
            return Some(false);
        }
        for rule in one.rules {
            self.steps(memory, &mut run, rule.clone(), patience, see)?;
            run.unknown.registers.clear();
        }
        Some(true)
    }

    /// Takes some steps; false if one fails.
    fn steps(
        &self,
        memory: &mut Memory,
        run: &mut Run,
        steps: Range<StepId>,
        patience: &mut u64,
        see: &mut dyn FnMut(&Memory, StepId, Seen),
    ) -> Option<bool> {
        let program = &*self.program;
        let (route, watched) = (run.one.route, run.one.watched);
        let taken = |at: StepId| route.get(at as usize).copied().unwrap_or(at);
        let (mut at, mut mark) = (taken(steps.start), memory.cells_taken());
        while at < steps.end {
            let step = &program.steps[at as usize];
            let next = match run.unknown.step(program, memory, at) {
                Follows::End => return Some(false),
                Follows::Next => at + 1,
                Follows::Known => match self.interpreter.next(memory, step, at) {
                    Some(next) => next,
                    None => {
                        if watched.get(at as usize) == Some(&true) {
                            see(memory, at, Seen::Comes);
                        }
                        if let Err(kind) = self.compute(memory, at, run, see) {
                            see(memory, at, Seen::Fails(kind));
                            run.unknown.result(program, memory, at);
                        }
                        at + 1
                    }
                },
            };
            let before = std::mem::replace(&mut mark, memory.cells_taken());
            let cost = 1 + mark.saturating_sub(before) / CELLS_A_STEP;
            *patience = patience.checked_sub(cost)?;
            at = taken(next);
        }
        Some(run.unknown.registers.is_empty())
    }

    /// The operands of a step as they are in the memory; 0 for one that is nowhere.
    pub fn operand(memory: &Memory, register: Register) -> i64 {
        memory.registers.get(register as usize).copied().unwrap_or(0)
    }

    fn compute(
        &self,
        memory: &mut Memory,
        at: StepId,
        run: &mut Run,
        see: &mut dyn FnMut(&Memory, StepId, Seen),
    ) -> Result<(), FaultKind> {
        let step = &self.program.steps[at as usize];
        let shape = self.interpreter.shapes[at as usize];
        let Some(mut cell) = self.interpreter.compute(memory, step, shape)? else { return Ok(()) };
        if let Op::Draw(sampler, stream, operands) = step.op {
            let kind = &self.program.registers[step.into as usize];
            let operands = operands.map(|register| Self::operand(memory, register));
            let draw = Draw { at, sampler, stream, operands, shape, kind };
            cell = draw.chosen(memory, run, cell, see)?;
        }
        if let Some(register) = memory.registers.get_mut(step.into as usize) {
            *register = cell;
        }
        Ok(())
    }
}

/// A draw whose operands are known.
struct Draw<'p> {
    at: StepId,
    sampler: Sampler,
    stream: StreamId,
    operands: [i64; 3],
    /// Of the elements.
    shape: Shape,
    /// Of the result.
    kind: &'p Type,
}

impl Draw<'_> {
    /// What a run takes in place of the result that chance drew. Not inlined, as few of the steps
    /// draw.
    #[inline(never)]
    fn chosen(
        &self,
        memory: &mut Memory,
        run: &mut Run,
        drawn: i64,
        see: &mut dyn FnMut(&Memory, StepId, Seen),
    ) -> Result<i64, FaultKind> {
        let draws = run.one.draws.get(self.stream as usize).copied().unwrap_or_default();
        let mut cell = self.by_choice(memory, draws)?.unwrap_or(drawn);
        let is_list = self.kind.element() == Some(&Type::Int);
        if draws == Draws::Chance && (*self.kind == Type::Int || is_list) {
            let visit = run.visit(self.stream);
            for &(site, number) in run.one.set {
                if (site.stream, site.visit) == (self.stream, visit) {
                    cell = self.nearest(memory, (cell, site.place, number));
                }
            }
            if !run.one.watched.is_empty() {
                let one = [cell];
                let numbers = if is_list { memory.wide(cell) } else { &one };
                for (&number, place) in numbers.iter().zip(0..).take(PLACES_MAX) {
                    let site = Site { stream: self.stream, visit, place };
                    see(memory, self.at, Seen::Drew(site, number));
                }
            }
        }
        Ok(cell)
    }

    /// The result with the number at a place replaced by the nearest to another that can be drawn
    /// there.
    fn nearest(&self, memory: &mut Memory, (cell, place, wanted): (i64, u32, i64)) -> i64 {
        let (sampler, shape, [first, second, _]) = (self.sampler, self.shape, self.operands);
        let near = |numbers: &[i64], may: &dyn Fn(usize) -> bool| {
            let all = (0..numbers.len()).filter(|&at| may(at)).map(|at| numbers[at]);
            all.min_by_key(|number| number.abs_diff(wanted))
        };
        let lists = memory.lists();
        match sampler {
            Sampler::Uniform => wanted.clamp(first, second),
            Sampler::Pick => near(lists.wide(first), &|_| true).unwrap_or(cell),
            Sampler::Weighted => {
                let weights = lists.wide(second);
                near(lists.wide(first), &|at| weights[at] > 0).unwrap_or(cell)
            }
            Sampler::Draw => {
                let number = near(lists.wide(second), &|_| true);
                if let (Some(number), true) = (number, (place as usize) < lists.wide(cell).len()) {
                    memory.arena.put(cell, place as usize, number, shape);
                }
                cell
            }
            // What is drawn elsewhere in the list changes places with it.
            Sampler::Distinct | Sampler::Shuffle => {
                let source = if sampler == Sampler::Distinct { second } else { cell };
                let drawn = lists.wide(cell);
                let number = near(lists.wide(source), &|_| true);
                if let (Some(number), Some(&old)) = (number, drawn.get(place as usize)) {
                    let other = drawn.iter().position(|&drawn| drawn == number);
                    memory.arena.put(cell, place as usize, number, shape);
                    if let Some(other) = other.filter(|&other| other != place as usize) {
                        memory.arena.put(cell, other, old, shape);
                    }
                }
                cell
            }
            _ => cell,
        }
    }

    /// What is drawn by choice, where the choice decides. The sampler has something to draw, and
    /// each of these is one of its draws.
    fn by_choice(&self, memory: &mut Memory, draws: Draws) -> Result<Option<i64>, FaultKind> {
        let (shape, [first, second, third]) = (self.shape, self.operands);
        let is_int = *self.kind == Type::Int;
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
        Ok(match (self.sampler, draws) {
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
                let left = Builtin::Without.run(memory, shape, [second, third, 0])?;
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
                Some(Builtin::Reverse.run(memory, shape, [first, 0, 0])?)
            }
            _ => None,
        })
    }
}

/// A sample that is being made.
struct Run<'r> {
    one: &'r Try<'r>,
    unknown: Unknown,
    /// How many draws each stream has done.
    visits: Vec<(StreamId, u32)>,
}

impl Run<'_> {
    /// Counts a draw: how many were before it.
    fn visit(&mut self, stream: StreamId) -> u32 {
        match self.visits.iter_mut().find(|(known, _)| *known == stream) {
            Some((_, count)) => {
                *count += 1;
                *count - 1
            }
            None => {
                self.visits.push((stream, 1));
                0
            }
        }
    }
}

/// The registers whose value depends on a step that failed.
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

    /// Notes that what a step makes is unknown; something of its type is there.
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
