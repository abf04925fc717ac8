//! A line of replies, and whether it belongs to the sample that it is judged against.

use serde::Deserialize;
use serde_json::Value;

use super::super::options::Choice;
use super::super::{Failure, load};
use crate::data::layout::{Escape, Part, TextWriter};
use crate::data::{EVAL, Maker, TRAIN};
use crate::runtime::Memory;
use crate::source;
use crate::template::Template;

/// A line of the replies. What it says of its sample is compared with the sample made again.
#[derive(Debug, Deserialize)]
pub struct Line {
    /// What a model wrote.
    pub reply: String,
    /// Of which sample.
    pub index: Option<u64>,
    template: Option<String>,
    level: Option<String>,
    set: Option<Value>,
    split: Option<String>,
    seed: Option<u64>,
    system: Option<Value>,
    prompt: Option<Value>,
}

/// What the samples are made with.
pub struct Key<'a> {
    /// To make others, when one is not the right one.
    pub template: &'a Template,
    /// The level and the settings.
    pub choice: &'a Choice,
    /// Makes the samples.
    pub maker: &'a Maker,
    /// What is set, as rows name it.
    pub set: String,
    /// The split.
    pub split: &'static str,
    /// The seed.
    pub seed: u64,
}

impl Key<'_> {
    /// The fault of a line that names another template, level, setting, split or seed.
    pub fn expect(&self, line: &Line, at: &str) -> Result<(), Failure> {
        let program = self.maker.program();
        if let Some(found) = line.template.as_ref().filter(|found| **found != program.name) {
            let asked = &program.name;
            return Err(other(at, "template", found, asked, &format!("judge it with `{found}`")));
        }
        if let Some(found) = line.level.as_ref().filter(|found| *found != self.maker.level()) {
            let write = match found.as_str() {
                crate::data::DEFAULT_LEVEL => "leave `--level` out".to_string(),
                found => format!("write `--level {found}`"),
            };
            let asked = format!("--level {}", self.maker.level());
            return Err(other(at, "level", found, &asked, &write));
        }
        let found = line.set.as_ref().and_then(Value::as_str);
        if let Some(found) = found.filter(|found| *found != self.set) {
            let write = match found.is_empty() {
                true => "leave `--set` out".to_string(),
                false => {
                    let each = found.split(' ').map(|one| format!("--set {one}"));
                    format!("write `{}`", each.collect::<Vec<_>>().join(" "))
                }
            };
            return Err(other(at, "set", found, &self.set, &write));
        }
        if let Some(found) = line.split.as_ref().filter(|found| *found != self.split) {
            let asked = format!("--split {}", self.split);
            return Err(other(at, "split", found, &asked, &format!("write `--split {found}`")));
        }
        if let Some(found) = line.seed.filter(|found| *found != self.seed) {
            let asked = format!("--seed {}", self.seed);
            let write = format!("write `--seed {found}`");
            return Err(other(at, "seed", &found.to_string(), &asked, &write));
        }
        Ok(())
    }

    /// The fault of a line whose texts are not those of the sample in the memory.
    pub fn expect_texts(
        &self,
        line: &Line,
        index: u64,
        at: &str,
        texts: &TextWriter,
        memory: &Memory,
    ) -> Result<(), Failure> {
        let parts =
            [("system", Part::System, &line.system), ("prompt", Part::Prompt, &line.prompt)];
        for (name, part, found) in parts {
            let Some(found) = found.as_ref().and_then(Value::as_str) else { continue };
            let wanted = texts.text(part, memory);
            if found.trim() == wanted.trim() {
                continue;
            }
            let shown = source::difference(wanted.trim(), found.trim());
            let [wanted, found_start] = shown.map(|text| text.escape_debug().to_string());
            let write = self.right_option(index, part, found).unwrap_or_else(|| {
                "name the template, --level, --set, --split, --seed and --vocab that it was made \
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
        let own = self.maker.program().level.clone();
        levels.sort_by_key(|level| *level != own);
        for level in levels {
            let choice = Choice { level: Some(level.clone()), ..self.choice.clone() };
            let words = load::vocabulary(choice.vocab.as_deref()).ok()?;
            let tried = self.template.level(level.as_str()).vocabulary(words).interpreted();
            let Ok(sampler) = tried.compile() else { continue };
            let maker = sampler.maker();
            let texts = TextWriter::new(maker.program(), maker.vocabulary.clone(), Escape::None);
            for split in [TRAIN, EVAL] {
                let mut memory = maker.memory(split, self.seed);
                let made = maker.sample(&mut memory, index).is_ok();
                if made && texts.text(part, &memory).trim() == text.trim() {
                    let level = match level == own {
                        true => String::new(),
                        false => format!("--level {} ", maker.level()),
                    };
                    return Some(format!("write `{level}--split {split}`"));
                }
            }
        }
        None
    }
}

fn other(at: &str, key: &str, found: &str, asked: &str, write: &str) -> Failure {
    let asked = if asked.is_empty() { "none" } else { asked };
    let found = if found.is_empty() { "none" } else { found };
    Failure::Input(format!("{at}: its {key} is {found}, and {asked} is judged: {write}"))
}
