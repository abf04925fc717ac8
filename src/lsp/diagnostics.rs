//! Errors and lints as editors show them, and their fixes as code actions.

use std::collections::HashMap;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeDescription, Diagnostic as Shown,
    DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, NumberOrString,
    TextEdit, Uri, WorkspaceEdit,
};

use super::analysis::Analysis;
use crate::diagnostic::{Diagnostic, Edit, Severity};
use crate::source::Span;

/// The lint of a name that nothing uses: editors show it faint.
const UNUSED: &str = "L602";

/// All that is reported about a document.
pub fn diagnostics(analysis: &Analysis) -> Vec<Shown> {
    analysis.diagnostics().iter().map(|one| shown(analysis, one)).collect()
}

/// The fixes of the diagnostics that touch a span.
pub fn actions(analysis: &Analysis, span: Span) -> Vec<CodeActionOrCommand> {
    let touches = |one: &&Diagnostic| {
        let places = one.labels.iter().map(|label| label.span);
        let edits = one.fix.iter().map(|edit| edit.span);
        places.chain(edits).any(|place| place.start <= span.end && span.start <= place.end)
    };
    let diagnostics = analysis.diagnostics();
    let fixable = diagnostics.iter().filter(|one| !one.fix.is_empty()).filter(touches);
    fixable.map(|one| CodeActionOrCommand::CodeAction(action(analysis, one))).collect()
}

/// The changes of one document.
// A `Uri` caches nothing that its hash depends on.
#[allow(clippy::mutable_key_type)]
pub fn changes(uri: &Uri, edits: Vec<TextEdit>) -> WorkspaceEdit {
    WorkspaceEdit { changes: Some(HashMap::from([(uri.clone(), edits)])), ..Default::default() }
}

fn action(analysis: &Analysis, diagnostic: &Diagnostic) -> CodeAction {
    let edit = |edit: &Edit| TextEdit::new(analysis.text.range(edit.span), edit.text.clone());
    let edits = diagnostic.fix.iter().map(edit).collect();
    CodeAction {
        title: diagnostic.help.clone(),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![shown(analysis, diagnostic)]),
        edit: Some(changes(&analysis.uri, edits)),
        is_preferred: Some(!diagnostic.is_offered()),
        ..CodeAction::default()
    }
}

fn shown(analysis: &Analysis, diagnostic: &Diagnostic) -> Shown {
    let related = diagnostic.labels.iter().map(|label| DiagnosticRelatedInformation {
        location: Location::new(analysis.uri.clone(), analysis.text.range(label.span)),
        message: label.text.clone(),
    });
    let mut message = diagnostic.title.clone();
    if !diagnostic.help.is_empty() {
        message += &format!("\nhelp: {}", diagnostic.help);
    }
    Shown {
        range: analysis.text.range(diagnostic.span()),
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(diagnostic.code.into())),
        code_description: page(diagnostic.code),
        source: Some("cookc".into()),
        message,
        related_information: Some(related.collect()),
        tags: (diagnostic.code == UNUSED).then(|| vec![DiagnosticTag::UNNECESSARY]),
        ..Shown::default()
    }
}

/// Where the explanation of a code can be read.
fn page(code: &str) -> Option<CodeDescription> {
    let base = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/codes/");
    Some(CodeDescription { href: format!("{base}{code}.md").parse().ok()? })
}
