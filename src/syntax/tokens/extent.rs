//! How far what other languages write in a text reaches: tags of Jinja, texts of YAML, formats.

use crate::source::Source;

/// Is this a letter that no file may hold, not even in a text or a comment? Those that turn text
/// around make it look like another.
pub fn is_hidden(letter: char) -> bool {
    turns_text(letter) || (letter.is_control() && !matches!(letter, '\n' | '\t'))
}

/// Does it turn the direction of the text after it?
pub fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// No tag of Jinja is longer.
const TAG_MAX: usize = 400;

/// The bytes of a comment, a tag or a block of Jinja that the text begins with.
pub fn jinja(text: &str) -> Option<usize> {
    if let Some(inside) = text.strip_prefix("{#") {
        return Some(inside.find("#}").map_or(2, |end| end + 4));
    }
    let (inside, length) = tag(text)?;
    let word = inside.split_once(' ').map_or(inside, |(word, _)| word);
    let block = match word {
        "for" => body(&text[length..], word, "endfor"),
        "if" => body(&text[length..], word, "endif"),
        _ => None,
    };
    Some(block.map_or(length, |(_, rest)| length + rest))
}

/// The text in `{% … %}`, and the bytes of the complete tag.
pub fn tag(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix("{%")?;
    let near = &inside[..inside.floor_char_boundary(TAG_MAX.min(inside.len()))];
    let end = near.find("%}")?;
    (!inside[..end].contains('\n')).then(|| (inside[..end].trim_matches(['-', '+', ' ']), end + 4))
}

/// The text before the tag that ends a block, and the bytes up to the end of that tag.
pub fn body<'t>(text: &'t str, word: &str, end: &str) -> Option<(&'t str, usize)> {
    let (mut at, mut depth) = (0, 0);
    while let Some(found) = text[at..].find("{%") {
        let place = at + found;
        let (inside, length) = tag(&text[place..])?;
        let first = inside.split(' ').next().unwrap_or("");
        if first == word {
            depth += 1;
        } else if first == end && depth == 0 {
            return Some((&text[..place], place + length));
        } else if first == end {
            depth -= 1;
        }
        at = place + length;
    }
    None
}

/// `prompt: |` and the indented lines below it.
pub struct Yaml<'t> {
    /// The rest of the word's line.
    pub head: &'t str,
    /// `|`, `>` or nothing, after the colon.
    pub mark: &'t str,
    /// The lines below.
    pub text: &'t str,
    /// The least space that they begin with.
    pub margin: &'t str,
    /// The bytes of all of it.
    pub length: usize,
}

/// A text as YAML writes it, after the word that ends there.
pub fn yaml(source: &Source, word_end: usize) -> Option<Yaml<'_>> {
    let rest = &source.text[word_end..];
    let (head, below) = rest.split_once('\n')?;
    let mark = head.trim().strip_prefix(':')?.trim_start();
    let is_mark =
        |mark: &str| matches!(mark.trim_end_matches(['+', '-']), "|" | ">") && mark.len() <= 2;
    let next = below.lines().next().unwrap_or("");
    let is_plain = mark.is_empty()
        && next.starts_with([' ', '\t'])
        && next.trim().starts_with(|first: char| first.is_alphanumeric() || first == '{');
    if !is_mark(mark) && !is_plain {
        return None;
    }
    let mut length = 0;
    let mut end = 0;
    let mut margin: Option<&str> = None;
    for line in below.split_inclusive('\n') {
        let text = line.trim();
        let space = &line[..line.len() - line.trim_start().len()];
        if !text.is_empty() {
            if space.is_empty() {
                break;
            }
            margin = Some(margin.filter(|known| known.len() <= space.len()).unwrap_or(space));
            end = length + line.trim_end().len();
        }
        length += line.len();
    }
    let margin = margin?;
    Some(Yaml { head, mark, text: &below[..end], margin, length: head.len() + 1 + end })
}

/// The bytes of `:.2f` in a placeholder that opens before its colon.
pub fn format(source: &Source, open: usize, colon: usize) -> Option<usize> {
    let rest = &source.text[colon..];
    let end = rest.bytes().take(14).position(|byte| byte == b'}')?;
    let spec = &rest[1..end];
    let is_spec = !spec.is_empty()
        && !spec.contains(|letter: char| letter.is_whitespace() || "{\"'()".contains(letter))
        && !spec.starts_with(|letter: char| letter.is_ascii_lowercase());
    let before = &source.text[open + 1..colon];
    let in_loop = before.contains(" in ");
    (is_spec && !in_loop && !before.contains('\n')).then_some(1 + spec.len())
}

/// The bytes of a text between three quotes of other languages that this text begins with.
pub fn triple(text: &str) -> Option<usize> {
    let quotes = ["'''", "```"].into_iter().find(|quotes| text.starts_with(quotes))?;
    Some(text[3..].find(quotes)? + 6)
}
