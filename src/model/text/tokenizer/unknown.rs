//! Letters that a tokenizer does not know: those that it replaces, and those that it leaves out.

use anyhow::Result;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{
    Model, ModelWrapper, OffsetReferential, OffsetType, PreTokenizer, PreTokenizerWrapper,
    Tokenizer,
};

use super::guard;

/// Unknown letters that a message names.
const NAMED: usize = 8;

/// A character that no text has.
const NO_LETTER: &str = "\u{10ffff}";

/// What becomes of letters that a tokenizer does not know.
#[derive(Clone, Debug, Default)]
pub struct Unknown {
    /// They become this token.
    token: Option<(u32, String)>,
    /// They may be left out.
    loses: bool,
}

impl Unknown {
    /// Of a tokenizer.
    pub fn of(inner: &Tokenizer) -> Unknown {
        let named = |token: &str| Some((inner.token_to_id(token)?, token.to_string()));
        let model = inner.get_model();
        let token = match model {
            ModelWrapper::BPE(bpe) => bpe.unk_token.as_deref().and_then(named),
            ModelWrapper::WordPiece(pieces) => named(&pieces.unk_token),
            ModelWrapper::WordLevel(words) => named(&words.unk_token),
            ModelWrapper::Unigram(_) => {
                let tokens = guard(|| model.tokenize(NO_LETTER)).unwrap_or_default();
                let [token] = &tokens[..] else { return Unknown::default() };
                inner.id_to_token(token.id).map(|text| (token.id, text))
            }
        };
        let loses = match model {
            ModelWrapper::BPE(bpe) => bpe.unk_token.is_none() && !has_all_bytes(inner),
            _ => false,
        };
        Unknown { token, loses }
    }

    /// True if a text whose ids these are has letters that the tokenizer does not know.
    pub fn is_in(&self, inner: &Tokenizer, text: &str, ids: &[u32]) -> bool {
        let replaced = self.token.as_ref().is_some_and(|(unknown, name)| {
            let count = ids.iter().filter(|id| *id == unknown).count();
            // The token itself may be written in a text.
            count > 0 && count > text.matches(&**name).count()
        });
        replaced || self.loses && self.first_part(inner, text).map_or(true, |part| part.is_some())
    }

    /// What is to be told of a text with unknown letters.
    pub fn told(&self, inner: &Tokenizer, text: &str) -> String {
        let is_unknown = |text: &str| match guard(|| inner.encode_fast(text, false)) {
            Ok(encoded) => self.is_in(inner, text, encoded.get_ids()),
            Err(_) => true,
        };
        let Ok(Some(part)) = self.first_part(inner, text) else {
            return format!("the tokenizer does not know all of `{text}`");
        };
        let Some(word) = part.split_whitespace().find(|word| is_unknown(word)) else {
            // White space may be what it does not know.
            let mut letters = part.chars().filter(|letter| letter.is_whitespace());
            let letter = letters.find(|letter| is_unknown(&letter.to_string()));
            return match letter {
                Some(letter) => format!("the tokenizer does not know {letter:?}"),
                None => format!("the tokenizer does not know all of `{part}`"),
            };
        };
        let mut unknown: Vec<char> = Vec::new();
        // One of whole words does not know letters at all.
        let is_of_letters = !matches!(inner.get_model(), ModelWrapper::WordLevel(_));
        for letter in word.chars().filter(|_| is_of_letters) {
            if !unknown.contains(&letter) && is_unknown(&letter.to_string()) {
                unknown.push(letter);
            }
        }
        let named: Vec<String> =
            unknown.iter().take(NAMED).map(|letter| format!("`{letter}`")).collect();
        match &named[..] {
            [] => format!("the tokenizer does not know `{word}`"),
            named => format!("the tokenizer does not know {} in `{word}`", named.join(", ")),
        }
    }

    /// The first part of a text that has letters which are not known: what added tokens hold is.
    fn first_part<'t>(&self, inner: &Tokenizer, text: &'t str) -> Result<Option<&'t str>> {
        let added = inner.get_added_vocabulary();
        let mut pieces = added.extract_and_normalize(inner.get_normalizer(), text);
        if let Some(splitter) = inner.get_pre_tokenizer() {
            guard(|| splitter.pre_tokenize(&mut pieces))?;
        }
        for (piece, (start, end), tokens) in
            pieces.get_splits(OffsetReferential::Original, OffsetType::Byte)
        {
            if tokens.is_some() {
                continue;
            }
            let tokens = guard(|| inner.get_model().tokenize(piece)).unwrap_or_default();
            let unknown = self.token.as_ref().map(|(id, _)| *id);
            // What is left out is not counted either.
            let read = tokens.last().map_or(0, |token| token.offsets.1);
            if tokens.iter().any(|token| Some(token.id) == unknown) || read < piece.len() {
                return Ok(Some(text.get(start..end).unwrap_or(text)));
            }
        }
        Ok(None)
    }
}

/// True if every byte has a token, so that every letter is known.
fn has_all_bytes(inner: &Tokenizer) -> bool {
    let model = inner.get_model();
    let ModelWrapper::BPE(bpe) = model else { return false };
    let has = |token: &str| model.token_to_id(token).is_some();
    if bpe.byte_fallback && (0..=255).all(|byte: u8| has(&format!("<{byte:#04X}>"))) {
        return true;
    }
    inner.get_pre_tokenizer().is_some_and(writes_bytes)
        && ByteLevel::alphabet().iter().all(|letter| has(letter.encode_utf8(&mut [0; 4])))
}

/// True if a pre-tokenizer makes letters of bytes.
fn writes_bytes(splitter: &PreTokenizerWrapper) -> bool {
    match splitter {
        PreTokenizerWrapper::ByteLevel(_) => true,
        PreTokenizerWrapper::Sequence(all) => all.as_ref().iter().any(writes_bytes),
        _ => false,
    }
}
