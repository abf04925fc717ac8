//! What is under the pointer.

use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind};

use super::analysis::Analysis;
use super::describe::{self, KEYWORDS, REPEAT};
use crate::source::Span;
use crate::syntax::tokens::Kind;

/// The name or word at a byte: its type, role, size and documentation.
pub fn hover(analysis: &Analysis, byte: usize) -> Option<Hover> {
    let (span, text) = match analysis.name_at(byte) {
        Some((span, id)) => (span, describe::markdown(analysis, analysis.definition(id))),
        None => word(analysis, byte)?,
    };
    let contents = MarkupContent { kind: MarkupKind::Markdown, value: text };
    let range = Some(analysis.text.range(span));
    Some(Hover { contents: HoverContents::Markup(contents), range })
}

fn word(analysis: &Analysis, byte: usize) -> Option<(Span, String)> {
    let mut words = analysis.tokens.iter().filter(|token| token.kind == Kind::Word);
    let token = words.find(|token| token.span.start <= byte && byte <= token.span.end)?;
    let word = analysis.source().slice(token.span);
    if word == "repeat" {
        return Some((token.span, format!("```cook\n{}\n```\n\n{}\n", REPEAT.0, REPEAT.1)));
    }
    let (_, meaning, _) = KEYWORDS.iter().find(|(keyword, ..)| *keyword == word)?;
    Some((token.span, format!("`{word}`: {meaning}\n")))
}
