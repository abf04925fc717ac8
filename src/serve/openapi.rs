//! The document of the routes in OpenAPI's form.

use serde_json::{Map, Value, json};

use super::Route;
use super::openenv::{action_schema, observation_schema, state_schema};
use crate::data::read::Unreadable;

/// A JSON schema of a body, if there is one, and of the answer.
pub type Schemas = (Option<Value>, Value);

/// The version of the routes, apart from the program's: what a client wrote for 1 goes on working.
const VERSION: &str = "1.0.0";

/// The document.
pub fn document(routes: &[Route]) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let (body, answer) = (route.schema)();
        let content = |schema: Value| json!({"application/json": {"schema": schema}});
        let mut operation = json!({
            "summary": route.about,
            "responses": {
                "200": {"description": "The answer", "content": content(answer)},
                "default": {"description": "Why there is none", "content": content(error())},
            },
        });
        if let Some(body) = body {
            operation["requestBody"] = json!({"required": true, "content": content(body)});
        }
        let method = if route.is_post { "post" } else { "get" };
        paths.insert(route.path.into(), json!({method: operation}));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "cookc serve",
            "version": VERSION,
            "description": "Samples of templates without their answers, and scores of replies.",
        },
        "paths": paths,
        "components": {"securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "basic": {"type": "http", "scheme": "basic"},
        }},
    })
}

/// No body, and any object.
pub fn object() -> Schemas {
    (None, json!({"type": "object"}))
}

/// No body, and a text.
pub fn text() -> Schemas {
    (None, json!({"type": "string"}))
}

/// Any object, and one.
pub fn objects() -> Schemas {
    (Some(json!({"type": "object"})), json!({"type": "object"}))
}

/// Of `/v1/samples`.
pub fn samples() -> Schemas {
    let mut asked = names();
    asked.insert("start".into(), json!({"type": "integer", "minimum": 0, "default": 0}));
    asked.insert("count".into(), json!({"type": "integer", "minimum": 1, "default": 1}));
    let samples = json!({"type": "array", "items": observation_schema()});
    (Some(of(asked, &[])), json!({"type": "object", "properties": {"samples": samples}}))
}

/// Of `/v1/score`.
pub fn score() -> Schemas {
    (Some(of(replied(), &["reply"])), verdict())
}

/// Of `/v1/score_batch`.
pub fn score_batch() -> Schemas {
    let mut asked = names();
    let replies = json!({"type": "array", "items": of(replied(), &["reply"])});
    asked.insert("replies".into(), replies);
    let scores = json!({"type": "array", "items": verdict()});
    (Some(of(asked, &["replies"])), json!({"type": "object", "properties": {"scores": scores}}))
}

/// Of NeMo Gym's `/verify`.
pub fn verify() -> Schemas {
    let mut asked = names();
    asked.insert("responses_create_params".into(), json!({"type": "object"}));
    asked.insert("response".into(), json!({"type": "object"}));
    let answer = json!({"type": "object", "properties": {"reward": {"type": "number"}}});
    (Some(of(asked, &["responses_create_params", "response"])), answer)
}

/// Of slime's reward.
pub fn slime() -> Schemas {
    let asked = json!({"type": "object", "properties": {
        "prompt": {}, "response": {"type": "string"}, "label": {"type": "string"},
    }, "required": ["response", "label"]});
    (Some(asked), json!({"type": "number"}))
}

/// Of OpenRLHF's reward.
pub fn openrlhf() -> Schemas {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let numbers = json!({"type": "array", "items": {"type": "number"}});
    let asked = json!({"type": "object", "properties": {
        "query": texts, "prompts": texts, "labels": texts,
    }, "required": ["query", "prompts", "labels"]});
    (Some(asked), json!({"type": "object", "properties": {"rewards": numbers, "scores": numbers}}))
}

/// Of OpenEnv's `/reset`.
pub fn reset() -> Schemas {
    let mut asked = names();
    asked.insert("episode_id".into(), json!({"type": "string", "maxLength": 255}));
    (Some(of(asked, &[])), stepped())
}

/// Of OpenEnv's `/step`.
pub fn step() -> Schemas {
    let asked = json!({"type": "object", "properties": {
        "action": action_schema(), "episode_id": {"type": "string"},
    }, "required": ["action"]});
    (Some(asked), stepped())
}

/// Of OpenEnv's `/state`.
pub fn state() -> Schemas {
    (None, state_schema())
}

fn stepped() -> Value {
    json!({"type": "object", "properties": {
        "observation": observation_schema(),
        "reward": {"type": ["number", "null"]},
        "done": {"type": "boolean"},
    }})
}

/// What names a sample.
fn names() -> Map<String, Value> {
    let all = json!({
        "id": {"type": "string", "description": "The `id` of a sample, in place of what follows"},
        "template": {"type": "string"},
        "level": {"type": "string"},
        "set": {"type": ["object", "string"]},
        "split": {"enum": ["train", "eval"], "default": "train"},
        "seed": {"type": "integer", "minimum": 0},
        "index": {"type": "integer", "minimum": 0},
    });
    all.as_object().cloned().unwrap_or_default()
}

fn replied() -> Map<String, Value> {
    let mut all = names();
    all.insert("reply".into(), json!({"type": "string"}));
    all
}

fn of(properties: Map<String, Value>, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

fn causes() -> Vec<Option<&'static str>> {
    std::iter::once(None).chain(Unreadable::CAUSES.map(Some)).collect()
}

fn verdict() -> Value {
    json!({"type": "object", "properties": {
        "id": {"type": "string"},
        "score": {"type": "number", "description": "The mean of the rules"},
        "exact": {"type": "boolean", "description": "Whether every rule holds in full"},
        "scores": {"type": "object", "additionalProperties": {"type": "number"}},
        "unreadable": {"type": ["string", "null"]},
        "cause": {"enum": causes()},
    }})
}

fn error() -> Value {
    json!({"type": "object", "properties": {"error": {"type": "object", "properties": {
        "code": {"type": "string"}, "message": {"type": "string"},
    }}}})
}
