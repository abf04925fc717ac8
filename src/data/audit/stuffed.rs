//! Replies with more in them than the answer: what a rule must not pay.

use super::changes::words;
use crate::data::vocab::Vocabulary;
use crate::runtime::random::Stream;

/// How a right reply is stuffed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stuffing {
    /// With a wrong one; `{right}` and `{wrong}` stand for them.
    Beside(&'static str),
    /// With words of the vocabulary behind it.
    Junk,
    /// With a word of the prompt that makes it wrong, and a mark that hides it.
    Marked,
}

/// All of them, with the words for them.
pub const ALL: [(Stuffing, &str); 16] = [
    (Stuffing::Junk, "three words of the vocabulary behind the reply"),
    (Stuffing::Marked, "a wrong word of the prompt and a mark behind the reply"),
    (Stuffing::Beside("{right} {wrong}"), "a wrong reply behind the right one"),
    (Stuffing::Beside("{wrong} {right}"), "a wrong reply before the right one"),
    (Stuffing::Beside("{right} or {wrong}"), "the right reply or a wrong one"),
    (Stuffing::Beside("{right}, {wrong}"), "a wrong reply behind the right one and a comma"),
    (Stuffing::Beside("{right}\n\n{wrong}"), "a right paragraph and a wrong one"),
    (Stuffing::Beside("{wrong}\n\n{right}"), "a wrong paragraph and a right one"),
    (
        Stuffing::Beside("The answer is {right}. No, the answer is {wrong}."),
        "a right answer that is taken back",
    ),
    (Stuffing::Beside("Answer: {wrong}\nAnswer: {right}"), "a wrong answer and a right one"),
    (
        Stuffing::Beside("<answer>{right}</answer><answer>{wrong}</answer>"),
        "a right tag and a wrong one",
    ),
    (
        Stuffing::Beside("<answer>{wrong}</answer><answer>{right}</answer>"),
        "a wrong tag and a right one",
    ),
    (
        Stuffing::Beside("<answer>{wrong}<answer>{right}</answer></answer>"),
        "a right tag in a wrong one",
    ),
    (Stuffing::Beside("\\boxed{{wrong}} \\boxed{{right}}"), "a wrong box and a right one"),
    (Stuffing::Beside("<think>{right}</think>{wrong}"), "a right thought and a wrong reply"),
    (Stuffing::Beside("{wrong} <!-- {right} -->"), "a wrong reply and the right one in a comment"),
];

/// The texts that a stuffed reply is made of.
pub struct Texts<'a> {
    pub prompt: &'a str,
    pub right: &'a str,
    /// Another sample's reply, which is wrong here; none if there is none.
    pub wrong: Option<&'a str>,
}

impl Stuffing {
    /// The stuffed reply; none where there is nothing to stuff with. `is_right` judges a reply.
    pub fn reply(
        self,
        texts: &Texts,
        vocabulary: &Vocabulary,
        stream: &mut Stream,
        mut is_right: impl FnMut(&str) -> bool,
    ) -> Option<String> {
        let Texts { prompt, right, wrong } = *texts;
        match self {
            Stuffing::Beside(form) => {
                // The form's braces around a box are its own.
                let (before, behind) = form.split_once("{right}")?;
                let put = |text: &str| Some(text.replace("{wrong}", wrong?));
                Some(format!("{}{right}{}", put(before)?, put(behind)?))
            }
            Stuffing::Junk => {
                let mut word = || vocabulary.word(stream.below(vocabulary.len() as u32));
                Some(format!("{right} {} {} {}", word(), word(), word()))
            }
            Stuffing::Marked => {
                let count = words(prompt).count() as u32;
                let at = (count > 0).then(|| stream.below(count))?;
                let (start, end) = words(prompt).nth(at as usize)?;
                let plain = format!("{right} {}", &prompt[start..end]);
                (!is_right(&plain)).then(|| format!("{plain}-"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stuffed_reply_has_the_right_one_and_something_else() {
        let vocabulary = Vocabulary::new(["dan"]).expect("one word");
        let texts = Texts { prompt: "cy", right: "ada", wrong: Some("bob") };
        let mut stream = Stream::from_state([1, 2, 3, 4]);
        let all: Vec<String> = ALL
            .iter()
            .filter_map(|(one, _)| one.reply(&texts, &vocabulary, &mut stream, |_| false))
            .collect();
        assert_eq!(all.len(), ALL.len());
        assert_eq!(all[..4], ["ada dan dan dan", "ada cy-", "ada bob", "bob ada"]);
        assert!(all.contains(&"\\boxed{bob} \\boxed{ada}".to_string()), "{all:?}");
        let alone = Texts { wrong: None, ..texts };
        let beside = |(one, _): &&(Stuffing, &str)| matches!(one, Stuffing::Beside(_));
        let mut made = ALL.iter().filter(beside);
        assert!(
            made.all(|(one, _)| one.reply(&alone, &vocabulary, &mut stream, |_| false).is_none())
        );
    }
}
