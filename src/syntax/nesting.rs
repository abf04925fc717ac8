//! How deep a text nests, counted before it is parsed, so that no input exhausts the stack.

use super::tokens::{DEPTH_MAX, Kind, STATEMENT_WORDS, Token};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// The most operators of one expression: every later stage can walk the tree that they make.
pub const OPERATORS_MAX: usize = 256;

/// What the tree grows by between one bracket and the next.
#[derive(Clone, Copy, Default)]
struct Frame {
    prefixes: usize,
    operators: usize,
    folds: bool,
}

/// The first place where these tokens nest deeper than the limits.
pub fn too_deep(source: &Source, tokens: &[Token]) -> Option<Diagnostic> {
    let mut frames = vec![Frame::default()];
    let (mut prefixes, mut operators) = (0, 0);
    for (at, token) in tokens.iter().enumerate() {
        let depth = frames.len() - 1;
        let frame = frames.last_mut().expect("the outermost frame stays");
        let text = source.slice(token.span);
        let closes = token.kind == Kind::Close && depth > 0;
        if closes || begins_anew(source, tokens, at) || (text == "," && !frame.folds) {
            prefixes -= frame.prefixes;
            operators -= frame.operators;
            *frame = Frame::default();
        }
        match token.kind {
            Kind::Open => frames.push(Frame::default()),
            Kind::Close if closes => _ = frames.pop(),
            Kind::Word if is_prefix(text) => {
                frame.folds |= text == "fold";
                frame.prefixes += 1;
                prefixes += 1;
            }
            Kind::Sign | Kind::Word if is_operator(text) => {
                frame.operators += 1;
                operators += 1;
            }
            _ => {}
        }
        if frames.len() - 1 + prefixes > DEPTH_MAX {
            return Some(nested_too_deep(token.span));
        }
        if operators > OPERATORS_MAX {
            return Some(too_many_operators(token.span));
        }
    }
    None
}

/// Does a statement begin here? Then nothing before holds what follows. A name before `=` that
/// stands after one of these signs is set in a fold, a level or a call.
fn begins_anew(source: &Source, tokens: &[Token], at: usize) -> bool {
    let text = |at: usize| tokens.get(at).map(|token| source.slice(token.span));
    let word = source.slice(tokens[at].span);
    let before = at.checked_sub(1).and_then(text);
    let announces = word != "words" && STATEMENT_WORDS.contains(&word);
    let is_bound = matches!(text(at + 1), Some("~" | "="))
        && !matches!(before, Some("fold" | "," | ":" | "("));
    tokens[at].kind == Kind::Word && (announces || is_bound)
}

fn is_prefix(word: &str) -> bool {
    matches!(word, "if" | "all" | "any" | "count" | "for" | "fold" | "not")
}

fn is_operator(sign: &str) -> bool {
    !matches!(sign, "," | ":" | "." | "=" | "~")
        && (matches!(sign, "and" | "or" | "in" | "within")
            || sign.bytes().all(|byte| byte.is_ascii_punctuation()))
}

fn nested_too_deep(place: Span) -> Diagnostic {
    let title = format!("nested more than {DEPTH_MAX} deep");
    Diagnostic::error("E117", title, place, "one level too many")
        .help("compute a part before, on a line of its own: `name = …`")
}

fn too_many_operators(place: Span) -> Diagnostic {
    let title = format!("more than {OPERATORS_MAX} operators in one expression");
    Diagnostic::error("E117", title, place, "one operator too many")
        .help("compute a part before, on a line of its own: `name = …`")
}
