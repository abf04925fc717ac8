//! A task's file: TOML, read key by key.

use std::fmt::Display;
use std::path::Path;

use fancy_regex::Regex;
use toml::de::{DeTable, DeValue};

use super::field::{Field, Place, Unreadable};
use super::{Choice, Data, Kind, Metric, Replacement, Style, Task, builtin};
use crate::diagnostic::{Diagnostic, near_miss};
use crate::recipe;
use crate::recipe::section::{Found, Section, span, unknown_word};
use crate::source::{Source, Span};
use crate::template::{Error, text_of};

/// The most tokens of a reply unless the file says otherwise, as of lm-evaluation-harness.
const TOKENS_MAX: u64 = 256;
/// More than any model reads.
const TOKENS_LIMIT: u64 = 1 << 20;

/// The tasks of a list such as `gpt4all`, `boolq,piqa` or `my.toml`, each once.
///
/// # Errors
/// [`Error::Input`] for a name that is none, and those of [`parse`].
pub fn named(list: &str, style: Style) -> Result<Vec<Task>, Error> {
    let mut tasks: Vec<Task> = Vec::new();
    for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let of_group = builtin::names().filter(|_| name == builtin::GPT4ALL);
        let mut found = of_group.map(|one| built_in(one, style)).collect::<Result<Vec<_>, _>>()?;
        if found.is_empty() {
            found.push(one(name, style)?);
        }
        for task in found {
            match tasks.iter().find(|other| other.name == task.name) {
                None => tasks.push(task),
                Some(other) if other.file == task.file => {}
                Some(other) => {
                    return Err(Error::Input(format!(
                        "{} and {} are both called `{}`: write another `name` in one of them",
                        other.file, task.file, task.name
                    )));
                }
            }
        }
    }
    match tasks.is_empty() {
        true => Err(Error::Input(format!("no task is named; {}", known()))),
        false => Ok(tasks),
    }
}

fn one(name: &str, style: Style) -> Result<Task, Error> {
    if builtin::text(name).is_some() {
        return built_in(name, style);
    }
    if name.ends_with(".toml") || name.contains('/') {
        return parse(&Source::new(name, text_of(Path::new(name))?), style);
    }
    let near = near_miss(name, builtin::names().chain([builtin::GPT4ALL]));
    let write = near.map_or_else(known, |near| format!("write `{near}`"));
    Err(Error::Input(format!("there is no task `{name}`: {write}")))
}

fn known() -> String {
    let names: Vec<&str> = builtin::names().collect();
    format!("the tasks are {}, or a file that ends with .toml", names.join(", "))
}

fn built_in(name: &str, style: Style) -> Result<Task, Error> {
    let text = builtin::text(name).unwrap_or_default();
    // No file of a user's is called so.
    parse(&Source::new(format!("<built in>/{name}.toml"), text), style)
}

/// Reads a task's file.
///
/// # Errors
/// [`Error::Invalid`] for a key that is unknown or has a value of the wrong type, and
/// [`Error::Input`] for what is missing or does not fit together.
pub fn parse(source: &Source, style: Style) -> Result<Task, Error> {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        let errors = errors.iter().map(|error| recipe::invalid(error, source)).collect();
        return Err(Error::invalid(source, errors));
    }
    let mut table = table.into_inner();
    // A style is the same file with some keys of its own.
    if let Some((_, own)) = table.remove_entry(Style::Olmes.name())
        && style == Style::Olmes
        && let DeValue::Table(own) = own.into_inner()
    {
        for (key, value) in own {
            table.remove(key.get_ref().as_ref());
            table.insert(key, value);
        }
    }
    let mut notes = Notes { source, errors: Vec::new(), failed: None };
    let task = task(&table, &mut notes);
    if !notes.errors.is_empty() {
        return Err(Error::invalid(source, notes.errors));
    }
    match (notes.failed, task) {
        (None, Some(task)) => Ok(task),
        (failed, _) => Err(Error::Input(failed.unwrap_or_default())),
    }
}

/// What is wrong in a file: keys and values as diagnostics, and the first other error. All keys are
/// read before any of it is said, so that no known one counts as unknown.
struct Notes<'a> {
    source: &'a Source,
    errors: Vec<Diagnostic>,
    failed: Option<String>,
}

impl Notes<'_> {
    fn fail(&mut self, place: Option<Span>, text: &str) {
        let line = place.map(|place| format!(", line {}", self.source.position(place.start).0));
        let text = format!("{}{}: {text}", self.source.name, line.unwrap_or_default());
        self.failed.get_or_insert(text);
    }

    fn lacks(&mut self, key: &str, write: &str) {
        self.fail(None, &format!("there is no `{key}`: write {write}"));
    }
}

/// Where the text of a value begins: that of three quotes and a line break begins below them.
fn place_of(source: &Source, span: Span) -> Place {
    let quoted = |quotes: [&str; 2]| quotes.iter().any(|it| source.slice(span).starts_with(it));
    let line = source.position(span.start).0 + usize::from(quoted(["\"\"\"\n", "'''\n"]));
    Place { line, is_long: quoted(["\"\"\"", "'''"]) }
}

/// Reads all keys.
fn task(table: &DeTable, notes: &mut Notes) -> Option<Task> {
    let mut errors = Vec::new();
    let mut section = Section::new("a task", Some(table), &mut errors);
    let kind = section.find("kind", &[]);
    let kind = kind.and_then(|found| section.word(&found, &["choice", "generate"]));
    let is_choice = kind == Some("choice");
    let [name, version, delimiter, shots_delimiter] =
        ["name", "version", "delimiter", "shots_delimiter"]
            .map(|key| section.find(key, &[]).and_then(|it| section.text(&it, "facts")))
            .map(|text| text.map(String::from));
    if let Some(name) = name.as_deref().filter(|name| !is_plain(name)) {
        let place = section.place("name");
        let why = format!(
            "`name` is `{name}`, and files are called by it: write letters, digits, `-` and `_`"
        );
        notes.fail(place, &why);
    }
    let contexts = fields(&mut section, notes, "context", Field::text);
    let gold = fields(&mut section, notes, "gold", Field::value).pop();
    let replace = section.find("replace", &[]);
    let replace = replace.map_or(vec![], |found| replacements(&found, &mut section, notes));
    let data = section.find("data", &[]);
    let data = data.and_then(|found| data_of(&found, &mut section, notes));
    let choice = choice(&mut section, notes, is_choice, contexts.len() > 1);
    let generate = generate(&mut section, notes);
    if let Some(kind) = kind {
        expect_of_kind(&section, notes, kind);
    }
    let mut known = if is_choice { Metric::CHOICE } else { Metric::GENERATE }.to_vec();
    known.retain(|metric| match metric {
        Metric::AccNorm => contexts.len() == 1,
        Metric::AccUncond => choice.unconditional.is_some(),
        _ => true,
    });
    let (metrics, main) = metrics(&mut section, notes, &known, is_choice);
    section.finish();
    notes.errors.extend(errors);
    for (key, is_there, write) in [
        ("kind", kind.is_some(), "`kind = \"choice\"` or `kind = \"generate\"`"),
        ("context", !contexts.is_empty(), "`context = \"{{ question }}\"`"),
        ("gold", gold.is_some(), "`gold = \"{{ label }}\"`"),
        ("data", data.is_some(), "`[data]` and below it `path = \"items.jsonl\"`"),
    ] {
        if !is_there {
            notes.lacks(key, write);
        }
    }
    Some(Task {
        name: name.unwrap_or_else(|| stem(&notes.source.name)),
        version: version.unwrap_or_else(|| "0".into()),
        data: data?,
        metrics,
        main,
        kind: if is_choice { Kind::Choice(choice) } else { generate },
        file: notes.source.name.to_string(),
        contexts,
        gold: gold?,
        replace,
        delimiter: delimiter.unwrap_or_else(|| " ".into()),
        shots_delimiter: shots_delimiter.unwrap_or_else(|| "\n\n".into()),
    })
}

/// Keys of the other kind would do nothing.
fn expect_of_kind(section: &Section, notes: &mut Notes, kind: &str) {
    let [other, keys] = match kind {
        "choice" => ["generate", "until max_gen_toks max_new_tokens"],
        _ => ["choice", "choices continuation unconditional"],
    };
    for key in keys.split(' ') {
        if let Some(place) = section.place(key) {
            let why =
                format!("`{key}` is of `kind = \"{other}\"`, and this is `{kind}`: leave it out");
            notes.fail(Some(place), &why);
        }
    }
}

/// Whether a file can be called so, beside others.
fn is_plain(name: &str) -> bool {
    let plain = |letter: char| !letter.is_control() && letter != '/';
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

/// What a model chooses from.
fn choice(section: &mut Section, notes: &mut Notes, is_choice: bool, has_contexts: bool) -> Choice {
    let choices = fields(section, notes, "choices", Field::value);
    let continuation = fields(section, notes, "continuation", Field::text);
    let unconditional = section.find("unconditional", &[]);
    let unconditional = unconditional.and_then(|found| section.text(&found, "Answer:"));
    let (continuations, other) = match has_contexts {
        true => (continuation, choices),
        false => (choices, continuation),
    };
    let [key, why] = match has_contexts {
        true => ["continuation", "one text follows several contexts: write `continuation`"],
        false => ["choices", "several texts follow one context: write `choices`"],
    };
    match other.first() {
        Some(other) if is_choice && !continuations.is_empty() => {
            let why = format!("`{}` has no use beside `{key}`: leave it out", other.key);
            notes.fail(section.place(other.key), &why);
        }
        Some(other) if is_choice => notes.fail(section.place(other.key), why),
        None if is_choice && continuations.is_empty() => match section.place(key) {
            None => notes.lacks(key, &format!("`{key} = \"{{{{ {key} }}}}\"`")),
            place => {
                notes.fail(place, &format!("`{key}` is an empty list: write two texts or more"))
            }
        },
        _ => {}
    }
    if has_contexts && unconditional.is_some() {
        let why = "`unconditional` takes the place of one context, and there are several";
        notes.fail(section.place("unconditional"), why);
    }
    Choice { continuations, unconditional: unconditional.map(String::from) }
}

/// How a model writes.
fn generate(section: &mut Section, notes: &mut Notes) -> Kind {
    let found = section.find("until", &[]);
    let until = found.map_or(vec![], |found| texts(&found, section));
    if let Some((_, place)) = until.iter().find(|(text, _)| text.is_empty()) {
        notes.fail(Some(*place), "an empty text in `until` ends every reply");
    }
    let until = until.iter().map(|(text, _)| text.to_string()).collect();
    let found = section.find("max_gen_toks", &["max_new_tokens"]);
    let tokens = found.and_then(|it| section.integer(&it, 1..=TOKENS_LIMIT, TOKENS_MAX));
    Kind::Generate { until, tokens_max: tokens.unwrap_or(TOKENS_MAX) as usize }
}

/// What is measured, and which of it stands for the task.
fn metrics(
    section: &mut Section,
    notes: &mut Notes,
    known: &[Metric],
    is_choice: bool,
) -> (Vec<Metric>, Metric) {
    // Of choices it has no value an item, so that it is measured if it is asked for.
    let is_of_all = |metric: &Metric| is_choice && *metric == Metric::F1;
    let names: Vec<&'static str> = known.iter().map(|metric| metric.name()).collect();
    let of = |name: &str| known.iter().find(|metric| metric.name() == name).copied();
    let mut metrics = Vec::new();
    if let Some(found) = section.find("metrics", &[]) {
        for (text, place) in texts(&found, section) {
            match of(text) {
                Some(metric) if metrics.contains(&metric) => {}
                Some(metric) => metrics.push(metric),
                None if is_choice && text == Metric::AccUncond.name() => notes.fail(
                    Some(place),
                    "`acc_uncond` compares with the choices without the question: write \
                     `unconditional = \"Answer:\"`",
                ),
                None if is_choice && text == Metric::AccNorm.name() => notes.fail(
                    Some(place),
                    "`acc_norm` divides by the length of a choice, and one text follows all \
                     contexts: leave it out",
                ),
                None => section.error(unknown_word("metrics", text, place, &names)),
            }
        }
    }
    if metrics.is_empty() {
        metrics = known.iter().copied().filter(|metric| !is_of_all(metric)).collect();
    }
    let found = section.find("main", &[]);
    let main = found.and_then(|found| section.word(&found, &names)).and_then(of);
    if main.is_some_and(|main| !metrics.contains(&main)) {
        notes.fail(section.place("main"), "`main` is one of the `metrics`");
    }
    let main = main.or_else(|| metrics.iter().copied().find(|metric| !is_of_all(metric)));
    if main.is_none_or(|main| is_of_all(&main)) {
        let why = "`f1` of choices has no value an item: add `acc`, which stands for the task";
        notes.fail(section.place("main").or_else(|| section.place("metrics")), why);
    }
    let main = main.unwrap_or(metrics[0]);
    (metrics, main)
}

/// Where rows come from.
fn data_of(found: &Found, section: &mut Section, notes: &mut Notes) -> Option<Data> {
    let DeValue::Table(table) = found.value else {
        section.wrong_type(found, "a table", &"{ path = \"items.jsonl\" }");
        return None;
    };
    let mut inner = Section::new("[data]", Some(table), &mut notes.errors);
    let [path, dataset, config, split] = ["path", "dataset", "config", "split"]
        .map(|key| inner.find(key, &[]).and_then(|it| inner.text(&it, "items.jsonl")));
    inner.finish();
    match (path, dataset, split) {
        (Some(path), None, None) if config.is_none() => {
            // Paths are relative to the file that names them.
            let folder = Path::new(&*notes.source.name).parent().unwrap_or(Path::new(""));
            Some(Data::Path(folder.join(path)))
        }
        (None, Some(dataset), Some(split)) => Some(Data::Set {
            dataset: dataset.into(),
            config: config.map(String::from),
            split: split.into(),
        }),
        _ => {
            let why = "`[data]` has either a `path`, or a `dataset` and its `split`";
            notes.fail(Some(found.span), why);
            None
        }
    }
}

fn replacements(found: &Found, section: &mut Section, notes: &mut Notes) -> Vec<Replacement> {
    const EXAMPLE: &str = "[{ pattern = '  ', with = ' ' }]";
    let DeValue::Array(all) = found.value else {
        section.wrong_type(found, "a list of tables", &EXAMPLE);
        return Vec::new();
    };
    let mut replacements = Vec::new();
    for one in all {
        let place = span(one);
        let DeValue::Table(table) = one.get_ref() else {
            let what = (one.get_ref(), &EXAMPLE as &dyn Display);
            section.wrong_type_of("replace", place, "a list of tables", what);
            continue;
        };
        let mut inner = Section::new("a replacement", Some(table), &mut notes.errors);
        let [pattern, with] =
            ["pattern", "with"].map(|key| inner.find(key, &[]).and_then(|it| inner.text(&it, " ")));
        inner.finish();
        let (Some(pattern), Some(with)) = (pattern, with) else {
            notes.fail(Some(place), &format!("a replacement has both: write {EXAMPLE}"));
            continue;
        };
        match Regex::new(pattern) {
            Ok(pattern) => replacements.push(Replacement { pattern, with: with.to_string() }),
            Err(error) => notes.fail(Some(place), &format!("`{pattern}`: {error}")),
        }
    }
    replacements
}

/// The texts of a key that has one or several, as fields.
fn fields(
    section: &mut Section,
    notes: &mut Notes,
    key: &'static str,
    read: fn(&'static str, &str, Place) -> Result<Field, Unreadable>,
) -> Vec<Field> {
    let Some(found) = section.find(key, &[]) else { return Vec::new() };
    let texts = match found.value {
        DeValue::Array(_) => texts(&found, section),
        value => {
            let example = match value {
                DeValue::Integer(number) => number.as_str().to_string(),
                _ => "{{ question }}".to_string(),
            };
            section.text(&found, &example).map(|it| (it, found.span)).into_iter().collect()
        }
    };
    let mut fields = Vec::new();
    for (text, place) in texts {
        match read(key, text, place_of(notes.source, place)) {
            Ok(field) => fields.push(field),
            Err(Unreadable { line, text }) => {
                let text = format!("{}, line {line}: {text}", notes.source.name);
                notes.failed.get_or_insert(text);
            }
        }
    }
    fields
}

/// A list of texts, with their places.
fn texts<'a>(found: &Found<'a>, section: &mut Section) -> Vec<(&'a str, Span)> {
    const EXAMPLE: &str = "[\"one\", \"another\"]";
    let DeValue::Array(all) = found.value else {
        section.wrong_type(found, "a list of texts", &EXAMPLE);
        return Vec::new();
    };
    let mut texts = Vec::new();
    for one in all {
        match one.get_ref() {
            DeValue::String(text) => texts.push((text.as_ref(), span(one))),
            other => {
                let what = (other, &EXAMPLE as &dyn Display);
                section.wrong_type_of(found.key, span(one), "a list of texts", what);
            }
        }
    }
    texts
}

/// A file's name without folder and ending.
fn stem(name: &str) -> String {
    Path::new(name).file_stem().map_or_else(String::new, |it| it.to_string_lossy().into_owned())
}
