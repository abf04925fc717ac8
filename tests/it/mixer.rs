//! Mixture weights learned by runs: `cookc mix RECIPE`, and a training that learns them first.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const TEMPLATE: &str = "\
level twice: many = 2
level thrice: many = 3
param many in 1..4 = 1
words ~ distinct(many, vocab)
said  = words
rule same: said == words
prompt \"Say {words} :\"
reply \"{said}\"
";

const OTHER: &str = "\
words ~ distinct(2, vocab)
last  = at(1, words)
rule same: last == at(1, words)
prompt \"Last {words} :\"
reply \"{last}\"
";

/// Two templates to learn from, and one at a level that is a target.
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
vocab = 16
max_length = 32
[train]
steps = 30
micro_batch_size = 16
learning_rate = 1e-2
[eval]
samples = 4
[mix]
policy = \"cookbook\"
samples = 24
runs = 4
candidates = 3
";

fn kitchen(changes: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = changes.iter().fold(RECIPE.to_string(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    for (name, text) in [("say.cook", TEMPLATE), ("last.cook", OTHER), ("tiny.toml", &recipe)] {
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

fn learned(folder: &Path, recipe: &str) -> (Value, String) {
    let output = cookc(folder, &["mix", recipe, "--json"]);
    assert!(output.status.success(), "{}", err(&output));
    (serde_json::from_slice(&output.stdout).expect("JSON"), err(&output))
}

fn weights(learned: &Value) -> Vec<f64> {
    let weights = learned["weights"].as_array().expect("a list").iter();
    weights.map(|weight| weight.as_f64().expect("a number")).collect()
}

/// The weights of a recipe's templates.
fn written(path: &Path) -> Vec<f64> {
    let recipe: toml::Table = fs::read_to_string(path).expect("a recipe").parse().expect("TOML");
    assert_eq!(recipe["mix"]["policy"].as_str(), Some("fixed"));
    let entries = recipe["template"].as_array().expect("a list").iter();
    entries.map(|entry| entry["weight"].as_float().expect("a number")).collect()
}

#[test]
fn a_second_call_trains_nothing_and_learns_the_same() {
    let folder = kitchen(&[]);
    let (first, notes) = learned(folder.path(), "tiny.toml");
    assert!(notes.contains("run 1 of 2, say alone"), "{notes}");
    let (second, notes) = learned(folder.path(), "tiny.toml");
    assert!(!notes.contains("alone") && !notes.contains("base model"), "{notes}");
    assert_eq!(first, second);
    let found = weights(&first);
    assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-3 && found[2] == 0.0, "{found:?}");
    assert_eq!(first["runs"].as_array().map(Vec::len), Some(3));
}

#[test]
fn two_calls_at_once_share_their_runs() {
    let folder = kitchen(&[("steps = 30", "steps = 400")]);
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
        command.args(["mix", "tiny.toml", "--json"]).current_dir(folder.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    let both = [start(), start()].map(|child| child.wait_with_output().expect("it ends"));
    for one in &both {
        assert!(one.status.success(), "{}", err(one));
    }
    assert_eq!(both[0].stdout, both[1].stdout);
    let told = both.iter().filter(|one| err(one).contains("waiting for it")).count();
    assert!(told > 0, "{}\n{}", err(&both[0]), err(&both[1]));
}

#[test]
fn a_cache_of_another_version_is_left_alone_with_a_note() {
    let folder = kitchen(&[]);
    let cache = folder.path().join("runs/tiny-mix");
    fs::create_dir_all(&cache).expect("a folder");
    fs::write(cache.join("version"), "0.0.0-before").expect("a file");
    let (_, notes) = learned(folder.path(), "tiny.toml");
    assert!(notes.contains("is of cookc 0.0.0-before"), "{notes}");
    let (_, notes) = learned(folder.path(), "tiny.toml");
    assert!(!notes.contains("is of cookc"), "{notes}");
}

#[test]
fn every_policy_that_learns_gives_weights_that_sum_to_one() {
    for policy in ["merge", "log-linear"] {
        let folder = kitchen(&[("\"cookbook\"", &format!("\"{policy}\""))]);
        let (found, _) = learned(folder.path(), "tiny.toml");
        let found = weights(&found);
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-3 && found[2] == 0.0, "{found:?}");
        // No template goes below the floor: a tenth of an equal weight.
        assert!(found[0] >= 0.0499 && found[1] >= 0.0499, "{found:?}");
    }
}

#[test]
fn a_training_learns_its_mixture_first_and_its_folder_has_the_weights() {
    let folder = kitchen(&[]);
    let output = cookc(folder.path(), &["train", "tiny.toml", "--out", "run"]);
    assert!(output.status.success(), "{}", err(&output));
    assert!(err(&output).contains("weights: say"), "{}", err(&output));
    let trained = written(&folder.path().join("run/recipe.toml"));
    let kept = fs::read_to_string(folder.path().join("run/mixture.json")).expect("a file");
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    assert_eq!(weights(&kept), trained);
    let output = cookc(folder.path(), &["mix", "tiny.toml", "-o", "mixed.toml"]);
    assert!(output.status.success(), "{}", err(&output));
    assert_eq!(trained, written(&folder.path().join("mixed.toml")));
    let output = cookc(folder.path(), &["train", "mixed.toml", "--out", "again"]);
    assert!(output.status.success(), "{}", err(&output));
    let model = |run: &str| fs::read(folder.path().join(run).join("model/model.safetensors"));
    assert_eq!(model("run").expect("a model"), model("again").expect("a model"));
}

#[test]
fn several_processes_train_on_the_mixture_that_the_first_has_learned() {
    let folder = kitchen(&[]);
    let output = cookc(folder.path(), &["train", "tiny.toml", "--out", "run", "--processes", "2"]);
    assert!(output.status.success(), "{}", err(&output));
    assert_eq!(err(&output).matches("run 1 of 2, say alone").count(), 1, "{}", err(&output));
    let (found, _) = learned(folder.path(), "tiny.toml");
    assert_eq!(weights(&found), written(&folder.path().join("run/recipe.toml")));
}

#[test]
fn policies_are_held_against_mixtures_that_were_trained() {
    let folder = kitchen(&[]);
    let output = cookc(folder.path(), &["mix", "tiny.toml", "--validate", "3", "--json"]);
    assert!(output.status.success(), "{}", err(&output));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(found["mixtures"].as_array().map(Vec::len), Some(3));
    let compared = found["compared"].as_array().expect("a list");
    let names: Vec<&str> =
        compared.iter().map(|one| one["policy"].as_str().expect("a name")).collect();
    for name in ["uniform", "cookbook", "proportional", "best single", "merge", "log-linear"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(compared.iter().all(|one| one["regret"].as_f64().is_some_and(|regret| regret >= 0.0)));
}

#[test]
fn a_mixture_that_cannot_be_learned_is_refused_before_any_run() {
    let held_out = "level = \"twice\"\nweight = 0.0\n";
    let second = "[[template]]\nfile = \"last.cook\"\n";
    for (changes, wanted) in [
        (vec![(held_out, "level = \"twice\"\n")], "is for target tasks, and there are none"),
        (vec![(second, "")], "there is nothing to weigh"),
        (vec![("\"cookbook\"", "\"fixed\"")], "learns nothing before the training"),
        (vec![("\"cookbook\"", "\"cookbok\"")], "write \"cookbook\""),
        (vec![("\"cookbook\"", "\"online\"")], "follows evaluations during training"),
    ] {
        let folder = kitchen(&changes);
        let output = cookc(folder.path(), &["mix", "tiny.toml"]);
        assert_eq!(output.status.code(), Some(1), "{}", err(&output));
        assert!(err(&output).contains(wanted), "{wanted}: {}", err(&output));
        assert!(!folder.path().join("runs").exists(), "{wanted}");
    }
}

/// A task of the same rule: rows with an answer each, and the file that says how they are asked.
fn add_task(folder: &Path) {
    let other = ("file = \"last.cook\"", "file = \"say.cook\"");
    let fixed = RECIPE.replace("cookbook", "fixed").replace(other.0, other.1);
    fs::write(folder.join("fixed.toml"), fixed).expect("a file");
    let rows = ["generate", "fixed.toml", "-n", "40", "-o", "rows.jsonl"];
    let output = cookc(folder, &rows);
    assert!(output.status.success(), "{}", err(&output));
    let task = "kind = \"generate\"\ncontext = \"{{ prompt }}\"\ngold = \"{{ reply }}\"\n\
                max_gen_toks = 4\n[data]\npath = \"rows.jsonl\"\n";
    fs::write(folder.join("saying.toml"), task).expect("a file");
}

#[test]
fn too_few_templates_without_labels_are_refused_before_any_run() {
    let held_out = "level = \"twice\"\nweight = 0.0\n";
    let second = "[[template]]\nfile = \"last.cook\"\n";
    let task = "samples = 24\ntasks = { names = \"saying.toml\", limit = 20 }\n";
    let changes = [(held_out, "level = \"twice\"\n"), (second, ""), ("samples = 24\n", task)];
    let folder = kitchen(&changes);
    add_task(folder.path());
    let output = cookc(folder.path(), &["mix", "tiny.toml"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(err(&output).contains("3 runs at least") && err(&output).contains("`labels = true`"));
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn too_few_answers_without_labels_are_refused_with_the_reason() {
    let held_out = "level = \"twice\"\nweight = 0.0\n";
    let task = "samples = 24\ntasks = { names = \"saying.toml\", limit = 20 }\n";
    let folder = kitchen(&[(held_out, "level = \"twice\"\n"), ("samples = 24\n", task)]);
    add_task(folder.path());
    let output = cookc(folder.path(), &["mix", "tiny.toml"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(err(&output).contains("saying: ") && err(&output).contains("`labels = true`"));
    let recipe = fs::read_to_string(folder.path().join("tiny.toml")).expect("a recipe");
    let labelled = recipe.replace("samples = 24\n", "samples = 24\nlabels = true\n");
    fs::write(folder.path().join("tiny.toml"), labelled).expect("a file");
    let (found, notes) = learned(folder.path(), "tiny.toml");
    assert!(!notes.contains("alone"), "the runs are there already: {notes}");
    assert_eq!(found["targets"][0]["is_known"], true);
}

#[test]
fn a_folder_that_is_taken_is_refused_before_anything_is_learned() {
    let folder = kitchen(&[]);
    fs::create_dir(folder.path().join("run")).expect("a folder");
    fs::write(folder.path().join("run/mine.txt"), "mine").expect("a file");
    let output = cookc(folder.path(), &["train", "tiny.toml", "--out", "run"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(err(&output).contains("holds files already"), "{}", err(&output));
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn the_recipe_that_is_read_is_not_written_over() {
    let folder = kitchen(&[]);
    let output = cookc(folder.path(), &["mix", "tiny.toml", "-o", "tiny.toml"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(err(&output).contains("is what is read"), "{}", err(&output));
    assert_eq!(fs::read_to_string(folder.path().join("tiny.toml")).expect("a recipe"), RECIPE);
}

#[test]
fn with_another_target_no_run_is_trained_again() {
    let folder = kitchen(&[]);
    learned(folder.path(), "tiny.toml");
    let recipe = RECIPE.replace("level = \"twice\"\n", "level = \"thrice\"\n");
    fs::write(folder.path().join("tiny.toml"), recipe).expect("a file");
    let (_, notes) = learned(folder.path(), "tiny.toml");
    assert!(notes.contains("the base model"), "{notes}");
    assert!(!notes.contains(" steps of "), "it trains nothing: {notes}");
}

#[test]
fn a_damaged_model_is_trained_anew() {
    let folder = kitchen(&[]);
    let (first, _) = learned(folder.path(), "tiny.toml");
    let run = folder.path().join(first["runs"][1]["folder"].as_str().expect("a path"));
    fs::write(run.join("model/model.safetensors"), "").expect("a file");
    for entry in fs::read_dir(&run).expect("a folder").flatten() {
        if entry.file_name().to_string_lossy().starts_with("answers-") {
            fs::remove_file(entry.path()).expect("it is there");
        }
    }
    let (second, notes) = learned(folder.path(), "tiny.toml");
    assert!(notes.contains("is trained anew"), "{notes}");
    assert_eq!(first, second);
}

#[test]
fn a_data_set_is_not_written_with_weights_that_are_not_learned_yet() {
    let folder = kitchen(&[]);
    let output = cookc(folder.path(), &["generate", "tiny.toml", "-n", "4", "-o", "out.jsonl"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(err(&output).contains("are learned by runs first"), "{}", err(&output));
    assert!(!folder.path().join("out.jsonl").exists());
}
