//! What decides the bits of a run, part by part: kept in its checkpoints, and compared with what
//! the run would go on with.

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::setup::{DIGEST, Setup, base_files, short};
use crate::data::{Sampler, Split};
use crate::ir;
use crate::model::{self, Tokenizer, digest};
use crate::recipe::{self, Base, Role};
use crate::runtime::random::STREAM_VERSION;
use crate::template::Error;

/// Samples whose ids are compared: what no other part says of them is seen here.
const ALIKE: u64 = 16;

/// The parts by name, each as text, with a digest where it is too long to show.
#[derive(Clone, Debug, PartialEq)]
pub struct Fingerprint(Map<String, Value>);

/// How two runs differ, a line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// In what decides the bits of what is learned.
    pub deciding: Vec<String>,
    /// In how a run is judged, when it stops, and which program and device do it.
    pub noted: Vec<String>,
}

impl Fingerprint {
    /// Of a run; waits until all of the base model's files are read.
    pub fn of(setup: &Setup) -> Result<Fingerprint, Error> {
        let mut parts = Map::new();
        let mut add = |name: String, text: String| parts.insert(name, Value::String(text));
        add("cookc".into(), env!("CARGO_PKG_VERSION").into());
        add("version of the streams".into(), STREAM_VERSION.to_string());
        for (key, text) in recipe_keys(setup)? {
            add(key, text);
        }
        for (at, part) in setup.dataset.parts.iter().enumerate() {
            let (number, sampler) = (at + 1, &part.sampler);
            add(format!("template {number}"), program(sampler));
            add(format!("words of template {number}"), words(sampler));
        }
        for (at, text) in setup.texts.iter().enumerate() {
            let (rows, digest) = (text.rows.len(), short(text.digest()));
            add(format!("text {}", at + 1), format!("{rows} rows{DIGEST}{digest}"));
        }
        let closing = [setup.ends.closing(), &setup.closing].concat();
        add("ids that end a reply".into(), format!("{closing:?}"));
        add(format!("ids of the first {ALIKE} samples"), samples(setup)?);
        for (name, text) in base(setup)? {
            add(name, text);
        }
        Ok(Fingerprint(parts))
    }

    /// As it goes into a checkpoint.
    pub fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// A line for each part, for the processes of a group to compare.
    pub fn lines(&self) -> String {
        let line = |(name, text): (&String, &Value)| {
            format!("# {name} is {}\n", text.as_str().unwrap_or_default())
        };
        self.0.iter().map(line).collect()
    }

    /// What has changed since a checkpoint was made, of which this was kept.
    pub fn since(&self, saved: &Value) -> Differences {
        let mut found = Differences::default();
        let Some(saved) = saved.as_object() else {
            let why = "the checkpoint does not say what it was made with, since an older cookc \
                       wrote it";
            found.deciding.push(why.to_string());
            return found;
        };
        let saved = named_as_today(saved);
        let gone = saved.keys().filter(|name| !self.0.contains_key(*name));
        for name in self.0.keys().chain(gone) {
            let [was, now] = [&saved, &self.0].map(|parts| parts.get(name).and_then(Value::as_str));
            // A key that is newer than the checkpoint had its default.
            let is_new = was.is_none() && recipe::default_of(name).as_deref() == now;
            if was != now && !is_new {
                let into = if decides(name) { &mut found.deciding } else { &mut found.noted };
                into.push(difference(name, was, now));
            }
        }
        found
    }
}

/// The parts of a checkpoint, whose keys may have the names of an older recipe.
fn named_as_today(saved: &Map<String, Value>) -> Map<String, Value> {
    saved.iter().map(|(name, value)| (recipe::current(name), value.clone())).collect()
}

/// Whether a part decides a bit of what is learned.
fn decides(name: &str) -> bool {
    name != "cookc" && recipe::role(name) != Some(Role::Noted)
}

/// `lora.alpha: 16.0 → 32.0`, or `template 1 (retrieval): changed` where digests differ.
fn difference(name: &str, was: Option<&str>, now: Option<&str>) -> String {
    let shown = |text: Option<&str>| {
        let text = text.unwrap_or("nothing");
        text.split(DIGEST).next().unwrap_or(text).to_string()
    };
    let (was, now) = (shown(was), shown(now));
    match was == now {
        true if was.is_empty() => format!("{name}: changed"),
        true => format!("{name} ({was}): changed"),
        false => format!("{name}: {was} → {now}"),
    }
}

/// Every key of the resolved recipe that matters: `train.batch` and its value.
fn recipe_keys(setup: &Setup) -> Result<Vec<(String, String)>> {
    let table: toml::Table = setup.text.parse().context("the resolved recipe is no TOML")?;
    let mut keys = Vec::new();
    flatten("", &toml::Value::Table(table), &mut keys);
    keys.retain(|(key, _)| recipe::role(key) != Some(Role::Free));
    for (key, text) in &mut keys {
        // The words themselves are compared.
        if key == "data.vocab" && text.parse::<u64>().is_err() && text != "\"tokenizer\"" {
            *text = "a file".to_string();
        }
    }
    Ok(keys)
}

fn flatten(name: &str, value: &toml::Value, keys: &mut Vec<(String, String)>) {
    let inside = |key: &str| if name.is_empty() { key.into() } else { format!("{name}.{key}") };
    match value {
        toml::Value::Table(table) => {
            table.iter().for_each(|(key, value)| flatten(&inside(key), value, keys));
        }
        toml::Value::Array(list) if list.iter().any(toml::Value::is_table) => {
            for (at, value) in list.iter().enumerate() {
                flatten(&format!("{name} {}", at + 1), value, keys);
            }
        }
        value => keys.push((name.to_string(), value.to_string())),
    }
}

/// A template at its level, with its parameters and the functions that it takes from modules, and
/// how it is shown. Comments and positions in the text are not in it.
fn program(sampler: &Sampler) -> String {
    let program = sampler.program();
    let text = format!("{}{:?}", ir::print(program), program.layout);
    format!("{}{DIGEST}{}", program.name, short(digest::of_bytes(text.as_bytes())))
}

/// The words of `vocab` and of the template's own pools.
fn words(sampler: &Sampler) -> String {
    let mut hasher = blake3::Hasher::new();
    for word in sampler.vocabulary().words() {
        hasher.update(word.as_bytes()).update(b"\n");
    }
    hasher.update(format!("{:?}", sampler.pools().tokens).as_bytes());
    format!("{} words{DIGEST}{}", sampler.vocabulary().len(), short(hasher.finalize()))
}

/// The ids of the first samples: templates, words, tokenizer and format are in them.
pub(super) fn samples(setup: &Setup) -> Result<String, Error> {
    let mut hasher = blake3::Hasher::new();
    let (mut rows, mixture) = (setup.dataset.rows(), setup.mixture());
    // What ends a reply is compared in another line.
    let end = setup.ends.closing();
    for index in 0..ALIKE {
        let order = mixture.order(Split::Train, mixture.step_of(index)).map_err(Error::Input)?;
        let part = order.template(index);
        // The rows of texts are compared in lines of their own.
        if part >= setup.dataset.parts.len() {
            continue;
        }
        let row = rows.row(part, index);
        let row = row.map_err(|(index, why)| setup.sample_error(part, index, why))?;
        let ids = row.ids.strip_suffix(end).unwrap_or(&row.ids);
        hasher.update(&(ids.len() as u64).to_le_bytes());
        hasher.update(bytemuck::cast_slice(ids));
    }
    Ok(format!("{DIGEST}{}", short(hasher.finalize())))
}

/// The base model's files, or the tokenizer that is made for a model from scratch.
fn base(setup: &Setup) -> Result<Vec<(String, String)>> {
    match (&setup.recipe.model.base, &setup.hashing) {
        (Base::Folder(_), Some(hashing)) => return hashing.done(),
        (Base::Folder(folder), None) => return base_files(model::locate(&folder.path)?),
        (Base::Scratch(_), _) => {}
    }
    Ok(vec![("tokenizer".into(), of_tokenizer(&setup.tokenizer)?)])
}

/// What tells a tokenizer from all others.
pub(super) fn of_tokenizer(tokenizer: &Tokenizer) -> Result<String> {
    let text = serde_json::to_vec(&tokenizer.to_json()?)?;
    let (ids, digest) = (tokenizer.vocab_size(), short(digest::of_bytes(&text)));
    Ok(format!("{ids} ids{DIGEST}{digest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_shows_both_values_or_that_a_long_one_changed() {
        let parts = json!({
            "cookc": "2", "eval.every": "10", "lora.alpha": "32.0", "template 1": "copy blake3:ab",
            "words of template 1": "4 words blake3:cd",
        });
        let now = Fingerprint(parts.as_object().expect("an object").clone());
        assert_eq!(now.since(&parts), Differences::default());
        let found = now.since(&json!({
            "cookc": "1", "eval.every": "10", "lora.alpha": "16.0", "template 1": "copy blake3:aa",
            "words of template 1": "4 words blake3:cd", "words of template 2": "5 words blake3:ee",
        }));
        let deciding = [
            "lora.alpha: 16.0 → 32.0",
            "template 1 (copy): changed",
            "words of template 2: 5 \
              words → nothing",
        ];
        assert_eq!(found.deciding, deciding);
        assert_eq!(found.noted, ["cookc: 1 → 2"]);
        assert_eq!(now.since(&Value::Null).deciding.len(), 1);
    }

    #[test]
    fn a_checkpoint_of_an_older_recipe_is_read_by_the_names_of_today() {
        let parts = json!({
            "train.max_grad_norm": "1.0", "model.hidden_size": "96", "mix.policy": "\"fixed\"",
            "template 1.set.documents": "8",
        });
        let now = Fingerprint(parts.as_object().expect("an object").clone());
        let mut older = json!({
            "train.clip_norm": "1.0", "model.width": "96", "template 1.set.documents": "8",
        });
        assert_eq!(now.since(&older), Differences::default());
        older["model.width"] = "64".into();
        assert_eq!(now.since(&older).deciding, ["model.hidden_size: 64 → 96"]);
        let mut mixed = now.clone();
        mixed.0["mix.policy"] = "\"linear\"".into();
        let of_policy = "mix.policy: nothing → \"linear\"";
        assert_eq!(mixed.since(&older).deciding, ["model.hidden_size: 64 → 96", of_policy]);
    }
}
