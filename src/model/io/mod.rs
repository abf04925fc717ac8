//! Models on disk and on the Hugging Face hub: folders of safetensors, and GGUF files.

pub mod gguf;
pub mod hub;
pub(crate) mod stored;
