//! Tokens of all heads to heads of all tokens and back, turned by their positions on the way.

use anyhow::Result;
use candle_core::Tensor;
use rayon::prelude::*;

use super::math::wide;
use super::rows::PIECE;
use super::slice::{Slice, tensor};
use crate::ops::Angles;

/// See [`super::super::split_heads`].
pub fn split_heads(
    x: &Tensor,
    batch: usize,
    heads: usize,
    angles: Option<&Angles>,
) -> Result<Tensor> {
    let (tokens, width) = x.dims2()?;
    let (time, head) = (tokens / batch, width / heads);
    let turn = Turn::open(angles, 1.0)?;
    let turn = turn.get()?;
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
                turn.apply(token, &x[token * width + h * head..][..head], y);
            }
        });
    });
    tensor(y, (batch, heads, time, head))
}

/// See [`super::super::merge_heads`].
pub fn merge_heads(x: &Tensor, angles: Option<&Angles>) -> Result<Tensor> {
    let (batch, heads, time, head) = x.dims4()?;
    let turn = Turn::open(angles, -1.0)?;
    let turn = turn.get()?;
    let x = Slice::open(x)?;
    let x = x.get()?;
    let mut y = vec![0f32; x.len()];
    let width = heads * head;
    let tokens = y.par_chunks_mut(width).with_min_len((PIECE / width).max(1)).enumerate();
    tokens.for_each(|(token, y)| {
        let (b, t) = (token / time, token % time);
        wide!({
            for (h, y) in y.chunks_exact_mut(head).enumerate() {
                turn.apply(token, &x[((b * heads + h) * time + t) * head..][..head], y);
            }
        });
    });
    tensor(y, (batch * time, width))
}

/// The open tables of the turn of each token's heads, or none.
struct Turn<'a> {
    tables: Option<[Slice<'a>; 2]>,
    sign: f32,
}

/// The same, as slices.
struct Turned<'a> {
    tables: Option<[&'a [f32]; 2]>,
    sign: f32,
}

impl<'a> Turn<'a> {
    fn open(angles: Option<&'a Angles>, sign: f32) -> Result<Turn<'a>> {
        let tables = match angles {
            Some(angles) => Some([Slice::open(&angles.cos)?, Slice::open(&angles.sin)?]),
            None => None,
        };
        Ok(Turn { tables, sign })
    }

    fn get(&self) -> Result<Turned<'_>> {
        let tables = match &self.tables {
            Some([cos, sin]) => Some([cos.get()?, sin.get()?]),
            None => None,
        };
        Ok(Turned { tables, sign: self.sign })
    }
}

impl Turned<'_> {
    #[inline(always)]
    fn apply(&self, token: usize, x: &[f32], y: &mut [f32]) {
        let Some([cos, sin]) = self.tables else {
            y.copy_from_slice(x);
            return;
        };
        let half = x.len() / 2;
        let (cos, sin) = (&cos[token * half..][..half], &sin[token * half..][..half]);
        let ((x1, x2), (y1, y2)) = (x.split_at(half), y.split_at_mut(half));
        let (x1, x2, y1, y2) = (&x1[..half], &x2[..half], &mut y1[..half], &mut y2[..half]);
        for i in 0..half {
            let s = sin[i] * self.sign;
            y1[i] = x1[i] * cos[i] - x2[i] * s;
            y2[i] = x2[i] * cos[i] + x1[i] * s;
        }
    }
}
