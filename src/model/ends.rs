//! What ends a reply: single tokens, and several that must follow each other.

use crate::model::Tokenizer;

/// The ends of a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Ids of which each ends a reply.
    ids: Vec<u32>,
    /// Ids that end a reply together.
    sequences: Vec<Vec<u32>>,
}

impl Ends {
    /// Those ids, each alone.
    pub fn of(ids: &[u32]) -> Ends {
        Ends { ids: ids.to_vec(), sequences: Vec::new() }
    }

    /// Those of the tokenizer, and the ids that a format writes behind a reply. Of these, special
    /// tokens end a reply alone, as they are in no reply; a line break or a bracket that a longer
    /// end begins with does not.
    pub fn closed_by(tokenizer: &Tokenizer, closing: &[u32]) -> Ends {
        let mut ends = Ends::of(tokenizer.ends());
        let special = closing.iter().filter(|id| tokenizer.is_added(**id) || closing.len() == 1);
        for id in special {
            if !ends.ids.contains(id) {
                ends.ids.push(*id);
            }
        }
        if closing.len() > 1 {
            ends.sequences.push(closing.to_vec());
        }
        ends
    }

    /// The reply without its end, if the ids end with one.
    pub fn cut<'a>(&self, ids: &'a [u32]) -> Option<&'a [u32]> {
        if let Some(end) = self.sequences.iter().find(|end| ids.ends_with(end)) {
            return Some(&ids[..ids.len() - end.len()]);
        }
        let (last, reply) = ids.split_last()?;
        self.ids.contains(last).then_some(reply)
    }

    /// How many of the last ids may be the begin of an end.
    pub fn open(&self, ids: &[u32]) -> usize {
        let begins = |end: &Vec<u32>| {
            let most = ids.len().min(end.len() - 1);
            (1..=most).rev().find(|length| ids.ends_with(&end[..*length])).unwrap_or(0)
        };
        self.sequences.iter().map(begins).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_end_is_found_as_a_whole_and_its_begin_is_none() {
        let ends = Ends { ids: vec![9], sequences: vec![vec![1, 2, 1, 3]] };
        assert_eq!(ends.cut(&[5, 1]), None);
        assert_eq!(ends.cut(&[5, 1, 2, 1, 3]), Some(&[5][..]));
        assert_eq!(ends.cut(&[5, 1, 9]), Some(&[5, 1][..]));
        assert_eq!(ends.cut(&[]), None);
        assert_eq!(ends.open(&[5, 1, 2, 1]), 3);
        assert_eq!(ends.open(&[5, 1, 2, 1, 2]), 2);
        assert_eq!(ends.open(&[5, 2]), 0);
        assert_eq!(Ends::of(&[4]).open(&[4]), 0);
    }
}
