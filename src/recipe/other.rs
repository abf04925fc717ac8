//! The keys whose values have a form of their own, read and written.

use toml::de::DeValue;

use super::key::quoted;
use super::section::{Found, Section, number, real, span, unknown_word};
use super::{Base, Entry, Format, Named, Recipe, Shape, Words};
use crate::data::dataset::Replies;
use crate::diagnostic::Diagnostic;
use crate::model::Recompute;
use crate::model::chat::Date;
use crate::model::lora::{Lora, TARGETS};
use crate::source::Span;

/// All embedded words.
const WORDS_MAX: u64 = 4096;

/// The name of a run, which is a folder's name too.
pub fn read_name(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    let Some(name) = section.text(found, "first") else { return };
    let plain = |letter: char| !letter.is_control() && letter != '/';
    let is_plain = !name.is_empty() && !name.starts_with('.') && name.chars().all(plain);
    if !is_plain {
        let title = "a run's name is that of its folder too";
        section.error(
            Diagnostic::error("E708", title, found.span, "no folder can be called so")
                .help("write letters, digits, `-` and `_`: `name = \"first\"`"),
        );
    }
    recipe.name = is_plain.then(|| name.to_string());
}

pub fn read_base(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    let Some(text) = section.text(found, "scratch:tiny") else { return };
    let span = found.span;
    recipe.model.base = match text.strip_prefix("scratch:") {
        Some(name) => Base::Scratch(Shape::preset(name).unwrap_or_else(|| {
            let whole: Vec<String> =
                Shape::presets().map(|name| format!("scratch:{name}")).collect();
            let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
            section.error(unknown_word(found.key, text, span, &whole));
            Shape::default()
        })),
        None => Base::Folder(Named { path: text.to_string(), span }),
    };
}

pub fn base(recipe: &Recipe) -> Option<String> {
    Some(match &recipe.model.base {
        Base::Scratch(shape) => quoted(&format!("scratch:{}", shape.name)),
        Base::Folder(folder) => quoted(&folder.path),
    })
}

pub fn read_file(entry: &mut Entry, found: &Found, section: &mut Section) {
    let text = section.text(found, "std:retrieval").unwrap_or_default();
    entry.file = Named { path: text.to_string(), span: found.span };
}

pub fn file(entry: &Entry) -> Option<String> {
    Some(quoted(&entry.file.path))
}

/// `set = { documents = 8 }`
pub fn read_set(entry: &mut Entry, found: &Found, section: &mut Section) {
    let DeValue::Table(table) = found.value else {
        return section.wrong_type(found, "a table of numbers", &"{ documents = 8 }");
    };
    for (name, value) in table {
        let (name, place, value) = (name.get_ref(), span(value), value.get_ref());
        match (value, number(value)) {
            (_, Some(_)) => {
                entry.set.insert(name.to_string(), as_written(value));
            }
            (DeValue::String(text), _) => {
                entry.set.insert(name.to_string(), text.to_string());
            }
            _ => section.wrong_type_of(name, place, "a number", (value, &1)),
        }
    }
}

pub fn set(entry: &Entry) -> Option<String> {
    let both = |(name, value): (&String, &String)| match value.parse::<f64>() {
        Ok(_) => format!("{name} = {value}"),
        Err(_) => format!("{name} = {}", quoted(value)),
    };
    let set: Vec<String> = entry.set.iter().map(both).collect();
    (!set.is_empty()).then(|| format!("{{ {} }}", set.join(", ")))
}

pub fn replies(entry: &Entry) -> &str {
    match entry.replies {
        Replies::Own => "own",
        Replies::Shuffled => "shuffled",
    }
}

pub fn set_replies(entry: &mut Entry, word: &'static str) {
    entry.replies = if word == "shuffled" { Replies::Shuffled } else { Replies::Own };
}

/// A number as a template's parameters are written.
fn as_written(value: &DeValue) -> String {
    match value {
        DeValue::Integer(it) => i64::from_str_radix(it.as_str(), it.radix())
            .map_or_else(|_| it.as_str().to_string(), |number| number.to_string()),
        DeValue::Float(it) => it.as_str().to_string(),
        _ => String::new(),
    }
}

pub fn read_vocab(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    let default = Words::EMBEDDED as u64;
    recipe.data.words = match found.value {
        DeValue::String(text) if text == "tokenizer" => {
            if matches!(recipe.model.base, Base::Scratch(_)) {
                let title = "a model from scratch has no tokenizer to take words from";
                let label = "its tokenizer is made of them";
                let error = Diagnostic::error("E708", title, found.span, label);
                section.error(error.help(format!("write `vocab = {default}`")));
            }
            Words::Tokenizer
        }
        DeValue::String(text) => Words::File(Named { path: text.to_string(), span: found.span }),
        _ => {
            let count = section.integer(found, 16..=WORDS_MAX, default);
            Words::Embedded(count.unwrap_or(default) as usize)
        }
    };
}

pub fn vocab(recipe: &Recipe) -> Option<String> {
    Some(match &recipe.data.words {
        Words::Embedded(count) => count.to_string(),
        Words::Tokenizer => quoted("tokenizer"),
        Words::File(file) => quoted(&file.path),
    })
}

pub fn format(recipe: &Recipe) -> &str {
    match recipe.data.format {
        Format::Plain => "plain",
        Format::Chat => "chat",
    }
}

pub fn set_format(recipe: &mut Recipe, word: &'static str) {
    recipe.data.format = if word == "chat" { Format::Chat } else { Format::Plain };
}

pub fn answer(recipe: &Recipe) -> &str {
    recipe.data.answer.name()
}

pub fn set_answer(recipe: &mut Recipe, word: &'static str) {
    recipe.data.answer = word.parse().unwrap_or_default();
}

/// The day that a chat template is rendered with.
pub fn read_date(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    recipe.data.date = match found.value {
        DeValue::String(text) => Date::parse(text),
        _ => None,
    };
    if recipe.data.date.is_none() {
        section.wrong_type(found, "a day", &"\"2026-11-28\"");
    }
}

pub fn date(recipe: &Recipe) -> Option<String> {
    recipe.data.date.map(|date| quoted(&date.to_string()))
}

pub fn read_policy(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    if let Some(text) = section.text(found, "linear") {
        recipe.mix.policy = Named { path: text.to_string(), span: found.span };
    }
}

pub fn policy(recipe: &Recipe) -> Option<String> {
    Some(quoted(&recipe.mix.policy.path))
}

pub fn read_targets(lora: &mut Lora, found: &Found, section: &mut Section) {
    let words: Vec<&str> = TARGETS.iter().copied().chain(["all-linear"]).collect();
    let texts: Vec<(&DeValue, Span)> = match found.value {
        DeValue::Array(list) if !list.is_empty() => {
            list.iter().map(|item| (item.get_ref(), span(item))).collect()
        }
        one => vec![(one, found.span)],
    };
    let mut targets = Vec::new();
    for (value, place) in texts {
        match value {
            DeValue::String(text) if words.contains(&text.as_ref()) => {
                targets.push(text.to_string());
            }
            DeValue::String(text) => section.error(unknown_word(found.key, text, place, &words)),
            other => {
                let example = "[\"q_proj\", \"v_proj\"]";
                section.wrong_type_of(found.key, place, "a list of names", (other, &example));
            }
        }
    }
    if !targets.is_empty() {
        lora.targets = targets;
    }
}

pub fn targets(lora: &Lora) -> Option<String> {
    let targets: Vec<String> = lora.targets.iter().map(|name| quoted(name)).collect();
    Some(format!("[{}]", targets.join(", ")))
}

/// A warm-up in steps, as a share of all steps, which are read before.
pub fn read_warmup_steps(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    let all = recipe.train.steps;
    let Some(steps) = section.integer(found, 0..=all, 100) else { return };
    if section.place("warmup_ratio").is_some() {
        let title = "`warmup_steps` and `warmup_ratio` say the same";
        let error = Diagnostic::error("E708", title, found.span, "both are written");
        return section.error(error.help("leave one of them out"));
    }
    // The share times all steps is rounded up: half a step less, and it is this number again.
    recipe.train.warmup = (steps as f64 - 0.5).max(0.0) / all as f64;
}

pub fn read_betas(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    let numbers: Vec<f64> = match found.value {
        DeValue::Array(list) => list.iter().filter_map(|item| number(item.get_ref())).collect(),
        _ => Vec::new(),
    };
    match numbers[..] {
        [first, second] if [first, second].iter().all(|beta| (0.0..1.0).contains(beta)) => {
            recipe.train.betas = [first, second];
        }
        _ => {
            let wanted = "a list of two numbers from 0 to below 1";
            section.wrong_type(found, wanted, &"[0.9, 0.999]");
        }
    }
}

pub fn betas(recipe: &Recipe) -> Option<String> {
    let [first, second] = recipe.train.betas.map(real);
    Some(format!("[{first}, {second}]"))
}

/// A word, or a boolean as elsewhere: all of it or nothing.
pub fn read_checkpointing(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    let word = match found.value {
        DeValue::Boolean(true) => Some("full"),
        DeValue::Boolean(false) => Some("none"),
        _ => section.word(found, &["none", "mlp", "full"]),
    };
    recipe.train.recompute = match word {
        Some("mlp") => Recompute::Mlp,
        Some("full") => Recompute::Full,
        _ => Recompute::None,
    };
}

pub fn checkpointing(recipe: &Recipe) -> Option<String> {
    Some(quoted(match recipe.train.recompute {
        Recompute::None => "none",
        Recompute::Mlp => "mlp",
        Recompute::Full => "full",
    }))
}
