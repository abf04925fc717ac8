//! Errors and lints for code hosts: a log in SARIF 2.1.0, the format of OASIS.

use std::path::Path;

use serde_json::{Value, json};

use super::Checked;
use crate::codes::{self, Page};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// The log of one run. Its rules are all codes, whether they were met or not.
pub fn log(all: &[Checked]) -> Value {
    let pages = codes::all();
    let found = |checked: &Checked| match &checked.found {
        Ok((source, found)) => found.iter().map(|one| result(one, source, &pages)).collect(),
        Err(_) => Vec::new(),
    };
    let unread = all.iter().filter_map(|one| one.found.as_ref().err().map(|text| (one, text)));
    let notes: Vec<Value> = unread.map(|(one, text)| unreadable(&one.file, text)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "cookc",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": pages.iter().map(rule).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": notes.is_empty(),
                "toolExecutionNotifications": notes,
            }],
            "columnKind": "unicodeCodePoints",
            "results": all.iter().flat_map(found).collect::<Vec<Value>>(),
        }],
    })
}

fn rule(page: &Page) -> Value {
    let level = if page.code.starts_with('L') { "warning" } else { "error" };
    json!({
        "id": page.code,
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.cause()},
        "help": {"text": page.text, "markdown": page.text},
        "defaultConfiguration": {"level": level},
    })
}

fn result(diagnostic: &Diagnostic, source: &Source, pages: &[Page]) -> Value {
    let artifact = artifact(&source.name);
    let place = |span: Span, text: &str| {
        json!({
            "physicalLocation": {"artifactLocation": artifact, "region": region(source, span)},
            "message": {"text": text},
        })
    };
    let mut labels = diagnostic.labels.iter().map(|label| place(label.span, &label.text));
    let mut result = json!({
        "ruleId": diagnostic.code,
        "ruleIndex": pages.iter().position(|page| page.code == diagnostic.code),
        "level": diagnostic.severity.name(),
        "message": {"text": format!("{}\n{}", diagnostic.title, diagnostic.help)},
        "locations": labels.next().into_iter().collect::<Vec<_>>(),
        "relatedLocations": labels.collect::<Vec<_>>(),
    });
    if !diagnostic.fix.is_empty() {
        let replace = |edit: &crate::diagnostic::Edit| {
            json!({
                "deletedRegion": region(source, edit.span),
                "insertedContent": {"text": edit.text},
            })
        };
        let replacements: Vec<Value> = diagnostic.fix.iter().map(replace).collect();
        result["properties"] = json!({"offered": diagnostic.is_offered()});
        result["fixes"] = json!([{
            "description": {"text": diagnostic.help},
            "artifactChanges": [{"artifactLocation": artifact, "replacements": replacements}],
        }]);
    }
    result
}

/// Lines and columns from 1, a column being a character; the end is one past the last.
fn region(source: &Source, span: Span) -> Value {
    let (line, column) = source.position(span.start);
    let (end_line, end_column) = source.position(span.end);
    json!({
        "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
    })
}

fn unreadable(file: &str, text: &str) -> Value {
    json!({
        "level": "error",
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": artifact(file)}}],
    })
}

/// A path below the folder that the command runs in is relative to it, as code hosts want it.
fn artifact(name: &str) -> Value {
    if name.starts_with("std:") {
        return json!({"uri": name});
    }
    let here = std::env::current_dir().unwrap_or_default();
    let path = Path::new(name);
    let below = path.strip_prefix(&here).unwrap_or(path);
    let below = below.strip_prefix(".").unwrap_or(below);
    let uri = escaped(&below.to_string_lossy());
    match below.is_absolute() {
        true => json!({"uri": format!("file://{uri}")}),
        false => json!({"uri": uri, "uriBaseId": "%SRCROOT%"}),
    }
}

/// A path as a URI has it: what is no plain letter is written as its bytes.
fn escaped(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}
