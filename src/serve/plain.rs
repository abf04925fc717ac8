//! The plain routes: templates, samples without their answers, scores.

use serde_json::{Map, Value, json};

use super::catalog::Named;
use super::fields::{Fields, parse};
use super::refusal::Refusal;
use super::scoring::{Asked, scores, verdict};
use super::{Answer, Call, Service};
use crate::data::level_name;
use crate::template::Sample;

/// The most samples of a request.
pub const SAMPLES_MAX: u64 = 4096;
/// The most replies of a request: more only wait for each other.
pub const REPLIES_MAX: usize = 65_536;

/// The templates that are served.
pub fn templates(service: &Service, _: &Call) -> Result<Answer, Refusal> {
    let one = |offer: &super::Offer| {
        let levels: Vec<&str> = offer.template.levels().collect();
        let set: Map<String, Value> =
            offer.set.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "name": offer.template.name(),
            "levels": levels,
            "level": level_name(&offer.level),
            "set": set,
        })
    };
    let all: Vec<Value> = service.catalog.offers().iter().map(one).collect();
    Ok(json!({"templates": all}).into())
}

/// Samples one after the other.
pub fn samples(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let body = parse(call.body)?;
    let fields = Fields::of(&body)?;
    let start = fields.integer("start")?;
    let count = fields.integer("count")?.unwrap_or(1);
    if !(1..=SAMPLES_MAX).contains(&count) {
        let message =
            format!("`count` must be from 1 to {SAMPLES_MAX}, and is {count}: ask several times");
        return Err(Refusal::invalid(message));
    }
    let first = service.catalog.named_or(&fields, start.unwrap_or(0))?;
    let mut rows = Vec::new();
    for index in first.index..first.index + count {
        if call.cancel.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(super::refusal::slow());
        }
        rows.push(Value::Object(row(&Named { index, ..first.clone() })?));
    }
    Ok(json!({"samples": rows}).into())
}

/// What a model is shown of a sample, and what names it: never its reply, nor a value that the
/// reply shows.
///
/// # Errors
/// [`Refusal`] if it cannot be drawn.
pub fn row(named: &Named) -> Result<Map<String, Value>, Refusal> {
    let Sample { key, system, prompt, .. } =
        named.of.sampler.sample(named.split, named.seed, named.index)?;
    let mut messages = Vec::new();
    if let Some(system) = &system {
        messages.push(json!({"role": "system", "content": system}));
    }
    messages.push(json!({"role": "user", "content": prompt}));
    let mut row = Map::new();
    row.insert("id".into(), json!(named.id().to_string()));
    row.insert("template".into(), json!(&*key.template));
    row.insert("level".into(), json!(&*key.level));
    row.insert("set".into(), json!(&*key.set));
    row.insert("split".into(), json!(key.split.name()));
    row.insert("seed".into(), json!(key.seed));
    row.insert("index".into(), json!(key.index));
    row.insert("system".into(), json!(system));
    row.insert("prompt".into(), json!(prompt));
    row.insert("messages".into(), Value::Array(messages));
    Ok(row)
}

/// The score of a reply.
pub fn score(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let body = parse(call.body)?;
    let fields = Fields::of(&body)?;
    let reply = fields.need_text("reply")?;
    let named = service.catalog.named(&fields)?;
    let id = named.id().to_string();
    let scores = scores(service, &[Asked { named, reply }], call.cancel)?;
    let mut answer = Map::new();
    answer.insert("id".into(), json!(id));
    answer.extend(verdict(&scores[0]));
    Ok(Answer::Json(Value::Object(answer), 1))
}

/// The scores of many replies, in their order.
pub fn score_batch(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let body = parse(call.body)?;
    let replies = Fields::of(&body)?.each("replies")?;
    if replies.len() > REPLIES_MAX {
        let message = format!(
            "`replies` has {} of them, and a request has at most {REPLIES_MAX}: send several",
            replies.len()
        );
        return Err(Refusal::new(413, "too_large", message));
    }
    let asked = replies.iter().map(|fields| {
        Ok(Asked { reply: fields.need_text("reply")?, named: service.catalog.named(fields)? })
    });
    let asked = asked.collect::<Result<Vec<_>, Refusal>>()?;
    let scores = scores(service, &asked, call.cancel)?;
    let all: Vec<Value> = scores.iter().map(|score| Value::Object(verdict(score))).collect();
    Ok(Answer::Json(json!({"scores": all}), scores.len()))
}
