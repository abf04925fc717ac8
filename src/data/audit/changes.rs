//! A right reply with one word changed: a rule that lets it pass judges little.

use crate::data::layout::{Part, TextWriter};
use crate::data::vocab::Vocabulary;
use crate::runtime::Memory;
use crate::runtime::random::Stream;
use crate::source::is_word_character;

/// How a reply is changed.
#[derive(Clone, Copy, PartialEq)]
pub enum Change {
    /// A word becomes another one of the prompt.
    FromPrompt,
    /// A word becomes another one of the vocabulary.
    FromVocabulary,
    /// A word is left out.
    Drop,
    /// A word is repeated.
    Double,
    /// Two neighbours are swapped.
    Swap,
}

/// All of them, with the words for them.
pub const ALL: [(Change, &str); 5] = [
    (Change::FromPrompt, "a word replaced by one of the prompt"),
    (Change::FromVocabulary, "a word replaced by one of the vocabulary"),
    (Change::Drop, "a word left out"),
    (Change::Double, "a word written twice"),
    (Change::Swap, "two neighbours swapped"),
];

/// The texts of a sample that changes start from.
pub struct Texts {
    /// The reply in pieces; those with values are changed.
    pieces: Vec<(bool, String)>,
    prompt: String,
    /// How many words the prompt has.
    prompt_words: usize,
}

impl Texts {
    /// Of the sample in the memory.
    pub fn new(texts: &TextWriter, memory: &Memory) -> Texts {
        let pieces = texts.pieces(Part::Reply, memory);
        let pieces = pieces.into_iter().map(|(slot, text)| (slot.is_some(), text)).collect();
        let prompt = texts.text(Part::Prompt, memory);
        Texts { prompt_words: words(&prompt).count(), prompt, pieces }
    }

    /// The changed reply; none where there is nothing to change, or it would be the same.
    pub fn changed(
        &self,
        change: Change,
        vocabulary: &Vocabulary,
        stream: &mut Stream,
    ) -> Option<String> {
        // Every word of a value, by its piece.
        let with_values = self.pieces.iter().enumerate().filter(|(_, (shows, _))| *shows);
        let counts = with_values.map(|(at, (_, text))| (at, words(text).count()));
        let counts: Vec<(usize, usize)> = counts.collect();
        let mut word = below(counts.iter().map(|(_, count)| count).sum(), stream)?;
        let at = counts.iter().find_map(|&(at, count)| {
            let is_here = word < count;
            word -= if is_here { 0 } else { count };
            is_here.then_some(at)
        })?;
        let text = &self.pieces[at].1;
        let before = word.checked_sub(1).and_then(|last| words(text).nth(last));
        let mut from_here = words(text).skip(word);
        let (start, end) = from_here.next()?;
        let next = from_here.next();
        let found = &text[start..end];
        let replaced = |by: &str| format!("{}{by}{}", &text[..start], &text[end..]);
        let changed = match change {
            Change::FromPrompt => {
                let (start, end) = words(&self.prompt).nth(below(self.prompt_words, stream)?)?;
                replaced(&self.prompt[start..end])
            }
            Change::FromVocabulary => {
                replaced(vocabulary.word(stream.below(vocabulary.len() as u32)))
            }
            Change::Double => replaced(&format!("{found} {found}")),
            Change::Drop => match (next, before) {
                (Some((next, _)), _) => format!("{}{}", &text[..start], &text[next..]),
                (None, Some((_, last))) => format!("{}{}", &text[..last], &text[end..]),
                (None, None) => replaced(""),
            },
            Change::Swap => {
                let (next, next_end) = next?;
                let (between, behind) = (&text[end..next], &text[next_end..]);
                format!("{}{}{between}{found}{behind}", &text[..start], &text[next..next_end])
            }
        };
        let all = self.pieces.iter().enumerate();
        let reply = all.map(|(place, (_, text))| if place == at { &changed } else { text });
        (changed != *text).then(|| reply.map(String::as_str).collect())
    }
}

/// Where the words of a text are: runs of word characters.
pub fn words(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find(is_word_character)?;
        let length = text[start..].find(|one| !is_word_character(one));
        from = length.map_or(text.len(), |length| start + length);
        Some((start, from))
    })
}

/// A number below another, if there is one.
fn below(count: usize, stream: &mut Stream) -> Option<usize> {
    (count > 0).then(|| stream.below(count as u32) as usize)
}

/// One of them, if there is any.
pub fn one_of<'a, T>(all: &'a [T], stream: &mut Stream) -> Option<&'a T> {
    (!all.is_empty()).then(|| &all[stream.below(all.len() as u32) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_of_a_value_is_changed_and_what_stands_around_it_is_not() {
        let pieces = vec![(false, "So: ".to_string()), (true, "ada, bob".to_string())];
        let texts = Texts { pieces, prompt: "cy".to_string(), prompt_words: 1 };
        let vocabulary = Vocabulary::new(["dan"]).expect("one word");
        let all = |change| {
            let mut stream = Stream::from_state([1, 2, 3, 4]);
            let mut found: Vec<_> =
                (0..99).filter_map(|_| texts.changed(change, &vocabulary, &mut stream)).collect();
            found.sort();
            found.dedup();
            found
        };
        assert_eq!(all(Change::FromPrompt), ["So: ada, cy", "So: cy, bob"]);
        assert_eq!(all(Change::FromVocabulary), ["So: ada, dan", "So: dan, bob"]);
        assert_eq!(all(Change::Drop), ["So: ada", "So: bob"]);
        assert_eq!(all(Change::Double), ["So: ada ada, bob", "So: ada, bob bob"]);
        assert_eq!(all(Change::Swap), ["So: bob, ada"]);
    }
}
