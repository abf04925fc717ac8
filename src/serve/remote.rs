//! The remote rewards of slime and OpenRLHF: the label of a row is the `id` of its sample.

use serde_json::{Value, json};

use super::catalog::Named;
use super::fields::{Fields, parse, quoted};
use super::refusal::Refusal;
use super::scoring::{Asked, scores};
use super::{Answer, Call, Service};

/// What tokenizers write where a reply ends: both trainers leave it in the text.
const ENDS: [&str; 12] = [
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<|eom_id|>",
    "<|end|>",
    "<|return|>",
    "<|END_OF_TURN_TOKEN|>",
    "<end_of_turn>",
    "<eos>",
    "<pad>",
    "</s>",
];

/// slime's `remote_rm`: `{prompt, response, label}` to a number.
pub fn slime(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let body = parse(call.body)?;
    let fields = Fields::of(&body)?;
    let reply = bare(fields.need_text("response")?);
    let named = labelled(service, fields.need("label")?, "`label`")?;
    let scores = scores(service, &[Asked { named, reply }], call.cancel)?;
    Ok(Answer::Json(json!(service.reward(&scores[0])), 1))
}

/// OpenRLHF's remote reward: `{query, prompts, labels}` to `{rewards, scores}`. A query is a prompt
/// and the reply to it.
pub fn openrlhf(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let body = parse(call.body)?;
    let fields = Fields::of(&body)?;
    let (queries, prompts) = (fields.texts("query")?, fields.texts("prompts")?);
    let labels = fields.list("labels")?;
    if queries.len() != prompts.len() || queries.len() != labels.len() {
        let counts = (queries.len(), prompts.len(), labels.len());
        let message =
            format!("`query`, `prompts` and `labels` must be as long as each other: {counts:?}");
        return Err(Refusal::invalid(message));
    }
    let asked = queries.iter().zip(prompts).zip(labels).enumerate();
    let asked = asked.map(|(at, ((query, prompt), label))| {
        let named = labelled(service, label, &format!("`labels[{at}]`"))?;
        Ok(Asked { named, reply: after(prompt, query, at)? })
    });
    let asked = asked.collect::<Result<Vec<_>, Refusal>>()?;
    let scores = scores(service, &asked, call.cancel)?;
    let rewards: Vec<f64> = scores.iter().map(|score| service.reward(score)).collect();
    let count = rewards.len();
    Ok(Answer::Json(json!({"rewards": rewards, "scores": rewards}), count))
}

/// The sample that a label names: an id, or an object with the fields that name a sample, or the
/// text of one.
fn labelled(service: &Service, label: &Value, place: &str) -> Result<Named, Refusal> {
    let object = match label {
        Value::String(text) if text.trim_start().starts_with('{') => {
            serde_json::from_str(text).ok().filter(Value::is_object)
        }
        Value::String(id) => Some(json!({"id": id.trim()})),
        Value::Object(_) => Some(label.clone()),
        _ => None,
    };
    let refused = |why: &str| {
        let found = match label {
            Value::String(text) => quoted(text),
            found => super::fields::shown(found),
        };
        Refusal::invalid(format!(
            "{place} must be the `id` of a sample, and is {found}{why}: generate the rows with \
             cookc generate, and name the column `id` as the label"
        ))
    };
    let object = object.ok_or_else(|| refused(""))?;
    let fields = Fields::of(&object)?;
    service.catalog.named(&fields).map_err(|error| match error.code {
        "invalid_field" | "missing_field" => refused(&format!(" ({})", error.message)),
        _ => error,
    })
}

/// The reply in a query.
fn after<'a>(prompt: &str, query: &'a str, at: usize) -> Result<&'a str, Refusal> {
    // Tokens at the start, which the prompt as text does not have, are of the query.
    let found = query.find(prompt).map(|start| &query[start + prompt.len()..]);
    found.map(bare).ok_or_else(|| {
        Refusal::invalid(format!("`query[{at}]` must have the text of `prompts[{at}]` in it"))
    })
}

/// A reply without what ends it.
fn bare(mut reply: &str) -> &str {
    while let Some(rest) = ENDS.iter().find_map(|end| reply.trim_end().strip_suffix(end)) {
        reply = rest;
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_reply_is_none_of_it() {
        assert_eq!(bare("up up<|im_end|>\n<|endoftext|>"), "up up");
        assert_eq!(bare("a</s> b"), "a</s> b");
        assert_eq!(bare("a \n"), "a \n");
        assert_eq!(bare("<|im_end|>"), "");
    }

    #[test]
    fn a_reply_is_what_comes_after_the_prompt() {
        assert_eq!(after("Q: ", "<s>Q: a</s>", 0), Ok("a"));
        assert_eq!(after("Q", "R", 3).map_err(|refusal| refusal.status), Err(422));
    }
}
