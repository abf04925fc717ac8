//! Tokens of all heads to heads of all tokens and back, rotated by their positions on the way.

use anyhow::Result;
use candle_core::Tensor;
use rayon::prelude::*;

use super::rows::PIECE;
use super::slice::{Slice, tensor};
use crate::ops::rope::{Angles, rotate_head};
use crate::wide::wide;

/// See [`super::super::split_heads`].
pub fn split_heads(
    x: &Tensor,
    batch: usize,
    heads: usize,
    angles: Option<&Angles>,
) -> Result<Tensor> {
    let (tokens, width) = x.dims2()?;
    let (time, head) = (tokens / batch, width / heads);
    let rotation = Rotation::open(angles, 1.0)?;
    let rotation = rotation.get()?;
    let x = Slice::open(x)?;
    let x = x.get()?;
    let mut y = vec![0f32; x.len()];
    let plane = time * head;
    let planes = y.par_chunks_mut(plane).with_min_len((PIECE / plane).max(1)).enumerate();
    planes.for_each(|(plane, y)| {
        let (b, h) = (plane / heads, plane % heads);
        wide!({
            for (t, y) in y.chunks_exact_mut(head).enumerate() {
                let token = b * time + t;
                rotation.apply(token, &x[token * width + h * head..][..head], y);
            }
        });
    });
    tensor(y, (batch, heads, time, head))
}

/// See [`super::super::merge_heads`].
pub fn merge_heads(x: &Tensor, angles: Option<&Angles>) -> Result<Tensor> {
    let (batch, heads, time, head) = x.dims4()?;
    let rotation = Rotation::open(angles, -1.0)?;
    let rotation = rotation.get()?;
    let x = Slice::open(x)?;
    let x = x.get()?;
    let mut y = vec![0f32; x.len()];
    let width = heads * head;
    let tokens = y.par_chunks_mut(width).with_min_len((PIECE / width).max(1)).enumerate();
    tokens.for_each(|(token, y)| {
        let (b, t) = (token / time, token % time);
        wide!({
            for (h, y) in y.chunks_exact_mut(head).enumerate() {
                rotation.apply(token, &x[((b * heads + h) * time + t) * head..][..head], y);
            }
        });
    });
    tensor(y, (batch * time, width))
}

/// The open tables of the rotation of each token's heads, or none.
struct Rotation<'a> {
    tables: Option<[Slice<'a>; 2]>,
    sign: f32,
}

/// The same, as slices.
struct Tables<'a> {
    tables: Option<[&'a [f32]; 2]>,
    sign: f32,
}

impl<'a> Rotation<'a> {
    fn open(angles: Option<&'a Angles>, sign: f32) -> Result<Rotation<'a>> {
        let tables = match angles {
            Some(angles) => Some([Slice::open(&angles.cos)?, Slice::open(&angles.sin)?]),
            None => None,
        };
        Ok(Rotation { tables, sign })
    }

    fn get(&self) -> Result<Tables<'_>> {
        let tables = match &self.tables {
            Some([cos, sin]) => Some([cos.get()?, sin.get()?]),
            None => None,
        };
        Ok(Tables { tables, sign: self.sign })
    }
}

impl Tables<'_> {
    #[inline(always)]
    fn apply(&self, token: usize, x: &[f32], y: &mut [f32]) {
        let Some([cos, sin]) = self.tables else {
            y.copy_from_slice(x);
            return;
        };
        let half = x.len() / 2;
        let row = token * half..(token + 1) * half;
        rotate_head(x, y, [&cos[row.clone()], &sin[row]], self.sign);
    }
}
