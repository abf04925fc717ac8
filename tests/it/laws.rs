//! What holds for every template that is shipped, at every level, over many samples.

use std::sync::Arc;

use cookc::engine::{self, Engine};
use cookc::ir::Program;
use cookc::runtime::{Memory, Pools, RunKey};

use crate::support::{VOCABULARY, program, shipped};

/// Samples a level.
const SAMPLES: u64 = 1000;

fn every_program() -> Vec<Arc<Program>> {
    let programs = shipped().into_iter().flat_map(|(source, levels)| {
        levels
            .into_iter()
            .map(move |level| program(&source, &level).unwrap_or_else(|faults| panic!("{faults}")))
    });
    programs.collect()
}

fn memory(program: &Program, seed: u64) -> Memory {
    let mut memory = Memory::new(program, &Pools::new(VOCABULARY as u32, []));
    memory.seed(&RunKey::new(&program.name, &program.level, "train", seed));
    memory
}

fn make(engine: &dyn Engine, memory: &mut Memory, index: u64) {
    engine.sample(memory, index).unwrap_or_else(|fault| {
        panic!("{} {}: sample {index}: {}", engine.program().name, engine.program().level, fault)
    });
}

#[test]
fn every_rule_holds_on_every_sample_that_its_template_makes() {
    for program in every_program() {
        let engine = engine::interpreter(program.clone());
        let mut memory = memory(&program, 0);
        let mut scores = Vec::new();
        for index in 0..SAMPLES {
            make(&*engine, &mut memory, index);
            engine.judge(&mut memory, &mut scores);
            for (rule, score) in program.rules.iter().zip(&scores) {
                let (name, level) = (&program.name, &program.level);
                assert_eq!(*score, 1.0, "{name} {level}: {} at {index}", rule.name);
            }
        }
    }
}
