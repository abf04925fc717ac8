//! A resolved recipe as TOML text, every key written out.

use std::fmt::Write;

use super::{Base, Format, Recipe, Words};
use crate::model::Recompute;
use crate::train::Schedule;

/// The recipe as a file that makes the same run again.
pub fn toml_text(recipe: &Recipe) -> String {
    let mut text = String::new();
    model(recipe, &mut text);
    for entry in &recipe.templates {
        line(&mut text, format_args!("[[template]]"));
        pair(&mut text, "file", quoted(&entry.file.path));
        pair(&mut text, "weight", real(entry.weight));
        if !entry.level.is_empty() {
            pair(&mut text, "level", quoted(&entry.level));
        }
        if !entry.set.is_empty() {
            let set: Vec<String> =
                entry.set.iter().map(|(name, number)| format!("{name} = {number}")).collect();
            pair(&mut text, "set", format!("{{ {} }}", set.join(", ")));
        }
        text.push('\n');
    }
    line(&mut text, format_args!("[data]"));
    pair(&mut text, "seed", recipe.data.seed);
    match &recipe.data.words {
        Words::Embedded(count) => pair(&mut text, "vocab", count),
        Words::Tokenizer => pair(&mut text, "vocab", quoted("tokenizer")),
        Words::File(file) => pair(&mut text, "vocab", quoted(&file.path)),
    }
    pair(&mut text, "sequence", recipe.data.sequence);
    pair(&mut text, "packing", recipe.train.packing);
    let format = match recipe.data.format {
        Format::Plain => "plain",
        Format::Chat => "chat",
    };
    pair(&mut text, "format", quoted(format));
    pair(&mut text, "shots", recipe.data.shots);
    if let Some(date) = recipe.data.date {
        pair(&mut text, "date", quoted(&date.to_string()));
    }
    text.push('\n');
    if let Some(lora) = &recipe.lora {
        line(&mut text, format_args!("[lora]"));
        pair(&mut text, "rank", lora.rank);
        pair(&mut text, "alpha", real(lora.alpha));
        let targets: Vec<String> = lora.targets.iter().map(|name| quoted(name)).collect();
        pair(&mut text, "targets", format!("[{}]", targets.join(", ")));
        pair(&mut text, "rank_stabilised", lora.rank_stabilised);
        pair(&mut text, "dropout", real(lora.dropout));
        pair(&mut text, "dora", lora.dora);
        text.push('\n');
    }
    train(recipe, &mut text);
    line(&mut text, format_args!("[eval]"));
    pair(&mut text, "samples", recipe.eval.samples);
    pair(&mut text, "every", recipe.eval.every);
    pair(&mut text, "patience", recipe.eval.patience);
    if let Some(share) = recipe.eval.until_exact {
        pair(&mut text, "until_exact", real(share));
    }
    text
}

fn model(recipe: &Recipe, text: &mut String) {
    line(text, format_args!("[model]"));
    match &recipe.model.base {
        Base::Scratch(shape) => {
            pair(text, "base", quoted(&format!("scratch:{}", shape.name)));
            pair(text, "width", shape.width);
            pair(text, "layers", shape.layers);
            pair(text, "heads", shape.heads);
            pair(text, "feed_forward", shape.feed_forward);
            pair(text, "rotary_base", real(shape.rotary_base));
            pair(text, "init", real(shape.init));
        }
        Base::Folder(folder) => pair(text, "base", quoted(&folder.path)),
    }
    pair(text, "dtype", quoted(&recipe.model.dtype));
    pair(text, "quantization", quoted(if recipe.model.nf4 { "nf4" } else { "none" }));
    pair(text, "device", quoted(&recipe.model.device));
    text.push('\n');
}

fn train(recipe: &Recipe, text: &mut String) {
    let settings = &recipe.train;
    line(text, format_args!("[train]"));
    pair(text, "steps", settings.steps);
    pair(text, "batch", settings.batch);
    pair(text, "accumulate", settings.accumulate);
    pair(text, "learning_rate", real(settings.learning_rate));
    let schedule = match settings.schedule {
        Schedule::Cosine => "cosine",
        Schedule::Linear => "linear",
        Schedule::Constant => "constant",
    };
    pair(text, "schedule", quoted(schedule));
    pair(text, "warmup", real(settings.warmup));
    pair(text, "min_learning_rate", real(settings.min_learning_rate));
    pair(text, "weight_decay", real(settings.weight_decay));
    let [first, second] = settings.betas.map(real);
    pair(text, "betas", format!("[{first}, {second}]"));
    pair(text, "epsilon", real(settings.epsilon));
    pair(text, "clip_norm", real(settings.clip_norm));
    pair(text, "lora_plus_ratio", real(settings.lora_plus_ratio));
    pair(text, "neftune_alpha", real(settings.neftune_alpha));
    if let Some(tokens) = settings.tokens_at_once {
        pair(text, "tokens_at_once", tokens);
    }
    let recompute = match settings.recompute {
        Recompute::None => "none",
        Recompute::Mlp => "mlp",
        Recompute::Full => "full",
    };
    pair(text, "recompute", quoted(recompute));
    pair(text, "seed", settings.seed);
    pair(text, "save_every", recipe.save_every);
    pair(text, "keep_checkpoints", recipe.keep_checkpoints);
    text.push('\n');
}

fn pair(text: &mut String, key: &str, value: impl std::fmt::Display) {
    line(text, format_args!("{key} = {value}"));
}

fn line(text: &mut String, content: std::fmt::Arguments) {
    writeln!(text, "{content}").expect("writing to a String does not fail");
}

/// The shortest decimal that is the same number, with a point or an exponent, as TOML wants it.
fn real(number: f64) -> String {
    format!("{number:?}")
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}
