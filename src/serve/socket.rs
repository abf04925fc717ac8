//! OpenEnv's WebSocket: a connection is a session, which has one episode at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::Service;
use super::episodes::Episode;
use super::fields::{Fields, parse, quoted};
use super::openenv::{begin, reply, state_of};
use super::refusal::Refusal;
use super::work::{Shared, ended, refused, worked};

/// A session of which nothing was heard for so long is over; OpenEnv's clients ping every minute.
const SILENCE: Duration = Duration::from_secs(3600);

/// Opens a WebSocket.
pub async fn open(
    State(shared): State<Arc<Shared>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(why) => {
            let message = format!("this is the path of a WebSocket: {}", why.body_text());
            return refused(&Refusal::new(400, "no_websocket", message));
        }
    };
    let most = shared.service.settings.limits.body_bytes;
    upgrade.max_message_size(most).max_frame_size(most).on_upgrade(|socket| session(shared, socket))
}

/// How long a client that is turned away may take to close.
const GOODBYE: Duration = Duration::from_secs(1);

async fn session(shared: Arc<Shared>, mut socket: WebSocket) {
    let Ok(_slot) = shared.sockets.try_acquire() else {
        let message = "the server has as many sessions as it takes: close one, or start it with a \
                       larger --max-connections";
        let full = Refusal::new(503, "overloaded", message);
        let _ = socket.send(Message::text(error("CAPACITY_REACHED", &full).to_string())).await;
        // A client that is still writing reads the message before the connection is gone.
        let _ = socket.send(Message::Close(None)).await;
        let closed = async { while let Some(Ok(_)) = socket.recv().await {} };
        let _ = timeout(GOODBYE, closed).await;
        return;
    };
    let open = &shared.service.metrics.sockets;
    open.fetch_add(1, Ordering::Relaxed);
    talk(&shared, &mut socket).await;
    open.fetch_sub(1, Ordering::Relaxed);
}

/// Answers message after message, until the client closes, is silent for long, or the server ends.
async fn talk(shared: &Arc<Shared>, socket: &mut WebSocket) {
    let time = shared.service.settings.limits.time;
    let mut ending = std::pin::pin!(ended(shared.ending.clone()));
    let mut episode: Option<Episode> = None;
    loop {
        let message = tokio::select! {
            message = timeout(SILENCE, socket.recv()) => message,
            () = &mut ending => break,
        };
        let text = match message {
            Ok(Some(Ok(Message::Text(text)))) => text.as_bytes().to_vec(),
            Ok(Some(Ok(Message::Binary(bytes)))) => bytes.to_vec(),
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => break,
        };
        let before = episode.take();
        let work = move |service: &Service, cancel: &AtomicBool| {
            let mut episode = before;
            let answer = answer(service, &mut episode, &text, cancel);
            Ok((episode, answer))
        };
        let answer = match worked(shared, work).await {
            Ok((after, answer)) => {
                episode = after;
                answer
            }
            Err(refusal) => Some(error("EXECUTION_ERROR", &refusal)),
        };
        let Some(answer) = answer else { break };
        match timeout(time, socket.send(Message::text(answer.to_string()))).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
    let _ = timeout(time, socket.send(Message::Close(None))).await;
}

/// The answer to a message; none closes the session.
fn answer(
    service: &Service,
    episode: &mut Option<Episode>,
    text: &[u8],
    cancel: &AtomicBool,
) -> Option<Value> {
    let message = match parse(text) {
        Ok(message) => message,
        Err(refusal) => return Some(error("INVALID_JSON", &refusal)),
    };
    let done = Fields::of(&message).and_then(|fields| {
        Ok(Some(match fields.need_text("type")? {
            "reset" => {
                let nothing = Value::Object(serde_json::Map::new());
                let data = fields.get("data").unwrap_or(&nothing);
                let (begun, observation) = begin(service, &Fields::of(data)?)?;
                *episode = Some(begun);
                json!({"type": "observation", "data": observation})
            }
            "step" => {
                let action = fields.inside("data")?;
                let Some(episode) = episode.as_mut() else { return Err(no_episode()) };
                let observation = reply(service, episode, &action, cancel)?;
                json!({"type": "observation", "data": observation})
            }
            "state" => json!({"type": "state", "data": state_of(episode.as_ref())}),
            "close" => return Ok(None),
            other => return Ok(Some(error("UNKNOWN_TYPE", &unknown(other)))),
        }))
    });
    done.unwrap_or_else(|refusal| {
        let code = if refusal.status == 422 { "VALIDATION_ERROR" } else { "EXECUTION_ERROR" };
        Some(error(code, &refusal))
    })
}

/// An error as OpenEnv's clients read it, with our own code beside theirs.
fn error(code: &str, refusal: &Refusal) -> Value {
    let data = json!({"message": refusal.message, "code": code, "error": refusal.code});
    json!({"type": "error", "data": data})
}

fn no_episode() -> Refusal {
    Refusal::new(404, "no_session", "no episode has begun: send {\"type\": \"reset\"} first")
}

fn unknown(name: &str) -> Refusal {
    let message = format!(
        "there is no message of the type {}: write `reset`, `step`, `state` or `close`",
        quoted(name)
    );
    Refusal::invalid(message)
}
