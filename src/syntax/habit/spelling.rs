//! What is known of an expression by its text alone.

use crate::stdlib;

/// Does a text call a function, which might draw?
pub fn has_call(text: &str) -> bool {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.match_indices('(').any(|(at, _)| text[..at].ends_with(letters))
}

/// Does a text draw? Said twice, it would draw twice.
pub fn has_draw(text: &str) -> bool {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.match_indices('(').any(|(at, _)| {
        let name = text[..at].rsplit(|letter| !letters(letter)).next().unwrap_or("");
        stdlib::draws(name) == Some(true)
    })
}

/// `random()`, `Math.random()`: a fraction from 0 to 1.
pub fn is_fraction(text: &str) -> bool {
    const ALL: [&str; 7] = [
        "random()",
        "rand()",
        "random.random()",
        "Math.random()",
        "np.random.rand()",
        "np.random.random()",
        "rng.random()",
    ];
    ALL.contains(&text)
}
