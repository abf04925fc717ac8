//! Samplers that take one word from their stream. Machine code has the first four inline.

use crate::runtime::FaultKind;
use crate::runtime::arena::{List, Lists};
use crate::runtime::builtins::part;
use crate::runtime::random::Stream;
use crate::runtime::shape::Shape;

pub(super) fn span(
    stream: &mut Stream,
    count: i64,
    list: i64,
    shape: Shape,
) -> Result<i64, FaultKind> {
    let list = List::from(list);
    let count = part(count, list.size)?;
    let skipped = stream.below(list.size - count + 1);
    Ok(list.run(skipped, count, shape).cell())
}

pub(super) fn pick(
    lists: Lists,
    stream: &mut Stream,
    list: i64,
    shape: Shape,
) -> Result<i64, FaultKind> {
    let size = List::from(list).size;
    if size == 0 {
        return Err(FaultKind::Empty);
    }
    Ok(lists.element(list, stream.below(size) as usize, shape))
}

/// The probability in steps of 2^-53, which is exact for all that a `Real` below 1 can say.
pub(super) fn coin(stream: &mut Stream, probability: i64) -> Result<i64, FaultKind> {
    let probability = f64::from_bits(probability as u64);
    if !(0.0..=1.0).contains(&probability) {
        return Err(FaultKind::Probability);
    }
    let threshold = (probability * (1_u64 << 53) as f64) as u64;
    Ok((stream.word() >> 11 < threshold) as i64)
}

pub(super) fn uniform(stream: &mut Stream, low: i64, high: i64) -> Result<i64, FaultKind> {
    if low > high {
        return Err(FaultKind::EmptyRange);
    }
    Ok(low.wrapping_add(match high.abs_diff(low).checked_add(1) {
        Some(range) => stream.below_wide(range) as i64,
        None => stream.word() as i64,
    }))
}

pub(super) fn weighted(
    lists: Lists,
    stream: &mut Stream,
    [list, weights]: [i64; 2],
    shape: Shape,
) -> Result<i64, FaultKind> {
    let weights = lists.wide(weights);
    let total =
        weights.iter().try_fold(
            0_i64,
            |total, &weight| {
                if weight < 0 { None } else { total.checked_add(weight) }
            },
        );
    let total = total.filter(|&total| total > 0).ok_or(FaultKind::Weights)?;
    if weights.len() != List::from(list).size as usize {
        return Err(FaultKind::Weights);
    }
    let mut rest = stream.below_wide(total as u64) as i64;
    let chosen = weights.iter().position(|&weight| {
        rest -= weight;
        rest < 0
    });
    let chosen = chosen.expect("the number drawn is below the sum of the weights");
    Ok(lists.element(list, chosen, shape))
}
