//! The marks that an answer may stand in or after.

use std::ops::Range;

use super::Answer;
use crate::data::read::Unreadable;

/// A kind of mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `<answer>…</answer>`
    Tags,
    /// `\boxed{…}`
    Boxed,
    /// `Answer: …`, `The final answer is …`, or a heading that says so.
    Line,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Tags, Kind::Boxed, Kind::Line];

    /// The one that a form of answers always has.
    pub fn of(answer: Answer) -> Option<Kind> {
        match answer {
            Answer::Strict | Answer::Bare | Answer::Any => None,
            Answer::Tags => Some(Kind::Tags),
            Answer::Boxed => Some(Kind::Boxed),
            Answer::Line => Some(Kind::Line),
        }
    }

    /// As a message shows it.
    pub fn shown(self) -> &'static str {
        match self {
            Kind::Tags => "`<answer>…</answer>`",
            Kind::Boxed => r"`\boxed{…}`",
            Kind::Line => "`Answer:`",
        }
    }
}

/// A mark in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// From its first character to its last.
    pub whole: Range<usize>,
    /// The answer.
    pub content: Range<usize>,
    /// Whether text that is more than decoration stands before it.
    pub before: bool,
}

/// All marks of a kind in a text, the first two if there are more.
///
/// # Errors
/// [`Unreadable`] for one that does not end, or ends twice.
pub fn all(text: &str, kind: Kind) -> Result<Vec<Mark>, Unreadable> {
    match kind {
        Kind::Tags => tags(text),
        Kind::Boxed => boxed(text),
        Kind::Line => Ok(lines(text)),
    }
}

fn tags(text: &str) -> Result<Vec<Mark>, Unreadable> {
    const OPEN: &str = "<answer>";
    const CLOSE: &str = "</answer>";
    let low = text.to_ascii_lowercase();
    let opens: Vec<usize> = low.match_indices(OPEN).map(|(at, _)| at).take(2).collect();
    let closes: Vec<usize> = low.match_indices(CLOSE).map(|(at, _)| at).take(2).collect();
    match (&opens[..], &closes[..]) {
        ([], []) => Ok(Vec::new()),
        ([open], [close]) if open < close => {
            let (whole, content) = (*open..close + CLOSE.len(), open + OPEN.len()..*close);
            Ok(vec![Mark { before: is_more(&text[..*open]), whole, content }])
        }
        ([_], []) => Err(Unreadable::Missing(CLOSE.to_string())),
        ([], [_]) => Err(Unreadable::Missing(OPEN.to_string())),
        _ => Err(Unreadable::TwoAnswers),
    }
}

fn boxed(text: &str) -> Result<Vec<Mark>, Unreadable> {
    const OPEN: &str = r"\boxed{";
    let found = text.match_indices(OPEN).take(2);
    let mark = |(open, _): (usize, &str)| {
        let from = open + OPEN.len();
        let length = matching(&text[from..]).ok_or(Unreadable::Missing("}".to_string()))?;
        let (whole, content) = (open..from + length + 1, from..from + length);
        Ok(Mark { before: is_more(&text[..open]), whole, content })
    };
    found.map(mark).collect()
}

/// The bytes up to the brace that closes one before.
pub fn matching(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.bytes().position(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

/// What may stand around a phrase: bold, italic, code.
const AROUND: [char; 3] = ['*', '_', '`'];
/// What a line may begin with before it.
const LEADING: [char; 6] = ['*', '_', '`', '#', '>', ' '];

fn lines(text: &str) -> Vec<Mark> {
    const WORD: &str = "answer";
    let low = text.to_ascii_lowercase();
    let mut marks: Vec<Mark> = Vec::new();
    for (at, _) in low.match_indices(WORD) {
        let Some(mark) = phrase(text, &low, at..at + WORD.len()) else { continue };
        match marks.last_mut() {
            // "Answer: the answer is 5" says it once.
            Some(last) if !is_more(&text[last.content.start..mark.whole.start]) => {
                last.content = mark.content;
            }
            _ => marks.push(mark),
        }
        if marks.len() > 1 {
            break;
        }
    }
    marks
}

/// The mark around the word "answer", if it is one.
fn phrase(text: &str, low: &str, word: Range<usize>) -> Option<Mark> {
    let is_letter = |letter: char| letter.is_alphanumeric();
    if text[..word.start].chars().next_back().is_some_and(is_letter) {
        return None;
    }
    let mut start = word.start;
    for before in ["final ", "correct ", "my ", "the "] {
        let begins = low[..start].strip_suffix(before).map(str::len);
        let is_word = |at: &usize| !text[..*at].chars().next_back().is_some_and(is_letter);
        start = begins.filter(is_word).unwrap_or(start);
    }
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let leading = &text[line_start..start];
    let begins_line = leading.trim_start_matches(LEADING).is_empty();
    let opened = &leading[leading.trim_end_matches(AROUND).len()..];
    let rest = &text[word.end..];
    let closed = rest.trim_start_matches(AROUND);
    let line = closed.split('\n').next().unwrap_or_default();
    let is_heading = begins_line && !leading.trim().is_empty() && line.trim().is_empty();
    let after = match closed.strip_prefix(':') {
        Some(after) => after,
        None if is_heading => &closed[line.len()..],
        None => {
            let is = closed.trim_start_matches(' ').strip_prefix("is")?;
            let has_space = closed.starts_with(' ') && !is.starts_with(is_letter);
            has_space.then(|| is.strip_prefix(':').unwrap_or(is))?
        }
    };
    // `**Answer:** 5` closes what was opened before the phrase; `**Answer: 5**` after the answer.
    let is_closed = closed.len() < rest.len() || opened.is_empty();
    let mut end = text.len();
    let mut from = text.len() - after.len();
    if !is_closed {
        match after.strip_prefix(opened) {
            Some(after) => from = text.len() - after.len(),
            None => end = after.trim_end().strip_suffix(opened).map_or(end, |it| from + it.len()),
        }
    }
    let start = text[..start].trim_end_matches(LEADING).len();
    Some(Mark { before: is_more(&text[..start]), whole: start..text.len(), content: from..end })
}

/// Whether a text is more than white space and decoration.
fn is_more(text: &str) -> bool {
    !text.chars().all(|letter| letter.is_whitespace() || LEADING.contains(&letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(text: &str) -> Vec<&str> {
        lines(text).into_iter().map(|mark| text[mark.content].trim()).collect()
    }

    #[test]
    fn an_answer_stands_after_the_phrase_that_announces_it() {
        for text in [
            "Answer: 5",
            "The answer is 5",
            "the answer is: 5",
            "So 2 + 3 = 5.\nFinal answer: 5",
            "**Answer:** 5",
            "**Answer**: 5",
            "**Answer: 5**",
            "**Final Answer**\n5",
            "## Answer\n\n5",
            "I think my final answer is 5",
            "Answer: the answer is 5",
            "> _Answer:_ 5",
        ] {
            assert_eq!(answers(text), ["5"], "{text:?}");
        }
        for text in ["", "5", "I can answer this", "answers: 5", "an answer", "the answer isn't 5"]
        {
            assert!(answers(text).is_empty(), "{text:?}");
        }
        assert_eq!(answers("The answer is 4. No, the answer is 5").len(), 2);
    }

    #[test]
    fn a_box_ends_with_the_brace_that_closes_it() {
        let text = r"so \boxed{\text{up} {a}} it is";
        let marks = boxed(text).expect("a box");
        assert_eq!(
            marks.iter().map(|it| &text[it.content.clone()]).collect::<Vec<_>>(),
            [r"\text{up} {a}"]
        );
        assert!(marks[0].before);
        assert_eq!(boxed(r"\boxed{5"), Err(Unreadable::Missing("}".to_string())));
        assert_eq!(boxed(r"\boxed{5} or \boxed{6}").map(|all| all.len()), Ok(2));
    }

    #[test]
    fn tags_are_one_pair() {
        assert_eq!(tags("a <ANSWER>5</Answer>").map(|all| all.len()), Ok(1));
        assert_eq!(tags("<answer>5"), Err(Unreadable::Missing("</answer>".to_string())));
        assert_eq!(tags("5</answer>"), Err(Unreadable::Missing("<answer>".to_string())));
        for text in [
            "<answer>5</answer><answer>6</answer>",
            "</answer>5<answer>",
            "<answer><answer>5</answer>",
        ] {
            assert_eq!(tags(text), Err(Unreadable::TwoAnswers), "{text}");
        }
    }
}
