//! One block: attention, then the feed-forward network, forwards and backwards.

use anyhow::Result;
use candle_core::Tensor;

use crate::model::config::Config;
use crate::model::gradients::Gradients;
use crate::model::linear::Linear;
use crate::model::ops::{self, Angles, Visible};
use crate::model::parameter::Parameter;

/// Attention, then the feed-forward network, each added to the stream.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) attention_norm: Parameter,
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) head_norms: Option<HeadNorms>,
    pub(crate) output: Linear,
    pub(crate) feed_norm: Parameter,
    pub(crate) gate: Linear,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
    /// How many tokens a token sees, itself included; None for all.
    pub(crate) window: Option<usize>,
}

/// Norms `[head_dim]` of each head's query and key, before they are turned.
#[derive(Clone, Debug)]
pub(crate) struct HeadNorms {
    pub(crate) query: Parameter,
    pub(crate) key: Parameter,
}

/// What the backward pass of a block needs of its forward pass.
pub(crate) struct Saved {
    attention_in: Tensor,
    /// Queries and keys as they were before their norms, where they have some.
    unnormed: Option<[Tensor; 2]>,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    weights: Tensor,
    attended: Tensor,
    middle: Tensor,
    feed_in: Tensor,
    gate: Tensor,
    up: Tensor,
    product: Tensor,
}

/// Keys and values of a block for the columns read so far, `[batch, key heads, columns, head_dim]`.
pub(crate) type Cache = Option<(Tensor, Tensor)>;

/// What all blocks share in one pass.
pub(crate) struct Pass<'a> {
    pub(crate) config: &'a Config,
    pub(crate) visible: Visible,
    /// The same for the blocks that have a window.
    pub(crate) near: Option<Visible>,
    pub(crate) angles: Angles,
}

impl Block {
    /// `x` to the block's result; with a cache that holds columns, they are seen too.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        pass: &Pass,
        cache: &mut Cache,
    ) -> Result<(Tensor, Saved)> {
        let eps = pass.config.rms_norm_eps;
        let attention_in = ops::rms_norm(x, &self.attention_norm.value, eps)?;
        let (query, key, value, unnormed) = self.project(&attention_in, pass, cache)?;
        let visible = pass.visible(self);
        let weights = ops::attention_weights(&query.matmul(&key.t()?)?, visible, pass.scale())?;
        let attended = ops::merge_heads(&pass.ungroup(&weights.matmul(&value)?)?, None)?;
        let middle = ops::sum(&[x, &self.output.forward(&attended)?])?;

        let feed_in = ops::rms_norm(&middle, &self.feed_norm.value, eps)?;
        let gate = self.gate.forward(&feed_in)?;
        let up = self.up.forward(&feed_in)?;
        let product = ops::swiglu(&gate, &up)?;
        let y = ops::sum(&[&middle, &self.down.forward(&product)?])?;
        let saved = Saved {
            attention_in,
            unnormed,
            query,
            key,
            value,
            weights,
            attended,
            middle,
            feed_in,
            gate,
            up,
            product,
        };
        Ok((y, saved))
    }

    /// Queries `[batch, key heads, group × time, head_dim]`, keys and values of all columns, and
    /// what was normed.
    fn project(
        &self,
        x: &Tensor,
        pass: &Pass,
        cache: &mut Cache,
    ) -> Result<(Tensor, Tensor, Tensor, Option<[Tensor; 2]>)> {
        let (config, batch) = (pass.config, pass.visible.batch);
        let (heads, groups) = (config.num_attention_heads, config.num_key_value_heads);
        let angles = Some(&pass.angles);
        let (mut query, mut key) = (self.query.forward(x)?, self.key.forward(x)?);
        let mut unnormed = None;
        if let Some(norms) = &self.head_norms {
            let normed =
                [norm_heads(&norms.query, &query, pass)?, norm_heads(&norms.key, &key, pass)?];
            unnormed = Some([query, key]);
            [query, key] = normed;
        }
        let query = ops::split_heads(&query, batch, heads, angles)?;
        let key = ops::split_heads(&key, batch, groups, angles)?;
        let value = ops::split_heads(&self.value.forward(x)?, batch, groups, None)?;
        let (key, value) = match cache.take() {
            Some((keys, values)) => {
                (Tensor::cat(&[&keys, &key], 2)?, Tensor::cat(&[&values, &value], 2)?)
            }
            None => (key, value),
        };
        *cache = Some((key.clone(), value.clone()));
        Ok((pass.group(&query)?, key, value, unnormed))
    }

    /// From the gradient `dy` of the block's result to that of its input `x`.
    pub(crate) fn backward(
        &self,
        x: &Tensor,
        saved: &Saved,
        dy: &Tensor,
        pass: &Pass,
        gradients: &mut Gradients,
    ) -> Result<Tensor> {
        let eps = pass.config.rms_norm_eps;
        let dproduct = self.down.backward(&saved.product, dy, gradients)?;
        let (dgate, dup) = ops::swiglu_backward(&saved.gate, &saved.up, &dproduct)?;
        let dfeed_in = ops::sum(&[
            &self.gate.backward(&saved.feed_in, &dgate, gradients)?,
            &self.up.backward(&saved.feed_in, &dup, gradients)?,
        ])?;
        let dfeed = norm_backward(&self.feed_norm, &saved.middle, eps, &dfeed_in, gradients)?;
        let dmiddle = ops::sum(&[dy, &dfeed])?;

        let dattended = self.output.backward(&saved.attended, &dmiddle, gradients)?;
        let visible = pass.visible(self);
        let [mut dquery, mut dkey, dvalue] = attend_backward(saved, &dattended, visible, pass)?;
        if let (Some(norms), Some([query, key])) = (&self.head_norms, &saved.unnormed) {
            dquery = norm_heads_backward(&norms.query, query, pass, &dquery, gradients)?;
            dkey = norm_heads_backward(&norms.key, key, pass, &dkey, gradients)?;
        }
        let dattention_in = ops::sum(&[
            &self.query.backward(&saved.attention_in, &dquery, gradients)?,
            &self.key.backward(&saved.attention_in, &dkey, gradients)?,
            &self.value.backward(&saved.attention_in, &dvalue, gradients)?,
        ])?;
        let dx = norm_backward(&self.attention_norm, x, eps, &dattention_in, gradients)?;
        ops::sum(&[&dmiddle, &dx])
    }
}

/// From the gradient of what attention gave to those of its three projections.
fn attend_backward(
    saved: &Saved,
    dattended: &Tensor,
    visible: &Visible,
    pass: &Pass,
) -> Result<[Tensor; 3]> {
    let (batch, heads) = (pass.visible.batch, pass.config.num_attention_heads);
    let dattended = pass.group(&ops::split_heads(dattended, batch, heads, None)?)?;
    let dweights = dattended.matmul(&saved.value.t()?)?;
    let dvalue = saved.weights.t()?.matmul(&dattended)?;
    let dscores =
        ops::attention_weights_backward(&saved.weights, &dweights, visible, pass.scale())?;
    let dquery = pass.ungroup(&dscores.matmul(&saved.key)?)?;
    let dkey = dscores.t()?.matmul(&saved.query)?;
    Ok([
        ops::merge_heads(&dquery, Some(&pass.angles))?,
        ops::merge_heads(&dkey, Some(&pass.angles))?,
        ops::merge_heads(&dvalue, None)?,
    ])
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
    let dx = norm_backward(norm, &rows, pass.config.rms_norm_eps, &dy, gradients)?;
    Ok(dx.reshape(x.shape())?)
}

pub(crate) fn norm_backward(
    norm: &Parameter,
    x: &Tensor,
    eps: f64,
    dy: &Tensor,
    gradients: &mut Gradients,
) -> Result<Tensor> {
    let (dx, dweight) = ops::rms_norm_backward(x, &norm.value, eps, dy)?;
    if gradients.of_weights {
        gradients.add(&norm.name, &dweight)?;
    }
    Ok(dx)
}

impl Pass<'_> {
    /// What the tokens see in that block.
    fn visible(&self, block: &Block) -> &Visible {
        let near = self.near.as_ref().filter(|_| block.window.is_some());
        near.unwrap_or(&self.visible)
    }

    /// Scores are divided by the root of a head's width.
    fn scale(&self) -> f64 {
        1.0 / (self.config.head_dim as f64).sqrt()
    }

    /// The query heads that share a key head, one below the other: then one product serves them.
    fn group(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, heads, time, width) = x.dims4()?;
        let groups = self.config.num_key_value_heads;
        Ok(x.reshape((batch, groups, heads / groups * time, width))?)
    }

    fn ungroup(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, _, rows, width) = x.dims4()?;
        let time = self.visible.time;
        let heads = self.config.num_key_value_heads * rows / time;
        Ok(x.reshape((batch, heads, time, width))?)
    }
}
