//! A Llama-family transformer in reading order, forwards and backwards.
//!
//! `x` flows through the blocks as `[tokens, hidden_size]`, a token being one place of the
//! rectangle of rows. The backward pass is written out beside the forward pass: what a block
//! keeps is in [`Saved`], and a frozen weight gets no gradient.

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, Tensor};

use crate::model::config::Config;
use crate::model::gradients::Gradients;
use crate::model::linear::Linear;
use crate::model::ops::{self, Angles, Visible};
use crate::model::parameter::Parameter;

/// Logit rows computed at a time for the loss: with 50,000 ids, 200 MB in f32.
const LOGIT_ROWS: usize = 1024;

/// A model in memory.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its shape.
    pub config: Config,
    /// Where it lies.
    pub device: Device,
    pub(crate) embedding: Parameter,
    pub(crate) blocks: Vec<Block>,
    pub(crate) norm: Parameter,
    /// None where the embedding table serves once more.
    pub(crate) head: Option<Linear>,
}

/// A rectangle of token ids. A row's text may be padded on either side, and a row may hold
/// several texts: `start` says where the text of each place begins, and hides all before it.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Rows.
    pub batch: usize,
    /// Places a row.
    pub time: usize,
    /// `[batch × time]`.
    pub ids: Vec<u32>,
    /// `[batch × time]`: the column at which this place's text begins; its position counts from it.
    pub start: Vec<u32>,
}

/// Attention, then the feed-forward network, each added to the stream.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) attention_norm: Parameter,
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) output: Linear,
    pub(crate) feed_norm: Parameter,
    pub(crate) gate: Linear,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
}

/// What the backward pass of a block needs of its forward pass.
struct Saved {
    attention_in: Tensor,
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
struct Pass<'a> {
    config: &'a Config,
    visible: Visible,
    angles: Angles,
}

impl Model {
    /// Logits `[batch × time, vocab_size]` of every place.
    pub fn logits(&self, inputs: &Inputs) -> Result<Tensor> {
        let mut caches = vec![None; self.blocks.len()];
        let x = self.hidden(inputs, 0, &mut caches)?;
        self.head(&self.final_norm(&x)?)
    }

    /// The stream after the last block `[batch × time, hidden_size]`; `past` columns of each row
    /// are in the caches, which grow by `time`.
    pub(crate) fn hidden(
        &self,
        inputs: &Inputs,
        past: usize,
        caches: &mut [Cache],
    ) -> Result<Tensor> {
        let pass = self.pass(inputs, past)?;
        let mut x = self.embed(inputs)?;
        for (block, cache) in self.blocks.iter().zip(caches) {
            x = block.forward(&x, &pass, cache)?.0;
        }
        Ok(x)
    }

    /// The sum of the cross-entropy, in nats, of `labels`: pairs of a place in the rectangle and
    /// the id that follows there. What learns gets the gradient of that sum. With `recompute` a
    /// block keeps its input alone and runs forward again: far less memory, a third more work.
    pub fn loss(
        &self,
        inputs: &Inputs,
        labels: &[(u32, u32)],
        recompute: bool,
        gradients: &mut Gradients,
    ) -> Result<f64> {
        let pass = self.pass(inputs, 0)?;
        let mut x = self.embed(inputs)?;
        let mut kept = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let (y, saved) = block.forward(&x, &pass, &mut None)?;
            kept.push((x, (!recompute).then_some(saved)));
            x = y;
        }
        let (loss, mut dx) = self.head_loss(&x, labels, gradients)?;
        for (block, (x, saved)) in self.blocks.iter().zip(kept).rev() {
            let saved = match saved {
                Some(saved) => saved,
                None => block.forward(&x, &pass, &mut None)?.1,
            };
            dx = block.backward(&x, &saved, &dx, &pass, gradients)?;
        }
        if gradients.of_weights {
            let ids = Tensor::from_slice(&inputs.ids, inputs.ids.len(), &self.device)?;
            let zeros = self.embedding.value.zeros_like()?;
            gradients.add(&self.embedding.name, &zeros.index_add(&ids, &dx, 0)?)?;
        }
        Ok(loss)
    }

    /// Final norm, head and loss at the places that have a label; elsewhere no logit is computed.
    fn head_loss(
        &self,
        x: &Tensor,
        labels: &[(u32, u32)],
        gradients: &mut Gradients,
    ) -> Result<(f64, Tensor)> {
        let (mut loss, mut dx) = (0.0, x.zeros_like()?);
        for labels in labels.chunks(LOGIT_ROWS) {
            let (places, ids): (Vec<u32>, Vec<u32>) = labels.iter().copied().unzip();
            let places = Tensor::new(places, &self.device)?;
            let x = x.index_select(&places, 0)?;
            let normed = self.final_norm(&x)?;
            let (sum, dlogits) = ops::cross_entropy(&self.head(&normed)?, &ids)?;
            loss += sum;
            let dnormed = match &self.head {
                Some(head) => head.backward(&normed, &dlogits, gradients)?,
                None => {
                    if gradients.of_weights {
                        let dweight = dlogits.t()?.matmul(&normed)?;
                        gradients.add(&self.embedding.name, &dweight)?;
                    }
                    dlogits.matmul(&self.embedding.value)?
                }
            };
            let eps = self.config.rms_norm_eps;
            let part = norm_backward(&self.norm, &x, eps, &dnormed, gradients)?;
            dx = dx.index_add(&places, &part, 0)?;
        }
        Ok((loss, dx))
    }

    pub(crate) fn final_norm(&self, x: &Tensor) -> Result<Tensor> {
        ops::rms_norm(x, &self.norm.value, self.config.rms_norm_eps)
    }

    /// Logits `[rows, vocab_size]` of normed rows.
    pub(crate) fn head(&self, normed: &Tensor) -> Result<Tensor> {
        match &self.head {
            Some(head) => head.forward(normed),
            None => Ok(normed.matmul(&self.embedding.value.t()?)?),
        }
    }

    fn embed(&self, inputs: &Inputs) -> Result<Tensor> {
        let size = self.config.vocab_size;
        if let Some(id) = inputs.ids.iter().find(|&&id| id as usize >= size) {
            anyhow::bail!("token id {id} is beyond the model's {size} ids");
        }
        let ids = Tensor::from_slice(&inputs.ids, inputs.ids.len(), &self.device)?;
        Ok(self.embedding.value.index_select(&ids, 0)?)
    }

    fn pass(&self, inputs: &Inputs, past: usize) -> Result<Pass<'_>> {
        let (batch, time) = (inputs.batch, inputs.time);
        let places = batch * time;
        ensure!(
            places > 0 && inputs.ids.len() == places && inputs.start.len() == places,
            "{batch} rows of {time} tokens came with {} ids",
            inputs.ids.len()
        );
        let start = inputs.start.clone();
        let visible = Visible { batch, time, columns: past + time, start };
        let half = self.config.head_dim / 2;
        let mut cos = Vec::with_capacity(places * half);
        let mut sin = Vec::with_capacity(places * half);
        for place in 0..places {
            let position = (past + place % time) as f64 - f64::from(inputs.start[place]);
            for i in 0..half {
                let angle = position * self.config.rope_theta.powf(-(i as f64) / half as f64);
                cos.push(angle.cos() as f32);
                sin.push(angle.sin() as f32);
            }
        }
        let cos = Tensor::from_vec(cos, (places, half), &self.device)?;
        let sin = Tensor::from_vec(sin, (places, half), &self.device)?;
        Ok(Pass { config: &self.config, visible, angles: Angles { cos, sin } })
    }
}

impl Block {
    fn forward(&self, x: &Tensor, pass: &Pass, cache: &mut Cache) -> Result<(Tensor, Saved)> {
        let eps = pass.config.rms_norm_eps;
        let attention_in = ops::rms_norm(x, &self.attention_norm.value, eps)?;
        let (query, key, value) = self.project(&attention_in, pass, cache)?;
        let weights = ops::attention_weights(
            &query.matmul(&key.t()?)?,
            &pass.visible,
            pass.scale(),
        )?;
        let attended = ops::merge_heads(&pass.ungroup(&weights.matmul(&value)?)?, None)?;
        let middle = (x + self.output.forward(&attended)?)?;

        let feed_in = ops::rms_norm(&middle, &self.feed_norm.value, eps)?;
        let gate = self.gate.forward(&feed_in)?;
        let up = self.up.forward(&feed_in)?;
        let product = ops::swiglu(&gate, &up)?;
        let y = (&middle + self.down.forward(&product)?)?;
        let saved = Saved {
            attention_in,
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

    /// Queries `[batch, key heads, group × time, head_dim]`, and keys and values of all columns.
    fn project(
        &self,
        x: &Tensor,
        pass: &Pass,
        cache: &mut Cache,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        let (config, batch) = (pass.config, pass.visible.batch);
        let (heads, groups) = (config.num_attention_heads, config.num_key_value_heads);
        let angles = Some(&pass.angles);
        let query = ops::split_heads(&self.query.forward(x)?, batch, heads, angles)?;
        let key = ops::split_heads(&self.key.forward(x)?, batch, groups, angles)?;
        let value = ops::split_heads(&self.value.forward(x)?, batch, groups, None)?;
        if pass.visible.columns > pass.visible.time {
            let (keys, values) = cache.take().context("columns are past but nothing is cached")?;
            let key = Tensor::cat(&[&keys, &key], 2)?;
            let value = Tensor::cat(&[&values, &value], 2)?;
            *cache = Some((key.clone(), value.clone()));
            return Ok((pass.group(&query)?, key, value));
        }
        *cache = Some((key.clone(), value.clone()));
        Ok((pass.group(&query)?, key, value))
    }

    /// From the gradient `dy` of the block's result to that of its input `x`.
    fn backward(
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
        let dfeed_in = (self.gate.backward(&saved.feed_in, &dgate, gradients)?
            + self.up.backward(&saved.feed_in, &dup, gradients)?)?;
        let dfeed = norm_backward(&self.feed_norm, &saved.middle, eps, &dfeed_in, gradients)?;
        let dmiddle = (dy + dfeed)?;

        let dattended = self.output.backward(&saved.attended, &dmiddle, gradients)?;
        let [dquery, dkey, dvalue] = attend_backward(saved, &dattended, pass)?;
        let dattention_in = ((self.query.backward(&saved.attention_in, &dquery, gradients)?
            + self.key.backward(&saved.attention_in, &dkey, gradients)?)?
            + self.value.backward(&saved.attention_in, &dvalue, gradients)?)?;
        let dx = norm_backward(&self.attention_norm, x, eps, &dattention_in, gradients)?;
        Ok((dmiddle + dx)?)
    }
}

/// From the gradient of what attention gave to those of its three projections.
fn attend_backward(saved: &Saved, dattended: &Tensor, pass: &Pass) -> Result<[Tensor; 3]> {
    let (batch, heads) = (pass.visible.batch, pass.config.num_attention_heads);
    let dattended = pass.group(&ops::split_heads(dattended, batch, heads, None)?)?;
    let dweights = dattended.matmul(&saved.value.t()?)?;
    let dvalue = saved.weights.t()?.matmul(&dattended)?;
    let dscores =
        ops::attention_weights_backward(&saved.weights, &dweights, &pass.visible, pass.scale())?;
    let dquery = pass.ungroup(&dscores.matmul(&saved.key)?)?;
    let dkey = dscores.t()?.matmul(&saved.query)?;
    Ok([
        ops::merge_heads(&dquery, Some(&pass.angles))?,
        ops::merge_heads(&dkey, Some(&pass.angles))?,
        ops::merge_heads(&dvalue, None)?,
    ])
}

fn norm_backward(
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

impl Model {
    /// Every parameter, adapters included, in the model's order.
    pub fn parameters(&self) -> Vec<&Parameter> {
        let mut all = vec![&self.embedding];
        for block in &self.blocks {
            all.push(&block.attention_norm);
            all.push(&block.feed_norm);
        }
        all.push(&self.norm);
        for linear in self.linears() {
            all.push(&linear.weight);
            all.extend(linear.adapter.iter().flat_map(|adapter| [&adapter.a, &adapter.b]));
        }
        all
    }

    /// The linears of all blocks, and the head's where it is one.
    pub(crate) fn linears(&self) -> impl Iterator<Item = &Linear> {
        let blocks = self.blocks.iter().flat_map(Block::linears);
        blocks.chain(&self.head)
    }

    /// The same, to be changed.
    pub(crate) fn linears_mut(&mut self) -> impl Iterator<Item = &mut Linear> {
        let blocks = self.blocks.iter_mut().flat_map(Block::linears_mut);
        blocks.chain(&mut self.head)
    }

    /// What learns: the adapters where there are any, else every weight.
    pub fn learning(&self) -> Vec<&Parameter> {
        if self.has_adapters() {
            let adapters = self.linears().filter_map(|linear| linear.adapter.as_ref());
            return adapters.flat_map(|adapter| [&adapter.a, &adapter.b]).collect();
        }
        self.parameters()
    }

    /// The same as [`Model::learning`], in the same order, to be changed.
    pub fn learning_mut(&mut self) -> Vec<&mut Parameter> {
        if self.has_adapters() {
            let adapters = self.linears_mut().filter_map(|linear| linear.adapter.as_mut());
            return adapters.flat_map(|adapter| [&mut adapter.a, &mut adapter.b]).collect();
        }
        let mut norms = vec![&mut self.embedding];
        let mut linears = Vec::new();
        for block in &mut self.blocks {
            let (two, seven) = block.parts_mut();
            norms.extend(two);
            linears.extend(seven);
        }
        norms.push(&mut self.norm);
        linears.extend(&mut self.head);
        norms.extend(linears.into_iter().map(|linear| &mut linear.weight));
        norms
    }

    /// Whether it learns by adapters.
    pub fn has_adapters(&self) -> bool {
        self.linears().any(|linear| linear.adapter.is_some())
    }

    /// The type that it computes in.
    pub fn dtype(&self) -> DType {
        self.embedding.value.dtype()
    }
}

impl Block {
    fn linears(&self) -> [&Linear; 7] {
        let Block { query, key, value, output, gate, up, down, .. } = self;
        [query, key, value, output, gate, up, down]
    }

    fn linears_mut(&mut self) -> [&mut Linear; 7] {
        self.parts_mut().1
    }

    fn parts_mut(&mut self) -> ([&mut Parameter; 2], [&mut Linear; 7]) {
        let Block { query, key, value, output, gate, up, down, .. } = self;
        let norms = [&mut self.attention_norm, &mut self.feed_norm];
        (norms, [query, key, value, output, gate, up, down])
    }
}
