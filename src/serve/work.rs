//! What all requests share: work away from the threads that wait for clients, and answers.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::refusal::{Refusal, slow};
use super::{Answer, Service};

/// A request that was answered.
#[derive(Clone, Debug)]
pub struct Handled {
    /// Such as `POST`.
    pub method: String,
    /// The route; `other` for a path that is none.
    pub route: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// From the first byte of the request to the answer.
    pub took: Duration,
    /// The replies that were scored for it.
    pub replies: usize,
    /// Why it was not done: the code and the message.
    pub refused: Option<(&'static str, String)>,
}

/// Called with each request after its answer, on any thread; it must not wait.
pub type Log = Arc<dyn Fn(&Handled) + Send + Sync>;

/// What all requests share.
pub struct Shared {
    /// What answers.
    pub service: Arc<Service>,
    /// Of requests that are worked on or wait for a core.
    pub permits: Semaphore,
    /// Of WebSockets.
    pub sockets: Semaphore,
    /// True once the server ends.
    pub ending: watch::Receiver<bool>,
    /// Called with each request.
    pub log: Log,
}

/// How a request went, beside its answer.
#[derive(Clone, Default)]
pub struct Noted {
    /// The replies that were scored.
    pub replies: usize,
    /// The code and the message of a refusal.
    pub refused: Option<(&'static str, String)>,
}

/// Waits until the server ends.
pub async fn ended(mut ending: watch::Receiver<bool>) {
    let _ = ending.wait_for(|ending| *ending).await;
}

/// Set when no client waits for the work any more, be it that the client has gone.
struct Cancel(Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Has something worked on away from the threads that wait for clients. A panic is an answer.
///
/// # Errors
/// That of the work, and of what took too long, failed, or found no room.
pub fn worked<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Service, &AtomicBool) -> Result<T, Refusal> + Send + 'static,
) -> impl Future<Output = Result<T, Refusal>> {
    let shared = shared.clone();
    let time = shared.service.settings.limits.time;
    let flag = Arc::new(AtomicBool::new(false));
    let cancel = Cancel(flag.clone());
    async move {
        let Ok(permit) = timeout(time, shared.permits.acquire()).await else {
            let message = "the server has more requests than it can work on: send fewer at once, \
                           or start it with a larger --max-requests";
            return Err(Refusal::new(503, "overloaded", message));
        };
        let service = shared.service.clone();
        let task = tokio::task::spawn_blocking(move || work(&service, &flag));
        let done = timeout(time, task).await;
        drop((permit, cancel));
        match done {
            Err(_) => Err(slow()),
            Ok(Ok(done)) => done,
            Ok(Err(_)) => {
                let message = "the server failed at this request: please report it, with the \
                               lines that the server wrote";
                Err(Refusal::new(500, "internal", message))
            }
        }
    }
}

/// The answer that a route gave.
pub fn written(answer: Answer) -> Response {
    let (kind, text, replies) = match answer {
        Answer::Json(value, replies) => ("application/json", value.to_string(), replies),
        Answer::Text(kind, text) => (kind, text, 0),
    };
    response(StatusCode::OK, kind, text, Noted { replies, refused: None })
}

/// The answer that is a refusal.
pub fn refused(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let noted = Noted { replies: 0, refused: Some((refusal.code, refusal.message.clone())) };
    let mut response = response(status, "application/json", refusal.json().to_string(), noted);
    let headers = response.headers_mut();
    match refusal.status {
        401 => _ = headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        503 => _ = headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1")),
        _ => {}
    }
    response
}

fn response(status: StatusCode, kind: &'static str, text: String, noted: Noted) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.extensions_mut().insert(noted);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::{Access, Limits, Offer, Reward, Settings};
    use crate::template::Template;

    #[test]
    fn a_panic_is_an_answer() {
        let template = Template::builtin("retrieval").expect("built in");
        let offer = Offer::of(template);
        let access = Access { seed: 0, allow_eval: false };
        let (reward, limits) = (Reward::Mean, Limits::default());
        let settings = Settings { access, reward, token: None, limits };
        let service = Service::new(vec![offer], settings).expect("it is sound");
        let (_, ending) = watch::channel(false);
        let shared = Arc::new(Shared {
            service: Arc::new(service),
            permits: Semaphore::new(1),
            sockets: Semaphore::new(1),
            ending,
            log: Arc::new(|_| {}),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("it starts");
        let panics = |_: &Service, _: &AtomicBool| -> Result<(), Refusal> { panic!("of a test") };
        let failed = runtime.block_on(worked(&shared, panics));
        assert_eq!(failed.map_err(|refusal| refusal.status), Err(500));
        // The next one is worked on as before.
        assert_eq!(runtime.block_on(worked(&shared, |_, _| Ok(7))), Ok(7));
    }
}
