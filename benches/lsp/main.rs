//! The language server on a file of 500 lines: each kind of request, and from a key that is pressed
//! to the diagnostics.
//!
//! `cargo bench --no-default-features --features jit,lsp --bench lsp`

use std::fmt::Write;
use std::hint::black_box;

use cookc::lsp::{Outside, Server};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

const URI: &str = "file:///bench.cook";
const LINES: usize = 500;

/// A template as people write them, with as many questions about one document as fill the lines.
fn template() -> String {
    let mut text = String::from(
        "/// Many questions about one document.\n\nuse tokens: overlap, permutation\n\n\
         /// Words of the document.\nparam length in 64..512 = 96\nparam quote in 1..16 = 4\n\
         param margin in 1..16 = 5\n\nlevel easy: length = 64, quote = 6\n\
         level hard: length = 400, quote = 2\n\nfn middle(xs: [T]) -> T = at(size(xs) / 2, xs)\n\n\
         document ~ distinct(length, vocab)\n",
    );
    let mut last = 0;
    while text.lines().count() < LINES - 10 {
        let n = last;
        write!(
            text,
            "\n/// What question {n} asks, and the passage around it.\n\
             question_{n} ~ span(quote, document)\n\
             answer_{n}   = around(margin, question_{n}, document)\n\
             shuffled_{n} ~ shuffle(answer_{n})\n\
             middle_{n}   = middle(answer_{n})\n\
             shared_{n}   = count word in answer_{n}: word in question_{n} and word != middle_{n}\n\
             longest_{n}  = fold best = 0 over word in answer_{n}: max([best, position(word, \
             document)])\n\
             \n\
             rule verbatim_{n}: answer_{n} within document\n\
             rule complete_{n}: permutation(answer_{n}, shuffled_{n}) and longest_{n} < length\n\
             rule on_point_{n}: overlap(question_{n}, answer_{n}) + shared_{n} >= quote\n",
        )
        .expect("a String grows");
        last += 1;
    }
    text += "\nprompt \"\"\"\n  Document: {document}\n  Question: {question_0} {question_1}\n  \
             Answer:\n  \"\"\"\n\nreply \"{answer_0}; {answer_1}\"\n";
    text
}

fn opened(text: &str) -> Server {
    let mut server = Server::new(Outside::nothing());
    server.open(URI.parse().expect("it is a URI"), 0, text);
    let told = server.news();
    let errors = told[0]
        .diagnostics
        .iter()
        .filter(|one| one.severity == Some(lsp_types::DiagnosticSeverity::ERROR));
    assert_eq!(errors.count(), 0, "{told:?}");
    server
}

/// Replaces the letter at a place.
fn press(server: &mut Server, line: usize, column: usize, letter: &str) {
    let range = json!({"start": {"line": line, "character": column},
        "end": {"line": line, "character": column + 1}});
    let params = json!({"textDocument": {"uri": URI, "version": 1},
        "contentChanges": [{"range": range, "text": letter}]});
    server.notify("textDocument/didChange", params).expect("it is well formed");
}

fn keystrokes(criterion: &mut Criterion) {
    let text = template();
    let mut group = criterion.benchmark_group("key to diagnostics");
    let answer = text.lines().position(|line| line.starts_with("answer_20")).expect("it is there");
    let mut server = opened(&text);
    let mut letters = ["5", "6"].iter().cycle();
    let margin = text.lines().position(|line| line.starts_with("param margin")).expect("there");
    group.bench_function("in a sound file", |bench| {
        bench.iter(|| {
            press(&mut server, margin, 24, letters.next().expect("it goes round"));
            black_box(server.news())
        });
    });
    let mut letters = ["!", "?"].iter().cycle();
    group.bench_function("that breaks a line", |bench| {
        bench.iter(|| {
            press(&mut server, answer, 12, letters.next().expect("it goes round"));
            black_box(server.news())
        });
    });
    group.finish();
}

fn requests(criterion: &mut Criterion) {
    let text = template();
    assert!(text.lines().count() >= LINES - 5, "{} lines", text.lines().count());
    let line = text.lines().position(|line| line.starts_with("answer_20")).expect("it is there");
    let mut server = opened(&text);
    let place = json!({"line": line, "character": 24});
    let end = json!({"line": 600, "character": 0});
    let whole = json!({"start": {"line": 0, "character": 0}, "end": end});
    let context = json!({"includeDeclaration": true, "diagnostics": [], "triggerKind": 1,
        "isRetrigger": false});
    // A request takes what it needs of these.
    let params = json!({"textDocument": {"uri": URI}, "position": place, "newName": "asked",
        "range": whole, "context": context, "options": {"tabSize": 2, "insertSpaces": true}});
    let mut group = criterion.benchmark_group("request");
    for method in [
        "hover",
        "definition",
        "references",
        "documentHighlight",
        "rename",
        "prepareRename",
        "completion",
        "signatureHelp",
        "documentSymbol",
        "semanticTokens/full",
        "formatting",
        "inlayHint",
        "codeAction",
        "codeLens",
    ] {
        let method = format!("textDocument/{method}");
        let answer = server.request(&method, params.clone()).expect("it is answered");
        assert!(!answer.is_null() || method.ends_with("formatting"), "{method} has an answer");
        group.bench_function(&method, |bench| {
            bench.iter(|| black_box(server.request(&method, params.clone())));
        });
    }
    let sample = json!({"command": "cookc.sample", "arguments": [URI, "hard"]});
    group.bench_function("cookc.sample", |bench| {
        bench.iter(|| {
            let text: Value = server
                .request("workspace/executeCommand", sample.clone())
                .expect("a sample can be made");
            black_box(text)
        });
    });
    group.finish();
}

criterion_group!(benches, keystrokes, requests);
criterion_main!(benches);
