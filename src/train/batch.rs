//! Samples to rectangles of ids, each small enough to go through the model at once.

use std::cmp::Reverse;
use std::ops::Range;

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
    /// A prompt that is read and a reply that is trained on.
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
    /// Rows of samples with right padding; no sample attends to padding or to another sample.
    pub inputs: Inputs,
    /// An index into the padded batch, and the id that follows there.
    pub labels: Vec<(u32, u32)>,
    /// The samples in it.
    pub samples: Vec<Placed>,
}

/// Where a sample is in a padded batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The index of the sample.
    pub sample: usize,
    /// Its tokens, those included that no target follows.
    pub tokens: usize,
    /// The indices of those that the model reads.
    pub places: Range<usize>,
}

/// A sample, and which it is.
type Numbered<'a> = (usize, &'a Example);

/// Samples in padded batches of at most `places_max` tokens, but with at least one row each: packed
/// into rows as long as the longest sample, or one a row beside samples of like length. A sample
/// is cut in neither, attends to no other, and has positions from 0 on.
///
/// # Errors
/// If a sample has more tokens than `tokens_max`, marks for other ids than it has, or a target
/// without a token before it.
pub fn passes(
    examples: &[Example],
    places_max: usize,
    tokens_max: usize,
    packing: bool,
) -> Result<Vec<Pass>> {
    for (index, example) in examples.iter().enumerate() {
        check(index, example, tokens_max)?;
    }
    let mut ordered: Vec<Numbered> =
        examples.iter().enumerate().filter(|(_, example)| example.width() > 0).collect();
    // The sort is stable, and so the same examples always make the same batches.
    ordered.sort_by_key(|(_, example)| Reverse(example.width()));
    let rows = match packing {
        true => packed(&ordered),
        false => ordered.into_iter().map(|example| vec![example]).collect(),
    };
    Ok(rectangles(&rows, places_max))
}

fn check(index: usize, example: &Example, tokens_max: usize) -> Result<()> {
    let (ids, marks) = (example.ids.len(), example.loss.len());
    ensure!(ids == marks, "sample {index} has {ids} ids but {marks} marks of targets");
    ensure!(
        ids <= tokens_max,
        "sample {index} has {ids} tokens, and the model was made for {tokens_max}"
    );
    ensure!(
        example.loss.first() != Some(&true),
        "sample {index}: its first token is a target, without a token before it"
    );
    Ok(())
}

/// Rows no longer than the longest sample, each filled with the first samples that fit; `ordered`
/// begins with the longest (first-fit decreasing, at most 11/9 of the fewest rows and one more:
/// Johnson 1973). Longer rows would cost more: attention's products grow with a row's square.
fn packed<'a>(ordered: &[Numbered<'a>]) -> Vec<Vec<Numbered<'a>>> {
    let longest = ordered.first().map_or(0, |(_, example)| example.width());
    let mut rows: Vec<(usize, Vec<Numbered>)> = Vec::new();
    for &(number, example) in ordered {
        let fits = |row: &&mut (usize, Vec<_>)| row.0 + example.width() <= longest;
        match rows.iter_mut().find(fits) {
            Some((width, row)) => {
                *width += example.width();
                row.push((number, example));
            }
            None => rows.push((example.width(), vec![(number, example)])),
        }
    }
    rows.sort_by_key(|(width, _)| Reverse(*width));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Rows, the longest first, side by side in rectangles.
fn rectangles(rows: &[Vec<Numbered>], places_max: usize) -> Vec<Pass> {
    let mut passes = Vec::new();
    let mut rest = rows;
    while let Some(longest) = rest.first() {
        let count = (places_max / width(longest)).clamp(1, rest.len());
        let (now, later) = rest.split_at(count);
        passes.push(pass(now));
        rest = later;
    }
    passes
}

fn width(row: &[Numbered]) -> usize {
    row.iter().map(|(_, example)| example.width()).sum()
}

fn pass(rows: &[Vec<Numbered>]) -> Pass {
    let batch = rows.len();
    let time = rows.iter().map(|row| width(row)).max().unwrap_or(0);
    let mut ids = vec![0; batch * time];
    let mut start = vec![0; batch * time];
    let (mut labels, mut samples) = (Vec::new(), Vec::new());
    for (number, row) in rows.iter().enumerate() {
        let mut column = 0;
        for &(sample, example) in row {
            let (first, width) = (number * time + column, example.width());
            ids[first..first + width].copy_from_slice(&example.ids[..width]);
            start[first..first + width].fill(column as u32);
            let targets = (1..=width).filter(|&t| example.loss[t]);
            labels.extend(targets.map(|t| ((first + t - 1) as u32, example.ids[t])));
            let places = first..first + width;
            samples.push(Placed { sample, tokens: example.ids.len(), places });
            column += width;
        }
        for column in column..time {
            // Filling looks at itself alone, which costs least.
            start[number * time + column] = column as u32;
        }
    }
    Pass {
        inputs: Inputs { batch, time, ids, start, branches: Default::default() },
        labels,
        samples,
    }
}
