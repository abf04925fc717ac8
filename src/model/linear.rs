//! Matrix products with the model's weights, and the adapters beside them, forwards and backwards.
//!
//! Linears that read the same input go together: the low-rank terms of all of them are one product.

use anyhow::{Context, Result};
use candle_core::{DType, Tensor};

use crate::model::gradients::Gradients;
use crate::model::ops;
use crate::model::parameter::Parameter;

/// `y = x·Wᵀ + b + s·(x·Aᵀ)·Bᵀ`, the second term where there is a bias, the third where there is
/// an adapter.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[out, in]`, named `….weight`.
    pub weight: Parameter,
    /// `[out]`, named `….bias`.
    pub bias: Option<Parameter>,
    /// What learns beside the frozen weight.
    pub adapter: Option<Adapter>,
}

/// The low-rank term of a linear (Hu et al. 2021, "LoRA"), in f32 whatever the model computes in.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// `[rank, in]`.
    pub a: Parameter,
    /// `[out, rank]`.
    pub b: Parameter,
    /// alpha / rank.
    pub scale: f64,
}

/// `x·Aᵀ` of all adapters that read `x`, side by side `[rows, Σ rank]`; None without adapters.
pub(crate) type Low = Option<Tensor>;

/// The results `[rows, out]` of linears that read the same `x` `[rows, in]`. With `onto`, which has
/// the shape of a result, each is added to it.
pub(crate) fn forward(
    linears: &[&Linear],
    x: &Tensor,
    onto: Option<&Tensor>,
) -> Result<(Vec<Tensor>, Low)> {
    let low = match stacked(linears, x.dtype())? {
        Some(a) => Some(ops::product(1.0, x, &a.t()?)?),
        None => None,
    };
    let mut parts = Parts::of(&low);
    let one = |linear: &&Linear| -> Result<Tensor> {
        let weight = linear.weight.value.t()?;
        let y = match onto {
            Some(onto) => ops::add_product(onto.copy()?, 1.0, x, &weight),
            None => ops::product(1.0, x, &weight),
        };
        let mut y = y.with_context(|| format!("in `{}`", linear.weight.name))?;
        if let Some(bias) = &linear.bias {
            y = y.broadcast_add(&bias.value)?;
        }
        let Some(adapter) = &linear.adapter else { return Ok(y) };
        let b = adapter.b.value.to_dtype(x.dtype())?;
        ops::add_product(y, adapter.scale, &parts.next(adapter)?, &b.t()?)
    };
    let results = linears.iter().map(one).collect::<Result<Vec<_>>>()?;
    Ok((results, low))
}

/// From the gradients `dys` `[rows, out]` of the linears' results, with what `forward` was given
/// and gave: the gradient of `x`. What learns gets its gradient too; a frozen weight costs none.
pub(crate) fn backward(
    linears: &[&Linear],
    x: &Tensor,
    low: &Low,
    dys: &[Tensor],
    gradients: &mut Gradients,
) -> Result<Tensor> {
    let mut dx: Option<Tensor> = None;
    let (mut dlows, mut parts) = (Vec::new(), Parts::of(low));
    for (linear, dy) in linears.iter().zip(dys) {
        let weight = &linear.weight;
        dx = Some(match dx.take() {
            Some(dx) => ops::add_product(dx, 1.0, dy, &weight.value)?,
            None => ops::product(1.0, dy, &weight.value)?,
        });
        if gradients.of_weights {
            gradients.add_product(&weight.name, 1.0, &dy.t()?, x)?;
            if let Some(bias) = &linear.bias {
                gradients.add(&bias.name, &dy.to_dtype(DType::F32)?.sum(0)?)?;
            }
        }
        if let Some(Adapter { b, scale, .. }) = &linear.adapter {
            let low = parts.next(linear.adapter.as_ref().context("it is there")?)?;
            gradients.add_product(&b.name, *scale, &dy.t()?, &low)?;
            dlows.push(ops::product(*scale, dy, &b.value.to_dtype(x.dtype())?)?);
        }
    }
    let dx = dx.context("a backward pass of no linear")?;
    let Some(a) = stacked(linears, x.dtype())? else { return Ok(dx) };
    let dlow = Tensor::cat(&dlows, 1)?;
    let da = ops::product(1.0, &dlow.t()?, x)?;
    let mut row = 0;
    for adapter in linears.iter().filter_map(|linear| linear.adapter.as_ref()) {
        let rank = adapter.a.value.dims2()?.0;
        gradients.add(&adapter.a.name, &da.narrow(0, row, rank)?)?;
        row += rank;
    }
    ops::add_product(dx, 1.0, &dlow, &a)
}

/// The A of all adapters, one below the other `[Σ rank, in]`.
fn stacked(linears: &[&Linear], dtype: DType) -> Result<Option<Tensor>> {
    let adapters = linears.iter().filter_map(|linear| linear.adapter.as_ref());
    let all: Vec<&Tensor> = adapters.map(|adapter| &adapter.a.value).collect();
    match all[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.to_dtype(dtype)?)),
        _ => Ok(Some(Tensor::cat(&all, 0)?.to_dtype(dtype)?)),
    }
}

/// The columns of each adapter in turn.
struct Parts<'a> {
    low: &'a Low,
    column: usize,
}

impl Parts<'_> {
    fn of(low: &Low) -> Parts<'_> {
        Parts { low, column: 0 }
    }

    fn next(&mut self, adapter: &Adapter) -> Result<Tensor> {
        let rank = adapter.a.value.dims2()?.0;
        let low = self.low.as_ref().context("an adapter without its low-rank term")?;
        let part = low.narrow(1, self.column, rank)?;
        self.column += rank;
        Ok(part)
    }
}

impl Linear {
    /// A linear without an adapter; `weight` is `[out, in]`, `bias` `[out]`.
    pub fn new(weight: Parameter, bias: Option<Parameter>) -> Linear {
        Linear { weight, bias, adapter: None }
    }

    /// The name of the module, without `.weight`.
    pub fn module(&self) -> &str {
        self.weight.name.trim_end_matches(".weight")
    }

    /// `x` `[rows, in]` to `[rows, out]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (mut results, _) = forward(&[self], x, None)?;
        results.pop().context("a linear has a result")
    }

    /// The adapter folded into the weight: the same function, without the adapter.
    pub fn merged(&self) -> Result<Linear> {
        let Some(adapter) = &self.adapter else {
            return Ok(self.clone());
        };
        let dtype = self.weight.value.dtype();
        let change = (adapter.b.value.matmul(&adapter.a.value)? * adapter.scale)?;
        let weight = (self.weight.value.to_dtype(DType::F32)? + change)?.to_dtype(dtype)?;
        Ok(Linear::new(Parameter::new(&self.weight.name, weight), self.bias.clone()))
    }
}
