//! The passes written by hand, held against candle's own and against each other.

use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use cookc::model::{Gradients, Model, Recompute, greedy, io, lora, weights};
use cookc::ops;
use serde_json::json;

use super::{data, distance, examples, grouped, loss_of, reference, row, tiny};

#[test]
fn every_weights_gradient_equals_candles_own() -> Result<()> {
    for tied in [true, false] {
        gradients_equal_candles_own(&grouped(tied)?)?;
    }
    Ok(())
}

#[test]
fn so_do_those_of_biases_head_norms_and_blocks_with_a_window() -> Result<()> {
    for (family, settings) in [
        ("llama", &[("attention_bias", json!(true)), ("mlp_bias", json!(true))][..]),
        ("mistral", &[("sliding_window", json!(3))]),
        (
            "qwen2",
            &[
                ("use_sliding_window", json!(true)),
                ("sliding_window", json!(4)),
                ("max_window_layers", json!(1)),
            ],
        ),
        ("qwen3", &[("attention_bias", json!(true))]),
    ] {
        let mut config = grouped(true)?.config;
        config.model_type = family.into();
        // Not hidden_size / num_attention_heads.
        config.head_dim = 10;
        config.other.extend(settings.iter().map(|(key, value)| (key.to_string(), value.clone())));
        let mut model = weights::fresh(&config, 1, 0.2, &Device::Cpu)?;
        for parameter in model.trainable_mut().into_iter().filter(|p| p.value.rank() == 1) {
            // Fresh norms are 1 and fresh biases 0: a term that was forgotten would not show.
            let noise = reference::noise(&parameter.name, parameter.value.elem_count());
            let noise = (Tensor::new(noise, &Device::Cpu)? * 0.2)?;
            parameter.value = (&parameter.value + noise)?;
        }
        gradients_equal_candles_own(&model)?;
    }
    Ok(())
}

fn gradients_equal_candles_own(model: &Model) -> Result<()> {
    let examples = examples(5, 9);
    let (expected_loss, expected) = reference::loss_and_gradients(model, &examples)?;
    for recompute in [Recompute::None, Recompute::Mlp, Recompute::Full] {
        let (loss, gradients) = loss_of(model, &examples, recompute)?;
        assert!((loss - expected_loss).abs() < 1e-4, "{loss} is not {expected_loss}");
        for parameter in model.parameters() {
            let name = &parameter.name;
            let found = gradients.get(name).expect("every weight has a gradient");
            let expected = &expected[name];
            let size = expected.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(size > 0.0, "{name} has no gradient");
            let off = distance(found, expected)? / size;
            assert!(off < 1e-4, "{}: {name} is off by {off}", model.config.model_type);
        }
    }
    Ok(())
}

#[test]
fn fused_operations_equal_the_plain_ones() -> Result<()> {
    let tensor = |name: &str, shape: &[usize]| -> Result<Tensor> {
        let values = reference::noise(name, shape.iter().product());
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    };
    let close = |a: &Tensor, b: &Tensor| -> Result<()> {
        assert!(distance(a, b)? < 2e-5, "off by {}", distance(a, b)?);
        Ok(())
    };
    let (x, w, dy) = (tensor("x", &[6, 20])?, tensor("w", &[20])?, tensor("dy", &[6, 20])?);
    let w6 = tensor("onto", &[6, 20])?;
    close(&ops::cpu::rms_norm(&x, &w, 1e-5)?, &ops::plain::rms_norm(&x, &w, 1e-5)?)?;
    for onto in [None, Some(&w6)] {
        let dx = ops::cpu::rms_norm_backward(&x, &w, 1e-5, &dy, onto)?;
        close(&dx, &ops::plain::rms_norm_backward(&x, &w, 1e-5, &dy, onto)?)?;
    }
    let dweight = ops::cpu::rms_norm_dweight(&x, 1e-5, &dy)?;
    close(&dweight, &ops::plain::rms_norm_dweight(&x, 1e-5, &dy)?)?;
    close(&ops::cpu::swiglu(&x, &dy)?, &ops::plain::swiglu(&x, &dy)?)?;
    let [a, b] = ops::cpu::swiglu_backward(&x, &dy, &dy)?;
    let [c, d] = ops::plain::swiglu_backward(&x, &dy, &dy)?;
    close(&a, &c)?;
    close(&b, &d)?;
    // Products of matrices that lie as they are, transposed, and in wider rows.
    let (square, part) = (dy.t()?.matmul(&x)?, x.narrow(1, 3, 7)?);
    for (a, b) in [(&x, &square), (&x, &dy.t()?), (&x.t()?, &dy), (&part.t()?, &part)] {
        let expected = (a.contiguous()?.matmul(&b.contiguous()?)? * 0.5)?;
        close(&ops::cpu::product(0.5, a, b)?, &expected)?;
        close(&ops::plain::product(0.5, a, b)?, &expected)?;
        let sum = expected.ones_like()?;
        ops::cpu::add_product(&sum, 0.5, a, b)?;
        close(&sum, &(expected + 1.0)?)?;
    }
    let labels = [3, 0, 19, 7, 7, 1];
    let (loss, gradient) = ops::cpu::cross_entropy(&x, &labels)?;
    let (expected, expected_gradient) = ops::plain::cross_entropy(&x, &labels)?;
    assert!((loss - expected).abs() < 1e-5);
    close(&gradient, &expected_gradient)?;
    let angles = ops::Angles { cos: tensor("cos", &[6, 5])?, sin: tensor("sin", &[6, 5])? };
    for angles in [None, Some(&angles)] {
        let split = ops::cpu::split_heads(&x, 2, 2, angles)?;
        close(&split, &ops::plain::split_heads(&x, 2, 2, angles)?)?;
        close(&ops::cpu::merge_heads(&split, angles)?, &ops::plain::merge_heads(&split, angles)?)?;
    }
    let near = ops::Mask {
        batch: 2,
        time: 3,
        columns: 4,
        start: vec![0, 0, 2, 1, 1, 1],
        branches: Default::default(),
    }
    .within(2);
    assert_eq!(near.start, [0, 1, 2, 1, 1, 2], "two tokens are seen, and no other text");
    Ok(())
}

/// Two rows, one of two texts and one with filling, longer than a tile; one step behind a cache.
#[test]
fn fused_attention_equals_the_plain_one() -> Result<()> {
    for (time, columns, room, window) in [(150, 150, 150, 150), (150, 150, 150, 20), (1, 9, 12, 9)]
    {
        let first = |row: usize, t: usize| match (row, t) {
            _ if time == 1 => row as u32,
            (0, t) => t as u32 / 71 * 71,
            (_, t) => t.saturating_sub(1).min(5) as u32,
        };
        let start = (0..2).flat_map(|row| (0..time).map(move |t| first(row, t))).collect();
        let mask = ops::Mask { batch: 2, time, columns, start, branches: Default::default() }
            .within(window);
        let tensor = |name: &str, heads: usize, time: usize| -> Result<Tensor> {
            let values = reference::noise(name, 2 * heads * time * 6);
            Ok(Tensor::from_vec(values, (2, heads, time, 6), &Device::Cpu)?)
        };
        let (query, key, value) =
            (tensor("q", 4, time)?, tensor("k", 2, room)?, tensor("v", 2, room)?);
        let (query, key, value) = (&query, &key, &value);
        let inputs = ops::Attention { query, key, value, mask: &mask, scale: 0.4, rounds: false };
        let (found, expected) = (ops::cpu::attention(&inputs)?, ops::plain::attention(&inputs)?);
        assert!(distance(&found.out, &expected.out)? < 1e-5);
        assert!(distance(&found.lse, &expected.lse)? < 1e-5);
        let rounded = ops::cpu::attention(&ops::Attention { rounds: true, ..inputs })?;
        assert!(distance(&rounded.out, &expected.out)? < 1e-2);
        assert!(distance(&rounded.lse, &expected.lse)? < 1e-2);
        let dout =
            Tensor::from_vec(reference::noise("do", 2 * time * 24), (2 * time, 24), &Device::Cpu)?;
        let found = ops::cpu::attention_backward(&inputs, &found, &dout)?;
        let expected = ops::plain::attention_backward(&inputs, &expected, &dout)?;
        for (found, expected) in found.iter().zip(&expected) {
            assert!(distance(found, expected)? < 1e-4, "{}", distance(found, expected)?);
        }
    }
    Ok(())
}

#[test]
fn a_row_of_two_packed_texts_gives_the_logits_of_each_alone() -> Result<()> {
    let model = tiny()?;
    let (a, b) = ([5i64, 9, 200, 31], [77i64, 3, 5]);
    let alone = Tensor::cat(&[model.logits(&row(&a))?, model.logits(&row(&b))?], 0)?;
    let mut packed = row(&[&a[..], &b[..]].concat());
    packed.start = vec![0, 0, 0, 0, 4, 4, 4];
    assert!(distance(&model.logits(&packed)?, &alone)? < 1e-4);
    Ok(())
}

/// The path of a GPU: no fused operation takes bf16.
#[test]
fn a_bf16_model_gives_nearly_the_same_loss_and_adapter_gradients() -> Result<()> {
    let examples = examples(5, 9);
    let run = |dtype: DType| -> Result<(f64, Gradients, Model)> {
        let mut model = io::load(&data("model"), dtype, &Device::Cpu)?;
        lora::load(&mut model, &data("adapter"))?;
        let (loss, gradients) = loss_of(&model, &examples, Recompute::Full)?;
        Ok((loss, gradients, model))
    };
    let (loss, gradients, model) = run(DType::BF16)?;
    let (expected_loss, expected, _) = run(DType::F32)?;
    assert!((loss - expected_loss).abs() < 0.05 * expected_loss, "{loss} is not {expected_loss}");
    for parameter in model.trainable() {
        let found = gradients.get(&parameter.name).expect("every adapter has a gradient");
        let expected = expected.get(&parameter.name).expect("here too");
        let norm = |x: &Tensor| ops::sum_of_squares(&[x]).map(f64::sqrt);
        let off = norm(&(found - expected)?)? / norm(expected)?;
        assert!(off < 0.1, "{} is off by {off}", parameter.name);
    }
    assert_eq!(greedy(&model, &[vec![5, 6, 7]], &[2], 4)?[0].len(), 4);
    Ok(())
}
