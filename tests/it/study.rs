//! `cookc study`: arms trained once, rules on tasks, figures with their intervals, and one page.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use candle_core::Device;
use cookc::model::{Config, Tokenizer, io, weights};
use serde_json::{Value, json};
use tempfile::TempDir;

const SAY: &str = "\
level twice: many = 2
param many in 1..4 = 1
words ~ distinct(many, vocab)
said  = words
rule same: said == words
prompt \"Say {words} :\"
reply \"{said}\"
";

const LAST: &str = "\
words ~ distinct(2, vocab)
last  = at(1, words)
rule same: last == at(1, words)
prompt \"Last {words} :\"
reply \"{last}\"
";

const SAYING: &str = "\
kind = \"generate\"
context = \"Say {{ given }} :\"
gold = \"{{ answers[0] }}\"
max_gen_toks = 4
main = \"f1\"
[data]
path = \"rows.jsonl\"
";

const PICKING: &str = "\
kind = \"choice\"
context = \"Last {{ given }} :\"
choices = \"{{ choices }}\"
gold = \"{{ label }}\"
[data]
path = \"rows.jsonl\"
";

const RECIPE: &str = "\
[model]
base = \"scratch:tiny\"
hidden_size = 16
[[template]]
file = \"say.cook\"
[[template]]
file = \"last.cook\"
[[template]]
file = \"say.cook\"
level = \"twice\"
weight = 0.0
[data]
vocab = \"vocab.txt\"
max_length = 32
[train]
steps = 40
micro_batch_size = 16
learning_rate = 1e-2
[eval]
samples = 4
[eval.tasks]
names = \"saying.toml,picking.toml\"
[study]
samples = 12
[[study.align]]
template = \"say.cook\"
task = \"saying.toml\"
map = { words = \"given\", said = \"answers.0\" }
[[study.align]]
template = \"last.cook\"
task = \"picking\"
map = { words = \"given\" }
";

/// A model from a folder, trained on a template beside rows, and asked for plain English.
const PRETRAINED: &str = r#"[model]
base = "."
[[template]]
file = "say.cook"
[[template]]
file = "say.cook"
level = "twice"
weight = 0.0
[[text]]
file = "rows.jsonl"
prompt = "{{ given }}"
reply = "{{ answers[0] }}"
[data]
vocab = "vocab.txt"
max_length = 64
[lora]
rank = 2
[train]
steps = 6
micro_batch_size = 4
learning_rate = 1e-2
[eval]
samples = 4
[study]
samples = 4
english = { file = "rows.jsonl", text = "{{ given }}", limit = 9 }
"#;

const WORDS: [&str; 8] = ["red", "blue", "green", "pink", "gold", "grey", "teal", "plum"];

fn kitchen(changes: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = changes.iter().fold(RECIPE.to_string(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    let rows = (0..24).map(|at| {
        let (first, last) = (WORDS[at % 8], WORDS[(at * 3 + 1) % 8]);
        let given = format!("{first} {last}");
        let choices = if at % 2 == 0 { [first, last] } else { [last, first] };
        json!({"given": given, "answers": [given], "choices": choices, "label": 1 - at % 2})
    });
    let rows: String = rows.map(|row| format!("{row}\n")).collect();
    for (name, text) in [
        ("say.cook", SAY),
        ("last.cook", LAST),
        ("saying.toml", SAYING),
        ("picking.toml", PICKING),
        ("rows.jsonl", &rows),
        ("vocab.txt", &WORDS.join("\n")),
        ("tiny.toml", &recipe),
    ] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn cookc(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    command.args(arguments).current_dir(folder).output().expect("it runs")
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The study, and what it said meanwhile.
fn studied(folder: &Path, more: &[&str]) -> (Value, String) {
    let output = cookc(folder, &[&["study", "tiny.toml", "-o", "out", "--json"], more].concat());
    assert!(output.status.success(), "{}", err(&output));
    let found = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = fs::read_to_string(folder.join("out/study.json")).expect("study.json");
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), found);
    (found, err(&output))
}

fn list<'a>(of: &'a Value, key: &str) -> &'a Vec<Value> {
    of[key].as_array().unwrap_or_else(|| panic!("`{key}` is a list"))
}

fn names<'a>(of: &'a Value, key: &str) -> Vec<&'a str> {
    list(of, key).iter().map(|one| one["name"].as_str().expect("a name")).collect()
}

#[test]
fn a_second_call_trains_nothing_and_finds_the_same() {
    let folder = kitchen(&[]);
    let (first, notes) = studied(folder.path(), &[]);
    assert!(notes.contains("run 1 of") && notes.contains("say alone"), "{notes}");
    let page = fs::read(folder.path().join("out/report.html")).expect("the page");
    let (second, notes) = studied(folder.path(), &["--threads", "1"]);
    assert!(!notes.contains("alone") && !notes.contains("the base model"), "{notes}");
    assert_eq!(first, second);
    assert_eq!(fs::read(folder.path().join("out/report.html")).expect("the page"), page);
}

#[test]
fn every_model_has_its_figures_in_every_target_and_by_every_rule() {
    let folder = kitchen(&[]);
    let (found, _) = studied(folder.path(), &["--seeds", "2"]);
    let recipe = &list(&found, "recipes")[0];
    assert_eq!(recipe["seeds"], json!([0, 1]));
    let models = names(recipe, "models");
    assert_eq!(models, ["base", "say", "last", "mixture", "shuffled"]);
    let targets = ["saying", "picking", "say", "last", "say (twice)"];
    assert_eq!(names(recipe, "targets"), targets);
    let accuracy = list(recipe, "accuracy");
    assert_eq!(accuracy.len(), models.len() * targets.len());
    for one in accuracy {
        let is_base = one["model"] == "base";
        assert_eq!(one["change"].is_null(), is_base, "{one}");
        let [value, low, high] = ["value", "low", "high"].map(|key| one["accuracy"][key].as_f64());
        assert!(low <= value && value <= high && low.is_some(), "{one}");
    }
    // The rules of the two pairs, and of each template on its own samples.
    let alignment = list(recipe, "alignment");
    assert_eq!(alignment.len(), 2 + 3);
    assert!(alignment[..2].iter().all(|one| one["right"]["value"] == 1.0), "{alignment:?}");
    // Two pairs, and the held-out template by its own rule.
    assert_eq!(list(recipe, "cells").len(), 3 * (models.len() - 1));
    let labels = list(recipe, "labels");
    assert_eq!(labels.len(), models.len());
    assert_eq!(labels[0]["right"], json!([0.5, 0.5]));
    assert!(list(&found, "findings").len() >= 4, "{found}");
    // The means are those of the items.
    let lines = fs::read_to_string(folder.path().join("out/items.jsonl")).expect("the items");
    let lines: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2 * (2 * 24 + 3 * 12));
    let of_last = lines.iter().filter(|line| line["target"] == "picking");
    let scores: Vec<f64> = of_last
        .map(|line| line["alignment"]["last"]["models"]["mixture"].as_f64().expect("a score"))
        .collect();
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    let told = list(&alignment[1], "models")[3]["alignment"]["value"].as_f64().expect("a mean");
    assert!(scores.len() == 48 && (mean - told).abs() < 1e-9, "{mean} {told}");
    let over: Vec<&Value> = list(&found, "correlations").iter().map(|one| &one["over"]).collect();
    assert!(over.contains(&&json!("all rules")), "{over:?}");
}

#[test]
fn what_a_template_teaches_is_seen_in_a_task_of_the_same_rule() {
    let folder =
        kitchen(&[("steps = 40", "steps = 250"), ("hidden_size = 16", "hidden_size = 48")]);
    let (found, _) = studied(folder.path(), &[]);
    let recipe = &list(&found, "recipes")[0];
    let of = |key: &str, model: &str| {
        let one = list(recipe, key)
            .iter()
            .find(|one| one["model"] == model && one["target"] == "picking");
        one.unwrap_or_else(|| panic!("{model} has {key}")).clone()
    };
    let change = of("accuracy", "last")["change"]["low"].as_f64().expect("an end");
    assert!(change > 0.0, "{recipe:#}");
    let cell = of("cells", "last");
    assert!(cell["is_own"] == true && cell["alignment"]["low"].as_f64() > Some(0.0), "{cell}");
    // What was chosen follows the items, not one option.
    let labels = of("labels", "last");
    let balanced = labels["balanced"]["value"].as_f64().expect("a number");
    assert!(balanced > labels["by_shares"].as_f64().expect("a number") + 0.2, "{labels}");
}

#[test]
fn the_page_needs_nothing_from_outside_and_says_what_is_not_significant() {
    let folder = kitchen(&[("steps = 40", "steps = 1"), ("1e-2", "1e-9")]);
    studied(folder.path(), &[]);
    let page = fs::read_to_string(folder.path().join("out/report.html")).expect("the page");
    for absent in ["<script", "http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(absent), "{absent}");
    }
    assert!(page.contains("is significant: every interval of 95 % holds 0"), "{page}");
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("<svg"));
    assert_eq!(page.matches("<table>").count(), page.matches("<div class=\"wide\">").count());
}

#[test]
fn natural_text_is_a_control_of_as_many_tokens_and_english_is_measured() {
    let folder = kitchen(&[]);
    letters(folder.path());
    fs::write(folder.path().join("tiny.toml"), PRETRAINED).expect("a file");
    let (found, _) = studied(folder.path(), &[]);
    let recipe = &list(&found, "recipes")[0];
    assert_eq!(names(recipe, "models"), ["base", "say", "mixture", "shuffled", "text"]);
    let tokens: Vec<Option<f64>> =
        list(recipe, "models").iter().map(|one| one["tokens"].as_f64()).collect();
    let (mixture, text) = (tokens[2].expect("tokens"), tokens[4].expect("tokens"));
    assert!((text / mixture - 1.0).abs() < 0.2, "{text} and {mixture} tokens");
    assert_eq!(list(recipe, "models")[4]["mixture"], json!([]));
    let english = &recipe["english"];
    assert_eq!(english["rows"], 9);
    let models = list(english, "models");
    assert!(models[0]["change"].is_null() && models.len() == 5, "{english}");
    // Rows of the same words are learned, and their loss falls.
    let of_text = models[4]["change"]["high"].as_f64().expect("an end");
    assert!(of_text < 0.0, "{english}");
    let accuracy = list(recipe, "accuracy");
    let beside = |model: &str, key: &str| {
        accuracy.iter().any(|one| one["model"] == model && one[key].is_object())
    };
    assert!(beside("mixture", "beside_text") && beside("mixture", "beside_shuffled"));
    assert!(beside("text", "beside_shuffled") && !beside("text", "beside_text"));
    let recipe = PRETRAINED.replace("{{ given }}\", limit", "{{ givn }}\", limit");
    fs::write(folder.path().join("tiny.toml"), recipe).expect("a file");
    let output = cookc(folder.path(), &["study", "tiny.toml"]);
    assert!(err(&output).contains("write `given`"), "{}", err(&output));
}

#[test]
fn adapters_of_the_templates_are_averaged_in_the_shares_of_the_mixture() {
    let folder = kitchen(&[]);
    letters(folder.path());
    let more = "[[template]]\nfile = \"last.cook\"\nweight = 3.0\n[[template]]\n\
                file = \"say.cook\"\nlevel = \"twice\"";
    let (before, text) = PRETRAINED.split_at(PRETRAINED.find("[[text]]").expect("texts"));
    let text = &text[text.find("[data]").expect("data")..];
    let twice = "[[template]]\nfile = \"say.cook\"\nlevel = \"twice\"";
    let recipe = before.replace(twice, more) + text;
    let arms = recipe.replace("[study]\n", "[study]\narms = [\"mixture\", \"merged\"]\n");
    fs::write(folder.path().join("tiny.toml"), &arms).expect("a file");
    let (found, notes) = studied(folder.path(), &[]);
    let study = &list(&found, "recipes")[0];
    assert_eq!(names(study, "models"), ["base", "mixture", "merged"]);
    assert!(notes.contains("merged, for which template 2 is trained alone"), "{notes}");
    let models = list(study, "models");
    assert_eq!(models[1]["mixture"], models[2]["mixture"]);
    assert!(models[2]["tokens"].is_null(), "it is not trained: {}", models[2]);
    let english = list(&study["english"], "models");
    let value = |at: usize| english[at]["loss"]["value"].as_f64().expect("a loss");
    assert!(value(2) != value(0) && value(2) != value(1), "{english:?}");
    let (again, notes) = studied(folder.path(), &[]);
    assert!(!notes.contains("merged"), "{notes}");
    assert_eq!(again, found);
    // Magnitudes cannot be averaged.
    let dora = arms.replace("rank = 2", "rank = 2\nuse_dora = true");
    fs::write(folder.path().join("tiny.toml"), dora).expect("a file");
    let (found, _) = studied(folder.path(), &[]);
    assert_eq!(names(&list(&found, "recipes")[0], "models"), ["base", "mixture"]);
}

/// A model in a folder whose tokenizer knows each ASCII letter.
fn letters(folder: &Path) {
    let pieces: Vec<String> =
        std::iter::once("</s>".to_string()).chain((' '..='~').map(String::from)).collect();
    let vocab: serde_json::Map<String, Value> =
        pieces.into_iter().enumerate().map(|(id, piece)| (piece, json!(id))).collect();
    let end = json!({"id": 0, "content": "</s>", "special": true, "single_word": false,
                     "lstrip": false, "rstrip": false, "normalized": false});
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
        "pre_tokenizer": null, "decoder": null, "added_tokens": [end], "post_processor": null,
        "model": {"type": "BPE", "vocab": vocab, "merges": [], "dropout": null,
                  "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false},
    });
    fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).expect("a file");
    let ends = r#"{"eos_token": "</s>"}"#;
    fs::write(folder.join("tokenizer_config.json"), ends).expect("a file");
    let tokenizer = Tokenizer::load(folder).expect("a tokenizer");
    let config = Config::small(tokenizer.vocab_size(), 16, 16, 1, 2);
    let model = weights::fresh(&config, 0, 0.1, &Device::Cpu).expect("weights");
    io::save(&model, folder).expect("a model");
}

#[test]
fn several_recipes_are_one_study() {
    let folder = kitchen(&[("[study]\n", "[study]\narms = [\"mixture\"]\n")]);
    let recipe = fs::read_to_string(folder.path().join("tiny.toml")).expect("the recipe");
    let other = recipe.replace("hidden_size = 16", "hidden_size = 24");
    fs::write(folder.path().join("wide.toml"), other).expect("a file");
    let output = cookc(folder.path(), &["study", "tiny.toml", "wide.toml", "--json"]);
    assert!(output.status.success(), "{}", err(&output));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(names(&found, "recipes"), ["tiny", "wide"]);
    let over = list(&found, "correlations").iter().find(|one| one["over"] == "all rules");
    let over = over.expect("cells of tasks");
    assert_eq!((&over["cells"], &over["models"]), (&json!(4), &json!(2)));
    assert!(folder.path().join("runs/tiny-study/report.html").is_file());
    fs::copy(folder.path().join("tiny.toml"), folder.path().join("copy.toml")).expect("a copy");
    let named = format!("name = \"tiny\"\n{recipe}");
    fs::write(folder.path().join("wide.toml"), named).expect("a file");
    let output = cookc(folder.path(), &["study", "tiny.toml", "wide.toml"]);
    assert!(err(&output).contains("are both called `tiny`"), "{}", err(&output));
}

#[test]
fn what_does_not_fit_together_is_refused_before_any_run() {
    let pair = "[[study.align]]\ntemplate = \"last.cook\"\ntask = \"picking\"\n\
                map = { words = \"given\" }\n";
    let twice = format!("{pair}[[study.align]]\ntemplate = \"say");
    let english = "[study]\nenglish = { file = \"rows.jsonl\", text = \"{{ given }}\" }\n";
    for (change, wanted) in [
        (("words = \"given\", said", "wrods = \"given\", said"), "did you mean `words`?"),
        (("words = \"given\", said", "words = \"givn\", said"), "did you mean `given`?"),
        (("words = \"given\", said", "said"), "no column of that name"),
        (("answers.0", "answers.7"), "no row of saying has a score"),
        (("task = \"picking\"", "task = \"pickin\""), "write `picking`"),
        (("task = \"picking\"", "task = \"other.toml\""), "the recipe has no task"),
        (("template = \"last.cook\"", "template = \"lost.cook\""), "the recipe has no template"),
        (("template = \"last.cook\"\n", ""), "a pair without its `template`"),
        (("[[study.align]]\ntemplate = \"say", &twice), "are held against `picking` twice"),
        (("[study]\n", "[study]\narms = [\"single\"]\n"), "write \"singles\""),
        (("[study]\n", "[study]\narm = [\"singles\"]\n"), "write `arms`"),
        (("[study]\n", "[study]\narms = []\n"), "nothing is trained"),
        (("[study]\n", "[study]\nobeyed = 2\n"), "is from 0 to 1"),
        (("[study]\n", english), "a model from scratch knows the words of its templates only"),
    ] {
        let folder = kitchen(&[change]);
        let output = cookc(folder.path(), &["study", "tiny.toml"]);
        assert_eq!(output.status.code(), Some(1), "{wanted}: {}", err(&output));
        assert!(err(&output).contains(wanted), "{wanted}: {}", err(&output));
        assert!(!folder.path().join("runs").exists(), "{wanted}");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_any_run() {
    let folder = kitchen(&[]);
    fs::write(folder.path().join("taken"), "mine").expect("a file");
    let output = cookc(folder.path(), &["study", "tiny.toml", "-o", "taken"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(err(&output).contains("taken is a file: name a folder"), "{}", err(&output));
    assert!(!folder.path().join("runs").exists());
}
