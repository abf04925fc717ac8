//! NeMo Gym's resources server: a rollout's rows as `cookc generate --shape nemo-gym` writes them.
//!
//! Nothing is kept between requests, so rollouts of long ago can be verified again.

use serde_json::{Map, Value, json};

use super::fields::{Fields, parse, parse_or_empty};
use super::refusal::Refusal;
use super::scoring::{Asked, scores, verdict};
use super::{Answer, Call, Service, aggregate};

/// Of the fields that name the samples, what an environment server gets back.
const SESSION: &str = "resources_session_id";

/// Begins or ends a session, of which nothing is kept.
pub fn session(_: &Service, call: &Call) -> Result<Answer, Refusal> {
    let body = parse_or_empty(call.body)?;
    let id = Fields::of(&body)?.text(SESSION)?;
    let mut answer = Map::new();
    if let Some(id) = id {
        answer.insert(SESSION.into(), json!(id));
    }
    Ok(Value::Object(answer).into())
}

/// The request itself, with its reward.
pub fn verify(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let body = parse(call.body)?;
    let fields = Fields::of(&body)?;
    fields.inside("responses_create_params")?;
    let reply = text_of(&fields.inside("response")?)?;
    let named = service.catalog.named(&fields)?;
    let scores = scores(service, &[Asked { named, reply: &reply }], call.cancel)?;
    let mut answer = fields.object().clone();
    answer.insert("reward".into(), json!(service.reward(&scores[0])));
    answer.extend(verdict(&scores[0]));
    Ok(Answer::Json(Value::Object(answer), 1))
}

/// What rollouts are on average.
pub fn aggregate_metrics(_: &Service, call: &Call) -> Result<Answer, Refusal> {
    let body = parse(call.body)?;
    let responses = Fields::of(&body)?.each("verify_responses")?;
    let responses: Vec<&Map<String, Value>> = responses.iter().map(Fields::object).collect();
    Ok(aggregate::aggregated(&responses).into())
}

/// Whether rollouts can be verified again: always.
pub fn reverify_mode(_: &Service, _: &Call) -> Result<Answer, Refusal> {
    Ok(json!("stateless").into())
}

/// The text that a model wrote: that of the messages in a response's output.
fn text_of(response: &Fields) -> Result<String, Refusal> {
    let mut text = String::new();
    for item in response.each("output")? {
        if item.text("type")?.is_some_and(|kind| kind != "message") {
            continue;
        }
        match item.get("content") {
            Some(Value::String(all)) => text += all,
            Some(Value::Array(parts)) => {
                let of_text = |part: &&Value| part["type"] == "output_text";
                text.extend(parts.iter().filter(of_text).filter_map(|part| part["text"].as_str()));
            }
            Some(found) => return Err(item.wrong("content", "a text or a list", found)),
            None => return Err(item.missing("content")),
        }
    }
    Ok(text)
}
