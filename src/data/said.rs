//! What rows and requests say of a sample in JSON, in whichever form their writers store it.

use serde_json::{Map, Value};

/// An integer from 0 on, also one that was stored as text or as a floating-point number.
pub fn integer(found: &Value) -> Option<u64> {
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

/// The settings of a row: `length=8 quote=4`, or an object of numbers, or a list of either or of
/// pairs.
pub fn settings(found: &Value) -> Option<Vec<(String, String)>> {
    let of_object = |object: &Map<String, Value>| {
        let pairs = object.iter().map(|(name, value)| match value {
            Value::Number(number) => Some((name.clone(), number.to_string())),
            Value::Null => Some((name.clone(), String::new())),
            Value::String(text) => Some((name.clone(), text.trim().to_string())),
            _ => None,
        });
        let mut pairs = pairs.collect::<Option<Vec<_>>>()?;
        // What has no value is not set.
        pairs.retain(|(_, value)| !value.is_empty());
        Some(pairs)
    };
    match found {
        Value::String(text) if text.trim_start().starts_with('{') => {
            of_object(serde_json::from_str::<Value>(text).ok()?.as_object()?)
        }
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
            if let [Value::String(name), Value::Number(number)] = &all[..] {
                return Some(vec![(name.clone(), number.to_string())]);
            }
            let all = all.iter().map(settings).collect::<Option<Vec<_>>>()?;
            Some(all.into_iter().flatten().collect())
        }
        _ => None,
    }
}
