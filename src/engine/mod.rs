//! Runs a program: the interpreter says what it means, machine code must equal it bit for bit.

#[cfg(feature = "jit")]
mod adaptive;
#[cfg(feature = "jit")]
mod calls;
#[cfg(feature = "jit")]
mod emit;
mod interpret;
#[cfg(feature = "jit")]
mod jit;
mod memory;
pub(crate) mod rehearse;
mod shapes;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::ir::Program;
use crate::runtime::{Fault, FaultKind, Memory};

/// A program ready to run. Threads share it; each brings its own [`Memory`] for the program.
pub(crate) trait Engine: Send + Sync {
    /// What it runs.
    fn program(&self) -> &Arc<Program>;

    /// Makes the sample with this index, whose values are then in the memory's slots. What the
    /// memory held before is freed.
    fn sample(&self, memory: &mut Memory, index: u64) -> Result<(), Fault>;

    /// Makes the values that rules are given of the record in the slots: a sample has them. Those
    /// that cannot be made are remembered.
    fn give(&self, memory: &mut Memory);

    /// Judges the values in the slots: puts one score a rule, from 0 to 1, into `scores`, which is
    /// emptied first. A rule that faults scores 0. The slots stay as they are.
    fn judge(&self, memory: &mut Memory, scores: &mut Vec<f64>);
}

/// Which form of machine code to show.
#[cfg(feature = "jit")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// Cranelift's intermediate representation.
    Clif,
    /// Assembly of this machine.
    Asm,
}

/// Runs the program step by step.
pub(crate) fn interpreter(program: Arc<Program>) -> Box<dyn Engine> {
    Box::new(interpret::Interpreter::new(program))
}

/// Runs the program step by step, and in the fastest way that this build has once that pays.
pub(crate) fn adaptive(program: Arc<Program>) -> Box<dyn Engine> {
    #[cfg(feature = "jit")]
    return Box::new(adaptive::Adaptive::new(program));
    #[cfg(not(feature = "jit"))]
    interpreter(program)
}

/// Runs the program in the fastest way that this build has.
///
/// # Errors
/// If there is no machine code for this machine.
pub(crate) fn fastest(program: Arc<Program>) -> anyhow::Result<Box<dyn Engine>> {
    #[cfg(feature = "jit")]
    return native(program);
    #[cfg(not(feature = "jit"))]
    Ok(interpreter(program))
}

/// Runs the program as machine code.
///
/// # Errors
/// If there is none for this machine.
#[cfg(feature = "jit")]
pub(crate) fn native(program: Arc<Program>) -> anyhow::Result<Box<dyn Engine>> {
    Ok(Box::new(jit::compile(program)?))
}

/// The machine code of a program as text, for people.
///
/// # Errors
/// If there is none for this machine.
#[cfg(feature = "jit")]
pub fn emit_text(program: &Program, form: Emit) -> anyhow::Result<String> {
    jit::text(program, form)
}

/// Makes a memory ready for a sample of its own program.
fn begin(memory: &mut Memory, fingerprint: u64, index: u64) {
    assert_eq!(memory.program, fingerprint, "a memory runs its own program only");
    memory.clear();
    memory.index = index;
}

/// Makes each given value, by `run` with its number.
fn give(
    program: &Program,
    fingerprint: u64,
    memory: &mut Memory,
    run: impl Fn(&mut Memory, usize) -> Result<(), Fault>,
) {
    assert_eq!(memory.program, fingerprint, "a memory runs its own program only");
    memory.failed.clear();
    for (at, given) in program.given.iter().enumerate() {
        if !memory.has(&given.given) {
            memory.failed.push(given.slot);
        } else if let Err(fault) = run(memory, at) {
            memory.ran_out |= fault.kind == FaultKind::Memory;
            memory.failed.push(given.slot);
        }
    }
}

/// Judges the values in the slots by each rule, whose cell `run` returns, by its number.
fn judge(
    program: &Program,
    fingerprint: u64,
    memory: &mut Memory,
    scores: &mut Vec<f64>,
    run: impl Fn(&mut Memory, usize) -> Result<i64, Fault>,
) {
    assert_eq!(memory.program, fingerprint, "a memory runs its own program only");
    scores.clear();
    for (at, rule) in program.rules.iter().enumerate() {
        if !memory.has(&rule.given) {
            scores.push(0.0);
            continue;
        }
        let mark = memory.mark();
        scores.push(match run(memory, at) {
            Ok(cell) => score(program, rule.score, cell),
            Err(fault) => {
                memory.ran_out |= fault.kind == FaultKind::Memory;
                0.0
            }
        });
        memory.release(mark);
    }
}

/// The score that a rule's cell stands for.
fn score(program: &Program, register: crate::ir::Register, cell: i64) -> f64 {
    let score = match program.registers[register as usize] {
        crate::check::types::Type::Real => f64::from_bits(cell as u64),
        _ => cell as f64,
    };
    if (0.0..=1.0).contains(&score) { score } else { 0.0 }
}
