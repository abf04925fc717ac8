//! Ways to answer without understanding: what each replies to a sample.

use super::guesses::{self, Guess, Output, Written};
use crate::data::layout::{Part, TextWriter};
use crate::ir::{Program, SlotId};
use crate::runtime::Memory;
use crate::runtime::random::Stream;

/// The most replies whose values come from several places that are tried together.
const JOINT_MAX: usize = 6;
/// Of each value, the best places that are joined.
const BEST: usize = 2;

/// A way to answer.
#[derive(Clone)]
pub struct Cheat {
    /// What it answers, in a few words.
    pub name: String,
    /// The lint of a template that it passes.
    pub code: &'static str,
    answer: Answer,
}

#[derive(Clone)]
enum Answer {
    /// Nothing.
    Empty,
    /// The prompt.
    Prompt,
    /// The right reply to another sample.
    Other,
    /// The reply that is right most often: of classes, the most likely one.
    Same,
    /// The value of a slot, and nothing else.
    Echo(SlotId),
    /// The right reply, but these of its values from elsewhere.
    Values(Vec<Guess>),
}

/// The replies that do not depend on a sample's own.
pub struct Known<'a> {
    /// To another sample.
    pub other: &'a str,
    /// The most frequent one.
    pub same: &'a str,
}

/// What a cheat replies, and how often chance alone is right, where that is known.
pub struct Reply {
    pub text: String,
    pub chance: Option<f64>,
}

/// The cheats that a template's structure invites.
pub fn all(program: &Program) -> Vec<Cheat> {
    let cheat = |name: &str, code, answer| Cheat { name: name.to_string(), code, answer };
    let mut all = vec![
        cheat("empty reply", "L614", Answer::Empty),
        cheat("reply of another sample", "L614", Answer::Other),
        cheat("most frequent reply", "L614", Answer::Same),
        cheat("echo of the prompt", "L615", Answer::Prompt),
    ];
    match guesses::outputs(program)[..] {
        [output] => all.extend(guesses::all(program, output).into_iter().map(one)),
        _ => {
            for (slot, name) in guesses::shown(program) {
                all.push(cheat(&format!("echo of {name}"), "L615", Answer::Echo(slot)));
            }
        }
    }
    all
}

/// The right reply, with one value from elsewhere.
pub fn one(guess: Guess) -> Cheat {
    Cheat { name: guess.name.clone(), code: guess.code, answer: Answer::Values(vec![guess]) }
}

/// Replies all of whose values come from elsewhere: the constants, the elements of lists in order,
/// and the best of each value, by how often the reply was right with it alone.
pub fn joint(
    program: &Program,
    outputs: &[Output],
    constants: Vec<Guess>,
    tried: &[(Guess, f64)],
) -> Vec<Cheat> {
    let of = |output: &Output| {
        let own = tried.iter().filter(|(one, share)| one.output == *output && *share > 0.0);
        let mut own: Vec<&(Guess, f64)> = own.collect();
        own.sort_by(|a, b| b.1.total_cmp(&a.1));
        own.truncate(BEST);
        own
    };
    let mut rows: Vec<(f64, Vec<Guess>)> = vec![(1.0, Vec::new())];
    for output in outputs {
        let best = of(output);
        let longer = rows.iter().flat_map(|(share, row)| {
            best.iter().map(move |(one, own)| {
                (share * own, row.iter().chain([one]).cloned().collect::<Vec<Guess>>())
            })
        });
        let mut longer: Vec<(f64, Vec<Guess>)> = longer.collect();
        longer.sort_by(|a, b| b.0.total_cmp(&a.0));
        longer.truncate(JOINT_MAX);
        rows = longer;
    }
    let named = |row: Vec<Guess>| {
        let names: Vec<&str> = row.iter().map(|one| one.name.as_str()).collect();
        (names.join(" and "), row)
    };
    let mut all = vec![named(constants)];
    all.extend(guesses::in_order(program, outputs));
    all.extend(rows.into_iter().map(|(_, row)| named(row)));
    let mut found: Vec<Cheat> = Vec::new();
    for (name, row) in all {
        let code = row.iter().map(|one| one.code).max().unwrap_or("L614");
        if row.len() == outputs.len() && !found.iter().any(|one| one.name == name) {
            found.push(Cheat { name, code, answer: Answer::Values(row) });
        }
    }
    found
}

impl Cheat {
    /// What it replies to the sample in the memory, which stays as it was.
    pub fn reply(
        &self,
        texts: &TextWriter,
        program: &Program,
        memory: &mut Memory,
        known: &Known,
        stream: &mut Stream,
    ) -> Reply {
        let text = match &self.answer {
            Answer::Empty => String::new(),
            Answer::Prompt => texts.text(Part::Prompt, memory),
            Answer::Other => known.other.to_string(),
            Answer::Same => known.same.to_string(),
            Answer::Echo(slot) => texts.value(*slot, memory),
            Answer::Values(guesses) => {
                let mark = memory.mark();
                let reply = joined(guesses, texts, program, memory, stream);
                memory.release(mark);
                return reply;
            }
        };
        Reply { text, chance: None }
    }

    /// True if it answers with nothing.
    pub fn is_empty(&self) -> bool {
        matches!(self.answer, Answer::Empty)
    }

    /// True if it answers as a vote does: with the most frequent element.
    pub fn is_vote(&self) -> bool {
        matches!(&self.answer, Answer::Values(guesses) if guesses.iter().any(Guess::is_vote))
    }

    /// The name of the cheat that takes any of the same options.
    pub fn random(&self) -> Option<String> {
        match &self.answer {
            Answer::Values(guesses) if guesses.len() == 1 => guesses[0].random(),
            _ => None,
        }
    }
}

/// The right reply, but these of its values from elsewhere.
fn joined(
    guesses: &[Guess],
    texts: &TextWriter,
    program: &Program,
    memory: &mut Memory,
    stream: &mut Stream,
) -> Reply {
    let mut chance: Option<f64> = None;
    let mut taken = Vec::new();
    for guess in guesses {
        let Some(one) = guess.take(texts, program, memory, stream) else {
            return Reply { text: String::new(), chance: None };
        };
        // Beside other values, an echo counts as known.
        let counts = guesses.len() == 1 || guess.code != "L615";
        let own = one.chance.filter(|_| counts);
        chance = own.map(|one| one * chance.unwrap_or(1.0)).or(chance);
        taken.push((guess.output, one.written));
    }
    let mut own = Vec::new();
    for (output, written) in &taken {
        if let Written::Cell(cell) = written {
            own.push((output.slot, memory.slot(output.slot)));
            memory.bind(output.slot, *cell);
        }
    }
    let mut pieces = texts.pieces(Part::Reply, memory);
    for (output, written) in taken {
        if let Written::Text(text) = written {
            pieces[output.piece].1 = text;
        }
    }
    own.into_iter().for_each(|(slot, cell)| memory.bind(slot, cell));
    Reply { text: pieces.into_iter().map(|(_, text)| text).collect(), chance }
}
