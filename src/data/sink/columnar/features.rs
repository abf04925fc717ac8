//! The features of a data set as Hugging Face's `datasets` keeps them in Arrow's metadata, so that
//! nothing has to be guessed from the rows.

use serde_json::{Map, Value, json};

use super::column::Kind;

/// `{"info": {"features": {name: feature}}}`
pub fn json<'a>(columns: impl Iterator<Item = (&'a str, &'a Kind)>) -> String {
    json!({ "info": { "features": value(columns) } }).to_string()
}

/// `{name: feature}`
pub fn value<'a>(columns: impl Iterator<Item = (&'a str, &'a Kind)>) -> Value {
    let features: Map<String, Value> =
        columns.map(|(name, kind)| (name.to_string(), feature(kind))).collect();
    features.into()
}

fn feature(kind: &Kind) -> Value {
    match kind {
        Kind::Text => json!({ "dtype": "string", "_type": "Value" }),
        Kind::Number => json!({ "dtype": "uint64", "_type": "Value" }),
        Kind::List(of) => json!({ "feature": feature(of), "_type": "List" }),
        Kind::Object(columns) => {
            columns.iter().map(|(name, kind)| (name.to_string(), feature(kind))).collect()
        }
    }
}
