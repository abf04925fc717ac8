//! Samples that cannot be drawn, found before they are asked for: the steps that the bounds do not
//! prove are tried with draws that chance alone would reach late.

mod aim;
mod guards;
mod hidden;
mod operands;
mod prove;
mod say;
mod slice;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::check::typed::Template;
use crate::check::types::Type;
use crate::data::Split;
use crate::data::vocab::Vocabulary;
use crate::diagnostic::Diagnostic;
use crate::engine::rehearse::{Draws, Rehearsal, Seen, Site, Try};
use crate::ir::{Builtin, Op, Program, Step, StepId};
use crate::runtime::{Fault, FaultKind, Memory, Pools, RunKey};
use crate::source::Source;
use aim::Distance;
pub use hidden::hidden;
use prove::Proofs;
use slice::Slice;

/// Steps, and cells of memory by eight, that the tries of a template may take at all its levels
/// together: some milliseconds.
const PATIENCE: u64 = 100_000;
/// The same for what is hidden.
const PATIENCE_HIDDEN: u64 = 400_000;
/// The least of it for a level.
const PATIENCE_LEAST: u64 = 20_000;
/// Samples that take more memory than 32 MiB are not tried.
const CELLS_MAX: u64 = 1 << 22;
/// Tries with draws by chance alone.
const BY_CHANCE: u64 = 48;
/// As many, where a step failed in all of them, before it is said that it always does; and fewer,
/// if there is no patience for more.
const TO_BE_SURE: u64 = 200;
const SURE_LEAST: u64 = 12;
/// The most streams of one step that are tried one by one.
const STREAMS_MAX: usize = 6;
/// The most numbers of a program that draws are set to.
const NUMBERS_MAX: usize = 24;

/// A sample that cannot be drawn: the step, and the memory as it was then.
struct Broken<'a> {
    program: &'a Program,
    memory: &'a Memory,
    error: Fault,
    /// The operands of the step, as they are written.
    written: Option<&'a [String]>,
}

/// A warning for each step of a program that was found to fail for some draws, and an error for
/// each that fails whatever is drawn. The program is one for its own samples: see
/// [`ir::lower_own`](crate::ir::lower_own).
pub fn broken(
    template: &Template,
    source: &Source,
    program: &Arc<Program>,
    pools: &Pools,
    patience: u64,
) -> Vec<Diagnostic> {
    let mut ranges = vec![program.sample.clone()];
    ranges.extend(program.rules.iter().map(|rule| rule.steps.clone()));
    let may_fail = |&at: &StepId| may_error(&program.steps[at as usize]);
    let mut suspects: Vec<StepId> =
        ranges.iter().flat_map(|range| range.clone()).filter(may_fail).collect();
    if !suspects.is_empty() {
        let proofs = Proofs::new(program);
        suspects.retain(|&at| !proofs.holds(at));
    }
    if suspects.is_empty() || program.bounds.cells > CELLS_MAX {
        return Vec::new();
    }
    let record = Record {
        template,
        source,
        program,
        tries: 0,
        is_sure: false,
        failed: BTreeMap::new(),
        passed: BTreeSet::new(),
        found: BTreeMap::new(),
    };
    let mut search = Search {
        rehearsal: Rehearsal::new(program.clone()),
        memory: memory(program, pools),
        patience,
        index: 0,
        ranges,
        record,
    };
    search.all(&suspects);
    search.record.warnings()
}

/// What the tries of one of the levels may take.
pub fn patience(levels: usize) -> u64 {
    (PATIENCE / levels.max(1) as u64).max(PATIENCE_LEAST)
}

/// The same for what is hidden.
pub fn patience_hidden(levels: usize) -> u64 {
    (PATIENCE_HIDDEN / levels.max(1) as u64).max(PATIENCE_LEAST)
}
/// The tokens of each pool, for words that pools and vocabulary share.
pub fn pools(template: &Template, words: &Vocabulary) -> Pools {
    let mut all = words.shared();
    let mut own: BTreeMap<&str, u32> = BTreeMap::new();
    let mut tokens = vec![(0..words.own_len() as u32).collect::<Vec<u32>>()];
    for pool in template.pools.iter().skip(1) {
        let pool = pool.words.iter().map(|word| {
            let fresh = (words.len() + own.len()) as u32;
            words.symbol(word).unwrap_or_else(|| {
                *own.entry(word).or_insert_with(|| {
                    Arc::make_mut(&mut all).push(word.as_str().into());
                    fresh
                })
            })
        });
        tokens.push(pool.collect());
    }
    Pools { tokens, words: all }
}

/// A memory whose streams are those of the first seed.
fn memory(program: &Program, pools: &Pools) -> Memory {
    let mut memory = Memory::new(program, pools);
    memory.seed(&RunKey::new(&program.name, &program.level, Split::Train.name(), 0));
    memory
}

/// True for a step that is not proved and fails for some operands.
fn may_error(step: &Step) -> bool {
    !step.proved
        && match step.op {
            Op::Integer(..) | Op::Element(..) | Op::NewList(_) | Op::Draw(..) => true,
            // A range can but take too much memory, which its level refuses.
            Op::Call(builtin, _) => builtin != Builtin::Range,
            _ => false,
        }
}

struct Search<'a> {
    rehearsal: Rehearsal,
    memory: Memory,
    patience: u64,
    index: u64,
    /// The sample's steps, then those of each rule.
    ranges: Vec<Range<StepId>>,
    record: Record<'a>,
}

impl Search<'_> {
    /// Tries all suspects together, then each by itself, as long as there is patience. Divisors
    /// have their own patience: few draws make one 0.
    fn all(&mut self, suspects: &[StepId]) {
        let program = self.rehearsal.program().clone();
        self.together(&program, suspects);
        let open = suspects.iter().copied().filter(|at| !self.record.failed.contains_key(at));
        // A rule is run on samples that can be drawn.
        let in_sample = |at: &StepId| program.sample.contains(at);
        let of_sample: Vec<StepId> = suspects.iter().copied().filter(in_sample).collect();
        let slice = |at: StepId| {
            let mut targets = vec![at];
            if !in_sample(&at) {
                targets.extend(&of_sample);
            }
            Slice::new(&program, &self.ranges, &targets)
        };
        let slices = open.map(|at| (at, slice(at)));
        let mut slices: Vec<(StepId, Slice)> = slices.collect();
        slices.sort_by_key(|(at, slice)| (slice.streams.len(), *at));
        self.apart(&slices);
        for (at, slice) in &slices {
            if aim::is_divided(&program, *at) && !self.record.failed.contains_key(at) {
                self.patience = aim::PATIENCE_DIVISOR;
                self.aim(slice, *at);
            }
        }
    }

    /// At the ends, and by chance: no more than half of the patience, as what chance shows late is
    /// looked for by the rest.
    fn together(&mut self, program: &Program, suspects: &[StepId]) -> Option<()> {
        let slice = Slice::new(program, &self.ranges, suspects);
        let watched = watched(program, suspects);
        let half = self.patience / 2;
        for draws in [Draws::Low, Draws::High].map(|draws| vec![draws; program.streams.len()]) {
            self.run(&slice, &watched, &draws, &[])?;
            self.record.tries += 1;
        }
        let mut by_chance = 0;
        while self.patience > half
            && (by_chance < BY_CHANCE || by_chance < TO_BE_SURE && self.record.any_always())
        {
            self.run(&slice, &watched, &[], &[])?;
            (by_chance, self.record.tries) = (by_chance + 1, self.record.tries + 1);
            self.record.is_sure = by_chance >= SURE_LEAST;
        }
        Some(())
    }

    /// Stream by stream, then number by number.
    fn apart(&mut self, slices: &[(StepId, Slice)]) -> Option<()> {
        let mut tried = BTreeSet::new();
        let rest = self.patience / 2;
        self.patience -= rest;
        for (at, slice) in slices {
            if tried.insert(slice.streams.clone()) && self.each_stream(slice, *at).is_none() {
                break;
            }
        }
        self.patience += rest;
        for (at, slice) in slices {
            if !aim::is_divided(self.record.program, *at) && !self.record.failed.contains_key(at) {
                self.aim(slice, *at)?;
            }
        }
        Some(())
    }

    /// Sets one stream after the other to the ends and to what the program knows.
    fn each_stream(&mut self, slice: &Slice, at: StepId) -> Option<()> {
        let program = self.rehearsal.program().clone();
        let (choices, streams) = (choices(&program, slice), program.streams.len());
        let watched = watched(&program, &[at]);
        for &stream in slice.streams.iter().take(STREAMS_MAX) {
            for &choice in &choices {
                for rest in [Draws::Chance, Draws::Chance, Draws::Low, Draws::High] {
                    let mut draws = vec![rest; streams];
                    draws[stream as usize] = choice;
                    self.run(slice, &watched, &draws, &[])?;
                }
            }
        }
        // Two numbers at once.
        let [stream, _, ..] = slice.streams[..] else { return Some(()) };
        for &choice in &choices {
            for &rest in &choices {
                let mut draws = vec![rest; streams];
                draws[stream as usize] = choice;
                self.run(slice, &watched, &draws, &[])?;
            }
        }
        Some(())
    }

    /// One try, and the numbers that were drawn; none when there is no more patience.
    fn run(
        &mut self,
        slice: &Slice,
        watched: &[bool],
        draws: &[Draws],
        set: &[(Site, i64)],
    ) -> Option<Done> {
        let (index, rules, route) = (self.index, &self.ranges[1..], &slice.route[..]);
        let one = Try { index, draws, set, route, rules, watched };
        let (record, mut done) = (&mut self.record, Done::default());
        let mut see = |memory: &Memory, at: StepId, what: Seen| match what {
            Seen::Comes => done.comes(record.program, memory, at),
            Seen::Fails(kind) => {
                done.fails(at);
                record.fails(memory, Fault { kind, step: at });
            }
            Seen::Drew(site, number) => done.drawn.push((site, number)),
        };
        let went = self.rehearsal.sample(&mut self.memory, &one, &mut self.patience, &mut see);
        self.record.count(&done);
        self.index += u64::from(set.is_empty());
        went.map(|_| done)
    }
}

/// What came of a try.
#[derive(Default)]
struct Done {
    /// How often each watched step came, and how often it failed.
    steps: BTreeMap<StepId, (u32, u32)>,
    /// How far the watched step was from failing, where it was nearest.
    distance: Option<Distance>,
    /// The numbers that were drawn.
    drawn: Vec<(Site, i64)>,
}

impl Done {
    fn comes(&mut self, program: &Program, memory: &Memory, at: StepId) {
        self.steps.entry(at).or_default().0 += 1;
        if let Some(distance) = Distance::of(&program.steps[at as usize].op, memory)
            && self.distance.is_none_or(|known| distance.far() < known.far())
        {
            self.distance = Some(distance);
        }
    }

    fn fails(&mut self, at: StepId) {
        if let Some((_, failed)) = self.steps.get_mut(&at) {
            *failed += 1;
        }
    }
}

/// What was found so far.
struct Record<'a> {
    template: &'a Template,
    source: &'a Source,
    program: &'a Program,
    /// How many samples were tried with every step that may fail.
    tries: u64,
    /// True if these were enough to say that a step always fails.
    is_sure: bool,
    /// In how many tries a step failed.
    failed: BTreeMap<StepId, u64>,
    /// The steps that did not fail once.
    passed: BTreeSet<StepId>,
    /// The warning of each place and kind, and its step.
    found: BTreeMap<(usize, usize, u32), (StepId, Diagnostic)>,
}

impl Record<'_> {
    fn fails(&mut self, memory: &Memory, error: Fault) {
        let span = self.program.steps[error.step as usize].span;
        let place = (span.start, span.end, error.kind as u32);
        if error.kind == FaultKind::Memory || self.found.contains_key(&place) {
            return;
        }
        let step = &self.program.steps[error.step as usize];
        let written = operands::written(self.template, self.source, step);
        let broken = Broken { program: self.program, memory, error, written: written.as_deref() };
        self.found.insert(place, (error.step, say::warning(&broken)));
    }

    fn count(&mut self, done: &Done) {
        for (&at, &(came, failed)) in &done.steps {
            if failed > 0 {
                *self.failed.entry(at).or_default() += 1;
            }
            if came > failed {
                self.passed.insert(at);
            }
        }
    }

    /// Did this step fail in every try?
    fn is_always(&self, at: StepId) -> bool {
        self.failed.get(&at) == Some(&self.tries) && !self.passed.contains(&at)
    }

    fn any_always(&self) -> bool {
        self.failed.keys().any(|&at| self.is_always(at))
    }

    /// All warnings, in the order of the text. What failed in every sample is an error.
    fn warnings(self) -> Vec<Diagnostic> {
        let is_error: Vec<bool> =
            self.found.values().map(|(at, _)| self.is_sure && self.is_always(*at)).collect();
        let all = self.found.into_values().zip(is_error);
        all.map(|((_, one), is_error)| if is_error { say::always(one) } else { one }).collect()
    }
}

/// The steps to watch, for each step of the program.
fn watched(program: &Program, steps: &[StepId]) -> Vec<bool> {
    let mut watched = vec![false; program.steps.len()];
    steps.iter().for_each(|&at| watched[at as usize] = true);
    watched
}

/// What the draws of one stream are set to: the ends, and the numbers that the steps know.
fn choices(program: &Program, slice: &Slice) -> Vec<Draws> {
    let mut numbers = BTreeSet::from([0, 1, -1]);
    for (at, step) in program.steps.iter().enumerate() {
        if let Op::Constant(number) = step.op
            && slice.route[at] == at as StepId
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
