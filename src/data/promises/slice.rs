//! The part of a program that decides whether some of its steps fail: only that is tried.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::ir::{Op, Program, Register, StepId, StreamId};

/// The steps that decide about some others, and the streams that these draw from.
pub struct Slice {
    /// For each step the first from there on that is taken.
    pub route: Vec<StepId>,
    /// What is drawn.
    pub streams: Vec<StreamId>,
}

impl Slice {
    /// All that the targets depend on, their control flow too. What a rule loads is stored by the
    /// sample.
    pub fn new(program: &Program, ranges: &[Range<StepId>], targets: &[StepId]) -> Slice {
        let mut grown = Grown {
            program,
            around: around(program, ranges),
            steps: vec![false; program.steps.len()],
            registers: vec![false; program.registers.len()],
            slots: vec![false; program.slots.len()],
            changed: false,
        };
        targets.iter().for_each(|&at| grown.take(at));
        grown.changed = true;
        while std::mem::take(&mut grown.changed) {
            for at in ranges.iter().rev().flat_map(|range| range.clone().rev()) {
                grown.look(at);
            }
        }
        let mut streams = BTreeSet::new();
        for (step, _) in program.steps.iter().zip(&grown.steps).filter(|(_, taken)| **taken) {
            if let Op::Draw(_, stream, _) = step.op {
                streams.insert(stream);
            }
        }
        let mut route = vec![0; program.steps.len()];
        let mut next = program.steps.len() as StepId;
        for at in (0..route.len()).rev() {
            let starts_stream = match program.steps[at].op {
                Op::Seed(stream) => streams.contains(&stream),
                _ => false,
            };
            if grown.steps[at] || starts_stream {
                next = at as StepId;
            }
            route[at] = next;
        }
        Slice { route, streams: streams.into_iter().collect() }
    }
}

/// The step that opens the branch or the loop around each step.
fn around(program: &Program, ranges: &[Range<StepId>]) -> Vec<Option<StepId>> {
    let mut around = vec![None; program.steps.len()];
    let mut open: Vec<StepId> = Vec::new();
    for at in ranges.iter().flat_map(|range| range.clone()) {
        if matches!(program.steps[at as usize].op, Op::EndIf | Op::EndLoop(_)) {
            open.pop();
        }
        around[at as usize] = open.last().copied();
        if matches!(program.steps[at as usize].op, Op::If(..) | Op::Loop { .. }) {
            open.push(at);
        }
    }
    around
}

struct Grown<'p> {
    program: &'p Program,
    around: Vec<Option<StepId>>,
    steps: Vec<bool>,
    registers: Vec<bool>,
    slots: Vec<bool>,
    changed: bool,
}

impl Grown<'_> {
    fn needs(&self, register: Register) -> bool {
        self.registers.get(register as usize) == Some(&true)
    }

    /// Takes a step if what is taken already depends on it.
    fn look(&mut self, at: StepId) {
        let step = &self.program.steps[at as usize];
        let opened = self.around[at as usize].is_some_and(|open| self.steps[open as usize]);
        let is_needed = match step.op {
            // What an iteration allocates is freed after it, and an iteration may end its loop.
            Op::Mark | Op::Release(_) | Op::BreakIf(..) => opened,
            Op::Else(_) => opened,
            // A value that a message may name too.
            Op::Store(slot, from) => self.slots[slot as usize] || self.needs(from),
            _ => step.op.outputs(step.into).iter().any(|&register| self.needs(register)),
        };
        if is_needed {
            self.take(at);
        }
    }

    fn take(&mut self, at: StepId) {
        if std::mem::replace(&mut self.steps[at as usize], true) {
            return;
        }
        self.changed = true;
        let op = &self.program.steps[at as usize].op;
        for register in op.inputs() {
            self.registers[register as usize] = true;
        }
        match *op {
            Op::Load(slot) => self.slots[slot as usize] = true,
            Op::Loop { end, .. } => self.take(end),
            Op::If(_, otherwise) => self.take_end(otherwise),
            Op::Release(mark) => self.registers[mark as usize] = true,
            _ => {}
        }
        if let Some(open) = self.around[at as usize] {
            self.take(open);
        }
    }

    /// The end of a branch: what `otherwise` names, or what the `Else` before it names.
    fn take_end(&mut self, otherwise: StepId) {
        if let Some(before) = otherwise.checked_sub(1)
            && let Op::Else(end) = self.program.steps[before as usize].op
        {
            self.take(before);
            return self.take(end);
        }
        self.take(otherwise);
    }
}
