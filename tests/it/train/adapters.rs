//! Adapters beyond plain LoRA: DoRA against PEFT, dropout, and weights in four bits beneath.

use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use cookc::model::linear::Weight;
use cookc::model::{Gradients, Model, Recompute, Training, lora, walk};

use super::{data, distance, examples, grouped, loss_of, row, step_batch, tensors, tiny};

#[test]
fn loss_and_every_gradient_of_dora_equal_pefts() -> Result<()> {
    let mut model = tiny()?;
    lora::load(&mut model, &data("dora"))?;
    let (examples, _) = step_batch()?;
    let mut reference = tensors("dora/gradients.safetensors")?;
    let expected_loss = reference.remove("loss").expect("a loss").to_vec1::<f32>()?[0];
    for recompute in [Recompute::None, Recompute::Full] {
        let (loss, gradients) = loss_of(&model, &examples, recompute)?;
        assert!((loss - f64::from(expected_loss)).abs() < 1e-4, "{loss} is not {expected_loss}");
        assert_eq!(model.learning().len(), reference.len());
        for (name, expected) in &reference {
            let found = gradients.get(name).expect("all that learns has a gradient");
            let size = expected.abs()?.max_all()?.to_scalar::<f32>()?;
            let off = distance(found, expected)? / size;
            assert!(off < 1e-4, "{name} is off by {off}");
        }
    }
    Ok(())
}

#[test]
fn a_merged_dora_adapter_is_the_same_function() -> Result<()> {
    let mut model = tiny()?;
    lora::load(&mut model, &data("dora"))?;
    let inputs = row(&[4, 8, 15, 16, 23, 42]);
    let merged = lora::merged(&model)?;
    assert!(distance(&model.logits(&inputs)?, &merged.logits(&inputs)?)? < 1e-4);
    assert!(distance(&model.logits(&inputs)?, &tiny()?.logits(&inputs)?)? > 1e-2);
    Ok(())
}

#[test]
fn a_fresh_dora_adapter_changes_nothing_and_is_read_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let plain = tiny()?;
    let mut model = tiny()?;
    let settings = lora::Lora { dora: true, dropout: 0.1, ..lora::Lora::all_linear(4, 8.0) };
    lora::attach(&mut model, &settings, 3)?;
    let inputs = row(&[4, 8, 15, 16]);
    assert!(distance(&model.logits(&inputs)?, &plain.logits(&inputs)?)? < 1e-5);
    lora::save(&model, &settings, "model", folder.path())?;
    let mut again = tiny()?;
    assert_eq!(lora::load(&mut again, folder.path())?.dropout, 0.1);
    assert_eq!(distance(&model.logits(&inputs)?, &again.logits(&inputs)?)?, 0.0);
    Ok(())
}

#[test]
fn gradients_go_through_dropout_as_the_loss_does() -> Result<()> {
    let mut model = grouped(true)?;
    let settings = lora::Lora { dropout: 0.4, ..lora::Lora::all_linear(3, 6.0) };
    lora::attach(&mut model, &settings, 3)?;
    for (at, parameter) in model.learning_mut().into_iter().enumerate() {
        let noise = super::reference::noise(&parameter.name, parameter.value.elem_count());
        let noise = Tensor::from_vec(noise, parameter.value.shape(), &Device::Cpu)?;
        parameter.value = (noise * if at % 2 == 0 { 0.2 } else { 0.1 })?;
    }
    let (loss, gradients) = dropped_loss(&model, 1)?;
    assert_eq!(loss, dropped_loss(&model, 1)?.0, "the key alone decides");
    assert_ne!(loss, dropped_loss(&model, 2)?.0, "another key drops others");
    // The slope along the gradient is its squared length.
    let squares = gradients.norm()?.powi(2);
    let step = 1e-3 / squares.sqrt();
    let moved = |sign: f64| -> Result<f64> {
        let mut model = model.clone();
        for parameter in model.learning_mut() {
            let gradient = gradients.get(&parameter.name).expect("all have one");
            parameter.value = (&parameter.value + (gradient * (sign * step))?)?;
        }
        Ok(dropped_loss(&model, 1)?.0)
    };
    let slope = (moved(1.0)? - moved(-1.0)?) / (2.0 * step);
    assert!((slope / squares - 1.0).abs() < 0.01, "{slope} is not {squares}");
    Ok(())
}

#[test]
fn dropout_leaves_out_its_share_and_keeps_the_mean() -> Result<()> {
    let x = Tensor::ones((400, 250), DType::F32, &Device::Cpu)?;
    let fused = cookc::ops::cpu::dropout(&x, 0.3, 5)?;
    assert_eq!(distance(&fused, &cookc::ops::plain::dropout(&x, 0.3, 5)?)?, 0.0);
    let zeros = fused.eq(0f32)?.to_dtype(DType::F32)?.mean_all()?.to_scalar::<f32>()?;
    assert!((zeros - 0.3).abs() < 0.01, "{zeros}");
    assert!((fused.mean_all()?.to_scalar::<f32>()? - 1.0).abs() < 0.01);
    Ok(())
}

#[test]
fn adapters_learn_above_weights_in_four_bits_as_above_what_those_stand_for() -> Result<()> {
    let mut quantised = tiny()?;
    walk::quantise(&mut quantised)?;
    let mut plain = tiny()?;
    for (four_bits, linear) in quantised.linears().zip(plain.linears_mut()) {
        if let (Weight::Nf4(_, nf4), Weight::Plain(weight)) =
            (&four_bits.weight, &mut linear.weight)
        {
            weight.value = nf4.matrix(DType::F32)?;
        }
    }
    for model in [&mut quantised, &mut plain] {
        lora::load(model, &data("adapter"))?;
    }
    let (loss, gradients) = loss_of(&quantised, &step_batch()?.0, Recompute::None)?;
    let (expected_loss, expected) = loss_of(&plain, &step_batch()?.0, Recompute::None)?;
    assert_eq!(loss, expected_loss);
    for parameter in quantised.learning() {
        let [found, expected] =
            [&gradients, &expected].map(|all| all.get(&parameter.name).expect("a gradient"));
        assert_eq!(distance(found, expected)?, 0.0, "{}", parameter.name);
    }
    // Four bits are near what they were made of, and cannot be merged into.
    let (exact, _) = loss_of(
        &{
            let mut model = tiny()?;
            lora::load(&mut model, &data("adapter"))?;
            model
        },
        &step_batch()?.0,
        Recompute::None,
    )?;
    assert!((loss - exact).abs() < 0.3, "{loss} is far from {exact}");
    assert!(lora::merged(&quantised).expect_err("four bits").to_string().contains("four bits"));
    Ok(())
}

fn dropped_loss(model: &Model, key: u64) -> Result<(f64, Gradients)> {
    let training = Training { dropout: Some(key), ..Training::default() };
    let mut gradients = Gradients::new(false);
    let mut loss = 0.0;
    for pass in cookc::train::batch::passes(&examples(4, 9), 100, 128, false)? {
        loss += model.loss(&pass.inputs, &pass.labels, &training, &mut gradients)?;
    }
    Ok((loss, gradients))
}
