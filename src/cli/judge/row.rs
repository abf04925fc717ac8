//! A line of replies: what it says of its sample, in whichever form it says it.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::super::Failure;
use crate::data::SampleId;
use crate::data::said::{integer, settings};

/// A line of the replies. What it says of its sample is compared with the sample drawn again.
#[derive(Debug)]
pub struct Row {
    /// What a model wrote.
    pub reply: String,
    /// Of which sample.
    pub index: Option<u64>,
    /// The integer that it is called by, which may be the index.
    pub id: Option<u64>,
    /// The digest of its template, level, settings and words.
    pub digest: Option<String>,
    /// The template's name.
    pub template: Option<String>,
    /// The level; `""` for the defaults.
    pub level: Option<String>,
    /// The parameters that were set, and their numbers as texts.
    pub set: Option<Vec<(String, String)>>,
    /// The split.
    pub split: Option<String>,
    /// The seed.
    pub seed: Option<u64>,
    /// What stood before the prompt.
    pub system: Option<String>,
    /// What the model read.
    pub prompt: Option<String>,
    /// True if the texts are messages of a chat, where the user's may begin with the system text.
    pub is_chat: bool,
}

/// The objects in which a row may have what it says of its sample.
const WITHIN: [&str; 3] = ["key", "metadata", "meta"];

/// The keys of a row; one that is null or missing says nothing.
struct Keys(Map<String, Value>);

impl Keys {
    fn get(&self, key: &str) -> Option<&Value> {
        let within = WITHIN.iter().filter_map(|name| self.0.get(*name)?.as_object());
        let mut all = std::iter::once(&self.0).chain(within);
        all.find_map(|keys| keys.get(key).filter(|value| !value.is_null()))
    }
}

/// A row as `cookc generate` writes it, or with less: most rows are, and this reads them fast.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain<'t> {
    #[serde(borrow)]
    reply: Cow<'t, str>,
    #[serde(borrow)]
    id: Option<Cow<'t, str>>,
    index: Option<u64>,
    #[serde(borrow)]
    template: Option<Cow<'t, str>>,
    #[serde(borrow)]
    level: Option<Cow<'t, str>>,
    #[serde(borrow)]
    set: Option<Cow<'t, str>>,
    #[serde(borrow)]
    split: Option<Cow<'t, str>>,
    seed: Option<u64>,
    #[serde(borrow)]
    system: Option<Cow<'t, str>>,
    #[serde(borrow)]
    prompt: Option<Cow<'t, str>>,
    #[serde(rename = "fields")]
    _fields: Option<IgnoredAny>,
}

impl Plain<'_> {
    fn row(self) -> Option<Row> {
        let name = |text: Option<Cow<str>>| text.map(|text| text.trim().to_string());
        let set = self.set.map(|text| settings(&Value::String(text.into_owned())));
        let row = Row {
            reply: self.reply.into_owned(),
            index: self.index,
            id: None,
            digest: None,
            template: name(self.template).filter(|name| !name.is_empty()),
            level: name(self.level),
            // What is no setting is said by the other way to read a row.
            set: match set {
                None => None,
                Some(found) => Some(found?),
            },
            split: name(self.split).filter(|name| !name.is_empty()),
            seed: self.seed,
            system: self.system.map(Cow::into_owned),
            prompt: self.prompt.map(Cow::into_owned),
            is_chat: false,
        };
        match self.id {
            None => Some(row),
            // What is no id of a sample is said by the other way to read a row.
            Some(id) => id.parse().ok().map(|id| row.known_by(id)),
        }
    }
}

/// A message of a chat.
struct Turn {
    role: String,
    text: String,
}

impl Row {
    /// Reads a line of JSON; `at` names it.
    pub fn parse(text: &str, at: &str) -> Result<Row, Failure> {
        if let Some(row) = serde_json::from_str(text).ok().and_then(Plain::row) {
            return Ok(row);
        }
        let keys = Keys(serde_json::from_str(text).map_err(|error| {
            let (column, why) = (error.column(), error.to_string());
            let why = why.split(" at line ").next().unwrap_or_default();
            Failure::Input(format!("{at}, column {column}: {why}; {FORM}"))
        })?);
        let form = |key: &str, wanted: &str, found: &Value| {
            let mut found = found.to_string();
            if found.chars().count() > SHOWN_MAX {
                found = format!("{}…", found.chars().take(SHOWN_MAX).collect::<String>());
            }
            Failure::Input(format!("{at}: its \"{key}\" must be {wanted}, and is {found}"))
        };
        let texts = Texts::of(&keys, &form)?;
        let reply = texts
            .reply
            .ok_or_else(|| Failure::Input(format!("{at}: missing field `reply`; {FORM}")))?;
        let name = |key: &str| match keys.get(key) {
            None => Ok(None),
            Some(Value::String(name)) => Ok(Some(name.trim().to_string())),
            Some(found) => Err(form(key, "a name", found)),
        };
        let number = |key: &str| match keys.get(key) {
            None => Ok(None),
            Some(found) => match integer(found) {
                Some(number) => Ok(Some(number)),
                None => Err(form(key, "an integer from 0 on", found)),
            },
        };
        let set = match keys.get("set") {
            None => None,
            Some(found) => Some(settings(found).ok_or_else(|| form("set", SET, found))?),
        };
        let row = Row {
            reply,
            index: number("index")?,
            id: keys.0.get("id").and_then(integer),
            digest: None,
            template: name("template")?.filter(|name| !name.is_empty()),
            level: name("level")?,
            set,
            split: name("split")?.filter(|name| !name.is_empty()),
            seed: number("seed")?,
            system: texts.system,
            prompt: texts.prompt,
            is_chat: texts.is_chat,
        };
        let id = keys.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        Ok(match id {
            Some(id) => row.known_by(id),
            None => row,
        })
    }

    /// With what its sample's id says, where its own keys say nothing.
    fn known_by(mut self, id: SampleId) -> Row {
        self.index.get_or_insert(id.index);
        self.template.get_or_insert(id.template);
        self.split.get_or_insert(id.split.name().to_string());
        self.seed.get_or_insert(id.seed);
        self.digest = Some(id.digest);
        self
    }

    /// True if a text shows which sample it is.
    pub fn has_texts(&self) -> bool {
        self.prompt.is_some() || self.system.is_some()
    }
}

/// The texts of a row.
#[derive(Default)]
struct Texts {
    system: Option<String>,
    prompt: Option<String>,
    reply: Option<String>,
    is_chat: bool,
}

impl Texts {
    /// Each as a text, or among the turns of a chat.
    fn of(keys: &Keys, form: &dyn Fn(&str, &str, &Value) -> Failure) -> Result<Texts, Failure> {
        let (mut texts, mut chat) = (Texts::default(), Vec::new());
        for key in ["messages", "conversations"] {
            if let Some(found) = keys.get(key) {
                chat.extend(turns(found).ok_or_else(|| form(key, TURNS, found))?);
            }
        }
        let Texts { system, prompt, reply, .. } = &mut texts;
        for (key, into) in [("system", system), ("prompt", prompt), ("completion", reply)] {
            match keys.get(key) {
                None => {}
                Some(Value::String(text)) => *into = Some(text.clone()),
                Some(found) => {
                    let found =
                        turns(found).ok_or_else(|| form(key, "a text, or messages", found))?;
                    chat.extend(found);
                }
            }
        }
        match keys.get("reply") {
            None => {}
            Some(Value::String(text)) => texts.reply = Some(text.clone()),
            Some(found) => return Err(form("reply", "a text", found)),
        }
        texts.is_chat = !chat.is_empty();
        let last = |roles: [&str; 2]| {
            let of = |turn: &&Turn| roles.contains(&turn.role.as_str());
            chat.iter().rev().find(of).map(|turn| turn.text.clone())
        };
        texts.reply = texts.reply.or_else(|| last(["assistant", "gpt"]));
        texts.prompt = texts.prompt.or_else(|| last(["user", "human"]));
        texts.system = texts.system.or_else(|| last(["system", "developer"]));
        Ok(texts)
    }
}

/// No more of what is wrong is shown.
const SHOWN_MAX: usize = 60;
/// What a line is.
const FORM: &str = "a line is {\"index\": 0, \"reply\": \"…\"}";
/// What settings are.
const SET: &str = "a text such as \"length=8\", or an object such as {\"length\": 8}";
/// What messages are.
const TURNS: &str = "a list of {\"role\": \"user\", \"content\": \"…\"}";

/// The turns of a chat, or one.
fn turns(found: &Value) -> Option<Vec<Turn>> {
    match found {
        Value::Object(_) => Some(vec![turn(found)?]),
        found => found.as_array()?.iter().map(turn).collect(),
    }
}

fn turn(found: &Value) -> Option<Turn> {
    let either = |one: &str, other: &str| found.get(one).or_else(|| found.get(other));
    let role = either("role", "from")?.as_str()?.to_string();
    let text = match either("content", "value")? {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let text = |part: &Value| Some(part.get("text")?.as_str()?.to_string());
            parts.iter().map(text).collect::<Option<Vec<_>>>()?.concat()
        }
        // A message that calls a function has no text.
        Value::Null => String::new(),
        _ => return None,
    };
    Some(Turn { role, text })
}
