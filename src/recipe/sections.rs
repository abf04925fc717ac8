//! The tables of a recipe, read by the table of keys and held against each other.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::checks;
use super::evaluation::EVAL;
use super::key::Key;
use super::keys::{BASE, DATA, LORA, MODEL, SHAPE, TEMPLATE, TOP, TRAIN};
use super::mixing::MIX;
use super::section::{Section, span};
use super::study::STUDY;
use super::texts::texts;
use super::{Base, Entry, Recipe, Words};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Reads all tables; what is wrong is noted, and its default is taken.
pub(super) fn recipe(table: &DeTable, errors: &mut Vec<Diagnostic>) -> Recipe {
    let mut recipe = Recipe::default();
    let mut top = Section::new("", Some(table), errors);
    let [model, data, mix, lora, train, eval, study] =
        ["model", "data", "mix", "lora", "train", "eval", "study"]
            .map(|name| sub_table(&mut top, name));
    let [entries, rows] =
        ["template", "text"].map(|name| top.find(name, &[]).map(|found| (found.value, found.span)));
    read(TOP, &mut recipe, &mut top);
    top.finish();
    let adapters = lora.is_some();
    self::model(model, adapters, &mut recipe, errors);
    recipe.texts = texts(rows, errors);
    recipe.templates = templates(entries, !recipe.texts.is_empty(), errors);
    if matches!(recipe.model.base, Base::Folder(_)) {
        recipe.data.words = Words::Tokenizer;
    }
    whole("[data]", data, (DATA, checks::data), &mut recipe, errors);
    whole("[mix]", mix, (MIX, |_, _| {}), &mut recipe, errors);
    if let Some(table) = lora {
        let mut lora = super::adapters();
        whole("[lora]", Some(table), (LORA, |_, _| {}), &mut lora, errors);
        recipe.lora = Some(lora);
    }
    recipe.train.seed = recipe.data.seed;
    whole("[train]", train, (TRAIN, checks::train), &mut recipe, errors);
    whole("[eval]", eval, (EVAL, checks::eval), &mut recipe, errors);
    whole("[study]", study, (STUDY, |_, _| {}), &mut recipe, errors);
    recipe
}

/// Reads some keys.
fn read<T>(keys: &[Key<T>], into: &mut T, section: &mut Section) {
    keys.iter().for_each(|key| key.read(into, section));
}

/// What a table's keys must be together, beyond each alone.
type Check<T> = fn(&T, &mut Section);

/// Reads a table and checks that its keys fit together.
fn whole<T>(
    name: &'static str,
    table: Option<&DeTable>,
    (keys, check): (&[Key<T>], Check<T>),
    into: &mut T,
    errors: &mut Vec<Diagnostic>,
) {
    let mut section = Section::new(name, table, errors);
    read(keys, into, &mut section);
    check(into, &mut section);
    section.finish();
}

fn sub_table<'a>(top: &mut Section<'a, '_>, key: &'static str) -> Option<&'a DeTable<'a>> {
    let found = top.find(key, &[])?;
    if let DeValue::Table(table) = found.value {
        return Some(table);
    }
    let title = format!("`{key}` is a table");
    let label = match found.value {
        DeValue::Array(_) => "this makes a list of tables",
        _ => "this is a single value",
    };
    let error = Diagnostic::error("E703", title, found.span, label);
    top.error(error.help(format!("write `[{key}]`")));
    None
}

/// `[model]`
fn model(
    table: Option<&DeTable>,
    adapters: bool,
    recipe: &mut Recipe,
    errors: &mut Vec<Diagnostic>,
) {
    let mut section = Section::new("[model]", table, errors);
    read(BASE, recipe, &mut section);
    match &mut recipe.model.base {
        Base::Scratch(shape) => {
            read(SHAPE, shape, &mut section);
            checks::shape(shape, &mut section);
        }
        Base::Folder(named) => {
            for key in SHAPE {
                if let Some(found) = section.find(key.name, key.aliases) {
                    checks::of_scratch(&found, &mut section);
                }
            }
            checks::folder(named, adapters, &mut section);
        }
    }
    read(MODEL, recipe, &mut section);
    checks::model(recipe, &mut section);
    section.finish();
}

/// `[[template]]`, one or more
fn templates(
    entries: Option<(&DeValue, Span)>,
    has_texts: bool,
    errors: &mut Vec<Diagnostic>,
) -> Vec<Entry> {
    let error = |title: &str, span: Span, label: &str| {
        Diagnostic::error("E703", title, span, label)
            .help("write `[[template]]`, and below it `file = \"std:retrieval\"`")
    };
    match entries {
        Some((DeValue::Array(list), _)) if !list.is_empty() => {
            return list.iter().filter_map(|item| entry(item, errors)).collect();
        }
        Some((_, place)) => {
            errors.push(error("`template` is a list of tables", place, "this is none"));
        }
        None => {
            let title = "the recipe has no template";
            let (label, beside) = match has_texts {
                true => ("nothing to evaluate with", " and `weight = 0.0`"),
                false => ("nothing to train on", ""),
            };
            let help =
                format!("write `[[template]]`, and below it `file = \"std:retrieval\"`{beside}");
            errors.push(Diagnostic::error("E708", title, Span::default(), label).help(help));
        }
    }
    Vec::new()
}

fn entry(item: &Spanned<DeValue>, errors: &mut Vec<Diagnostic>) -> Option<Entry> {
    let DeValue::Table(table) = item.get_ref() else {
        let title = "`template` is a list of tables";
        errors.push(
            Diagnostic::error("E703", title, span(item), "this is no table")
                .help("write `[[template]]`, and below it `file = \"std:retrieval\"`"),
        );
        return None;
    };
    let mut section = Section::new("[[template]]", Some(table), errors);
    let mut entry = Entry::default();
    read(TEMPLATE, &mut entry, &mut section);
    if section.place("file").is_none() {
        let title = "a template without its `file`";
        section.error(
            Diagnostic::error("E708", title, span(item), "this one")
                .help("write `file = \"std:retrieval\"`, or a path"),
        );
    }
    section.finish();
    (!entry.file.path.is_empty()).then_some(entry)
}
