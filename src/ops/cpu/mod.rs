//! The operations of a block over f32 slices: products, and all else in one pass over memory.

mod adamw;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
mod attention;
pub(crate) mod factors;
pub(crate) mod head;
mod heads;
pub mod heap;
mod kernels;
mod loss;
mod math;
mod packing;
#[cfg(target_arch = "x86_64")]
mod pairs;
mod product;
mod rows;
mod slice;
mod square;
pub(crate) mod sums;
pub mod tiles;
mod view;

pub use adamw::adamw;
pub use attention::{attention, attention_backward};
pub use heads::{merge_heads, split_heads};
pub(crate) use kernels::{has_bf16, has_f32};
pub use loss::{argmax, cross_entropy, log_probabilities};
pub use product::{add_product, product};
pub use rows::{
    dropout, rms_norm, rms_norm_backward, rms_norm_dweight, sum, sum_of_squares, swiglu,
    swiglu_backward,
};
pub(crate) use square::Parts;
