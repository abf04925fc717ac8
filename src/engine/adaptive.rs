//! Runs a program step by step at first, and as machine code once that pays: to compile takes as
//! long as many samples.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::interpret::Interpreter;
use super::jit::{self, Native};
use super::{Engine, Memory};
use crate::ir::Program;
use crate::runtime::Fault;

/// To compile a step takes about as long as to do so many, step by step.
const STEPS_A_STEP: u64 = 500;

/// A program, and how much of it was done step by step.
pub(super) struct Adaptive {
    interpreter: Interpreter,
    native: OnceLock<Native>,
    /// Steps by what they were done for: whoever judges one sample does not wait for machine code
    /// because that sample took long.
    sampled: AtomicU64,
    judged: AtomicU64,
    /// True once a thread compiles it; the others go on meanwhile.
    is_compiled: AtomicBool,
}

impl Adaptive {
    pub(super) fn new(program: Arc<Program>) -> Adaptive {
        Adaptive {
            interpreter: Interpreter::new(program),
            native: OnceLock::new(),
            sampled: AtomicU64::new(0),
            judged: AtomicU64::new(0),
            is_compiled: AtomicBool::new(false),
        }
    }

    /// What runs it now.
    fn engine(&self) -> &dyn Engine {
        match self.native.get() {
            Some(native) => native,
            None => &self.interpreter,
        }
    }

    /// Does some of it: as machine code if the steps of its kind that were done until now say that
    /// it pays. Looked at before and not after, so that nothing is compiled that is not run.
    fn run<T>(
        &self,
        steps: &AtomicU64,
        memory: &mut Memory,
        run: impl FnOnce(&dyn Engine, &mut Memory) -> T,
    ) -> T {
        let least = STEPS_A_STEP * self.interpreter.program().steps.len() as u64;
        if self.native.get().is_none() && steps.load(Ordering::Relaxed) > least {
            self.compile();
        }
        if let Some(native) = self.native.get() {
            return run(native, memory);
        }
        let before = memory.steps_done;
        let done = run(&self.interpreter, memory);
        steps.fetch_add(memory.steps_done - before, Ordering::Relaxed);
        done
    }

    /// Once, by one thread. What cannot be compiled goes on step by step.
    fn compile(&self) {
        if !self.is_compiled.swap(true, Ordering::Relaxed)
            && let Ok(native) = jit::compile(self.interpreter.program().clone())
        {
            _ = self.native.set(native);
        }
    }
}

impl Engine for Adaptive {
    fn program(&self) -> &Arc<Program> {
        self.engine().program()
    }

    fn sample(&self, memory: &mut Memory, index: u64) -> Result<(), Fault> {
        self.run(&self.sampled, memory, |engine, memory| engine.sample(memory, index))
    }

    fn give(&self, memory: &mut Memory) {
        self.run(&self.judged, memory, |engine, memory| engine.give(memory));
    }

    fn judge(&self, memory: &mut Memory, scores: &mut Vec<f64>) {
        self.run(&self.judged, memory, |engine, memory| engine.judge(memory, scores));
    }
}
