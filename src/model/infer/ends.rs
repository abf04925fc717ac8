//! What ends a reply: single tokens, several that must follow each other, and letters.

use anyhow::Result;

use crate::model::Tokenizer;

/// The ends of a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Ids of which each ends a reply.
    ids: Vec<u32>,
    /// What a format writes behind a reply, as ids; empty where that is one of the above.
    closing: Vec<u32>,
    /// The letters of that before its first special token.
    letters: String,
    /// Whether there is such a token.
    is_special: bool,
}

impl Ends {
    /// Those ids, each alone.
    pub fn of(ids: &[u32]) -> Ends {
        Ends { ids: ids.to_vec(), ..Ends::default() }
    }

    /// Those of the tokenizer, and the text that a format writes behind a reply. Of its tokens,
    /// special ones end a reply alone, as they are in no reply; a line break or a bracket that a
    /// longer end begins with does not.
    pub fn closed_by(tokenizer: &Tokenizer, text: &str) -> Result<Ends> {
        let mut ends = Ends::of(tokenizer.ends());
        ends.closing = tokenizer.encode(text)?;
        let special = ends.closing.iter().filter(|id| tokenizer.is_added(**id));
        let alone = ends.closing.iter().filter(|_| ends.closing.len() == 1);
        for id in special.clone().chain(alone) {
            if !ends.ids.contains(id) {
                ends.ids.push(*id);
            }
        }
        let place = special.filter_map(|id| text.find(&tokenizer.token(*id)?)).min();
        ends.letters = text[..place.unwrap_or(text.len())].to_string();
        ends.is_special = place.is_some();
        Ok(ends)
    }

    /// The ids that a format writes behind a reply and that end it alone.
    pub fn of_format(&self) -> Vec<u32> {
        self.closing.iter().copied().filter(|id| self.ids.contains(id)).collect()
    }

    /// The ids that a format writes behind a reply, encoded alone.
    pub fn closing(&self) -> &[u32] {
        &self.closing
    }

    /// The reply without its end, if the ids end with one.
    pub fn cut<'a>(&self, ids: &'a [u32]) -> Option<&'a [u32]> {
        if self.closing.len() > 1 && ids.ends_with(&self.closing) {
            return Some(&ids[..ids.len() - self.closing.len()]);
        }
        let (last, reply) = ids.split_last()?;
        self.ids.contains(last).then_some(reply)
    }

    /// How many of the last ids may be the begin of an end.
    pub fn open(&self, ids: &[u32]) -> usize {
        let most = ids.len().min(self.closing.len().saturating_sub(1));
        let begins = |length: &usize| ids.ends_with(&self.closing[..*length]);
        (1..=most).rev().find(begins).unwrap_or(0)
    }

    /// The text of a reply without the letters of its end: a model may write them as other tokens,
    /// together with letters before them.
    pub fn cut_text<'a>(&self, reply: &'a str) -> &'a str {
        match self.end_in(reply) {
            Some(at) => &reply[..at],
            None if self.is_special => reply.strip_suffix(&self.letters).unwrap_or(reply),
            None => reply,
        }
    }

    /// Where in a text the reply ends, if its end is made of letters alone.
    pub fn end_in(&self, text: &str) -> Option<usize> {
        let letters = Some(&self.letters).filter(|letters| !letters.is_empty() && !self.is_special);
        letters.and_then(|letters| text.find(letters))
    }

    /// How many of the last bytes of a text may be the begin of letters that end it.
    pub fn open_text(&self, text: &str) -> usize {
        let letters = self.letters.char_indices().map(|(at, _)| at).rev();
        let begins = |length: &usize| text.ends_with(&self.letters[..*length]);
        letters.into_iter().find(begins).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_end_is_found_as_a_whole_and_its_begin_is_none() {
        let ends = Ends { ids: vec![9], closing: vec![1, 2, 1, 3], ..Ends::default() };
        assert_eq!(ends.cut(&[5, 1]), None);
        assert_eq!(ends.cut(&[5, 1, 2, 1, 3]), Some(&[5][..]));
        assert_eq!(ends.cut(&[5, 1, 9]), Some(&[5, 1][..]));
        assert_eq!(ends.cut(&[]), None);
        assert_eq!(ends.open(&[5, 1, 2, 1]), 3);
        assert_eq!(ends.open(&[5, 1, 2, 1, 2]), 2);
        assert_eq!(ends.open(&[5, 2]), 0);
        assert_eq!(Ends::of(&[4]).open(&[4]), 0);
    }

    #[test]
    fn the_letters_of_an_end_are_no_part_of_a_reply() {
        let letters = |letters: &str, is_special| Ends {
            letters: letters.to_string(),
            is_special,
            ..Ends::default()
        };
        assert_eq!(letters("\n##", false).cut_text("a\nb\n##\nc"), "a\nb");
        assert_eq!(letters("\n##", false).open_text("a\n#"), 2);
        assert_eq!(letters("\n##", false).open_text("a\n"), 1);
        assert_eq!(letters("\n##", false).open_text("a\n##b"), 0);
        // Before a special token, only at the end.
        assert_eq!(letters("\n", true).cut_text("a\nb\n"), "a\nb");
        assert_eq!(letters("", true).cut_text("a\n"), "a\n");
    }
}
