//! `cookc generate --shape ids`: what makes ids of a template's samples.

use std::sync::Arc;

use super::failure::Failure;
use super::generate::Generate;
use crate::data::Sampler;
use crate::data::sink::Ids;
use crate::model::Tokenizer;
use crate::run::ids;

/// By the tokenizer that the command names.
pub fn of(command: &Generate, sampler: &Sampler) -> Result<Arc<Ids>, Failure> {
    let Some(path) = &command.tokenizer else {
        return Err(Failure::Usage(
            "ids need a tokenizer: add `--tokenizer MODEL`, where MODEL is a model's folder or a \
             .gguf file"
                .to_string(),
        ));
    };
    let at_error = |error: anyhow::Error| Failure::Input(format!("{error:#}"));
    let tokenizer = Tokenizer::load(path).map_err(at_error)?;
    let seed = command.seed.unwrap_or(0);
    ids::of_template(&tokenizer, sampler, seed, command.length()).map_err(at_error).map(Arc::new)
}
