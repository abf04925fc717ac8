//! The server: samples and scores over HTTP, in the forms in which trainers ask for them.
//!
//! [`Service`] answers: it is plain data in, plain data out, and knows nothing of connections.
//! [`serve`] puts it on a listener. A request names its sample, which is drawn again and never
//! stored, so the server has no state but the samplers that it keeps and the episodes of OpenEnv.

mod aggregate;
mod catalog;
mod episodes;
mod fields;
mod gym;
mod http;
mod metrics;
mod openapi;
mod openenv;
mod plain;
mod refusal;
mod remote;
mod routes;
mod scoring;
mod socket;
mod work;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::Value;

use catalog::Catalog;
pub use catalog::{Access, Offer};
use episodes::Episodes;
pub use http::serve;
use metrics::Metrics;
pub use openenv::manifest;
use refusal::Refusal;
pub use work::{Handled, Log};

use crate::template::{Error, Score};

/// What a server serves and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The seed where a request names none, and whether held-out samples may be asked for.
    pub access: Access,
    /// What the one number of a reward is.
    pub reward: Reward,
    /// What every client must show, if anything.
    pub token: Option<String>,
    /// What bounds a request.
    pub limits: Limits,
}

/// The one number that a trainer takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reward {
    /// 1 if every rule holds in full, else 0.
    #[default]
    Exact,
    /// The mean of the rules, some of which may hold of an empty reply.
    Mean,
}

/// What bounds requests.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes of a body, and of a message of a WebSocket.
    pub body_bytes: usize,
    /// The longest that a client may take to send a request, and the server to answer it.
    pub time: Duration,
    /// The most requests that are worked on or wait for a core.
    pub requests: usize,
    /// The most connections, and the most WebSockets.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        let body_bytes = 16 << 20;
        Limits { body_bytes, time: Duration::from_secs(30), requests: 256, connections: 1024 }
    }
}

/// Answers requests.
pub struct Service {
    catalog: Catalog,
    episodes: Episodes,
    metrics: Metrics,
    settings: Settings,
}

impl Service {
    /// For these templates, each of which is compiled at the level that it is served at.
    ///
    /// # Errors
    /// [`Error::Input`] for two templates of one name that differ, and the errors of compiling one.
    pub fn new(offers: Vec<Offer>, settings: Settings) -> Result<Service, Error> {
        let catalog = Catalog::new(offers, settings.access)?;
        let names = catalog.offers().iter().map(|offer| offer.template.name().to_string());
        let metrics = Metrics::new(names);
        Ok(Service { catalog, episodes: Episodes::default(), metrics, settings })
    }

    /// The names of the templates, once each.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.catalog.offers().iter().map(|offer| offer.template.name())
    }

    /// The reward of a score.
    fn reward(&self, score: &Score) -> f64 {
        match self.settings.reward {
            Reward::Mean => score.mean(),
            Reward::Exact => f64::from(u8::from(score.exact())),
        }
    }
}

/// What a route is asked.
struct Call<'a> {
    /// The body.
    body: &'a [u8],
    /// What comes after `?` in the address.
    query: &'a str,
    /// Set when no client waits for the answer any more.
    cancel: &'a AtomicBool,
}

/// What a route answers.
enum Answer {
    /// JSON, and how many replies were scored for it.
    Json(Value, usize),
    /// Text of a type.
    Text(&'static str, String),
}

impl From<Value> for Answer {
    fn from(value: Value) -> Answer {
        Answer::Json(value, 0)
    }
}

/// One way to ask the server.
struct Route {
    /// Whether it is asked by POST; if not, by GET.
    is_post: bool,
    /// The path.
    path: &'static str,
    /// What it does, in a sentence.
    about: &'static str,
    /// The JSON schema of its body, if it has one, and of its answer.
    schema: fn() -> (Option<Value>, Value),
    /// Does it.
    work: fn(&Service, &Call) -> Result<Answer, Refusal>,
}
