//! Where a tokenizer cuts every text, whatever else it holds: found by having it take texts apart.
//!
//! Two neighbours have ids of their own if the pre-tokenizer always cuts between them, or if it
//! leaves texts whole and no token of the vocabulary has the two letters side by side. The first
//! holds of pre-tokenizers that go forward: what they do from a cut on depends on nothing before
//! it, and on one character after a piece. Others, which look back, are never trusted.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use serde_json::Value;
use tokenizers::{
    AddedToken, ModelWrapper, OffsetReferential, OffsetType, PreTokenizer, Tokenizer,
};

/// What may come before and after a seam, so that each rule of a pattern has its turn.
const LEFT: [&str; 5] = ["", "a", "77", "x.", "\n"];
const RIGHT: [&str; 7] = ["", "s b", "re", "7", ".", "\n", " a"];

/// How a normalizer treats letters that stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Normal {
    /// Each alone, and a line break is one.
    Alone,
    /// Each of ASCII alone; a line break may become a space.
    Ascii,
    /// It is not known.
    Unknown,
}

/// An added token.
struct Special {
    text: String,
    /// It is found before anything is normalized, wherever it is.
    is_plain: bool,
    /// It takes white space beside it, or looks for a word there.
    looks_around: bool,
}

/// What is known of a tokenizer.
pub struct Cuts {
    /// It is one made of words.
    is_ours: bool,
    /// What a piece is depends on nothing before it.
    goes_forward: bool,
    /// Letters that the patterns name: each may have a rule of its own.
    named: HashSet<char>,
    /// Letters side by side in some token, where texts are left whole.
    joined: Option<HashSet<(char, char)>>,
    /// What a space is in those.
    space: char,
    normal: Normal,
    /// The added tokens.
    added: Vec<Special>,
    asked: Mutex<HashMap<(String, String), bool>>,
}

impl Cuts {
    /// Looks at a tokenizer's parts; `is_ours` if it is one made of words.
    pub fn new(inner: &Tokenizer, is_ours: bool) -> Cuts {
        let json = |part: Option<Value>| part.unwrap_or(Value::Null);
        let normalizer = json(inner.get_normalizer().and_then(|it| serde_json::to_value(it).ok()));
        let splitter = json(inner.get_pre_tokenizer().and_then(|it| serde_json::to_value(it).ok()));
        let normal = normal(&normalizer);
        let space =
            if has_text(&normalizer, "▁") || has_text(&splitter, "▁") { '▁' } else { ' ' };
        let mut named = HashSet::new();
        letters(&splitter, &mut named);
        let special = |token: AddedToken| Special {
            is_plain: !token.normalized || normalizer.is_null(),
            looks_around: token.lstrip || token.rstrip || token.single_word,
            text: token.content,
        };
        let mut added: Vec<Special> =
            inner.get_added_tokens_decoder().into_values().map(special).collect();
        added.sort_by(|one, other| one.text.cmp(&other.text));
        let leaves_whole = leaves_whole(&splitter) && keeps_to_tokens(inner);
        Cuts {
            is_ours,
            goes_forward: (is_ours || goes_forward(&splitter)) && !drops(inner),
            named,
            joined: (leaves_whole && !drops(inner)).then(|| joined(inner)),
            space,
            normal,
            added,
            asked: Mutex::default(),
        }
    }

    /// True if every text that has the end of `left` and the start of `right` side by side is cut
    /// between them.
    pub fn between(&self, inner: &Tokenizer, left: &str, right: &str) -> bool {
        let Some(last) = left.chars().last() else { return false };
        let mut chars = right.chars();
        let Some(first) = chars.next() else { return false };
        let head: Vec<char> = match first {
            ' ' => [' '].into_iter().chain(chars.next()).collect(),
            _ => vec![first],
        };
        let is_beside = |added: &Special| side_by_side(&added.text, last, first);
        if self.added.iter().any(is_beside) || !self.is_ours && self.is_blank(last, right) {
            return false;
        }
        if self.starts(right) || self.ends(left).is_some() {
            return true;
        }
        let is_ascii = last.is_ascii() && head.iter().all(char::is_ascii);
        match self.normal {
            Normal::Alone => {}
            Normal::Ascii if is_ascii => {}
            Normal::Ascii | Normal::Unknown => return false,
        }
        self.never_joins(last, first) || self.goes_forward && self.splits(inner, last, &head)
    }

    /// True if white space is on both sides, or takes up the whole of the right one: in a row it is
    /// often one piece, and which depends on what comes after it.
    fn is_blank(&self, last: char, right: &str) -> bool {
        let mut heads = right.chars();
        let (first, second) = (heads.next(), heads.next());
        first == Some(' ') && second.is_none_or(char::is_whitespace)
            || last.is_whitespace()
                && (right.starts_with(char::is_whitespace) || self.starts(right))
    }

    /// True if texts are left whole, and no token has these letters side by side.
    fn never_joins(&self, last: char, first: char) -> bool {
        let Some(joined) = &self.joined else { return false };
        let is_control = last.is_control() || first.is_control();
        if self.normal != Normal::Alone && is_control {
            return false;
        }
        let put = |letter: char| if letter == ' ' { self.space } else { letter };
        let lower = |letter: char| put(letter).to_ascii_lowercase();
        !joined.contains(&(put(last), put(first))) && !joined.contains(&(lower(last), lower(first)))
    }

    /// True if a text begins with an added token.
    pub fn starts(&self, text: &str) -> bool {
        self.added.iter().any(|added| added.is_plain && text.starts_with(&added.text))
    }

    /// The added token that a text ends with.
    pub fn ends(&self, text: &str) -> Option<&str> {
        let mut ends = self.added.iter().filter(|added| text.ends_with(&added.text));
        ends.find(|added| added.is_plain).map(|added| &*added.text)
    }

    /// True if a text has an added token that looks at what is beside it.
    pub fn looks_around(&self, text: &str) -> bool {
        let mut looks = self.added.iter().filter(|added| added.looks_around || !added.is_plain);
        looks.any(|added| text.contains(&added.text))
    }

    /// True if a word has an added token in it.
    pub fn has_added(&self, word: &str) -> bool {
        let is_word = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
        self.added.iter().any(|added| is_word(&added.text) && word.contains(&added.text))
    }

    fn splits(&self, inner: &Tokenizer, last: char, head: &[char]) -> bool {
        let left = self.stand_in(last).to_string();
        let right: String = head.iter().map(|&letter| self.stand_in(letter)).collect();
        let mut asked = self.asked.lock().expect("nobody panics with it");
        *asked.entry((left, right)).or_insert_with_key(|(left, right)| {
            LEFT.iter().all(|before| {
                RIGHT.iter().all(|after| {
                    let start = format!("{before}{left}");
                    is_split(inner, &format!("{start}{right}{after}"), start.len())
                })
            })
        })
    }

    /// A letter that patterns treat alike.
    fn stand_in(&self, letter: char) -> char {
        match letter {
            _ if self.named.contains(&letter) => letter,
            'a'..='z' => 'a',
            'A'..='Z' => 'A',
            '0'..='9' => '7',
            other => other,
        }
    }
}

/// True if no piece of a text reaches over this place.
fn is_split(inner: &Tokenizer, text: &str, at: usize) -> bool {
    let added = inner.get_added_vocabulary();
    let mut pieces = added.extract_and_normalize(inner.get_normalizer(), text);
    if let Some(splitter) = inner.get_pre_tokenizer()
        && splitter.pre_tokenize(&mut pieces).is_err()
    {
        return false;
    }
    let all = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
    all.iter().all(|(_, (start, end), _)| *end <= at || at <= *start)
}

/// True if tokens are left out at random: then nothing is known.
fn drops(inner: &Tokenizer) -> bool {
    let ModelWrapper::BPE(bpe) = inner.get_model() else { return false };
    bpe.dropout.is_some_and(|rate| rate > 0.0)
}

fn normal(normalizer: &Value) -> Normal {
    let pattern = &normalizer["pattern"];
    match normalizer["type"].as_str() {
        None if normalizer.is_null() => Normal::Alone,
        Some("Sequence") => {
            let all = normalizer["normalizers"].as_array();
            let all = all.into_iter().flatten().map(normal);
            all.max().unwrap_or(Normal::Alone)
        }
        Some("Prepend" | "Lowercase" | "Strip") => Normal::Alone,
        Some(
            "NFC" | "NFD" | "NFKC" | "NFKD" | "StripAccents" | "BertNormalizer" | "Nmt"
            | "Precompiled",
        ) => Normal::Ascii,
        Some("Replace") => {
            let single = pattern["String"].as_str().is_some_and(|it| it.chars().count() == 1);
            // Nothing is said of two spaces side by side anywhere.
            let spaces = pattern["Regex"].as_str() == Some(" {2,}");
            if single || spaces { Normal::Alone } else { Normal::Unknown }
        }
        _ => Normal::Unknown,
    }
}

/// True if a pre-tokenizer cuts at single characters at most, and what is between is one piece.
fn leaves_whole(splitter: &Value) -> bool {
    match splitter["type"].as_str() {
        None => splitter.is_null(),
        Some("Metaspace") => true,
        Some("Split") => splitter["pattern"]["String"].as_str() == Some(" "),
        Some("Sequence") => {
            splitter["pretokenizers"].as_array().is_some_and(|all| all.iter().all(leaves_whole))
        }
        Some(_) => false,
    }
}

fn goes_forward(splitter: &Value) -> bool {
    match splitter["type"].as_str() {
        None => splitter.is_null(),
        Some(
            "ByteLevel" | "Digits" | "Punctuation" | "Whitespace" | "WhitespaceSplit"
            | "BertPreTokenizer" | "CharDelimiterSplit" | "Metaspace",
        ) => true,
        Some("Split") => match splitter["pattern"]["Regex"].as_str() {
            Some(pattern) => {
                let behavior = splitter["behavior"].as_str();
                matches!(behavior, Some("Isolated" | "Removed")) && is_forward(pattern)
            }
            None => splitter["pattern"]["String"].as_str().is_some_and(|it| it.len() == 1),
        },
        Some("Sequence") => {
            splitter["pretokenizers"].as_array().is_some_and(|all| all.iter().all(goes_forward))
        }
        Some(_) => false,
    }
}

/// True if a pattern looks neither back nor further ahead than `(?!\S)`.
fn is_forward(pattern: &str) -> bool {
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        match first {
            '\\' => {
                let escaped = after.chars().next();
                if !in_class
                    && escaped.is_none_or(|it| "bBAzZGKk".contains(it) || it.is_ascii_digit())
                {
                    return false;
                }
                rest = &after[escaped.map_or(0, char::len_utf8)..];
                continue;
            }
            '[' => in_class = true,
            ']' => in_class = false,
            _ if in_class => {}
            '^' | '$' => return false,
            '(' if after.starts_with("?!\\S)") => {}
            '(' if after.starts_with("?!") => return false,
            '(' if after.starts_with("?=") || after.starts_with("?<") => return false,
            _ => {}
        }
        rest = after;
    }
    true
}

/// The letters of the patterns.
fn letters(splitter: &Value, named: &mut HashSet<char>) {
    match splitter {
        Value::Object(fields) => {
            if let Some(Value::String(pattern)) = splitter["pattern"].get("Regex") {
                literal_letters(pattern, named);
            }
            // GPT-2's pattern, which is not in the file.
            if splitter["type"] == "ByteLevel" {
                named.extend("stremvld".chars());
            }
            fields.values().for_each(|value| letters(value, named));
        }
        Value::Array(all) => all.iter().for_each(|value| letters(value, named)),
        _ => {}
    }
}

/// The letters of a pattern that stand for themselves, in both sizes.
fn literal_letters(pattern: &str, named: &mut HashSet<char>) {
    let mut rest = pattern.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => match rest.next() {
                // A class: `\p{Lu}`, `\pL`.
                Some('p' | 'P') => {
                    let is_named = rest.next() == Some('{');
                    let _ = is_named.then(|| rest.by_ref().find(|&letter| letter == '}'));
                }
                Some('x' | 'u' | 'U') => named.extend(('a'..='z').chain('A'..='Z')),
                _ => {}
            },
            letter if letter.is_ascii_alphanumeric() => {
                named.extend([letter.to_ascii_lowercase(), letter.to_ascii_uppercase()]);
            }
            _ => {}
        }
    }
}

fn has_text(part: &Value, text: &str) -> bool {
    match part {
        Value::String(one) => one == text,
        Value::Array(all) => all.iter().any(|one| has_text(one, text)),
        Value::Object(all) => all.values().any(|one| has_text(one, text)),
        _ => false,
    }
}

/// True if the pieces of a text are made of tokens alone, each by its own letters: no token is
/// only a beginning or an end of a word, and none is taken because it is all that there is.
fn keeps_to_tokens(inner: &Tokenizer) -> bool {
    match inner.get_model() {
        ModelWrapper::BPE(bpe) => {
            let affixes = [&bpe.continuing_subword_prefix, &bpe.end_of_word_suffix];
            !bpe.ignore_merges && affixes.iter().all(|it| it.as_deref().is_none_or(str::is_empty))
        }
        // Of two ways to take a text that are equally likely, which one is taken depends on
        // all that comes before.
        ModelWrapper::Unigram(_) => false,
        ModelWrapper::WordPiece(_) | ModelWrapper::WordLevel(_) => false,
    }
}

/// All letters side by side in a token.
fn joined(inner: &Tokenizer) -> HashSet<(char, char)> {
    let mut joined = HashSet::new();
    for token in inner.get_vocab(false).into_keys() {
        joined.extend(token.chars().zip(token.chars().skip(1)));
    }
    joined
}

fn side_by_side(text: &str, first: char, second: char) -> bool {
    let lower = |letter: char| letter.to_lowercase().next().unwrap_or(letter);
    let mut pairs = text.chars().zip(text.chars().skip(1));
    pairs.any(|(one, other)| lower(one) == lower(first) && lower(other) == lower(second))
}
