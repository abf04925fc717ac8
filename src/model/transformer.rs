//! A Llama-family transformer in reading order, forwards and backwards.
//!
//! `x` flows through the blocks as `[tokens, hidden_size]`, a token being one place of the
//! rectangle of rows. The backward pass is written out beside the forward pass: a frozen
//! weight gets no gradient.

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};

use crate::model::block::{self, Block, Cache, Pass};
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
    /// `[batch × time]`: the column where this place's text begins; its position counts from it.
    pub start: Vec<u32>,
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
        self.loss_with_noise(inputs, labels, recompute, None, gradients)
    }

    /// The same with noise `[batch × time, hidden_size]`, f32, on the embedded tokens.
    pub fn loss_with_noise(
        &self,
        inputs: &Inputs,
        labels: &[(u32, u32)],
        recompute: bool,
        noise: Option<&Tensor>,
        gradients: &mut Gradients,
    ) -> Result<f64> {
        let pass = self.pass(inputs, 0)?;
        let mut x = self.embed(inputs)?;
        if let Some(noise) = noise {
            x = ops::sum(&[&x, &noise.to_dtype(x.dtype())?])?;
        }
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
            let part = block::norm_backward(&self.norm, &x, eps, &dnormed, gradients)?;
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
        let angles = self.angles(inputs, past)?;
        Ok(Pass { config: &self.config, visible, angles })
    }

    /// The turn of each place: its distance from the start of its text × the frequency.
    fn angles(&self, inputs: &Inputs, past: usize) -> Result<Angles> {
        let (half, theta) = (self.config.head_dim / 2, self.config.rope_theta);
        let frequencies: Vec<f64> =
            (0..half).map(|i| theta.powf(-(i as f64) / half as f64)).collect();
        let positions = (0..past + inputs.time).map(|position| position as f64);
        let table: Vec<(f32, f32)> = positions
            .flat_map(|position| frequencies.iter().map(move |frequency| position * frequency))
            .map(|angle| (angle.cos() as f32, angle.sin() as f32))
            .collect();
        let (mut cos, mut sin) = (Vec::new(), Vec::new());
        for (place, &start) in inputs.start.iter().enumerate() {
            let position = (past + place % inputs.time).checked_sub(start as usize);
            let position = position.context("a text starts right of its own token")?;
            for (c, s) in &table[position * half..][..half] {
                cos.push(*c);
                sin.push(*s);
            }
        }
        let shape = (inputs.start.len(), half);
        let cos = Tensor::from_vec(cos, shape, &self.device)?;
        let sin = Tensor::from_vec(sin, shape, &self.device)?;
        Ok(Angles { cos, sin })
    }
}
