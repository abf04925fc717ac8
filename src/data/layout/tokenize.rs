//! What the layout asks of a tokenizer: the ids of a text, and where a text surely falls apart.

/// Makes ids of texts. A function from a text to its ids is one too; it is taken at its word that
/// the ids of a piece depend only on what comes right before it.
pub trait Tokenize: Send + Sync {
    /// The ids of a text, without marks of start or end.
    ///
    /// # Errors
    /// If letters have no id; the text says which.
    fn encode(&self, text: &str) -> Result<Vec<u32>, String>;

    /// The same, and how many of the ids hold nothing that lies after the text's first `at` bytes.
    ///
    /// # Errors
    /// As [`encode`](Tokenize::encode).
    fn encode_to(&self, text: &str, at: usize) -> Result<(Vec<u32>, usize), String> {
        let (ids, alone) = (self.encode(text)?, self.encode(&text[..at])?);
        let count = alone.iter().zip(&ids).take_while(|(one, other)| one == other).count();
        Ok((ids, count))
    }

    /// True if no id ever holds letters of two texts, the first of which ends like `left` and the
    /// second begins like `right`, and each has the ids that it has beside any other such text.
    fn cuts(&self, _left: &str, _right: &str) -> bool {
        true
    }

    /// The tokens at the ends of a text that are found before all others: special tokens and the
    /// like.
    fn added(&self, _text: &str) -> Added {
        Added::default()
    }

    /// True if a text has such a token that takes white space beside it, or looks for a word there.
    fn looks_around(&self, _text: &str) -> bool {
        false
    }

    /// True if a word has such a token in it.
    fn has_added(&self, _word: &str) -> bool {
        false
    }
}

/// The added tokens at the ends of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// The text begins with one.
    pub starts: bool,
    /// It ends with this one.
    pub ends: Option<String>,
}

impl<F: Fn(&str) -> Vec<u32> + Send + Sync> Tokenize for F {
    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        Ok(self(text))
    }
}
