//! A Llama-family transformer in reading order, forwards and backwards.
//!
//! `x` flows through the blocks as `[tokens, hidden_size]`, a token being one position of the
//! padded batch. The backward pass is written out beside the forward pass: a frozen
//! weight gets no gradient.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::model::config::Config;
use crate::model::network::block::{Block, Cache, Pass};
use crate::model::network::gradients::Gradients;
use crate::model::network::linear::{Linear, Low, SharedInput};
use crate::model::network::norm::Norm;
use crate::model::network::packed::Packed;
use crate::model::network::parameter::Parameter;
use crate::model::network::weight::Weight;
use crate::ops::{self, Angles, Branches, Mask, Matrix, Rows};

/// Logit rows computed at a time for the loss: with 50,000 ids, 200 MB in f32.
const LOGIT_ROWS: usize = 1024;

/// A model in memory.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its shape.
    pub config: Config,
    /// Its path.
    pub device: Device,
    pub(crate) embedding: Parameter,
    pub(crate) blocks: Vec<Block>,
    pub(crate) norm: Parameter,
    /// None where the embedding table serves once more.
    pub(crate) head: Option<Linear>,
    /// The table that serves as head, if it is packed for that.
    pub(crate) packed_table: Option<Packed>,
}

/// Activation checkpointing (Chen et al. 2016, arXiv:1604.06174): what the backward pass
/// recomputes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recompute {
    /// Nothing expensive.
    #[default]
    None,
    /// The inner part of the feed-forward network: half the memory, a sixth more work.
    Mlp,
    /// All of a block but its input: least memory, a third more work.
    Full,
}

/// What a pass does only in training.
#[derive(Clone, Copy, Debug, Default)]
pub struct Training<'a> {
    /// What the backward pass recomputes.
    pub recompute: Recompute,
    /// Added to the embedded tokens, `[batch × time, hidden_size]`, f32.
    pub noise: Option<&'a Tensor>,
    /// The key of the adapters' dropout in this pass; without one nothing is dropped.
    pub dropout: Option<u64>,
}

/// A padded batch of token ids. A row's text may be padded on either side, and a row may hold
/// several texts: `start` says where the text of each position begins, and masks all before it.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Rows.
    pub batch: usize,
    /// Places a row.
    pub time: usize,
    /// `[batch × time]`.
    pub ids: Vec<u32>,
    /// `[batch × time]`: the column where this token's text begins; its position counts from it.
    pub start: Vec<u32>,
    /// Where texts branch; the batch is then one row.
    pub branches: Branches,
}

impl Model {
    /// Logits `[batch × time, vocab_size]` of every position.
    ///
    /// # Errors
    /// If an id is beyond the table, the sizes of `inputs` contradict each other, or the device
    /// fails.
    pub fn logits(&self, inputs: &Inputs) -> Result<Tensor> {
        let x = self.hidden(inputs, 0, None, None)?;
        Ok(self.head(&self.final_norm(&x)?)?.0)
    }

    /// The stream after the last block `[batch × time, hidden_size]`, or those rows of it that
    /// `places` names. `past` columns of each row are in the caches, which grow by `time`.
    pub(crate) fn hidden(
        &self,
        inputs: &Inputs,
        past: usize,
        caches: Option<&[Cache]>,
        places: Option<&Tensor>,
    ) -> Result<Tensor> {
        let rounds = self.blocks.first().is_some_and(Block::is_rounded);
        let pass = Pass { rounds, ..self.pass(inputs, past)? };
        let mut x = self.embed(inputs)?;
        for (layer, block) in self.blocks.iter().enumerate() {
            let cache = caches.map(|caches| &caches[layer]);
            let places = places.filter(|_| layer + 1 == self.blocks.len());
            x = block.forward(&x, &pass, cache, places, false)?.0;
        }
        Ok(x)
    }

    /// The sum of the cross-entropy, in nats, of `labels`: pairs of an index into the batch and
    /// the id that follows there. Trainable parameters get the gradient of that sum.
    ///
    /// # Errors
    /// If an id is beyond the table, the sizes of `inputs` contradict each other, or the device
    /// fails.
    pub fn loss(
        &self,
        inputs: &Inputs,
        labels: &[(u32, u32)],
        training: &Training,
        gradients: &mut Gradients,
    ) -> Result<f64> {
        let Training { recompute, noise, dropout } = *training;
        let pass = Pass { dropout, ..self.pass(inputs, 0)? };
        let (places, ids): (Vec<u32>, Vec<u32>) = labels.iter().copied().unzip();
        let places = Tensor::new(places, &self.device)?;
        // After the last attention only positions with a label matter.
        let places = |layer: usize| (layer + 1 == self.blocks.len()).then_some(&places);
        let mut x = self.embed(inputs)?;
        if let Some(noise) = noise {
            x = ops::sum(&[&x, &noise.to_dtype(x.dtype())?])?;
        }
        let mut kept = Vec::with_capacity(self.blocks.len());
        for (layer, block) in self.blocks.iter().enumerate() {
            let keep_feed = recompute == Recompute::None;
            let (y, saved) = block.forward(&x, &pass, None, places(layer), keep_feed)?;
            kept.push((x, (recompute != Recompute::Full).then_some(saved)));
            x = y;
        }
        let (loss, mut dx) = self.head_loss(&x, &ids, gradients)?;
        for (layer, block) in self.blocks.iter().enumerate().rev() {
            let (x, saved) = kept.pop().context("a block has kept its input")?;
            let saved = match saved {
                Some(saved) => saved,
                None => block.forward(&x, &pass, None, places(layer), true)?.1,
            };
            dx = block.backward(&x, saved, &dx, &pass, gradients)?;
        }
        if gradients.of_weights {
            let ids = Tensor::from_slice(&inputs.ids, inputs.ids.len(), &self.device)?;
            let zeros = self.embedding.value.zeros_like()?;
            gradients.add(&self.embedding.name, &zeros.index_add(&ids, &dx, 0)?)?;
        }
        Ok(loss)
    }

    /// Final norm, head and loss of rows `x` `[labels, hidden_size]`, and the gradient of `x`.
    fn head_loss(
        &self,
        x: &Tensor,
        ids: &[u32],
        gradients: &mut Gradients,
    ) -> Result<(f64, Tensor)> {
        let (mut loss, mut parts) = (0.0, Vec::new());
        for (chunk, ids) in ids.chunks(LOGIT_ROWS).enumerate() {
            let x = x.narrow(0, chunk * LOGIT_ROWS, ids.len())?;
            let normed = self.final_norm(&x)?;
            let (logits, low) = self.head(&normed)?;
            let (sum, dlogits) = ops::cross_entropy(&logits, ids)?;
            loss += sum;
            let dnormed = self.head_backward(&normed, &low, dlogits, gradients)?;
            let norm = Norm::of(&self.norm, &self.config);
            parts.push(norm.backward(&x, &dnormed, None, gradients)?);
        }
        Ok((loss, if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(&parts, 0)? }))
    }

    fn head_backward(
        &self,
        normed: &Tensor,
        low: &Low,
        dlogits: Tensor,
        gradients: &mut Gradients,
    ) -> Result<Tensor> {
        if let Some(head) = &self.head {
            let head = SharedInput { linears: &[head], dropout: None };
            return head.backward(normed, low, &[dlogits], gradients);
        }
        if gradients.of_weights {
            gradients.add_product(&self.embedding.name, 1.0, &dlogits.t()?, normed)?;
        }
        if let Some(packed) = &self.packed_table {
            return ops::sum_of_products(None, &[(&Rows::new(&dlogits), &packed.backward()?)]);
        }
        ops::product(1.0, &dlogits, &self.embedding.value.to_dtype(dlogits.dtype())?)
    }

    /// The type that it computes in: f32 on a CPU, elsewhere that of its weights.
    pub fn dtype(&self) -> DType {
        if self.device.is_cpu() { DType::F32 } else { self.embedding.value.dtype() }
    }

    pub(crate) fn final_norm(&self, x: &Tensor) -> Result<Tensor> {
        Norm::of(&self.norm, &self.config).forward(x)
    }

    /// The log-probability that an id follows a normed row, in nats, for pairs of a row and an id,
    /// and the id that is most likely after each row.
    pub(crate) fn log_probabilities(
        &self,
        normed: &Tensor,
        wanted: &[(u32, u32)],
    ) -> Result<(Vec<f32>, Vec<u32>)> {
        match self.packed_head() {
            Some(matrix) => ops::log_probabilities_of(normed, &matrix, wanted),
            None => ops::log_probabilities(&self.head(normed)?.0, wanted),
        }
    }

    /// The id that is most likely after each normed row.
    pub(crate) fn most_likely(&self, normed: &Tensor) -> Result<Vec<u32>> {
        match self.packed_head() {
            Some(matrix) => Ok(ops::log_probabilities_of(normed, &matrix, &[])?.1),
            None => ops::argmax(&self.head(normed)?.0),
        }
    }

    /// The head's matrix `[hidden_size, vocab_size]`, if it is packed and all that there is to it.
    fn packed_head(&self) -> Option<Matrix> {
        match &self.head {
            None => self.packed_table.as_ref().map(Packed::forward),
            Some(head) if head.adapter.is_some() || head.bias.is_some() => None,
            Some(head) => match &head.weight {
                Weight::Packed(_, packed) => Some(packed.forward()),
                _ => None,
            },
        }
    }

    /// Logits `[rows, vocab_size]` of normed rows.
    pub(crate) fn head(&self, normed: &Tensor) -> Result<(Tensor, Low)> {
        let Some(head) = &self.head else {
            if let Some(packed) = &self.packed_table {
                let terms = [(&Rows::new(normed), &packed.forward())];
                return Ok((ops::sum_of_products(None, &terms)?, None));
            }
            let table = self.embedding.value.to_dtype(normed.dtype())?;
            return Ok((ops::product(1.0, normed, &table.t()?)?, None));
        };
        let head = SharedInput { linears: &[head], dropout: None };
        let (mut results, low) = head.forward(normed, None)?;
        Ok((results.pop().context("a linear has a result")?, low))
    }

    fn embed(&self, inputs: &Inputs) -> Result<Tensor> {
        let size = self.config.vocab_size;
        if let Some(id) = inputs.ids.iter().find(|&&id| id as usize >= size) {
            anyhow::bail!("token id {id} is beyond the model's {size} ids");
        }
        let ids = Tensor::from_slice(&inputs.ids, inputs.ids.len(), &self.device)?;
        Ok(ops::select_rows(&self.embedding.value, &ids)?.to_dtype(self.dtype())?)
    }

    fn pass(&self, inputs: &Inputs, past: usize) -> Result<Pass<'_>> {
        let (batch, time) = (inputs.batch, inputs.time);
        let places = batch * time;
        ensure!(
            places > 0
                && inputs.ids.len() == places
                && inputs.start.len() == places
                && (inputs.branches.skip.is_empty() || inputs.branches.skip.len() == time),
            "{batch} rows of {time} tokens came with {} ids",
            inputs.ids.len()
        );
        let (start, branches) = (inputs.start.clone(), inputs.branches.clone());
        let mask = Mask { batch, time, columns: past + time, start, branches };
        let window = self.blocks.iter().find_map(|block| block.window);
        let near = window.map(|window| mask.within(window));
        let angles = self.angles(inputs, past)?;
        Ok(Pass { config: &self.config, mask, near, angles, dropout: None, rounds: false })
    }

    /// The rotation of each token, by its distance from the start of its text.
    fn angles(&self, inputs: &Inputs, past: usize) -> Result<Angles> {
        let config = &self.config;
        let frequencies = config.rope_scaling.frequencies(config.head_dim, config.rope_theta);
        let position = |(place, start): (usize, &u32)| {
            let skipped = inputs.branches.skip.get(place).map_or(0, Range::len);
            let position = (past + place % inputs.time).checked_sub(*start as usize + skipped);
            position.context("a text starts after its own token")
        };
        let positions =
            inputs.start.iter().enumerate().map(position).collect::<Result<Vec<_>>>()?;
        Angles::new(&positions, &frequencies, &self.device)
    }
}
