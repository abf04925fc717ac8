//! A root-mean-square norm (RMSNorm; Zhang and Sennrich 2019, arXiv:1910.07467), both ways.

use anyhow::Result;
use candle_core::Tensor;

use crate::model::config::Config;
use crate::model::network::gradients::Gradients;
use crate::model::network::parameter::Parameter;
use crate::ops;

/// A norm in one pass.
#[derive(Clone, Copy)]
pub(crate) struct Norm<'a> {
    /// The gain of each column `[width]`.
    pub(crate) gain: &'a Parameter,
    /// Added to the mean square before its root is taken.
    pub(crate) epsilon: f64,
}

impl<'a> Norm<'a> {
    /// That of a model of this config.
    pub(crate) fn of(gain: &'a Parameter, config: &Config) -> Norm<'a> {
        Norm { gain, epsilon: config.rms_norm_eps }
    }

    /// The rows of `x`, normed.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::rms_norm(x, &self.gain.value, self.epsilon)
    }

    /// From the gradient `dy` of the result to that of `x`, added to `onto`; the gain gets its own
    /// where weights are trained.
    pub(crate) fn backward(
        &self,
        x: &Tensor,
        dy: &Tensor,
        onto: Option<&Tensor>,
        gradients: &mut Gradients,
    ) -> Result<Tensor> {
        if gradients.of_weights {
            gradients.add(&self.gain.name, &ops::rms_norm_dweight(x, self.epsilon, dy)?)?;
        }
        ops::rms_norm_backward(x, &self.gain.value, self.epsilon, dy, onto)
    }

    /// The norm of each head of `x` `[tokens, heads × head_dim]`.
    pub(crate) fn forward_heads(&self, x: &Tensor) -> Result<Tensor> {
        let heads = x.reshape(((), self.gain.value.elem_count()))?;
        Ok(self.forward(&heads)?.reshape(x.shape())?)
    }

    /// From the gradient of [`Norm::forward_heads`]'s result to that of `x`.
    pub(crate) fn backward_heads(
        &self,
        x: &Tensor,
        dy: &Tensor,
        gradients: &mut Gradients,
    ) -> Result<Tensor> {
        let heads = ((), self.gain.value.elem_count());
        let dx = self.backward(&x.reshape(heads)?, &dy.reshape(heads)?, None, gradients)?;
        Ok(dx.reshape(x.shape())?)
    }
}
