//! A context and what follows it as token ids, as lm-evaluation-harness 0.4.13 encodes them.

use super::Item;
use crate::model::Tokenizer;
use crate::model::infer::likelihood::Request;

/// What makes ids of texts for a model.
pub struct Encoder<'a> {
    tokenizer: &'a Tokenizer,
    /// What stands before a text that follows nothing, and its text.
    begin: u32,
    begin_text: String,
    /// The most tokens that the model reads.
    tokens_max: usize,
}

/// A choice as ids.
pub struct Encoded {
    /// The ids, and how many of them are scored.
    pub request: Request,
    /// Whether ids were left out at the beginning, since there were too many.
    pub is_cut: bool,
    /// Whether context and continuation share a token: the context alone has other ids.
    pub is_merged: bool,
}

impl<'a> Encoder<'a> {
    /// For a model of that tokenizer that reads up to that number of tokens.
    pub fn new(tokenizer: &'a Tokenizer, tokens_max: usize) -> Encoder<'a> {
        let begin = tokenizer.begin();
        let begin_text = tokenizer.token(begin).unwrap_or_default();
        Encoder { tokenizer, begin, begin_text, tokens_max }
    }

    /// The choices of an item after a text, which are separated from their context by another.
    pub fn choices(
        &self,
        before: &str,
        delimiter: &str,
        item: &Item,
    ) -> Result<Vec<Encoded>, String> {
        // Choices follow the same context, as a rule: it is encoded once.
        let mut last: Option<(String, Vec<u32>)> = None;
        let mut choices = Vec::new();
        for (at, (context, continuation)) in item.pairs().enumerate() {
            let context = [before, context].concat();
            let continuation = [delimiter, continuation].concat();
            let known = last.take().filter(|(text, _)| *text == context);
            let ids = match known {
                Some((_, ids)) => ids,
                None => self.framed(without_end(&context))?,
            };
            let choice = self.pair(&context, &ids, &continuation);
            choices.push(choice.map_err(|why| format!("choice {}: {why}", at + 1))?);
            last = Some((context, ids));
        }
        Ok(choices)
    }

    /// A context alone, to be continued by that many tokens; true if it was cut.
    pub fn prompt(&self, context: &str, room: usize) -> Result<(Vec<u32>, bool), String> {
        let mut ids = self.framed(context)?;
        if ids.is_empty() {
            ids.push(self.begin);
        }
        let most = self.tokens_max.saturating_sub(room);
        if most == 0 {
            return Err(format!(
                "a reply may take {room} tokens, and the model reads {}: write a smaller \
                 `max_gen_toks`",
                self.tokens_max
            ));
        }
        let over = ids.len().saturating_sub(most);
        ids.drain(..over);
        Ok((ids, over > 0))
    }

    /// A context, whose ids without its last white space are given, and what follows it. White
    /// space that ends a context is the beginning of what follows: tokens begin with spaces.
    fn pair(&self, context: &str, ids: &[u32], continuation: &str) -> Result<Encoded, String> {
        let start = without_end(context).len();
        let moved = [&context[start..], continuation].concat();
        let (mut whole, mut first) = match ids.is_empty() {
            true => {
                let mut whole = self.tokenizer.encode(&moved).map_err(|error| error.to_string())?;
                if whole.first() != Some(&self.begin) {
                    whole.insert(0, self.begin);
                }
                (whole, 1)
            }
            false => (self.framed(&[&context[..start], &moved].concat())?, ids.len()),
        };
        let is_merged = !ids.is_empty() && !whole.starts_with(ids);
        if whole.len() <= first {
            return Err("none of its tokens is left, since they merge with those of the context"
                .to_string());
        }
        let over = whole.len().saturating_sub(self.tokens_max + 1);
        if over >= first {
            return Err(format!(
                "it has {} tokens, and the model reads {}",
                whole.len() - first,
                self.tokens_max
            ));
        }
        whole.drain(..over);
        first -= over;
        let request = Request { scored: whole.len() - first, ids: whole };
        Ok(Encoded { request, is_cut: over > 0, is_merged })
    }

    /// The ids of a text with what the tokenizer puts around it, unless the text itself begins
    /// with what begins texts.
    fn framed(&self, text: &str) -> Result<Vec<u32>, String> {
        let has_begin = !self.begin_text.is_empty() && text.starts_with(&self.begin_text);
        let ids = match has_begin {
            true => self.tokenizer.encode(text),
            false if text.is_empty() => Ok(Vec::new()),
            false => self.tokenizer.encode_framed(text),
        };
        ids.map_err(|error| error.to_string())
    }
}

/// A text without what Python's `rstrip` takes from its end.
fn without_end(text: &str) -> &str {
    text.trim_end_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::Gold;
    use serde_json::json;

    /// A tokenizer of pairs: `a`, `b`, a space, ` a`, ` b`, `ab`; with a begin, if asked for.
    fn tokenizer(has_begin: bool) -> Tokenizer {
        let pieces = ["<s>", "</s>", "a", "b", " ", " a", " b", "ab"];
        let vocab: serde_json::Map<String, serde_json::Value> =
            pieces.iter().enumerate().map(|(id, piece)| (piece.to_string(), json!(id))).collect();
        let special = |id: usize| {
            json!({"id": id, "content": pieces[id], "special": true, "single_word": false,
                   "lstrip": false, "rstrip": false, "normalized": false})
        };
        let begin = json!({
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                       {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                     {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}},
        });
        let file = json!({
            "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
            "pre_tokenizer": null, "decoder": null, "added_tokens": [special(0), special(1)],
            "post_processor": if has_begin { begin } else { json!(null) },
            "model": {"type": "BPE", "vocab": vocab, "merges": [[" ", "a"], [" ", "b"], ["a", "b"]],
                      "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                      "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false},
        });
        let names =
            json!({"eos_token": "</s>", "bos_token": if has_begin { "<s>" } else { "</s>" }});
        let names = names.as_object().expect("an object").clone();
        Tokenizer::from_parts(file.to_string().as_bytes(), names).expect("a tokenizer")
    }

    /// Ids, how many are scored, and whether it was cut and merged.
    fn encoded(
        tokenizer: &Tokenizer,
        context: &str,
        delimiter: &str,
        choice: &str,
        most: usize,
    ) -> Result<(Vec<u32>, usize, [bool; 2]), String> {
        let (contexts, continuations) = (vec![context.to_string()], vec![choice.to_string()]);
        let item = Item { contexts, continuations, gold: Gold::Choice(0) };
        let encoder = Encoder::new(tokenizer, most);
        let Encoded { request, is_cut, is_merged } =
            encoder.choices("", delimiter, &item)?.remove(0);
        Ok((request.ids, request.scored, [is_cut, is_merged]))
    }

    #[test]
    fn what_follows_the_ids_of_the_context_is_scored() {
        let plain = tokenizer(false);
        let said = encoded(&plain, "a b", " ", "a b", 99);
        assert_eq!(said, Ok((vec![2, 6, 5, 6], 2, [false, false])));
    }

    #[test]
    fn white_space_that_ends_a_context_begins_what_follows() {
        let plain = tokenizer(false);
        assert_eq!(encoded(&plain, "a ", "", "b", 99), encoded(&plain, "a", "", " b", 99));
        assert_eq!(encoded(&plain, "a ", "", "b", 99), Ok((vec![2, 6], 1, [false, false])));
        // A delimiter after it makes two spaces, of which the second is the token's.
        assert_eq!(encoded(&plain, "a ", " ", "b", 99), Ok((vec![2, 4, 6], 2, [false, false])));
    }

    #[test]
    fn the_begin_stands_once_before_a_text() {
        let begun = tokenizer(true);
        assert_eq!(encoded(&begun, "a", " ", "b", 99), Ok((vec![0, 2, 6], 1, [false, false])));
        assert_eq!(encoded(&begun, "<s>a", " ", "b", 99), Ok((vec![0, 2, 6], 1, [false, false])));
    }

    #[test]
    fn after_an_empty_context_stands_the_begin_or_else_the_end() {
        let (begun, plain) = (tokenizer(true), tokenizer(false));
        assert_eq!(encoded(&begun, "", " ", "b", 99), Ok((vec![0, 6], 1, [false, false])));
        assert_eq!(encoded(&plain, "", " ", "b", 99), Ok((vec![1, 6], 1, [false, false])));
        assert_eq!(encoded(&plain, "", "", "</s>b", 99), Ok((vec![1, 3], 1, [false, false])));
    }

    #[test]
    fn tokens_that_merge_over_the_border_count_as_of_the_context() {
        let plain = tokenizer(false);
        // `a` + `bb` is `ab`, `b`: one id of the context, and one is left.
        assert_eq!(encoded(&plain, "a", "", "bb", 99), Ok((vec![7, 3], 1, [false, true])));
        let none = encoded(&plain, "a", "", "b", 99);
        assert!(none.is_err_and(|why| why.contains("choice 1: none of its tokens is left")));
    }

    #[test]
    fn of_a_text_that_is_too_long_the_last_tokens_are_read() {
        let plain = tokenizer(false);
        // A model of 3 tokens reads 3 and scores the one after them.
        assert_eq!(
            encoded(&plain, "a b a", " ", "b a", 3),
            Ok((vec![6, 5, 6, 5], 2, [true, false]))
        );
        assert_eq!(
            encoded(&plain, "a", " ", "b a b", 3),
            Ok((vec![2, 6, 5, 6], 3, [false, false]))
        );
        let long = encoded(&plain, "a", " ", "b a b a", 3);
        assert!(long.is_err_and(|why| why.contains("it has 4 tokens, and the model reads 3")));
    }

    #[test]
    fn a_prompt_leaves_room_for_its_reply() {
        let plain = tokenizer(false);
        let encoder = Encoder::new(&plain, 5);
        assert_eq!(encoder.prompt("a b a", 3), Ok((vec![6, 5], true)));
        assert_eq!(encoder.prompt("a b", 3), Ok((vec![2, 6], false)));
        assert_eq!(encoder.prompt("", 3), Ok((vec![1], false)));
        assert!(encoder.prompt("a", 5).is_err());
    }
}
