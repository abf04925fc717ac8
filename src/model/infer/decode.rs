//! Greedy replies to a batch of prompts, with keys and values kept between the steps.

use anyhow::{Result, ensure};
use candle_core::{D, Tensor};

use crate::model::each_part;
use crate::model::infer::ends::Ends;
use crate::model::network::block::Cache;
use crate::model::network::transformer::{Inputs, Model};

/// Places of one batch, padding included; bounds what the attention of a batch takes.
const PLACES_MAX: usize = 4096;

/// The most likely reply to each prompt, in the order of the prompts: ids up to one of `stop`,
/// which is left out, or `tokens_max` of them. A reply does not depend on what else is in the
/// batch.
pub fn greedy(
    model: &Model,
    prompts: &[Vec<u32>],
    stop: &[u32],
    tokens_max: usize,
) -> Result<Vec<Vec<u32>>> {
    greedy_until(model, prompts, &Ends::of(stop), tokens_max)
}

/// The same up to one of the ends, which may have several ids.
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
    let reply = |batch: &Vec<usize>| -> Result<Vec<Vec<u32>>> {
        let prompts: Vec<&[u32]> = batch.iter().map(|&i| prompts[i].as_slice()).collect();
        reply_batch(model, &prompts, ends, tokens_max)
    };
    let parts: Result<Vec<_>> = each_part(&model.device, &batches, reply).into_iter().collect();
    let mut replies = vec![Vec::new(); prompts.len()];
    for (index, reply) in batches.iter().flatten().zip(parts?.into_iter().flatten()) {
        replies[*index] = reply;
    }
    Ok(replies)
}

/// Prompts of like length together, as many as the places allow.
fn batches(prompts: &[Vec<u32>], tokens_max: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..prompts.len()).collect();
    order.sort_by_key(|&i| prompts[i].len());
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for index in order {
        let width = prompts[index].len() + tokens_max;
        match batches.last_mut().filter(|batch| (batch.len() + 1) * width <= PLACES_MAX) {
            Some(batch) => batch.push(index),
            None => batches.push(vec![index]),
        }
    }
    batches
}

fn reply_batch(
    model: &Model,
    prompts: &[&[u32]],
    ends: &Ends,
    tokens_max: usize,
) -> Result<Vec<Vec<u32>>> {
    let batch = prompts.len();
    let mut replies: Vec<Vec<u32>> = vec![Vec::new(); batch];
    let mut done = vec![false; batch];
    let (mut inputs, starts) = pad_left(prompts);
    let caches = caches(model, batch, inputs.time + tokens_max)?;
    let mut past = 0;
    for _ in 0..tokens_max {
        let next = next_ids(model, &inputs, past, &caches)?;
        for (row, &id) in next.iter().enumerate() {
            if done[row] {
                continue;
            }
            replies[row].push(id);
            if let Some(reply) = ends.cut(&replies[row]) {
                let length = reply.len();
                replies[row].truncate(length);
                done[row] = true;
            }
        }
        if done.iter().all(|&done| done) {
            break;
        }
        past += inputs.time;
        inputs = Inputs { batch, time: 1, ids: next, start: starts.clone() };
    }
    Ok(replies)
}

/// A cache a block, with room for so many columns of each row.
pub(crate) fn caches(model: &Model, batch: usize, room: usize) -> Result<Vec<Cache>> {
    let cache = |_| Cache::new(&model.config, (batch, room), model.dtype(), &model.device);
    (0..model.blocks.len()).map(cache).collect()
}

/// The most likely id after each row.
fn next_ids(model: &Model, inputs: &Inputs, past: usize, caches: &[Cache]) -> Result<Vec<u32>> {
    let logits = last_logits(model, inputs, past, caches)?;
    Ok(logits.argmax(D::Minus1)?.to_vec1::<u32>()?)
}

/// Logits `[batch, vocab_size]` of what comes after each row.
pub(crate) fn last_logits(
    model: &Model,
    inputs: &Inputs,
    past: usize,
    caches: &[Cache],
) -> Result<Tensor> {
    let last: Vec<u32> = (1..=inputs.batch).map(|row| (row * inputs.time - 1) as u32).collect();
    let last = Tensor::new(last, &model.device)?;
    let x = model.hidden(inputs, past, Some(caches), Some(&last))?;
    Ok(model.head(&model.final_norm(&x)?)?.0)
}

/// All prompts end in the last column. Padding sees only itself, and no one looks at it.
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
    (Inputs { batch, time, ids, start }, starts)
}
