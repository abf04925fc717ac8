//! What a data set was made from: enough to make it again, on a machine that has nothing but this.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The template with its files, and what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// What the command named: the name of a file, or `std:NAME`.
    pub template: String,
    /// The level; none where none was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The parameters that were set, and their numbers as texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<(String, String)>,
    /// The file of the words; none for those that are built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocab: Option<String>,
    /// The form of answers that prompts ask for; none where nothing is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The split's name.
    pub split: String,
    /// The seed.
    pub seed: u64,
    /// The name of the shape of its rows.
    pub shape: String,
    /// The name of the format.
    pub format: String,
    /// The texts of the files: the template's, those beside it that it uses, and the words.
    pub files: BTreeMap<String, String>,
}

impl Origin {
    /// The name of the template's own file.
    pub fn file(&self) -> String {
        match self.template.strip_prefix("std:") {
            Some(name) => format!("{name}.cook"),
            None => self.template.clone(),
        }
    }
}
