//! The table of the routes: a row each.

use super::openapi::{self, document};
use super::refusal::Refusal;
use super::{Answer, Call, Route, Service, gym, openenv, plain, remote};

type Work = fn(&Service, &Call) -> Result<Answer, Refusal>;
type Schema = fn() -> openapi::Schemas;

const fn get(path: &'static str, about: &'static str, schema: Schema, work: Work) -> Route {
    Route { is_post: false, path, about, schema, work }
}

const fn post(path: &'static str, about: &'static str, schema: Schema, work: Work) -> Route {
    Route { is_post: true, path, about, schema, work }
}

/// The path at which OpenEnv's clients open a WebSocket.
pub const SOCKET: &str = "/ws";
/// The path that needs no token: whoever watches the server has none.
pub const HEALTH: &str = "/health";

/// The routes.
pub const ROUTES: &[Route] = &[
    get("/v1/templates", "The templates that are served", openapi::object, plain::templates),
    post("/v1/samples", "Samples without their answers", openapi::samples, plain::samples),
    post("/v1/score", "The score of a reply", openapi::score, plain::score),
    post("/v1/score_batch", "The scores of many replies", openapi::score_batch, plain::score_batch),
    post("/seed_session", "NeMo Gym: begins a session", openapi::objects, gym::session),
    post("/close_session", "NeMo Gym: ends a session", openapi::objects, gym::session),
    post("/verify", "NeMo Gym: the reward of a rollout", openapi::verify, gym::verify),
    post(
        "/aggregate_metrics",
        "NeMo Gym: what rollouts are on average",
        openapi::objects,
        gym::aggregate_metrics,
    ),
    get(
        "/reverify_mode",
        "NeMo Gym: whether rollouts can be verified again",
        openapi::text,
        gym::reverify_mode,
    ),
    post("/reset", "OpenEnv: begins an episode", openapi::reset, openenv::reset),
    post("/step", "OpenEnv: the reply of an episode", openapi::step, openenv::step),
    get("/state", "OpenEnv: the state of an episode", openapi::state, openenv::state),
    get(HEALTH, "OpenEnv: that the server is there", openapi::object, openenv::health),
    get("/metadata", "OpenEnv: what the environment is", openapi::object, openenv::metadata),
    get("/schema", "OpenEnv: actions, observations, states", openapi::object, openenv::schema),
    post("/mcp", "OpenEnv: MCP, of which there are no tools", openapi::objects, openenv::mcp),
    post("/slime", "slime: the reward of a response", openapi::slime, remote::slime),
    post("/openrlhf", "OpenRLHF: the rewards of queries", openapi::openrlhf, remote::openrlhf),
    get("/metrics", "Prometheus: what the server counts", openapi::text, metrics),
    get("/openapi.json", "This document", openapi::object, |_, _| Ok(document(ROUTES).into())),
];

fn metrics(service: &Service, _: &Call) -> Result<Answer, Refusal> {
    let (episodes, samplers) = (service.episodes.count(), service.catalog.samplers());
    let text = service.metrics.text(episodes, samplers);
    Ok(Answer::Text("text/plain; version=0.0.4; charset=utf-8", text))
}
