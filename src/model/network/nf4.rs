//! Frozen weights in four bits: NormalFloat4 with doubly quantised scales (QLoRA; Dettmers et al.
//! 2023, arXiv:2305.14314).
//!
//! A block of 64 weights is scaled by its greatest magnitude, and each weight becomes the nearest
//! of 16 values, the quantiles of a normal distribution. Those magnitudes are quantised themselves,
//! 256 at a time, to eight bits between their least and their greatest. In all 4.16 bits a weight.

use anyhow::{Result, ensure};
use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

use crate::ops::{self, Quantised};

const BLOCK: usize = Quantised::BLOCK;
const GROUP: usize = Quantised::GROUP;

/// The quantiles, from table E of the QLoRA paper's appendix, as bitsandbytes has them too.
const LEVELS: [f32; 16] = [
    -1.0,
    -0.696_192_8,
    -0.525_073_05,
    -0.394_917_5,
    -0.284_441_38,
    -0.184_773_43,
    -0.091_050_036,
    0.0,
    0.079_580_3,
    0.160_930_2,
    0.246_112_3,
    0.337_915_24,
    0.440_709_83,
    0.562_617,
    0.722_956_2,
    1.0,
];

/// A matrix in four bits a weight.
#[derive(Clone, Debug)]
pub struct Nf4 {
    shape: (usize, usize),
    // [`Quantised`] says what these hold.
    codes: Tensor,
    scales: Tensor,
    steps: Tensor,
    least: Tensor,
    pairs: Tensor,
}

impl Nf4 {
    /// Quantises a matrix `[out, in]` of a multiple of 64 weights.
    ///
    /// # Errors
    /// If it is no matrix, or its number of weights is no multiple of 64.
    pub fn quantise(matrix: &Tensor) -> Result<Nf4> {
        let shape = matrix.dims2()?;
        let values: Vec<f32> =
            matrix.to_dtype(DType::F32)?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?;
        ensure!(
            values.len().is_multiple_of(BLOCK),
            "four bits a weight need a multiple of {BLOCK} weights, not {} × {}",
            shape.0,
            shape.1
        );
        let magnitude = |block: &[f32]| block.iter().fold(0f32, |top, x| top.max(x.abs()));
        let magnitudes: Vec<f32> = values.par_chunks(BLOCK).map(magnitude).collect();
        let (mut scales, mut steps, mut least) = (Vec::new(), Vec::new(), Vec::new());
        for group in magnitudes.chunks(GROUP) {
            let low = group.iter().copied().fold(f32::INFINITY, f32::min);
            let step = (group.iter().copied().fold(0.0, f32::max) - low) / 255.0;
            let scale = |x: &f32| if step > 0.0 { ((x - low) / step).round() as u8 } else { 0 };
            scales.extend(group.iter().map(scale));
            steps.push(step);
            least.push(low);
        }
        let groups = steps.len();
        let whole = |block: usize| f32::from(scales[block]) * steps[block / GROUP];
        // Codes are chosen against the scales as they will be read.
        let inverse =
            |block: usize| 1.0 / (whole(block) + least[block / GROUP]).max(f32::MIN_POSITIVE);
        let mut codes = vec![0; values.len() / 2];
        let blocks = codes.par_chunks_mut(BLOCK / 2).zip(values.par_chunks(BLOCK)).enumerate();
        blocks.for_each(|(block, (codes, values))| {
            let inverse = inverse(block);
            for (code, pair) in codes.iter_mut().zip(values.chunks(2)) {
                *code = nearest(pair[0] * inverse) | nearest(pair[1] * inverse) << 4;
            }
        });
        scales.resize(groups * GROUP, 0);
        let device = matrix.device();
        let pairs: Vec<f32> = (0..256).flat_map(|b| [LEVELS[b & 15], LEVELS[b >> 4]]).collect();
        Ok(Nf4 {
            shape,
            codes: Tensor::new(codes, device)?,
            scales: Tensor::from_vec(scales, (groups, GROUP), device)?,
            steps: Tensor::from_vec(steps, (groups, 1), device)?,
            least: Tensor::from_vec(least, (groups, 1), device)?,
            pairs: Tensor::from_vec(pairs, (256, 2), device)?,
        })
    }

    /// The matrix `[out, in]` that the codes encode.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn matrix(&self, dtype: DType) -> Result<Tensor> {
        let Nf4 { shape, codes, scales, steps, least, pairs } = self;
        ops::dequantise(&Quantised { shape: *shape, codes, scales, steps, least, pairs }, dtype)
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        self.shape
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.codes.elem_count() + self.scales.elem_count() + 8 * self.steps.elem_count()
    }
}

/// The code of the nearest level. All levels are compared, which takes no branches.
fn nearest(x: f32) -> u8 {
    let above = LEVELS.iter().map(|level| u32::from(*level < x)).sum::<u32>() as usize;
    let above = above.min(LEVELS.len() - 1);
    let below = above.saturating_sub(1);
    if (LEVELS[above] - x).abs() < (x - LEVELS[below]).abs() { above as u8 } else { below as u8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize) -> Vec<f32> {
        crate::model::random::normal(7, "nf4", count, 0.02)
    }

    #[test]
    fn a_matrix_comes_back_within_half_the_widest_gap_of_the_levels() -> Result<()> {
        let matrix = Tensor::from_vec(noise(96 * 128), (96, 128), &Device::Cpu)?;
        let nf4 = Nf4::quantise(&matrix)?;
        let again = nf4.matrix(DType::F32)?;
        let (x, y): (Vec<f32>, Vec<f32>) =
            (matrix.flatten_all()?.to_vec1()?, again.flatten_all()?.to_vec1()?);
        for (x, y) in x.chunks(BLOCK).zip(y.chunks(BLOCK)) {
            let top = x.iter().fold(0f32, |top, x| top.max(x.abs()));
            for (x, y) in x.iter().zip(y) {
                // The widest gap is from −1 to −0.696; the scale itself is off by some percent.
                assert!((x - y).abs() <= 0.17 * top, "{x} became {y} below {top}");
            }
        }
        let error: f32 = x.iter().zip(&y).map(|(x, y)| (x - y) * (x - y)).sum();
        let size: f32 = x.iter().map(|x| x * x).sum();
        // Of normal weights, four bits keep all but 1 % of the power.
        assert!(error / size < 0.012, "{}", error / size);
        assert!(nf4.bytes() * 8 < 96 * 128 * 17 / 4, "{} bytes", nf4.bytes());
        Ok(())
    }

    #[test]
    fn what_four_bits_can_say_comes_back_as_it_was() -> Result<()> {
        // Every pair of levels, and so every byte; each 64 with the greatest, which scales them.
        let pairs = (0..256).flat_map(|byte| [LEVELS[byte % 16] * 0.5, LEVELS[byte / 16] * 0.5]);
        let pairs: Vec<f32> = pairs.chain([0.0; 46]).collect();
        let values: Vec<f32> =
            pairs.chunks(62).flat_map(|part| [part, &[-0.5, 0.5]].concat()).collect();
        let matrix = Tensor::from_vec(values.clone(), (9, 64), &Device::Cpu)?;
        let again = Nf4::quantise(&matrix)?.matrix(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        assert_eq!(values, again);
        let zeros = Tensor::zeros((2, 64), DType::F32, &Device::Cpu)?;
        let again = Nf4::quantise(&zeros)?.matrix(DType::F32)?;
        assert_eq!(again.abs()?.max_all()?.to_scalar::<f32>()?, 0.0);
        assert!(Nf4::quantise(&Tensor::zeros((3, 5), DType::F32, &Device::Cpu)?).is_err());
        Ok(())
    }
}
