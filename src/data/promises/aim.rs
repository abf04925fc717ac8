//! Draws that are aimed at: numbers are changed one by one, towards where a step fails, by how far
//! each change brings it.

use std::collections::BTreeSet;

use super::slice::Slice;
use super::{Search, watched};
use crate::engine::rehearse::{Rehearsal, Site};
use crate::ir::{Arithmetic, Builtin, Op, Program, Register, Sampler, StepId, StreamId};
use crate::runtime::Memory;
use crate::runtime::arena::List;

/// What is spent on a divisor, which is 0 for few draws.
pub const PATIENCE_DIVISOR: u64 = 150_000;
/// More is spent where so few samples take so much, but no more than this: some 50 milliseconds.
const SAMPLES_LEAST: u64 = 60;
const PATIENCE_MOST: u64 = 2_000_000;
/// What is spent on any other step, which fails at an end.
const PATIENCE_OTHER: u64 = 3_000;
/// The most samples that one begins with.
const BASES_MAX: u64 = 10_000;
/// The most numbers of a sample that are changed.
const SITES_MAX: usize = 8;
/// The most changes of one number.
const TURNS_MAX: usize = 6;
/// By how much a number is changed to see what it does.
const STEPS: [i64; 4] = [1, -1, 12, -12];

/// How far a step is from failing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distance {
    /// It fails where this is 0.
    Zero(f64),
    /// It fails where this is 0 or less.
    Margin(f64),
}

impl Distance {
    /// Of a step whose operands are in the memory; none for one that has no number to aim at.
    pub fn of(op: &Op, memory: &Memory) -> Option<Distance> {
        let cell = |register: Register| Rehearsal::operand(memory, register);
        let number = |register: Register| cell(register) as f64;
        let size = |register: Register| f64::from(List::from(cell(register)).size);
        let part = |count: Register, of: Register| {
            Distance::Margin((number(count) + 1.0).min(size(of) - number(count) + 1.0))
        };
        Some(match *op {
            Op::Integer(Arithmetic::Divide | Arithmetic::Remainder, _, divisor) => {
                Distance::Zero(number(divisor))
            }
            Op::Element(list, at) => {
                Distance::Margin((number(at) + 1.0).min(size(list) - number(at)))
            }
            Op::NewList(count) => Distance::Margin(number(count) + 1.0),
            Op::Call(Builtin::Take | Builtin::Drop, [count, list, _]) => part(count, list),
            Op::Call(Builtin::Chunks, [count, ..]) => Distance::Margin(number(count)),
            Op::Call(Builtin::Max | Builtin::Min, [list, ..]) => Distance::Margin(size(list)),
            Op::Draw(Sampler::Distinct | Sampler::Span, _, [count, list, _]) => part(count, list),
            Op::Draw(Sampler::DistinctWithout, _, [count, ..]) => {
                Distance::Margin(number(count) + 1.0)
            }
            Op::Draw(Sampler::Split, _, [count, list, _]) => {
                Distance::Margin(number(count).min(size(list) - number(count) + 1.0))
            }
            Op::Draw(Sampler::Draw, _, [count, list, _]) => match cell(count) > 0 {
                true => Distance::Margin((number(count) + 1.0).min(size(list))),
                false => Distance::Margin(number(count) + 1.0),
            },
            Op::Draw(Sampler::Pick, _, [list, ..]) => Distance::Margin(size(list)),
            Op::Draw(Sampler::Uniform, _, [low, high, _]) => {
                Distance::Margin(number(high) - number(low) + 1.0)
            }
            Op::Draw(Sampler::Coin, _, [probability, ..]) => {
                let probability = f64::from_bits(cell(probability) as u64);
                Distance::Margin(probability.min(1.0 - probability) + f64::MIN_POSITIVE)
            }
            Op::Draw(Sampler::Weighted, _, [_, weights, _]) => {
                let weights = memory.wide(cell(weights));
                let least = weights.iter().min().map_or(0.0, |&least| least as f64 + 1.0);
                Distance::Margin(least.min(weights.iter().map(|&one| one as f64).sum()))
            }
            _ => return None,
        })
    }

    /// As a number that is least where the step fails.
    pub fn far(self) -> f64 {
        match self {
            Distance::Zero(number) => number.abs(),
            Distance::Margin(number) => number,
        }
    }

    /// As a number that is 0 where the step fails.
    fn signed(self) -> f64 {
        match self {
            Distance::Zero(number) | Distance::Margin(number) => number,
        }
    }
}

/// Does a step divide?
pub fn is_divided(program: &Program, at: StepId) -> bool {
    let op = &program.steps[at as usize].op;
    matches!(op, Op::Integer(Arithmetic::Divide | Arithmetic::Remainder, ..))
}

impl Search<'_> {
    /// Aims at one step: begins with samples by chance, and changes their numbers. None when there
    /// is no more patience at all.
    pub fn aim(&mut self, slice: &Slice, at: StepId) -> Option<()> {
        let program = self.rehearsal.program().clone();
        let watched = watched(&program, &[at]);
        let is_divided = is_divided(&program, at);
        let least = match is_divided {
            true => 0,
            false => self.patience.saturating_sub(PATIENCE_OTHER),
        };
        let mut fixed: BTreeSet<StreamId> = BTreeSet::new();
        for base in 0..BASES_MAX {
            if self.patience <= least || self.record.failed.contains_key(&at) {
                break;
            }
            let before = self.patience;
            let done = self.run(slice, &watched, &[], &[])?;
            if base == 0 && is_divided {
                let cost = before - self.patience;
                self.patience = self.patience.max((cost * SAMPLES_LEAST).min(PATIENCE_MOST));
            }
            let Some(distance) = done.distance else { continue };
            let mut numbers = coordinates(&done.drawn);
            numbers.retain(|(sites, _)| !fixed.contains(&sites[0].stream));
            if numbers.is_empty() {
                continue;
            }
            // What was begun goes on with the sample that it began with.
            self.index -= 1;
            let (mut aim, count) = (Aim { set: Vec::new(), far: distance.far() }, numbers.len());
            let mut from = distance.signed();
            for turn in 0..count.min(SITES_MAX) {
                // Another one is first each time, and not neighbours only.
                let place = base as usize / 2 + turn * (count / SITES_MAX).max(1);
                // All numbers of a list come first every second time.
                let place = if turn == 0 && base % 2 == 0 { 0 } else { place % count };
                let (sites, number) = &numbers[place];
                let Some((now, has_moved)) =
                    self.change(slice, &watched, &mut aim, (sites, *number, from))
                else {
                    self.index += 1;
                    return None;
                };
                from = now;
                if !has_moved {
                    fixed.insert(sites[0].stream);
                }
                if self.record.failed.contains_key(&at) {
                    break;
                }
            }
            self.index += 1;
        }
        Some(())
    }

    /// Changes one number, or all of a list to one, while that brings the step nearer; how far it
    /// is then, and whether the number could be changed.
    fn change(
        &mut self,
        slice: &Slice,
        watched: &[bool],
        aim: &mut Aim,
        (sites, number, from): (&[Site], i64, f64),
    ) -> Option<(f64, bool)> {
        let (mut here, mut from, mut has_moved) = ((number, from), from, false);
        let mut next = STEPS.map(|step| number.saturating_add(step)).to_vec();
        for _ in 0..TURNS_MAX {
            if aim.far <= 0.0 {
                break;
            }
            let mut there = None;
            while let Some(wanted) = (!next.is_empty()).then(|| next.remove(0)) {
                let Some((got, signed, far)) = self.set(slice, watched, aim, (sites, wanted))?
                else {
                    return Some((from, true));
                };
                has_moved |= got != number;
                if far < aim.far {
                    aim.set.retain(|(known, _)| !sites.contains(known));
                    aim.set.extend(sites.iter().map(|&site| (site, got)));
                    (aim.far, from) = (far, signed);
                }
                if got != here.0 && signed != here.1 {
                    there = Some((got, signed));
                    break;
                }
            }
            let Some(there) = there else { break };
            // Where a line through both is 0.
            let slope = (there.1 - here.1) / (there.0 - here.0) as f64;
            let wanted = there.0 as f64 - there.1 / slope;
            if !wanted.is_finite() || wanted.abs() >= i64::MAX as f64 {
                break;
            }
            here = there;
            next = vec![wanted.round() as i64, wanted.floor() as i64, wanted.ceil() as i64];
            next.dedup();
            next.retain(|&number| number != here.0);
        }
        // A list may have one number only.
        Some((from, has_moved || sites.len() > 1))
    }

    /// Runs the sample with some numbers set to one: the number that came of it, and how far the
    /// step is from failing; nothing if neither came.
    fn set(
        &mut self,
        slice: &Slice,
        watched: &[bool],
        aim: &Aim,
        (sites, wanted): (&[Site], i64),
    ) -> Option<Option<(i64, f64, f64)>> {
        let mut set = aim.set.clone();
        set.retain(|(known, _)| !sites.contains(known));
        set.extend(sites.iter().map(|&site| (site, wanted)));
        let done = self.run(slice, watched, &[], &set)?;
        let is_set = |(known, _): &&(Site, i64)| sites.first() == Some(known);
        let got = done.drawn.iter().find(is_set).map(|(_, number)| *number);
        Some(done.distance.zip(got).map(|(distance, got)| (got, distance.signed(), distance.far())))
    }
}

/// What can be changed by itself: all numbers of a stream together, and each number.
fn coordinates(drawn: &[(Site, i64)]) -> Vec<(Vec<Site>, i64)> {
    let mut all: Vec<(Vec<Site>, i64)> = Vec::new();
    let mut streams: Vec<u32> = drawn.iter().map(|(site, _)| site.stream).collect();
    streams.dedup();
    for stream in streams {
        let of_stream = drawn.iter().filter(|(site, _)| site.stream == stream);
        let sites: Vec<Site> = of_stream.clone().map(|(site, _)| *site).collect();
        if let (Some((_, number)), true) = (of_stream.into_iter().next(), sites.len() > 1) {
            all.push((sites, *number));
        }
    }
    all.extend(drawn.iter().map(|&(site, number)| (vec![site], number)));
    all
}

/// The numbers that brought a step nearest to failing.
struct Aim {
    set: Vec<(Site, i64)>,
    far: f64,
}
