//! Lines with a habit of another language whose other symbols may mean something else there, too.

use crate::diagnostic::Diagnostic;
use crate::source::Source;

/// The codes of what other languages write.
const FOREIGN: [&str; 20] = [
    "E119", "E120", "E123", "E124", "E127", "E132", "E133", "E134", "E135", "E137", "E138", "E139",
    "E145", "E148", "E149", "E205", "E211", "E226", "E302", "E310",
];

/// Offers a fix that was sure, where the lines around it hold a symbol that this language shares
/// with others and reads in another way: once the error is gone, nothing would report it.
pub fn offer(source: &Source, errors: &mut [Diagnostic]) {
    for error in errors.iter_mut().filter(|error| error.is_sure && FOREIGN.contains(&error.code)) {
        // A new line above, as `use tokens: last`, is of another statement.
        let here = error.fix.iter().filter(|edit| !edit.text.ends_with('\n'));
        let places = here.map(|edit| edit.span).chain([error.span()]);
        let (from, to) = places
            .fold((usize::MAX, 0), |(from, to), span| (from.min(span.start), to.max(span.end)));
        error.is_sure = !reads_otherwise(lines(&source.text, from, to));
    }
}

/// The lines of some bytes, with those above that they go on from, and those below that go on.
fn lines(text: &str, from: usize, to: usize) -> &str {
    let is_margin = |line: &str| line.starts_with(|letter: char| letter.is_alphanumeric());
    let mut start = text[..from].rfind('\n').map_or(0, |at| at + 1);
    while start > 0 && !is_margin(&text[start..]) {
        start = text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
    }
    let mut end = text[to..].find('\n').map_or(text.len(), |at| to + at + 1);
    while end < text.len() && text[end..].starts_with([' ', '\t', ')', ']', '}']) {
        end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    }
    &text[start..end]
}

/// Is there a symbol outside texts that other languages read otherwise? `/` of two Ints rounds
/// down, `%` has the symbol of its divisor, `a..b` has both its ends, and `//` begins a comment.
fn reads_otherwise(text: &str) -> bool {
    // The range of a parameter has both its ends, whoever writes it.
    let is_param = text.starts_with("param ");
    text.lines().any(|line| {
        let (mut quoted, mut braces) = (false, 0);
        let mut before = '\n';
        for (at, letter) in line.char_indices() {
            let rest = &line[at..];
            match letter {
                '"' if before != '\\' => quoted = !quoted,
                '{' if quoted => braces += 1,
                '}' if quoted && braces > 0 => braces -= 1,
                _ if quoted && braces == 0 => {}
                '/' if rest.starts_with("//") => return is_operand(&rest[2..]) && at > 0,
                '/' | '%' => return true,
                '.' if rest.starts_with("..") && !rest.starts_with("..=") && before != '.' => {
                    if is_param {
                        continue;
                    }
                    let call = line[..at].rfind('(').map_or("", |open| &line[..open]);
                    if !call.ends_with("uniform") {
                        return true;
                    }
                }
                _ => {}
            }
            before = letter;
        }
        false
    })
}

/// Does a comment read as what is divided by: `n // 2`, `len(xs) // k`?
fn is_operand(comment: &str) -> bool {
    let comment = comment.trim();
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"_.()[]+-*,".contains(&byte);
    !comment.is_empty()
        && !comment.starts_with('/')
        && comment.split(' ').all(|word| word.bytes().all(letters))
        && comment.split(' ').filter(|word| word.len() > 1).count() < 2
}
