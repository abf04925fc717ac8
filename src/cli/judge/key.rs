//! A line of replies, and whether it belongs to the sample that it is judged against.

use std::path::Path;

use super::super::options::Choice;
use super::super::{Failure, load};
use super::row::Row;
use crate::check::typed::Param;
use crate::check::types::Type;
use crate::data::layout::{Escape, Part, TextWriter};
use crate::data::sink::settings;
use crate::data::{DEFAULT_LEVEL, Sampler, Split};
use crate::ir;
use crate::runtime::Memory;
use crate::source;
use crate::template::Template;

/// What the samples are drawn with.
pub struct Key<'a> {
    /// To draw others, when one is not the right one.
    pub template: &'a Template,
    /// The level and the settings.
    pub choice: &'a Choice,
    /// Draws the samples.
    pub sampler: &'a Sampler,
    /// The digest of what decides them.
    pub digest: String,
    /// What is set, as rows name it.
    pub set: String,
    /// The split.
    pub split: Split,
    /// The seed.
    pub seed: u64,
}

impl Key<'_> {
    /// The error of a line that names another template, level, setting, split or seed.
    pub fn expect(&self, row: &Row, at: &str) -> Result<(), Failure> {
        let program = self.sampler.program();
        if let Some(found) = row.template.as_ref().filter(|found| stem(found) != program.name) {
            let asked = &program.name;
            return Err(other(at, "template", found, asked, &format!("judge it with `{found}`")));
        }
        let asked = self.sampler.level();
        let named = |found: &str| if found.is_empty() { DEFAULT_LEVEL } else { found }.to_string();
        if let Some(found) = row.level.as_deref().map(named).filter(|found| *found != asked) {
            let known = load::levels(self.template);
            let write = match found.as_str() {
                DEFAULT_LEVEL => "leave `--level` out".to_string(),
                found if known.iter().any(|level| level == found) => {
                    format!("write `--level {found}`")
                }
                found => format!("the template has no level `{found}`"),
            };
            return Err(other(at, "level", &found, &format!("--level {asked}"), &write));
        }
        self.expect_settings(row, at)?;
        let is_other = |found: &&String| !found.eq_ignore_ascii_case(self.split.name());
        if let Some(found) = row.split.as_ref().filter(is_other) {
            let asked = format!("--split {}", self.split);
            let name = found.to_ascii_lowercase();
            let write = match Split::ALL.iter().any(|split| split.name() == name) {
                true => format!("write `--split {name}`"),
                false => format!("the splits are {} and {}", Split::Train, Split::Eval),
            };
            return Err(other(at, "split", found, &asked, &write));
        }
        if let Some(found) = row.seed.filter(|found| *found != self.seed) {
            let asked = format!("--seed {}", self.seed);
            let write = format!("write `--seed {found}`");
            return Err(other(at, "seed", &found.to_string(), &asked, &write));
        }
        match &row.digest {
            Some(found) if *found != self.digest => Err(self.other_digest(found, at)),
            _ => Ok(()),
        }
    }

    /// The error of a row that is of other samples, though all that it says is asked for.
    fn other_digest(&self, found: &str, at: &str) -> Failure {
        let is_of = |level: &String| {
            let words = load::vocabulary(self.choice.vocab.as_deref()).ok()?;
            let tried = self.template.level(level.as_str()).vocabulary(words).interpreted();
            let tried = tried.answer(self.choice.answer);
            let sampler = tried.compile().ok()?;
            (sampler.inner().digest() == found).then(|| level.clone())
        };
        let write = match load::levels(self.template).iter().find_map(is_of) {
            Some(level) => format!("write `--level {level}`"),
            None => "name the --level, --set and --vocab that it was drawn with; or the template \
                     has changed since"
                .to_string(),
        };
        other(at, "id", found, &self.digest, &write)
    }

    /// The error of settings that set a parameter to another number than is scored.
    fn expect_settings(&self, row: &Row, at: &str) -> Result<(), Failure> {
        let Some(found) = &row.set else { return Ok(()) };
        let typed = self.template.typed();
        let numbers = |set: &[(String, String)]| {
            let (level, set) = (self.sampler.program().level.clone(), set.to_vec());
            ir::numbers(typed, &ir::Choice { level, set, ..ir::Choice::default() })
        };
        // An object may hold 8.0 for the integer 8.
        let found: Vec<(String, String)> = found
            .iter()
            .map(|(name, value)| {
                let of_int = value.strip_suffix(".0").filter(|_| {
                    let is_it = |param: &&Param| param.name == *name;
                    typed.params.iter().find(is_it).is_some_and(|param| param.kind == Type::Int)
                });
                (name.clone(), of_int.unwrap_or(value).to_string())
            })
            .collect();
        let shown = settings(typed, &found);
        if shown == self.set && found.len() == self.choice.set.len() {
            return Ok(());
        }
        let made_with = numbers(&found).map_err(|errors| {
            let given: Vec<String> =
                found.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let why = errors.first().map_or(String::new(), |error| error.title.clone());
            Failure::Input(format!("{at}: its set is {}: {why}", given.join(" ")))
        })?;
        if numbers(&self.choice.set).is_ok_and(|judged| judged == made_with) {
            return Ok(());
        }
        let write = match shown.is_empty() {
            true => "leave `--set` out".to_string(),
            false => {
                let each = shown.split(' ').map(|one| format!("--set {one}"));
                format!("write `{}`", each.collect::<Vec<_>>().join(" "))
            }
        };
        Err(other(at, "set", &shown, &self.set, &write))
    }

    /// The index of the sample that a row answers: what it says, else the number of its line. An
    /// `id` is the index if the row's texts are those of that sample; without texts it must not
    /// differ from the number.
    pub fn index(
        &self,
        row: &Row,
        number: u64,
        at: &str,
        texts: &TextWriter,
        memory: &mut Memory,
    ) -> Result<u64, Failure> {
        let (None, Some(id)) = (row.index, row.id) else { return Ok(row.index.unwrap_or(number)) };
        if id == number {
            return Ok(number);
        }
        if !row.has_texts() {
            return Err(Failure::Input(format!(
                "{at}: its id is {id}, and as line {number} from 0 it is taken for sample \
                 {number}: write \"index\", or leave \"id\" out if it is another number"
            )));
        }
        let is_its = self.sampler.sample(memory, id).is_ok()
            && self.expect_texts(row, id, at, texts, memory).is_ok();
        Ok(if is_its { id } else { number })
    }

    /// The error of a line whose texts are not those of the sample in the memory.
    pub fn expect_texts(
        &self,
        row: &Row,
        index: u64,
        at: &str,
        texts: &TextWriter,
        memory: &Memory,
    ) -> Result<(), Failure> {
        let parts = [("system", Part::System, &row.system), ("prompt", Part::Prompt, &row.prompt)];
        let has_system = self.sampler.program().layout.system.is_some();
        for (name, part, found) in parts {
            let Some(found) = found else { continue };
            // What a chat says to a model beside the template is no part of the sample.
            if part == Part::System && row.is_chat && !has_system {
                continue;
            }
            let wanted = texts.text(part, memory);
            if same(found, &wanted)
                || row.is_chat && has_system && part == Part::Prompt && {
                    let system = texts.text(Part::System, memory);
                    let rest = found.trim().strip_prefix(system.trim());
                    rest.is_some_and(|rest| same(rest, &wanted))
                }
            {
                continue;
            }
            let shown = source::difference(wanted.trim(), found.trim());
            let [wanted, found_start] = shown.map(|text| text.escape_debug().to_string());
            let write = self.right_option(index, part, found).unwrap_or_else(|| {
                "name the template, --level, --set, --split, --seed and --vocab that it was drawn \
                 with, and its index"
                    .to_string()
            });
            return Err(Failure::Input(format!(
                "{at}: its {name} is not that of sample {index}: expected `{wanted}`, found \
                 `{found_start}`: {write}"
            )));
        }
        Ok(())
    }

    /// The option with which the sample has this text, if it is one of the few that can be tried.
    fn right_option(&self, index: u64, part: Part, text: &str) -> Option<String> {
        let mut levels = load::levels(self.template);
        let own = self.sampler.program().level.clone();
        levels.sort_by_key(|level| *level != own);
        for level in levels {
            let choice = Choice { level: Some(level.clone()), ..self.choice.clone() };
            let words = load::vocabulary(choice.vocab.as_deref()).ok()?;
            let tried = self.template.level(level.as_str()).vocabulary(words).interpreted();
            let Ok(sampler) = tried.compile() else { continue };
            let sampler = sampler.inner();
            let texts =
                TextWriter::new(sampler.program(), sampler.vocabulary().clone(), Escape::None);
            for split in Split::ALL {
                let mut memory = sampler.memory(split, self.seed);
                let made = sampler.sample(&mut memory, index).is_ok();
                if made && same(&texts.text(part, &memory), text) {
                    let level = match level == own {
                        true => String::new(),
                        false => format!("--level {} ", sampler.level()),
                    };
                    return Some(format!("write `{level}--split {split}`"));
                }
            }
        }
        None
    }
}

/// The name of a template that may be written as a path or as `std:NAME`.
fn stem(name: &str) -> &str {
    let name = name.trim().strip_prefix("std:").unwrap_or(name.trim());
    let file = Path::new(name).file_name().and_then(|file| file.to_str()).unwrap_or(name);
    file.strip_suffix(".cook").unwrap_or(file)
}

/// Whether two texts are the same but for white space around them and for how lines end.
fn same(left: &str, right: &str) -> bool {
    let lines = |text: &str| text.trim().replace("\r\n", "\n");
    lines(left) == lines(right)
}

fn other(at: &str, key: &str, found: &str, asked: &str, write: &str) -> Failure {
    let asked = if asked.is_empty() { "none" } else { asked };
    let found = if found.is_empty() { "none" } else { found };
    Failure::Input(format!("{at}: its {key} is {found}, and {asked} is judged: {write}"))
}
