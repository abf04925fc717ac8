//! Matrix products with the model's weights, and the adapters beside them, forwards and backwards.
//!
//! Linears that read the same input go together: the low-rank terms of all of them are one product.

use anyhow::{Context, Result, bail, ensure};
use candle_core::{DType, Tensor};

use crate::model::network::adapter::Adapter;
use crate::model::network::gradients::Gradients;
use crate::model::network::nf4::Nf4;
use crate::model::network::packed::Packed;
use crate::model::network::parameter::{self, Parameter};
use crate::ops::{self, Matrix, Rows};

/// `y = x·Wᵀ + b + s·(x·Aᵀ)·Bᵀ`, the second term where there is a bias, the third where there is
/// an adapter. With DoRA the first and the third are scaled, output by output.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[out, in]`, named `….weight`.
    pub weight: Weight,
    /// `[out]`, named `….bias`.
    pub bias: Option<Parameter>,
    /// What learns beside the frozen weight.
    pub adapter: Option<Adapter>,
}

/// The matrix of a linear.
#[derive(Clone, Debug)]
pub enum Weight {
    /// As the model computes.
    Plain(Parameter),
    /// Frozen, in four bits, under its name.
    Nf4(String, Nf4),
    /// Frozen, of numbers in bf16 and ready for products, under its name.
    Packed(String, Packed),
}

/// `x·Aᵀ` of all adapters that read `x`, side by side `[rows, Σ rank]`; None without adapters.
pub(crate) type Low = Option<Tensor>;

/// The results `[rows, out]` of linears that read the same `x` `[rows, in]`. With `onto`, which has
/// the shape of a result, each is added to it. With a key, the adapters drop some of `x`.
pub(crate) fn forward(
    linears: &[&Linear],
    x: &Tensor,
    onto: Option<&Tensor>,
    dropout: Option<u64>,
) -> Result<(Vec<Tensor>, Low)> {
    let rows = Rows::new(x);
    let low = match stacked(linears, x.dtype())? {
        Some(a) => {
            let a = linears[0].weight.alike(&a.t()?)?;
            Some(match Drop::of(linears, dropout) {
                Drop(None) => ops::sum_of_products(None, &[(&rows, &a)])?,
                drop => ops::sum_of_products(None, &[(&Rows::new(&drop.apply(x)?), &a)])?,
            })
        }
        None => None,
    };
    let mut parts = Parts::of(&low);
    let one = |linear: &&Linear| linear.one(&rows, onto, &mut parts);
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
    dropout: Option<u64>,
    gradients: &mut Gradients,
) -> Result<Tensor> {
    let (mut terms, mut dlows, mut parts) = (Vec::new(), Vec::new(), Parts::of(low));
    for (linear, dy) in linears.iter().zip(dys) {
        let name = linear.weight.name();
        if gradients.of_weights {
            gradients.add_product(name, 1.0, &dy.t()?, x)?;
            if let Some(bias) = &linear.bias {
                gradients.add(&bias.name, &dy.to_dtype(DType::F32)?.sum(0)?)?;
            }
        }
        let Some(adapter) = &linear.adapter else {
            terms.push((Rows::new(dy), linear.weight.backward(x.dtype())?));
            continue;
        };
        let low = parts.next(adapter)?;
        let (dy, matrix) = match linear.has_gain() {
            true => {
                let matrix = linear.weight.matrix(x.dtype())?;
                let dy = through_gain(adapter, &matrix, x, &low, dy, gradients)?;
                (dy, Matrix::Plain(matrix))
            }
            false => (dy.clone(), linear.weight.backward(x.dtype())?),
        };
        gradients.add_product(&adapter.b.name, adapter.scale, &dy.t()?, &low)?;
        let (dy, b) = (Rows::new(&dy), linear.weight.alike(&adapter.scaled_b(x.dtype())?)?);
        dlows.push(ops::sum_of_products(None, &[(&dy, &b)])?);
        terms.push((dy, matrix));
    }
    let Some(a) = stacked(linears, x.dtype())? else { return sum(&terms) };
    let drop = Drop::of(linears, dropout);
    let dlow = Tensor::cat(&dlows, 1)?;
    let da = ops::product(1.0, &dlow.t()?, &drop.apply(x)?)?;
    let mut row = 0;
    for adapter in linears.iter().filter_map(|linear| linear.adapter.as_ref()) {
        gradients.add(&adapter.a.name, &da.narrow(0, row, adapter.rank())?)?;
        row += adapter.rank();
    }
    if let Drop(None) = drop {
        terms.push((Rows::new(&dlow), linears[0].weight.alike(&a)?));
        return sum(&terms);
    }
    ops::sum(&[&sum(&terms)?, &drop.apply(&ops::product(1.0, &dlow, &a)?)?])
}

fn sum(terms: &[(Rows, Matrix)]) -> Result<Tensor> {
    let terms: Vec<_> = terms.iter().map(|(rows, matrix)| (rows, matrix)).collect();
    ops::sum_of_products(None, &terms)
}

impl Linear {
    /// A linear without an adapter; `weight` is `[out, in]`, `bias` `[out]`.
    pub fn new(weight: Parameter, bias: Option<Parameter>) -> Linear {
        Linear { weight: Weight::Plain(weight), bias, adapter: None }
    }

    /// The name of the module, without `.weight`.
    pub fn module(&self) -> &str {
        self.weight.name().trim_end_matches(".weight")
    }

    /// The weight `[out, in]` with the adapter folded in.
    pub fn merged_weight(&self) -> Result<Tensor> {
        let value = match &self.weight {
            Weight::Plain(Parameter { value, .. }) => value,
            Weight::Packed(_, packed) if !packed.is_rounded() => &packed.matrix(DType::F32)?,
            rounded => {
                let bits = if matches!(rounded, Weight::Nf4(..)) { "four" } else { "sixteen" };
                let module = self.module();
                bail!("`{module}` has {bits} bits a weight: merge into the model as it was")
            }
        };
        let Some(adapter) = &self.adapter else { return Ok(value.clone()) };
        let merged = adapter.merged(value)?.to_dtype(value.dtype())?;
        ensure!(
            parameter::all_finite(&merged)?,
            "`{}` has a NaN or infinite element once its adapter is folded in: the adapter's \
             values are too large for {}",
            self.weight.name(),
            value.dtype().as_str()
        );
        Ok(merged)
    }

    /// The same function, without the adapter.
    pub fn merged(&self) -> Result<Linear> {
        let weight = Parameter::new(self.weight.name(), self.merged_weight()?);
        Ok(Linear::new(weight, self.bias.clone()))
    }

    /// Whether its outputs are scaled, as DoRA does.
    pub(crate) fn has_gain(&self) -> bool {
        self.adapter.as_ref().is_some_and(|adapter| adapter.magnitude.is_some())
    }

    /// The result of this one, with its part of the low-rank terms.
    fn one(&self, x: &Rows, onto: Option<&Tensor>, parts: &mut Parts) -> Result<Tensor> {
        let (dtype, mut onto, mut gain) = (x.tensor.dtype(), onto, None);
        let matrix = match &self.adapter {
            // A gain scales what comes before the bias and the sum.
            Some(adapter) if self.has_gain() => {
                let matrix = self.weight.matrix(dtype)?;
                gain = adapter.gain(&matrix)?.map(|gain| (gain, onto.take()));
                Matrix::Plain(matrix.t()?)
            }
            _ => self.weight.forward(dtype)?,
        };
        let low = match &self.adapter {
            Some(adapter) => {
                let b = self.weight.alike(&adapter.scaled_b(dtype)?.t()?)?;
                Some((Rows::new(&parts.next(adapter)?), b))
            }
            None => None,
        };
        let low = low.as_ref().map(|(low, b)| (low, b));
        let terms: Vec<_> = [(x, &matrix)].into_iter().chain(low).collect();
        let y = ops::sum_of_products(onto.map(Tensor::copy).transpose()?, &terms);
        let mut y = y.with_context(|| format!("in `{}`", self.module()))?;
        if let Some((gain, onto)) = gain {
            y = y.broadcast_mul(&gain.factor.to_dtype(dtype)?)?;
            if let Some(onto) = onto {
                y = ops::sum(&[onto, &y])?;
            }
        }
        match &self.bias {
            Some(bias) => Ok(y.broadcast_add(&bias.value)?),
            None => Ok(y),
        }
    }
}

/// DoRA's part of the backward pass: the gradient of the lengths, and that of what they scale.
/// `weight` is the linear's matrix `[out, in]`.
fn through_gain(
    adapter: &Adapter,
    weight: &Tensor,
    x: &Tensor,
    low: &Tensor,
    dy: &Tensor,
    gradients: &mut Gradients,
) -> Result<Tensor> {
    let Some(magnitude) = &adapter.magnitude else { return Ok(dy.clone()) };
    let Some(gain) = adapter.gain(weight)? else { return Ok(dy.clone()) };
    let b = adapter.b.value.to_dtype(x.dtype())?;
    let scaled = ops::product(1.0, x, &weight.t()?)?;
    let scaled = ops::add_product(scaled, adapter.scale, low, &b.t()?)?;
    let along = (scaled.to_dtype(DType::F32)? * dy.to_dtype(DType::F32)?)?.sum(0)?;
    gradients.add(&magnitude.name, &(along / gain.length)?)?;
    Ok(dy.broadcast_mul(&gain.factor.to_dtype(x.dtype())?)?)
}

impl Weight {
    /// `….weight`.
    pub fn name(&self) -> &str {
        match self {
            Weight::Plain(parameter) => &parameter.name,
            Weight::Nf4(name, _) | Weight::Packed(name, _) => name,
        }
    }

    /// Outputs and inputs.
    pub fn shape(&self) -> Result<(usize, usize)> {
        match self {
            Weight::Plain(parameter) => Ok(parameter.value.dims2()?),
            Weight::Nf4(_, nf4) => Ok(nf4.shape()),
            Weight::Packed(_, packed) => Ok(packed.shape()),
        }
    }

    /// The matrix `[out, in]` in that type.
    pub fn matrix(&self, dtype: DType) -> Result<Tensor> {
        match self {
            Weight::Plain(parameter) => Ok(parameter.value.to_dtype(dtype)?),
            Weight::Nf4(_, nf4) => nf4.matrix(dtype),
            Weight::Packed(_, packed) => packed.matrix(dtype),
        }
    }

    /// The matrix `[in, out]` for products with rows of that type.
    fn forward(&self, dtype: DType) -> Result<Matrix> {
        match self {
            Weight::Packed(_, packed) => Ok(packed.forward()),
            _ => Ok(Matrix::Plain(self.matrix(dtype)?.t()?)),
        }
    }

    /// Another matrix, as products with the same rows want it.
    fn alike(&self, matrix: &Tensor) -> Result<Matrix> {
        match self {
            Weight::Packed(_, packed) if packed.is_rounded() => Matrix::rounded(matrix),
            _ => Ok(Matrix::Plain(matrix.clone())),
        }
    }

    /// The matrix `[out, in]` for products with gradients of that type.
    fn backward(&self, dtype: DType) -> Result<Matrix> {
        match self {
            Weight::Packed(_, packed) => Ok(packed.backward()),
            _ => Ok(Matrix::Plain(self.matrix(dtype)?)),
        }
    }

    /// The parameter, unless it is frozen for good.
    pub fn parameter(&self) -> Option<&Parameter> {
        match self {
            Weight::Plain(parameter) => Some(parameter),
            Weight::Nf4(..) | Weight::Packed(..) => None,
        }
    }

    /// The same, to be changed.
    pub fn parameter_mut(&mut self) -> Option<&mut Parameter> {
        match self {
            Weight::Plain(parameter) => Some(parameter),
            Weight::Nf4(..) | Weight::Packed(..) => None,
        }
    }
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
        let low = self.low.as_ref().context("an adapter without its low-rank term")?;
        let part = low.narrow(1, self.column, adapter.rank())?;
        self.column += adapter.rank();
        Ok(part)
    }
}

/// What the adapters of one input leave out of it: its share and its key.
struct Drop(Option<(f64, u64)>);

impl Drop {
    /// Each input of a pass has a key of its own, made of the first linear's name.
    fn of(linears: &[&Linear], key: Option<u64>) -> Drop {
        let rate = linears.iter().filter_map(|linear| linear.adapter.as_ref()).map(|a| a.dropout);
        let rate = rate.fold(0.0, f64::max);
        let Some(key) = key.filter(|_| rate > 0.0) else { return Drop(None) };
        let module = linears.first().map_or("", |linear| linear.module());
        let hash = blake3::keyed_hash(&spread(key), module.as_bytes());
        let bytes = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
        Drop(Some((rate, u64::from_le_bytes(*bytes))))
    }

    fn apply(&self, x: &Tensor) -> Result<Tensor> {
        self.0.map_or(Ok(x.clone()), |(rate, key)| ops::dropout(x, rate, key))
    }
}

fn spread(key: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&key.to_le_bytes());
    bytes
}
