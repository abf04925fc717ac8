//! The operations of a block over f32 slices: products, and all else in one pass over memory.

mod adamw;
mod attention;
mod heads;
pub mod heap;
mod kernels;
mod loss;
mod math;
mod packing;
mod product;
mod rows;
mod slice;
pub mod tiles;

pub use adamw::adamw;
pub use attention::{attention, attention_backward};
pub use heads::{merge_heads, split_heads};
pub use loss::cross_entropy;
pub use product::{add_product, product};
pub use rows::{
    dropout, rms_norm, rms_norm_backward, rms_norm_dweight, sum, sum_of_squares, swiglu,
    swiglu_backward,
};
