//! Runs a program: the interpreter says what it means, machine code must equal it bit for bit.

mod calls;
mod emit;
mod interpret;
mod jit;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::ir::Program;
use crate::runtime::{Fault, Memory};

/// A program ready to run. Threads share it; each brings its own [`Memory`] for the program.
pub trait Engine: Send + Sync {
    /// What it runs.
    fn program(&self) -> &Program;

    /// Makes the sample with this index, whose values are then in the memory's slots. What the
    /// memory held before is freed.
    fn sample(&self, memory: &mut Memory, index: u64) -> Result<(), Fault>;

    /// Judges the values in the slots: puts one score a rule, from 0 to 1, into `scores`, which is
    /// emptied first. A rule that faults scores 0. The slots stay as they are.
    fn judge(&self, memory: &mut Memory, scores: &mut Vec<f64>);
}

/// Which form of machine code to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// Cranelift's intermediate representation.
    Clif,
    /// Assembly of this machine.
    Asm,
}

/// Runs the program step by step.
pub fn interpreter(program: Arc<Program>) -> Box<dyn Engine> {
    Box::new(interpret::Interpreter::new(program))
}

/// Runs the program as machine code.
pub fn native(program: Arc<Program>) -> anyhow::Result<Box<dyn Engine>> {
    Ok(Box::new(jit::compile(program)?))
}

/// The machine code of a program as text, for people.
pub fn emit_text(program: &Program, form: Emit) -> anyhow::Result<String> {
    jit::text(program, form)
}

/// The score that a rule's cell stands for.
fn score(program: &Program, register: crate::ir::Register, cell: i64) -> f64 {
    let score = match program.registers[register as usize] {
        crate::check::types::Type::Real => f64::from_bits(cell as u64),
        _ => cell as f64,
    };
    if (0.0..=1.0).contains(&score) { score } else { 0.0 }
}
