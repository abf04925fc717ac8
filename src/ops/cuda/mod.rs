//! The operations of a block on an NVIDIA GPU: kernels of our own, and cuBLAS's products.
//!
//! The kernels lie beside the Rust code as PTX, which the driver compiles for the GPU that is
//! there. Measured on an H200: docs/results/gpu.md.

mod attention;
mod driver;
mod flash;
mod heads;
mod product;
mod rows;

pub use super::plain::{argmax, log_probabilities, sum};
pub use attention::{attention, attention_backward};
pub use product::{add_product, product};
pub use rows::{
    adamw, cross_entropy, dequantise, dropout, merge_heads, rms_norm, rms_norm_backward,
    rms_norm_dweight, select_rows, split_heads, spread_rows, sum_of_squares, swiglu,
    swiglu_backward,
};
