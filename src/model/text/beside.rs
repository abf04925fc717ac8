//! What the files beside a tokenizer say of it: special tokens, chat templates, ends of replies.
//!
//! They are read as Python and transformers read them. A file that is there and cannot be read is
//! an error: without it another model would be trained.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use crate::model::files::{self, json};

/// The file that names the ends of a reply.
pub const GENERATION: &str = "generation_config.json";

/// Files that go along with a tokenizer wherever it is written, as they are.
const KEPT: [&str; 4] =
    ["chat_template.jinja", GENERATION, "special_tokens_map.json", "added_tokens.json"];

const SETTINGS: &str = "tokenizer_config.json";

/// The folder of the chat templates that are not the default one.
const MORE_TEMPLATES: &str = "additional_chat_templates";

/// What is said beside a `tokenizer.json`.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// The `tokenizer_config.json`, with what `special_tokens_map.json` says instead.
    pub settings: Map<String, Value>,
    /// Ids of tokens that are to be found in texts, beside those of the `tokenizer.json`.
    pub added: Vec<(u64, Value)>,
    /// Ids that end a reply, by `generation_config.json` and `config.json`.
    pub ends: Vec<u32>,
    /// The `special_tokens_map.json`, where transformers passes over it.
    pub older: Map<String, Value>,
    /// Names and texts of the files that go along.
    pub kept: Vec<(String, String)>,
}

impl Beside {
    /// Reads a folder.
    ///
    /// # Errors
    /// Where a file is there and cannot be read.
    pub fn read(folder: &Path) -> Result<Beside> {
        let object = |name: &str| -> Result<Map<String, Value>> {
            let path = folder.join(name);
            match read_json(&path)? {
                None => Ok(Map::new()),
                Some(Value::Object(settings)) => Ok(settings),
                Some(_) => anyhow::bail!("{} is no JSON object", path.display()),
            }
        };
        let mut settings = object(SETTINGS)?;
        expect_letters(&settings)
            .with_context(|| format!("in {}", folder.join(SETTINGS).display()))?;
        let mut added: Vec<(u64, Value)> = Vec::new();
        let mut older = Map::new();
        // As in transformers: the older files count only where the newer key is not.
        match settings.get("added_tokens_decoder") {
            Some(Value::Object(tokens)) => {
                let id = |id: &String| id.parse().unwrap_or(u64::MAX);
                added.extend(tokens.iter().map(|(key, token)| (id(key), token.clone())));
                older = object("special_tokens_map.json")?;
            }
            _ => {
                settings.extend(object("special_tokens_map.json")?);
                for (token, id) in object("added_tokens.json")? {
                    added.push((id.as_u64().unwrap_or(u64::MAX), Value::String(token)));
                }
            }
        }
        added.sort_by_key(|(id, _)| *id);
        let mut ends = Vec::new();
        // A chat model may end a turn with one token and a text with another.
        for name in [GENERATION, "config.json"] {
            for end in whole_numbers(object(name)?.get("eos_token_id")) {
                if !ends.contains(&end) {
                    ends.push(end);
                }
            }
        }
        Ok(Beside { settings, added, ends, older, kept: kept(folder)? })
    }

    /// Adds ends of a reply to the `generation_config.json` that goes along, if there is one; all
    /// of them where it names none.
    pub fn name_ends(&mut self, ends: &[u32], all: &[u32]) -> Result<()> {
        let Some((_, text)) = self.kept.iter_mut().find(|(name, _)| name == GENERATION) else {
            return Ok(());
        };
        let Value::Object(mut config) = json::parse(text)? else { return Ok(()) };
        let mut named = whole_numbers(config.get("eos_token_id"));
        let before = named.len();
        let ends = if named.is_empty() { all } else { ends };
        named.extend(ends.iter().filter(|end| !named.contains(end)).collect::<Vec<_>>());
        if named.len() > before {
            config.insert("eos_token_id".into(), serde_json::json!(named));
            *text = serde_json::to_string_pretty(&config)? + "\n";
        }
        Ok(())
    }

    /// The text of the default chat template, as transformers finds it; None where there is none.
    ///
    /// # Errors
    /// Where there are several, and none of them is the default one.
    pub fn chat_template(&self) -> Result<Option<String>> {
        let templates = self.chat_templates();
        let default = templates.iter().find(|(name, _)| name == "default");
        let names: Vec<&str> = templates.iter().map(|(name, _)| name.as_str()).collect();
        ensure!(
            default.is_some() || names.is_empty(),
            "there are several chat templates, {}, and none has the name `default`",
            names.join(", ")
        );
        Ok(default.map(|(_, text)| text.clone()))
    }

    /// Names and texts of all chat templates. Those in files of their own take the place of those
    /// in the settings.
    pub fn chat_templates(&self) -> Vec<(String, String)> {
        let of_file = |(name, text): &(String, String)| {
            let more = name.strip_prefix(MORE_TEMPLATES);
            let name = match more.and_then(|name| name[1..].strip_suffix(".jinja")) {
                Some(name) => name,
                None if name == KEPT[0] => "default",
                None => return None,
            };
            // Python reads every line break of a text file as one.
            Some((name.to_string(), text.replace("\r\n", "\n").replace('\r', "\n")))
        };
        let files: Vec<(String, String)> = self.kept.iter().filter_map(of_file).collect();
        if !files.is_empty() {
            return files;
        }
        let pair =
            |name: &Value, text: &Value| Some((name.as_str()?.into(), text.as_str()?.into()));
        match self.settings.get("chat_template") {
            Some(Value::String(text)) => vec![("default".into(), text.clone())],
            Some(Value::Array(all)) => {
                all.iter().filter_map(|one| pair(one.get("name")?, one.get("template")?)).collect()
            }
            Some(Value::Object(all)) => {
                let texts = all.iter();
                texts
                    .filter_map(|(name, text)| Some((name.clone(), text.as_str()?.into())))
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Fails where a text that goes into what a model reads has half of a surrogate pair: Python keeps
/// it, and no tokenizer takes it.
fn expect_letters(settings: &Map<String, Value>) -> Result<()> {
    for (key, value) in settings {
        let is_read = key == "chat_template" || key.contains("_token");
        ensure!(
            !is_read || !json::has_half(value),
            "`{key}` has half of a surrogate pair, such as \\ud83d alone, which is no letter"
        );
    }
    Ok(())
}

fn kept(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut kept = Vec::new();
    for name in KEPT {
        if let Some(text) = read_text(&folder.join(name))? {
            kept.push((name.to_string(), text));
        }
    }
    let more = match fs::read_dir(folder.join(MORE_TEMPLATES)) {
        Ok(more) => more,
        Err(_) => return Ok(kept),
    };
    let mut names: Vec<String> = Vec::new();
    for entry in more {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    for name in names.into_iter().filter(|name| name.ends_with(".jinja")) {
        let name = format!("{MORE_TEMPLATES}/{name}");
        if let Some(text) = read_text(&folder.join(&name))? {
            kept.push((name, text));
        }
    }
    Ok(kept)
}

/// A number, or a list of them.
fn whole_numbers(value: Option<&Value>) -> Vec<u32> {
    let all = match value {
        Some(Value::Array(all)) => all.as_slice(),
        value => value.map_or(&[][..], std::slice::from_ref),
    };
    all.iter().filter_map(|id| u32::try_from(id.as_u64()?).ok()).collect()
}

/// A text file; None where there is none.
fn read_text(path: &Path) -> Result<Option<String>> {
    match fs::metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        // What else is wrong with it, reading it says.
        _ => files::text_of(path, files::SETTINGS_MAX).map(Some),
    }
}

/// A JSON file; None where there is none. A byte order mark is left out.
fn read_json(path: &Path) -> Result<Option<Value>> {
    let Some(text) = read_text(path)? else { return Ok(None) };
    let read = json::parse(text.strip_prefix('\u{feff}').unwrap_or(&text));
    read.map(Some).with_context(|| format!("{} is no JSON", path.display()))
}
