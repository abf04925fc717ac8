//! The model and the trainer, small and on the CPU.

mod adapters;
mod beside;
mod candle;
mod chat;
mod checks;
mod config_keys;
mod cuda;
mod families;
mod files;
mod gguf;
mod gguf_hostile;
mod gguf_keys;
mod gguf_tokenizer;
mod group;
mod hub;
mod ids;
mod ids_shapes;
mod kernels;
mod packed;
mod passes;
mod placement;
mod reference;
mod smollm2;
mod steps;
mod stored;
mod templates;

use std::path::PathBuf;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use cookc::model::{
    Config, Gradients, Inputs, Model, Recompute, Tokenizer, Training, greedy, io, lora, weights,
};
use cookc::train::{Control, Example, Progress, Schedule, Settings, Trainer, train};

#[test]
fn logits_equal_the_reference() -> Result<()> {
    let model = tiny()?;
    let reference = tensors("logits.safetensors")?;
    for name in ["a", "b", "c"] {
        let ids: Vec<i64> = reference[&format!("{name}.input_ids")].to_vec1()?;
        let logits = model.logits(&row(&ids))?;
        let positions = &reference[&format!("{name}.positions")];
        let picked = logits.index_select(positions, 0)?;
        assert!(distance(&picked, &reference[&format!("{name}.logits")])? < 1e-4);
        let best: Vec<u32> = logits.argmax(1)?.to_vec1()?;
        let expected: Vec<i64> = reference[&format!("{name}.argmax")].to_vec1()?;
        assert_eq!(best.iter().map(|&id| i64::from(id)).collect::<Vec<_>>(), expected);
    }
    Ok(())
}

#[test]
fn loss_and_every_adapter_gradient_equal_the_reference() -> Result<()> {
    let mut model = tiny()?;
    lora::load(&mut model, &data("adapter"))?;
    let (examples, loss) = step_batch()?;
    for recompute in [Recompute::None, Recompute::Mlp, Recompute::Full] {
        let (found, gradients) = loss_of(&model, &examples, recompute)?;
        assert!((found - loss).abs() < 1e-4, "{found} is not {loss}");
        let reference = tensors("step_grads.safetensors")?;
        assert_eq!(model.trainable().len(), reference.len());
        for (name, expected) in &reference {
            let found = gradients.get(name).expect("every adapter has a gradient");
            let relative =
                distance(found, expected)? / expected.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(relative < 1e-4, "{name} is off by {relative}");
        }
    }
    Ok(())
}

#[test]
fn adamw_steps_equal_the_reference() -> Result<()> {
    let mut model = tiny()?;
    lora::load(&mut model, &data("adapter"))?;
    let (examples, _) = step_batch()?;
    let text = std::fs::read_to_string(data("adamw.json"))?;
    let expected: serde_json::Value = serde_json::from_str(&text)?;
    let settings = Settings {
        steps: 10,
        learning_rate: 1e-3,
        schedule: Schedule::Constant,
        warmup: 0.0,
        ..Settings::default()
    };
    let mut trainer = Trainer::new(&mut model, &settings)?;
    for step in 0..10 {
        let progress = trainer.step(&examples)?;
        let loss = expected["losses"][step].as_f64().expect("a number");
        let norm = expected["grad_norms_before_clip"][step].as_f64().expect("a number");
        // Rounding grows from step to step.
        let tolerance = if step < 3 { 1e-4 } else { 2e-3 };
        assert!((progress.loss - loss).abs() < tolerance, "step {step}: {}", progress.loss);
        assert!((progress.gradient_norm - norm).abs() < tolerance * 3.0, "step {step}");
        if step == 0 {
            for (name, expected) in tensors("after_adamw_step1.safetensors")? {
                let learning = trainer.model.trainable();
                let found = learning.iter().find(|p| p.name == name).expect("it is an adapter");
                // A first step is rate × the gradient's sign: where that is next to 0, rounding
                // decides, so single elements may differ.
                let off = (&found.value - &expected)?.abs()?.mean_all()?.to_scalar::<f32>()?;
                assert!(off < 2e-6, "{name} is off by {off}");
            }
        }
    }
    Ok(())
}

#[test]
fn eight_samples_are_learnt_by_heart() -> Result<()> {
    let mut model = grouped(true)?;
    let examples = examples(8, 10);
    let settings = quick(60);
    let mut trainer = Trainer::new(&mut model, &settings)?;
    let summary = train(&mut trainer, &mut |_| Ok(examples.clone()), &mut go_on)?;
    assert!(summary.loss_last < 0.05, "the loss is still {}", summary.loss_last);
    let prompts: Vec<Vec<u32>> = examples.iter().map(|e| e.ids[..7].to_vec()).collect();
    let replies = greedy(&model, &prompts, &[1], 3)?;
    for (example, reply) in examples.iter().zip(replies) {
        assert_eq!(example.ids[7..], reply);
    }
    Ok(())
}

#[test]
fn adapters_learn_and_the_weights_beneath_stay() -> Result<()> {
    let mut model = grouped(true)?;
    let before = model.clone();
    lora::attach(&mut model, &lora::Lora::all_linear(4, 8.0), 3)?;
    let examples = examples(4, 9);
    let (unchanged, _) = loss_of(&before, &examples, Recompute::None)?;
    let (fresh, _) = loss_of(&model, &examples, Recompute::None)?;
    assert_eq!(unchanged, fresh, "a fresh adapter changes nothing");
    let mut trainer = Trainer::new(&mut model, &quick(30))?;
    let summary = train(&mut trainer, &mut |_| Ok(examples.clone()), &mut go_on)?;
    assert!(summary.loss_last < summary.loss_first / 2.0, "{summary:?}");
    for parameter in before.parameters() {
        let all = model.parameters();
        let after = all.iter().find(|p| p.name == parameter.name).expect("it is still there");
        assert_eq!(distance(&parameter.value, &after.value)?, 0.0, "{}", parameter.name);
    }
    Ok(())
}

#[test]
fn a_merged_adapter_is_the_same_function() -> Result<()> {
    let mut model = tiny()?;
    lora::load(&mut model, &data("adapter"))?;
    let merged = lora::merged(&model)?;
    assert!(!merged.has_adapters());
    let inputs = row(&[4, 8, 15, 16, 23, 42]);
    let (with, without) = (model.logits(&inputs)?, merged.logits(&inputs)?);
    assert!(distance(&with, &without)? < 1e-4);
    assert!(distance(&with, &tiny()?.logits(&inputs)?)? > 1e-2, "the adapter does something");
    Ok(())
}

#[test]
fn the_loss_is_blind_to_the_prompt() -> Result<()> {
    let model = grouped(true)?;
    let example = &examples(1, 10)[0];
    let mut inputs = row(&example.ids.iter().map(|&id| i64::from(id)).collect::<Vec<_>>());
    inputs.ids.pop();
    inputs.start.pop();
    inputs.time -= 1;
    let log_probabilities = {
        let logits = model.logits(&inputs)?;
        let top = logits.max_keepdim(1)?;
        let sum = logits.broadcast_sub(&top)?.exp()?.sum_keepdim(1)?.log()?;
        logits.broadcast_sub(&(sum + top)?)?.to_vec2::<f32>()?
    };
    let by_hand: f32 = (7..10).map(|t| -log_probabilities[t - 1][example.ids[t] as usize]).sum();
    let (loss, _) = loss_of(&model, std::slice::from_ref(example), Recompute::None)?;
    assert!((loss - f64::from(by_hand) / 3.0).abs() < 1e-5, "only the reply's tokens count");
    Ok(())
}

#[test]
fn greedy_text_of_a_fixed_model_stays_byte_for_byte() -> Result<()> {
    let model = tiny()?;
    let names: Vec<String> = (0..220).map(|i| format!("w{i}")).collect();
    let tokenizer = Tokenizer::words(&names)?;
    assert_eq!(tokenizer.vocab_size(), model.config.vocab_size);
    let prompts = ["w1 w2 w3", "w7: w7\nw9", "w100"];
    let ids = prompts.iter().map(|p| tokenizer.encode(p)).collect::<Result<Vec<_>>>()?;
    let replies = greedy(&model, &ids, tokenizer.ends(), 8)?;
    let texts = replies.iter().map(|ids| tokenizer.decode(ids)).collect::<Result<Vec<_>>>()?;
    let expected = [
        "w129^>w150 w188 w69 w160\\",
        "w86 w150 w198 w150 w51 w150 w98 w27",
        "w163 w57 w67 w69 w92 w43 w27",
    ];
    assert_eq!(texts, expected);
    // The cache gives what reading all from the start would give.
    for (prompt, reply) in ids.iter().zip(replies) {
        let mut text: Vec<i64> = prompt.iter().map(|&id| i64::from(id)).collect();
        for id in reply {
            let logits = model.logits(&row(&text))?;
            let best = logits.get(text.len() - 1)?.argmax(0)?.to_scalar::<u32>()?;
            assert_eq!(best, id);
            text.push(i64::from(id));
        }
    }
    Ok(())
}

#[test]
fn a_greedy_reply_does_not_depend_on_the_rest_of_the_batch() -> Result<()> {
    let model = tiny()?;
    let prompts: Vec<Vec<u32>> =
        (1..20u32).map(|n| (0..n).map(|i| (i * 37 + n * 11) % 256).collect()).collect();
    let together = greedy(&model, &prompts, &[2], 6)?;
    for (prompt, reply) in prompts.iter().zip(together) {
        assert_eq!(greedy(&model, std::slice::from_ref(prompt), &[2], 6)?[0], reply);
    }
    Ok(())
}

#[test]
fn saved_and_resumed_is_as_if_never_stopped() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("checkpoints/step-4.safetensors");
    for adapters in [false, true] {
        let start = || -> Result<Model> {
            let mut model = grouped(true)?;
            if adapters {
                lora::attach(&mut model, &lora::Lora::all_linear(2, 4.0), 3)?;
            }
            Ok(model)
        };
        let settings = quick(8);
        let mut batches = |step: u64| Ok(examples(4 + step as usize, 9));
        let mut straight = start()?;
        train(&mut Trainer::new(&mut straight, &settings)?, &mut batches, &mut go_on)?;

        let mut stopped = start()?;
        let mut trainer = Trainer::new(&mut stopped, &settings)?;
        let summary = train(&mut trainer, &mut batches, &mut |progress, trainer| {
            if progress.step < 4 {
                return Ok(Control::Continue);
            }
            trainer.save(&path)?;
            Ok(Control::Stop)
        })?;
        assert!(summary.stopped);
        let mut resumed = start()?;
        let mut trainer = Trainer::resume(&mut resumed, &settings, &path)?;
        assert_eq!(trainer.steps_done(), 4);
        train(&mut trainer, &mut batches, &mut go_on)?;
        for (a, b) in straight.trainable().iter().zip(resumed.trainable()) {
            let (a, b) = (a.value.flatten_all()?, b.value.flatten_all()?);
            assert_eq!(a.to_vec1::<f32>()?, b.to_vec1::<f32>()?);
        }
        let other = Settings { learning_rate: 1.0, ..settings };
        let error = Trainer::resume(&mut start()?, &other, &path).expect_err("another rate");
        assert!(error.to_string().contains("learning_rate"), "{error}");
    }
    Ok(())
}

#[test]
fn a_step_gives_the_same_bits_on_any_number_of_threads() -> Result<()> {
    let step = |threads: usize| -> Result<Vec<f32>> {
        let mut model = grouped(true)?;
        let settings = Settings { tokens_at_once: Some(20), ..quick(3) };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        pool.install(|| {
            let mut trainer = Trainer::new(&mut model, &settings)?;
            train(&mut trainer, &mut |_| Ok(examples(7, 9)), &mut go_on)
        })?;
        Ok(model.trainable()[0].value.flatten_all()?.to_vec1()?)
    };
    assert_eq!(step(1)?, step(3)?);
    Ok(())
}

/// The reference's model.
fn tiny() -> Result<Model> {
    io::load(&data("model"), DType::F32, &Device::Cpu)
}

/// A fresh model whose query heads share key heads.
fn grouped(tied: bool) -> Result<Model> {
    let mut config = Config::small(40, 24, 28, 2, 4);
    config.num_key_value_heads = 2;
    config.tie_word_embeddings = tied;
    weights::fresh(&config, 1, 0.2, &Device::Cpu)
}

/// Random samples whose last three tokens are the reply.
fn examples(count: usize, tokens: usize) -> Vec<Example> {
    let ids = reference::noise("ids", count * tokens);
    let ids: Vec<u32> = ids.iter().map(|x| x.to_bits() % 37 + 3).collect();
    ids.chunks(tokens).map(|ids| Example::new(&ids[..tokens - 3], &ids[tokens - 3..])).collect()
}

fn quick(steps: u64) -> Settings {
    Settings { steps, learning_rate: 1e-2, warmup: 0.1, ..Settings::default() }
}

fn go_on(_: &Progress, _: &Trainer<'_>) -> Result<Control> {
    Ok(Control::Continue)
}

/// One row of ids.
fn row(ids: &[i64]) -> Inputs {
    let time = ids.len();
    Inputs {
        batch: 1,
        time,
        ids: ids.iter().map(|&id| id as u32).collect(),
        start: vec![0; time],
        branches: Default::default(),
    }
}

/// Mean loss over the examples, and the gradients of that mean.
fn loss_of(model: &Model, examples: &[Example], recompute: Recompute) -> Result<(f64, Gradients)> {
    let mut sum = Gradients::new(!model.has_adapters());
    let (mut loss, mut labels) = (0.0, 0);
    let training = Training { recompute, ..Training::default() };
    for pass in cookc::train::batch::passes(examples, 30, 128, false)? {
        loss += model.loss(&pass.inputs, &pass.labels, &training, &mut sum)?;
        labels += pass.labels.len();
    }
    let mut mean = Gradients::new(sum.of_weights);
    for parameter in model.trainable() {
        let gradient = sum.get(&parameter.name).expect("all that learns has a gradient");
        mean.add(&parameter.name, &(gradient / labels as f64)?)?;
    }
    Ok((loss / labels as f64, mean))
}

fn step_batch() -> Result<(Vec<Example>, f64)> {
    let batch = tensors("step_batch.safetensors")?;
    let ids: Vec<Vec<i64>> = batch["input_ids"].to_vec2()?;
    let mask: Vec<Vec<i64>> = batch["loss_mask"].to_vec2()?;
    let rows = ids.iter().zip(&mask).map(|(ids, mask)| Example {
        ids: ids.iter().map(|&id| id as u32).collect(),
        loss: mask.iter().map(|&mark| mark == 1).collect(),
    });
    Ok((rows.collect(), f64::from(batch["loss"].to_vec1::<f32>()?[0])))
}

/// Where the package lies now: the tests may run on another machine than built them.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into()).into()
}

fn data(name: &str) -> PathBuf {
    root().join("tests/data/parity-tiny").join(name)
}

fn tensors(name: &str) -> Result<std::collections::HashMap<String, Tensor>> {
    Ok(candle_core::safetensors::load(data(name), &Device::Cpu)?)
}

/// The largest difference between two elements.
fn distance(a: &Tensor, b: &Tensor) -> Result<f32> {
    Ok((a - b)?.abs()?.max_all()?.to_scalar()?)
}
