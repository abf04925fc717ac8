//! Matrix products with the model's weights, and the adapters beside them, forwards and backwards.
//!
//! Linears that read the same input go together: the low-rank terms of all of them are one product.

use anyhow::{Context, Result, bail, ensure};
use candle_core::{DType, Tensor};

use crate::model::network::adapter::Adapter;
use crate::model::network::gradients::Gradients;
use crate::model::network::parameter::{self, Parameter};
use crate::model::network::weight::Weight;
use crate::ops::{self, Matrix, Rows};

/// `y = x·Wᵀ + b + s·(x·Aᵀ)·Bᵀ`, the second term where there is a bias, the third where there is
/// an adapter. With DoRA the first and the third are scaled, output by output.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[out, in]`, named `….weight`.
    pub weight: Weight,
    /// `[out]`, named `….bias`.
    pub bias: Option<Parameter>,
    /// What is trained beside the frozen weight.
    pub adapter: Option<Adapter>,
}

/// `x·Aᵀ` of all adapters that read `x`, side by side `[rows, Σ rank]`; None without adapters.
pub(crate) type Low = Option<Tensor>;

/// Linears that read the same input, in one pass.
#[derive(Clone, Copy)]
pub(crate) struct SharedInput<'a> {
    /// Each of them.
    pub(crate) linears: &'a [&'a Linear],
    /// The key of the adapters' dropout, in training.
    pub(crate) dropout: Option<u64>,
}

impl SharedInput<'_> {
    /// The results `[rows, out]` of an input `x` `[rows, in]`. With `onto`, which has the shape of
    /// a result, each is added to it.
    pub(crate) fn forward(&self, x: &Tensor, onto: Option<&Tensor>) -> Result<(Vec<Tensor>, Low)> {
        let rows = Rows::new(x);
        let low = match self.stacked(x.dtype())? {
            Some(a) => {
                let a = self.linears[0].weight.alike(&a.t()?)?;
                Some(match self.drop() {
                    Drop(None) => ops::sum_of_products(None, &[(&rows, &a)])?,
                    drop => ops::sum_of_products(None, &[(&Rows::new(&drop.apply(x)?), &a)])?,
                })
            }
            None => None,
        };
        let mut parts = Parts::of(&low);
        let one = |linear: &&Linear| linear.one(&rows, onto, &mut parts);
        let results = self.linears.iter().map(one).collect::<Result<Vec<_>>>()?;
        Ok((results, low))
    }

    /// From the gradients `dys` `[rows, out]` of the results, with what `forward` received and
    /// returned, to the gradient of `x`. Trainable parameters get theirs; a frozen weight costs
    /// none.
    pub(crate) fn backward(
        &self,
        x: &Tensor,
        low: &Low,
        dys: &[Tensor],
        gradients: &mut Gradients,
    ) -> Result<Tensor> {
        let (mut terms, mut dlows, mut parts) = (Vec::new(), Vec::new(), Parts::of(low));
        for (linear, dy) in self.linears.iter().zip(dys) {
            if gradients.of_weights {
                linear.add_own(x, dy, gradients)?;
            }
            let Some(adapter) = &linear.adapter else {
                terms.push((Rows::new(dy), linear.weight.backward(x.dtype())?));
                continue;
            };
            let low = parts.next(adapter)?;
            let (dy, matrix) = match linear.has_gain() {
                true => {
                    let matrix = linear.weight.matrix(x.dtype())?;
                    let dy = adapter.gain_backward(&matrix, x, &low, dy, gradients)?;
                    (dy, Matrix::Plain(matrix))
                }
                false => (dy.clone(), linear.weight.backward(x.dtype())?),
            };
            gradients.add_product(&adapter.b.name, adapter.scale, &dy.t()?, &low)?;
            let (dy, b) = (Rows::new(&dy), linear.weight.alike(&adapter.scaled_b(x.dtype())?)?);
            dlows.push(ops::sum_of_products(None, &[(&dy, &b)])?);
            terms.push((dy, matrix));
        }
        let Some(a) = self.stacked(x.dtype())? else { return sum(&terms) };
        let drop = self.drop();
        let dlow = Tensor::cat(&dlows, 1)?;
        let da = ops::product(1.0, &dlow.t()?, &drop.apply(x)?)?;
        let mut row = 0;
        for adapter in self.linears.iter().filter_map(|linear| linear.adapter.as_ref()) {
            gradients.add(&adapter.a.name, &da.narrow(0, row, adapter.rank())?)?;
            row += adapter.rank();
        }
        if let Drop(None) = drop {
            terms.push((Rows::new(&dlow), self.linears[0].weight.alike(&a)?));
            return sum(&terms);
        }
        ops::sum(&[&sum(&terms)?, &drop.apply(&ops::product(1.0, &dlow, &a)?)?])
    }

    /// The A of all adapters, one below the other `[Σ rank, in]`.
    fn stacked(&self, dtype: DType) -> Result<Option<Tensor>> {
        let adapters = self.linears.iter().filter_map(|linear| linear.adapter.as_ref());
        let all: Vec<&Tensor> = adapters.map(|adapter| &adapter.a.value).collect();
        match all[..] {
            [] => Ok(None),
            [one] => Ok(Some(one.to_dtype(dtype)?)),
            _ => Ok(Some(Tensor::cat(&all, 0)?.to_dtype(dtype)?)),
        }
    }

    /// Each input of a pass has its own key, made of the first linear's name.
    fn drop(&self) -> Drop {
        let adapters = self.linears.iter().filter_map(|linear| linear.adapter.as_ref());
        let rate = adapters.map(|adapter| adapter.dropout).fold(0.0, f64::max);
        let Some(key) = self.dropout.filter(|_| rate > 0.0) else { return Drop(None) };
        let module = self.linears.first().map_or("", |linear| linear.module());
        let hash = blake3::keyed_hash(&spread(key), module.as_bytes());
        let bytes = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
        Drop(Some((rate, u64::from_le_bytes(*bytes))))
    }
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
    ///
    /// # Errors
    /// If the weight is quantised or rounded, or the result is not finite.
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
    ///
    /// # Errors
    /// If the weight is quantised or rounded, or the result is not finite.
    pub fn merged(&self) -> Result<Linear> {
        let weight = Parameter::new(self.weight.name(), self.merged_weight()?);
        Ok(Linear::new(weight, self.bias.clone()))
    }

    /// Whether its outputs are scaled, as DoRA does.
    pub(crate) fn has_gain(&self) -> bool {
        self.adapter.as_ref().is_some_and(|adapter| adapter.magnitude.is_some())
    }

    /// Adds the gradients of its own weight and bias.
    fn add_own(&self, x: &Tensor, dy: &Tensor, gradients: &mut Gradients) -> Result<()> {
        gradients.add_product(self.weight.name(), 1.0, &dy.t()?, x)?;
        if let Some(bias) = &self.bias {
            gradients.add(&bias.name, &dy.to_dtype(DType::F32)?.sum(0)?)?;
        }
        Ok(())
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

/// The columns of one adapter after another.
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

/// The dropout of the adapters of one input: its probability and its key.
struct Drop(Option<(f64, u64)>);

impl Drop {
    fn apply(&self, x: &Tensor) -> Result<Tensor> {
        self.0.map_or(Ok(x.clone()), |(rate, key)| ops::dropout(x, rate, key))
    }
}

fn spread(key: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&key.to_le_bytes());
    bytes
}
