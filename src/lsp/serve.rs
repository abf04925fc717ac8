//! The message loop: reads from a client, answers in order, and sends diagnostics when it has time.

use std::collections::VecDeque;
use std::io::{self, BufRead, ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response, ResponseError};
use lsp_types::notification::{Notification as _, PublishDiagnostics};
use serde_json::Value;

use super::read;
use super::server::{Outside, Server};

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client said `shutdown`, then `exit`.
    Orderly,
    /// It left without a word.
    Abrupt,
}

/// Serves one client until it leaves. `input` is read by a separate thread, so that a request
/// that is cancelled while others are answered is never begun.
///
/// # Errors
/// If the output cannot be written to.
pub fn serve(
    input: impl BufRead + Send + 'static,
    output: &mut impl Write,
    outside: Outside,
) -> io::Result<Ending> {
    let (sender, receiver) = channel();
    let log = outside.log;
    thread::spawn(move || {
        let mut input = input;
        loop {
            match read::message(&mut input) {
                Ok(Some(message)) => match sender.send(message) {
                    Ok(()) => {}
                    Err(_) => return,
                },
                // What is no message is passed over: the next one has its own head.
                Err(error) if error.kind() == ErrorKind::InvalidData => {}
                Err(error) if error.kind() == ErrorKind::FileTooLarge => {
                    log(&format!("cookc lsp: {error}: it is ignored"));
                }
                Ok(None) => return,
                Err(error) => {
                    log(&format!("cookc lsp: the client cannot be understood any more: {error}"));
                    return;
                }
            }
        }
    });
    let mut talk = Talk {
        server: Server::new(outside),
        phase: Phase::New,
        waiting: VecDeque::new(),
        receiver,
        output,
    };
    talk.run()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    New,
    Ready,
    ShutDown,
}

struct Talk<'a, W: Write> {
    server: Server,
    phase: Phase,
    waiting: VecDeque<Message>,
    receiver: Receiver<Message>,
    output: &'a mut W,
}

impl<W: Write> Talk<'_, W> {
    fn run(&mut self) -> io::Result<Ending> {
        loop {
            self.waiting.extend(self.receiver.try_iter());
            if self.waiting.is_empty() {
                self.tell()?;
                match self.receiver.recv() {
                    Ok(message) => self.waiting.push_back(message),
                    Err(_) => return Ok(Ending::Abrupt),
                }
                continue;
            }
            match self.waiting.pop_front() {
                Some(Message::Request(request)) => self.request(request)?,
                Some(Message::Notification(note)) if note.method == "exit" => {
                    let is_orderly = self.phase == Phase::ShutDown;
                    return Ok(if is_orderly { Ending::Orderly } else { Ending::Abrupt });
                }
                Some(Message::Notification(note)) => self.note(note),
                // The server asks nothing, so no response is its own.
                Some(Message::Response(_)) | None => {}
            }
        }
    }

    fn request(&mut self, request: Request) -> io::Result<()> {
        let Request { id, method, params } = request;
        let answer = match (self.phase, method.as_str()) {
            _ if self.is_cancelled(&id) => {
                Err(error(ErrorCode::RequestCanceled, "cancelled before it was begun"))
            }
            (Phase::New, "initialize") => {
                self.phase = Phase::Ready;
                self.guarded(&method, params)
            }
            (Phase::New, _) => {
                Err(error(ErrorCode::ServerNotInitialized, "`initialize` comes first"))
            }
            (Phase::Ready, "initialize") | (Phase::ShutDown, _) => {
                Err(error(ErrorCode::InvalidRequest, "too late for this request"))
            }
            (Phase::Ready, "shutdown") => {
                self.phase = Phase::ShutDown;
                Ok(Value::Null)
            }
            (Phase::Ready, _) => self.guarded(&method, params),
        };
        self.send(Message::Response(Response { id, response_result: answer }))
    }

    fn note(&mut self, note: Notification) {
        if self.phase != Phase::Ready {
            return;
        }
        let server = &mut self.server;
        let taken = catch_unwind(AssertUnwindSafe(|| server.notify(&note.method, note.params)));
        if let Ok(Err(error)) = taken {
            let text =
                format!("cookc lsp: `{}` was not understood: {}", note.method, error.message);
            (server.outside.log)(&text);
        }
    }

    /// The answer; a panic of ours is reported as an error, and the next request is answered.
    fn guarded(&mut self, method: &str, params: Value) -> Result<Value, ResponseError> {
        let server = &mut self.server;
        catch_unwind(AssertUnwindSafe(|| server.request(method, params))).unwrap_or_else(|_| {
            let text = format!("`{method}` failed: this is an error of cookc, please report it");
            Err(error(ErrorCode::InternalError, &text))
        })
    }

    /// Tells the diagnostics of what changed.
    fn tell(&mut self) -> io::Result<()> {
        let server = &mut self.server;
        let news = catch_unwind(AssertUnwindSafe(|| server.news())).unwrap_or_default();
        for one in news {
            let note = Notification::new(PublishDiagnostics::METHOD.into(), one);
            self.send(Message::Notification(note))?;
        }
        Ok(())
    }

    fn is_cancelled(&self, id: &RequestId) -> bool {
        self.waiting.iter().any(|message| match message {
            Message::Notification(note) if note.method == "$/cancelRequest" => {
                let cancelled = note.params.get("id").cloned();
                let cancelled = cancelled.and_then(|id| serde_json::from_value(id).ok());
                cancelled.as_ref() == Some(id)
            }
            _ => false,
        })
    }

    fn send(&mut self, message: Message) -> io::Result<()> {
        message.write(self.output)
    }
}

fn error(code: ErrorCode, message: &str) -> ResponseError {
    ResponseError { code: code as i32, message: message.into(), data: None }
}
