//! One sample as plain data.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::data::Split;
use crate::data::layout::Part;

/// What a sample is a pure function of: the same key has the same bytes, on any machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The template's name.
    pub template: Arc<str>,
    /// The level's name; `default` for none.
    pub level: Arc<str>,
    /// What is set beside the level's parameters, such as `length=128 quote=4`.
    pub set: Arc<str>,
    /// Training samples, or held-out ones.
    pub split: Split,
    /// The seed.
    pub seed: u64,
    /// The sample's index.
    pub index: u64,
}

/// One sample of a template.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Which sample.
    pub key: Key,
    /// The system text, if the template has one.
    pub system: Option<String>,
    /// What a model reads.
    pub prompt: String,
    /// What it should write.
    pub reply: String,
    /// The shown values by their names: a list of words is one text, any other list an array.
    pub fields: Map<String, Value>,
}

/// One message of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// `system`, `user` or `assistant`.
    pub role: &'static str,
    /// Its text.
    pub content: &'a str,
}

impl Sample {
    /// The sample as a conversation: the system text if there is one, the prompt, the reply.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        let system = self.system.as_ref().map(|system| (Part::System, system));
        let turns = [(Part::Prompt, &self.prompt), (Part::Reply, &self.reply)];
        let turns = system.into_iter().chain(turns);
        turns.map(|(part, content)| Message { role: part.role(), content })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Key { template, level, set, split, seed, index } = self;
        let set = if set.is_empty() { String::new() } else { format!(" {set}") };
        write!(f, "{template} · {level}{set} · {split} · seed {seed} · sample {index}")
    }
}
