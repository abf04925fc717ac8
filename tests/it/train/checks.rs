//! What stops a step, and that it stops it before anything is changed.

use anyhow::Result;
use candle_core::{Device, Tensor};
use cookc::model::{Gradients, Model, lora};
use cookc::train::{Example, NotFinite, Settings, Trainer, checks, train};

use super::{examples, go_on, grouped, quick};

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_names_the_step() -> Result<()> {
    let mut model = grouped(true)?;
    let settings = Settings { learning_rate: 1e30, clip_norm: 0.0, ..quick(10) };
    let mut trainer = Trainer::new(&mut model, &settings)?;
    let error = train(&mut trainer, &mut |_| Ok(examples(2, 9)), &mut go_on).expect_err("NaN");
    assert!(error.to_string().starts_with("at step "), "{error}");
    assert!(error.downcast_ref::<NotFinite>().is_some());
    Ok(())
}

#[test]
fn the_sample_that_gives_no_number_is_found_and_nothing_is_changed() -> Result<()> {
    /// Only a sample that shows this id gives no number.
    const POISON: usize = 2;
    let mut model = grouped(false)?;
    let (rows, width) = model.trainable()[0].value.dims2()?;
    let mut table = model.trainable()[0].value.flatten_all()?.to_vec1::<f32>()?;
    table[POISON * width..][..width].fill(f32::NAN);
    model.trainable_mut()[0].value = Tensor::from_vec(table, (rows, width), &Device::Cpu)?;
    let mut samples: Vec<Example> = examples(4, 9);
    let mut trainer = Trainer::new(&mut model, &quick(9))?;
    trainer.step(&samples)?;
    let before = bits(trainer.model)?;
    samples[2].ids[1] = POISON as u32;
    let error = trainer.step(&samples).expect_err("a sample is poisoned");
    let found = error.downcast_ref::<NotFinite>().expect("it says which");
    assert_eq!((found.step, found.sample), (2, Some(2)));
    assert!(trainer.steps_done() == 1 && bits(trainer.model)? == before, "nothing was changed");
    samples.remove(2);
    assert_eq!(trainer.step(&samples)?.step, 2, "without the sample it goes on");
    Ok(())
}

#[test]
fn an_adapter_that_no_gradient_reaches_is_named_at_the_first_step() -> Result<()> {
    let mut model = grouped(true)?;
    // What attention gives is thrown away in the second block.
    let output = "model.layers.1.self_attn.o_proj.weight";
    let all = model.trainable_mut();
    let output = all.into_iter().find(|p| p.name == output).expect("it is there");
    output.value = output.value.zeros_like()?;
    lora::attach(&mut model, &lora::Lora::all_linear(2, 4.0), 3)?;
    let before = bits(&model)?;
    let mut trainer = Trainer::new(&mut model, &quick(9))?;
    let error = format!("{:#}", trainer.step(&examples(4, 9)).expect_err("it cannot learn"));
    let name = "model.layers.1.self_attn.q_proj.lora_B.weight";
    assert!(error.contains("at step 1") && error.contains(name), "{error}");
    assert!(trainer.steps_done() == 0 && bits(trainer.model)? == before, "nothing was changed");
    Ok(())
}

#[test]
fn the_first_half_of_an_adapter_needs_a_gradient_once_the_second_is_not_zero() -> Result<()> {
    let mut model = grouped(true)?;
    lora::attach(&mut model, &lora::Lora::all_linear(2, 4.0), 3)?;
    let name = model.trainable()[4].name.clone();
    assert!(name.ends_with("lora_A.weight"), "{name}");
    let mut gradients = Gradients::new(false);
    for parameter in model.trainable().iter().filter(|p| p.name != name) {
        gradients.add(&parameter.name, &parameter.value.ones_like()?)?;
    }
    checks::every_adapter_learns(&model, &gradients)?;
    let b = &mut model.trainable_mut()[5].value;
    *b = b.ones_like()?;
    let error = checks::every_adapter_learns(&model, &gradients).expect_err("B is not zero now");
    assert!(error.to_string().contains(&name), "{error}");
    Ok(())
}

/// All weights, as bits: what is no number equals itself.
fn bits(model: &Model) -> Result<Vec<u32>> {
    let mut bits = Vec::new();
    for parameter in model.parameters() {
        let values = parameter.value.flatten_all()?.to_vec1::<f32>()?;
        bits.extend(values.iter().map(|value| value.to_bits()));
    }
    Ok(bits)
}
