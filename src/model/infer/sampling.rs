//! One reply, token by token: the most likely one, or drawn at a temperature.

use anyhow::{Result, ensure};
use rand::{Rng, RngExt};

use crate::model::infer::decode;
use crate::model::infer::ends::Ends;
use crate::model::network::transformer::{Inputs, Model};
use crate::model::random;

/// How a token is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// What logits are divided by; 0 takes the most likely token.
    pub temperature: f64,
    /// Only the most likely tokens that together have this probability are drawn (Holtzman
    /// et al. 2019, "nucleus sampling", arXiv:1904.09751).
    pub top_p: f64,
    /// The same seed draws the same reply.
    pub seed: u64,
    /// The most tokens of a reply.
    pub tokens_max: usize,
}

/// Replies to a prompt until one of `stop`, which is left out, or until it has the most tokens.
/// `each` gets every id as soon as it is known to belong to the reply, and says whether to go on.
///
/// # Errors
/// If the prompt is empty, has an unknown id or is as long as the longest text, or if `each` fails.
pub fn reply(
    model: &Model,
    prompt: &[u32],
    stop: &Ends,
    sampling: &Sampling,
    each: &mut dyn FnMut(u32) -> Result<bool>,
) -> Result<()> {
    let most = model.config.tokens_max();
    ensure!(!prompt.is_empty(), "a prompt has no tokens");
    ensure!(
        prompt.len() < most,
        "the prompt takes {} tokens; the model was made for {most}",
        prompt.len()
    );
    let mut stream = random::stream(sampling.seed, "reply");
    let tokens_max = sampling.tokens_max.min(most - prompt.len());
    let caches = decode::caches(model, 1, prompt.len() + tokens_max)?;
    let mut past = 0;
    let mut ids = prompt.to_vec();
    let mut held: Vec<u32> = Vec::new();
    for _ in 0..tokens_max {
        let time = ids.len();
        let inputs =
            Inputs { batch: 1, time, ids, start: vec![0; time], branches: Default::default() };
        let logits = decode::last_logits(model, &inputs, past, &caches)?;
        let logits = logits.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        let next = choose(&logits, sampling, &mut stream);
        held.push(next);
        let ended = stop.cut(&held).map(<[u32]>::len);
        // What may be the begin of an end is held back until it is none.
        let ready = ended.unwrap_or_else(|| held.len() - stop.open(&held));
        for id in held.drain(..ready) {
            if !each(id)? {
                return Ok(());
            }
        }
        if ended.is_some() {
            return Ok(());
        }
        past += time;
        ids = vec![next];
    }
    for id in held {
        if !each(id)? {
            break;
        }
    }
    Ok(())
}

fn choose(logits: &[f32], sampling: &Sampling, random: &mut impl Rng) -> u32 {
    let mut order: Vec<u32> = (0..logits.len() as u32).collect();
    let logit = |id: u32| f64::from(logits[id as usize]);
    // Equal logits go by their ids, so that a reply is the same on every run.
    order.sort_by(|a, b| logit(*b).total_cmp(&logit(*a)).then(a.cmp(b)));
    if sampling.temperature <= 0.0 {
        return order[0];
    }
    let weight = |id: u32| ((logit(id) - logit(order[0])) / sampling.temperature).exp();
    let sum: f64 = order.iter().map(|id| weight(*id)).sum();
    let mut kept = 0.0;
    let many = order.iter().take_while(|id| {
        let goes_on = kept < sampling.top_p * sum;
        kept += if goes_on { weight(**id) } else { 0.0 };
        goes_on
    });
    let many = many.count().max(1);
    let mut left = random.random::<f64>() * order[..many].iter().map(|id| weight(*id)).sum::<f64>();
    for id in &order[..many] {
        left -= weight(*id);
        if left < 0.0 {
            return *id;
        }
    }
    order[many - 1]
}
