//! What an editor lists: errors while a file is open, and lints, unless the file allows them.

use serde_json::{Value, json};

use super::client::Client;
use super::codes;

#[test]
fn what_was_told_of_a_file_is_withdrawn_when_it_is_closed() {
    let mut client = Client::start(&[]);
    let faulty = "prompt \"a\"\nreply \"{nope}\"\n";
    assert_eq!(codes(&client.open("a.cook", faulty)), ["E201"]);
    let close = json!({"textDocument": {"uri": client.uri("a.cook")}});
    client.tell("textDocument/didClose", close);
    assert_eq!(codes(&client.diagnostics("a.cook")), Vec::<&str>::new());
    // Opened again, it is reported again.
    assert_eq!(codes(&client.open("a.cook", faulty)), ["E201"]);
    assert_eq!(client.end(), 0);
}

#[test]
fn a_draw_that_may_not_be_made_is_told_as_it_is_typed_unless_the_file_allows_it() {
    let mut client = Client::start(&[]);
    let text = "n ~ uniform(0..3)\nx = 12 / n\nrule right: x == 12 / n\n\
                prompt \"12 / {n}\"\nreply \"{x}\"\n";
    assert_eq!(codes(&client.open("a.cook", text)), ["L604"]);
    let allowed = text.replace("x = 12 / n\n", "x = 12 / n // allow L604: to show it\n");
    assert_eq!(codes(&client.edit("a.cook", 2, Value::Null, &allowed)), Vec::<&str>::new());
    assert_eq!(client.end(), 0);
}

#[test]
fn a_lone_carriage_return_ends_a_line_and_its_fix_makes_it_one() {
    let mut client = Client::start(&[]);
    let text = "x ~ pick(vocab) // a word\rrule r: x in vocab\nprompt \"a\"\nreply \"{x}\"\n";
    let found = client.open("a.cook", text);
    assert_eq!(codes(&found), ["E102"]);
    let end_of_line =
        json!({"start": {"line": 0, "character": 25}, "end": {"line": 1, "character": 0}});
    assert_eq!(found[0]["range"], end_of_line);
    let params = json!({"textDocument": {"uri": client.uri("a.cook")}, "range": found[0]["range"],
        "context": {"diagnostics": []}});
    let actions = client.ask("textDocument/codeAction", params).expect("it is answered");
    let edits = &actions[0]["edit"]["changes"][client.uri("a.cook")];
    let range = &edits[0]["range"];
    assert_eq!((range, &edits[0]["newText"]), (&end_of_line, &json!("\n")));
    let fixed = client.edit("a.cook", 2, end_of_line, "\n");
    assert_eq!(codes(&fixed), Vec::<&str>::new());
    assert_eq!(client.end(), 0);
}
