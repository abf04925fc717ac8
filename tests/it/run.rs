//! `cookc run` as a user runs it: reports, errors of recipes, and runs that are stopped.

mod damage;
mod early;
mod events;
mod folders;
mod identity;
mod resume;
mod tasks;
mod texts;
mod words;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use candle_core::{DType, Device};
use serde_json::Value;
use tempfile::TempDir;

const TEMPLATE: &str = "\
/// Say the word again.
level twice: many = 2
param many in 1..4 = 1
words ~ distinct(many, vocab)
said  = words
rule whole: size(said) == size(words)
rule same: said == words
prompt \"Say {words} :\"
reply \"{said}\"
";

const RECIPE: &str = "\
[model]
base = \"scratch:tiny\"
hidden_size = 16
[[template]]
file = \"say.cook\"
[data]
vocab = 16
max_length = 32
[train]
steps = 20
micro_batch_size = 8
learning_rate = 1e-2
save_steps = 10
[eval]
samples = 12
every = 10
";

/// What a command did.
struct Done {
    code: i32,
    out: String,
    err: String,
}

/// A folder with the template and a recipe.
fn kitchen(recipe: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("say.cook"), TEMPLATE).expect("a file");
    fs::write(folder.path().join("tiny.toml"), recipe).expect("a file");
    folder
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    command.current_dir(folder).args(arguments);
    command
}

fn cookc(folder: &Path, arguments: &[&str]) -> Done {
    let output = command(folder, arguments).output().expect("the command starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    let code = output.status.code().expect("no signal ended it");
    Done { code, out: text(output.stdout), err: text(output.stderr) }
}

fn trained(folder: &Path, arguments: &[&str]) -> Done {
    let done = cookc(folder, &[&["run"], arguments].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    done
}

fn text(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json_lines(path: PathBuf) -> Vec<Value> {
    text(path).lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// The lines of `metrics.jsonl` as they were written, up to their times, which come last.
pub fn untimed(run: &Path) -> String {
    let text = text(run.join("metrics.jsonl"));
    let lines = text.lines().map(|line| line.split(",\"seconds\":").next().unwrap_or(line));
    lines.map(|line| format!("{line}\n")).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn a_run_leaves_a_report_that_agrees_with_its_samples_and_its_metrics() {
    let folder = kitchen(RECIPE);
    let done = trained(folder.path(), &["--train", "tiny.toml"]);
    assert!(done.out.contains("exact") && done.out.contains("rule same"), "{}", done.out);
    let run = folder.path().join("runs/tiny");
    let report: Value = serde_json::from_str(&text(run.join("report.json"))).expect("JSON");

    let template = &report["templates"][0];
    assert_eq!((&template["template"], &template["level"]), (&"say".into(), &"default".into()));
    let samples = json_lines(run.join("samples.jsonl"));
    assert_eq!(template["samples"], samples.len());
    for when in ["before", "after"] {
        let score = |sample: &Value| number(&sample[format!("score_{when}")]);
        let alignment = number(&template[format!("alignment_{when}")]);
        assert!((alignment - mean(samples.iter().map(score))).abs() < 1e-12);
        let rules = template["rules"].as_object().expect("rules by name");
        assert!((alignment - mean(rules.values().map(|rule| number(&rule[when])))).abs() < 1e-12);
        let full = samples.iter().filter(|sample| score(sample) == 1.0).count();
        let exact = number(&report[format!("exact_{when}")]);
        assert!((exact - full as f64 / samples.len() as f64).abs() < 1e-12);
    }

    let metrics = json_lines(run.join("metrics.jsonl"));
    let steps: Vec<&Value> = metrics.iter().filter(|line| line["loss"].is_number()).collect();
    assert_eq!(steps.len(), 20);
    let tokens: f64 = steps.iter().map(|line| number(&line["tokens"])).sum();
    assert_eq!(number(&report["tokens"]), tokens);
    assert_eq!((&report["steps"], &report["samples"]), (&20.into(), &160.into()));
    assert_eq!(report["loss_last"], steps[19]["loss"]);
    for key in ["tokens_per_second", "samples_per_second", "seconds", "peak_memory_bytes"] {
        assert!(number(&report[key]) > 0.0, "{key}");
    }
    assert_eq!(report["seeds"]["data"], 0);
    assert_eq!(report["versions"]["cookc"], env!("CARGO_PKG_VERSION"));
    for name in ["model/model.safetensors", "model/config.json", "model/tokenizer.json"] {
        assert!(run.join(name).is_file(), "{name}");
    }
}

#[test]
fn the_page_takes_nothing_from_outside() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml"]);
    let page = text(folder.path().join("runs/tiny/report.html"));
    assert!(page.contains("<svg") && page.contains("polyline") && page.contains("rule same"));
    for outside in ["http", "src=", "href=", "url(", "@import", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn the_same_seed_gives_the_same_metrics_and_replies_bit_for_bit() {
    let folder = kitchen(RECIPE);
    for (out, seed) in [("a", "7"), ("b", "7"), ("c", "8")] {
        trained(folder.path(), &["--train", "tiny.toml", "--out", out, "--seed", seed]);
    }
    let samples = |run: &Path| text(run.join("samples.jsonl"));
    for of in [&samples as &dyn Fn(&Path) -> String, &untimed] {
        let [a, b, c] = ["a", "b", "c"].map(|run| of(&folder.path().join(run)));
        assert_eq!(a, b);
        assert_ne!(a, c);
    }
}

#[test]
fn a_run_that_goes_on_from_its_checkpoint_ends_like_one_that_never_stopped() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "a"]);
    let run = folder.path().join("a");
    let ends = || [untimed(&run), text(run.join("samples.jsonl"))];
    let never_stopped = ends();
    let weights = fs::read(run.join("model/model.safetensors")).expect("weights");
    trained(folder.path(), &["--resume", "a"]);
    assert_eq!(ends(), never_stopped);
    assert_eq!(fs::read(run.join("model/model.safetensors")).expect("weights"), weights);
}

#[test]
fn ctrl_c_leaves_a_checkpoint_and_says_how_to_go_on() {
    let recipe = RECIPE.replace("steps = 20", "steps = 1000000").replace("every = 10", "every = 1");
    let folder = kitchen(&recipe);
    let mut child = command(folder.path(), &["run", "--train", "tiny.toml"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let first = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("step 2")));
    assert!(first.is_some(), "it trains");
    let process = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &process]).status().expect("kill is there");
    assert!(sent.success());
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let said = rest.iter().any(|line| line.contains("cookc run --resume runs/tiny"));
    assert!(said, "{rest:?}");
    let run = folder.path().join("runs/tiny");
    assert_eq!(fs::read_dir(run.join("checkpoints")).expect("a folder").count(), 1);
    assert!(!run.join("report.json").exists() && !run.join("model").exists());
}

#[test]
fn every_fault_of_a_recipe_is_shown_with_its_place_and_what_to_write() {
    for (from, to, wanted) in [
        (
            "micro_batch_size = 8",
            "micro_bacth_size = 8",
            &["E702", "tiny.toml:11:1", "write `micro_batch_size`"][..],
        ),
        ("[eval]", "[evals]", &["E702", "tiny.toml:14:2", "write `eval`"]),
        ("steps = 20", "steps = \"20\"", &["E703", "tiny.toml:10:9", "write `steps = 500`"]),
        ("steps = 20", "steps = 0", &["E704", "tiny.toml:10:9"]),
        ("vocab = 16", "vocab = 5000", &["E704", "from 16 to 4096"]),
        ("micro_batch_size = 8", "lr_scheduler = \"cosin\"", &["E705", "write \"cosine\""]),
        ("scratch:tiny", "scratch:tyni", &["E705", "write \"scratch:tiny\""]),
        ("scratch:tiny", "http://org/Some-7B", &["E706", "write `base = \"models/Some-7B\"`"]),
        ("vocab = 16", "packing = 1", &["E703", "write `packing = true`"]),
        ("vocab = 16", "paking = true", &["E702", "write `packing`"]),
        ("micro_batch_size = 8", "gradient_accumulation_steps = 0", &["E704", "from 1 to 65536"]),
        (
            "micro_batch_size = 8",
            "gradient_acumulation_steps = 2",
            &["E702", "write `gradient_accumulation_steps`"],
        ),
        ("micro_batch_size = 8", "min_lr_ratio = 2", &["E704", "from 0 to 1"]),
        ("micro_batch_size = 8", "min_lr_rato = 0.1", &["E702", "write `min_lr_ratio`"]),
        ("micro_batch_size = 8", "neftune_noise_alpha = -1", &["E704", "from 0 to 1000"]),
        (
            "micro_batch_size = 8",
            "neftune_noise_alfa = 5",
            &["E702", "write `neftune_noise_alpha`"],
        ),
        ("micro_batch_size = 8", "loraplus_lr_ratio = 0", &["E704", "from 0.001 to 1000"]),
        ("micro_batch_size = 8", "loraplus_lr_ratio = 16", &["E708", "write `[lora]`"]),
        ("micro_batch_size = 8", "save_total_limit = 0", &["E704", "from 1 to 1000"]),
        ("micro_batch_size = 8", "save_total_limt = 2", &["E702", "write `save_total_limit`"]),
        ("samples = 12", "patience = -1", &["E704"]),
        ("samples = 12", "patiense = 3", &["E702", "write `patience`"]),
        ("samples = 12\nevery = 10", "patience = 3", &["E708", "write `every = 100`"]),
        ("samples = 12\nevery = 10", "until_exact = 0.9", &["E708", "write `every = 100`"]),
        ("samples = 12", "until_exact = 1.5", &["E704", "from 0 to 1"]),
        ("vocab = 16", "shots = 65", &["E704", "from 0 to 64"]),
        ("vocab = 16", "shot = 1", &["E702", "write `shots`"]),
        ("vocab = 16", "shots = 2", &["E710", "with its 2 shots", "tiny.toml:5:8"]),
        ("vocab = 16", "format = \"chat\"", &["E708", "write `format = \"plain\"`"]),
        ("vocab = 16", "format = \"chta\"", &["E705", "write \"chat\""]),
        ("hidden_size = 16", "hidden_size = 17", &["E708", "write `hidden_size = 20`"]),
        ("say.cook", "sya.cook", &["E707", "did you mean", "tiny.toml:5:8"]),
        ("say.cook", "std:retreival", &["E707", "did you mean std:retrieval?"]),
        (
            "max_length = 32",
            "max_length = 8",
            &["E710", "tiny.toml:5:8", "write `max_length = 12`"],
        ),
        ("steps = 20", "steps = ", &["E701", "tiny.toml:10"]),
    ] {
        let folder = kitchen(&RECIPE.replace(from, to));
        let done = cookc(folder.path(), &["run", "--train", "tiny.toml"]);
        assert_eq!(done.code, 1, "{to}: {}", done.err);
        for part in wanted {
            assert!(done.err.contains(part), "{to}: no {part} in\n{}", done.err);
        }
        assert!(!folder.path().join("runs").exists(), "{to}: work was begun");
    }
}

#[test]
fn errors_of_a_recipe_and_of_its_files_are_shown_together() {
    let recipe = RECIPE
        .replace("micro_batch_size = 8", "micro_bacth_size = 8")
        .replace("say.cook", "no.cook");
    let folder = kitchen(&recipe.replace("samples = 12", "samples = -1"));
    let done = cookc(folder.path(), &["run", "--train", "tiny.toml"]);
    for code in ["E702", "E704", "E707"] {
        assert!(done.err.contains(code), "no {code} in\n{}", done.err);
    }
}

#[test]
fn a_dry_run_prints_a_recipe_that_means_the_same_and_writes_nothing() {
    let folder = kitchen(RECIPE);
    let first = trained(folder.path(), &["--train", "tiny.toml", "--dry-run"]).out;
    assert!(first.contains("weights") && first.contains("of memory"), "{first}");
    assert!(first.contains("say (default): at most"), "{first}");
    fs::write(folder.path().join("again.toml"), &first).expect("a file");
    assert_eq!(trained(folder.path(), &["--train", "again.toml", "--dry-run"]).out, first);
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn an_output_folder_that_cannot_be_written_is_found_before_training() {
    let folder = kitchen(RECIPE);
    let done = cookc(folder.path(), &["run", "--train", "tiny.toml", "--out", "say.cook/run"]);
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(done.err.contains("cannot write say.cook/run"), "{}", done.err);
    assert_eq!(done.err.trim().lines().count(), 1, "{}", done.err);
}

#[test]
fn a_gpu_that_is_not_there_is_told_in_one_line() {
    let folder =
        kitchen(&RECIPE.replace("hidden_size = 16", "hidden_size = 16\ndevice = \"cuda\""));
    let mut run = command(folder.path(), &["run", "--train", "tiny.toml"]);
    let output = run.env("RUST_BACKTRACE", "1").output().expect("cookc runs");
    // On a machine with a GPU, and built for it, the run is made.
    if !output.status.success() {
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{err}");
        assert!(err.contains("write `device = \"cpu\"`"), "{err}");
        assert!(!err.contains("   0: "), "{err}");
    }
}

#[test]
fn a_folder_with_files_is_never_written_into_unasked() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml"]);
    trained(folder.path(), &["--train", "tiny.toml"]);
    assert!(folder.path().join("runs/tiny-2/report.json").is_file());
    let out = ["--train", "tiny.toml", "--out", "runs/tiny"];
    let done = cookc(folder.path(), &[&["run"], &out[..]].concat());
    assert_eq!(done.code, 1);
    assert!(done.err.contains("--force"), "{}", done.err);
    trained(folder.path(), &[&out[..], &["--force"]].concat());
}

#[test]
fn adapters_are_trained_on_a_model_of_a_folder() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "base"]);
    let recipe = RECIPE
        .replace("base = \"scratch:tiny\"\nhidden_size = 16", "base = \"base/model\"")
        .replace("[train]", "[lora]\nrank = 2\ntarget_modules = [\"q_proj\", \"v_proj\"]\n[train]");
    fs::write(folder.path().join("adapt.toml"), recipe).expect("a file");
    trained(folder.path(), &["--train", "adapt.toml", "--out", "adapted"]);
    let run = folder.path().join("adapted");
    let report: Value = serde_json::from_str(&text(run.join("report.json"))).expect("JSON");
    assert!(number(&report["parameters_learning"]) < number(&report["parameters"]) / 2.0);
    assert!(run.join("adapter/adapter_model.safetensors").is_file());
    let before: Value =
        serde_json::from_str(&text(folder.path().join("base/report.json"))).expect("JSON");
    assert_eq!(report["exact_before"], before["exact_after"]);
}

#[test]
fn a_model_from_scratch_is_of_the_family_that_is_asked_for() {
    for (family, part) in [
        ("mistral", None),
        ("qwen2", Some("model.layers.0.self_attn.q_proj.bias")),
        ("qwen3", Some("model.layers.0.self_attn.q_norm.weight")),
    ] {
        let shape = format!("model_type = \"{family}\"\nhidden_size = 16");
        let folder = kitchen(&RECIPE.replace("hidden_size = 16", &shape));
        trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
        let model = folder.path().join("run/model");
        let config: Value = serde_json::from_str(&text(model.join("config.json"))).expect("JSON");
        assert_eq!(config["model_type"], family);
        let tensors = candle_core::safetensors::load(model.join("model.safetensors"), &Device::Cpu);
        let tensors = tensors.expect("weights");
        let own = |name: &&String| {
            name.contains("layers.0.self_attn.q_") && !name.contains("proj.weight")
        };
        let own: Vec<&str> = tensors.keys().filter(own).map(String::as_str).collect();
        assert_eq!(own, Vec::from_iter(part), "{family}");
        let read = cookc::model::load(&model, DType::F32, &Device::Cpu).expect("it is read again");
        assert_eq!(read.config.model_type, family);
    }
    let folder = kitchen(&RECIPE.replace("hidden_size", "model_type = \"qwen\"\nhidden_size"));
    let done = cookc(folder.path(), &["run", "--train", "tiny.toml"]);
    assert!(
        done.err.contains("write \"qwen2\"") || done.err.contains("write \"qwen3\""),
        "{}",
        done.err
    );
}

#[test]
fn two_templates_are_mixed_and_judged_each() {
    let more = "[[template]]\nfile = \"say.cook\"\nlevel = \"twice\"\nweight = 3\n[data]";
    let folder = kitchen(&RECIPE.replace("[data]", more));
    trained(folder.path(), &["--train", "tiny.toml", "--out", "a"]);
    let report: Value =
        serde_json::from_str(&text(folder.path().join("a/report.json"))).expect("JSON");
    let levels: Vec<&Value> =
        report["templates"].as_array().expect("a list").iter().map(|one| &one["level"]).collect();
    assert_eq!(levels, ["default", "twice"]);
    let exact = |at: usize| number(&report["templates"][at]["exact_after"]);
    assert!((number(&report["exact_after"]) - (exact(0) + exact(1)) / 2.0).abs() < 1e-12);
}
