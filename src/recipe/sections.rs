//! The tables of a recipe, one function each: its keys, their ranges and their defaults.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::read::{Section, number, span, unknown_word};
use super::{Base, Data, Entry, Eval, Format, Model, Named, Recipe, Shape, Words};
use crate::diagnostic::Diagnostic;
use crate::model::Recompute;
use crate::model::chat::Date;
use crate::model::lora::{Lora, TARGETS};
use crate::source::Span;
use crate::train::{Schedule, Settings};

/// Words of the embedded vocabulary unless the recipe says otherwise.
const WORDS: usize = 512;
/// All embedded words.
const WORDS_MAX: u64 = 4096;
/// Tokens of a sample unless the recipe says otherwise.
const SEQUENCE: usize = 2048;
/// No key is a larger integer: TOML's own limit.
const LARGEST: u64 = i64::MAX as u64;
/// Below any rate or deviation that does something, and above 0.
const SMALLEST: f64 = 1e-12;

/// Reads all tables; what is wrong is noted, and stands as its default.
pub(super) fn recipe(table: &DeTable, errors: &mut Vec<Diagnostic>) -> Recipe {
    let mut top = Section::new("", Some(table), errors);
    let [model, data, lora, train, eval] =
        ["model", "data", "lora", "train", "eval"].map(|name| sub_table(&mut top, name));
    let entries = top.take("template");
    let name = name(&mut top);
    top.finish();
    let model = self::model(model, lora.is_some(), errors);
    let templates = templates(entries, errors);
    let (data, packing) = self::data(data, &model.base, errors);
    let lora = lora.map(|table| self::lora(table, errors));
    let (mut train, [save_every, keep_checkpoints]) =
        self::train(train, data.seed, lora.is_some(), errors);
    train.packing = packing;
    let eval = self::eval(eval, errors);
    let keep_checkpoints = keep_checkpoints as usize;
    Recipe { name, model, templates, data, lora, train, save_every, keep_checkpoints, eval }
}

/// What runs are called, which is a folder's name as well.
fn name(top: &mut Section) -> Option<String> {
    let (name, place) = top.text("name", "first")?;
    let plain = |letter: char| !letter.is_control() && letter != '/';
    let is_plain = !name.is_empty() && !name.starts_with('.') && name.chars().all(plain);
    if !is_plain {
        let title = "a run's name is that of its folder too";
        top.error(
            Diagnostic::error("E708", title, place, "no folder can be called so")
                .help("write letters, digits, `-` and `_`: `name = \"first\"`"),
        );
    }
    is_plain.then(|| name.to_string())
}

fn sub_table<'a>(top: &mut Section<'a, '_>, key: &'static str) -> Option<&'a DeTable<'a>> {
    match top.take(key)? {
        (DeValue::Table(table), _) => Some(table),
        (value, span) => {
            let title = format!("`{key}` is a table");
            let label = match value {
                DeValue::Array(_) => "this makes a list of tables",
                _ => "this is a single value",
            };
            top.error(
                Diagnostic::error("E703", title, span, label).help(format!("write `[{key}]`")),
            );
            None
        }
    }
}

/// `[model]`
fn model(table: Option<&DeTable>, adapters: bool, errors: &mut Vec<Diagnostic>) -> Model {
    let mut section = Section::new("[model]", table, errors);
    let (text, place) =
        section.text("base", "scratch:tiny").unwrap_or(("scratch:tiny", Span::default()));
    let base = match text.strip_prefix("scratch:") {
        Some(name) => Base::Scratch(shape(&mut section, name, place)),
        None => folder(&mut section, text, place, adapters),
    };
    let dtype = section.choice("dtype", &["f32", "bf16", "f16"]).to_string();
    if matches!(base, Base::Scratch(_)) && dtype != "f32" {
        let (_, place) = section.take("dtype").expect("only a written key differs");
        let title = "a model from scratch learns all its weights, which must be `f32`";
        section.error(
            Diagnostic::error("E708", title, place, "too coarse to add small steps to")
                .help("write `dtype = \"f32\"`"),
        );
    }
    let nf4 = section.choice("quantization", &["none", "nf4"]) == "nf4";
    if matches!(base, Base::Scratch(_)) && nf4 {
        let (_, place) = section.take("quantization").expect("only a written key differs");
        let title = "four bits a weight are for a model that is there already";
        section.error(
            Diagnostic::error("E708", title, place, "a model from scratch learns its weights")
                .help("leave it out, or write `base = \"models/NAME\"`, a folder with a model"),
        );
    }
    let device = section.choice("device", &["auto", "cpu", "cuda"]).to_string();
    section.finish();
    Model { base, dtype, nf4, device }
}

/// The small Llamas that have a name: width, layers, heads and feed-forward; base of the rotary
/// angles and deviation of fresh weights.
const PRESETS: &[(&str, [usize; 4], [f64; 2])] =
    &[("tiny", [96, 2, 2, 16], [1e9, 0.1]), ("small", [192, 4, 4, 512], [1e4, 0.05])];

fn shape(section: &mut Section, name: &str, place: Span) -> Shape {
    let names: Vec<&str> = PRESETS.iter().map(|(name, ..)| *name).collect();
    let preset = PRESETS.iter().find(|(known, ..)| *known == name);
    if preset.is_none() {
        section.error(unknown_scratch(name, place, &names));
    }
    let (_, [width, layers, heads, feed_forward], [base, init]) = preset.unwrap_or(&PRESETS[0]);
    let shape = Shape {
        name: name.to_string(),
        width: section.size("width", 8..=8192, *width),
        layers: section.size("layers", 1..=128, *layers),
        heads: section.size("heads", 1..=128, *heads),
        feed_forward: section.size("feed_forward", 1..=65536, *feed_forward),
        rotary_base: section.real("rotary_base", 1.0..=1e12, *base),
        init: section.real("init", SMALLEST..=10.0, *init),
    };
    if !shape.width.is_multiple_of(2 * shape.heads) {
        let (width, heads) = (shape.width, shape.heads);
        let places = [section.take("width"), section.take("heads")];
        let place = places.into_iter().flatten().next().map_or(place, |(_, place)| place);
        let title = format!("a width of {width} cannot be cut into {heads} heads of even width");
        let next = width.next_multiple_of(2 * heads);
        section.error(
            Diagnostic::error("E708", title, place, "does not fit")
                .help(format!("write `width = {next}`")),
        );
    }
    shape
}

fn folder(section: &mut Section, text: &str, place: Span, adapters: bool) -> Base {
    for key in ["width", "layers", "heads", "feed_forward", "rotary_base", "init"] {
        if let Some((_, place)) = section.take(key) {
            let title = format!("`{key}` is for a model from scratch");
            section.error(
                Diagnostic::error("E708", title, place, "the folder's own config says it")
                    .help("leave it out, or write `base = \"scratch:tiny\"`"),
            );
        }
    }
    if text.starts_with("http") {
        let what = "loading a model from the net";
        let name = text.rsplit(['/', ':']).next().unwrap_or(text).trim_end_matches(".gguf");
        section.error(
            Diagnostic::error("E706", format!("{what} is not in this version"), place, "this")
                .help(format!(
                    "write `base = \"models/{name}\"`: a folder with config.json, \
                     model.safetensors and tokenizer.json"
                )),
        );
    } else if !adapters {
        let title = "a model from a folder learns by adapters, and there is no `[lora]`";
        section.error(
            Diagnostic::error("E708", title, place, "the model").help("write `[lora]` below"),
        );
    }
    Base::Folder(Named { path: text.to_string(), span: place })
}

fn unknown_scratch(name: &str, place: Span, names: &[&str]) -> Diagnostic {
    let whole: Vec<String> = names.iter().map(|name| format!("scratch:{name}")).collect();
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    unknown_word("base", &format!("scratch:{name}"), place, &whole)
}

/// `[[template]]`, one or more
fn templates(entries: Option<(&DeValue, Span)>, errors: &mut Vec<Diagnostic>) -> Vec<Entry> {
    let list = match entries {
        Some((DeValue::Array(list), _)) if !list.is_empty() => list,
        Some((_, place)) => {
            let title = "`template` is a list of tables";
            errors.push(
                Diagnostic::error("E703", title, place, "this is none")
                    .help("write `[[template]]`, and below it `file = \"std:retrieval\"`"),
            );
            return Vec::new();
        }
        None => {
            let title = "the recipe has no template";
            errors.push(
                Diagnostic::error("E708", title, Span::default(), "nothing to train on")
                    .help("write `[[template]]`, and below it `file = \"std:retrieval\"`"),
            );
            return Vec::new();
        }
    };
    list.iter().filter_map(|item| entry(item, errors)).collect()
}

fn entry(item: &Spanned<DeValue>, errors: &mut Vec<Diagnostic>) -> Option<Entry> {
    let DeValue::Table(table) = item.get_ref() else {
        let title = "`template` is a list of tables";
        errors.push(
            Diagnostic::error("E703", title, span(item), "this is no table")
                .help("write `[[template]]`, and below it `file = \"std:retrieval\"`"),
        );
        return None;
    };
    let mut section = Section::new("[[template]]", Some(table), errors);
    let before = section.take("file").is_some();
    let file = section.text("file", "std:retrieval");
    if !before {
        let title = "a template without its `file`";
        section.error(
            Diagnostic::error("E708", title, span(item), "this one")
                .help("write `file = \"std:retrieval\"`, or a path"),
        );
    }
    let weight = section.real("weight", 1e-6..=1e6, 1.0);
    let level = section.text("level", "hard").map_or(String::new(), |(text, _)| text.to_string());
    let set = set(&mut section);
    section.finish();
    let (path, span) = file?;
    Some(Entry { file: Named { path: path.to_string(), span }, weight, level, set })
}

/// `set = { documents = 8 }`
fn set(section: &mut Section) -> BTreeMap<String, String> {
    let table = match section.take("set") {
        None => return BTreeMap::new(),
        Some((DeValue::Table(table), _)) => table,
        Some((value, place)) => {
            section.wrong_type("set", place, "a table of numbers", value, &"{ documents = 8 }");
            return BTreeMap::new();
        }
    };
    let mut numbers = BTreeMap::new();
    for (name, value) in table {
        match number(value.get_ref()) {
            Some(_) => numbers.insert(name.get_ref().to_string(), as_written(value.get_ref())),
            None => {
                let (place, found) = (span(value), value.get_ref());
                section.wrong_type(name.get_ref(), place, "a number", found, &1);
                None
            }
        };
    }
    numbers
}

/// A number as a template's parameters are written.
fn as_written(value: &DeValue) -> String {
    match value {
        DeValue::Integer(it) => i64::from_str_radix(it.as_str(), it.radix())
            .map_or_else(|_| it.as_str().to_string(), |number| number.to_string()),
        DeValue::Float(it) => it.as_str().to_string(),
        _ => String::new(),
    }
}

/// `[data]`, and whether rows are packed
fn data(table: Option<&DeTable>, base: &Base, errors: &mut Vec<Diagnostic>) -> (Data, bool) {
    let mut section = Section::new("[data]", table, errors);
    let seed = section.whole("seed", 0..=LARGEST, 0);
    let scratch = matches!(base, Base::Scratch(_));
    let words = match section.take("vocab") {
        None if !scratch => Words::Tokenizer,
        Some((DeValue::String(text), _)) if text == "tokenizer" && !scratch => Words::Tokenizer,
        Some((DeValue::String(text), span)) => {
            if text == "tokenizer" {
                let title = "a model from scratch has no tokenizer to take words from";
                let error = Diagnostic::error("E708", title, span, "its tokenizer is made of them");
                section.error(error.help(format!("write `vocab = {WORDS}`")));
            }
            Words::File(Named { path: text.to_string(), span })
        }
        _ => Words::Embedded(section.size("vocab", 16..=WORDS_MAX, WORDS)),
    };
    let sequence = section.size("sequence", 8..=1 << 17, SEQUENCE);
    let packing = section.truth("packing", Settings::default().packing);
    let format = match section.choice("format", &["plain", "chat"]) {
        "chat" => Format::Chat,
        _ => Format::Plain,
    };
    let shots = section.size("shots", 0..=64, 0);
    if format == Format::Chat && scratch {
        let (_, place) = section.take("format").expect("only a written key differs");
        let title = "a model from scratch has no chat template";
        let error = Diagnostic::error("E708", title, place, "the model is made by this run");
        section.error(error.help("write `format = \"plain\"`"));
    } else if format == Format::Chat && shots > 0 {
        let (_, place) = section.take("shots").expect("only a written key differs");
        let title = "shots in a chat are not in this version";
        let error = Diagnostic::error("E706", title, place, "the format is \"chat\"");
        section.error(error.help("write `shots = 0`, or `format = \"plain\"`"));
    }
    let date = date(&mut section, format);
    section.finish();
    (Data { seed, words, sequence, format, shots, date }, packing)
}

/// The day that a chat template sees.
fn date(section: &mut Section, format: Format) -> Option<Date> {
    let (value, span) = section.take("date")?;
    let date = match value {
        DeValue::String(text) => Date::parse(text),
        _ => None,
    };
    if date.is_none() {
        section.wrong_type("date", span, "a day", value, &"\"2026-11-28\"");
    } else if format == Format::Plain {
        let title = "only a chat template sees a date";
        let error = Diagnostic::error("E706", title, span, "the format is \"plain\"");
        section.error(error.help("leave out `date`, or write `format = \"chat\"`"));
    }
    date
}

/// `[lora]`
fn lora(table: &DeTable, errors: &mut Vec<Diagnostic>) -> Lora {
    let mut section = Section::new("[lora]", Some(table), errors);
    let rank = section.size("rank", 1..=1024, 16);
    let alpha = section.real("alpha", SMALLEST..=65536.0, 32.0);
    let rank_stabilised = section.truth("rank_stabilised", false);
    let dropout = section.real("dropout", 0.0..=0.9, 0.0);
    let dora = section.truth("dora", false);
    let targets = targets(&mut section);
    section.finish();
    Lora { rank, alpha, targets, rank_stabilised, dropout, dora }
}

fn targets(section: &mut Section) -> Vec<String> {
    let all = || vec!["all-linear".to_string()];
    let words: Vec<&str> = TARGETS.iter().copied().chain(["all-linear"]).collect();
    let texts: Vec<(&DeValue, Span)> = match section.take("targets") {
        None => return all(),
        Some((DeValue::Array(list), _)) if !list.is_empty() => {
            list.iter().map(|item| (item.get_ref(), span(item))).collect()
        }
        Some(one) => vec![one],
    };
    let mut targets = Vec::new();
    for (value, place) in texts {
        match value {
            DeValue::String(text) if words.contains(&text.as_ref()) => {
                targets.push(text.to_string());
            }
            DeValue::String(text) => {
                section.error(unknown_word("targets", text, place, &words));
            }
            other => {
                let example = "[\"q_proj\", \"v_proj\"]";
                section.wrong_type("targets", place, "a list of names", other, &example);
            }
        }
    }
    if targets.is_empty() { all() } else { targets }
}

/// `[train]`, after how many steps a checkpoint is written, and how many of them stay
fn train(
    table: Option<&DeTable>,
    data_seed: u64,
    adapters: bool,
    errors: &mut Vec<Diagnostic>,
) -> (Settings, [u64; 2]) {
    let mut section = Section::new("[train]", table, errors);
    let default = Settings::default();
    let tokens_at_once =
        section.take("tokens_at_once").map(|_| section.size("tokens_at_once", 1..=1 << 24, 1024));
    let settings = Settings {
        steps: section.whole("steps", 1..=LARGEST, default.steps),
        batch: section.size("batch", 1..=65536, default.batch),
        accumulate: section.size("accumulate", 1..=65536, default.accumulate),
        packing: default.packing,
        learning_rate: section.real("learning_rate", SMALLEST..=10.0, default.learning_rate),
        schedule: match section.choice("schedule", &["cosine", "linear", "constant"]) {
            "linear" => Schedule::Linear,
            "constant" => Schedule::Constant,
            _ => Schedule::Cosine,
        },
        warmup: section.real("warmup", 0.0..=1.0, default.warmup),
        min_learning_rate: section.real("min_learning_rate", 0.0..=1.0, default.min_learning_rate),
        weight_decay: section.real("weight_decay", 0.0..=1.0, default.weight_decay),
        betas: betas(&mut section, default.betas),
        epsilon: section.real("epsilon", 1e-20..=1.0, default.epsilon),
        clip_norm: section.real("clip_norm", 0.0..=1e6, default.clip_norm),
        lora_plus_ratio: lora_plus_ratio(&mut section, adapters, default.lora_plus_ratio),
        neftune_alpha: section.real("neftune_alpha", 0.0..=1000.0, default.neftune_alpha),
        tokens_at_once,
        recompute: match section.choice("recompute", &["none", "mlp", "full"]) {
            "mlp" => Recompute::Mlp,
            "full" => Recompute::Full,
            _ => Recompute::None,
        },
        seed: section.whole("seed", 0..=LARGEST, data_seed),
    };
    let save_every = section.whole("save_every", 0..=LARGEST, 100);
    let keep_checkpoints = section.whole("keep_checkpoints", 1..=1000, 1);
    section.finish();
    (settings, [save_every, keep_checkpoints])
}

fn lora_plus_ratio(section: &mut Section, adapters: bool, default: f64) -> f64 {
    let Some((_, place)) = section.take("lora_plus_ratio") else { return default };
    let ratio = section.real("lora_plus_ratio", 1e-3..=1e3, default);
    if ratio != default && !adapters {
        let title = "`lora_plus_ratio` is of adapters, and there is no `[lora]`";
        section.error(
            Diagnostic::error("E708", title, place, "nothing has two halves")
                .help("leave it out, or write `[lora]`"),
        );
    }
    ratio
}

fn betas(section: &mut Section, default: [f64; 2]) -> [f64; 2] {
    let Some((value, place)) = section.take("betas") else { return default };
    let numbers: Vec<f64> = match value {
        DeValue::Array(list) => list.iter().filter_map(|item| number(item.get_ref())).collect(),
        _ => Vec::new(),
    };
    match numbers[..] {
        [first, second] if [first, second].iter().all(|beta| (0.0..1.0).contains(beta)) => {
            [first, second]
        }
        _ => {
            let wanted = "a list of two numbers from 0 to below 1";
            section.wrong_type("betas", place, wanted, value, &"[0.9, 0.999]");
            default
        }
    }
}

/// `[eval]`
fn eval(table: Option<&DeTable>, errors: &mut Vec<Diagnostic>) -> Eval {
    let mut section = Section::new("[eval]", table, errors);
    let samples = section.whole("samples", 1..=1_000_000, 200);
    let every = section.whole("every", 0..=LARGEST, 0);
    let patience = section.whole("patience", 0..=LARGEST, 0);
    let until_exact =
        section.take("until_exact").map(|_| section.real("until_exact", 0.0..=1.0, 1.0));
    for (key, is_set) in [("patience", patience > 0), ("until_exact", until_exact.is_some())] {
        if let Some((_, place)) = section.take(key).filter(|_| is_set && every == 0) {
            let title = format!("`{key}` looks at judgements in between, and there are none");
            section.error(
                Diagnostic::error("E708", title, place, "never looked at")
                    .help("write `every = 100` as well, or leave this out"),
            );
        }
    }
    section.finish();
    Eval { samples, every, patience, until_exact }
}
