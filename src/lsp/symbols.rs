//! The outline of a document.

use lsp_types::{DocumentSymbol, DocumentSymbolResponse, Location, SymbolInformation, SymbolKind};

use super::analysis::Analysis;
use crate::source::Span;
use crate::syntax::ast::{Statement, StatementKind};

/// What each statement names. `nested` says whether the client knows ranges of two kinds.
pub fn symbols(analysis: &Analysis, nested: bool) -> DocumentSymbolResponse {
    let statements = analysis.file.statements.iter();
    let found = statements.filter_map(|statement| Some((statement, named(statement)?)));
    if nested {
        let symbols = found.map(|(statement, named)| symbol(analysis, statement, named));
        return DocumentSymbolResponse::Nested(symbols.collect());
    }
    let flat = found.map(|(_, (name, span, kind))| flat(analysis, name, span, kind));
    DocumentSymbolResponse::Flat(flat.collect())
}

/// The name of a statement, where it stands, and its kind.
fn named(statement: &Statement) -> Option<(String, Span, SymbolKind)> {
    let text = |word: &str, text: &crate::syntax::ast::Text| {
        (word.to_string(), text.span, SymbolKind::STRING)
    };
    let (name, kind) = match &statement.kind {
        StatementKind::Use { module, .. } => (module, SymbolKind::MODULE),
        StatementKind::UseTemplate(name) => (name, SymbolKind::MODULE),
        StatementKind::Words { name, .. } => (name, SymbolKind::ARRAY),
        StatementKind::Param(param) => (&param.name, SymbolKind::CONSTANT),
        StatementKind::Level { name, .. } => (name, SymbolKind::ENUM_MEMBER),
        StatementKind::Draw(binding) | StatementKind::Compute(binding) => {
            (&binding.name, SymbolKind::VARIABLE)
        }
        StatementKind::Rule(binding) => (&binding.name, SymbolKind::BOOLEAN),
        StatementKind::Function(function) => (&function.name, SymbolKind::FUNCTION),
        StatementKind::System(layout) => return Some(text("system", layout)),
        StatementKind::Prompt(layout) => return Some(text("prompt", layout)),
        StatementKind::Reply(layout) => return Some(text("reply", layout)),
    };
    Some((name.text.clone(), name.span, kind))
}

// `deprecated` is deprecated itself, and has no default.
#[allow(deprecated)]
fn symbol(
    analysis: &Analysis,
    statement: &Statement,
    (name, span, kind): (String, Span, SymbolKind),
) -> DocumentSymbol {
    DocumentSymbol {
        name,
        detail: statement.docs.first().map(|line| line.trim().to_string()),
        kind,
        tags: None,
        deprecated: None,
        range: analysis.text.range(statement.span.to(span)),
        selection_range: analysis.text.range(span),
        children: None,
    }
}

#[allow(deprecated)]
fn flat(analysis: &Analysis, name: String, span: Span, kind: SymbolKind) -> SymbolInformation {
    SymbolInformation {
        name,
        kind,
        tags: None,
        deprecated: None,
        location: Location::new(analysis.uri.clone(), analysis.text.range(span)),
        container_name: None,
    }
}
