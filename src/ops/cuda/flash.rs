//! Attention in one kernel each way, without scores in memory: flash.cuh.

use anyhow::Result;
use candle_core::{DType, Tensor};

use super::driver::Argument::{Int, Of, Real};
use super::driver::{Argument, Grid, Kernel, address, room};
use super::heads::Heads;
use crate::ops::Attended;

/// Threads of a block, and the queries or keys that it keeps: as flash.cuh has them.
const THREADS: usize = 128;
const TILE: usize = 64;
/// Queries that a block of keys takes at once, with the next ones beside them.
const STEP: usize = 32;
/// What rows in shared memory are longer by.
const GAP: usize = 8;
/// Copies to shared memory are of 16 bytes, which start at multiples of as many.
const ALIGNMENT: u64 = 16;

/// Whether the kernels take these heads.
pub(super) fn takes(heads: &Heads) -> Result<bool> {
    if heads.dtype != DType::BF16 || ![64, 96, 128].contains(&heads.width) {
        return Ok(false);
    }
    for x in [&heads.query, &heads.key, &heads.value] {
        if address(x)? % ALIGNMENT != 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// See [`super::super::attention`].
pub(super) fn attention(heads: &Heads) -> Result<Attended> {
    let rows = heads.batch * heads.time;
    let out = room((rows, heads.count() * heads.width), heads.dtype, &heads.on)?;
    let lse = room((rows, heads.count()), DType::F32, &heads.on)?;
    let results = [Of(&out), Of(&lse)];
    Kernel::of_width("flash", heads.width, &heads.on)?
        .launch(query_blocks(heads), &arguments(heads, &results)?)?;
    Ok(Attended { out, lse })
}

/// See [`super::super::attention_backward`]; `along` holds each query's product of its result with
/// the gradient `dout` of that, `[batch × time, heads]`.
pub(super) fn attention_backward(
    heads: &Heads,
    lse: &Tensor,
    along: &Tensor,
    dout: &Tensor,
) -> Result<[Tensor; 3]> {
    let dout = if address(dout)? % ALIGNMENT == 0 { dout.clone() } else { dout.copy()? };
    let dquery = room(heads.query.shape(), heads.dtype, &heads.on)?;
    // Columns behind the last are written by none.
    let of_keys = || match heads.room == heads.columns {
        true => room(heads.key.shape(), heads.dtype, &heads.on),
        false => Ok(heads.key.zeros_like()?),
    };
    let (dkey, dvalue) = (of_keys()?, of_keys()?);
    let read = [Of(lse), Of(along), Of(&dout)];
    let kernel = Kernel::of_width("flash_queries", heads.width, &heads.on)?;
    let tensors = [&read[..], &[Of(&dquery)]].concat();
    kernel.launch(query_blocks(heads), &arguments(heads, &tensors)?)?;
    let kernel = Kernel::of_width("flash_keys", heads.width, &heads.on)?;
    let tensors = [&read[..], &[Of(&dkey), Of(&dvalue)]].concat();
    let blocks = heads.batch * heads.groups * heads.columns.div_ceil(TILE);
    let grid = Grid { threads: THREADS, blocks: [blocks, 1] };
    let rows = 2 * TILE + 4 * STEP;
    let shared = rows * (heads.width + GAP) * DType::BF16.size_in_bytes();
    kernel.launch_with(shared, grid, &arguments(heads, &tensors)?)?;
    Ok([dquery, dkey, dvalue])
}

fn query_blocks(heads: &Heads) -> Grid {
    let blocks = heads.batch * heads.count() * heads.time.div_ceil(TILE);
    Grid { threads: THREADS, blocks: [blocks, 1] }
}

/// What all three kernels read, the tensors that only one takes, and the sizes.
fn arguments<'a>(heads: &'a Heads, tensors: &[Argument<'a>]) -> Result<Vec<Argument<'a>>> {
    let read = [&heads.query, &heads.key, &heads.value, &heads.starts].map(Of);
    let mut arguments = [&read[..], tensors].concat();
    for size in [heads.count(), heads.group, heads.time, heads.columns, heads.room] {
        arguments.push(Int(u32::try_from(size)?));
    }
    arguments.push(Real(heads.scale));
    Ok(arguments)
}
