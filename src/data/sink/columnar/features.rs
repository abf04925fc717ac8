//! The features of a data set as Hugging Face's `datasets` keeps them in Arrow's metadata, so that
//! nothing has to be guessed from the rows.

use serde_json::{Map, Value, json};

use super::column::Kind;

/// `{"info": {"features": {name: feature}}}`
pub fn json<'a>(columns: impl Iterator<Item = (&'static str, &'a Kind)>) -> String {
    let features: Map<String, Value> =
        columns.map(|(name, kind)| (name.to_string(), feature(kind))).collect();
    json!({ "info": { "features": features } }).to_string()
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
