//! The samples of a step, made between steps, and one of them as text for an error.

use std::cell::RefCell;
use std::collections::HashSet;

use anyhow::{Result, bail};

use super::setup::Setup;
use super::shots::Shots;
use crate::data::Split;
use crate::data::dataset::{Rows, Why};
use crate::data::layout::{Encoded, Escape, Part as Text, TextWriter};
use crate::mix::Mixture;
use crate::template::Error;
use crate::train::{Example, Group};

/// Letters of a sample that an error shows.
const SHOWN: usize = 600;

/// One of this many samples is also encoded as one text: the ids must be those of its pieces.
const CHECKED: u64 = 256;

/// Makes the samples of a run.
pub struct Samples<'a> {
    setup: &'a Setup,
    group: &'a Group,
    mixture: &'a RefCell<Mixture>,
    rows: Rows<'a>,
    shots: Shots<'a>,
    /// Prompts that are held out.
    held_out: &'a HashSet<Vec<u32>>,
    /// How many of the last step's samples have one of those.
    pub prompts_shared: u64,
    /// The sample that could not be made: its template, its index, and why.
    error: Option<(usize, u64, Why)>,
}

impl<'a> Samples<'a> {
    /// In the order of a mixture, which may change between two steps.
    pub fn new(
        setup: &'a Setup,
        group: &'a Group,
        mixture: &'a RefCell<Mixture>,
        held_out: &'a HashSet<Vec<u32>>,
    ) -> Samples<'a> {
        let (rows, shots) = (setup.dataset.rows(), setup.shots(Split::Train));
        Samples { setup, group, mixture, rows, shots, held_out, prompts_shared: 0, error: None }
    }

    /// This process's share of the samples of the step after `steps_done` steps.
    pub fn of_step(&mut self, steps_done: u64) -> Result<Vec<Example>> {
        let count = self.setup.samples_of_a_step();
        self.prompts_shared = 0;
        let share = self.group.share(steps_done * count..(steps_done + 1) * count);
        let order =
            self.mixture.borrow().order(Split::Train, steps_done).map_err(anyhow::Error::msg)?;
        share.map(|index| self.example(order.template(index), index)).collect()
    }

    fn example(&mut self, template: usize, index: u64) -> Result<Example> {
        let encoded = match self.rows.row(template, index) {
            Ok(encoded) => encoded,
            Err(why) => {
                self.error = Some((template, index, why));
                bail!("sample {index} cannot be made");
            }
        };
        let prompt = &encoded.ids[..encoded.reply_start];
        self.prompts_shared += u64::from(self.held_out.contains(prompt));
        let is_checked = index.is_multiple_of(CHECKED);
        let alone = (self.setup.recipe.data.shots == 0 && !is_checked).then(|| encoded.clone());
        let memory = self.rows.memory(template);
        let made = match alone {
            Some(encoded) => Ok(encoded),
            None => self.shots.before(template, index, memory, is_checked),
        };
        let Encoded { mut ids, reply_start } = match made {
            Ok(encoded) => encoded,
            Err((shot, why)) => {
                self.error = Some((template, shot, why));
                bail!("sample {shot} cannot be made");
            }
        };
        ids.extend_from_slice(&self.setup.closing);
        let loss = (0..ids.len()).map(|at| at >= reply_start).collect();
        Ok(Example { ids, loss })
    }

    /// The failure of a sample that could not be made, if there was one.
    pub fn failure(&self) -> Option<Error> {
        let error = self.error.clone();
        error.map(|(part, index, why)| self.setup.sample_error(part, index, why))
    }
}

/// Where a sample of a template comes from, and its text.
pub fn described(setup: &Setup, template: usize, index: u64) -> String {
    let seed = setup.recipe.data.seed;
    let part = &setup.dataset.parts[template];
    let (sampler, program) = (&part.sampler, part.sampler.program());
    let mut memory = sampler.memory(Split::Train, seed);
    let text = match sampler.sample(&mut memory, index) {
        Ok(()) => {
            let writer = TextWriter::new(program, sampler.vocabulary().clone(), Escape::None);
            let [prompt, reply] = [Text::Prompt, Text::Reply].map(|one| writer.text(one, &memory));
            format!("{prompt} {reply}")
        }
        Err(_) => String::new(),
    };
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() { " …" } else { "" };
    let (name, level) = (&program.name, sampler.level());
    format!("sample {index} of {name} (level {level}, seed {seed}):\n{shown}{more}")
}
