//! A client that talks to `cookc lsp` over its standard input and output.

use std::collections::VecDeque;
use std::io::{BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lsp_server::{Message, Notification, Request, Response, ResponseError};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A running server, with files in a folder of its own.
pub struct Client {
    pub folder: TempDir,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Notifications that came while an answer was waited for.
    told: VecDeque<Notification>,
    last_id: i32,
}

impl Client {
    /// Starts a server that counts in UTF-16, as most clients do.
    pub fn start(files: &[(&str, &str)]) -> Client {
        Client::with(json!({}), files)
    }

    /// Starts a server for a client with these capabilities.
    pub fn with(capabilities: Value, files: &[(&str, &str)]) -> Client {
        let mut client = Client::silent(files);
        client.ask("initialize", json!({"capabilities": capabilities})).expect("it can start");
        client.tell("initialized", json!({}));
        client
    }

    /// Starts a server and says nothing to it.
    pub fn silent(files: &[(&str, &str)]) -> Client {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_cookc"))
            .arg("lsp")
            .env("XDG_CACHE_HOME", folder.path().join("cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        Client { folder, child, input, output, told: VecDeque::new(), last_id: 0 }
    }

    /// The URI of a file in the folder.
    pub fn uri(&self, name: &str) -> String {
        format!("file://{}/{name}", self.folder.path().display())
    }

    /// Asks, and waits for the answer.
    pub fn ask(&mut self, method: &str, params: Value) -> Result<Value, ResponseError> {
        let id = self.ask_without_waiting(method, params);
        self.answer(id)
    }

    /// Sends a request and gives its id.
    pub fn ask_without_waiting(&mut self, method: &str, params: Value) -> i32 {
        self.last_id += 1;
        self.send(Request::new(self.last_id.into(), method.into(), params).into());
        self.last_id
    }

    /// Waits for the answer to a request.
    pub fn answer(&mut self, id: i32) -> Result<Value, ResponseError> {
        loop {
            match self.read().expect("the server answers before it ends") {
                Message::Response(Response { id: answered, response_result }) => {
                    assert_eq!(answered, id.into(), "answers come in order");
                    return response_result;
                }
                Message::Notification(note) => self.told.push_back(note),
                Message::Request(request) => panic!("the server asks for {}", request.method),
            }
        }
    }

    /// Sends a notification.
    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(Notification::new(method.into(), params).into());
    }

    /// Opens a document and gives its diagnostics.
    pub fn open(&mut self, name: &str, text: &str) -> Vec<Value> {
        let uri = self.uri(name);
        let document = json!({"uri": uri, "languageId": "cook", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        self.diagnostics(name)
    }

    /// Replaces a range of a document and gives its diagnostics.
    pub fn edit(&mut self, name: &str, version: i32, range: Value, text: &str) -> Vec<Value> {
        let document = json!({"uri": self.uri(name), "version": version});
        let change = match range {
            Value::Null => json!({ "text": text }),
            range => json!({"range": range, "text": text}),
        };
        let params = json!({"textDocument": document, "contentChanges": [change]});
        self.tell("textDocument/didChange", params);
        self.diagnostics(name)
    }

    /// Waits for the next diagnostics of a document.
    pub fn diagnostics(&mut self, name: &str) -> Vec<Value> {
        let uri = self.uri(name);
        let is_of_it = |note: &Notification| note.params["uri"] == uri.as_str();
        let note = match self.told.iter().position(is_of_it) {
            Some(at) => self.told.remove(at).expect("it was found"),
            None => loop {
                match self.read().expect("the server tells before it ends") {
                    Message::Notification(note) if is_of_it(&note) => break note,
                    Message::Notification(note) => self.told.push_back(note),
                    other => panic!("{other:?} was not asked for"),
                }
            },
        };
        note.params["diagnostics"].as_array().expect("a list").clone()
    }

    /// Asks about a place of a document.
    pub fn at(&mut self, method: &str, name: &str, position: &Value) -> Value {
        let params = json!({"textDocument": {"uri": self.uri(name)}, "position": position});
        self.ask(method, params).expect("it is answered")
    }

    /// Asks about a whole document.
    pub fn of(&mut self, method: &str, name: &str) -> Value {
        let params = json!({"textDocument": {"uri": self.uri(name)}});
        self.ask(method, params).expect("it is answered")
    }

    /// Writes bytes that may be no message at all.
    pub fn raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("it is open");
        input.write_all(bytes).expect("the server reads");
        input.flush().expect("the server reads");
    }

    /// Closes the input without a word, and gives the exit code.
    pub fn leave(mut self) -> i32 {
        self.input.take();
        self.code()
    }

    /// Says goodbye, and gives the exit code.
    pub fn end(mut self) -> i32 {
        self.ask("shutdown", Value::Null).expect("it is answered");
        self.tell("exit", Value::Null);
        self.code()
    }

    /// Waits for the end, and gives the exit code.
    pub fn code(&mut self) -> i32 {
        self.child.wait().expect("it ends").code().expect("no signal ended it")
    }

    fn send(&mut self, message: Message) {
        message.write(self.input.as_mut().expect("it is open")).expect("the server reads");
    }

    fn read(&mut self) -> Option<Message> {
        Message::read(&mut self.output).expect("the server writes messages")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A test that fails leaves no server behind. One that has ended already gives an error.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The position of the `nth` occurrence of a text, counted from 0, in UTF-16.
pub fn place(text: &str, needle: &str, nth: usize) -> Value {
    let (byte, _) = text.match_indices(needle).nth(nth).expect("it stands there");
    position(text, byte)
}

/// The position of a byte in UTF-16.
pub fn position(text: &str, byte: usize) -> Value {
    let before = &text[..byte];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    json!({"line": line, "character": before[start..].encode_utf16().count()})
}

/// The text after edits of ranges in UTF-16 that do not overlap.
pub fn edited(text: &str, edits: &Value) -> String {
    let byte = |position: &Value| {
        let line = position["line"].as_u64().expect("a line") as usize;
        let character = position["character"].as_u64().expect("a column");
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let mut units = 0;
        let rest = text[start..].char_indices();
        let found = rest.map(|(at, letter)| {
            let here = units;
            units += letter.len_utf16() as u64;
            (at, here)
        });
        let found = found.collect::<Vec<_>>().into_iter().find(|(_, units)| *units == character);
        found.map_or(text.len(), |(at, _)| start + at)
    };
    let mut edits: Vec<(usize, usize, &str)> = edits
        .as_array()
        .expect("edits are a list")
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            let new = edit["newText"].as_str().expect("a text");
            (byte(&range["start"]), byte(&range["end"]), new)
        })
        .collect();
    edits.sort();
    let mut edited = text.to_string();
    for (start, end, new) in edits.into_iter().rev() {
        edited.replace_range(start..end, new);
    }
    edited
}
