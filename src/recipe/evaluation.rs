//! The keys of `[eval]`, and of the table `[eval.tasks]` in it.

use toml::de::DeValue;

use super::key::Kind::{Integer, MaybeReal};
use super::key::Role::Noted;
use super::key::{Key, Kind, Other, quoted};
use super::keys::LARGEST;
use super::section::{Found, Section};
use super::{Named, Recipe, Tasks};
use crate::diagnostic::Diagnostic;

/// The wordings of tasks.
const STYLES: [&str; 2] = ["lm-eval", "olmes"];
/// More items than any task has, and more shots than any model reads.
const ITEMS_MAX: u64 = 100_000_000;
const SHOTS_MAX: u64 = 255;

/// `[eval]`
pub(super) const EVAL: &[Key<Recipe>] = &[
    Key::new(
        "samples",
        &[],
        Integer(1, 1_000_000, |it| &mut it.eval.samples),
        Noted,
        "held-out samples of each template",
    ),
    Key::new(
        "every",
        &["eval_steps"],
        Integer(0, LARGEST, |it| &mut it.eval.every),
        Noted,
        "steps between evaluations during training; 0 for before and after only",
    ),
    Key::new(
        "patience",
        &["early_stopping_patience"],
        Integer(0, LARGEST, |it| &mut it.eval.patience),
        Noted,
        "stop after this many evaluations in a row without more exact replies than the best \
         before; 0 for never",
    ),
    Key::new(
        "until_exact",
        &[],
        MaybeReal(0.0, 1.0, |it: &mut Recipe| &mut it.eval.until_exact),
        Noted,
        "stop when this share of replies is exact",
    )
    .by_default("none"),
    Key::new(
        "tasks",
        &[],
        Kind::Other(Other { form: "a table", read, write }),
        Noted,
        "tasks with known answers, evaluated at the same steps: `names` (`gpt4all`, names and \
         files with commas between), `limit` (items of each; 0 for all), `shots`, `style` \
         (`lm-eval` or `olmes`) and `data` (the folder with copies of data sets), as of \
         `cookc eval`",
    )
    .by_default("none"),
];

/// `tasks = { names = "gpt4all", limit = 100 }`, or the same as a table of its own.
fn read(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    recipe.eval.tasks = tasks("[eval.tasks]", found, section).or(recipe.eval.tasks.take());
}

/// The same below `[mix]`.
pub(super) fn read_of_mix(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    recipe.mix.tasks = tasks("[mix.tasks]", found, section).or(recipe.mix.tasks.take());
}

fn tasks(name: &'static str, found: &Found, section: &mut Section) -> Option<Tasks> {
    let DeValue::Table(table) = found.value else {
        section.wrong_type(found, "a table", &"{ names = \"gpt4all\", limit = 100 }");
        return None;
    };
    let mut errors = Vec::new();
    let mut inner = Section::new(name, Some(table), &mut errors);
    let names = inner.find("names", &["tasks"]);
    let names = names.and_then(|it| Some((inner.text(&it, "gpt4all")?, it.span)));
    let mut number = |name: &'static str, most: u64| {
        let found = inner.find(name, &[]);
        found.and_then(|found| inner.integer(&found, 0..=most, 0)).unwrap_or(0)
    };
    let (limit, shots) = (number("limit", ITEMS_MAX), number("shots", SHOTS_MAX));
    let style = inner.find("style", &[]).and_then(|found| inner.word(&found, &STYLES));
    let data = inner.find("data", &[]).and_then(|found| inner.text(&found, "target/tasks"));
    let data = data.unwrap_or_default().to_string();
    inner.finish();
    errors.into_iter().for_each(|error| section.error(error));
    let Some((names, span)) = names else {
        let error = Diagnostic::error("E708", "no task is named", found.span, "in this table");
        section.error(error.help("write `names = \"gpt4all\"`"));
        return None;
    };
    let names = Named { path: names.to_string(), span };
    let style = style.unwrap_or(STYLES[0]).to_string();
    Some(Tasks { names, limit, shots, style, data })
}

/// As TOML.
fn write(recipe: &Recipe) -> Option<String> {
    recipe.eval.tasks.as_ref().map(text)
}

/// The same of those below `[mix]`.
pub(super) fn write_of_mix(recipe: &Recipe) -> Option<String> {
    recipe.mix.tasks.as_ref().map(text)
}

fn text(tasks: &Tasks) -> String {
    let Tasks { names, limit, shots, style, data } = tasks;
    let data = match data.as_str() {
        "" => String::new(),
        data => format!(", data = {}", quoted(data)),
    };
    let (names, style) = (quoted(&names.path), quoted(style));
    format!("{{ names = {names}, limit = {limit}, shots = {shots}, style = {style}{data} }}")
}
