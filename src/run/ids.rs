//! Token ids of samples as training has them, for data sets.

use std::sync::Arc;

use anyhow::Result;

use super::{fingerprint, wording};
use crate::data::Sampler;
use crate::data::dataset::{Part, Replies};
use crate::data::layout::TokenIds;
use crate::data::sink::Ids;
use crate::model::Tokenizer;

/// Those of a template's samples as plain texts, each with the end of a text after it.
///
/// # Errors
/// If the tokenizer does not know what samples show.
pub fn of_template(
    tokenizer: &Tokenizer,
    sampler: &Sampler,
    seed: u64,
    length: usize,
) -> Result<Ids> {
    if let Some(error) = wording::unknown(tokenizer, sampler, seed) {
        let name = &sampler.program().name;
        return Err(error.context(format!("the tokenizer does not know what {name} shows")));
    }
    let ids =
        TokenIds::new(sampler.program(), sampler.vocabulary().clone(), Arc::new(tokenizer.clone()));
    let ids = ids.behind(tokenizer.opening());
    let part = Part { sampler: sampler.clone(), ids, replies: Replies::Own }.held(seed);
    let of = fingerprint::of_tokenizer(tokenizer)?;
    Ok(Ids { parts: vec![part.ids], closing: vec![tokenizer.eos()], length, of })
}
