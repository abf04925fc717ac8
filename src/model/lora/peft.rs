//! PEFT's `adapter_config.json`: what each of its keys means here.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use crate::model::files::keys::{self, Key, Table, shown};
use crate::model::lora::Lora;
use crate::model::lora::placement::{self, Names, Placement};

/// The modules that PEFT 0.21 takes for these families where a config names none.
const DEFAULT_TARGETS: [&str; 2] = ["q_proj", "v_proj"];

const INITIAL: &str = "it has a part in making the first values, which training has changed";
const NOTE: &str = "it is a note of the program that wrote the file";
const MORE: &str = "cookc reads low-rank terms alone; merge the adapter with PEFT";
const OTHER: &str = "cookc computes LoRA, rsLoRA and DoRA; merge the adapter with PEFT";

/// All keys that PEFT has written for LoRA, and what trainers around it add.
#[rustfmt::skip]
const KEYS: &Table = &[
    ("peft_type", Key::Read),
    ("r", Key::Read),
    ("lora_alpha", Key::Read),
    ("lora_dropout", Key::Read),
    ("use_rslora", Key::Read),
    ("use_dora", Key::Read),
    ("target_modules", Key::Read),
    ("exclude_modules", Key::Read),
    ("layers_to_transform", Key::Read),
    ("layers_pattern", Key::Read),
    ("rank_pattern", Key::Read),
    ("alpha_pattern", Key::Read),
    ("init_lora_weights", Key::Read),
    ("bias", Key::Only("\"none\"", MORE)),
    ("lora_bias", Key::Off(MORE)),
    ("modules_to_save", Key::Off(MORE)),
    ("trainable_token_indices", Key::Off(MORE)),
    ("target_parameters", Key::Off(MORE)),
    ("enable_lora", Key::Off(OTHER)),
    ("layer_replication", Key::Off("the model would have other layers; write it out with PEFT")),
    ("alora_invocation_tokens", Key::Off("a term that only some tokens get cannot be computed")),
    ("use_qalora", Key::Off(OTHER)),
    ("use_bdlora", Key::Off(OTHER)),
    ("kasa_config", Key::Off(OTHER)),
    ("velora_config", Key::Off(OTHER)),
    ("arrow_config", Key::Off(OTHER)),
    ("monteclora_config", Key::Off(OTHER)),
    ("megatron_config", Key::Off("layers of Megatron cannot be read")),
    ("megatron_core", Key::Harmless("it names a package, and counts with megatron_config alone")),
    ("qalora_group_size", Key::Harmless("it counts with use_qalora alone")),
    ("fan_in_fan_out", Key::Harmless("PEFT takes it for false beside linears")),
    ("ensure_weight_tying", Key::Harmless("it counts beside tables and heads, by their tensors")),
    ("corda_config", Key::Harmless(INITIAL)),
    ("eva_config", Key::Harmless(INITIAL)),
    ("loftq_config", Key::Harmless(INITIAL)),
    ("lora_ga_config", Key::Harmless(INITIAL)),
    ("auto_mapping", Key::Harmless(NOTE)),
    ("base_model_name_or_path", Key::Harmless(NOTE)),
    ("inference_mode", Key::Harmless("whether it is trained further is for a recipe to say")),
    ("lora_dtype", Key::Harmless("each tensor of the weights has its type")),
    ("lorap_lr_ratio", Key::Harmless("it is a learning rate")),
    ("merge_weights", Key::Harmless("whether terms are folded in changes nothing that they are")),
    ("peft_version", Key::Harmless(NOTE)),
    ("revision", Key::Harmless(NOTE)),
    ("runtime_config", Key::Harmless("PEFT ignores it in a file")),
    ("task_type", Key::Harmless("heads of other tasks are refused by their tensors")),
    ("unsloth_fixed", Key::Harmless(NOTE)),
    ("unsloth_version", Key::Harmless(NOTE)),
];

/// Reads the text of an `adapter_config.json`, and refuses what would make the adapter mean
/// something else.
pub(crate) fn parse(text: &str) -> Result<(Lora, Placement)> {
    let map = crate::model::files::json::object(text)?;
    let set = |key: &str| map.get(key).filter(|value| !keys::is_off(value));
    let kind = set("peft_type").map_or("LORA", |kind| kind.as_str().unwrap_or_default());
    ensure!(kind == "LORA", "peft_type `{kind}` is not supported; `LORA` is");
    expect_untouched_base(map.get("init_lora_weights"))?;
    keys::check(&map, KEYS, "", "adapter_config.json")?;
    let rank = map.get("r").context("`r` is missing")?;
    let alpha = map.get("lora_alpha").context("`lora_alpha` is missing")?;
    let dropout = map.get("lora_dropout").filter(|dropout| !dropout.is_null());
    let dropout = dropout.map_or(Some(0.0), Value::as_f64).unwrap_or(f64::NAN);
    ensure!((0.0..1.0).contains(&dropout), "`lora_dropout` is {dropout}, and a share is below 1");
    let lora = Lora {
        rank: size("r", rank)?,
        alpha: number("lora_alpha", alpha)?,
        targets: Vec::new(),
        rank_stabilised: truth(&map, "use_rslora")?,
        dropout,
        dora: truth(&map, "use_dora")?,
    };
    Ok((lora, place(&map)?))
}

/// Some ways to begin take the adapter's first values out of the model's weights, so that what is
/// trained means nothing beside the weights as they were.
fn expect_untouched_base(init: Option<&Value>) -> Result<()> {
    let Some(init) = init.filter(|init| !init.is_null() && !init.is_boolean()) else {
        return Ok(());
    };
    let name = init.as_str().unwrap_or_default().to_lowercase();
    let known = ["gaussian", "eva", "orthogonal", "mica"];
    ensure!(
        known.contains(&name.as_str()),
        "init_lora_weights is {}: the adapter belongs to weights that this way to begin has \
         changed. Save it again with `path_initial_model_for_weight_conversion`, which makes \
         a plain LoRA of it, or merge it with PEFT",
        shown(init)
    );
    Ok(())
}

fn place(map: &Map<String, Value>) -> Result<Placement> {
    let targets = match map.get("target_modules").unwrap_or(&Value::Null) {
        Value::Null => Names::Ends(DEFAULT_TARGETS.map(String::from).to_vec()),
        Value::String(text) if text.to_lowercase() == "all-linear" => Names::AllLinear,
        value => names("target_modules", value)?,
    };
    let excluded = map.get("exclude_modules").filter(|value| !keys::is_off(value));
    let excluded = excluded.map(|value| names("exclude_modules", value)).transpose()?;
    let layers = match map.get("layers_to_transform").unwrap_or(&Value::Null) {
        Value::Null => None,
        Value::Array(list) if list.is_empty() => None,
        Value::Array(list) => Some(list.iter().map(layer).collect::<Result<Vec<_>>>()?),
        one => Some(vec![layer(one)?]),
    };
    let lists = match map.get("layers_pattern").filter(|value| !keys::is_off(value)) {
        None => vec![None],
        Some(Value::String(one)) => vec![Some(one.as_str())],
        Some(value) => texts("layers_pattern", value)?.into_iter().map(Some).collect(),
    };
    if layers.is_some() || lists[0].is_some() {
        let by_ends = matches!(targets, Names::Ends(_));
        ensure!(by_ends, "`layers_to_transform` goes with a list of `target_modules`");
    }
    Ok(Placement {
        targets,
        excluded,
        layers,
        stacks: lists.into_iter().map(placement::stack).collect::<Result<_>>()?,
        ranks: patterns(map, "rank_pattern", size)?,
        alphas: patterns(map, "alpha_pattern", number)?,
    })
}

/// A list of names, or a pattern.
fn names(key: &str, value: &Value) -> Result<Names> {
    match value {
        Value::String(pattern) => Ok(Names::Pattern(placement::whole(pattern)?)),
        list => Ok(Names::Ends(texts(key, list)?.into_iter().map(String::from).collect())),
    }
}

fn texts<'a>(key: &str, value: &'a Value) -> Result<Vec<&'a str>> {
    let list = value.as_array().map(|list| list.iter().map(Value::as_str).collect());
    let list: Option<Vec<&str>> = list.unwrap_or_default();
    list.with_context(|| format!("`{key}` is {}; write a list of names", shown(value)))
}

fn patterns<T>(
    map: &Map<String, Value>,
    key: &str,
    read: impl Fn(&str, &Value) -> Result<T>,
) -> Result<Vec<(fancy_regex::Regex, T)>> {
    let Some(value) = map.get(key).filter(|value| !keys::is_off(value)) else {
        return Ok(Vec::new());
    };
    let Value::Object(rows) = value else { bail!("`{key}` is {}", shown(value)) };
    let row = |(pattern, value): (&String, &Value)| {
        Ok((placement::ending(pattern)?, read(&format!("{key}.{pattern}"), value)?))
    };
    rows.iter().map(row).collect()
}

fn layer(value: &Value) -> Result<u64> {
    value.as_u64().with_context(|| format!("`layers_to_transform` has {}", shown(value)))
}

fn size(key: &str, value: &Value) -> Result<usize> {
    let size = value.as_u64().filter(|size| (1..=1 << 20).contains(size));
    let size = size.with_context(|| format!("`{key}` is {}, which is no rank", shown(value)))?;
    Ok(size as usize)
}

fn number(key: &str, value: &Value) -> Result<f64> {
    value.as_f64().with_context(|| format!("`{key}` is {}, which is no number", shown(value)))
}

fn truth(map: &Map<String, Value>, key: &str) -> Result<bool> {
    match map.get(key).unwrap_or(&Value::Null) {
        Value::Null => Ok(false),
        Value::Bool(truth) => Ok(*truth),
        other => bail!("`{key}` is {}; write true or false", shown(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::KEYS;

    /// The fields of PEFT 0.21.2's LoraConfig and of what it is derived from.
    const PEFT: &str = "alora_invocation_tokens alpha_pattern arrow_config auto_mapping \
        base_model_name_or_path bias corda_config ensure_weight_tying eva_config exclude_modules \
        fan_in_fan_out inference_mode init_lora_weights kasa_config layer_replication \
        layers_pattern layers_to_transform loftq_config lora_alpha lora_bias lora_dropout \
        lora_ga_config megatron_config megatron_core modules_to_save monteclora_config peft_type \
        peft_version qalora_group_size r rank_pattern revision runtime_config target_modules \
        target_parameters task_type trainable_token_indices use_bdlora use_dora use_qalora \
        use_rslora velora_config";

    #[test]
    fn every_key_that_peft_writes_is_in_the_table_once() {
        for key in PEFT.split_whitespace() {
            assert!(KEYS.iter().any(|(known, _)| *known == key), "`{key}` is in no row");
        }
        for (at, (key, _)) in KEYS.iter().enumerate() {
            assert!(!KEYS[..at].iter().any(|(other, _)| other == key), "`{key}` has two rows");
        }
    }
}
