//! How models write their answers: what a run asks for, and where in a reply the answer stands.
//!
//! A template says what an answer is, not how a talkative model wraps it: that is a choice of the
//! run. Where the answer stands depends on marks alone, never on the sample or on what would be
//! right, so that a reply with two answers has none.

mod layers;
mod marks;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::read::Unreadable;
use super::vocab::Vocabulary;
use crate::ir::{Piece, Program};
use layers::Layers;
use marks::{Kind, Mark};

/// The form that answers are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The reply is the answer, written as the template writes it.
    #[default]
    Strict,
    /// The reply is the answer. Decoration around it and usual spellings of values do not matter.
    Bare,
    /// It stands between `<answer>` and `</answer>`.
    Tags,
    /// It stands in `\boxed{…}`.
    Boxed,
    /// It stands after `Answer:` or `the answer is`, to the end.
    Line,
    /// In any one of these marks; without one, the reply is the answer.
    Any,
}

impl Answer {
    /// All of them.
    pub const ALL: [Answer; 6] =
        [Answer::Strict, Answer::Bare, Answer::Tags, Answer::Boxed, Answer::Line, Answer::Any];

    /// The name that commands, recipes and the Python package know.
    pub fn name(self) -> &'static str {
        match self {
            Answer::Strict => "strict",
            Answer::Bare => "bare",
            Answer::Tags => "tags",
            Answer::Boxed => "boxed",
            Answer::Line => "line",
            Answer::Any => "any",
        }
    }

    /// What it means, for a list of the choices.
    pub fn summary(self) -> &'static str {
        match self {
            Answer::Strict => "The reply is the answer, as the template writes it",
            Answer::Bare => "The reply is the answer; decoration around it does not matter",
            Answer::Tags => "Between <answer> and </answer>",
            Answer::Boxed => r"In \boxed{}",
            Answer::Line => "After `Answer:`",
            Answer::Any => "In any one of these marks, or bare",
        }
    }

    /// The sentence that asks for it, at the beginning of a prompt; none where nothing is asked.
    pub fn request(self) -> Option<&'static str> {
        match self {
            Answer::Strict | Answer::Bare | Answer::Any => None,
            Answer::Tags => Some("Write the answer alone between <answer> and </answer>."),
            Answer::Boxed => Some(r"Write the answer alone in \boxed{}."),
            Answer::Line => Some("End with `Answer:` and the answer alone."),
        }
    }

    /// Its name, if prompts ask for it.
    pub fn asked(self) -> Option<&'static str> {
        self.request().map(|_| self.name())
    }

    /// What is written around the answer of a training reply.
    fn around(self) -> [&'static str; 2] {
        match self {
            Answer::Strict | Answer::Bare | Answer::Any => ["", ""],
            Answer::Tags => ["<answer>", "</answer>"],
            Answer::Boxed => [r"\boxed{", "}"],
            Answer::Line => ["Answer: ", ""],
        }
    }

    /// The same program, whose prompt asks for this form and whose reply has it; none where that
    /// changes nothing.
    pub(super) fn ask(self, program: &Program) -> Option<Program> {
        let request = format!("{}\n\n", self.request()?);
        let [before, after] = self.around();
        let mut asked = program.clone();
        put_first(&mut asked.layout.prompt, &request);
        put_first(&mut asked.layout.reply, before);
        put_last(&mut asked.layout.reply, after);
        for text in [&*request, before, after] {
            let words = text.split_whitespace().count() as u64;
            asked.bounds.words += words;
            asked.bounds.words_known += words;
            asked.bounds.literal_bytes += text.len() as u64;
        }
        Some(asked)
    }

    /// Why this form cannot be told from what a template's own replies have; none where it can.
    pub(crate) fn clash(self, program: &Program) -> Option<String> {
        let kind = Kind::of(self)?;
        has_itself(program, kind).then(|| {
            format!(
                "the replies of `{}` have {} themselves, so `{self}` cannot tell where an answer \
                 begins: write another form",
                program.name,
                kind.shown()
            )
        })
    }
}

impl FromStr for Answer {
    type Err = String;

    fn from_str(name: &str) -> Result<Answer, String> {
        let found = Answer::ALL.into_iter().find(|answer| answer.name() == name);
        found.ok_or_else(|| {
            let names = Answer::ALL.map(|answer| format!("`{answer}`")).join(", ");
            format!("there is no form of answers `{}`: write one of {names}", name.escape_debug())
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Finds the answers in the replies to one program.
#[derive(Clone, Debug)]
pub(super) struct Finder {
    answer: Answer,
    /// The marks that may be there.
    kinds: Vec<Kind>,
    layers: Layers,
}

impl Finder {
    /// For the replies of a program as it writes them, whatever is asked for.
    pub(super) fn new(answer: Answer, program: &Program, vocabulary: &Vocabulary) -> Finder {
        let kinds = match (answer, Kind::of(answer)) {
            (_, Some(kind)) => vec![kind],
            (Answer::Any, _) => {
                Kind::ALL.into_iter().filter(|kind| !has_itself(program, *kind)).collect()
            }
            _ => Vec::new(),
        };
        let layers = match answer {
            // Replies are read as they are: to look at every word would be in vain.
            Answer::Strict => Layers::default(),
            _ => Layers::new(program, vocabulary),
        };
        Finder { answer, kinds, layers }
    }

    /// Whether values may be spelled in the usual other ways.
    pub(super) fn is_lenient(&self) -> bool {
        self.answer != Answer::Strict
    }

    /// The answer of a reply, without marks and decoration.
    ///
    /// # Errors
    /// [`Unreadable`] if a thought does not end, the mark is missing, or there are two answers.
    pub(super) fn find<'t>(&self, reply: &'t str) -> Result<Cow<'t, str>, Unreadable> {
        if self.answer == Answer::Strict {
            return Ok(Cow::Borrowed(reply));
        }
        match without_thoughts(reply)? {
            Cow::Borrowed(rest) => self.within(rest).map(Cow::Borrowed),
            Cow::Owned(rest) => Ok(Cow::Owned(self.within(&rest)?.to_string())),
        }
    }

    fn within<'t>(&self, text: &'t str) -> Result<&'t str, Unreadable> {
        let mut answer = text;
        // Marks may stand in one another, each all that the one around it has.
        for at in 0..=Kind::ALL.len() {
            let Some(mark) = self.mark(answer)? else {
                let is_wanted = at == 0 && self.answer != Answer::Any;
                return match self.kinds.first().filter(|_| is_wanted) {
                    Some(kind) => Err(Unreadable::NoAnswer(kind.shown())),
                    None => Ok(self.layers.peeled(answer)),
                };
            };
            let is_all = !mark.before && answer[mark.whole.end..].trim().is_empty();
            if at > 0 && !is_all {
                return Err(Unreadable::TwoAnswers);
            }
            answer = self.layers.peeled(&answer[mark.content]);
            if self.answer != Answer::Any {
                return Ok(answer);
            }
        }
        Err(Unreadable::TwoAnswers)
    }

    /// The mark that all others stand in.
    fn mark(&self, text: &str) -> Result<Option<Mark>, Unreadable> {
        let mut found: Vec<Mark> = Vec::new();
        for &kind in &self.kinds {
            let mut all = marks::all(text, kind)?;
            if all.len() > 1 {
                return Err(Unreadable::TwoAnswers);
            }
            found.append(&mut all);
        }
        let holds = |outer: &Mark, inner: &Mark| {
            outer == inner
                || outer.content.start <= inner.whole.start && inner.whole.end <= outer.content.end
        };
        let outermost = found.iter().find(|outer| found.iter().all(|inner| holds(outer, inner)));
        match outermost {
            None if !found.is_empty() => Err(Unreadable::TwoAnswers),
            outermost => Ok(outermost.cloned()),
        }
    }
}

/// A reply without what it has between `<think>` and `</think>`. The first may be missing: where a
/// prompt ends with it, replies do not have it.
fn without_thoughts(reply: &str) -> Result<Cow<'_, str>, Unreadable> {
    const OPEN: &str = "<think>";
    const CLOSE: &str = "</think>";
    let mut rest = match (reply.find(CLOSE), reply.find(OPEN)) {
        (Some(close), open) if open.is_none_or(|open| close < open) => {
            &reply[close + CLOSE.len()..]
        }
        (_, None) => return Ok(Cow::Borrowed(reply)),
        _ => reply,
    };
    let mut kept = Vec::new();
    while let Some((before, thought)) = rest.split_once(OPEN) {
        let (inside, after) = thought.split_once(CLOSE).ok_or(Unreadable::OpenThought)?;
        if inside.contains(OPEN) {
            return Err(Unreadable::OpenThought);
        }
        kept.push(before);
        rest = after;
    }
    if rest.contains(CLOSE) {
        return Err(Unreadable::OpenThought);
    }
    Ok(match kept.iter().all(|text| text.trim().is_empty()) {
        true => Cow::Borrowed(rest),
        // What stood on two sides of a thought is not one word.
        false => Cow::Owned(kept.join("\n") + "\n" + rest),
    })
}

/// Whether the replies of a template may have marks of a kind as they are.
fn has_itself(program: &Program, kind: Kind) -> bool {
    texts(program).any(|text| marks::all(text, kind) != Ok(Vec::new()))
}

/// What the replies of a template may have as they are: what is between values, and texts.
fn texts(program: &Program) -> impl Iterator<Item = &str> {
    let own = program.layout.reply.iter().flat_map(Piece::literals);
    own.chain(program.texts.iter().map(String::as_str))
}

fn put_first(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.first_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Literal(first)) => first.insert_str(0, text),
        _ => pieces.insert(0, Piece::Literal(text.to_string())),
    }
}

fn put_last(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Literal(last)) => last.push_str(text),
        _ => pieces.push(Piece::Literal(text.to_string())),
    }
}
