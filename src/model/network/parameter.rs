//! The named tensors of a model: its weights, and the halves of its adapters.

use anyhow::Result;
use candle_core::{DType, Tensor};

use crate::model::network::adapter::Adapter;
use crate::model::network::block::Block;
use crate::model::network::linear::Linear;
use crate::model::network::transformer::Model;

/// A tensor under the name that it has in the model's files.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Hugging Face's name, such as `model.layers.0.self_attn.q_proj.weight`.
    pub name: String,
    /// Its value now; training puts a new one here.
    pub value: Tensor,
}

impl Parameter {
    /// A parameter of that name and value.
    pub fn new(name: impl Into<String>, value: Tensor) -> Parameter {
        Parameter { name: name.into(), value }
    }
}

/// Whether every element is a finite number.
pub(crate) fn all_finite(x: &Tensor) -> Result<bool> {
    // 0 for each that is; the sum of large ones could itself be infinite.
    let zeros = (x.to_dtype(DType::F32)? * 0.0)?.sum_all()?;
    Ok(zeros.to_scalar::<f32>()?.is_finite())
}

impl Model {
    /// The model's own parameters, without adapters; weights in four bits are none.
    pub fn weights(&self) -> Vec<&Parameter> {
        let mut all = vec![&self.embedding];
        for block in &self.blocks {
            all.extend(block.norms());
        }
        all.push(&self.norm);
        for linear in self.linears() {
            all.extend(linear.weight.parameter());
            all.extend(&linear.bias);
        }
        all
    }

    /// The parameters of its adapters.
    pub fn adapters(&self) -> Vec<&Parameter> {
        let adapters = self.linears().filter_map(|linear| linear.adapter.as_ref());
        adapters.flat_map(Adapter::parameters).collect()
    }

    /// All of them.
    pub fn parameters(&self) -> Vec<&Parameter> {
        [self.weights(), self.adapters()].concat()
    }

    /// How many numbers that is, those of weights that are packed or in four bits included.
    pub fn count(&self) -> usize {
        let held: usize = self.parameters().iter().map(|one| one.value.elem_count()).sum();
        let fixed = self.linears().filter(|linear| linear.weight.parameter().is_none());
        let shapes = fixed.filter_map(|linear| linear.weight.shape().ok());
        held + shapes.map(|(outputs, inputs)| outputs * inputs).sum::<usize>()
    }

    /// The linears of all blocks, and the head's where it is one.
    pub fn linears(&self) -> impl Iterator<Item = &Linear> {
        let blocks = self.blocks.iter().flat_map(Block::linears);
        blocks.chain(&self.head)
    }

    /// The same, to be changed.
    pub fn linears_mut(&mut self) -> impl Iterator<Item = &mut Linear> {
        let blocks = self.blocks.iter_mut().flat_map(Block::linears_mut);
        blocks.chain(&mut self.head)
    }

    /// What learns: the adapters where there are any, else every weight.
    pub fn learning(&self) -> Vec<&Parameter> {
        if self.has_adapters() { self.adapters() } else { self.weights() }
    }

    /// The same as [`Model::learning`], in the same order, to be changed.
    pub fn learning_mut(&mut self) -> Vec<&mut Parameter> {
        if self.has_adapters() {
            let adapters = self.linears_mut().filter_map(|linear| linear.adapter.as_mut());
            return adapters.flat_map(Adapter::parameters_mut).collect();
        }
        let mut norms = vec![&mut self.embedding];
        let mut linears = Vec::new();
        for block in &mut self.blocks {
            let (block_norms, seven) = block.parts_mut();
            norms.extend(block_norms);
            linears.extend(seven);
        }
        norms.push(&mut self.norm);
        linears.extend(&mut self.head);
        for linear in linears {
            norms.extend(linear.weight.parameter_mut());
            norms.extend(&mut linear.bias);
        }
        norms
    }

    /// Whether it learns by adapters.
    pub fn has_adapters(&self) -> bool {
        self.linears().any(|linear| linear.adapter.is_some())
    }

    /// The type that it computes in: f32 on a CPU, elsewhere that of its weights.
    pub fn dtype(&self) -> DType {
        if self.device.is_cpu() { DType::F32 } else { self.embedding.value.dtype() }
    }
}

impl Block {
    fn norms(&self) -> impl Iterator<Item = &Parameter> {
        let heads = self.head_norms.iter().flat_map(|norms| [&norms.query, &norms.key]);
        [&self.attention_norm, &self.feed_norm].into_iter().chain(heads)
    }

    fn linears(&self) -> [&Linear; 7] {
        let Block { query, key, value, output, gate, up, down, .. } = self;
        [query, key, value, output, gate, up, down]
    }

    pub(crate) fn linears_mut(&mut self) -> [&mut Linear; 7] {
        self.parts_mut().1
    }

    /// Norms and linears, in the order of [`Block::norms`] and [`Block::linears`].
    fn parts_mut(&mut self) -> (Vec<&mut Parameter>, [&mut Linear; 7]) {
        let Block { query, key, value, output, gate, up, down, .. } = self;
        let mut norms = vec![&mut self.attention_norm, &mut self.feed_norm];
        norms.extend(
            self.head_norms.iter_mut().flat_map(|norms| [&mut norms.query, &mut norms.key]),
        );
        (norms, [query, key, value, output, gate, up, down])
    }
}
