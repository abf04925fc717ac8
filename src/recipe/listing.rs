//! The table of keys as the documentation and the help show it, and as a resumed run asks for it.

use super::evaluation::EVAL;
use super::key::{Key, Role};
use super::keys::{BASE, DATA, LORA, MODEL, SHAPE, TEMPLATE, TOP, TRAIN};
use super::mixing::MIX;
use super::study::STUDY;
use super::texts::TEXT;
use super::{Entry, Recipe, Shape, Text};

/// Columns of the help.
const COLUMNS: usize = 96;

/// A key as it is documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The table that it is in, such as `train`; empty above the tables.
    pub table: &'static str,
    /// As it is written.
    pub name: &'static str,
    /// Other names that are read.
    pub aliases: &'static [&'static str],
    /// What its value may be, in Markdown.
    pub form: String,
    /// Its default, in Markdown.
    pub default: String,
    /// What it does, in a sentence of Markdown.
    pub about: &'static str,
    /// What it means for a run that is resumed.
    pub role: Role,
}

/// All keys, table by table, in the order in which they are written.
pub fn rows() -> Vec<Row> {
    let (recipe, shape, entry) = (Recipe::default(), Shape::default(), Entry::default());
    let lora = super::adapters();
    [
        of("", TOP, &recipe),
        of("model", BASE, &recipe),
        of("model", SHAPE, &shape),
        of("model", MODEL, &recipe),
        of("template", TEMPLATE, &entry),
        of("text", TEXT, &Text::default()),
        of("data", DATA, &recipe),
        of("mix", MIX, &recipe),
        of("lora", LORA, &lora),
        of("train", TRAIN, &recipe),
        of("eval", EVAL, &recipe),
        of("study", STUDY, &recipe),
    ]
    .concat()
}

fn of<T: Clone>(table: &'static str, keys: &[Key<T>], default: &T) -> Vec<Row> {
    let row = |key: &Key<T>| Row {
        table,
        name: key.name,
        aliases: key.aliases,
        form: key.kind.form(),
        default: match key.default {
            Some(default) => default.to_string(),
            None => key.value(default).map_or("none".to_string(), |value| format!("`{value}`")),
        },
        about: key.about,
        role: key.role,
    };
    keys.iter().map(row).collect()
}

/// A table of the recipe as a table of Markdown.
pub fn markdown(table: &str) -> String {
    let mut text = "| key | value | default | meaning |\n| --- | --- | --- | --- |\n".to_string();
    for row in rows().iter().filter(|row| row.table == table) {
        let Row { name, form, default, about, .. } = row;
        let also = also(row);
        text += &format!("| `{name}` | {form} | {default} | {about}{also} |\n");
    }
    text
}

fn also(row: &Row) -> String {
    match row.aliases.is_empty() {
        true => String::new(),
        false => format!(" (also {})", row.aliases.join(", ")),
    }
}

/// A sentence in lines of the help, below a key.
fn indented(sentence: &str) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for word in sentence.split_whitespace() {
        let length = word.chars().count() + 1;
        if column == 0 || column + length > COLUMNS {
            text += if column == 0 { "     " } else { "\n     " };
            column = 5;
        }
        text.push(' ');
        text += word;
        column += length;
    }
    text + "\n"
}

/// All keys as the help of a command shows them.
pub fn help() -> String {
    let mut text = String::new();
    let mut last = None;
    for row in rows() {
        if last != Some(row.table) {
            text += &match row.table {
                "" => "Above the tables:\n".to_string(),
                "template" | "text" => format!("\n[[{}]]\n", row.table),
                table => format!("\n[{table}]\n"),
            };
            last = Some(row.table);
        }
        let plain = |text: &str| text.replace('`', "");
        text += &format!("  {}: {}", row.name, plain(&row.form));
        if !row.default.is_empty() {
            text += &format!(" [default: {}]", plain(&row.default));
        }
        text.push('\n');
        text += &indented(&(plain(row.about) + &also(&row)));
    }
    text
}

/// What a key of a resolved recipe means for a run that is resumed, by its path, such as
/// `train.steps`, `template 2.level`, `text 1.skip` or `template 1.set.documents`; none if there is
/// no such key.
pub fn role(path: &str) -> Option<Role> {
    let (table, name, _) = parts(path)?;
    row(table, name).map(|row| row.role)
}

/// The path of a key as it is written today, where it has another name in an older recipe.
pub fn current(path: &str) -> String {
    let found = parts(path).and_then(|(table, name, rest)| Some((row(table, name)?, name, rest)));
    match found {
        Some((row, name, rest)) if row.name != name => {
            let before = &path[..path.len() - name.len() - rest.len()];
            format!("{before}{}{rest}", row.name)
        }
        _ => path.to_string(),
    }
}

/// The value that a key of this path has where it is not written, as TOML.
pub fn default_of(path: &str) -> Option<String> {
    let (table, name, _) = parts(path)?;
    if table == "template" {
        return TEMPLATE.iter().find(|key| key.is(name))?.value(&Entry::default());
    }
    let of_recipe = [("mix", MIX), ("data", DATA), ("train", TRAIN), ("eval", EVAL)];
    let keys = of_recipe.into_iter().find(|(known, _)| *known == table)?.1;
    keys.iter().find(|key| key.is(name))?.value(&Recipe::default())
}

/// The table, the key and what is below it.
fn parts(path: &str) -> Option<(&str, &str, &str)> {
    let (table, rest) = path.split_once('.')?;
    // Tables of a list have a number.
    let table = table.split_once(' ').map_or(table, |(list, _)| list);
    let end = rest.find('.').unwrap_or(rest.len());
    // So have those of a list below a table.
    let name = rest[..end].split(' ').next().unwrap_or_default();
    Some((table, name, &rest[name.len()..]))
}

fn row(table: &str, name: &str) -> Option<Row> {
    let is = |row: &Row| row.table == table && (row.name == name || row.aliases.contains(&name));
    rows().into_iter().find(is)
}
