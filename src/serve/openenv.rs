//! OpenEnv's environment: an episode is a sample, its one step the reply to it.

use std::sync::atomic::AtomicBool;

use serde_json::{Map, Value, json};

use super::catalog::Named;
use super::episodes::Episode;
use super::fields::{Fields, parse, parse_or_empty, quoted};
use super::plain::row;
use super::refusal::Refusal;
use super::scoring::{Asked, scores, verdict};
use super::{Answer, Call, Service};
use crate::data::rfc008::FLOOR_MARGIN;

/// The longest name of an episode, as OpenEnv has it.
const EPISODE_ID_MAX: usize = 255;

/// Begins an episode.
pub fn reset(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let body = parse_or_empty(call.body)?;
    let (episode, observation) = begin(service, &Fields::of(&body)?)?;
    service.episodes.begin(episode);
    Ok(observation.into())
}

/// The reply of an episode: the one that `episode_id` names, or that of the sample that the action
/// names itself.
pub fn step(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let body = parse(call.body)?;
    let fields = Fields::of(&body)?;
    let action = fields.inside("action")?;
    let Some(id) = fields.text("episode_id")?.or(action.text("episode_id")?) else {
        if action.get("id").is_none() && action.get("index").is_none() {
            return Err(fields.missing("episode_id"));
        }
        let named = service.catalog.named(&action)?;
        let answer = answer(service, None, named, &action, call.cancel)?;
        return Ok(Answer::Json(answer, 1));
    };
    let episode = found(service, id)?;
    let named = sample(service, &episode)?;
    let answer = answer(service, Some(&episode.id), named, &action, call.cancel)?;
    match service.episodes.end(id, answer["reward"].as_f64().unwrap_or(0.0)) {
        true => Ok(Answer::Json(answer, 1)),
        false => Err(over(id)),
    }
}

/// Where an episode is; without a name, that of none.
pub fn state(service: &Service, call: &Call) -> Result<Answer, Refusal> {
    let given = call.query.split('&').find_map(|pair| pair.strip_prefix("episode_id="));
    let Some(id) = given else { return Ok(state_of(None).into()) };
    let episode = service.episodes.get(id).ok_or_else(|| no_session(id))?;
    Ok(state_of(Some(&episode)).into())
}

/// That the server is there.
pub fn health(_: &Service, _: &Call) -> Result<Answer, Refusal> {
    Ok(json!({"status": "healthy"}).into())
}

/// What the environment is.
pub fn metadata(service: &Service, _: &Call) -> Result<Answer, Refusal> {
    let names: Vec<&str> = service.names().collect();
    Ok(json!({
        "name": name(service),
        "description": format!("Verifiable tasks of cookc: {}", names.join(", ")),
        "version": env!("CARGO_PKG_VERSION"),
        "documentation_url": "https://github.com/cookc/cookc",
    })
    .into())
}

/// What actions, observations and states are.
pub fn schema(_: &Service, _: &Call) -> Result<Answer, Refusal> {
    let (action, observation, state) = (action_schema(), observation_schema(), state_schema());
    Ok(json!({"action": action, "observation": observation, "state": state}).into())
}

/// MCP as an environment without tools answers it.
pub fn mcp(_: &Service, call: &Call) -> Result<Answer, Refusal> {
    let error = |id: Value, code: i64, message: &str| {
        let error = json!({"code": code, "message": message});
        json!({"jsonrpc": "2.0", "id": id, "error": error})
    };
    let Ok(body) = parse_or_empty(call.body) else {
        return Ok(error(Value::Null, -32700, "the body is not JSON").into());
    };
    let id = body.get("id").cloned().unwrap_or_default();
    Ok(match body.get("method").and_then(Value::as_str) {
        None => error(id, -32600, "`method` is missing"),
        Some("tools/list") => json!({"jsonrpc": "2.0", "id": id, "result": {"tools": []}}),
        Some(_) => error(id, -32601, "this environment has no tools"),
    }
    .into())
}

/// The manifest of an environment: `openenv.yaml`.
pub fn manifest(service: &Service, port: u16) -> String {
    let names: Vec<&str> = service.names().collect();
    let (name, version) = (name(service), env!("CARGO_PKG_VERSION"));
    // JSON is YAML too.
    let description = json!(format!("Verifiable tasks of cookc: {}", names.join(", ")));
    let validation = json!({
        "reward": {"range": [0.0, 1.0], "oracle_tolerance": 0.0, "floor_margin": FLOOR_MARGIN},
        "resources": {"cpu": 1.0, "memory_mb": 512, "disk_mb": 512, "episode_timeout_s": 60.0},
        "network": {"mode": "no-network"},
        "capabilities": {"verifier": {"kind": "reward_channel"}},
        "types": {"tags": names},
    });
    format!(
        "spec_version: 1\nname: {name}\nversion: {version}\ndescription: {description}\n\
         type: space\nruntime: docker\nport: {port}\nvalidation: {validation}\n"
    )
}

/// Draws the sample of an episode that begins, and shows it.
///
/// # Errors
/// [`Refusal`] for what names no sample.
pub fn begin(service: &Service, fields: &Fields) -> Result<(Episode, Value), Refusal> {
    let id = match fields.text("episode_id")? {
        Some(id) if id.len() > EPISODE_ID_MAX => {
            let message = format!("`episode_id` has at most {EPISODE_ID_MAX} bytes");
            return Err(Refusal::invalid(message));
        }
        Some(id) => id.to_string(),
        None => service.episodes.name(),
    };
    let is_said = ["id", "index", "seed"].iter().any(|name| fields.get(name).is_some());
    let index = if is_said { 0 } else { service.episodes.next() };
    let named = service.catalog.named_or(fields, index)?;
    let mut observation = row(&named)?;
    observation.insert("episode_id".into(), json!(id));
    let sample = (named.split, named.seed, named.index);
    let episode = Episode { id, key: named.of.key.clone(), sample, reward: None };
    Ok((episode, json!({"observation": observation, "reward": null, "done": false})))
}

/// Scores the reply of an episode, which ends it.
///
/// # Errors
/// [`Refusal`] for an episode that is over, and for a reply that is no text.
pub fn reply(
    service: &Service,
    episode: &mut Episode,
    action: &Fields,
    cancel: &AtomicBool,
) -> Result<Value, Refusal> {
    if episode.reward.is_some() {
        return Err(over(&episode.id));
    }
    let named = sample(service, episode)?;
    let answer = answer(service, Some(&episode.id), named, action, cancel)?;
    episode.reward = answer["reward"].as_f64();
    Ok(answer)
}

/// The state of an episode.
pub fn state_of(episode: Option<&Episode>) -> Value {
    let Some(Episode { id, reward, .. }) = episode else {
        return json!({"episode_id": null, "step_count": 0});
    };
    let steps = u8::from(reward.is_some());
    json!({"episode_id": id, "step_count": steps, "done": reward.is_some(), "reward": reward})
}

fn answer(
    service: &Service,
    id: Option<&str>,
    named: Named,
    action: &Fields,
    cancel: &AtomicBool,
) -> Result<Value, Refusal> {
    let reply = action.need_text("reply")?;
    let mut observation = row(&named)?;
    let scores = scores(service, &[Asked { named, reply }], cancel)?;
    observation.insert("episode_id".into(), json!(id));
    observation.extend(verdict(&scores[0]));
    let reward = service.reward(&scores[0]);
    Ok(json!({"observation": observation, "reward": reward, "done": true}))
}

fn sample(service: &Service, episode: &Episode) -> Result<Named, Refusal> {
    let (split, seed, index) = episode.sample;
    Ok(Named { of: service.catalog.compiled(&episode.key)?, split, seed, index })
}

fn found(service: &Service, id: &str) -> Result<Episode, Refusal> {
    let episode = service.episodes.get(id).ok_or_else(|| no_session(id))?;
    if episode.reward.is_some() {
        return Err(over(id));
    }
    Ok(episode)
}

fn no_session(id: &str) -> Refusal {
    let message = format!("there is no episode {}: begin one with POST /reset", quoted(id));
    Refusal::new(404, "no_session", message)
}

fn over(id: &str) -> Refusal {
    let message = format!("the episode {} is over: begin one with POST /reset", quoted(id));
    Refusal::new(409, "episode_over", message)
}

/// The environment's name, as OpenEnv allows it.
fn name(service: &Service) -> String {
    let mut names = service.names();
    match (names.next(), names.next()) {
        (Some(only), None) => format!("cookc_{only}"),
        _ => "cookc".to_string(),
    }
}

/// The JSON schema of an action.
pub fn action_schema() -> Value {
    let mut properties = Map::new();
    properties
        .insert("reply".into(), json!({"type": "string", "description": "The model's reply"}));
    properties.insert("metadata".into(), json!({"type": "object"}));
    json!({"type": "object", "title": "Reply", "properties": properties, "required": ["reply"]})
}

/// The JSON schema of an observation.
pub fn observation_schema() -> Value {
    json!({"type": "object", "title": "Sample", "properties": {
        "episode_id": {"type": ["string", "null"]},
        "id": {"type": "string"},
        "template": {"type": "string"},
        "level": {"type": "string"},
        "set": {"type": "string"},
        "split": {"enum": ["train", "eval"]},
        "seed": {"type": "integer"},
        "index": {"type": "integer"},
        "system": {"type": ["string", "null"]},
        "prompt": {"type": "string"},
        "messages": {"type": "array"},
        "score": {"type": "number"},
        "exact": {"type": "boolean"},
        "scores": {"type": "object"},
        "unreadable": {"type": ["string", "null"]},
        "cause": {"type": ["string", "null"]},
    }})
}

/// The JSON schema of a state.
pub fn state_schema() -> Value {
    json!({"type": "object", "title": "State", "properties": {
        "episode_id": {"type": ["string", "null"]},
        "step_count": {"type": "integer", "minimum": 0},
    }})
}
