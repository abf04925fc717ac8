//! A server in this process, and the smallest client: one request a connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use cookc::Template;
use cookc::serve::{Access, Handled, Limits, Offer, Reward, Service, Settings, serve};
use serde_json::Value;

/// A server that ends with this.
pub struct Running {
    pub address: SocketAddr,
    pub handled: Arc<Mutex<Vec<Handled>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Serves templates at their defaults.
    pub fn of(names: &[&str], settings: Settings) -> Running {
        Running::serving(names.iter().map(|name| offer(name)).collect(), settings)
    }

    pub fn serving(offers: Vec<Offer>, settings: Settings) -> Running {
        let service = Service::new(offers, settings).expect("the templates are sound");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has one");
        let (stop, handled) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (flag, lines) = (stop.clone(), Arc::clone(&handled));
        let log = move |one: &Handled| lines.lock().expect("no panic").push(one.clone());
        let thread = std::thread::spawn(move || {
            serve(Arc::new(service), listener, &flag, Arc::new(log)).expect("it serves");
        });
        Running { address, handled, stop, thread: Some(thread) }
    }

    /// Asks it to end, and goes on at once.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits for its end.
    pub fn join(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server does not panic");
        }
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, "", b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", path, "", body.to_string().as_bytes())
    }

    /// Sends a request with these lines of header, and returns the status and the JSON.
    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, Value) {
        let (status, text) = self.text(method, path, headers, body);
        let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
        (status, json)
    }

    pub fn text(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let mut stream = self.connected();
        send(&mut stream, method, path, headers, body.len());
        // A server that has its answer may close before it has read all.
        let _ = stream.write_all(body);
        answer(&mut stream)
    }

    pub fn connected(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
        stream
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.join();
    }
}

/// Writes the head of a request.
pub fn send(stream: &mut TcpStream, method: &str, path: &str, headers: &str, length: usize) {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\
         Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("it is sent");
}

/// Reads an answer to its end.
pub fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {text}"));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    (status, body.to_string())
}

pub fn offer(name: &str) -> Offer {
    let template = Template::builtin(name).expect("it is built in");
    Offer::of(template)
}

pub fn settings() -> Settings {
    let access = Access { seed: 0, allow_eval: false };
    Settings { access, reward: Reward::Mean, token: None, limits: Limits::default() }
}
