//! The special tokens that a chat template finds under their names.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The texts of the special tokens among a tokenizer's settings, as transformers gives them to
/// templates: every `…_token`, and tokens that a model names itself.
pub fn tokens(settings: &Map<String, Value>) -> BTreeMap<String, String> {
    // A token is a text, or an object with settings beside the text.
    let text = |value: &Value| {
        let text = value.as_str().or_else(|| value.get("content")?.as_str());
        text.map(String::from)
    };
    let named = settings.iter().filter(|(key, _)| key.ends_with("_token"));
    let own = ["extra_special_tokens", "model_specific_special_tokens"];
    let own = own.iter().filter_map(|key| settings.get(*key)?.as_object()).flatten();
    named.chain(own).filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect()
}
