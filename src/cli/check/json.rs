//! Errors and lints for tools: a JSON object a line.

use serde_json::{Value, json};

use super::Checked;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Source, Span};

/// A line for each error and lint of a file, or for why it cannot be read.
pub fn lines(checked: &Checked) -> String {
    match &checked.found {
        Ok((source, found)) => {
            found.iter().map(|one| format!("{}\n", diagnostic(one, source))).collect()
        }
        Err(text) => {
            let line = json!({
                "code": null, "level": "error", "severity": "fault", "title": text,
                "file": checked.file,
                "labels": [], "help": "", "fix": [], "offered": false,
            });
            format!("{line}\n")
        }
    }
}

fn diagnostic(diagnostic: &Diagnostic, source: &Source) -> Value {
    let place = |span: Span, text: &str| {
        let (line, column) = source.position(span.start);
        let (end_line, end_column) = source.position(span.end);
        json!({
            "start": span.start, "end": span.end, "line": line, "column": column,
            "end_line": end_line, "end_column": end_column, "text": text,
        })
    };
    let labels: Vec<Value> =
        diagnostic.labels.iter().map(|label| place(label.span, &label.text)).collect();
    let fix: Vec<Value> = diagnostic.fix.iter().map(|edit| place(edit.span, &edit.text)).collect();
    // `severity` is the older name, which stays for one release.
    let severity = match diagnostic.severity {
        Severity::Error => "fault",
        Severity::Warning => "lint",
    };
    json!({
        "code": diagnostic.code,
        "level": diagnostic.severity.name(),
        "severity": severity,
        "title": diagnostic.title,
        "file": &*source.name,
        "labels": labels,
        "help": diagnostic.help,
        "fix": fix,
        "offered": diagnostic.is_offered(),
    })
}
