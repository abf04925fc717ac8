//! A model put together of its tensors, wherever they come from.

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};

use crate::model::config::{Config, Projection};
use crate::model::network::block::{Block, HeadNorms};
use crate::model::network::linear::Linear;
use crate::model::network::parameter::Parameter;
use crate::model::network::transformer::Model;

/// What is done with each block as soon as it is read.
pub(crate) type EachBlock<'a> = dyn FnMut(&mut Block) -> Result<()> + 'a;

/// Every tensor of the model by name and shape, once, in the order of the forward pass.
pub(crate) fn build(
    config: &Config,
    device: &Device,
    tensor: &mut dyn FnMut(&str, &[usize]) -> Result<Tensor>,
    each: &mut EachBlock,
) -> Result<Model> {
    let mut take = |name: String, shape: &[usize]| -> Result<Parameter> {
        let value = tensor(&name, shape)?;
        Ok(Parameter::new(name, value))
    };
    let (vocab, hidden) = (config.vocab_size, config.hidden_size);
    let embedding = take("model.embed_tokens.weight".into(), &[vocab, hidden])?;
    let mut block = |layer: usize| {
        let mut block = build_block(config, layer, &mut take)?;
        each(&mut block)?;
        Ok(block)
    };
    let blocks = (0..config.num_hidden_layers).map(&mut block).collect::<Result<Vec<_>>>()?;
    let norm = take("model.norm.weight".into(), &[hidden])?;
    let head = match config.tie_word_embeddings {
        true => None,
        false => Some(Linear::new(take("lm_head.weight".into(), &[vocab, hidden])?, None)),
    };
    let (config, device) = (config.clone(), device.clone());
    Ok(Model { config, device, embedding, blocks, norm, head, packed_table: None })
}

fn build_block(
    config: &Config,
    layer: usize,
    take: &mut dyn FnMut(String, &[usize]) -> Result<Parameter>,
) -> Result<Block> {
    let hidden = config.hidden_size;
    let mut norm =
        |name: &str, width: usize| take(format!("model.layers.{layer}.{name}.weight"), &[width]);
    let attention_norm = norm("input_layernorm", hidden)?;
    let feed_norm = norm("post_attention_layernorm", hidden)?;
    let head_norms = match config.norms_heads() {
        true => Some(HeadNorms {
            query: norm("self_attn.q_norm", config.head_dim)?,
            key: norm("self_attn.k_norm", config.head_dim)?,
        }),
        false => None,
    };
    let mut linear = |projection: Projection| -> Result<Linear> {
        let (part, name) = (projection.part(), projection.name());
        let module = format!("model.layers.{layer}.{part}.{name}");
        let [output, input] = projection.shape(config);
        let weight = take(format!("{module}.weight"), &[output, input])?;
        let bias = config.has_bias(projection).then(|| take(format!("{module}.bias"), &[output]));
        Ok(Linear::new(weight, bias.transpose()?))
    };
    let linears = Projection::ALL.into_iter().map(&mut linear).collect::<Result<Vec<_>>>()?;
    let linears = linears.try_into().ok().context("seven linears")?;
    let window = config.window(layer);
    Ok(Block { attention_norm, head_norms, feed_norm, linears, window })
}
