//! What a step is made of: packed rows, micro-batches, the learning rate.

use anyhow::Result;
use candle_core::{Device, Tensor};
use cookc::model::{Gradients, Model, Training, lora};
use cookc::train::batch::{Pass, passes};
use cookc::train::noise::Noise;
use cookc::train::schedule::learning_rate;
use cookc::train::{Example, Schedule, Settings, Trainer};

use super::{data, distance, grouped, quick, reference, tiny};

#[test]
fn packed_rows_give_the_loss_and_the_gradients_of_rows_of_one_sample_each() -> Result<()> {
    let mut adapted = tiny()?;
    lora::load(&mut adapted, &data("adapter"))?;
    for model in [grouped(true)?, adapted] {
        let examples = uneven(9);
        let alone = passes(&examples, 1, 128, false)?;
        assert_eq!(alone.len(), examples.len());
        let packed = passes(&examples, 40, 128, true)?;
        assert!(packed.len() > 1, "there are several rectangles");
        assert!(places(&packed) < examples.len() * 14, "rows are shared");
        let ((loss, gradients), (expected_loss, expected)) =
            (summed(&model, &packed)?, summed(&model, &alone)?);
        assert!((loss - expected_loss).abs() < 1e-4, "{loss} is not {expected_loss}");
        for parameter in model.trainable() {
            let found = gradients.get(&parameter.name).expect("all that learns has a gradient");
            let expected = expected.get(&parameter.name).expect("here too");
            let size = expected.abs()?.max_all()?.to_scalar::<f32>()?;
            let off = distance(found, expected)? / size;
            assert!(off < 1e-4, "{} is off by {off}", parameter.name);
        }
    }
    Ok(())
}

#[test]
fn a_packed_sample_sees_nothing_of_its_neighbours() -> Result<()> {
    let model = grouped(true)?;
    let mut pass = passes(&uneven(4), 1000, 128, true)?.remove(0);
    let inputs = &pass.inputs;
    let row = (0..inputs.batch)
        .find(|row| inputs.start[row * inputs.time..][..inputs.time].iter().any(|&s| s > 0))
        .expect("a row with two samples");
    let second = inputs.start[row * inputs.time..][..inputs.time]
        .iter()
        .position(|&start| start > 0)
        .expect("the second begins somewhere");
    let (first, end) = (row * inputs.time, (row + 1) * inputs.time);
    // The loss of the row's second sample alone, whatever stands in the first.
    pass.labels.retain(|(place, _)| (first + second..end).contains(&(*place as usize)));
    assert!(!pass.labels.is_empty());
    let (before, _) = summed(&model, std::slice::from_ref(&pass))?;
    pass.inputs.ids[first..first + second].iter_mut().for_each(|id| *id = (*id + 1) % 40);
    let (after, _) = summed(&model, std::slice::from_ref(&pass))?;
    assert_eq!(before, after);
    // And that of the first, whatever stands in the second.
    pass.labels = vec![((first + second - 1) as u32, 5)];
    let (before, _) = summed(&model, std::slice::from_ref(&pass))?;
    pass.inputs.ids[first + second..end].iter_mut().for_each(|id| *id = (*id + 1) % 40);
    assert_eq!(before, summed(&model, std::slice::from_ref(&pass))?.0);
    Ok(())
}

#[test]
fn every_target_of_every_sample_is_in_the_rectangles_once() -> Result<()> {
    let examples = uneven(23);
    let mut wanted: Vec<u32> = examples.iter().flat_map(targets).collect();
    wanted.sort_unstable();
    for (packing, places_max) in [(false, 1), (false, 50), (true, 1), (true, 50), (true, 1000)] {
        let passes = passes(&examples, places_max, 128, packing)?;
        let labels = passes.iter().flat_map(|pass| pass.labels.iter().map(|label| label.1));
        let mut found: Vec<u32> = labels.collect();
        found.sort_unstable();
        assert_eq!(found, wanted);
        let fits = |pass: &Pass| pass.inputs.batch == 1 || pass.inputs.ids.len() <= places_max;
        assert!(passes.iter().all(fits), "{places_max} places at once");
    }
    Ok(())
}

#[test]
fn a_step_of_uneven_micro_batches_is_the_step_of_all_at_once() -> Result<()> {
    let examples = uneven(8);
    let stepped = |batch: usize, accumulate: usize| -> Result<(f64, f64, Model)> {
        let mut model = grouped(true)?;
        let settings = Settings { batch, accumulate, ..quick(4) };
        let mut trainer = Trainer::new(&mut model, &settings)?;
        trainer.step(&examples)?;
        let progress = trainer.step(&examples)?;
        Ok((progress.loss, progress.gradient_norm, model))
    };
    let (loss, norm, model) = stepped(8, 1)?;
    for (batch, accumulate) in [(2, 4), (3, 3), (1, 8)] {
        let (accumulated, accumulated_norm, other) = stepped(batch, accumulate)?;
        assert!((accumulated - loss).abs() < 1e-5, "{accumulated} is not {loss}");
        assert!((accumulated_norm - norm).abs() < 1e-4, "{accumulated_norm} is not {norm}");
        for (a, b) in model.trainable().iter().zip(other.trainable()) {
            assert!(distance(&a.value, &b.value)? < 2e-3, "{}", a.name);
            assert!(mean_distance(&a.value, &b.value)? < 2e-5, "{}", a.name);
        }
    }
    // The micro-batches differ in label tokens, so a mean of their means would be something else.
    let model = grouped(true)?;
    let mean = |some: &[Example]| -> Result<f64> {
        let passes = passes(some, 1000, 128, true)?;
        let labels: usize = passes.iter().map(|pass| pass.labels.len()).sum();
        Ok(summed(&model, &passes)?.0 / labels as f64)
    };
    let means = examples.chunks(3).map(mean).collect::<Result<Vec<_>>>()?;
    let of_means = means.iter().sum::<f64>() / means.len() as f64;
    assert!((of_means - mean(&examples)?).abs() > 1e-3, "{of_means}");
    Ok(())
}

#[test]
fn the_learning_rate_climbs_and_then_falls_to_the_lowest() {
    let settings = |schedule, min_learning_rate| Settings {
        steps: 100,
        learning_rate: 2.0,
        warmup: 0.1,
        schedule,
        min_learning_rate,
        ..Settings::default()
    };
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    for schedule in [Schedule::Cosine, Schedule::Linear, Schedule::Constant] {
        let settings = settings(schedule, 0.1);
        near(learning_rate(&settings, 0), 0.2);
        near(learning_rate(&settings, 9), 2.0);
        near(learning_rate(&settings, 10), 2.0);
        let rates: Vec<f64> = (10..=100).map(|done| learning_rate(&settings, done)).collect();
        assert!(rates.is_sorted_by(|a, b| a >= b), "{rates:?}");
        near(rates[90], if schedule == Schedule::Constant { 2.0 } else { 0.2 });
    }
    // Halfway down both shapes lie in the middle between the highest and the lowest.
    near(learning_rate(&settings(Schedule::Linear, 0.5), 55), 1.5);
    near(learning_rate(&settings(Schedule::Cosine, 0.5), 55), 1.5);
    near(learning_rate(&settings(Schedule::Cosine, 0.0), 100), 0.0);
}

#[test]
fn the_second_halves_of_adapters_learn_at_the_ratio_of_lora_plus() -> Result<()> {
    let change = |lora_plus_ratio: f64| -> Result<Vec<(String, Tensor)>> {
        let mut model = grouped(true)?;
        lora::attach(&mut model, &lora::Lora::all_linear(2, 4.0), 3)?;
        let before: Vec<Tensor> = model.trainable().iter().map(|p| p.value.clone()).collect();
        let settings = Settings { lora_plus_ratio, weight_decay: 0.1, ..quick(10) };
        Trainer::new(&mut model, &settings)?.step(&uneven(4))?;
        let changes = model.trainable().into_iter().zip(before);
        changes.map(|(after, before)| Ok((after.name.clone(), (&after.value - before)?))).collect()
    };
    for ((name, plain), (_, with)) in change(1.0)?.iter().zip(change(8.0)?) {
        // A is pulled to 0 at the plain rate; B, which is 0, moves by its rate.
        let ratio = if name.contains("lora_B") { 8.0 } else { 1.0 };
        let off = distance(&(plain * ratio)?, &with)?;
        assert!(off < 1e-6, "{name} is off by {off}");
        assert!(with.abs()?.max_all()?.to_scalar::<f32>()? > 1e-6, "{name} moves");
    }
    Ok(())
}

#[test]
fn noise_is_of_its_strength_and_hangs_on_seed_step_and_sample_alone() -> Result<()> {
    let (examples, width) = (uneven(7), 24);
    let noise = |seed, step, packing, first| -> Result<Vec<(usize, Vec<f32>)>> {
        let noise = Noise { alpha: 5.0, seed, step };
        let mut of_samples = Vec::new();
        for pass in passes(&examples, 40, 128, packing)? {
            let tensor = noise.of(&pass, first, width, &Device::Cpu)?.expect("it has a strength");
            let rows = tensor.to_vec2::<f32>()?;
            for placed in &pass.samples {
                of_samples.push((placed.sample, rows[placed.places.clone()].concat()));
            }
            let filled: usize = pass.samples.iter().map(|placed| placed.places.len()).sum();
            let quiet = rows.iter().filter(|row| row.iter().all(|x| *x == 0.0)).count();
            assert_eq!(filled + quiet, rows.len(), "the filling has none");
        }
        of_samples.sort_by_key(|(sample, _)| *sample);
        Ok(of_samples)
    };
    let found = noise(1, 2, true, 0)?;
    for (sample, values) in &found {
        let limit = 5.0 / ((examples[*sample].ids.len() * width) as f32).sqrt();
        let largest = values.iter().fold(0f32, |most, x| most.max(x.abs()));
        assert!(largest <= limit && largest > 0.9 * limit, "{largest} of {limit}");
    }
    assert_eq!(found, noise(1, 2, false, 0)?, "rows do not matter");
    for other in [noise(2, 2, true, 0)?, noise(1, 3, true, 0)?, noise(1, 2, true, 7)?] {
        assert!(found.iter().zip(&other).all(|(a, b)| a.1 != b.1));
    }
    let none = Noise { alpha: 0.0, seed: 1, step: 2 };
    assert!(none.of(&passes(&examples, 40, 128, true)?[0], 0, width, &Device::Cpu)?.is_none());
    Ok(())
}

#[test]
fn noise_changes_a_steps_loss_and_no_noise_does_not() -> Result<()> {
    let loss = |neftune_alpha: f64| -> Result<f64> {
        let mut model = grouped(true)?;
        let settings = Settings { neftune_alpha, ..quick(4) };
        Ok(Trainer::new(&mut model, &settings)?.step(&uneven(4))?.loss)
    };
    assert_eq!(loss(5.0)?, loss(5.0)?);
    assert_ne!(loss(5.0)?, loss(0.0)?);
    // The gradients are those of the noisy loss: a small change of a weight changes it by them.
    let model = grouped(true)?;
    let pass = passes(&uneven(3), 1000, 128, true)?.remove(0);
    let noise = Noise { alpha: 50.0, seed: 1, step: 1 }.of(&pass, 0, 24, &Device::Cpu)?;
    let noisy = |model: &Model| -> Result<(f64, Gradients)> {
        let mut gradients = Gradients::new(true);
        let (inputs, labels) = (&pass.inputs, &pass.labels);
        let training = Training { noise: noise.as_ref(), ..Training::default() };
        let loss = model.loss(inputs, labels, &training, &mut gradients)?;
        Ok((loss, gradients))
    };
    let (before, gradients) = noisy(&model)?;
    let name = "model.layers.0.mlp.up_proj.weight";
    let gradient = gradients.get(name).expect("it learns");
    let mut moved = model.clone();
    let all = moved.trainable_mut();
    let weight = all.into_iter().find(|p| p.name == name).expect("it is there");
    weight.value = (&weight.value + (gradient * 1e-4)?)?;
    let expected = 1e-4 * f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
    let found = noisy(&moved)?.0 - before;
    assert!((found - expected).abs() < 0.1 * expected, "{found} is not {expected}");
    Ok(())
}

/// Samples of 5 to 14 tokens, of which the last 1 to 4 are the reply.
fn uneven(count: usize) -> Vec<Example> {
    let example = |number: usize| {
        let (tokens, reply) = (5 + number * 7 % 10, 1 + number * 3 % 4);
        let ids = reference::noise(&format!("uneven {number}"), tokens);
        let ids: Vec<u32> = ids.iter().map(|x| x.to_bits() % 37 + 3).collect();
        Example::new(&ids[..tokens - reply], &ids[tokens - reply..])
    };
    (0..count).map(example).collect()
}

fn targets(example: &Example) -> Vec<u32> {
    let marked = example.ids.iter().zip(&example.loss).filter(|(_, target)| **target);
    marked.map(|(id, _)| *id).collect()
}

fn places(passes: &[Pass]) -> usize {
    passes.iter().map(|pass| pass.inputs.ids.len()).sum()
}

fn summed(model: &Model, passes: &[Pass]) -> Result<(f64, Gradients)> {
    let (mut loss, mut gradients) = (0.0, Gradients::new(!model.has_adapters()));
    for pass in passes {
        loss += model.loss(&pass.inputs, &pass.labels, &Training::default(), &mut gradients)?;
    }
    Ok((loss, gradients))
}

fn mean_distance(a: &Tensor, b: &Tensor) -> Result<f32> {
    Ok((a - b)?.abs()?.mean_all()?.to_scalar()?)
}
