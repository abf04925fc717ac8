//! A run that goes on is the one that was begun: whatever decides its bits is held against its
//! checkpoint.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::{RECIPE, cookc, kitchen, text, trained};

/// Takes a function from a module, and has a pool of its own.
const TEMPLATE: &str = "\
/// Say the word again, or the other one.
use parts: chosen
words marks = \"marks.txt\"
level twice: many = 2
param many in 1..4 = 1
words_ ~ distinct(many, vocab)
mark ~ pick(marks)
said = chosen(words_)
rule whole: size(said) == size(words_)
prompt \"Say {words_} {mark} :\"
reply \"{said}\"
";
const MODULE: &str = "fn chosen(words_: [Token]) -> [Token] = take(size(words_), words_)\n";

/// Adapters on a model that was made in the same folder: a checkpoint after 10 of 20 steps.
fn adapted() -> TempDir {
    let folder = kitchen(RECIPE);
    let words: String = (0..16).map(|at| format!("word{at}\n")).collect();
    let files = [
        ("task.cook", TEMPLATE),
        ("parts.cook", MODULE),
        ("marks.txt", "now\nthen\n"),
        ("words.txt", words.as_str()),
    ];
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let base = RECIPE.replace("max_length = 32", "max_length = 128");
    let base = base.replace("say.cook", "task.cook").replace("vocab = 16", "vocab = \"words.txt\"");
    fs::write(folder.path().join("base.toml"), &base).expect("a file");
    trained(folder.path(), &["--train", "base.toml", "--out", "base"]);
    fs::copy(folder.path().join("base/model/model.safetensors"), folder.path().join("base.one"))
        .expect("a file");
    let recipe = base
        .replace("base = \"scratch:tiny\"\nhidden_size = 16", "base = \"base/model\"")
        .replace("[train]", "[lora]\nrank = 2\ntarget_modules = [\"q_proj\", \"v_proj\"]\n[train]");
    fs::write(folder.path().join("adapt.toml"), recipe).expect("a file");
    trained(folder.path(), &["--train", "adapt.toml", "--out", "run"]);
    folder
}

/// Every file below a folder with its bytes.
fn all(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else {
            found.push((path.display().to_string(), fs::read(&path).expect("a file")));
        }
    }
    found.sort();
    found
}

fn edit(folder: &Path, (name, from, to): (&str, &str, &str)) {
    let path = folder.join(name);
    let old = text(path.clone());
    assert!(old.contains(from), "{name} has no `{from}`:\n{old}");
    fs::write(path, old.replacen(from, to, 1)).expect("a file");
}

#[test]
fn an_edit_of_whatever_decides_the_bits_is_refused_by_name_before_any_work() {
    let folder = adapted();
    let (recipe, config) = ("run/recipe.toml", "base/model/config.json");
    for (change, wanted) in [
        (
            ("task.cook", "rule whole: size(said) ==", "rule whole: size(said) <="),
            "template 1 (task)",
        ),
        (("task.cook", "Say {words_}", "Say : {words_}"), "template 1 (task): changed"),
        (("task.cook", "reply \"{said}\"", "reply \"{said} .\""), "template 1 (task): changed"),
        (("task.cook", "param many in 1..4 = 1", "param many in 1..4 = 2"), "template 1 (task)"),
        (("parts.cook", "take(size(words_), words_)", "reverse(words_)"), "template 1 (task)"),
        (("marks.txt", "now\nthen", "then\nnow"), "words of template 1"),
        (("words.txt", "word3\nword4\n", "word4\nword3\n"), "words of template 1"),
        ((recipe, "task.cook", "say.cook"), "template 1: task → say"),
        (
            (recipe, "weight = 1.0", "weight = 1.0\nlevel = \"twice\""),
            "template 1.level: nothing → ",
        ),
        ((recipe, "weight = 1.0", "weight = 1.0\nset = { many = 3 }"), "template 1.set.many"),
        ((recipe, "shots = 0", "shots = 1"), "data.shots: 0 → 1"),
        ((recipe, "packing = true", "packing = false"), "data.packing: true → false"),
        ((recipe, "alpha = 32.0", "alpha = 16.0"), "lora.alpha: 32.0 → 16.0"),
        ((recipe, "dropout = 0.0", "dropout = 0.1"), "lora.dropout: 0.0 → 0.1"),
        ((recipe, "use_rslora = false", "use_rslora = true"), "lora.use_rslora"),
        ((recipe, "\"q_proj\", \"v_proj\"", "\"v_proj\""), "lora.target_modules"),
        ((recipe, "dtype = \"f32\"", "dtype = \"bf16\""), "model.dtype"),
        ((recipe, "quantization = \"none\"", "quantization = \"nf4\""), "model.quantization"),
        (
            (recipe, "learning_rate = 0.01", "learning_rate = 0.02"),
            "train.learning_rate: 0.01 → 0.02",
        ),
        ((recipe, "steps = 20", "steps = 30"), "train.steps: 20 → 30"),
        ((recipe, "seed = 0", "seed = 1"), "data.seed: 0 → 1"),
        (
            (config, "rms_norm_eps\": 0.00001", "rms_norm_eps\": 0.00002"),
            "base model's config.json",
        ),
        (("base/model/tokenizer.json", "{", "{ "), "base model's tokenizer.json"),
        (
            ("base/model/tokenizer_config.json", "{", "{\"bos_token\": null,"),
            "tokenizer_config.json",
        ),
    ] {
        let name = change.0;
        let old = fs::read(folder.path().join(name)).expect("a file");
        edit(folder.path(), change);
        let before = all(&folder.path().join("run"));
        let done = cookc(folder.path(), &["run", "--resume", "run"]);
        assert_eq!(done.code, 1, "{change:?}: {}", done.err);
        assert!(done.err.contains(wanted), "no {wanted} of {change:?} in\n{}", done.err);
        assert!(all(&folder.path().join("run")) == before, "{change:?} was refused too late");
        fs::write(folder.path().join(name), old).expect("a file");
    }
    let weights = folder.path().join("base/model/model.safetensors");
    let mut bytes = fs::read(&weights).expect("a file");
    let at = bytes.len() - 7;
    bytes[at] ^= 1;
    fs::write(&weights, bytes).expect("a file");
    let done = cookc(folder.path(), &["run", "--resume", "run"]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(done.err.contains("base model's model.safetensors ("), "{}", done.err);
}

#[test]
fn two_edits_are_listed_both_and_force_goes_on_and_reports_them() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    edit(folder.path(), ("say.cook", "said == words", "size(said) == 1"));
    edit(folder.path(), ("run/recipe.toml", "micro_batch_size = 8", "micro_batch_size = 4"));
    let done = cookc(folder.path(), &["run", "--resume", "run"]);
    assert_eq!(done.code, 1, "{}", done.err);
    let lines = ["  train.micro_batch_size: 8 → 4\n", "  template 1 (say): changed\n"];
    for wanted in ["after step 10", lines[0], lines[1], "--resume run --force"] {
        assert!(done.err.contains(wanted), "no {wanted} in\n{}", done.err);
    }
    let done = trained(folder.path(), &["--resume", "run", "--force"]);
    assert!(
        done.err.contains("changed since step 10: train.micro_batch_size: 8 → 4"),
        "{}",
        done.err
    );
    // It goes on once more from the same checkpoint: what was said stays once.
    trained(folder.path(), &["--resume", "run", "--force"]);
    let report: Value =
        serde_json::from_str(&text(folder.path().join("run/report.json"))).expect("JSON");
    assert_eq!(report["changed"].as_array().expect("a list").len(), 1, "{report}");
    assert_eq!(report["changed"][0]["step"], 10);
    assert_eq!(report["changed"][0]["changes"].as_array().expect("a list").len(), 2);
    assert_eq!(report["samples"], 10 * 8 + 10 * 4);
    let page = text(folder.path().join("run/report.html"));
    assert!(
        page.contains("After step 10") && page.contains("train.micro_batch_size: 8 → 4"),
        "{page}"
    );
}

#[test]
fn what_decides_no_bit_may_change_and_how_it_is_judged_may_with_a_note() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "straight"]);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    let weights = |run: &str| fs::read(folder.path().join(run).join("model/model.safetensors"));
    let recipe = "run/recipe.toml";
    edit(folder.path(), ("say.cook", "words ~", "// A comment.\n\nwords   ~"));
    edit(folder.path(), (recipe, "save_steps = 10", "save_steps = 3"));
    edit(folder.path(), (recipe, "save_total_limit = 1", "save_total_limit = 2"));
    let moved = folder.path().join("moved.cook");
    fs::rename(folder.path().join("say.cook"), &moved).expect("it can be moved");
    fs::create_dir(folder.path().join("elsewhere")).expect("a folder");
    fs::rename(moved, folder.path().join("elsewhere/say.cook")).expect("it can be moved");
    edit(folder.path(), (recipe, "say.cook", "elsewhere/say.cook"));
    trained(folder.path(), &["--resume", "run"]);
    assert!(weights("run").expect("weights") == weights("straight").expect("weights"));
    let report = |run: &str| -> Value {
        serde_json::from_str(&text(folder.path().join(run).join("report.json"))).expect("JSON")
    };
    assert_eq!(report("run")["changed"], Value::Null);
    edit(folder.path(), (recipe, "samples = 12", "samples = 6"));
    let done = trained(folder.path(), &["--resume", "run"]);
    assert!(done.err.contains("eval.samples: 12 → 6"), "{}", done.err);
    assert_eq!(report("run")["changed"][0]["changes"][0], "eval.samples: 12 → 6");
    assert!(weights("run").expect("weights") == weights("straight").expect("weights"));
}

#[test]
fn a_run_that_goes_on_is_named_after_its_recipe() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "somewhere"]);
    fs::rename(folder.path().join("somewhere"), folder.path().join("else")).expect("it moves");
    trained(folder.path(), &["--resume", "else"]);
    let report: Value =
        serde_json::from_str(&text(folder.path().join("else/report.json"))).expect("JSON");
    assert_eq!(report["name"], "tiny");
    for name in ["", ".", "a/b", "../up"] {
        let named = format!("name = \"{name}\"\n{RECIPE}");
        fs::write(folder.path().join("named.toml"), named).expect("a file");
        let done = cookc(folder.path(), &["run", "--train", "named.toml"]);
        assert_eq!(done.code, 1, "{name}: {}", done.err);
        assert!(done.err.contains("E708") && done.err.contains("named.toml:1:8"), "{}", done.err);
    }
}
