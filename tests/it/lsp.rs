//! The language server over standard input and output, as an editor uses it.

#[path = "lsp/client.rs"]
mod client;
#[path = "lsp/closing.rs"]
mod closing;
#[path = "../../fuzz/editing.rs"]
mod editing;

use client::{Client, edited, place, position};
use serde_json::{Value, json};
use std::fs;

/// Two names of two planes of Unicode stand before what is asked, so that columns are counted.
const GOOD: &str = "\
/// Find what surrounds the question.
use tokens: overlap

/// How long the document is.
param length in 64..512 = 96
param margin in 1..16 = 5
level hard: length = 400

document ~ distinct(length, vocab) // 𝄞 é
question ~ span(4, document)
answer   = around(margin, question, document)
tail     = drop(1, answer)

rule verbatim: all x in answer: x in document
rule on_point: overlap(question, answer) == 4 and size(tail) > 0

prompt \"\"\"
  𝄞 {document} 𝄞 {question}
  Answer:
  \"\"\"
reply \"{answer}\"
";

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("a list, not {value}"))
}

fn str(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}"))
}

fn names(items: &Value) -> Vec<&str> {
    list(items).iter().map(|item| str(&item["label"])).collect()
}

fn codes(diagnostics: &[Value]) -> Vec<&str> {
    diagnostics.iter().map(|one| one["code"].as_str().expect("a code")).collect()
}

#[test]
fn a_fault_is_told_as_it_is_typed_and_its_fix_removes_it() {
    let mut client = Client::start(&[]);
    assert_eq!(codes(&client.open("a.cook", GOOD)), Vec::<&str>::new());
    // `documnt` in the line of the question, whose columns count after a sign of two units.
    let start = place(GOOD, "{document}", 0);
    let column = start["character"].as_u64().expect("a column");
    let at = |offset: u64| json!({"line": start["line"], "character": column + offset});
    let found = client.edit("a.cook", 2, json!({"start": at(6), "end": at(7)}), "");
    assert_eq!(codes(&found), ["E201"], "{found:?}");
    assert_eq!(found[0]["range"], json!({"start": at(1), "end": at(8)}));
    assert!(str(&found[0]["message"]).contains("write `document`"));
    let params = json!({"textDocument": {"uri": client.uri("a.cook")}, "range": found[0]["range"],
        "context": {"diagnostics": []}});
    let actions = client.ask("textDocument/codeAction", params).expect("it is answered");
    assert_eq!(actions[0]["title"], "write `document`");
    let edits = &actions[0]["edit"]["changes"][client.uri("a.cook")];
    let broken = GOOD.replace("{document}", "{documnt}");
    assert_eq!(edited(&broken, edits), GOOD);
    assert_eq!(codes(&client.edit("a.cook", 3, Value::Null, GOOD)), Vec::<&str>::new());
    assert_eq!(client.end(), 0);
}

#[test]
fn a_level_that_cannot_be_made_is_told_too() {
    let mut client = Client::start(&[]);
    let found = client.open("a.cook", &GOOD.replace("length = 400", "length = 4000"));
    assert!(codes(&found)[0].starts_with("E5"), "{found:?}");
}

#[test]
fn hover_shows_type_role_size_and_documentation() {
    let mut client = Client::start(&[]);
    client.open("a.cook", GOOD);
    let mut hover = |needle, nth| {
        let shown = client.at("textDocument/hover", "a.cook", &place(GOOD, needle, nth));
        shown["contents"]["value"].as_str().unwrap_or_else(|| panic!("{shown}")).to_string()
    };
    let document = hover("document", 4);
    for part in ["document: [Token]", "parent", "- default: 96 elements", "- hard: 400 elements"] {
        assert!(document.contains(part), "{part} in {document}");
    }
    let length = hover("length", 2);
    assert!(length.contains("param length in 64..512 = 96"), "{length}");
    assert!(length.contains("How long the document is."), "{length}");
    let overlap = hover("overlap", 1);
    assert!(overlap.contains("fn overlap(xs: [T], ys: [T]) -> Int"), "{overlap}");
    assert!(overlap.contains("from `std:tokens`"), "{overlap}");
    assert!(hover("tail", 0).contains("hidden"));
    assert!(hover("span", 0).contains("~> [T]"));
    assert!(hover("x in answer", 0).contains("x: Token"));
    assert!(hover("all x", 0).contains("hold for all"));
}

#[test]
fn a_definition_is_found_here_in_a_neighbour_and_in_the_stdlib() {
    let module = "/// Twice.\nfn twice(x: Int) -> Int = x * 2\n";
    let mut client = Client::start(&[("numbers.cook", module)]);
    let text = GOOD.replace("use tokens", "use numbers: twice\nuse tokens");
    let text = text.replace("drop(1,", "drop(twice(1) - 1,");
    assert_eq!(codes(&client.open("a.cook", &text)), Vec::<&str>::new());
    let here = client.at("textDocument/definition", "a.cook", &place(&text, "answer", 4));
    assert_eq!(here["range"]["start"], place(&text, "answer   =", 0));
    let there = client.at("textDocument/definition", "a.cook", &place(&text, "twice(1)", 0));
    assert_eq!(there["uri"], client.uri("numbers.cook").as_str());
    assert_eq!(there["range"]["start"], json!({"line": 1, "character": 3}));
    for (name, line) in [("distinct(", "fn distinct("), ("overlap(", "fn overlap(")] {
        let native = client.at("textDocument/definition", "a.cook", &place(&text, name, 0));
        let path = native["uri"].as_str().expect("a URI").strip_prefix("file://").expect("a file");
        let file = fs::read_to_string(path).expect("it was written for the editor");
        let number = native["range"]["start"]["line"].as_u64().expect("a line") as usize;
        assert!(file.lines().nth(number).expect("a line").starts_with(line));
        assert!(fs::metadata(path).expect("a file").permissions().readonly());
    }
    let file = fs::read_to_string(client.folder.path().join("cache/cookc/0.1.0/builtin.cook"));
    let uri = "cache/cookc/0.1.0/builtin.cook";
    assert_eq!(codes(&client.open(uri, &file.expect("it is there"))), Vec::<&str>::new());
}

#[test]
fn a_definition_is_found_in_the_file_that_a_module_takes_it_from() {
    let more = "use numbers: twice\n\nfn four(x: Int) -> Int = twice(twice(x))\n";
    let numbers = ("numbers.cook", "fn twice(x: Int) -> Int = x * 2\n");
    let mut client = Client::start(&[numbers, ("more.cook", more)]);
    let text = "use more: twice, four\nx = twice(four(1))\nprompt \"{x}\"\nreply \"{x}\"\n";
    client.open("a.cook", text);
    let there = client.at("textDocument/definition", "a.cook", &place(text, "twice(f", 0));
    assert_eq!(there["uri"], client.uri("numbers.cook").as_str());
}

#[test]
fn references_are_every_place_of_a_name() {
    let mut client = Client::start(&[]);
    client.open("a.cook", GOOD);
    let mut ask = |declaration: bool| {
        let uri = json!({"uri": client.uri("a.cook")});
        let params = json!({"textDocument": uri, "position": place(GOOD, "answer", 1),
            "context": {"includeDeclaration": declaration}});
        client.ask("textDocument/references", params).expect("it is answered")
    };
    assert_eq!(list(&ask(true)).len(), 5);
    assert_eq!(list(&ask(false)).len(), 4);
    let shown = client.at("textDocument/documentHighlight", "a.cook", &place(GOOD, "answer", 2));
    assert_eq!(list(&shown).len(), 5);
}

#[test]
fn a_name_is_renamed_at_all_its_places_and_a_taken_or_invalid_one_is_refused() {
    let mut client = Client::start(&[]);
    client.open("a.cook", GOOD);
    let uri = client.uri("a.cook");
    let mut rename = |needle: &str, nth, new: &str| {
        let params = json!({"textDocument": {"uri": uri}, "position": place(GOOD, needle, nth),
            "newName": new});
        client.ask("textDocument/rename", params)
    };
    let edits = rename("document", 2, "page").expect("it can be done");
    let text = edited(GOOD, &edits["changes"][&uri]);
    assert!(text.contains("page ~ distinct") && text.contains("𝄞 {page} 𝄞 {question}"));
    assert!(!text.contains("document)") && !text.contains("{document}"), "{text}");
    let edits = rename("length", 0, "size_of_it").expect("a parameter can be renamed");
    assert!(edited(GOOD, &edits["changes"][&uri]).contains("level hard: size_of_it = 400"));
    let edits = rename("x in answer", 0, "word").expect("a loop's name can be renamed");
    assert!(edited(GOOD, &edits["changes"][&uri]).contains("all word in answer: word in"));
    for (needle, new, reason) in [
        ("question ~", "answer", "the name `answer` is taken"),
        ("question ~", "Question", "is no name"),
        ("question ~", "rule", "a word of the language"),
        ("distinct", "draws", "built in"),
        ("vocab", "words_2", "built in"),
        ("overlap", "shared", "built in"),
        ("x in answer", "document", "the name `document` is taken"),
    ] {
        let refused = rename(needle, 0, new).expect_err(new);
        assert!(refused.message.contains(reason), "{needle}: {}", refused.message);
    }
}

#[test]
fn a_function_is_renamed_in_its_module_and_in_the_files_that_use_it() {
    let module = "fn twice(x: Int) -> Int = x * 2\n";
    let user = "use m: twice\nn = twice(3)\nprompt \"{n}?\"\nreply \"{n}\"\n";
    let mut client = Client::start(&[("m.cook", module), ("b.cook", user), ("c.cook", "")]);
    client.open("a.cook", user);
    let params = json!({"textDocument": {"uri": client.uri("a.cook")},
        "position": place(user, "twice", 1), "newName": "double"});
    let edits = client.ask("textDocument/rename", params).expect("it can be done");
    let changes = &edits["changes"];
    let new_user = "use m: double\nn = double(3)\nprompt \"{n}?\"\nreply \"{n}\"\n";
    assert_eq!(edited(user, &changes[client.uri("a.cook")]), new_user);
    assert_eq!(edited(user, &changes[client.uri("b.cook")]), new_user);
    let new_module = "fn double(x: Int) -> Int = x * 2\n";
    assert_eq!(edited(module, &changes[client.uri("m.cook")]), new_module);
}

/// Two templates, the second of which has the first as a part.
const COPY: &str = "\
/// Give the first words again.
param length in 2..9 = 5
level long: length = 9
/// What is shown.
document ~ distinct(length, vocab)
answer = take(2, document)
rule first: answer within document
prompt \"{document}\"
reply \"{answer}\"
";
const WHOLE: &str = "\
use template copy_some
part ~ copy_some(level long, length = 8)
shown = reverse(part.document)
rule again: shown == reverse(part.document)
prompt \"{part.prompt} {part.document}\"
reply \"{shown}\"
";

#[test]
fn names_of_a_part_are_known_to_be_those_of_its_template() {
    let mut client = Client::start(&[("copy_some.cook", COPY)]);
    assert_eq!(codes(&client.open("a.cook", WHOLE)), Vec::<&str>::new());
    let there = |client: &mut Client, needle, nth| {
        let at = place(WHOLE, needle, nth);
        client.at("textDocument/definition", "a.cook", &at)
    };
    for (needle, nth, line) in
        [("document", 0, "document"), ("length", 0, "length in"), ("long", 0, "long:")]
    {
        let found = there(&mut client, needle, nth);
        assert_eq!(found["uri"], client.uri("copy_some.cook").as_str());
        assert_eq!(found["range"]["start"], place(COPY, line, 0));
    }
    assert_eq!(there(&mut client, "part.prompt", 0)["range"]["start"], place(WHOLE, "part ~", 0));
    let hover = client.at("textDocument/hover", "a.cook", &place(WHOLE, "document", 0));
    let text = str(&hover["contents"]["value"]);
    assert!(text.contains("What is shown.") && text.contains("from `copy_some.cook`"), "{text}");

    let rename = |client: &mut Client, needle: &str, new: &str| {
        let params = json!({"textDocument": {"uri": client.uri("a.cook")},
            "position": place(WHOLE, needle, 0), "newName": new});
        client.ask("textDocument/rename", params).expect("it can be done")["changes"].clone()
    };
    let changes = rename(&mut client, "part ~", "piece");
    let text = edited(WHOLE, &changes[client.uri("a.cook")]);
    assert_eq!(text, WHOLE.replace("part ~", "piece ~").replace("part.", "piece."));
    let changes = rename(&mut client, "document", "page");
    let text = edited(WHOLE, &changes[client.uri("a.cook")]);
    assert_eq!(text, WHOLE.replace("document", "page"));
    let text = edited(COPY, &changes[client.uri("copy_some.cook")]);
    assert_eq!(text, COPY.replace("document", "page"));

    let mut complete = |before: &str, version| {
        let text = WHOLE.replace("rule", &format!("{before}\nrule"));
        client.edit("a.cook", version, Value::Null, &text);
        let byte = text.find(before).expect("it is there") + before.len();
        client.at("textDocument/completion", "a.cook", &position(&text, byte))
    };
    let inside = complete("x = part.", 2);
    assert_eq!(names(&inside), ["document", "answer", "prompt", "reply", "length"]);
    assert!(names(&complete("x ~ ", 3)).contains(&"copy_some"));
    assert_eq!(names(&complete("x ~ copy_some(", 4)), ["length", "level"]);
    assert_eq!(names(&complete("x ~ copy_some(level ", 5)), ["long"]);
}

#[test]
fn completion_offers_what_can_stand_there() {
    let mut client = Client::start(&[("doubles.cook", "fn twice(x: Int) -> Int = x * 2\n")]);
    let mut version = 1;
    client.open("a.cook", GOOD);
    let mut complete = |line: &str, before: &str| {
        let text = GOOD.replace(before, &format!("{line}\n{before}"));
        version += 1;
        client.edit("a.cook", version, Value::Null, &text);
        let byte = text.find(line).expect("it stands there") + line.len();
        client.at("textDocument/completion", "a.cook", &position(&text, byte))
    };
    let items = complete("head = ", "tail ");
    assert_eq!(names(&items)[..3], ["answer", "question", "document"], "nearest first");
    assert!(names(&items).contains(&"take") && names(&items).contains(&"length"));
    assert!(!names(&items).contains(&"distinct"), "nothing is drawn right of `=`");
    let take = list(&items).iter().find(|item| item["label"] == "take").expect("offered");
    assert_eq!(take["detail"], "fn take(n: Int, xs: [T]) -> [T]");
    assert!(str(&take["documentation"]["value"]).contains("first `n` elements"));
    let drawn = complete("head ~ ", "tail ");
    assert!(names(&drawn).contains(&"distinct") && names(&drawn).contains(&"repeat"));
    assert_eq!(names(&complete("par", "tail "))[..2], ["param", "level"]);
    let modules = complete("use ", "/// How");
    assert!(names(&modules).contains(&"tokens") && names(&modules).contains(&"doubles"));
    assert_eq!(names(&complete("use doubles: ", "/// How")), ["twice"]);
    assert_eq!(names(&complete("level easy: ", "document ~")), ["length", "margin"]);
    assert!(names(&complete("rule r: all word in answer: wo", "prompt")).contains(&"word"));
    assert!(names(&complete("fn f(xs: ", "document ~")).contains(&"Token"));
    assert!(names(&complete("reply \"{an", "prompt")).contains(&"answer"));
    assert!(names(&complete("reply \"an", "prompt")).is_empty(), "plain text");
    assert!(names(&complete("// an", "prompt")).is_empty(), "a comment");
}

#[test]
fn signature_help_counts_the_values_of_an_unfinished_call() {
    let mut client = Client::start(&[]);
    let line = "extra = take(size([1, 2]), concat([answer, ";
    let text = GOOD.replace("tail ", &format!("{line}\ntail "));
    client.open("a.cook", &text);
    let byte = text.find(line).expect("it is there") + line.len();
    let help = client.at("textDocument/signatureHelp", "a.cook", &position(&text, byte));
    assert_eq!(help["signatures"][0]["label"], "fn concat(xss: [[T]]) -> [T]");
    let byte = byte - "concat([answer, ".len();
    let help = client.at("textDocument/signatureHelp", "a.cook", &position(&text, byte));
    assert_eq!(help["signatures"][0]["label"], "fn take(n: Int, xs: [T]) -> [T]");
    assert_eq!(help["activeParameter"], 1);
    assert_eq!(help["signatures"][0]["parameters"][1]["label"], json!([16, 23]));
}

#[test]
fn symbols_name_every_statement_also_beside_a_error() {
    let nested = json!({"textDocument": {"documentSymbol":
        {"hierarchicalDocumentSymbolSupport": true}}});
    let mut client = Client::with(nested, &[]);
    client.open("a.cook", &GOOD.replace("span(4, document)", "span(4 document"));
    let symbols = client.of("textDocument/documentSymbol", "a.cook");
    let found: Vec<&str> = list(&symbols).iter().map(|it| str(&it["name"])).collect();
    assert_eq!(
        found,
        [
            "tokens", "length", "margin", "hard", "document", "question", "answer", "tail",
            "verbatim", "on_point", "prompt", "reply"
        ]
    );
    assert_eq!(symbols[1]["detail"], "How long the document is.");
    let hover = client.at("textDocument/hover", "a.cook", &place(GOOD, "document ~", 0));
    assert!(str(&hover["contents"]["value"]).contains("document: [Token]"));
}

#[test]
fn semantic_tokens_are_relative_and_cut_at_line_ends() {
    let mut client = Client::start(&[]);
    client.open("a.cook", "x = 1\nprompt \"\"\"\n  𝄞 {x}\n  \"\"\"\n");
    let data = client.of("textDocument/semanticTokens/full", "a.cook")["data"].clone();
    let data: Vec<u64> = list(&data).iter().map(|it| it.as_u64().expect("a number")).collect();
    let tokens: Vec<[u64; 3]> = data.chunks(5).map(|it| [it[0], it[1], it[2]]).collect();
    let expected = [
        [0, 0, 1],
        [0, 2, 1],
        [0, 2, 1], // x = 1
        [1, 0, 6],
        [0, 7, 3], // prompt """
        [1, 0, 5],
        [0, 6, 1], // `  𝄞 `, then x behind the brace
        [1, 0, 2],
        [0, 2, 3], // the margin, then """
    ];
    assert_eq!(tokens, expected);
}

#[test]
fn formatting_is_the_formatters_and_only_touches_lines_that_change() {
    let mut client = Client::start(&[]);
    let text = GOOD.replace("question ~ span", "question~span");
    client.open("a.cook", &text);
    let params = json!({"textDocument": {"uri": client.uri("a.cook")},
        "options": {"tabSize": 2, "insertSpaces": true}});
    let edits = client.ask("textDocument/formatting", params).expect("it is answered");
    let source = cookc::source::Source::new("a.cook", &text);
    assert_eq!(edited(&text, &edits), cookc::syntax::format(&source).expect("no error"));
    assert_eq!(list(&edits).len(), 1);
    assert!(edits[0]["range"]["start"]["line"].as_u64() > Some(3));
}

#[test]
fn hints_tell_roles_and_lenses_show_another_sample_each_time() {
    let mut client = Client::start(&[]);
    client.open("a.cook", GOOD);
    let end = position(GOOD, GOOD.len());
    let params = json!({"textDocument": {"uri": client.uri("a.cook")},
        "range": {"start": {"line": 0, "character": 0}, "end": end}});
    let hints = client.ask("textDocument/inlayHint", params).expect("it is answered");
    assert_eq!(names(&hints), ["parent", "child", "output", "child, hidden"]);
    let lenses = client.of("textDocument/codeLens", "a.cook");
    assert_eq!(lenses[0]["command"]["title"], "sample at hard");
    let command = lenses[1]["command"].clone();
    assert_eq!(command["title"], "sample");
    let mut sample = |command: &Value| {
        let params = json!({"command": command["command"], "arguments": command["arguments"]});
        let text = client.ask("workspace/executeCommand", params).expect("it can be made");
        text.as_str().expect("a text").to_string()
    };
    let (first, second) = (sample(&command), sample(&command));
    assert!(first.contains("default · sample 0") && second.contains("default · sample 1"));
    assert!(first.contains("verbatim 1") && first.contains("Answer:"), "{first}");
    assert_ne!(first.lines().nth(3), second.lines().nth(3));
    assert!(sample(&lenses[0]["command"]).contains("hard · sample 0"));
}

#[test]
fn a_change_of_an_open_module_is_told_in_the_files_that_use_it() {
    let user = "use m: twice\nn = twice(3)\nrule six: n == 6\nprompt \"{n}?\"\nreply \"{n}\"\n";
    let mut client = Client::start(&[("m.cook", "fn other(x: Int) -> Int = x\n")]);
    assert_eq!(codes(&client.open("a.cook", user)), ["E207"]);
    client.open("m.cook", "fn twice(x: Int) -> Int = x * 2\n");
    assert_eq!(codes(&client.diagnostics("a.cook")), Vec::<&str>::new());
    let close = json!({"textDocument": {"uri": client.uri("m.cook")}});
    client.tell("textDocument/didClose", close);
    assert_eq!(codes(&client.diagnostics("a.cook")), ["E207"], "the file on disk counts");
}

#[test]
fn utf_8_positions_are_used_where_the_client_offers_them() {
    let offer = json!({"general": {"positionEncodings": ["utf-8", "utf-16"]}});
    let mut client = Client::silent(&[]);
    let answer = client.ask("initialize", json!({ "capabilities": offer })).expect("it starts");
    assert_eq!(answer["capabilities"]["positionEncoding"], "utf-8");
    client.open("a.cook", "x = 1 // é\nprompt \"𝄞 {y}\"\nreply \"{x}\"\n");
    let text = "x = 1\nprompt \"𝄞 {y}\"\nreply \"{x}\"\n";
    let found = client.edit("a.cook", 2, Value::Null, text);
    assert_eq!(found[0]["range"]["start"], json!({"line": 1, "character": 14}));
}

#[test]
fn requests_out_of_order_unknown_or_unreadable_are_answered_with_the_right_error() {
    let mut client = Client::silent(&[]);
    let code =
        |answer: Result<Value, lsp_server::ResponseError>| answer.expect_err("it is refused").code;
    assert_eq!(code(client.ask("textDocument/hover", json!({}))), -32002, "before `initialize`");
    client.ask("initialize", json!({"capabilities": {}})).expect("it starts");
    assert_eq!(code(client.ask("initialize", json!({"capabilities": {}}))), -32600);
    assert_eq!(code(client.ask("textDocument/moniker", json!({}))), -32601);
    assert_eq!(code(client.ask("textDocument/hover", json!({"x": 1}))), -32602);
    client.raw(b"Content-Length: 7\r\n\r\n{\"oops\"");
    client.tell("textDocument/didChange", json!({"nonsense": true}));
    let place = json!({"textDocument": {"uri": "file:///none.cook"},
        "position": {"line": 0, "character": 0}});
    assert_eq!(code(client.ask("textDocument/hover", place)), -32602, "no such document");
    client.ask("shutdown", Value::Null).expect("it is answered");
    assert_eq!(code(client.ask("textDocument/hover", json!({}))), -32600, "after `shutdown`");
    client.tell("exit", Value::Null);
    assert_eq!(client.code(), 0);
}

#[test]
fn a_request_that_is_cancelled_while_it_waits_is_not_begun() {
    let mut client = Client::start(&[]);
    client.open("a.cook", GOOD);
    // All in one write, so that the later ones wait while the first is answered.
    let uri = client.uri("a.cook");
    let mut bytes = Vec::new();
    let mut put = |body: Value| {
        let body = body.to_string();
        bytes.extend(format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes());
    };
    let change = json!({"textDocument": {"uri": uri, "version": 2},
        "contentChanges": [{"text": GOOD.repeat(20)}]});
    put(json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": change}));
    let symbols = json!({"textDocument": {"uri": uri}});
    put(json!({"jsonrpc": "2.0", "id": 7, "method": "textDocument/documentSymbol",
        "params": symbols}));
    put(json!({"jsonrpc": "2.0", "id": 8, "method": "textDocument/documentSymbol",
        "params": symbols}));
    put(json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 8}}));
    client.raw(&bytes);
    client.answer(7).expect("it was not cancelled");
    assert_eq!(client.answer(8).expect_err("it was cancelled").code, -32800);
}

#[test]
fn a_client_that_leaves_without_a_word_is_a_failure() {
    assert_eq!(Client::start(&[]).leave(), 1);
    let mut client = Client::start(&[]);
    client.tell("exit", Value::Null);
    assert_eq!(client.code(), 1);
}

#[test]
fn a_document_edited_at_random_is_that_of_its_edits_and_every_request_is_answered() {
    let mut state = 1u64;
    for _ in 0..300 {
        let byte = |_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        };
        editing::edit(&(0..120).map(byte).collect::<Vec<u8>>());
    }
    let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/lsp");
    let entries = fs::read_dir(kept).expect("the kept inputs are there");
    for entry in entries {
        editing::edit(&fs::read(entry.expect("readable").path()).expect("readable"));
    }
}
