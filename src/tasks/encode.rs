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
    /// For a model of that tokenizer that reads so many tokens.
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
                "a reply may take {room} tokens, and the model reads {}: write a smaller                  `max_gen_toks`",
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
