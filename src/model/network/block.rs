//! One block: attention, then the feed-forward network, forwards and backwards.

use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};

use crate::model::config::{Config, Projection};
use crate::model::network::gradients::Gradients;
use crate::model::network::linear::{self, Linear, Low};
use crate::model::network::parameter::Parameter;
use crate::ops::{self, Angles, Attended, Attention, Visible};

/// Attention, then the feed-forward network, each added to the stream.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) attention_norm: Parameter,
    pub(crate) head_norms: Option<HeadNorms>,
    pub(crate) feed_norm: Parameter,
    /// In the order of [`Projection::ALL`].
    pub(crate) linears: [Linear; 7],
    /// How many tokens a token sees, itself included; None for all.
    pub(crate) window: Option<usize>,
}

/// Norms `[head_dim]` of each head's query and key, before they are turned.
#[derive(Clone, Debug)]
pub(crate) struct HeadNorms {
    pub(crate) query: Parameter,
    pub(crate) key: Parameter,
}

/// What the backward pass of a block needs of its forward pass, beside the block's input. Norms and
/// the feed-forward network's product are computed again: they cost little, and take much room.
pub(crate) struct Saved {
    heads: Heads,
    attended: Attended,
    low_out: Low,
    middle: Tensor,
    feed: Option<Feed>,
}

/// Queries, keys and values `[batch, heads, …, head_dim]`, turned.
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

/// Keys and values of a block for the columns read so far, `[batch, key heads, room, head_dim]`.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    keys: Tensor,
    values: Tensor,
}

/// What all blocks share in one pass.
pub(crate) struct Pass<'a> {
    pub(crate) config: &'a Config,
    pub(crate) visible: Visible,
    /// The same for the blocks that have a window.
    pub(crate) near: Option<Visible>,
    pub(crate) angles: Angles,
    /// The key of the adapters' dropout, in training.
    pub(crate) dropout: Option<u64>,
}

impl Block {
    /// The stream `x` through the block. With a cache, its columns are seen, and those of `x` are
    /// added to it. With `places`, only those rows of `x` go on behind attention, and come out.
    /// Without `keep_feed` the inner part of the feed-forward network is not kept.
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
            let column = pass.visible.columns - pass.visible.time;
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
        Ok((y, Saved { heads, attended, low_out, middle, feed }))
    }

    /// From the gradient `dy` of the block's result to that of its input `x`.
    pub(crate) fn backward(
        &self,
        x: &Tensor,
        saved: Saved,
        dy: &Tensor,
        pass: &Pass,
        places: Option<&Tensor>,
        gradients: &mut Gradients,
    ) -> Result<Tensor> {
        let Saved { heads, attended, low_out, middle, feed } = saved;
        let feed = match feed {
            Some(feed) => feed,
            None => self.feed_forward(&middle, pass)?.1,
        };
        let dmiddle = self.feed_backward(&middle, &feed, dy, pass, gradients)?;
        drop((middle, feed));

        let out = select(&attended.out, places)?;
        let dys = std::slice::from_ref(&dmiddle);
        let dout = linear::backward(
            &[self.linear(Projection::Output)],
            &out,
            &low_out,
            dys,
            pass.dropout,
            gradients,
        )?;
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
            dys[0] = norm_heads_backward(&norms.query, query, pass, &dys[0], gradients)?;
            dys[1] = norm_heads_backward(&norms.key, key, pass, &dys[1], gradients)?;
        }
        let eps = pass.config.rms_norm_eps;
        let normed = ops::rms_norm(x, &self.attention_norm.value, eps)?;
        let linears = self.attention_linears();
        let dnormed =
            linear::backward(&linears, &normed, &heads.low, &dys, pass.dropout, gradients)?;
        norm_backward(&self.attention_norm, x, eps, &dnormed, Some(&dmiddle), gradients)
    }

    fn heads(&self, x: &Tensor, pass: &Pass) -> Result<Heads> {
        let (config, batch) = (pass.config, pass.visible.batch);
        let (heads, groups) = (config.num_attention_heads, config.num_key_value_heads);
        let normed = ops::rms_norm(x, &self.attention_norm.value, config.rms_norm_eps)?;
        let (results, low) =
            linear::forward(&self.attention_linears(), &normed, None, pass.dropout)?;
        let [mut query, mut key, value]: [Tensor; 3] =
            results.try_into().ok().context("three linears have three results")?;
        let mut unnormed = None;
        if let Some(norms) = &self.head_norms {
            let normed =
                [norm_heads(&norms.query, &query, pass)?, norm_heads(&norms.key, &key, pass)?];
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
        let visible = near.unwrap_or(&pass.visible);
        // Scores are divided by the root of a head's width.
        let scale = 1.0 / (pass.config.head_dim as f32).sqrt();
        Attention { query, key, value, visible, scale }
    }

    fn feed_forward(&self, middle: &Tensor, pass: &Pass) -> Result<(Tensor, Feed)> {
        let normed = ops::rms_norm(middle, &self.feed_norm.value, pass.config.rms_norm_eps)?;
        let (mut results, low) =
            linear::forward(&self.feed_linears(), &normed, None, pass.dropout)?;
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
        let dproduct = linear::backward(
            &[self.linear(Projection::Down)],
            &product,
            low_down,
            dys,
            pass.dropout,
            gradients,
        )?;
        drop(product);
        let dys = ops::swiglu_backward(gate, up, &dproduct)?;
        let eps = pass.config.rms_norm_eps;
        let normed = ops::rms_norm(middle, &self.feed_norm.value, eps)?;
        let dnormed =
            linear::backward(&self.feed_linears(), &normed, low, &dys, pass.dropout, gradients)?;
        norm_backward(&self.feed_norm, middle, eps, &dnormed, Some(dy), gradients)
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
}

/// Those rows of `x`, or all.
fn select(x: &Tensor, places: Option<&Tensor>) -> Result<Tensor> {
    places.map_or(Ok(x.clone()), |places| Ok(x.index_select(places, 0)?))
}

/// The gradient of what `select` was given, from that of what it gave.
fn spread(dy: Tensor, x: &Tensor, places: Option<&Tensor>) -> Result<Tensor> {
    places.map_or(Ok(dy.clone()), |places| Ok(x.zeros_like()?.index_add(places, &dy, 0)?))
}

/// The result of one linear, added to the stream.
fn onto(
    linear: &Linear,
    x: &Tensor,
    stream: &Tensor,
    dropout: Option<u64>,
) -> Result<(Tensor, Low)> {
    let (mut results, low) = linear::forward(&[linear], x, Some(stream), dropout)?;
    Ok((results.pop().context("a linear has a result")?, low))
}

/// The norm of each head of `x` `[tokens, heads × head_dim]`.
fn norm_heads(norm: &Parameter, x: &Tensor, pass: &Pass) -> Result<Tensor> {
    let heads = x.reshape(((), pass.config.head_dim))?;
    let normed = ops::rms_norm(&heads, &norm.value, pass.config.rms_norm_eps)?;
    Ok(normed.reshape(x.shape())?)
}

/// From the gradient of [`norm_heads`]'s result to that of `x`.
fn norm_heads_backward(
    norm: &Parameter,
    x: &Tensor,
    pass: &Pass,
    dy: &Tensor,
    gradients: &mut Gradients,
) -> Result<Tensor> {
    let heads = ((), pass.config.head_dim);
    let (rows, dy) = (x.reshape(heads)?, dy.reshape(heads)?);
    let dx = norm_backward(norm, &rows, pass.config.rms_norm_eps, &dy, None, gradients)?;
    Ok(dx.reshape(x.shape())?)
}

/// The gradient of a norm's input, added to `onto`; the norm gets its own where weights learn.
pub(crate) fn norm_backward(
    norm: &Parameter,
    x: &Tensor,
    eps: f64,
    dy: &Tensor,
    onto: Option<&Tensor>,
    gradients: &mut Gradients,
) -> Result<Tensor> {
    if gradients.of_weights {
        gradients.add(&norm.name, &ops::rms_norm_dweight(x, eps, dy)?)?;
    }
    ops::rms_norm_backward(x, &norm.value, eps, dy, onto)
}
