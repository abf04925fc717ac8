//! Ways to answer without understanding: what each replies to a sample.

use super::changes::one_of;
use super::options::{self, By, Options};
use crate::check::types::Type;
use crate::data::layout::{Part, TextWriter, cells};
use crate::ir::{Program, Role, SlotId};
use crate::runtime::Memory;
use crate::runtime::random::Stream;

/// A way to answer.
pub struct Cheat {
    /// What it answers, in a few words.
    pub name: String,
    /// The lint of a template that it passes.
    pub code: &'static str,
    answer: Answer,
}

enum Answer {
    /// Nothing.
    Empty,
    /// The whole prompt.
    Prompt,
    /// The right reply to another sample.
    Other,
    /// The reply that is right most often: of classes, the most likely one.
    Same,
    /// The value of a slot.
    Echo(SlotId),
    /// One of what there is to choose from.
    Choose(Options, Choice),
}

#[derive(Clone, Copy, PartialEq)]
enum Choice {
    First,
    Last,
    Longest,
    Shortest,
    Any,
}

const CHOICES: [(Choice, &str); 5] = [
    (Choice::First, "first"),
    (Choice::Last, "last"),
    (Choice::Longest, "longest"),
    (Choice::Shortest, "shortest"),
    (Choice::Any, "random"),
];

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
    for (slot, id) in program.slots.iter().zip(0..) {
        let has_text = slot.kind != Type::Unknown && slot.kind.element() != Some(&Type::Unknown);
        if slot.shown && slot.role != Role::Output && !slot.name.is_empty() && has_text {
            all.push(cheat(&format!("echo of {}", slot.name), "L615", Answer::Echo(id)));
        }
    }
    for options in options::all(program) {
        let by_length = program.slots[options.list as usize].kind.depth() > 1;
        let what = match options.by {
            By::Itself => "element of",
            By::Label(_) => "label of",
            By::Number => "number of",
            By::Part | By::Run => continue,
        };
        for (choice, word) in CHOICES {
            if by_length || !matches!(choice, Choice::Longest | Choice::Shortest) {
                let name = format!("{word} {what} {}", options.name(program));
                let Options { list, output, by } = options;
                let options = Options { list, output, by };
                all.push(cheat(&name, "L616", Answer::Choose(options, choice)));
            }
        }
    }
    all
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
            Answer::Choose(options, choice) => {
                let (chosen, count) = choose(options, *choice, program, memory, stream);
                let text = chosen.map(|cell| {
                    let own = memory.slot(options.output);
                    memory.bind(options.output, cell);
                    let text = texts.text(Part::Reply, memory);
                    memory.bind(options.output, own);
                    text
                });
                let chance = Some(1.0 / count.max(1) as f64);
                return Reply { text: text.unwrap_or_default(), chance };
            }
        };
        Reply { text, chance: None }
    }
}

/// The cell of the reply's value that names the chosen element, if there is one, and of how many
/// elements it was chosen.
fn choose(
    options: &Options,
    choice: Choice,
    program: &Program,
    memory: &Memory,
    stream: &mut Stream,
) -> (Option<i64>, usize) {
    let (elements, kind) = options.elements(program, memory);
    let size = |cell: i64| kind.element().map_or(0, |inner| cells(memory, cell, inner).len());
    let sizes: Vec<usize> = elements.iter().map(|&cell| size(cell)).collect();
    let of_size = |wanted: Option<&usize>| -> Vec<usize> {
        (0..sizes.len()).filter(|&at| Some(&sizes[at]) == wanted).collect()
    };
    let at = match choice {
        Choice::First => Some(0),
        Choice::Last => elements.len().checked_sub(1),
        Choice::Longest => one_of(&of_size(sizes.iter().max()), stream).copied(),
        Choice::Shortest => one_of(&of_size(sizes.iter().min()), stream).copied(),
        Choice::Any => one_of(&(0..elements.len()).collect::<Vec<_>>(), stream).copied(),
    };
    (at.and_then(|at| options.reply(at, program, memory)), elements.len())
}
