//! Text to token ids and back: a model's own tokenizer, or one made of words.
//!
//! A tokenizer of words has one id per word, wherever the word is. It reads text as runs of
//! letters, digits and underscores (words) and single other characters (space, newline,
//! punctuation); one space between two words is left out, and put back when ids become text. So
//! `Document: a b` is `Document` `:` ` ` `a` `b`, and every text of known pieces comes back as it
//! was. The file is an ordinary `tokenizer.json`.

mod cuts;
mod patterns;
mod unknown;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Map, Value, json};
use tokenizers::{Model, ModelWrapper, OffsetType, PreTokenizer};

use self::cuts::Cuts;
use self::unknown::Unknown;
use crate::model::files;
use crate::model::text::beside::{self, Beside};
use crate::model::text::guard::guard;
use crate::model::text::special::{EOS, add, eos, named, special};

const PAD: &str = "<pad>";
const UNKNOWN: &str = "<unk>";

/// Marks the two ends of a word while ids become text; no text has these characters.
const WORD_START: &str = "\u{2}";
const WORD_END: &str = "\u{3}";

/// A tokenizer, and the ids that end and fill a sequence.
#[derive(Clone)]
pub struct Tokenizer {
    inner: Arc<tokenizers::Tokenizer>,
    eos: u32,
    ends: Vec<u32>,
    opening: Vec<u32>,
    pad: u32,
    unknown: Option<u32>,
    /// What becomes of letters that it does not know.
    unknown_letters: Unknown,
    /// Where it cuts texts; found out when it is first asked for.
    cuts: Arc<OnceLock<Cuts>>,
    /// What the files beside it say, kept for writing them back.
    beside: Beside,
}

impl Tokenizer {
    /// A tokenizer of words with `<pad>` = 0, `<eos>` = 1 and `<unk>` = 2. A text of several
    /// words counts as each of its pieces, so a layout's literals may be passed as they are; space,
    /// newline and ASCII punctuation are always there. Ids follow the order of first mention.
    ///
    /// # Errors
    /// If the `tokenizers` library rejects the words.
    pub fn words(words: &[String]) -> Result<Tokenizer> {
        let mut pieces: Vec<String> = [PAD, EOS, UNKNOWN, "\n"].map(String::from).into();
        pieces.extend((b' '..=b'~').map(char::from).filter(|c| !is_word(*c)).map(String::from));
        let mut seen: BTreeSet<String> = pieces.iter().cloned().collect();
        for piece in words.iter().flat_map(|text| split(text)) {
            if seen.insert(piece.to_string()) {
                pieces.push(piece.to_string());
            }
        }
        let text = serde_json::to_vec(&word_level(&pieces))?;
        Tokenizer::from_parts(&text, Map::new())
    }

    /// Reads a folder's `tokenizer.json`, and the names of the special tokens from the files
    /// beside it.
    pub(crate) fn of_folder(folder: &Path) -> Result<Tokenizer> {
        let path = folder.join("tokenizer.json");
        let bytes = files::bytes_of(&path, files::TOKENIZER_MAX)?;
        let beside = Beside::read(folder)?;
        Tokenizer::built(&bytes, beside).with_context(|| format!("in {}", path.display()))
    }

    /// Writes `tokenizer.json` and `tokenizer_config.json`, and what the model's other files say of
    /// chats and ends: `chat_template.jinja`, `generation_config.json` and the like.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let text = self.inner.to_string(true).map_err(|error| anyhow!("{error}"))?;
        files::write_text(&folder.join("tokenizer.json"), &(text + "\n"))?;
        let text = serde_json::to_string_pretty(&self.settings())? + "\n";
        files::write_text(&folder.join("tokenizer_config.json"), &text)?;
        for (name, text) in &self.beside.kept {
            files::write_text(&folder.join(name), text)?;
        }
        let says = self.beside.kept.iter().any(|(name, _)| name == beside::GENERATION);
        if self.ends.len() > 1 && !says {
            let text = serde_json::to_string_pretty(&json!({ "eos_token_id": self.ends }))? + "\n";
            files::write_text(&folder.join(beside::GENERATION), &text)?;
        }
        Ok(())
    }

    /// The ids of a text, without those that the model's files put around it: see
    /// [`Tokenizer::opening`].
    ///
    /// # Errors
    /// If the text has a word that a tokenizer of words does not know, or the library fails.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoded = guard(|| self.inner.encode_fast(text, false))?;
        self.words_only(text, encoded.get_ids().to_vec())
    }

    /// The ids of a text with all that the model's files put around a text.
    ///
    /// # Errors
    /// Those of [`Tokenizer::encode`].
    pub fn encode_framed(&self, text: &str) -> Result<Vec<u32>> {
        let encoded = guard(|| self.inner.encode_fast(text, true))?;
        self.words_only(text, encoded.get_ids().to_vec())
    }

    /// The id that stands before a text which follows nothing: the files' `bos_token`, or else what
    /// ends a text.
    pub fn begin(&self) -> u32 {
        let name = named(&self.beside.settings, "bos_token");
        name.and_then(|name| self.id(name)).unwrap_or(self.eos)
    }

    /// The ids of a text; fails with a word that a tokenizer of words does not know.
    fn words_only(&self, text: &str, ids: Vec<u32>) -> Result<Vec<u32>> {
        if self.unknown.is_some_and(|unknown| ids.contains(&unknown)) {
            let word = split(text).find(|piece| self.inner.token_to_id(piece).is_none());
            let word = word.unwrap_or(text);
            return Err(anyhow!("`{word}` is not among the tokenizer's words"));
        }
        Ok(ids)
    }

    /// The ids of a text to be trained on, as [`Tokenizer::encode`] returns them: all of its
    /// letters must be known.
    ///
    /// # Errors
    /// If the text has a letter or a word that the tokenizer does not know.
    pub fn encode_known(&self, text: &str) -> Result<Vec<u32>> {
        self.known(text, self.encode(text))
    }

    /// The same, and how many of the ids hold nothing that lies after the text's first `at` bytes.
    /// The ids of those bytes alone may be fewer: a normalizer may strip white space at a text's
    /// end that is in the middle here.
    ///
    /// # Errors
    /// If the text has a letter or a word that the tokenizer does not know.
    pub fn encode_known_to(&self, text: &str, at: usize) -> Result<(Vec<u32>, usize)> {
        let inner = &self.inner;
        // Without the post-processor, which may trim the offsets of ids.
        let encoded = guard(|| {
            let added = inner.get_added_vocabulary();
            let mut pieces = added.extract_and_normalize(inner.get_normalizer(), text);
            if let Some(splitter) = inner.get_pre_tokenizer() {
                splitter.pre_tokenize(&mut pieces)?;
            }
            pieces.tokenize(|piece| inner.get_model().tokenize(piece.get()))?;
            pieces.into_encoding(None, 0, OffsetType::Byte)
        });
        let ids = match &encoded {
            Ok(encoded) => self.words_only(text, encoded.get_ids().to_vec()),
            Err(error) => Err(anyhow!("{error:#}")),
        };
        let ids = self.known(text, ids)?;
        let ends = encoded.iter().flat_map(|encoded| encoded.get_offsets()).map(|(_, end)| *end);
        Ok((ids, ends.take_while(|end| *end <= at).count()))
    }

    /// Ids of a text that has no letter that is not known.
    fn known(&self, text: &str, ids: Result<Vec<u32>>) -> Result<Vec<u32>> {
        let told = || anyhow!("{}", self.unknown_letters.told(&self.inner, text));
        let ids = match ids {
            // A tokenizer may return nothing for what it does not know.
            Err(_) if self.unknown.is_none() => return Err(told()),
            ids => ids?,
        };
        match self.unknown_letters.is_in(&self.inner, text, &ids) {
            true => Err(told()),
            false => Ok(ids),
        }
    }

    /// Whether a text is known if each of its letters is: tokens are made of known letters, and
    /// none is known in the middle or at the end of a word only.
    pub fn knows_by_letters(&self) -> bool {
        match self.inner.get_model() {
            ModelWrapper::BPE(bpe) => {
                bpe.continuing_subword_prefix.is_none() && bpe.end_of_word_suffix.is_none()
            }
            ModelWrapper::Unigram(_) => true,
            ModelWrapper::WordPiece(_) | ModelWrapper::WordLevel(_) => false,
        }
    }

    /// Where it cuts every text.
    pub fn cuts_between(&self, left: &str, right: &str) -> bool {
        self.cuts().between(&self.inner, left, right)
    }

    /// True if a text begins with an added token, and the one that it ends with.
    pub fn added_at_ends(&self, text: &str) -> (bool, Option<&str>) {
        (self.cuts().starts(text), self.cuts().ends(text))
    }

    /// True if a text has an added token that takes white space beside it, or looks for a word
    /// there.
    pub fn looks_around(&self, text: &str) -> bool {
        self.cuts().looks_around(text)
    }

    /// True if a word has an added token in it.
    pub fn has_added(&self, word: &str) -> bool {
        self.cuts().has_added(word)
    }

    fn cuts(&self) -> &Cuts {
        self.cuts.get_or_init(|| Cuts::new(&self.inner, self.is_of_words()))
    }

    /// True if it is one that [`Tokenizer::words`] made.
    pub fn is_of_words(&self) -> bool {
        let splitter = serde_json::to_value(self.inner.get_pre_tokenizer()).ok();
        let is_words = matches!(self.inner.get_model(), ModelWrapper::WordLevel(_));
        is_words
            && splitter.as_ref()
                == word_level(&[PAD, EOS, UNKNOWN].map(String::from)).get("pre_tokenizer")
    }

    /// The text of ids; special tokens have none.
    ///
    /// # Errors
    /// If the library fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        guard(|| self.inner.decode(ids, true))
    }

    /// Number of ids, special tokens included.
    pub fn vocab_size(&self) -> usize {
        // Ids may have gaps, and a model's table must reach the last one.
        let ids = self.inner.get_vocab(true).into_values();
        ids.max().map_or(0, |id| id as usize + 1)
    }

    /// The id that ends a reply in training.
    pub fn eos(&self) -> u32 {
        self.eos
    }

    /// All ids that end a reply: the model's files may name several.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// The same with more ids that end a reply, also in the `generation_config.json` that goes
    /// along: what generates from it would not stop at them.
    ///
    /// # Errors
    /// If the `generation_config.json` that goes along is not a JSON object.
    pub fn ended_by(mut self, ids: &[u32]) -> Result<Tokenizer> {
        for id in ids {
            if !self.ends.contains(id) {
                self.ends.push(*id);
            }
        }
        self.beside.name_ends(ids, &self.ends)?;
        Ok(self)
    }

    /// The ids that every text begins with, in general one or none: what the tokenizer's own
    /// post-processor puts there.
    pub fn opening(&self) -> &[u32] {
        &self.opening
    }

    /// Fails if a text may have an id that a model of `vocab_size` ids does not know.
    ///
    /// # Errors
    /// If the largest id is beyond the model's table.
    pub fn expect_within(&self, vocab_size: usize) -> Result<()> {
        // Tokens that were added later may lie beyond: some models were never trained on theirs.
        let own = self.inner.get_vocab(false).into_values().max().unwrap_or(0);
        let most = [own, self.eos].iter().chain(&self.opening).copied().max().unwrap_or(own);
        ensure!(
            (most as usize) < vocab_size,
            "the tokenizer's ids go up to {most}, and the model's vocab_size is {vocab_size}"
        );
        Ok(())
    }

    /// The id that pads a row.
    pub fn pad(&self) -> u32 {
        self.pad
    }

    /// The id of a token, by its exact text.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The text of a token, exactly.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Whether a token is found in a text before anything else is done to it.
    pub fn is_added(&self, id: u32) -> bool {
        self.inner.get_added_vocabulary().get_added_tokens_decoder().contains_key(&id)
    }

    /// The text of the default chat template.
    ///
    /// # Errors
    /// Where there are several, and none of them is the default one.
    pub fn chat_template(&self) -> Result<Option<String>> {
        self.beside.chat_template()
    }

    /// Names and texts of all chat templates.
    pub fn chat_templates(&self) -> Vec<(String, String)> {
        self.beside.chat_templates()
    }

    /// Texts that the files name as special tokens, and that are none.
    pub fn absent(&self) -> Vec<&str> {
        let texts = special(&self.beside.settings).into_iter();
        texts.filter(|text| !text.is_empty() && self.id(text).is_none()).collect()
    }

    /// The settings as the files have them, special tokens by their names.
    pub fn named(&self) -> &Map<String, Value> {
        &self.beside.settings
    }

    /// From the bytes of a `tokenizer.json`, and what a `tokenizer_config.json` says.
    pub(crate) fn from_parts(bytes: &[u8], settings: Map<String, Value>) -> Result<Tokenizer> {
        Tokenizer::built(bytes, Beside { settings, ..Beside::default() })
    }

    /// From the bytes of a `tokenizer.json`, and what the files beside it say.
    pub(crate) fn built(bytes: &[u8], mut beside: Beside) -> Result<Tokenizer> {
        let mut inner = guard(|| tokenizers::Tokenizer::from_bytes(bytes))?;
        // Neither is ours to apply: batches are padded here, and no text is cut unasked.
        inner.with_padding(None);
        guard(|| inner.with_truncation(None).map(|_| ()))?;
        patterns::settle(&mut inner)?;
        add(&mut inner, &beside)?;
        let eos = eos(&inner, &beside)?;
        let named = named(&beside.settings, "pad_token").into_iter().chain([PAD]);
        let pad = named.filter_map(|name| inner.token_to_id(name)).next().unwrap_or(eos);
        if !beside.settings.contains_key("eos_token") {
            let text = inner.id_to_token(eos);
            beside.settings.insert("eos_token".into(), json!(text));
        }
        let words = matches!(inner.get_model(), ModelWrapper::WordLevel(_));
        let unknown = inner.token_to_id(UNKNOWN).filter(|_| words);
        let opening = opening(&inner)?;
        let mut ends = vec![eos];
        ends.extend(beside.ends.iter().filter(|end| **end != eos));
        let unknown_letters = Unknown::of(&inner);
        let (inner, cuts) = (Arc::new(inner), Arc::default());
        Ok(Tokenizer { inner, eos, ends, opening, pad, unknown, unknown_letters, cuts, beside })
    }

    /// The `tokenizer.json`.
    pub(crate) fn to_json(&self) -> Result<Value> {
        let text = self.inner.to_string(false).map_err(|error| anyhow!("{error}"))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The `tokenizer_config.json`: the names of the special tokens, the chat template.
    pub(crate) fn settings(&self) -> Map<String, Value> {
        let mut settings = self.beside.settings.clone();
        for (key, value) in [
            // What this is: another class would have another pre-tokenizer.
            ("tokenizer_class", json!("PreTrainedTokenizerFast")),
            ("eos_token", json!(self.inner.id_to_token(self.eos))),
            ("pad_token", json!(self.inner.id_to_token(self.pad))),
            ("clean_up_tokenization_spaces", json!(false)),
        ] {
            settings.insert(key.into(), value);
        }
        settings
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokenizer of {} ids", self.vocab_size())
    }
}

/// What the post-processor puts before any text.
fn opening(inner: &tokenizers::Tokenizer) -> Result<Vec<u32>> {
    let ids = |special: bool| -> Result<Vec<u32>> {
        Ok(guard(|| inner.encode_fast("a", special))?.get_ids().to_vec())
    };
    let (whole, bare) = (ids(true)?, ids(false)?);
    let at = (0..whole.len()).find(|at| whole[*at..].starts_with(&bare));
    Ok(whole[..at.unwrap_or(0)].to_vec())
}

/// The words and single characters of a text, as a tokenizer of words sees them, spaces included.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = match is_word(first) {
            true => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The `tokenizer.json` of those pieces.
fn word_level(pieces: &[String]) -> Value {
    let vocab: serde_json::Map<String, Value> =
        pieces.iter().enumerate().map(|(id, piece)| (piece.clone(), json!(id))).collect();
    let special = |id: usize| {
        json!({
            "id": id, "content": pieces[id], "special": true, "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false,
        })
    };
    let split = |pattern: &str, behavior: &str| {
        json!({
            "type": "Split", "pattern": { "Regex": pattern },
            "behavior": behavior, "invert": false,
        })
    };
    let replace = |pattern: Value, content: &str| {
        json!({
            "type": "Replace", "pattern": pattern, "content": content,
        })
    };
    let word = r"[\p{Alphabetic}\p{N}_]";
    let inner_space = format!("(?<={word}) (?={word})");
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [special(0), special(1), special(2)],
        "normalizer": null,
        "pre_tokenizer": { "type": "Sequence", "pretokenizers": [
            split(&inner_space, "Removed"),
            split(&format!("{word}+|[^\\p{{Alphabetic}}\\p{{N}}_]"), "Isolated"),
        ]},
        "post_processor": null,
        "decoder": { "type": "Sequence", "decoders": [
            replace(json!({ "Regex": format!("^(?={word})") }), WORD_START),
            replace(json!({ "Regex": format!("(?<={word})$") }), WORD_END),
            { "type": "Fuse" },
            replace(json!({ "String": format!("{WORD_END}{WORD_START}") }), " "),
            replace(json!({ "Regex": format!("[{WORD_START}{WORD_END}]") }), ""),
        ]},
        "model": { "type": "WordLevel", "vocab": vocab, "unk_token": UNKNOWN },
    })
}
