//! `cookc serve`: samples and scores over HTTP, for the trainers that ask for them.

use std::io::Write;
use std::net::{IpAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::load;
use super::options::{self, Choice};
use super::{Failure, console};
use crate::serve::{self, Access, Handled, Limits, Log, Offer, Reward, Service, Settings};
use crate::template::Template;

const HELP: &str = r#"Examples:
  cookc serve std:retrieval
  cookc serve std:retrieval my.cook --level hard --port 9000 --token SECRET
  cookc serve std:chain_sum --answer tags
  cookc serve --recipe recipe.toml --reward mean --log json

  curl -d '{"count": 2}' http://127.0.0.1:8000/v1/samples
  curl -d '{"index": 0, "reply": "a guess"}' http://127.0.0.1:8000/v1/score

Routes, of which /openapi.json is the document:
  /v1/templates /v1/samples /v1/score /v1/score_batch        plain JSON
  /seed_session /verify /aggregate_metrics /reverify_mode    NeMo Gym
  /reset /step /state /health /metadata /schema /ws          OpenEnv
  /slime                                                     slime's --rm-url
  /openrlhf                                                  OpenRLHF's remote reward
  /metrics                                                   Prometheus

A sample is named by its "id", which every row of cookc generate has, or by "template", "level",
"set", "split", "seed" and "index". No answer is ever sent: a prompt goes out, a score comes back.
Held-out samples need --allow-eval. Files are read when the server starts, and never by a request.

The token may be in the variable COOKC_TOKEN too. Clients that send no headers have it in the
address: http://user:TOKEN@HOST:PORT/slime. Ctrl-C or SIGTERM ends the server after the requests
that are there; a second one ends it at once."#;

/// Serve samples and scores over HTTP
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Serve {
    /// .cook files, or std:NAME for templates that are built in
    #[arg(value_name = "TEMPLATE", required_unless_present = "recipe")]
    templates: Vec<String>,
    #[command(flatten)]
    choice: Choice,
    /// The templates of a recipe too, with their levels, settings and words
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// The seed of the samples of which a request names none [default: 0, or the recipe's]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The one number that trainers get for a reply
    #[arg(long, default_value = "exact")]
    reward: Reward,
    /// Answer for held-out samples too: for evaluation, never for training
    #[arg(long)]
    allow_eval: bool,
    /// The address to listen at; others than the loopback are open to the network
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    /// The port; 0 is a free one
    #[arg(long, value_name = "N", default_value_t = 8000)]
    port: u16,
    /// What every client must show, but for /health
    #[arg(long, value_name = "TEXT")]
    token: Option<String>,
    /// The largest body of a request, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 16)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1024))]
    max_body: u32,
    /// The longest that a request may take to arrive, and to be answered
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=86_400))]
    timeout: u32,
    /// The most requests that are worked on or wait for a core
    #[arg(long, value_name = "N", default_value_t = 256)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_requests: u32,
    /// The most connections
    #[arg(long, value_name = "N", default_value_t = 1024)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_connections: u32,
    /// What is written to standard error of each request
    #[arg(long, default_value = "text")]
    log: Lines,
    /// Print OpenEnv's manifest of the server, openenv.yaml, and end
    #[arg(long)]
    openenv_yaml: bool,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lines {
    /// A line a request
    Text,
    /// A JSON object a request
    Json,
    /// Nothing
    Off,
}

impl ValueEnum for Reward {
    fn value_variants<'a>() -> &'a [Reward] {
        &[Reward::Exact, Reward::Mean]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        let (name, help) = match self {
            Reward::Mean => {
                ("mean", "The mean of the rules, some of which may hold of an empty reply")
            }
            Reward::Exact => ("exact", "1 if every rule holds in full, else 0"),
        };
        Some(clap::builder::PossibleValue::new(name).help(help))
    }
}

/// Serves until it is interrupted.
pub fn run(command: &Serve) -> Result<(), Failure> {
    let service = Arc::new(command.service()?);
    if command.openenv_yaml {
        return console::data(&serve::manifest(&service, command.port));
    }
    let address = (command.host, command.port);
    let listener = TcpListener::bind(address).with_context(|| {
        format!("cannot listen at {}:{}: choose another --port", command.host, command.port)
    })?;
    let at = listener.local_addr().context("the listener has no address")?;
    command.announce(&service, &at.to_string());
    let stop = options::interrupt()?;
    serve::serve(service, listener, stop, log(command.log)?)?;
    if command.log == Lines::Text {
        console::note("ended");
    }
    Ok(())
}

impl Serve {
    fn service(&self) -> Result<Service, Failure> {
        let words = self.choice.vocab.as_deref();
        let words = words.map(|file| load::vocabulary(Some(file))).transpose()?;
        let mut offers = Vec::new();
        for name in &self.templates {
            offers.push(Offer {
                template: Template::named(name)?,
                level: self.choice.level.clone().unwrap_or_default(),
                set: self.choice.set.clone(),
                words: words.clone(),
                answer: self.choice.answer,
            });
        }
        let mut seed = self.seed;
        if let Some(recipe) = &self.recipe {
            let (more, own) = super::recipe_offers(recipe)?;
            offers.extend(more);
            seed = seed.or(Some(own));
        }
        let variable = std::env::var("COOKC_TOKEN").ok();
        let token = self.token.clone().or(variable).filter(|token| !token.is_empty());
        let limits = Limits {
            body_bytes: (self.max_body as usize) << 20,
            time: Duration::from_secs(self.timeout.into()),
            requests: self.max_requests as usize,
            connections: self.max_connections as usize,
        };
        let access = Access { seed: seed.unwrap_or(0), allow_eval: self.allow_eval };
        let settings = Settings { access, reward: self.reward, token, limits };
        Ok(Service::new(offers, settings)?)
    }

    /// Says where the server is.
    fn announce(&self, service: &Service, at: &str) {
        let names: Vec<&str> = service.names().collect();
        let has_token = self.token.is_some() || std::env::var_os("COOKC_TOKEN").is_some();
        let is_open = !self.host.is_loopback() && !has_token;
        if self.log == Lines::Json {
            let line = json!({"event": "listening", "address": at, "templates": names});
            console::note(&line.to_string());
        } else {
            let several = match names[..] {
                [only] => only.to_string(),
                _ => format!("{} templates", names.len()),
            };
            console::note(&format!("serving {several} at http://{at}"));
        }
        if is_open {
            console::note("this address is open to the network: --token asks clients for a secret");
        }
    }
}

/// Lines that wait to be written: a log that is not read must not stop the server.
const WAITING_MAX: usize = 4096;

/// Writes the log on a separate thread.
fn log(form: Lines) -> Result<Log, Failure> {
    if form == Lines::Off {
        return Ok(Arc::new(|_| {}));
    }
    let (lines, written): (SyncSender<String>, _) = sync_channel(WAITING_MAX);
    let writer = move || {
        while let Ok(line) = written.recv() {
            // What cannot be written cannot be reported either.
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    };
    std::thread::Builder::new().spawn(writer).context("cannot start the thread of the log")?;
    Ok(Arc::new(move |handled: &Handled| {
        let _ = lines.try_send(line(form, handled));
    }))
}

fn line(form: Lines, handled: &Handled) -> String {
    let Handled { method, route, status, took, replies, refused } = handled;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let took = took.as_secs_f64() * 1000.0;
    match form {
        Lines::Json => {
            let (code, message) = match refused {
                Some((code, message)) => (Some(code), Some(message)),
                None => (None, None),
            };
            let line = json!({
                "time": now.as_millis() as f64 / 1000.0,
                "method": method,
                "route": route,
                "status": status,
                "milliseconds": (took * 1000.0).round() / 1000.0,
                "replies": replies,
                "code": code,
                "message": message,
            });
            format!("{line}\n")
        }
        Lines::Text | Lines::Off => {
            let why = refused.as_ref().map(|(code, message)| format!("  {code}: {message}"));
            let why = crate::source::visible(why.as_deref().unwrap_or_default()).into_owned();
            format!("{status} {method} {route} {took:.1} ms{why}\n")
        }
    }
}
