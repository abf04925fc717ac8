//! The keys of `[study]`: which arms are trained, and which rules score which task.

use std::fmt::Display;

use toml::de::{DeTable, DeValue};

use super::key::Kind::{Integer, Real};
use super::key::Role::Free;
use super::key::{Key, Kind, Other, quoted};
use super::section::{Found, Section, span};
use super::{Named, Recipe};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// More rows than anyone waits for.
const ROWS_MAX: u64 = 100_000_000;

const PAIR: &str = "[{ template = \"std:answer_overlap\", task = \"facts.toml\", \
                    map = { document = \"context\" } }]";
const ENGLISH: &str = "{ file = \"english.jsonl\", text = \"{{ context }}\", limit = 200 }";

/// `[study]`
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// What is trained; what a recipe has not is left out.
    pub arms: Vec<Arm>,
    /// Held-out samples of each template.
    pub samples: u64,
    /// The score from which on an answer obeys a rule.
    pub obeyed: f64,
    /// Which rules score which task.
    pub align: Vec<Pair>,
    /// Plain English, of which the loss is measured.
    pub english: Option<English>,
}

impl Default for Study {
    fn default() -> Study {
        let arms = Arm::ALL.to_vec();
        Study { arms, samples: 100, obeyed: 0.5, align: Vec::new(), english: None }
    }
}

/// What a model of a study is trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arm {
    /// Each template alone.
    Singles,
    /// The recipe's own mixture.
    Mixture,
    /// Equal weights.
    Uniform,
    /// The adapters of the single templates averaged in the shares of the recipe's own mixture,
    /// which are not trained any further.
    Merged,
    /// The recipe's own mixture, with shuffled replies.
    Shuffled,
    /// The recipe's texts alone, for as many tokens as its mixture.
    Text,
}

impl Arm {
    /// All, in the order in which they are trained.
    pub const ALL: [Arm; 6] =
        [Arm::Singles, Arm::Mixture, Arm::Uniform, Arm::Merged, Arm::Shuffled, Arm::Text];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Arm::Singles => "singles",
            Arm::Mixture => "mixture",
            Arm::Uniform => "uniform",
            Arm::Merged => "merged",
            Arm::Shuffled => "shuffled",
            Arm::Text => "text",
        }
    }
}

/// A template whose rules score the rows of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// The template, one of the recipe's.
    pub template: Named,
    /// The task, one of the recipe's.
    pub task: Named,
    /// The template's values, and the paths of the columns that they are in.
    pub map: Vec<(String, String)>,
    /// Where the map is; the pair, if it has none.
    pub span: Span,
}

/// Rows of plain English.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct English {
    /// The rows.
    pub file: Named,
    /// What is read of each, in Jinja.
    pub text: Named,
    /// The first rows only; 0 for all.
    pub limit: u64,
}

/// `[study]`
pub(super) const STUDY: &[Key<Recipe>] = &[
    Key::new(
        "arms",
        &[],
        Kind::Other(Other { form: "a list of words", read: read_arms, write: write_arms }),
        Free,
        "what is trained beside the base: `singles`, each template alone; `mixture`, the recipe's \
         own; `uniform`, equal weights; `merged`, the adapters of the single templates averaged in \
         the mixture's shares; `shuffled`, the mixture with shuffled replies, from which the \
         format can be learned and no rule; `text`, its texts alone, for as many tokens",
    )
    .by_default("all"),
    Key::new(
        "samples",
        &[],
        Integer(2, 1_000_000, |it| &mut it.study.samples),
        Free,
        "held-out samples of each template, trained on or not",
    ),
    Key::new(
        "obeyed",
        &[],
        Real(0.0, 1.0, |it| &mut it.study.obeyed),
        Free,
        "score from which on an answer counts as one that obeys the rules, where items are split \
         by that",
    ),
    Key::new(
        "align",
        &[],
        Kind::Other(Other { form: "a list of tables", read: read_pairs, write: write_pairs }),
        Free,
        "which rules score which task: `[[study.align]]`, and below it `template`, `task` and \
         `map`, the columns that the template's values are in, as of `cookc align --map`",
    )
    .by_default("none"),
    Key::new(
        "english",
        &[],
        Kind::Other(Other { form: "a table", read: read_english, write: write_english }),
        Free,
        "rows of plain English, whose loss is measured before and after: `file`, `text` (in Jinja, \
         such as `\"{{ context }}\"`) and `limit`",
    )
    .by_default("none"),
];

fn read_arms(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    let DeValue::Array(all) = found.value else {
        return section.wrong_type(found, "a list of words", &"[\"singles\", \"mixture\"]");
    };
    recipe.study.arms.clear();
    for one in all {
        let found = Found { key: found.key, value: one.get_ref(), span: span(one) };
        let word = section.word(&found, &Arm::ALL.map(Arm::name));
        let arm = word.and_then(|word| Arm::ALL.into_iter().find(|arm| arm.name() == word));
        recipe.study.arms.extend(arm);
    }
    recipe.study.arms.sort();
    recipe.study.arms.dedup();
}

fn write_arms(recipe: &Recipe) -> Option<String> {
    let is_default = recipe.study.arms == Arm::ALL;
    let arms: Vec<String> = recipe.study.arms.iter().map(|arm| quoted(arm.name())).collect();
    (!is_default).then(|| format!("[{}]", arms.join(", ")))
}

fn read_pairs(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    let DeValue::Array(all) = found.value else {
        return section.wrong_type(found, "a list of tables", &PAIR);
    };
    for one in all {
        let place = span(one);
        match one.get_ref() {
            DeValue::Table(table) => recipe.study.align.extend(pair(table, place, section)),
            other => {
                let what = (other, &PAIR as &dyn Display);
                section.wrong_type_of("align", place, "a list of tables", what);
            }
        }
    }
}

fn pair(table: &DeTable, place: Span, section: &mut Section) -> Option<Pair> {
    let mut errors = Vec::new();
    let mut inner = Section::new("[[study.align]]", Some(table), &mut errors);
    let [template, task] = ["template", "task"].map(|key| named(&mut inner, key, "facts.toml"));
    let mut pair = Pair { span: place, ..Pair::default() };
    if let Some(found) = inner.find("map", &[]) {
        pair.span = found.span;
        pair.map = map(&found, &mut inner);
    }
    for (key, is_there) in [("template", template.is_some()), ("task", task.is_some())] {
        if !is_there && inner.place(key).is_none() {
            let title = format!("a pair without its `{key}`");
            let error = Diagnostic::error("E708", title, place, "this one");
            inner.error(error.help(format!("write `align = {PAIR}`")));
        }
    }
    inner.finish();
    errors.into_iter().for_each(|error| section.error(error));
    Some(Pair { template: template?, task: task?, ..pair })
}

/// `map = { document = "context", answer = "answers.0" }`
fn map(found: &Found, section: &mut Section) -> Vec<(String, String)> {
    const EXAMPLE: &str = "{ document = \"context\" }";
    let DeValue::Table(table) = found.value else {
        section.wrong_type(found, "a table of texts", &EXAMPLE);
        return Vec::new();
    };
    let mut map = Vec::new();
    for (name, value) in table {
        let name = name.get_ref().to_string();
        match value.get_ref() {
            DeValue::String(path) => map.push((name, path.to_string())),
            other => {
                let what = (other, &EXAMPLE as &dyn Display);
                section.wrong_type_of(&name, span(value), "a text in quotes", what);
            }
        }
    }
    map
}

fn named(section: &mut Section, key: &'static str, example: &str) -> Option<Named> {
    let found = section.find(key, &[])?;
    let path = section.text(&found, example)?.to_string();
    Some(Named { path, span: found.span })
}

fn write_pairs(recipe: &Recipe) -> Option<String> {
    let one = |pair: &Pair| {
        let map =
            pair.map.iter().map(|(name, path)| format!("{} = {}", quoted(name), quoted(path)));
        let map: Vec<String> = map.collect();
        let (template, task) = (quoted(&pair.template.path), quoted(&pair.task.path));
        format!("{{ template = {template}, task = {task}, map = {{ {} }} }}", map.join(", "))
    };
    let all: Vec<String> = recipe.study.align.iter().map(one).collect();
    (!all.is_empty()).then(|| format!("[{}]", all.join(", ")))
}

fn read_english(recipe: &mut Recipe, found: &Found, section: &mut Section) {
    let DeValue::Table(table) = found.value else {
        return section.wrong_type(found, "a table", &ENGLISH);
    };
    let mut errors = Vec::new();
    let mut inner = Section::new("[study.english]", Some(table), &mut errors);
    let file = named(&mut inner, "file", "english.jsonl");
    let text = named(&mut inner, "text", "{{ context }}");
    let limit = inner.find("limit", &[]);
    let limit = limit.and_then(|found| inner.integer(&found, 0..=ROWS_MAX, 200)).unwrap_or(0);
    inner.finish();
    errors.into_iter().for_each(|error| section.error(error));
    match (file, text) {
        (Some(file), Some(text)) => recipe.study.english = Some(English { file, text, limit }),
        _ => {
            let title = "plain English has a `file`, and a `text` of each row";
            let error = Diagnostic::error("E708", title, found.span, "this table");
            section.error(error.help(format!("write `english = {ENGLISH}`")));
        }
    }
}

fn write_english(recipe: &Recipe) -> Option<String> {
    let English { file, text, limit } = recipe.study.english.as_ref()?;
    let (file, text) = (quoted(&file.path), quoted(&text.path));
    Some(format!("{{ file = {file}, text = {text}, limit = {limit} }}"))
}
