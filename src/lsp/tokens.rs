//! What each word and symbol is, for the colours of an editor.

use lsp_types::{SemanticToken, SemanticTokenModifier, SemanticTokenType, SemanticTokensLegend};

use super::analysis::Analysis;
use crate::check::index::{Definition, Named};
use crate::source::Span;
use crate::syntax::tokens::{Kind, is_keyword};

/// The types and modifiers that [`tokens`] counts in.
pub fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend { token_types: TYPES.to_vec(), token_modifiers: MODIFIERS.to_vec() }
}

const TYPES: [SemanticTokenType; 12] = [
    SemanticTokenType::KEYWORD,
    SemanticTokenType::COMMENT,
    SemanticTokenType::STRING,
    SemanticTokenType::NUMBER,
    SemanticTokenType::OPERATOR,
    SemanticTokenType::TYPE,
    SemanticTokenType::FUNCTION,
    SemanticTokenType::VARIABLE,
    SemanticTokenType::PARAMETER,
    SemanticTokenType::NAMESPACE,
    SemanticTokenType::ENUM_MEMBER,
    SemanticTokenType::PROPERTY,
];

const MODIFIERS: [SemanticTokenModifier; 4] = [
    SemanticTokenModifier::DECLARATION,
    SemanticTokenModifier::READONLY,
    SemanticTokenModifier::DEFAULT_LIBRARY,
    SemanticTokenModifier::DOCUMENTATION,
];

const DECLARATION: u32 = 1;
const READONLY: u32 = 2;
const LIBRARY: u32 = 4;
const DOCUMENTATION: u32 = 8;

/// Every coloured piece of the text, each relative to the one before; a piece that goes over
/// several lines is cut at their ends.
pub fn tokens(analysis: &Analysis) -> Vec<SemanticToken> {
    let (mut found, mut line, mut column) = (Vec::new(), 0, 0);
    for token in &analysis.tokens {
        let Some((kind, modifiers)) = class(analysis, token.kind, token.span) else { continue };
        let token_type = TYPES.iter().position(|known| *known == kind);
        let token_type = token_type.expect("every class is in the legend") as u32;
        for span in lines(analysis, token.span) {
            let start = analysis.text.position(span.start);
            let length = analysis.text.encoding().units(analysis.source().slice(span)) as u32;
            let delta_line = start.line - line;
            let delta_start =
                if delta_line == 0 { start.character - column } else { start.character };
            found.push(SemanticToken {
                delta_line,
                delta_start,
                length,
                token_type,
                token_modifiers_bitset: modifiers,
            });
            (line, column) = (start.line, start.character);
        }
    }
    found
}

fn lines(analysis: &Analysis, span: Span) -> impl Iterator<Item = Span> {
    let text = &analysis.text;
    let first = text.position(span.start).line as usize;
    let last = text.position(span.end).line as usize;
    let cut = move |number| {
        let line: Span = text.line(number).unwrap_or_default();
        Span::new(line.start.max(span.start), line.end.min(span.end))
    };
    (first..=last).map(cut).filter(|part| part.start < part.end)
}

fn class(analysis: &Analysis, kind: Kind, span: Span) -> Option<(SemanticTokenType, u32)> {
    let word = analysis.source().slice(span);
    Some(match kind {
        Kind::Comment => (SemanticTokenType::COMMENT, 0),
        Kind::Doc => (SemanticTokenType::COMMENT, DOCUMENTATION),
        Kind::TextOpen | Kind::TextPiece | Kind::TextClose => (SemanticTokenType::STRING, 0),
        Kind::Number => (SemanticTokenType::NUMBER, 0),
        Kind::Symbol if matches!(word, "," | ":" | ".") => return None,
        Kind::Symbol => (SemanticTokenType::OPERATOR, 0),
        Kind::Word => match analysis.name_at(span.start) {
            Some((place, id)) if place == span => name(analysis.definition(id), place),
            _ if is_keyword(word) => (SemanticTokenType::KEYWORD, 0),
            _ if word == "repeat" => (SemanticTokenType::FUNCTION, LIBRARY),
            _ if matches!(word, "words" | "template") => (SemanticTokenType::KEYWORD, 0),
            _ if word.starts_with(char::is_uppercase) => (SemanticTokenType::TYPE, 0),
            _ => return None,
        },
        Kind::Open | Kind::Close | Kind::Strange => return None,
    })
}

fn name(definition: &Definition, place: Span) -> (SemanticTokenType, u32) {
    let here = definition.home.is_none() && definition.span == place;
    let declaration = if here { DECLARATION } else { 0 };
    let is_library = definition.home.as_ref().is_some_and(|home| home.name.starts_with("std:"));
    let library = if is_library { LIBRARY } else { 0 };
    match definition.kind {
        Named::Param => (SemanticTokenType::PARAMETER, declaration | READONLY),
        Named::Argument => (SemanticTokenType::PARAMETER, declaration),
        Named::Pool => (SemanticTokenType::VARIABLE, declaration | READONLY),
        Named::Value(..) | Named::Inner | Named::Part => (SemanticTokenType::VARIABLE, declaration),
        Named::Function(_) => (SemanticTokenType::FUNCTION, declaration | library),
        Named::Module => (SemanticTokenType::NAMESPACE, library),
        Named::Level => (SemanticTokenType::ENUM_MEMBER, declaration),
        Named::Rule => (SemanticTokenType::PROPERTY, declaration),
    }
}
