//! The transformer once more, in candle's differentiable operations, to hold our passes against.

use std::collections::HashMap;

use anyhow::Result;
use candle_core::{D, Device, Tensor, Var};
use cookc::model::Model;
use cookc::train::Example;

/// Mean loss of the examples, one after another, and candle's gradient of each weight.
pub fn loss_and_gradients(
    model: &Model,
    examples: &[Example],
) -> Result<(f64, HashMap<String, Tensor>)> {
    let vars = model
        .parameters()
        .iter()
        .map(|p| Ok((p.name.clone(), Var::from_tensor(&p.value)?)))
        .collect::<Result<HashMap<_, _>>>()?;
    let mut losses = Vec::new();
    for example in examples {
        let logits = logits(model, &vars, &example.ids)?;
        let exp = logits.exp()?;
        let log = (logits - exp.sum_keepdim(1)?.log()?.broadcast_as(exp.shape())?)?;
        for t in (1..example.ids.len()).filter(|&t| example.loss[t]) {
            losses.push(log.get(t - 1)?.get(example.ids[t] as usize)?.neg()?);
        }
    }
    let loss = Tensor::stack(&losses, 0)?.mean(0)?;
    let store = loss.backward()?;
    let gradients =
        vars.iter().filter_map(|(name, var)| Some((name.clone(), store.get(var)?.clone())));
    Ok((f64::from(loss.to_scalar::<f32>()?), gradients.collect()))
}

fn logits(model: &Model, vars: &HashMap<String, Var>, ids: &[u32]) -> Result<Tensor> {
    let config = &model.config;
    let (heads, keys, width) =
        (config.num_attention_heads, config.num_key_value_heads, config.head_dim);
    let time = ids.len();
    let embedding = &vars["model.embed_tokens.weight"];
    let mut x = embedding.index_select(&Tensor::new(ids, &Device::Cpu)?, 0)?;
    for layer in 0..config.num_hidden_layers {
        let var = |name: &str| vars[&format!("model.layers.{layer}.{name}.weight")].as_tensor();
        let h = norm(&x, var("input_layernorm"), config.rms_norm_eps)?;
        let linear = |h: &Tensor, name: &str| -> Result<Tensor> {
            let y = h.matmul(&var(name).t()?)?;
            match vars.get(&format!("model.layers.{layer}.{name}.bias")) {
                Some(bias) => Ok(y.broadcast_add(bias)?),
                None => Ok(y),
            }
        };
        let split = |name: &str, heads: usize| -> Result<Tensor> {
            let y = linear(&h, &format!("self_attn.{name}_proj"))?.reshape((time, heads, width))?;
            let y = match vars.get(&format!("model.layers.{layer}.self_attn.{name}_norm.weight")) {
                Some(weight) => norm(&y, weight, config.rms_norm_eps)?,
                None => y,
            };
            Ok(y.transpose(0, 1)?.contiguous()?)
        };
        let query = turn(&split("q", heads)?, config.rope_theta)?;
        let key = turn(&split("k", keys)?, config.rope_theta)?;
        let value = split("v", keys)?;
        let seen = config.window(layer).unwrap_or(time);
        let mut attended = Vec::new();
        for head in 0..heads {
            let shared = head * keys / heads;
            let scores = query.get(head)?.matmul(&key.get(shared)?.t()?)?;
            let scores = ((scores / (width as f64).sqrt())? + mask(time, seen)?)?;
            let exp = scores.exp()?;
            let weights = exp.broadcast_div(&exp.sum_keepdim(1)?)?;
            attended.push(weights.matmul(&value.get(shared)?)?);
        }
        let attended = Tensor::cat(&attended, 1)?;
        x = (x + linear(&attended, "self_attn.o_proj")?)?;
        let h = norm(&x, var("post_attention_layernorm"), config.rms_norm_eps)?;
        let gate = linear(&h, "mlp.gate_proj")?;
        let gate = (&gate / (gate.neg()?.exp()? + 1.0)?)?;
        let up = linear(&h, "mlp.up_proj")?;
        x = (x + linear(&(gate * up)?, "mlp.down_proj")?)?;
    }
    let h = norm(&x, &vars["model.norm.weight"], config.rms_norm_eps)?;
    let head = vars.get("lm_head.weight").unwrap_or(embedding);
    Ok(h.matmul(&head.t()?)?)
}

fn norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let root = (x.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    Ok(x.broadcast_div(&root)?.broadcast_mul(weight)?)
}

fn turn(x: &Tensor, theta: f64) -> Result<Tensor> {
    let (_, time, width) = x.dims3()?;
    let half = width / 2;
    let angle = |i: usize| (i / half) as f64 * theta.powf(-((i % half) as f64) / half as f64);
    let table = |f: fn(f64) -> f64| {
        let values: Vec<f32> = (0..time * half).map(|i| f(angle(i)) as f32).collect();
        Tensor::from_vec(values, (1, time, half), &Device::Cpu)
    };
    let (cos, sin) = (table(f64::cos)?, table(f64::sin)?);
    let (a, b) = (x.narrow(2, 0, half)?, x.narrow(2, half, half)?);
    let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
    let second = (b.broadcast_mul(&cos)? + a.broadcast_mul(&sin)?)?;
    Ok(Tensor::cat(&[first, second], 2)?)
}

/// Each token sees the last `seen` ones, itself included.
fn mask(time: usize, seen: usize) -> Result<Tensor> {
    let hidden = |i: usize| {
        let (token, column) = (i / time, i % time);
        if (token + 1).saturating_sub(seen) <= column && column <= token {
            0.0
        } else {
            f32::NEG_INFINITY
        }
    };
    let mask: Vec<f32> = (0..time * time).map(hidden).collect();
    Ok(Tensor::from_vec(mask, (time, time), &Device::Cpu)?)
}

/// Values in −2..2 that are the same on every run, others for each name (splitmix64).
pub fn noise(name: &str, count: usize) -> Vec<f32> {
    let add = |sum: u64, byte: u8| sum.wrapping_mul(31).wrapping_add(u64::from(byte));
    let seed = name.bytes().fold(7, add);
    let value = |i: u64| {
        let mut z = seed.wrapping_add(i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z >> 40) as f32 / (1u64 << 22) as f32) - 2.0
    };
    (0..count as u64).map(value).collect()
}
