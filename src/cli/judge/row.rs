//! A line of replies: what it says of its sample, in whichever form it says it.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::Failure;

/// A line of the replies. What it says of its sample is compared with the sample made again.
#[derive(Debug)]
pub struct Row {
    /// What a model wrote.
    pub reply: String,
    /// Of which sample.
    pub index: Option<u64>,
    /// The whole number that it is called by, which may be the index.
    pub id: Option<u64>,
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
    /// True if the texts are turns of a chat, which may have the system text in the user's turn.
    pub is_chat: bool,
}

/// The keys that are looked at.
#[derive(Deserialize)]
struct Keys {
    reply: Option<Value>,
    index: Option<Value>,
    id: Option<Value>,
    template: Option<Value>,
    level: Option<Value>,
    set: Option<Value>,
    split: Option<Value>,
    seed: Option<Value>,
    system: Option<Value>,
    prompt: Option<Value>,
    messages: Option<Value>,
}

/// A turn of a chat.
struct Turn {
    role: String,
    text: String,
}

impl Row {
    /// Reads a line of JSON; `at` names it.
    pub fn parse(text: &str, at: &str) -> Result<Row, Failure> {
        let keys: Keys = serde_json::from_str(text).map_err(|error| {
            let (column, why) = (error.column(), error.to_string());
            let why = why.split(" at line ").next().unwrap_or_default();
            Failure::Input(format!("{at}, column {column}: {why}; {}", FORM))
        })?;
        let form = |key: &str, wanted: &str, found: &Value| {
            let mut found = found.to_string();
            if found.chars().count() > 60 {
                found = format!("{}…", found.chars().take(60).collect::<String>());
            }
            Failure::Input(format!("{at}: its \"{key}\" must be {wanted}, and is {found}"))
        };
        let mut turns = match &keys.messages {
            Some(found) => turns(found).ok_or_else(|| form("messages", TURNS, found))?,
            None => Vec::new(),
        };
        let (mut system, mut prompt) = (None, None);
        let mut is_chat = !turns.is_empty();
        for (key, given, into) in
            [("system", &keys.system, &mut system), ("prompt", &keys.prompt, &mut prompt)]
        {
            match given {
                None => {}
                Some(Value::String(text)) => *into = Some(text.clone()),
                Some(found) => {
                    let found_turns = turns_of_prompt(found)
                        .ok_or_else(|| form(key, "a text, or messages", found))?;
                    is_chat = true;
                    turns.splice(0..0, found_turns);
                }
            }
        }
        let mut of = |role: &str| {
            let at = turns.iter().rposition(|turn| turn.role == role)?;
            Some(turns.remove(at).text)
        };
        let answer = of("assistant");
        let prompt = prompt.or_else(|| of("user"));
        let system = system.or_else(|| of("system").or_else(|| of("developer")));
        let reply = match keys.reply {
            Some(Value::String(reply)) => Some(reply),
            Some(found) => return Err(form("reply", "a text", &found)),
            None => answer,
        };
        let reply =
            reply.ok_or_else(|| Failure::Input(format!("{at}: missing field `reply`; {FORM}")))?;
        let name = |key: &str, found: Option<Value>| match found {
            None => Ok(None),
            Some(Value::String(name)) => Ok(Some(name)),
            Some(found) => Err(form(key, "a name", &found)),
        };
        let number = |key: &str, found: Option<Value>| match found {
            None => Ok(None),
            Some(found) => match whole(&found) {
                Some(number) => Ok(Some(number)),
                None => Err(form(key, "a whole number from 0 on", &found)),
            },
        };
        let set = match keys.set {
            None => None,
            Some(found) => Some(settings(&found).ok_or_else(|| form("set", SET, &found))?),
        };
        Ok(Row {
            reply,
            index: number("index", keys.index)?,
            id: keys.id.as_ref().and_then(whole),
            template: name("template", keys.template)?,
            level: name("level", keys.level)?,
            set,
            split: name("split", keys.split)?,
            seed: number("seed", keys.seed)?,
            system,
            prompt,
            is_chat,
        })
    }

    /// True if a text tells of which sample it is.
    pub fn has_texts(&self) -> bool {
        self.prompt.is_some() || self.system.is_some()
    }
}

/// What a line is.
const FORM: &str = "a line is {\"index\": 0, \"reply\": \"…\"}";
/// What settings are.
const SET: &str = "a text such as \"length=8\", or an object such as {\"length\": 8}";
/// What messages are.
const TURNS: &str = "a list of {\"role\": \"user\", \"content\": \"…\"}";

/// A whole number from 0 on, also one that was stored as text or as a floating-point number.
fn whole(found: &Value) -> Option<u64> {
    match found {
        Value::Number(number) => number.as_u64().or_else(|| {
            let number = number.as_f64()?;
            // Above 2^53 a floating-point number is not exact.
            let is_whole =
                number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number);
            is_whole.then_some(number as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The settings of a row: `length=8 quote=4`, or an object of numbers, or a list of either.
fn settings(found: &Value) -> Option<Vec<(String, String)>> {
    let of_object = |object: &Map<String, Value>| {
        let pairs = object.iter().map(|(name, value)| match value {
            Value::Number(number) => Some((name.clone(), number.to_string())),
            Value::String(text) => Some((name.clone(), text.trim().to_string())),
            _ => None,
        });
        pairs.collect::<Option<Vec<_>>>()
    };
    match found {
        Value::String(text) => {
            let parts = text.split([' ', ',', '\n', '\t']).filter(|part| !part.is_empty());
            let pair = |part: &str| {
                let (name, value) = part.split_once('=')?;
                Some((name.to_string(), value.to_string()))
            };
            parts.map(pair).collect()
        }
        Value::Object(object) => of_object(object),
        Value::Array(all) => {
            let all = all.iter().map(settings).collect::<Option<Vec<_>>>()?;
            Some(all.into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// A prompt in the form of a chat: some turns, or one.
fn turns_of_prompt(found: &Value) -> Option<Vec<Turn>> {
    match found {
        Value::Object(_) => Some(vec![turn(found)?]),
        found => turns(found),
    }
}

fn turns(found: &Value) -> Option<Vec<Turn>> {
    found.as_array()?.iter().map(turn).collect()
}

fn turn(found: &Value) -> Option<Turn> {
    let role = found.get("role")?.as_str()?.to_string();
    let text = match found.get("content")? {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let text = |part: &Value| Some(part.get("text")?.as_str()?.to_string());
            parts.iter().map(text).collect::<Option<Vec<_>>>()?.concat()
        }
        // A turn that calls a function says nothing.
        Value::Null => String::new(),
        _ => return None,
    };
    Some(Turn { role, text })
}
