//! Samples that cannot be made, found before anybody asks for them: the steps that the bounds do
//! not prove are tried with draws that chance alone would give late.

mod depends;
mod hidden;
mod say;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::check::typed::Template;
use crate::check::types::Type;
use crate::data::TRAIN;
use crate::data::vocab::Vocabulary;
use crate::diagnostic::Diagnostic;
use crate::engine::rehearse::{Draws, Rehearsal};
use crate::ir::{Op, Program, Step, StepId, StreamId};
use crate::runtime::{Fault, FaultKind, Memory, Pools, RunKey};
use depends::Depends;
pub use hidden::hidden;

/// Steps, and cells of memory by eight, that the tries of a template may take at all its levels
/// together: some ten milliseconds.
const PATIENCE: u64 = 400_000;
/// The least of it for a level.
const PATIENCE_LEAST: u64 = 20_000;
/// Samples that take more memory than 32 MiB are not tried.
const CELLS_MAX: u64 = 1 << 22;
/// Tries with draws by chance alone.
const BY_CHANCE: u64 = 48;
/// The most streams of one step that are tried one by one.
const STREAMS_MAX: usize = 6;
/// The most numbers of a program that draws are set to.
const NUMBERS_MAX: usize = 24;

/// A sample that cannot be made: the step, and the memory as it was then.
struct Broken<'a> {
    program: &'a Program,
    memory: &'a Memory,
    fault: Fault,
}

/// A warning for each step of a program that was found to fail for some draws.
pub fn broken(program: &Arc<Program>, pools: &Pools, patience: u64) -> Vec<Diagnostic> {
    let suspects: Vec<StepId> =
        program.sample.clone().filter(|&at| may_fault(&program.steps[at as usize])).collect();
    if suspects.is_empty() || program.bounds.cells > CELLS_MAX {
        return Vec::new();
    }
    let mut search = Search {
        rehearsal: Rehearsal::new(program.clone()),
        memory: memory(program, pools),
        patience,
        index: 0,
        seen: BTreeSet::new(),
        found: Vec::new(),
    };
    search.all(&suspects);
    search.found.sort_by_key(|one| one.span());
    search.found
}

/// What the tries of one of so many levels may take.
pub fn patience(levels: usize) -> u64 {
    (PATIENCE / levels.max(1) as u64).max(PATIENCE_LEAST)
}

/// The tokens of each pool, for words that pools and vocabulary share.
pub fn pools(template: &Template, words: &Vocabulary) -> Pools {
    let mut own: BTreeMap<&str, u32> = BTreeMap::new();
    let mut tokens = vec![(0..words.own_len() as u32).collect::<Vec<u32>>()];
    for pool in template.pools.iter().skip(1) {
        let pool = pool.words.iter().map(|word| {
            let fresh = (words.len() + own.len()) as u32;
            words.symbol(word).unwrap_or_else(|| *own.entry(word).or_insert(fresh))
        });
        tokens.push(pool.collect());
    }
    Pools { tokens }
}

/// A memory whose streams are those of the first seed.
fn memory(program: &Program, pools: &Pools) -> Memory {
    let mut memory = Memory::new(program, pools);
    memory.seed(&RunKey::new(&program.name, &program.level, TRAIN, 0));
    memory
}

/// True for a step that is not proved and fails for some operands.
fn may_fault(step: &Step) -> bool {
    use crate::ir::Builtin::*;
    !step.proved
        && match step.op {
            Op::Integer(..) | Op::Element(..) | Op::NewList(_) | Op::Draw(..) => true,
            Op::Call(builtin, _) => matches!(
                builtin,
                Take | Drop | Chunks | Position | Around | After | Before | Sum | Max | Min
            ),
            _ => false,
        }
}

struct Search {
    rehearsal: Rehearsal,
    memory: Memory,
    patience: u64,
    index: u64,
    /// The places and kinds of what was found.
    seen: BTreeSet<(usize, usize, u32)>,
    found: Vec<Diagnostic>,
}

impl Search {
    /// Tries until there is no more patience, first by chance, then stream by stream.
    fn all(&mut self, suspects: &[StepId]) -> Option<()> {
        let program = self.rehearsal.program().clone();
        let streams = program.streams.len();
        for _ in 0..BY_CHANCE {
            self.run(&vec![Draws::Chance; streams])?;
        }
        for draws in [Draws::Low, Draws::High] {
            self.run(&vec![draws; streams])?;
        }
        let depends = Depends::new(&program);
        let sets: BTreeSet<Vec<StreamId>> =
            suspects.iter().map(|&at| depends.of_step(&program, at)).collect();
        let mut sets: Vec<Vec<StreamId>> = sets.into_iter().collect();
        sets.sort_by_key(Vec::len);
        let choices = choices(&program);
        for set in sets {
            for &stream in set.iter().take(STREAMS_MAX) {
                for &choice in &choices {
                    for rest in [Draws::Chance, Draws::Chance, Draws::Low, Draws::High] {
                        let mut draws = vec![Draws::Chance; streams];
                        set.iter().for_each(|&other| draws[other as usize] = rest);
                        draws[stream as usize] = choice;
                        self.run(&draws)?;
                    }
                }
            }
        }
        Some(())
    }

    /// One try; none when there is no more patience.
    fn run(&mut self, draws: &[Draws]) -> Option<()> {
        let Search { rehearsal, memory, patience, index, seen, found } = self;
        let program = rehearsal.program();
        let mut fails = |memory: &Memory, fault: Fault| {
            let span = program.steps[fault.step as usize].span;
            let is_ours = fault.kind == FaultKind::Memory;
            if !is_ours && seen.insert((span.start, span.end, fault.kind as u32)) {
                found.push(say::warning(&Broken { program, memory, fault }));
            }
        };
        rehearsal.sample(memory, *index, draws, patience, &mut fails)?;
        self.index += 1;
        Some(())
    }
}

/// What the draws of one stream are set to: the ends, and the numbers that the program knows.
fn choices(program: &Program) -> Vec<Draws> {
    let mut numbers = BTreeSet::from([0, 1, -1]);
    for at in program.sample.clone() {
        let step = &program.steps[at as usize];
        if let Op::Constant(number) = step.op
            && program.registers.get(step.into as usize) == Some(&Type::Int)
        {
            numbers.extend([number.saturating_sub(1), number, number.saturating_add(1)]);
        }
    }
    let mut numbers: Vec<i64> = numbers.into_iter().collect();
    numbers.sort_by_key(|number| number.unsigned_abs());
    let numbers = numbers.into_iter().take(NUMBERS_MAX).map(Draws::Number);
    [Draws::Low, Draws::High].into_iter().chain(numbers).collect()
}
