//! One block: attention, then the feed-forward network, forwards and backwards.

use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};

use crate::model::config::{Config, Projection};
use crate::model::network::gradients::Gradients;
use crate::model::network::linear::{Linear, Low, SharedInput};
use crate::model::network::norm::Norm;
use crate::model::network::parameter::Parameter;
use crate::model::network::weight::Weight;
use crate::ops::{self, Angles, Attended, Attention, Mask};

/// Attention, then the feed-forward network, each added to the stream.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) attention_norm: Parameter,
    pub(crate) head_norms: Option<HeadNorms>,
    pub(crate) feed_norm: Parameter,
    /// In the order of [`Projection::ALL`].
    pub(crate) linears: [Linear; 7],
    /// How many tokens a token attends to, itself included; None for all.
    pub(crate) window: Option<usize>,
}

/// Norms `[head_dim]` of each head's query and key, before they are rotated.
#[derive(Clone, Debug)]
pub(crate) struct HeadNorms {
    pub(crate) query: Parameter,
    pub(crate) key: Parameter,
}

/// What the backward pass of a block needs from its forward pass, beside the block's input. Norms
/// and the feed-forward network's product are recomputed: they cost little time, and much memory.
pub(crate) struct Saved {
    heads: Heads,
    attended: Attended,
    low_out: Low,
    middle: Tensor,
    feed: Option<Feed>,
    /// The rows that went on after attention, where not all did.
    places: Option<Tensor>,
}

/// Queries, keys and values `[batch, heads, …, head_dim]`, rotated.
struct Heads {
    query: Tensor,
    key: Tensor,
    value: Tensor,
    low: Low,
    /// Queries and keys `[tokens, heads × head_dim]` before their norms, where they have some.
    unnormed: Option<[Tensor; 2]>,
}

/// The inner part of the feed-forward network.
struct Feed {
    gate: Tensor,
    up: Tensor,
    low: Low,
    low_down: Low,
}

/// The KV cache of a block for the columns read so far, `[batch, key heads, room, head_dim]`.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    keys: Tensor,
    values: Tensor,
}

/// What all blocks share in one pass.
pub(crate) struct Pass<'a> {
    pub(crate) config: &'a Config,
    pub(crate) mask: Mask,
    /// The same for the blocks that have a window.
    pub(crate) near: Option<Mask>,
    pub(crate) angles: Angles,
    /// The key of the adapters' dropout, in training.
    pub(crate) dropout: Option<u64>,
    /// Whether attention rounds to bf16, as the linears do: never in training.
    pub(crate) rounds: bool,
}

impl Pass<'_> {
    fn norm<'b>(&self, gain: &'b Parameter) -> Norm<'b> {
        Norm::of(gain, self.config)
    }

    fn through<'b>(&self, linears: &'b [&'b Linear]) -> SharedInput<'b> {
        SharedInput { linears, dropout: self.dropout }
    }
}

impl Block {
    /// The stream `x` through the block. With a KV cache, attention includes its columns, and those
    /// of `x` are added to it. With `places`, only those rows of `x` go on after attention, and are
    /// returned. Without `keep_feed` the inner part of the feed-forward network is not kept.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        pass: &Pass,
        cache: Option<&Cache>,
        places: Option<&Tensor>,
        keep_feed: bool,
    ) -> Result<(Tensor, Saved)> {
        let mut heads = self.heads(x, pass)?;
        if let Some(cache) = cache {
            let column = pass.mask.columns - pass.mask.time;
            cache.keys.slice_set(&heads.key, 2, column)?;
            cache.values.slice_set(&heads.value, 2, column)?;
            (heads.key, heads.value) = (cache.keys.clone(), cache.values.clone());
        }
        let attended = ops::attention(&self.attention(&heads, pass))?;
        let out = select(&attended.out, places)?;
        let (middle, low_out) =
            onto(self.linear(Projection::Output), &out, &select(x, places)?, pass.dropout)?;
        let (y, feed) = self.feed_forward(&middle, pass)?;
        let feed = keep_feed.then_some(feed);
        let places = places.cloned();
        Ok((y, Saved { heads, attended, low_out, middle, feed, places }))
    }

    /// From the gradient `dy` of the block's result to that of its input `x`.
    pub(crate) fn backward(
        &self,
        x: &Tensor,
        saved: Saved,
        dy: &Tensor,
        pass: &Pass,
        gradients: &mut Gradients,
    ) -> Result<Tensor> {
        let Saved { heads, attended, low_out, middle, feed, places } = saved;
        let places = places.as_ref();
        let feed = match feed {
            Some(feed) => feed,
            None => self.feed_forward(&middle, pass)?.1,
        };
        let dmiddle = self.feed_backward(&middle, &feed, dy, pass, gradients)?;
        drop((middle, feed));

        let out = select(&attended.out, places)?;
        let dys = std::slice::from_ref(&dmiddle);
        let output = [self.linear(Projection::Output)];
        let dout = pass.through(&output).backward(&out, &low_out, dys, gradients)?;
        let (dout, dmiddle) = (spread(dout, &attended.out, places)?, spread(dmiddle, x, places)?);
        let [dquery, dkey, dvalue] =
            ops::attention_backward(&self.attention(&heads, pass), &attended, &dout)?;
        let angles = Some(&pass.angles);
        let mut dys = [
            ops::merge_heads(&dquery, angles)?,
            ops::merge_heads(&dkey, angles)?,
            ops::merge_heads(&dvalue, None)?,
        ];
        if let (Some(norms), Some([query, key])) = (&self.head_norms, &heads.unnormed) {
            dys[0] = pass.norm(&norms.query).backward_heads(query, &dys[0], gradients)?;
            dys[1] = pass.norm(&norms.key).backward_heads(key, &dys[1], gradients)?;
        }
        let norm = pass.norm(&self.attention_norm);
        let linears = self.attention_linears();
        let dnormed =
            pass.through(&linears).backward(&norm.forward(x)?, &heads.low, &dys, gradients)?;
        norm.backward(x, &dnormed, Some(&dmiddle), gradients)
    }

    fn heads(&self, x: &Tensor, pass: &Pass) -> Result<Heads> {
        let (config, batch) = (pass.config, pass.mask.batch);
        let (heads, groups) = (config.num_attention_heads, config.num_key_value_heads);
        let normed = pass.norm(&self.attention_norm).forward(x)?;
        let (results, low) = pass.through(&self.attention_linears()).forward(&normed, None)?;
        let [mut query, mut key, value]: [Tensor; 3] =
            results.try_into().ok().context("three linears have three results")?;
        let mut unnormed = None;
        if let Some(norms) = &self.head_norms {
            let (of_query, of_key) = (pass.norm(&norms.query), pass.norm(&norms.key));
            let normed = [of_query.forward_heads(&query)?, of_key.forward_heads(&key)?];
            unnormed = Some([query, key]);
            [query, key] = normed;
        }
        let angles = Some(&pass.angles);
        let query = ops::split_heads(&query, batch, heads, angles)?;
        let key = ops::split_heads(&key, batch, groups, angles)?;
        let value = ops::split_heads(&value, batch, groups, None)?;
        Ok(Heads { query, key, value, low, unnormed })
    }

    fn attention<'a>(&self, heads: &'a Heads, pass: &'a Pass) -> Attention<'a> {
        let Heads { query, key, value, .. } = heads;
        let near = pass.near.as_ref().filter(|_| self.window.is_some());
        let mask = near.unwrap_or(&pass.mask);
        // Scores are divided by the root of a head's width.
        let scale = 1.0 / (pass.config.head_dim as f32).sqrt();
        Attention { query, key, value, mask, scale, rounds: pass.rounds }
    }

    fn feed_forward(&self, middle: &Tensor, pass: &Pass) -> Result<(Tensor, Feed)> {
        let normed = pass.norm(&self.feed_norm).forward(middle)?;
        let (mut results, low) = pass.through(&self.feed_linears()).forward(&normed, None)?;
        let (up, gate) = (results.pop(), results.pop());
        let (gate, up) = (gate.context("a gate")?, up.context("an up")?);
        let (y, low_down) =
            onto(self.linear(Projection::Down), &ops::swiglu(&gate, &up)?, middle, pass.dropout)?;
        Ok((y, Feed { gate, up, low, low_down }))
    }

    /// The gradient of `middle`, from that of the block's result.
    fn feed_backward(
        &self,
        middle: &Tensor,
        feed: &Feed,
        dy: &Tensor,
        pass: &Pass,
        gradients: &mut Gradients,
    ) -> Result<Tensor> {
        let Feed { gate, up, low, low_down } = feed;
        let product = ops::swiglu(gate, up)?;
        let dys = std::slice::from_ref(dy);
        let down = [self.linear(Projection::Down)];
        let dproduct = pass.through(&down).backward(&product, low_down, dys, gradients)?;
        drop(product);
        let dys = ops::swiglu_backward(gate, up, &dproduct)?;
        let norm = pass.norm(&self.feed_norm);
        let linears = self.feed_linears();
        let dnormed =
            pass.through(&linears).backward(&norm.forward(middle)?, low, &dys, gradients)?;
        norm.backward(middle, &dnormed, Some(dy), gradients)
    }

    fn attention_linears(&self) -> [&Linear; 3] {
        [Projection::Query, Projection::Key, Projection::Value].map(|one| self.linear(one))
    }

    fn feed_linears(&self) -> [&Linear; 2] {
        [Projection::Gate, Projection::Up].map(|one| self.linear(one))
    }

    /// One of the seven.
    pub(crate) fn linear(&self, projection: Projection) -> &Linear {
        &self.linears[projection as usize]
    }

    /// Whether its linears round what they multiply to bf16.
    pub(crate) fn is_rounded(&self) -> bool {
        let weights = self.linears.iter().map(|linear| &linear.weight);
        weights.into_iter().all(|it| matches!(it, Weight::Packed(_, one) if one.is_rounded()))
    }

    /// Its norms, and its linears.
    pub(crate) fn parts(&self) -> (impl Iterator<Item = &Parameter>, &[Linear; 7]) {
        let heads = self.head_norms.iter().flat_map(|norms| [&norms.query, &norms.key]);
        ([&self.attention_norm, &self.feed_norm].into_iter().chain(heads), &self.linears)
    }

    /// The same, to be changed.
    pub(crate) fn parts_mut(&mut self) -> (impl Iterator<Item = &mut Parameter>, &mut [Linear; 7]) {
        let heads = self.head_norms.iter_mut();
        let heads = heads.flat_map(|norms| [&mut norms.query, &mut norms.key]);
        let norms = [&mut self.attention_norm, &mut self.feed_norm].into_iter().chain(heads);
        (norms, &mut self.linears)
    }
}

impl Cache {
    /// Room for that number of columns of each row, in that type.
    pub(crate) fn new(
        config: &Config,
        (batch, room): (usize, usize),
        dtype: DType,
        device: &Device,
    ) -> Result<Cache> {
        let shape = (batch, config.num_key_value_heads, room, config.head_dim);
        let empty = || Tensor::zeros(shape, dtype, device);
        Ok(Cache { keys: empty()?, values: empty()? })
    }

    /// That of consecutive rows, in the same memory.
    pub(crate) fn narrow(&self, first: usize, count: usize) -> Result<Cache> {
        let some = |of: &Tensor| of.narrow(0, first, count);
        Ok(Cache { keys: some(&self.keys)?, values: some(&self.values)? })
    }

    /// A copy of some rows.
    pub(crate) fn rows(&self, rows: &Tensor) -> Result<Cache> {
        let some = |of: &Tensor| of.index_select(rows, 0);
        Ok(Cache { keys: some(&self.keys)?, values: some(&self.values)? })
    }
}

/// Those rows of `x`, or all.
fn select(x: &Tensor, places: Option<&Tensor>) -> Result<Tensor> {
    places.map_or(Ok(x.clone()), |places| ops::select_rows(x, places))
}

/// The gradient of `select`'s input, from that of its result.
fn spread(dy: Tensor, x: &Tensor, places: Option<&Tensor>) -> Result<Tensor> {
    places.map_or(Ok(dy.clone()), |places| ops::spread_rows(&dy, places, x.dim(0)?))
}

/// The result of one linear, added to the stream.
fn onto(
    linear: &Linear,
    x: &Tensor,
    stream: &Tensor,
    dropout: Option<u64>,
) -> Result<(Tensor, Low)> {
    let (mut results, low) =
        SharedInput { linears: &[linear], dropout }.forward(x, Some(stream))?;
    Ok((results.pop().context("a linear has a result")?, low))
}
