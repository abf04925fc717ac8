//! Solved samples before a prompt, so that a model learns from examples in its context.

use super::setup::Setup;
use crate::data::TRAIN;
use crate::data::layout::Encoded;
use crate::runtime::{Fault, Memory, RunKey, random};

/// Between a shot and what follows it.
pub const BETWEEN: &str = "\n\n";

/// Shots are among so many samples: far more than are ever told apart.
const AMONG: u64 = 1 << 40;

/// Makes the shots of a run: each sample has its own, chosen by seed, split and index alone.
pub struct Shots<'a> {
    setup: &'a Setup,
    /// Of each template: what its choices hang on, and what makes its samples.
    makers: Vec<([u64; 4], Memory)>,
    between: Vec<u32>,
    encoded: Encoded,
}

impl<'a> Shots<'a> {
    /// For the samples of a split. Shots are samples to learn from even before held-out ones: what
    /// is held out is shown nowhere else.
    pub fn new(setup: &'a Setup, split: &str) -> Shots<'a> {
        let seed = setup.recipe.data.seed;
        let maker = |part: &crate::data::lessons::Part| {
            let (name, level) = (&part.maker.program().name, part.maker.level());
            let key = RunKey::new(name, level, split, seed).stream("shots");
            (key, part.maker.memory(TRAIN, seed))
        };
        let makers = setup.lessons.parts.iter().map(maker).collect();
        Shots { setup, makers, between: setup.between_shots(), encoded: Encoded::default() }
    }

    /// The ids of a template's shots before the sample with this index, each with the pause after
    /// it; a fault comes with the index of the shot.
    pub fn before(&mut self, template: usize, index: u64) -> Result<Vec<u32>, (u64, Fault)> {
        let mut ids = Vec::new();
        let (key, memory) = &mut self.makers[template];
        let mut stream = random::start(key, index);
        for _ in 0..self.setup.recipe.data.shots {
            let mut shot = stream.below_wide(AMONG);
            if shot == index {
                shot += AMONG;
            }
            let part = &self.setup.lessons.parts[template];
            part.encode(memory, shot, &mut self.encoded).map_err(|why| (shot, why))?;
            ids.extend_from_slice(&self.encoded.ids);
            ids.extend_from_slice(&self.between);
        }
        Ok(ids)
    }
}
