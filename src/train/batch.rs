//! Samples to rectangles of ids, each small enough to go through the model at once.

use anyhow::{Result, ensure};

use crate::model::Inputs;

/// One sample as ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Prompt, reply and end.
    pub ids: Vec<u32>,
    /// `loss[t]`: whether `ids[t]` is a target, to be predicted from those before it.
    pub loss: Vec<bool>,
}

impl Example {
    /// A prompt that is read and a reply that is learnt.
    pub fn new(prompt: &[u32], reply: &[u32]) -> Example {
        let ids = [prompt, reply].concat();
        let loss = (0..ids.len()).map(|t| t >= prompt.len()).collect();
        Example { ids, loss }
    }

    /// Number of ids that the model reads: those before the last target.
    fn width(&self) -> usize {
        self.loss.iter().rposition(|&target| target).unwrap_or(0)
    }
}

/// What goes through the model at once.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Rows filled up on the right; causality hides the filling.
    pub inputs: Inputs,
    /// A place in the rectangle, and the id that follows there.
    pub labels: Vec<(u32, u32)>,
}

/// Samples of like length side by side, as many as `places_max` allows, but at least one.
pub fn passes(examples: &[Example], places_max: usize, tokens_max: usize) -> Result<Vec<Pass>> {
    for (index, example) in examples.iter().enumerate() {
        let (ids, marks) = (example.ids.len(), example.loss.len());
        ensure!(ids == marks, "sample {index} has {ids} ids but {marks} marks of targets");
        ensure!(
            ids <= tokens_max,
            "sample {index} has {ids} tokens, and the model was made for {tokens_max}"
        );
        ensure!(
            example.loss.first() != Some(&true),
            "sample {index}: its first token is a target, with nothing before it to see"
        );
    }
    let mut ordered: Vec<&Example> = examples.iter().filter(|e| e.width() > 0).collect();
    ordered.sort_by_key(|example| example.width());
    let mut groups: Vec<Vec<&Example>> = Vec::new();
    for example in ordered {
        let fits = |group: &&mut Vec<_>| (group.len() + 1) * example.width() <= places_max;
        match groups.last_mut().filter(fits) {
            Some(group) => group.push(example),
            None => groups.push(vec![example]),
        }
    }
    Ok(groups.iter().map(|group| pass(group)).collect())
}

fn pass(examples: &[&Example]) -> Pass {
    let batch = examples.len();
    let time = examples.iter().map(|example| example.width()).max().unwrap_or(0);
    let mut ids = vec![0; batch * time];
    let mut start = vec![0; batch * time];
    let mut labels = Vec::new();
    for (row, example) in examples.iter().enumerate() {
        let (first, width) = (row * time, example.width());
        ids[first..first + width].copy_from_slice(&example.ids[..width]);
        for column in width..time {
            // Filling looks at itself alone, which costs least.
            start[first + column] = column as u32;
        }
        let targets = (1..=width).filter(|&t| example.loss[t]);
        labels.extend(targets.map(|t| ((first + t - 1) as u32, example.ids[t])));
    }
    Pass { inputs: Inputs { batch, time, ids, start }, labels }
}
