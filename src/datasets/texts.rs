//! The texts of a row, in whichever columns trainers read them.

use serde_json::{Map, Value};

use crate::rows::at;

/// What a row shows a model, and what the model is to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// What is read.
    pub prompt: String,
    /// What is written; none where a row has one text only.
    pub reply: Option<String>,
}

/// Columns of conversations.
const CHATS: [&str; 3] = ["messages", "conversations", "responses_create_params.input"];
/// Columns of texts that are read: those of the first that is there, one after the other.
const PROMPTS: [&[&str]; 4] =
    [&["prompt"], &["instruction", "input"], &["context", "question"], &["text"]];
/// Columns of texts that are written.
const REPLIES: [&str; 8] = [
    "reply",
    "completion",
    "output",
    "response",
    "answer",
    "answers.text.0",
    "reward_model.ground_truth",
    "chosen",
];

/// The texts of a row: of these columns, if any are named; else of those that trainers read; else
/// all texts in it.
pub fn texts(row: &Map<String, Value>, columns: &[String]) -> Texts {
    if !columns.is_empty() {
        let found: Vec<String> =
            columns.iter().filter_map(|path| at(row, path)).map(joined).collect();
        return Texts { prompt: found.join("\n"), reply: None };
    }
    let mut texts = Texts::default();
    let chat = CHATS.iter().find_map(|path| turns(at(row, path)?));
    match chat.or_else(|| turns(row.get("prompt")?)) {
        Some(turns) => {
            let of = |is_reply: bool| {
                let kept = turns.iter().filter(|(role, _)| role != "system");
                let kept = kept.filter(|(role, _)| is_assistant(role) == is_reply);
                kept.map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n")
            };
            texts.prompt = of(false);
            texts.reply = Some(of(true)).filter(|reply| !reply.is_empty());
        }
        None => {
            let read =
                PROMPTS.iter().find(|names| names.iter().any(|name| row.contains_key(*name)));
            let read = read.into_iter().flat_map(|names| names.iter());
            let read = read.filter_map(|name| row.get(*name)).map(joined);
            texts.prompt = read.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
        }
    }
    if texts.reply.is_none() {
        let written = REPLIES.iter().find_map(|path| at(row, path).filter(|it| !it.is_null()));
        texts.reply = written.map(|value| match turns(value) {
            Some(turns) => turns.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n"),
            None => joined(value),
        });
    }
    if texts.prompt.is_empty() && texts.reply.is_none() {
        let all = row.iter().filter(|(name, _)| *name != "id").map(|(_, value)| joined(value));
        texts.prompt = all.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
    }
    texts
}

impl Texts {
    /// Both, one after the other.
    pub fn whole(&self) -> String {
        match &self.reply {
            Some(reply) => format!("{}\n{reply}", self.prompt),
            None => self.prompt.clone(),
        }
    }
}

fn is_assistant(role: &str) -> bool {
    matches!(role, "assistant" | "gpt")
}

/// The turns of a conversation: who, and what.
fn turns(value: &Value) -> Option<Vec<(String, String)>> {
    let turn = |turn: &Value| {
        let either = |one: &str, other: &str| turn.get(one).or_else(|| turn.get(other));
        let role = either("role", "from")?.as_str()?.to_string();
        Some((role, joined(either("content", "value")?)))
    };
    let turns: Option<Vec<_>> = value.as_array()?.iter().map(turn).collect();
    turns.filter(|turns| !turns.is_empty())
}

/// All texts in a value, a line each; numbers and booleans are none, unless the value is one.
fn joined(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null => String::new(),
        Value::Array(values) => values.iter().map(joined).collect::<Vec<_>>().join("\n"),
        Value::Object(values) => values.values().map(joined).collect::<Vec<_>>().join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_texts_of_every_shape_are_its_prompt_and_its_reply() {
        let said = |role: &str, name: &str, key: &str, text: &str| json!({role: name, key: text});
        let [system, user, gpt] = [("system", "s"), ("user", "p"), ("assistant", "r")]
            .map(|(role, text)| said("role", role, "content", text));
        let shared =
            json!([said("from", "human", "value", "p"), said("from", "gpt", "value", "r")]);
        for row in [
            json!({"id": "x", "prompt": "p", "reply": "r", "fields": "{}"}),
            json!({"prompt": "p", "completion": "r"}),
            json!({"messages": [system.clone(), user.clone(), gpt.clone()]}),
            json!({"prompt": [user.clone()], "completion": [gpt]}),
            json!({"conversations": shared}),
            json!({"instruction": "p", "input": "", "output": "r"}),
            json!({"question": "p", "answer": "r"}),
            json!({"prompt": [system, user.clone()], "reward_model": {"ground_truth": "r"}}),
            json!({"responses_create_params": {"input": [user]}, "reply": "r"}),
            json!({"context": "", "question": "p", "answers": {"text": ["r"]}}),
        ] {
            let found = texts(row.as_object().expect("an object"), &[]);
            let wanted = Texts { prompt: "p".to_string(), reply: Some("r".to_string()) };
            assert_eq!(found, wanted, "{row}");
        }
        let row = json!({"id": "x", "a": ["b", {"c": "d"}], "e": 1});
        let row = row.as_object().expect("an object");
        assert_eq!(texts(row, &[]).whole(), "b\nd\n1");
        assert_eq!(texts(row, &["a.1.c".to_string()]).whole(), "d");
    }
}
