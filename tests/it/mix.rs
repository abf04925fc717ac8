//! Mixtures that change during training: by a schedule, and by a policy that learns from scores.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use cookc::mix::{Evaluated, Policy};
use cookc::recipe::Recipe;
use cookc::run::{self, Event, Observer, Setup, Target};
use cookc::train::group::{Place, Secret};
use serde_json::Value;
use tempfile::TempDir;

use super::run::untimed;
use super::run_group::free_port;

const TEMPLATE: &str = "\
level twice: many = 2
param many in 1..4 = 1
words ~ distinct(many, vocab)
said  = words
rule same: said == words
prompt \"Say {words} :\"
reply \"{said}\"
";

/// Eight samples a step, in two halves that are added up as those of two processes are.
const RECIPE: &str = "\
[model]
base = \"scratch:tiny\"
hidden_size = 16
[[template]]
file = \"say.cook\"
[[template]]
file = \"say.cook\"
level = \"twice\"
[data]
vocab = 16
max_length = 32
[train]
steps = 12
micro_batch_size = 4
gradient_accumulation_steps = 2
learning_rate = 1e-2
save_steps = 4
[eval]
samples = 6
every = 4
";

fn kitchen(recipe: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("say.cook"), TEMPLATE).expect("a file");
    fs::write(folder.path().join("tiny.toml"), recipe).expect("a file");
    folder
}

/// Each evaluation makes a template's weight smaller by what it has learned, and by a fifth.
#[derive(Debug)]
struct Feedback(Vec<f64>);

fn feedback(recipe: &Recipe) -> Box<dyn Policy> {
    Box::new(Feedback(recipe.templates.iter().map(|entry| entry.weight).collect()))
}

impl Policy for Feedback {
    fn weights(&self, _: u64) -> Vec<f64> {
        self.0.clone()
    }

    fn update(&mut self, evaluated: &Evaluated) {
        for (at, (weight, scores)) in self.0.iter_mut().zip(evaluated.scores).enumerate() {
            *weight *= (1.0 - scores.exact / 2.0) * if at == 0 { 0.8 } else { 1.0 };
        }
    }

    fn state(&self) -> Vec<f64> {
        self.0.clone()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), String> {
        self.0 = state.to_vec();
        Ok(())
    }
}

/// What one process of a run is: its number, of how many, and the step after which it is stopped.
#[derive(Clone)]
struct Process {
    place: Place,
    stop_after: Option<u64>,
}

impl Process {
    fn alone(stop_after: Option<u64>) -> Process {
        Process { place: Place::alone(), stop_after }
    }
}

/// Runs a recipe with that policy, as one process.
fn trained(folder: &Path, target: &Target, process: Process, learns: bool) {
    let cancel: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    let (last, stops) = (AtomicU64::new(0), process.stop_after);
    let event = |event: Event| {
        if let Event::Step { progress, .. } = event {
            last.store(progress.step, Ordering::Relaxed);
            cancel.store(stops == Some(progress.step), Ordering::Relaxed);
        }
    };
    let observer = Observer { cancel, event: &event, stuck: |lost| panic!("{lost}") };
    let recipe = match target {
        Target::Resume { path, .. } => path.join("recipe.toml"),
        Target::New { .. } => folder.join("tiny.toml"),
    };
    let mut setup = Setup::read(&recipe, None, true, &observer).expect("a good recipe");
    if learns {
        setup.policy = feedback;
    }
    match run::run(&setup, target, process.place, &observer) {
        Ok(_) => assert_eq!(stops, None),
        Err(error) => assert_eq!(stops, Some(last.into_inner()), "{error}"),
    }
}

fn new(folder: &Path, name: &str) -> (PathBuf, Target) {
    let path = folder.join(name);
    (path.clone(), Target::New { out: Some(path), force: false })
}

fn again(path: &Path) -> Target {
    Target::Resume { path: path.to_path_buf(), force: false }
}

/// What a run came to, to the last bit.
fn result(run: &Path) -> (String, Vec<u8>) {
    (untimed(run), fs::read(run.join("model/model.safetensors")).expect("weights"))
}

#[test]
fn a_run_with_a_policy_that_learns_is_the_same_stopped_and_resumed_or_not() {
    let folder = kitchen(RECIPE);
    let (whole, target) = new(folder.path(), "whole");
    trained(folder.path(), &target, Process::alone(None), true);
    // Between two evaluations, and after a step that is evaluated only when the run goes on.
    for stop in [6, 8] {
        let (halted, target) = new(folder.path(), &format!("halted-{stop}"));
        trained(folder.path(), &target, Process::alone(Some(stop)), true);
        trained(folder.path(), &again(&halted), Process::alone(None), true);
        assert_eq!(result(&halted), result(&whole), "stopped after step {stop}");
    }
    let (fixed, target) = new(folder.path(), "fixed");
    trained(folder.path(), &target, Process::alone(None), false);
    assert_ne!(result(&fixed), result(&whole), "what it learned matters");
}

#[test]
fn a_curriculum_that_follows_the_alignment_is_the_same_stopped_and_resumed() {
    // Any alignment masters a level, so the second one takes over after the first evaluation.
    let mix = "[mix]\npolicy = \"online\"\nmastered = 0.0\nfailed = 0.0\n[eval]";
    let online = RECIPE.replace("[eval]", mix);
    let folder = kitchen(&online);
    let (whole, target) = new(folder.path(), "whole");
    trained(folder.path(), &target, Process::alone(None), false);
    for stop in [6, 8] {
        let (halted, target) = new(folder.path(), &format!("halted-{stop}"));
        trained(folder.path(), &target, Process::alone(Some(stop)), false);
        trained(folder.path(), &again(&halted), Process::alone(None), false);
        assert_eq!(result(&halted), result(&whole), "stopped after step {stop}");
    }
    let still = kitchen(&online.replace("mastered = 0.0", "mastered = 1.0"));
    let (path, target) = new(still.path(), "still");
    trained(still.path(), &target, Process::alone(None), false);
    assert_ne!(result(&path), result(&whole), "what is mastered matters");
}

#[test]
fn the_state_of_a_policy_is_not_lost_on_a_run_with_another_one() {
    let folder = kitchen(RECIPE);
    let (halted, target) = new(folder.path(), "halted");
    trained(folder.path(), &target, Process::alone(Some(6)), true);
    let never = Observer::none();
    let setup = Setup::read(&halted.join("recipe.toml"), None, true, &never).expect("a recipe");
    let error = run::run(&setup, &again(&halted), Place::alone(), &never).expect_err("refused");
    assert!(error.to_string().contains("the state of `fixed`: it has no state"), "{error}");
}

#[test]
fn all_processes_of_a_run_agree_on_what_a_policy_learned() {
    let folder = kitchen(RECIPE);
    let (alone, target) = new(folder.path(), "alone");
    trained(folder.path(), &target, Process::alone(None), true);
    let halves = RECIPE.replace("micro_batch_size = 4", "micro_batch_size = 8");
    let halves = halves.replace("gradient_accumulation_steps = 2\n", "");
    let shared = kitchen(&halves);
    let (path, target) = new(shared.path(), "shared");
    let port = free_port();
    thread::scope(|scope| {
        for rank in 0..2 {
            let (target, folder) = (&target, shared.path());
            let place = Place {
                rank,
                size: 2,
                local_rank: rank,
                meeting: Some(("127.0.0.1".to_string(), port)),
                patience: Duration::from_secs(60),
                secret: Secret::new("a secret of the mixture's tests").expect("long enough"),
            };
            let process = Process { place, stop_after: None };
            scope.spawn(move || trained(folder, target, process, true));
        }
    });
    let weights = |run: &Path| fs::read(run.join("model/model.safetensors")).expect("weights");
    assert_eq!(weights(&path), weights(&alone));
}

#[test]
fn a_schedule_is_the_same_stopped_and_resumed_and_moves_the_mixture() {
    let linear = RECIPE
        .replacen("file = \"say.cook\"\n", "file = \"say.cook\"\nend_weight = 0.0\n", 1)
        .replace("[data]", "[mix]\npolicy = \"linear\"\n[data]");
    let folder = kitchen(&linear);
    let (whole, target) = new(folder.path(), "whole");
    trained(folder.path(), &target, Process::alone(None), false);
    let (halted, target) = new(folder.path(), "halted");
    trained(folder.path(), &target, Process::alone(Some(6)), false);
    trained(folder.path(), &again(&halted), Process::alone(None), false);
    assert_eq!(result(&halted), result(&whole));
    // The last step has samples of two words alone, which are longer.
    let lines = untimed(&whole);
    let tokens: Vec<u64> = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(&format!("{line}}}")).ok())
        .filter_map(|line| line["tokens"].as_u64())
        .collect();
    assert_eq!(tokens.len(), 12, "{lines}");
    assert!(tokens[11] > tokens[0], "{tokens:?}");
}

#[test]
fn a_mixed_data_set_has_the_samples_of_training_in_its_order() {
    let linear = RECIPE
        .replacen("file = \"say.cook\"\n", "file = \"say.cook\"\nend_weight = 0.0\n", 1)
        .replace("[data]", "[mix]\npolicy = \"linear\"\n[data]");
    let folder = kitchen(&linear);
    let (run, target) = new(folder.path(), "run");
    trained(folder.path(), &target, Process::alone(None), false);
    let tokens: Vec<u64> = untimed(&run)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(&format!("{line}}}")).ok())
        .filter_map(|line| line["tokens"].as_u64())
        .collect();
    let generate = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cookc"))
            .current_dir(folder.path())
            .args(["generate", "tiny.toml"])
            .args(more)
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let text = generate(&["-n", "96"]);
    let rows: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let length = |row: &Value| {
        let words = |key: &str| row[key].as_str().expect("a text").split(' ').count() as u64;
        // Three tokens begin a text, divide it and end it.
        words("prompt") + words("reply") + 3
    };
    let of_steps: Vec<u64> =
        rows.chunks(8).map(|step| step.iter().map(length).sum::<u64>()).collect();
    assert_eq!(of_steps, tokens);
    assert!(rows.iter().enumerate().all(|(at, row)| row["index"] == at));
    let last = |row: &Value| row["level"] == "twice";
    assert!(rows[88..].iter().all(last) && !rows[..8].iter().all(last));
    // In parts, and on one thread, it is the same.
    let parts = [generate(&["-n", "50"]), generate(&["-n", "46", "--first", "50"])].concat();
    assert!(parts == text && generate(&["-n", "96", "--threads", "1"]) == text);
    let chats = generate(&["-n", "96", "--shape", "messages"]);
    let chats = chats.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let content = |row: &Value, at: usize| row["messages"][at]["content"].clone();
    assert!(chats.zip(&rows).all(|(chat, row)| {
        chat["id"] == row["id"]
            && content(&chat, 0) == row["prompt"]
            && content(&chat, 1) == row["reply"]
    }));
    let other = generate(&["--count", "96", "--seed", "1"]);
    assert!(other != text && generate(&["-n", "96", "--split", "eval"]) != text);
}

#[test]
fn a_mixed_data_set_needs_no_model_and_leaves_the_templates_to_the_recipe() {
    let folder = kitchen(&RECIPE.replace("scratch:tiny\"\nhidden_size = 16", "nowhere\"\n[lora]"));
    let generate = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
        let arguments = [&["generate", "tiny.toml", "-n", "4"], more].concat();
        command.current_dir(folder.path()).args(arguments).output().expect("it starts")
    };
    assert!(generate(&[]).status.success());
    let refused = generate(&["--level", "twice"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said.contains("--level is for a template"), "{said}");
}
