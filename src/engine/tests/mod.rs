//! Programs made by hand, run by both engines, which must agree on all of it.

mod builtins;
mod control;
mod numbers;
mod random_programs;
mod samplers;
mod sketch;
mod streams;

use std::sync::Arc;

use sketch::{Sketch, Value};

use crate::check::types::Type;
use crate::engine::{Engine, interpreter, native};
use crate::ir::{Builtin, NOWHERE, Op, Program, Register, Sampler};
use crate::runtime::{Fault, FaultKind, Memory, Pools, RunKey};

/// What a sample gave: its slots in depth, and the rules' scores; or a fault.
type Outcome = Result<(Vec<Value>, Vec<u64>), Fault>;

/// One engine with its own memory.
struct Runner {
    engine: Box<dyn Engine>,
    memory: Memory,
}

impl Runner {
    fn new(engine: Box<dyn Engine>, pools: &Pools) -> Runner {
        let mut memory = Memory::new(engine.program(), pools);
        memory.seed(&RunKey::new("test", "", "train", 42));
        Runner { engine, memory }
    }

    fn run(&mut self, index: u64) -> Outcome {
        self.engine.sample(&mut self.memory, index)?;
        let mut scores = Vec::new();
        self.engine.judge(&mut self.memory, &mut scores);
        let program = self.engine.program();
        let slots = program.slots.iter().enumerate();
        let values = slots
            .map(|(slot, it)| Value::read(&self.memory, self.memory.slot(slot as u32), &it.kind));
        Ok((values.collect(), scores.into_iter().map(f64::to_bits).collect()))
    }
}

/// Both engines on one program.
struct Both {
    interpreter: Runner,
    native: Runner,
}

impl Both {
    fn new(program: Program, pools: &Pools) -> Both {
        let program = Arc::new(program);
        let native = native(program.clone()).expect("this machine has machine code");
        Both {
            interpreter: Runner::new(interpreter(program), pools),
            native: Runner::new(native, pools),
        }
    }

    /// What both give.
    fn run(&mut self, index: u64) -> Outcome {
        let meant = self.interpreter.run(index);
        assert_eq!(self.native.run(index), meant, "machine code differs from the interpreter");
        let [left, right] = self.memories();
        assert_eq!(left.frame, right.frame, "machine code stores other slots");
        assert_eq!(left.streams, right.streams, "machine code leaves its streams elsewhere");
        assert_eq!(left.mark(), right.mark(), "machine code takes other memory");
        meant
    }

    fn memories(&mut self) -> [&mut Memory; 2] {
        [&mut self.interpreter.memory, &mut self.native.memory]
    }
}

/// The one value that a program stores, or its fault's kind.
fn only_value(program: Program, index: u64) -> Result<Value, FaultKind> {
    let pools = Pools::new(100, [vec![7, 7, 30]]);
    let outcome = Both::new(program, &pools).run(index);
    outcome.map(|(mut values, _)| values.remove(0)).map_err(|fault| fault.kind)
}

/// What an operation on these operands evaluates to in both engines.
fn result_of(
    operation: impl FnOnce([Register; 3]) -> Op,
    operands: &[(Type, Value)],
    kind: Type,
) -> Result<Value, FaultKind> {
    let mut sketch = Sketch::new();
    let mut registers = [NOWHERE; 3];
    for (register, (kind, value)) in registers.iter_mut().zip(operands) {
        *register = sketch.value(value, kind);
    }
    sketch.op(Op::Seed(0));
    let result = sketch.get(operation(registers), kind);
    sketch.store(result);
    only_value(sketch.finish(), 3)
}

/// What a builtin returns.
fn called(builtin: Builtin, operands: &[(Type, Value)], kind: Type) -> Result<Value, FaultKind> {
    result_of(|registers| Op::Call(builtin, registers), operands, kind)
}

/// What a sampler draws at one sample.
fn drawn(sampler: Sampler, operands: &[(Type, Value)], kind: Type) -> Result<Value, FaultKind> {
    result_of(|registers| Op::Draw(sampler, 0, registers), operands, kind)
}
