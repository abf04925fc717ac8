//! Rules that judge what the prompt does not show, found by drawing hidden values again: the prompt
//! stays as it was, and a reply that was right is wrong.

use std::collections::BTreeSet;

use super::CELLS_MAX;
use crate::check::roles::needs;
use crate::check::typed::{LocalId, Template};
use crate::data::judge::{Judge, same};
use crate::data::layout::{Escape, Part, TextWriter};
use crate::data::vocab::Vocabulary;
use crate::data::{Compile, Sampler, Split};
use crate::diagnostic::Diagnostic;
use crate::engine::rehearse::{Rehearsal, Try};
use crate::ir::{Piece, Program, Slot, SlotId};
use crate::runtime::{Memory, RunKey};

/// Samples whose hidden values are drawn again.
const SAMPLES: u64 = 48;
/// How often each of them is.
const AGAIN: u64 = 8;

/// The least tries, and as 1 in this number the least share, in which a right reply is wrong.
const WRONG_LEAST: u64 = 4;
const WRONG_SHARE: u64 = 20;

/// A rule, and the drawn names it needs that the layout does not show.
type Candidate = (usize, Vec<LocalId>);

/// A lint for each rule that was seen to judge a hidden draw.
pub fn hidden(
    template: &Template,
    level: &str,
    words: &Vocabulary,
    patience: u64,
) -> Vec<Diagnostic> {
    let candidates = candidates(template);
    if candidates.is_empty() {
        return Vec::new();
    }
    let compile = Compile::level(template, level, words.clone());
    let Ok(sampler) = compile.interpreted() else { return Vec::new() };
    let program = sampler.program();
    if program.bounds.cells > CELLS_MAX {
        return Vec::new();
    }
    let mut search = Search {
        template,
        sampler: &sampler,
        judge: Judge::new(&sampler),
        texts: TextWriter::new(program, sampler.vocabulary().clone(), Escape::None),
        rehearsal: Rehearsal::new(program.clone()),
        prompt: prompt_slots(program),
        first: sampler.memory(Split::Train, 0),
        patience,
    };
    let of_rule = |(rule, names): Candidate| {
        let one = names.iter().map(|&name| (vec![name], search.judges(rule, &[name])));
        let mut found: Vec<(Vec<LocalId>, Seen)> = one.collect();
        found.retain(|(_, seen)| seen.is_hidden());
        if found.is_empty() && names.len() > 1 {
            let seen = search.judges(rule, &names);
            found.extend(seen.is_hidden().then_some((names, seen)));
        }
        found
            .iter()
            .flat_map(|(names, seen)| lints(template, rule, names, seen))
            .collect::<Vec<_>>()
    };
    candidates.into_iter().flat_map(of_rule).collect()
}

/// What was seen when names were drawn again.
#[derive(Default)]
struct Seen {
    /// Tries in which one of them had another value.
    tries: u64,
    /// Of them, those with the same prompt and a right reply that became wrong.
    wrong: u64,
}

impl Seen {
    /// True if the names decide, and the prompt does not say it: not if a prompt is only seldom the
    /// same by chance, as where examples happen to agree with two rules.
    fn is_hidden(&self) -> bool {
        self.wrong >= WRONG_LEAST && WRONG_SHARE * self.wrong >= self.tries
    }

    /// True once more tries would say the same.
    fn is_sure(&self) -> bool {
        self.tries >= SAMPLES && 4 * self.wrong >= self.tries
    }
}

fn candidates(template: &Template) -> Vec<Candidate> {
    let is_hidden = |local: &LocalId| {
        template.binding_of(*local).is_some_and(|(_, binding)| binding.drawn && !binding.shown)
    };
    let of_rule = template.rules.iter().map(|rule| needs(template, rule));
    let hidden = of_rule.map(|needs| needs.into_iter().filter(is_hidden).collect::<Vec<_>>());
    hidden.enumerate().filter(|(_, names)| !names.is_empty()).collect()
}

fn lints(template: &Template, rule: usize, names: &[LocalId], seen: &Seen) -> Vec<Diagnostic> {
    let rule = &template.rules[rule];
    let Seen { tries, wrong } = seen;
    let lint = |&local: &LocalId| {
        let name = &template.locals[local].name;
        let title = format!("the rule `{}` needs `{name}`, which is not shown", rule.name);
        let label = format!(
            "drawn again: in {wrong} of {tries} tries the prompt is the same, and a right reply is \
             wrong"
        );
        Diagnostic::lint("L601", title, rule.relation.span, "judges what the prompt does not show")
            .and(template.locals[local].span, label)
            .help(format!("show it in the prompt: `{{{name}}}`"))
    };
    names.iter().map(lint).collect()
}

struct Search<'a> {
    template: &'a Template,
    sampler: &'a Sampler,
    judge: Judge,
    texts: TextWriter,
    rehearsal: Rehearsal,
    /// What the model reads.
    prompt: BTreeSet<SlotId>,
    first: Memory,
    patience: u64,
}

impl Search<'_> {
    /// How often a reply is right by a rule, and wrong after these names are drawn again, with the
    /// same prompt.
    fn judges(&mut self, rule: usize, names: &[LocalId]) -> Seen {
        let program = self.sampler.program().clone();
        let is_one =
            |slot: &Slot| names.iter().any(|&one| self.template.locals[one].name == slot.name);
        let slots = program.slots.iter().zip(0..).filter(|(slot, _)| is_one(slot));
        let slots: BTreeSet<SlotId> = slots.map(|(_, id)| id).collect();
        let mut seen = Seen::default();
        for again in 0..AGAIN {
            let mut second = self.sampler.memory(Split::Train, 0);
            for &name in names {
                let run = RunKey::new(&program.name, &program.level, "again", again);
                second.reseed(&self.template.locals[name].name, &run);
            }
            for index in 0..SAMPLES {
                let Some(made) = self.both(&mut second, index) else { return seen };
                if !made || !slots.is_empty() && self.same(&slots, &second) {
                    continue;
                }
                seen.tries += 1;
                if !self.same(&self.prompt, &second) {
                    continue;
                }
                let reply = self.texts.text(Part::Reply, &self.first);
                let right = self.judge.judge(&reply, &mut self.first);
                let wrong = self.judge.judge(&reply, &mut second);
                seen.wrong += u64::from(right.scores[rule] == 1.0 && wrong.scores[rule] < 1.0);
            }
            if seen.is_sure() {
                break;
            }
        }
        seen
    }

    /// Makes a sample in both memories; none when there is no more patience.
    fn both(&mut self, second: &mut Memory, index: u64) -> Option<bool> {
        let mut made = true;
        for memory in [&mut self.first, second] {
            let patience = &mut self.patience;
            let one = Try { index, ..Try::default() };
            made &= self.rehearsal.sample(memory, &one, patience, &mut |_, _, _| {})?;
        }
        Some(made)
    }

    /// True if these slots have the same values in both memories.
    fn same(&self, slots: &BTreeSet<SlotId>, second: &Memory) -> bool {
        slots.iter().all(|&slot| {
            let kind = &self.sampler.program().slots[slot as usize].kind;
            same(kind, (&self.first, self.first.slot(slot)), (second, second.slot(slot)))
        })
    }
}

/// The slots that the model reads.
fn prompt_slots(program: &Program) -> BTreeSet<SlotId> {
    let layout = &program.layout;
    let read = layout.system.iter().flatten().chain(&layout.prompt).flat_map(Piece::shown);
    read.map(|(slot, _)| slot).collect()
}
