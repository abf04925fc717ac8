//! What must hold while a document is edited: the server's text is that of the edits, every place
//! that it tells lies inside, and no request takes it down.

use std::cell::RefCell;

use cookc::lsp::{Outside, Server};
use serde_json::{Value, json};

/// More steps than this make no input better.
const STEPS_MAX: usize = 24;

const URI: &str = "file:///fuzz.cook";

/// Texts that make templates, and breaks in them, likely.
const PIECES: [&str; 32] = [
    "param n in 1..9 = 3\n",
    "level hard: n = 9\n",
    "xs ~ distinct(n, vocab)\n",
    "ys = reverse(xs)\n",
    "rule r: all x in xs: x in ys\n",
    "prompt \"{xs}\"\n",
    "reply \"{ys}\"\n",
    "use tokens: overlap\n",
    "fn f(a: [Int]) -> Int = size(a)\n",
    "k = fold t = 0, u = [] over x in xs: t + 1, u + [x]\n",
    "/// é 𝄞\n",
    "\"\"\"\n",
    "{",
    "}",
    "\"",
    "(",
    ")",
    ",",
    ":",
    " ~ ",
    " = ",
    "\r\n",
    "\r",
    "𝄞",
    "é",
    "xs",
    "overlap(xs, ys)",
    "use template reverse_words\np ~ reverse_words(level hard)\n",
    "p.line",
    "words w = \"w.txt\"\n",
    "\u{feff}",
    "repeat(2, pick(xs))",
];

/// What can be asked of a document.
const REQUESTS: [&str; 14] = [
    "textDocument/hover",
    "textDocument/definition",
    "textDocument/references",
    "textDocument/documentHighlight",
    "textDocument/rename",
    "textDocument/prepareRename",
    "textDocument/completion",
    "textDocument/signatureHelp",
    "textDocument/documentSymbol",
    "textDocument/semanticTokens/full",
    "textDocument/formatting",
    "textDocument/inlayHint",
    "textDocument/codeAction",
    "textDocument/codeLens",
];

thread_local! {
    // One for all inputs: opening the document again forgets the last one.
    static SERVER: RefCell<Server> = RefCell::new(Server::new(Outside::nothing()));
}

/// Edits a document as the bytes say, with requests between.
pub fn edit(data: &[u8]) {
    SERVER.with_borrow_mut(|server| {
        server.open(URI.parse().expect("it is a URI"), 0, "");
        let mut session = Session { server, text: String::new(), data: data.iter() };
        for _ in 0..STEPS_MAX {
            let Some(step) = session.data.next() else { break };
            match step % 4 {
                0..=2 => session.change(),
                _ => session.ask(),
            }
        }
        let told = session.server.news();
        let told = serde_json::to_value(told).expect("it is plain data");
        session.inside(&told);
    });
}

struct Session<'a> {
    server: &'a mut Server,
    /// What the text must be.
    text: String,
    data: std::slice::Iter<'a, u8>,
}

impl Session<'_> {
    fn byte(&mut self) -> usize {
        self.data.next().copied().unwrap_or(0).into()
    }

    /// Replaces a range, whose ends may be outside the text or inside a character.
    fn change(&mut self) {
        let (start, end) = (self.position(), self.position());
        let new = PIECES[self.byte() % PIECES.len()];
        let from = byte_of(&self.text, start);
        let to = byte_of(&self.text, end).max(from);
        self.text.replace_range(from..to, new);
        let range = json!({"start": place(start), "end": place(end)});
        let changes = json!([{"range": range, "text": new}]);
        let params = json!({"textDocument": {"uri": URI, "version": 1}, "contentChanges": changes});
        self.server.notify("textDocument/didChange", params).expect("it is well formed");
        let uri = URI.parse().expect("it is a URI");
        assert_eq!(self.server.text(&uri), Some(&*self.text), "the edits give another text");
    }

    fn ask(&mut self) {
        let method = REQUESTS[self.byte() % REQUESTS.len()];
        let position = self.position();
        let end = self.position();
        // A request takes what it needs of these.
        let params = json!({
            "textDocument": {"uri": URI}, "position": place(position), "newName": "renamed",
            "range": {"start": place(position), "end": place(end)},
            "context": {"includeDeclaration": true, "diagnostics": [], "triggerKind": 1,
                "isRetrigger": false},
            "options": {"tabSize": 2, "insertSpaces": true},
        });
        match self.server.request(method, params) {
            Ok(answer) if method == "textDocument/semanticTokens/full" => self.tokens(&answer),
            Ok(answer) => self.inside(&answer),
            Err(error) => assert_eq!(error.code, -32803, "{method}: {}", error.message),
        }
    }

    fn position(&mut self) -> (usize, usize) {
        (self.byte() % 24, self.byte() % 64)
    }

    /// Every position in an answer lies inside the text.
    fn inside(&self, answer: &Value) {
        match answer {
            Value::Array(all) => all.iter().for_each(|one| self.inside(one)),
            Value::Object(all) => match (all.get("line"), all.get("character")) {
                (Some(line), Some(column)) => {
                    let number = |it: &Value| it.as_u64().expect("a number") as usize;
                    self.is_inside(number(line), number(column));
                }
                _ => all.values().for_each(|one| self.inside(one)),
            },
            _ => {}
        }
    }

    fn tokens(&self, answer: &Value) {
        let numbers = answer["data"].as_array().expect("a list").iter();
        let numbers: Vec<usize> =
            numbers.map(|it| it.as_u64().expect("a number") as usize).collect();
        let (mut line, mut column) = (0, 0);
        for token in numbers.chunks(5) {
            column = if token[0] == 0 { column + token[1] } else { token[1] };
            line += token[0];
            self.is_inside(line, column);
            self.is_inside(line, column + token[2]);
        }
    }

    fn is_inside(&self, line: usize, column: usize) {
        let lines = lines(&self.text);
        let (start, end) = *lines.get(line).unwrap_or_else(|| panic!("no line {line}"));
        let width = self.text[start..end].encode_utf16().count();
        assert!(column <= width, "{line}:{column} is behind the line's end {width}");
    }
}

fn place((line, character): (usize, usize)) -> Value {
    json!({"line": line, "character": character})
}

/// Start and end of each line, without what ends it: read letter by letter, as the protocol says.
fn lines(text: &str) -> Vec<(usize, usize)> {
    let (mut lines, mut start, mut at) = (Vec::new(), 0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let width = match bytes[at] {
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => 2,
            b'\r' | b'\n' => 1,
            _ => {
                at += 1;
                continue;
            }
        };
        lines.push((start, at));
        at += width;
        start = at;
    }
    lines.push((start, text.len()));
    lines
}

fn byte_of(text: &str, (line, column): (usize, usize)) -> usize {
    let Some(&(start, end)) = lines(text).get(line) else { return text.len() };
    let mut units = 0;
    for (at, letter) in text[start..end].char_indices() {
        units += letter.len_utf16();
        if units > column {
            return start + at;
        }
    }
    end
}
