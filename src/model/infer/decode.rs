//! Greedy decoding of a batch of prompts, with a KV cache.

use std::fmt;

use anyhow::{Result, ensure};
use candle_core::{DType, Tensor};

use crate::model::each_part;
use crate::model::infer::ends::Ends;
use crate::model::network::block::Cache;
use crate::model::network::transformer::{Inputs, Model};
use crate::model::walk;
use crate::ops::Branches;

/// Tokens of one batch, padding included; bounds the memory of its KV caches.
const PLACES_MAX: usize = 8192;
/// Tokens of the prompts that are read at once: what a layer makes of them stays in the caches.
const READ_MAX: usize = 512;

/// The error of a model whose logits are no numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoNumbers {
    /// After which of the prompts.
    pub prompt: usize,
}

impl fmt::Display for NoNumbers {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let NoNumbers { prompt } = self;
        write!(
            f,
            "the model's logits after prompt {prompt} are no numbers; compute in f32, or look at \
             the loss of its training"
        )
    }
}

impl std::error::Error for NoNumbers {}

/// The most likely reply to each prompt, in the order of the prompts: ids up to one of `stop`,
/// which is left out, or `tokens_max` of them. A reply does not depend on the rest of the
/// batch.
///
/// # Errors
/// If a prompt is empty or has an unknown id, or a prompt and its reply are longer than the model
/// was made for; [`NoNumbers`].
pub fn greedy(
    model: &Model,
    prompts: &[Vec<u32>],
    stop: &[u32],
    tokens_max: usize,
) -> Result<Vec<Vec<u32>>> {
    greedy_until(model, prompts, &Ends::of(stop), tokens_max)
}

/// The same up to one of the ends, which may have several ids.
///
/// # Errors
/// If a prompt is empty or has an unknown id, or a prompt and its reply are longer than the model
/// was made for; [`NoNumbers`].
pub fn greedy_until(
    model: &Model,
    prompts: &[Vec<u32>],
    ends: &Ends,
    tokens_max: usize,
) -> Result<Vec<Vec<u32>>> {
    for prompt in prompts {
        let tokens = prompt.len() + tokens_max;
        ensure!(!prompt.is_empty(), "a prompt has no tokens");
        ensure!(
            tokens <= model.config.tokens_max(),
            "a prompt and its reply take {tokens} tokens; the model was made for {}",
            model.config.tokens_max()
        );
    }
    let batches = batches(prompts, tokens_max);
    let model = walk::to_infer(model)?;
    let reply = |batch: &Vec<usize>| -> Result<Vec<Vec<u32>>> {
        let prompts: Vec<&[u32]> = batch.iter().map(|&i| prompts[i].as_slice()).collect();
        let replies = reply_batch(&model, &prompts, ends, tokens_max);
        replies.map_err(|error| match error.downcast_ref() {
            Some(NoNumbers { prompt }) => NoNumbers { prompt: batch[*prompt] }.into(),
            None => error,
        })
    };
    let parts: Result<Vec<_>> = each_part(&model.device, &batches, reply).into_iter().collect();
    let mut replies = vec![Vec::new(); prompts.len()];
    for (index, reply) in batches.iter().flatten().zip(parts?.into_iter().flatten()) {
        replies[*index] = reply;
    }
    Ok(replies)
}

/// Prompts of like length together: as few batches as the places allow, but one a thread, each with
/// about as much work as any other.
fn batches(prompts: &[Vec<u32>], tokens_max: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..prompts.len()).collect();
    order.sort_by_key(|&i| prompts[i].len());
    let places = |i: usize| prompts[i].len() + tokens_max;
    let all: usize = order.iter().map(|&i| places(i)).sum();
    let threads = rayon::current_num_threads();
    let count = all.div_ceil(PLACES_MAX).next_multiple_of(threads).min(prompts.len()).max(1);
    let share = all.div_ceil(count);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for index in order {
        // Padded to the longest, which comes last.
        let is_full = |batch: &Vec<usize>| (batch.len() + 1) * places(index) > PLACES_MAX;
        match batches.last_mut().filter(|batch| room > 0 && !is_full(batch)) {
            Some(batch) => batch.push(index),
            None => {
                batches.push(vec![index]);
                room = share;
            }
        }
        room = room.saturating_sub(places(index));
    }
    batches
}

fn reply_batch(
    model: &Model,
    prompts: &[&[u32]],
    ends: &Ends,
    tokens_max: usize,
) -> Result<Vec<Vec<u32>>> {
    let mut replies: Vec<Vec<u32>> = vec![Vec::new(); prompts.len()];
    let (inputs, starts) = pad_left(prompts);
    let time = inputs.time;
    let caches = caches(model, prompts.len(), time + tokens_max)?;
    let next = read(model, &inputs, &caches)?;
    let row = |(reply, (start, next))| Row { reply, start, next, grows: true };
    let rows = (0..).zip(starts.into_iter().zip(next)).map(row).collect();
    let mut batch = Batch { rows, caches };
    for made in 0..tokens_max {
        for row in batch.rows.iter_mut().filter(|row| row.grows) {
            let reply = &mut replies[row.reply];
            reply.push(row.next);
            if let Some(length) = ends.cut(reply).map(<[u32]>::len) {
                reply.truncate(length);
                row.grows = false;
            }
        }
        let growing = batch.rows.iter().filter(|row| row.grows).count();
        if made + 1 == tokens_max || growing == 0 {
            break;
        }
        if growing * 8 <= batch.rows.len() * 7 {
            batch.keep_growing(model)?;
        }
        let (ids, start) = batch.rows.iter().map(|row| (row.next, row.start)).unzip();
        let batch_size = batch.rows.len();
        let inputs =
            Inputs { batch: batch_size, time: 1, ids, start, branches: Branches::default() };
        let of = |row: usize| batch.rows[row].reply;
        let next = next_ids(model, &inputs, time + made, &batch.caches, &of)?;
        batch.rows.iter_mut().zip(next).for_each(|(row, next)| row.next = next);
    }
    Ok(replies)
}

/// Replies that grow together.
struct Batch {
    rows: Vec<Row>,
    caches: Vec<Cache>,
}

/// A row of a batch.
struct Row {
    /// Which reply it is.
    reply: usize,
    /// The column where its prompt begins.
    start: u32,
    /// The id that is most likely next.
    next: u32,
    /// Whether the reply has not ended.
    grows: bool,
}

impl Batch {
    /// Drops the rows that have ended, and copies what the caches have of the others.
    fn keep_growing(&mut self, model: &Model) -> Result<()> {
        let growing = (0..).zip(&self.rows).filter(|(_, row)| row.grows);
        let growing: Vec<u32> = growing.map(|(at, _)| at).collect();
        let growing = Tensor::new(growing, &model.device)?;
        for cache in &mut self.caches {
            *cache = cache.rows(&growing)?;
        }
        self.rows.retain(|row| row.grows);
        Ok(())
    }
}

/// Reads the prompts into the caches, some rows at a time; returns the most likely id after each.
fn read(model: &Model, inputs: &Inputs, caches: &[Cache]) -> Result<Vec<u32>> {
    let time = inputs.time;
    let mut next = Vec::with_capacity(inputs.batch);
    let some = (READ_MAX / time).max(1);
    for first in (0..inputs.batch).step_by(some) {
        let batch = some.min(inputs.batch - first);
        let places = first * time..(first + batch) * time;
        let caches: Vec<Cache> =
            caches.iter().map(|cache| cache.narrow(first, batch)).collect::<Result<_>>()?;
        let (ids, start) = (inputs.ids[places.clone()].to_vec(), inputs.start[places].to_vec());
        let inputs = Inputs { batch, time, ids, start, branches: Branches::default() };
        next.extend(next_ids(model, &inputs, 0, &caches, &|row| first + row)?);
    }
    Ok(next)
}

/// A KV cache per block, with room for that number of columns of each row.
pub(crate) fn caches(model: &Model, batch: usize, room: usize) -> Result<Vec<Cache>> {
    let cache = |_| Cache::new(&model.config, (batch, room), model.dtype(), &model.device);
    (0..model.blocks.len()).map(cache).collect()
}

/// The most likely id after each row, which is of that prompt.
fn next_ids(
    model: &Model,
    inputs: &Inputs,
    past: usize,
    caches: &[Cache],
    prompt: &dyn Fn(usize) -> usize,
) -> Result<Vec<u32>> {
    let normed = model.final_norm(&last(model, inputs, past, caches)?)?;
    // One that is no finite number makes logits that are no numbers, and every comparison false.
    let rows = normed.to_dtype(DType::F32)?.to_vec2::<f32>()?;
    if let Some(row) = rows.iter().position(|row| row.iter().any(|one| !one.is_finite())) {
        return Err(NoNumbers { prompt: prompt(row) }.into());
    }
    model.most_likely(&normed)
}

/// Logits `[batch, vocab_size]` of what comes after each row.
pub(crate) fn last_logits(
    model: &Model,
    inputs: &Inputs,
    past: usize,
    caches: &[Cache],
) -> Result<Tensor> {
    Ok(model.head(&model.final_norm(&last(model, inputs, past, caches)?)?)?.0)
}

/// The stream at the end of each row.
fn last(model: &Model, inputs: &Inputs, past: usize, caches: &[Cache]) -> Result<Tensor> {
    let last: Vec<u32> = (1..=inputs.batch).map(|row| (row * inputs.time - 1) as u32).collect();
    let last = Tensor::new(last, &model.device)?;
    model.hidden(inputs, past, Some(caches), Some(&last))
}

/// All prompts end in the last column. Padding attends only to itself, and nothing attends to it.
fn pad_left(prompts: &[&[u32]]) -> (Inputs, Vec<u32>) {
    let (batch, time) = (prompts.len(), prompts.iter().map(|p| p.len()).max().unwrap_or(0));
    let mut ids = vec![0; batch * time];
    let mut start = Vec::with_capacity(batch * time);
    let mut starts = Vec::with_capacity(batch);
    for (row, prompt) in prompts.iter().enumerate() {
        let padding = time - prompt.len();
        ids[row * time + padding..(row + 1) * time].copy_from_slice(prompt);
        start.extend((0..time).map(|column| column.min(padding) as u32));
        starts.push(padding as u32);
    }
    (Inputs { batch, time, ids, start, branches: Branches::default() }, starts)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::model::{Config, weights};

    #[test]
    fn a_prompt_whose_logits_are_no_numbers_is_named() -> Result<()> {
        let mut model = weights::fresh(&Config::small(40, 24, 28, 2, 4), 1, 0.2, &Device::Cpu)?;
        let prompts = [vec![1, 2, 3], vec![4], vec![5, 6]];
        assert_eq!(greedy(&model, &prompts, &[], 2)?.len(), 3);
        let table = model.embedding.value.to_vec2::<f32>()?;
        let row = |(id, row): (usize, &Vec<f32>)| match id {
            4 => vec![f32::NAN; row.len()],
            _ => row.clone(),
        };
        let table: Vec<Vec<f32>> = table.iter().enumerate().map(row).collect();
        model.embedding.value = Tensor::new(table, &Device::Cpu)?;
        let error = greedy(&model, &prompts, &[], 2).expect_err("logits that are no numbers");
        assert_eq!(error.downcast_ref(), Some(&NoNumbers { prompt: 1 }), "{error:#}");
        Ok(())
    }
}
