//! AdamW in one pass over f32 slices.

use anyhow::Result;
use candle_core::Tensor;

use super::slice::Slice;
use crate::ops::Update;

/// See [`super::super::adamw`].
pub fn adamw(
    update: &Update,
    value: &Tensor,
    gradient: &Tensor,
    [m, v]: &[Tensor; 2],
) -> Result<(Tensor, [Tensor; 2])> {
    let gradient = gradient.contiguous()?;
    let (value, gradient) = (Slice::open(value)?, Slice::open(&gradient)?);
    let (m, v) = (Slice::open(m)?, Slice::open(v)?);
    let mut new = [value.get()?.to_vec(), m.get()?.to_vec(), v.get()?.to_vec()];
    let [value_new, m_new, v_new] = &mut new;
    let [b1, b2] = update.betas.map(|beta| beta as f32);
    let (factor, decay) = (update.factor as f32, update.decay as f32);
    let (rate, root) = ((update.rate / update.first) as f32, update.second.sqrt() as f32);
    let epsilon = update.epsilon as f32;
    let means = m_new.iter_mut().zip(v_new);
    for ((value, g), (m, v)) in value_new.iter_mut().zip(gradient.get()?).zip(means) {
        let g = g * factor;
        *m = b1 * *m + (1.0 - b1) * g;
        *v = b2 * *v + (1.0 - b2) * g * g;
        *value = *value * decay - rate * *m / (v.sqrt() / root + epsilon);
    }
    let [value_new, m_new, v_new] = new;
    Ok((value.like(value_new)?, [m.like(m_new)?, v.like(v_new)?]))
}
