//! Which draws, and which named values, the steps of a sample depend on.

use std::collections::BTreeSet;

use crate::ir::{NOWHERE, Op, Program, Register, SlotId, StepId, StreamId};

/// What the registers of a program depend on.
pub struct Depends {
    /// The streams behind each register.
    streams: Vec<BTreeSet<StreamId>>,
    /// The registers that decide whether a step runs, by step.
    control: Vec<Vec<Register>>,
}

impl Depends {
    /// Goes over the steps of a sample until nothing new is found.
    pub fn new(program: &Program) -> Depends {
        let mut depends = Depends {
            streams: vec![BTreeSet::new(); program.registers.len()],
            control: vec![Vec::new(); program.steps.len()],
        };
        // What a loop carries needs one pass more for each value that it goes through.
        const PASSES_MAX: usize = 4;
        for _ in 0..PASSES_MAX {
            if !depends.pass(program) {
                break;
            }
        }
        depends
    }

    fn pass(&mut self, program: &Program) -> bool {
        let (mut open, mut changed): (Vec<Register>, bool) = (Vec::new(), false);
        for at in program.sample.clone() {
            let step = &program.steps[at as usize];
            match step.op {
                Op::If(condition, _) => open.push(condition),
                Op::Loop { count, .. } => open.push(count),
                Op::EndIf | Op::EndLoop(_) => {
                    open.pop();
                }
                _ => {}
            }
            self.control[at as usize].clone_from(&open);
            let mut streams: BTreeSet<StreamId> = BTreeSet::new();
            for register in step.op.inputs().into_iter().chain(open.iter().copied()) {
                streams.extend(&self.streams[register as usize]);
            }
            if let Op::Draw(_, stream, _) = step.op {
                streams.insert(stream);
            }
            for into in step.op.outputs(step.into) {
                let known = &mut self.streams[into as usize];
                let before = known.len();
                known.extend(&streams);
                changed |= known.len() > before;
            }
        }
        changed
    }

    /// The streams that decide whether a step fails.
    pub fn of_step(&self, program: &Program, at: StepId) -> Vec<StreamId> {
        let registers = program.steps[at as usize].op.inputs();
        let all = registers.iter().chain(&self.control[at as usize]);
        let all: BTreeSet<StreamId> =
            all.flat_map(|register| self.streams[*register as usize].iter().copied()).collect();
        all.into_iter().collect()
    }
}

/// The named values that a register is made of, nearest first; only those that are stored before a
/// step.
pub fn named(program: &Program, registers: &[Register], before: StepId) -> Vec<SlotId> {
    let steps = || (program.sample.start..before).map(|at| &program.steps[at as usize]);
    let stored = |register: Register| {
        steps().find_map(|step| match step.op {
            Op::Store(slot, of) if of == register => {
                (!program.slots[slot as usize].name.is_empty()).then_some(slot)
            }
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
