//! Comments that are divisors elsewhere: `n // 2` is `n` here, and nothing would report it.

use super::tokens::{self, Kind};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// A lint for each comment after a value that reads as what the value is divided by.
pub fn lints(source: &Source) -> Vec<Diagnostic> {
    let (tokens, _) = tokens::scan(source, tokens::start(source));
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    let divides = pairs.filter(|(value, comment)| {
        let between = &source.text[value.span.end..comment.span.start];
        let ends_value = match value.kind {
            Kind::Word => !tokens::is_keyword(source.slice(value.span)),
            Kind::Number | Kind::Close => true,
            _ => false,
        };
        comment.kind == Kind::Comment
            && ends_value
            && !between.contains('\n')
            && is_divisor(source.slice(comment.span).trim_start_matches('/'))
    });
    divides.map(|(value, comment)| lint(source, value.span, comment.span)).collect()
}

/// The symbol `//` and the divisor after it, if that is what follows on the line: `len(xs) // 2`.
pub fn after(source: &Source, end: usize) -> Option<(Span, String)> {
    let line = source.text[end..].lines().next().unwrap_or("");
    let rest = line.trim_start();
    let divisor = rest.strip_prefix("//").filter(|divisor| is_divisor(divisor))?;
    let start = end + line.len() - rest.len();
    Some((Span::new(start, start + 2), divisor.trim().to_string()))
}

/// `2`, `size(xs)`, `(a + b)`, `2 + 1`: no words side by side, and a number or a call in it.
fn is_divisor(comment: &str) -> bool {
    let comment = comment.trim();
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "_.()[]+-*/%, ".contains(letter);
    let words = comment.split([' ', '(', ')', '[', ']', ',']).filter(|word| !word.is_empty());
    let is_word = |word: &&str| word.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let begins = comment.starts_with(|letter: char| letter.is_ascii_digit() || letter == '(')
        || comment.contains('(');
    begins && comment.chars().all(letters) && words.filter(is_word).count() < 3
}

fn lint(source: &Source, value: Span, comment: Span) -> Diagnostic {
    let symbol = Span::new(comment.start, comment.start + 2);
    let divisor = source.slice(Span::new(symbol.end, comment.end)).trim();
    let line = source.text[..value.end].rsplit('\n').next().unwrap_or("");
    let before = line.rsplit(['=', '~', ':']).next().unwrap_or(line).trim();
    Diagnostic::lint("L608", "`//` begins a comment", symbol, "no division")
        .help(format!("write `{before} / {divisor}`: `/` of two Ints rounds down"))
        .fix(symbol, "/")
}
