//! The service on a listener: connections, limits, tokens, and the way of a request.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, any, on};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::refusal::Refusal;
use super::routes::{HEALTH, ROUTES, SOCKET};
use super::work::{Handled, Log, Noted, Shared, ended, refused, worked, written};
use super::{Call, Route, Service, socket};
use crate::diagnostic::near_miss;
use crate::template::Error;

/// How often the flag that ends the server is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long no connection is taken after one could not be, for want of file handles.
const PAUSE: Duration = Duration::from_millis(50);
/// How long WebSockets may take to close.
const GOODBYE: Duration = Duration::from_secs(1);
/// A body that is too large is read to its end up to this multiple of the limit, since most clients
/// read no answer before they have sent all.
const DRAINED: usize = 4;

/// Serves until the flag is set; then requests that are there are answered, and no more are taken.
///
/// # Errors
/// [`Error::Failed`] if the machine has no threads for it, or the listener is unusable.
pub fn serve(
    service: Arc<Service>,
    listener: TcpListener,
    stop: &AtomicBool,
    log: Log,
) -> Result<(), Error> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // What waits needs few threads; what computes gets one a core, and more would only take turns.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(4))
        .max_blocking_threads(cores)
        .enable_io()
        .enable_time()
        .build()
        .context("cannot start the threads of the server")?;
    let done = runtime.block_on(listen(service, listener, stop, log));
    // A reply that takes longer than the limit is not waited for.
    runtime.shutdown_background();
    Ok(done.context("cannot serve")?)
}

async fn listen(
    service: Arc<Service>,
    listener: TcpListener,
    stop: &AtomicBool,
    log: Log,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let limits = service.settings.limits;
    let (end, ending) = watch::channel(false);
    let shared = Arc::new(Shared {
        service,
        permits: Semaphore::new(limits.requests),
        sockets: Semaphore::new(limits.connections),
        ending,
        log,
    });
    let router = router(&shared);
    let connections = Arc::new(Semaphore::new(limits.connections));
    let mut stopped = std::pin::pin!(set(stop));
    loop {
        let next = async {
            let slot = connections.clone().acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = &mut stopped => break,
            next = next => next,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Answers are small, and each is awaited.
        let _ = stream.set_nodelay(true);
        let router = TowerToHyperService::new(router.clone());
        let router = service_fn(move |request| router.call(bare(request)));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.time)
            .serve_connection(TokioIo::new(stream), router)
            .with_upgrades();
        let ending = ended(shared.ending.clone());
        tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            // An error is a client that has gone, or that sends what is no HTTP.
            tokio::select! {
                _ = &mut connection => {}
                () = ending => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
            drop(slot);
        });
    }
    drop(listener);
    let _ = end.send(true);
    // Whoever has a slot is answered first; WebSockets say goodbye.
    let all = limits.connections.try_into().unwrap_or(u32::MAX);
    let _ = timeout(limits.time, connections.acquire_many(all)).await;
    let _ = timeout(GOODBYE, shared.sockets.acquire_many(all)).await;
    Ok(())
}

/// A request without the rollout that NeMo Gym's client puts before the path where it observes.
fn bare(mut request: hyper::Request<Incoming>) -> hyper::Request<Incoming> {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    let rest = path.strip_prefix("/ng-rollout/").and_then(|rest| rest.split_once('/'));
    if let Some(uri) = rest.and_then(|(_, rest)| format!("/{rest}").parse().ok()) {
        *request.uri_mut() = uri;
    }
    request
}

async fn set(flag: &AtomicBool) {
    while !flag.load(Ordering::Relaxed) {
        tokio::time::sleep(LOOK).await;
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    let mut router = Router::new().route(SOCKET, any(socket::open));
    for route in ROUTES {
        let method = if route.is_post { MethodFilter::POST } else { MethodFilter::GET };
        let work = move |State(shared): State<Arc<Shared>>, request: Request| {
            answered(shared, route, request)
        };
        router = router.route(route.path, on(method, work));
    }
    router
        .method_not_allowed_fallback(|uri: Uri| async move { refused(&other_method(uri.path())) })
        .fallback(|uri: Uri| async move { refused(&no_route(uri.path())) })
        .layer(from_fn_with_state(shared.clone(), watched))
        .with_state(shared.clone())
}

/// The way of every request: its token, its counts, its line in the log.
async fn watched(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let known = ROUTES.iter().map(|route| route.path).chain([SOCKET]);
    let route = known.into_iter().find(|known| *known == path).unwrap_or("other");
    let method = request.method().to_string();
    let in_flight = InFlight::new(&shared.service);
    let token = shared.service.settings.token.as_deref();
    let may = token.is_none_or(|token| route == HEALTH || shows(request.headers(), token));
    let mut response = match may {
        true => next.run(request).await,
        false => refused(&no_token()),
    };
    drop(in_flight);
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    shared.service.metrics.answered(route, status, took);
    let Noted { replies, refused } = response.extensions_mut().remove().unwrap_or_default();
    (shared.log)(&Handled { method, route, status, took, replies, refused });
    response
}

/// Counts a request for as long as it is worked on; one whose client has gone is dropped.
struct InFlight(Arc<Service>);

impl InFlight {
    fn new(service: &Arc<Service>) -> InFlight {
        service.metrics.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(service.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.metrics.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether a request shows the token: as a bearer's, or as a password, as addresses have it.
fn shows(headers: &HeaderMap, token: &str) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|shown| {
        let (scheme, rest) = shown.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(rest.trim().to_string());
        }
        let decoded = BASE64_STANDARD.decode(rest.trim()).ok()?;
        let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        scheme.eq_ignore_ascii_case("basic").then(|| password.to_string())
    });
    // Hashes are compared in a time that says nothing of the token.
    shown.is_some_and(|shown| blake3::hash(shown.as_bytes()) == blake3::hash(token.as_bytes()))
}

/// Reads a request within its limits, has it worked on, and writes the answer.
async fn answered(shared: Arc<Shared>, route: &'static Route, request: Request) -> Response {
    let limits = shared.service.settings.limits;
    let (parts, body) = request.into_parts();
    let body = match timeout(limits.time, read(body, limits.body_bytes)).await {
        Ok(Ok(body)) => body,
        Ok(Err(refusal)) => return refused(&refusal),
        Err(_) => {
            let seconds = limits.time.as_secs_f64();
            let message = format!("the request was not sent within {seconds} seconds");
            return refused(&Refusal::new(408, "not_sent", message));
        }
    };
    let query = parts.uri.query().unwrap_or_default().to_string();
    let work = move |service: &Service, cancel: &AtomicBool| {
        (route.work)(service, &Call { body: &body, query: &query, cancel })
    };
    match worked(&shared, work).await {
        Ok(answer) => written(answer),
        Err(refusal) => refused(&refusal),
    }
}

/// The bytes of a body.
async fn read(mut body: Body, most: usize) -> Result<Vec<u8>, Refusal> {
    let (mut all, mut count) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Refusal::new(400, "not_sent", format!("the body cannot be read: {error}"))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        count = count.saturating_add(data.len());
        if count > most.saturating_mul(DRAINED) {
            break;
        }
        match count <= most {
            true => all.extend_from_slice(&data),
            false => all = Vec::new(),
        }
    }
    match count <= most {
        true => Ok(all),
        false => {
            let message = format!(
                "the body has more than the {most} bytes that the server takes: send fewer \
                 replies at once, or start the server with a larger --max-body"
            );
            Err(Refusal::new(413, "too_large", message))
        }
    }
}

fn no_token() -> Refusal {
    let message = "this server asks for its token: send `Authorization: Bearer TOKEN`, or name \
                   the server as http://user:TOKEN@HOST";
    Refusal::new(401, "no_token", message)
}

fn no_route(path: &str) -> Refusal {
    let known = ROUTES.iter().map(|route| route.path).chain([SOCKET]);
    let write = match near_miss(path, known) {
        Some(near) => format!("write `{near}`"),
        None => "GET /openapi.json lists what there is".to_string(),
    };
    let message = format!("there is nothing at {}: {write}", super::fields::quoted(path));
    Refusal::new(404, "no_route", message)
}

fn other_method(path: &str) -> Refusal {
    let is_post = ROUTES.iter().any(|route| route.path == path && route.is_post);
    let method = if is_post { "POST" } else { "GET" };
    Refusal::new(405, "other_method", format!("{path} is asked by {method}"))
}
