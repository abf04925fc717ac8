//! Which value of the template is in which column: checked before the first row is scored.

use serde_json::{Map, Value};

use super::{Align, Unscored};
use crate::data::read::Unfit;
use crate::data::row_judge::{Needed, RowJudge};
use crate::diagnostic::near_miss;
use crate::rows::at;
use crate::template::Error;

/// The data, and how the map of its columns is written.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Its columns.
    pub columns: &'a [String],
    /// What it is called.
    pub name: &'a str,
    /// Whether the map is in a recipe, and not on the command line.
    pub is_of_recipe: bool,
}

/// Where the values of a row are.
#[derive(Clone, Debug)]
pub struct Plan {
    inputs: Vec<Column>,
    reply: Reply,
    cluster: Option<Column>,
}

/// A value and its column.
#[derive(Clone, Debug)]
pub struct Column {
    /// The value's name in the template.
    pub name: String,
    /// Its path in a row.
    pub path: String,
    expected: String,
}

#[derive(Clone, Debug)]
enum Reply {
    /// A text, as the template lays a reply out.
    Text(Column),
    /// The values that a reply says.
    Values(Vec<Column>),
}

/// What a row has.
pub struct Found<'a> {
    /// What the rules need beside the reply.
    pub inputs: Vec<&'a Value>,
    /// The values of the reply.
    pub values: Vec<&'a Value>,
    /// The reply as a text, in place of them.
    pub text: Option<&'a str>,
}

impl Plan {
    /// Checks the map against what the rules need and the columns that there are.
    pub fn new(
        align: &Align,
        judge: &RowJudge,
        columns: &[String],
        data: &str,
    ) -> Result<Plan, Error> {
        let input = |why: String| Error::Input(why);
        let source = Source { columns, name: data, is_of_recipe: false };
        let inputs = inputs(&align.map, judge, source)?;
        let outputs: Vec<Needed> = judge.outputs().collect();
        let is_output = |name: &str| outputs.iter().any(|output| output.name == name);
        for (at, (name, _)) in align.map.iter().enumerate() {
            if align.map[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(input(format!("--map has `{name}` twice: write it once")));
            }
            if align.reply.is_some() && is_output(name) && !judge.needs_reply() {
                return Err(input(format!(
                    "`{name}` is what the reply says, which --reply reads: leave out --reply, or \
                     `{name}` of --map"
                )));
            }
        }
        let reply = match &align.reply {
            Some(path) => {
                let (name, expected) = ("reply".to_string(), "a text".to_string());
                Reply::Text(there(Column { name, path: path.clone(), expected }, columns, data)?)
            }
            None if judge.needs_reply() => {
                return Err(input(
                    "the template has no rule but that the reply equals its own: write --reply \
                     COLUMN for the replies to compare"
                        .to_string(),
                ));
            }
            None => Reply::Values(columns_of(&outputs, &align.map, source)?),
        };
        let cluster = align.cluster.clone().map(|path| {
            let (name, expected) = ("--cluster".to_string(), "a value".to_string());
            there(Column { name, path, expected }, columns, data)
        });
        Ok(Plan { inputs, reply, cluster: cluster.transpose()? })
    }

    /// The cluster of a row, as a number; a row without the value is a cluster alone, by what it is
    /// called.
    pub fn cluster(&self, row: &Map<String, Value>, place: &str) -> u64 {
        let Some(column) = &self.cluster else { return 0 };
        let name = match column.of(row) {
            Ok(value) => value.to_string(),
            Err(_) => format!("row {place}"),
        };
        let hash = blake3::hash(name.as_bytes());
        u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
    }

    /// The values of a row.
    pub fn found<'a>(&self, row: &'a Map<String, Value>) -> Result<Found<'a>, Unscored> {
        let values = |columns: &[Column]| -> Result<Vec<&'a Value>, Unscored> {
            columns.iter().map(|column| column.of(row)).collect()
        };
        let inputs = values(&self.inputs)?;
        match &self.reply {
            Reply::Text(column) => {
                let value = column.of(row)?;
                let text = value.as_str().ok_or_else(|| column.unscored(shown(value)))?;
                Ok(Found { inputs, values: Vec::new(), text: Some(text) })
            }
            Reply::Values(columns) => Ok(Found { inputs, values: values(columns)?, text: None }),
        }
    }

    /// Why a value does not fit, with its path.
    pub fn unscored(&self, unfit: Unfit) -> Unscored {
        let columns = match &self.reply {
            Reply::Text(_) => &[][..],
            Reply::Values(columns) => columns,
        };
        let Unfit { field: value, expected, found } = unfit;
        let column = self.inputs.iter().chain(columns).find(|column| column.name == value);
        let path = column.map_or(&value, |column| &column.path).clone();
        Unscored { value, path, expected, found }
    }
}

/// What the rules need beside the reply, in the columns of the data; the map is checked.
pub fn inputs(
    map: &[(String, String)],
    judge: &RowJudge,
    source: Source,
) -> Result<Vec<Column>, Error> {
    let inputs: Vec<Needed> = judge.inputs().collect();
    if let Some(hidden) = inputs.iter().find(|needed| !needed.is_shown) {
        let name = if hidden.name.is_empty() { "a value" } else { &hidden.name };
        return Err(Error::Input(format!(
            "a rule depends on `{name}`, which no text of the template shows: no row has it: \
             write rules over what the prompt and the reply show"
        )));
    }
    let outputs: Vec<Needed> = judge.outputs().collect();
    let known: Vec<&str> = inputs.iter().chain(&outputs).map(|it| it.name.as_str()).collect();
    if let Some((name, _)) = map.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return Err(Error::Input(not_needed(name, &known, source)));
    }
    columns_of(&inputs, map, source)
}

/// The column of each value.
pub fn columns_of(
    needed: &[Needed],
    map: &[(String, String)],
    source: Source,
) -> Result<Vec<Column>, Error> {
    let column = |needed: &Needed| {
        let mapped = map.iter().find(|(name, _)| *name == needed.name);
        let path = mapped.map_or(&needed.name, |(_, path)| path);
        if mapped.is_none() && !source.columns.contains(path) {
            return Err(Error::Input(not_mapped(&needed.name, source)));
        }
        let (name, expected) = (needed.name.clone(), needed.expected.clone());
        there(Column { name, path: path.clone(), expected }, source.columns, source.name)
    };
    needed.iter().map(column).collect()
}

impl Column {
    /// Its value in a row.
    pub fn of<'a>(&self, row: &'a Map<String, Value>) -> Result<&'a Value, Unscored> {
        match at(row, &self.path) {
            None => Err(self.unscored("nothing".to_string())),
            Some(Value::Null) => Err(self.unscored("null".to_string())),
            Some(value) => Ok(value),
        }
    }

    fn unscored(&self, found: String) -> Unscored {
        let Column { name, path, expected } = self.clone();
        Unscored { value: name, path, expected, found }
    }
}

/// The column of a path, if the data have it.
fn there(column: Column, columns: &[String], data: &str) -> Result<Column, Error> {
    let path = &column.path;
    let begins = |name: &String| {
        path.strip_prefix(name.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if columns.iter().any(begins) {
        return Ok(column);
    }
    let root = path.split('.').next().unwrap_or_default();
    let names = || columns.iter().map(String::as_str);
    let near = near_miss(root, names()).or_else(|| near_miss(path, names()));
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => listed(columns),
    };
    Err(Error::Input(format!("{data} has no column `{root}` for `{}`: {hint}", column.name)))
}

fn not_needed(name: &str, known: &[&str], source: Source) -> String {
    let hint = match near_miss(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("they need {}", quoted(known.iter().copied())),
    };
    let map = if source.is_of_recipe { "`map`" } else { "--map" };
    format!("{map} names `{name}`, and the rules need no such value: {hint}")
}

fn not_mapped(name: &str, source: Source) -> String {
    let Source { columns, name: data, is_of_recipe } = source;
    let near = near_miss(name, columns.iter().map(String::as_str));
    let column = near.unwrap_or("COLUMN");
    let write = match is_of_recipe {
        true => format!("`{name} = \"{column}\"` in its `map`"),
        false => format!("--map {name}={column}"),
    };
    format!(
        "the rules need `{name}`, and {data} has no column of that name: write {write}; {}",
        listed(columns)
    )
}

fn listed(columns: &[String]) -> String {
    format!("its columns are {}", quoted(columns.iter().map(String::as_str)))
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The start of a value, for a message.
fn shown(value: &Value) -> String {
    const CHARACTERS_MAX: usize = 40;
    let text = value.to_string();
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}
