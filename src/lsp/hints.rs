//! The roles that are inferred, beside the statements, and the lenses that show a sample.

use lsp_types::{CodeLens, Command, InlayHint, InlayHintLabel, Uri};
use serde_json::json;

use super::analysis::Analysis;
use super::describe;
use crate::check::index::Named;
use crate::source::Span;
use crate::syntax::ast::{Statement, StatementKind};

/// The command of a lens: its arguments are a document's URI and a level's name.
pub const SAMPLE: &str = "cookc.sample";

/// The role of each value whose statement touches the span, after the statement, so that columns
/// stay aligned. Without a whole tree the roles are not known.
pub fn hints(analysis: &Analysis, span: Span) -> Vec<InlayHint> {
    let touches = |place: Span| place.start <= span.end && span.start <= place.end;
    let statements = analysis.file.statements.iter().filter(|it| touches(it.span));
    let hint = |statement: &Statement| {
        let (StatementKind::Draw(binding) | StatementKind::Compute(binding)) = &statement.kind
        else {
            return None;
        };
        let (_, id) = analysis.name_at(binding.name.span.start)?;
        let Named::Value(role, shown) = analysis.definition(id).kind else { return None };
        Some(InlayHint {
            position: analysis.text.position(statement.span.end),
            label: InlayHintLabel::String(describe::role(role, shown).to_string()),
            kind: None,
            text_edits: None,
            tooltip: None,
            padding_left: Some(true),
            padding_right: Some(true),
            data: None,
        })
    };
    if analysis.is_whole { statements.filter_map(hint).collect() } else { Vec::new() }
}

/// A lens at the prompt for the defaults, and one at each level.
pub fn lenses(analysis: &Analysis) -> Vec<CodeLens> {
    let statements = analysis.file.statements.iter();
    let lens = |span: Span, level: &str| CodeLens {
        range: analysis.text.range(span),
        command: Some(command(&analysis.uri, level)),
        data: None,
    };
    let found = statements.filter_map(|statement| match &statement.kind {
        StatementKind::Prompt(_) => Some(lens(statement.span, "")),
        StatementKind::Level { name, .. } => Some(lens(statement.span, &name.text)),
        _ => None,
    });
    found.collect()
}

fn command(uri: &Uri, level: &str) -> Command {
    let title = if level.is_empty() { "sample".into() } else { format!("sample at {level}") };
    Command::new(title, SAMPLE.into(), Some(vec![json!(uri.as_str()), json!(level)]))
}
