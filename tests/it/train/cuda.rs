//! The operations on a GPU, held against those on the CPU. Where there is no GPU, each says so.

use std::io::Write;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use cookc::model::{Recompute, greedy, io, lora, nf4, weights};
use cookc::ops::{self, Angles, Attention, Mask, Quantised, Update};
use cookc::train::Trainer;

use super::{data, distance, examples, loss_of, quick, reference, step_batch, tensors, tiny};

/// One type on the GPU; the CPU computes the same numbers in f32.
struct Case {
    gpu: Device,
    dtype: DType,
}

/// A tensor on both sides, with the same numbers.
struct Both {
    cpu: Tensor,
    gpu: Tensor,
}

impl Case {
    fn both(&self, name: &str, shape: &[usize]) -> Result<Both> {
        let values = reference::noise(name, shape.iter().product());
        let exact = Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(self.dtype)?;
        Ok(Both { cpu: exact.to_dtype(DType::F32)?, gpu: exact.to_device(&self.gpu)? })
    }

    /// In f32 sums run in another order; bf16 keeps 8 bits of each number, and rounds twice where
    /// the CPU does not round.
    fn close(&self, what: &str, found: &Tensor, expected: &Tensor) -> Result<()> {
        let found = found.to_device(&Device::Cpu)?.to_dtype(DType::F32)?;
        let size = expected.abs()?.max_all()?.to_scalar::<f32>()?.max(1.0);
        let off = distance(&found, expected)? / size;
        let tolerance = if self.dtype == DType::F32 { 2e-5 } else { 1.5e-2 };
        assert!(off < tolerance, "{what} in {:?} is off by {off}", self.dtype);
        Ok(())
    }
}

/// Runs it for each type, or says that it did not. Straight to the standard error: the harness
/// would swallow what a test that passes prints.
fn on_gpu(name: &str, test: impl Fn(&Case) -> Result<()>) -> Result<()> {
    match cookc::model::device("cuda", 0) {
        Ok(gpu) => {
            let types = [DType::F32, DType::BF16].into_iter();
            types.map(|dtype| Case { gpu: gpu.clone(), dtype }).try_for_each(|case| test(&case))
        }
        Err(why) => Ok(writeln!(std::io::stderr(), "NOT RUN: {name}: {why:#}")?),
    }
}

/// Rows of less than a warp, of no multiple of four, and of more than a block's threads.
const SHAPES: [[usize; 2]; 4] = [[6, 20], [3, 33], [37, 128], [2, 4102]];

#[test]
fn norms_equal_the_cpus() -> Result<()> {
    on_gpu("norms", |case| {
        for [rows, width] in SHAPES {
            let tensor = |name| case.both(name, &[rows, width]);
            let (x, dy, onto, w) =
                (tensor("x")?, tensor("dy")?, tensor("onto")?, case.both("w", &[width])?);
            let found = ops::rms_norm(&x.gpu, &w.gpu, 1e-5)?;
            case.close("a norm", &found, &ops::rms_norm(&x.cpu, &w.cpu, 1e-5)?)?;
            for onto in [None, Some(&onto)] {
                let (a, b) = (onto.map(|onto| &onto.gpu), onto.map(|onto| &onto.cpu));
                let found = ops::rms_norm_backward(&x.gpu, &w.gpu, 1e-5, &dy.gpu, a)?;
                let expected = ops::rms_norm_backward(&x.cpu, &w.cpu, 1e-5, &dy.cpu, b)?;
                case.close("a norm's gradient", &found, &expected)?;
            }
            let found = ops::rms_norm_dweight(&x.gpu, 1e-5, &dy.gpu)?;
            let expected = ops::rms_norm_dweight(&x.cpu, 1e-5, &dy.cpu)?;
            case.close("the gradient of a norm's weight", &found, &expected)?;
        }
        Ok(())
    })
}

#[test]
fn elements_equal_the_cpus() -> Result<()> {
    on_gpu("elements", |case| {
        for shape in SHAPES {
            let tensor = |name| case.both(name, &shape);
            let (gate, up, dy) = (tensor("gate")?, tensor("up")?, tensor("dy")?);
            let found = ops::swiglu(&gate.gpu, &up.gpu)?;
            case.close("swiglu", &found, &ops::swiglu(&gate.cpu, &up.cpu)?)?;
            let found = ops::swiglu_backward(&gate.gpu, &up.gpu, &dy.gpu)?;
            let expected = ops::swiglu_backward(&gate.cpu, &up.cpu, &dy.cpu)?;
            for (found, expected) in found.iter().zip(&expected) {
                case.close("swiglu's gradient", found, expected)?;
            }
            let found = ops::dropout(&gate.gpu, 0.3, 0xfedc_ba98_7654_3210)?;
            let expected = ops::dropout(&gate.cpu, 0.3, 0xfedc_ba98_7654_3210)?;
            case.close("dropout", &found, &expected)?;
            let found = ops::sum(&[&gate.gpu, &up.gpu, &dy.gpu])?;
            case.close("a sum", &found, &ops::sum(&[&gate.cpu, &up.cpu, &dy.cpu])?)?;
            let found = ops::sum_of_squares(&[&gate.gpu, &up.gpu])?;
            let expected = ops::sum_of_squares(&[&gate.cpu, &up.cpu])?;
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} is not {expected}");
        }
        Ok(())
    })
}

#[test]
fn the_loss_and_its_gradient_equal_the_cpus() -> Result<()> {
    on_gpu("loss", |case| {
        for [rows, vocab] in SHAPES {
            let logits = case.both("logits", &[rows, vocab])?;
            let labels: Vec<u32> = (0..rows).map(|row| (row * 7 % vocab) as u32).collect();
            let (found, gradient) = ops::cross_entropy(&logits.gpu, &labels)?;
            let (expected, expected_gradient) = ops::cross_entropy(&logits.cpu, &labels)?;
            assert!((found / expected - 1.0).abs() < 1e-5, "{found} is not {expected}");
            case.close("the loss's gradient", &gradient, &expected_gradient)?;
            assert!(ops::cross_entropy(&logits.gpu, &vec![vocab as u32; rows]).is_err());
        }
        Ok(())
    })
}

#[test]
fn heads_equal_the_cpus() -> Result<()> {
    on_gpu("heads", |case| {
        for (batch, time, heads, width) in [(2, 3, 4, 10), (1, 5, 2, 64)] {
            let x = case.both("x", &[batch * time, heads * width])?;
            let f32s = Case { gpu: case.gpu.clone(), dtype: DType::F32 };
            let angle = |name| f32s.both(name, &[batch * time, width / 2]);
            let (cos, sin) = (angle("cos")?, angle("sin")?);
            let (a, b) =
                (Angles { cos: cos.gpu, sin: sin.gpu }, Angles { cos: cos.cpu, sin: sin.cpu });
            for (a, b) in [(None, None), (Some(&a), Some(&b))] {
                let found = ops::split_heads(&x.gpu, batch, heads, a)?;
                let expected = ops::split_heads(&x.cpu, batch, heads, b)?;
                case.close("heads split", &found, &expected)?;
                let found = ops::merge_heads(&found, a)?;
                case.close("heads merged", &found, &ops::merge_heads(&expected, b)?)?;
            }
        }
        Ok(())
    })
}

#[test]
fn rows_at_places_equal_the_cpus() -> Result<()> {
    on_gpu("rows", |case| {
        for [rows, width] in SHAPES {
            let x = case.both("x", &[rows, width])?;
            let places: Vec<u32> = (0..rows as u32).rev().step_by(2).collect();
            let at = |device| Tensor::from_slice(&places, places.len(), device);
            let (a, b) = (at(&case.gpu)?, at(&Device::Cpu)?);
            let found = ops::select_rows(&x.gpu, &a)?;
            let expected = ops::select_rows(&x.cpu, &b)?;
            case.close("rows", &found, &expected)?;
            let found = ops::spread_rows(&found, &a, rows)?;
            case.close("rows back", &found, &ops::spread_rows(&expected, &b, rows)?)?;
        }
        Ok(())
    })
}

#[test]
fn products_of_views_equal_the_cpus() -> Result<()> {
    on_gpu("products", |case| {
        let (x, y, onto) =
            (case.both("x", &[6, 20])?, case.both("y", &[6, 20])?, case.both("onto", &[20, 20])?);
        let views = |x: &Tensor, y: &Tensor| -> Result<Vec<[Tensor; 2]>> {
            // As they lie, transposed, in wider rows, single rows and columns, and with gaps.
            let (part, column) = (x.narrow(1, 3, 7)?, x.narrow(1, 4, 1)?);
            Ok(vec![
                [x.t()?, y.clone()],
                [x.clone(), y.t()?],
                [part.clone(), y.narrow(1, 8, 7)?.t()?],
                [part.t()?, part],
                [column.clone(), column.t()?],
                [column.t()?, y.clone()],
                [x.narrow(0, 2, 1)?, y.t()?],
                [x.reshape((6, 10, 2))?.get_on_dim(2, 1)?, y.narrow(1, 0, 10)?.t()?],
            ])
        };
        let pairs = views(&x.gpu, &y.gpu)?.into_iter().zip(views(&x.cpu, &y.cpu)?);
        for (at, ([a, b], [c, d])) in pairs.enumerate() {
            let found = ops::product(0.5, &a, &b)?;
            let (c, d) = (c.contiguous()?, d.contiguous()?);
            let expected = ops::product(0.5, &c, &d)?;
            case.close(&format!("product {at}"), &found, &expected)?;
            let (rows, columns) = expected.dims2()?;
            let start = onto.cpu.narrow(0, 0, rows)?.narrow(1, 0, columns)?.contiguous()?;
            let expected = ops::add_product(start.copy()?, -2.0, &c, &d)?;
            for dtype in [case.dtype, DType::F32] {
                let start = start.to_dtype(dtype)?.to_device(&case.gpu)?;
                let found = ops::add_product(start, -2.0, &a, &b)?;
                case.close(&format!("product {at}, added"), &found, &expected)?;
            }
        }
        Ok(())
    })
}

/// Two rows, one of two texts and one with filling; the same with a window; more queries than a
/// stretch; a part of a text behind a cache; and one step.
#[test]
fn attention_equals_the_cpus() -> Result<()> {
    let cases = [
        (75, 75, 75, 75),
        (75, 75, 75, 20),
        (600, 600, 600, 600),
        (600, 600, 600, 30),
        (100, 150, 160, 150),
        (1, 9, 12, 9),
    ];
    on_gpu("attention", |case| {
        // The last three have kernels of their own, in bf16.
        for width in [6, 64, 96, 128] {
            for (time, columns, room, window) in cases {
                attention_equals(case, [time, columns, room, window], width)?;
            }
        }
        Ok(())
    })
}

fn attention_equals(case: &Case, sizes: [usize; 4], width: usize) -> Result<()> {
    let [time, columns, room, window] = sizes;
    let first = |row: usize, t: usize| match (row, t) {
        _ if time == 1 => row as u32,
        (0, t) => t as u32 / 37 * 37,
        (_, t) => t.saturating_sub(1).min(5) as u32,
    };
    let start = (0..2).flat_map(|row| (0..time).map(move |t| first(row, t))).collect();
    let mask = Mask { batch: 2, time, columns, start, branches: Default::default() }.within(window);
    let tensor = |name, heads, time| case.both(name, &[2, heads, time, width]);
    let (query, key, value) = (tensor("q", 4, time)?, tensor("k", 2, room)?, tensor("v", 2, room)?);
    let inputs = |side: fn(&Both) -> &Tensor| Attention {
        query: side(&query),
        key: side(&key),
        value: side(&value),
        mask: &mask,
        scale: 0.4,
        rounds: false,
    };
    let (gpu, cpu) = (inputs(|both| &both.gpu), inputs(|both| &both.cpu));
    let (found, expected) = (ops::attention(&gpu)?, ops::attention(&cpu)?);
    let what = |part: &str| format!("{part} {sizes:?}, heads of {width}");
    case.close(&what("attention"), &found.out, &expected.out)?;
    case.close(&what("attention's logarithms"), &found.lse, &expected.lse)?;
    let dout = case.both("dout", &[2 * time, 4 * width])?;
    let found = ops::attention_backward(&gpu, &found, &dout.gpu)?;
    let expected = ops::attention_backward(&cpu, &expected, &dout.cpu)?;
    for (found, expected) in found.iter().zip(&expected) {
        case.close(&what("the gradient of attention"), found, expected)?;
    }
    Ok(())
}

#[test]
fn an_update_and_weights_in_four_bits_equal_the_cpus() -> Result<()> {
    on_gpu("update", |case| {
        let update = Update {
            factor: 0.5,
            betas: [0.9, 0.99],
            rate: 1e-2,
            decay: 0.98,
            first: 0.19,
            second: 0.0199,
            epsilon: 1e-8,
        };
        let f32s = Case { gpu: case.gpu.clone(), dtype: DType::F32 };
        let tensor = |name| f32s.both(name, &[7, 43]);
        let (value, gradient, m) = (tensor("value")?, tensor("gradient")?, tensor("m")?);
        let v = Both { cpu: m.cpu.sqr()?, gpu: m.cpu.sqr()?.to_device(&case.gpu)? };
        let (found, [found_m, found_v]) =
            ops::adamw(&update, &value.gpu, &gradient.gpu, &[m.gpu, v.gpu])?;
        let (expected, [expected_m, expected_v]) =
            ops::adamw(&update, &value.cpu, &gradient.cpu, &[m.cpu, v.cpu])?;
        f32s.close("a value", &found, &expected)?;
        f32s.close("a first mean", &found_m, &expected_m)?;
        f32s.close("a second mean", &found_v, &expected_v)?;

        // More blocks than a group has.
        let matrix = Tensor::from_vec(reference::noise("w", 300 * 64), (300, 64), &Device::Cpu)?;
        let expected = nf4::Nf4::quantise(&matrix)?.matrix(case.dtype)?.to_dtype(DType::F32)?;
        let found = nf4::Nf4::quantise(&matrix.to_device(&case.gpu)?)?.matrix(case.dtype)?;
        let found = found.to_device(&Device::Cpu)?.to_dtype(DType::F32)?;
        assert_eq!(distance(&found, &expected)?, 0.0, "{} a block", Quantised::BLOCK);
        Ok(())
    })
}

#[test]
fn the_references_loss_gradients_and_steps_come_out() -> Result<()> {
    on_gpu("the reference", |case| {
        let mut model = io::load(&data("model"), case.dtype, &case.gpu)?;
        lora::load(&mut model, &data("adapter"))?;
        let (examples, loss) = step_batch()?;
        let (near, tolerance) = if case.dtype == DType::F32 { (1e-4, 1e-4) } else { (0.05, 0.1) };
        for recompute in [Recompute::None, Recompute::Mlp, Recompute::Full] {
            let (found, gradients) = loss_of(&model, &examples, recompute)?;
            assert!((found - loss).abs() < near * loss, "{found} is not {loss}");
            for (name, expected) in &tensors("step_grads.safetensors")? {
                let found = gradients.get(name).expect("every adapter has a gradient");
                let found = found.to_device(&Device::Cpu)?;
                let size = ops::sum_of_squares(&[expected])?.sqrt();
                let off = ops::sum_of_squares(&[&(found - expected)?])?.sqrt() / size;
                assert!(off < tolerance, "{name} in {:?} is off by {off}", case.dtype);
            }
        }
        let (settings, mut on_cpu) = (quick(3), tiny()?);
        lora::load(&mut on_cpu, &data("adapter"))?;
        let mut expected = Trainer::new(&mut on_cpu, &settings)?;
        let mut found = Trainer::new(&mut model, &settings)?;
        for _ in 0..3 {
            let (found, expected) = (found.step(&examples)?, expected.step(&examples)?);
            assert!((found.loss - expected.loss).abs() < near * 10.0 * expected.loss);
        }
        Ok(())
    })
}

#[test]
fn whole_models_learn_and_speak_as_on_the_cpu() -> Result<()> {
    on_gpu("whole models", |case| {
        if case.dtype == DType::BF16 {
            return Ok(());
        }
        let mut config = super::grouped(true)?.config;
        config.num_key_value_heads = 1;
        let run = |device: &Device| -> Result<(f64, Vec<Vec<u32>>)> {
            let mut model = weights::fresh(&config, 1, 0.2, device)?;
            let settings = quick(20);
            let mut trainer = Trainer::new(&mut model, &settings)?;
            let mut last = 0.0;
            for _ in 0..20 {
                last = trainer.step(&examples(8, 10))?.loss;
            }
            Ok((last, greedy(&model, &[vec![5, 6, 7], vec![9]], &[1], 5)?))
        };
        let ((found, replies), (expected, expected_replies)) =
            (run(&case.gpu)?, run(&Device::Cpu)?);
        assert!((found - expected).abs() < 0.02, "{found} is not {expected}");
        assert_eq!(replies, expected_replies);
        Ok(())
    })
}

/// One rank alone, and two where there are as many GPUs.
#[cfg(feature = "nccl")]
#[test]
fn ranks_gather_each_other_s_numbers() -> Result<()> {
    use cookc::ops::nccl::{Ranks, meeting};
    on_gpu("gathering by NCCL", |case| {
        let gpus: Vec<Device> =
            (0..2).map_while(|number| cookc::model::device("cuda", number).ok()).collect();
        for size in 1..=gpus.len() {
            let meeting = meeting()?;
            let rank = |rank: usize| -> Result<Vec<Vec<f32>>> {
                let device = if rank == 0 { &case.gpu } else { &gpus[rank] };
                let ranks = Ranks::join(device, rank, size, &meeting)?;
                let own = Tensor::from_vec(vec![rank as f32, 7.0], 2, device)?;
                Ok(ranks.gather(&own)?.to_vec2()?)
            };
            let expected: Vec<Vec<f32>> = (0..size).map(|rank| vec![rank as f32, 7.0]).collect();
            std::thread::scope(|scope| {
                let ranks: Vec<_> =
                    (0..size).map(|number| scope.spawn(move || rank(number))).collect();
                for found in ranks {
                    assert_eq!(found.join().expect("a rank does not panic")?, expected);
                }
                Ok::<(), anyhow::Error>(())
            })?;
        }
        Ok(())
    })
}
