//! What the editors are given fits the language.

use std::path::Path;

use cookc::source::Source;
use cookc::syntax;

/// A snippet as it stands before anyone types: `${1:name}` is `name`, `${1|a,b|}` is `a`.
fn expanded(snippet: &str) -> String {
    let mut shown = String::new();
    let mut rest = snippet.replace("$0", "1");
    while let Some(at) = rest.find("${") {
        shown += &rest[..at];
        let end = at + rest[at..].find('}').expect("a place of a snippet ends");
        let place = &rest[at + 2..end];
        let (_, text) = place.split_once([':', '|']).expect("a place has a text");
        let first = text.trim_end_matches('|').replace("\\,", "\u{0}");
        shown += &first.split(',').next().unwrap_or_default().replace('\u{0}', ",");
        rest = rest[end + 1..].to_string();
    }
    shown + &rest
}

#[test]
fn snippets_of_the_extension_are_text_that_the_language_takes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode/snippets/cook.json");
    let text = std::fs::read_to_string(path).expect("the snippets are there");
    let snippets: serde_json::Value = serde_json::from_str(&text).expect("they are JSON");
    for (name, snippet) in snippets.as_object().expect("one object") {
        let body = match &snippet["body"] {
            serde_json::Value::Array(lines) => {
                let lines = lines.iter().map(|line| line.as_str().expect("a line is text"));
                lines.collect::<Vec<&str>>().join("\n")
            }
            body => body.as_str().expect("a body is text").to_string(),
        };
        let body = expanded(body.trim_end_matches("\n$0"));
        let is_expression = ["all", "fold"].contains(&name.as_str());
        let text = if is_expression { format!("value = {body}") } else { body };
        let (_, errors) = syntax::parse(&Source::new("snippet.cook", text.clone()));
        assert!(errors.is_empty(), "{name}: {text}\n{errors:#?}");
    }
}
