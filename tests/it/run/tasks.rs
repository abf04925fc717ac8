//! Tasks with known answers in a run: before, during and after training.

use std::fs;

use serde_json::Value;

use super::{RECIPE, cookc, json_lines, kitchen, number, text, trained, untimed};

const TASK: &str = r#"kind = "choice"
context = "Say {{ word }} :"
choices = "{{ choices }}"
gold = "0"

[data]
path = "which.jsonl"
"#;

const ROWS: &str = r#"{"word": "tagned", "choices": ["tagned", "bagape"]}
{"word": "vovnub", "choices": ["vovnub", "tagned", "kignez"]}
{"word": "kignez", "choices": ["kignez", "vovnub"]}
{"word": "bagape", "choices": ["bagape", "kignez"]}
"#;

fn place(names: &str) -> tempfile::TempDir {
    let folder = kitchen(&format!("{RECIPE}\n[eval.tasks]\nnames = \"{names}\"\nlimit = 3\n"));
    fs::write(folder.path().join("which.toml"), TASK).expect("a file");
    fs::write(folder.path().join("which.jsonl"), ROWS).expect("a file");
    folder
}

#[test]
fn tasks_are_evaluated_before_during_and_after_training() {
    let folder = place("which.toml");
    let done = trained(folder.path(), &["--train", "tiny.toml"]);
    assert!(done.err.contains("step 10: which acc 0."), "{}", done.err);
    let run = folder.path().join("runs/tiny");
    let lines = json_lines(run.join("metrics.jsonl"));
    let of_task: Vec<&Value> = lines.iter().filter(|line| line["task"] == "which").collect();
    let steps: Vec<u64> = of_task.iter().filter_map(|line| line["step"].as_u64()).collect();
    assert_eq!(steps, [0, 10, 20]);

    let report: Value = serde_json::from_str(&text(run.join("report.json"))).expect("JSON");
    let metrics = report["tasks"].as_array().expect("a list");
    assert_eq!(metrics.len(), 2);
    for (metric, name) in metrics.iter().zip(["acc", "acc_norm"]) {
        assert_eq!(metric["metric"], name);
        assert_eq!(metric["items"], 3);
        assert_eq!(metric["before"], of_task[0][name]);
        assert_eq!(metric["after"], of_task[2][name]);
        assert_eq!(metric["after_stderr"], of_task[2][format!("{name}_stderr")]);
    }
    assert!(text(run.join("report.html")).contains("<td>which<td>3<td>acc_norm<td>"));

    let arguments = ["eval", "runs/tiny", "--tasks", "which.toml", "--limit", "3", "--json"];
    let asked = cookc(folder.path(), &arguments);
    let asked: Value = serde_json::from_str(&asked.out).expect("JSON");
    assert_eq!(number(&asked["results"]["which"]["acc,none"]), number(&metrics[0]["after"]));
}

#[test]
fn a_run_that_goes_on_evaluates_its_tasks_to_the_same_bits() {
    let folder = place("which.toml");
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    let straight = untimed(&folder.path().join("run"));
    trained(folder.path(), &["--resume", "run"]);
    assert_eq!(untimed(&folder.path().join("run")), straight);
}

#[test]
fn a_task_that_is_none_is_an_error_before_any_work() {
    let folder = place("arc_esy");
    let done = cookc(folder.path(), &["run", "--train", "tiny.toml"]);
    assert_eq!(done.code, 1);
    assert!(done.err.contains("there is no task `arc_esy`: write `arc_easy`"), "{}", done.err);
    assert!(!folder.path().join("runs").exists());
    let recipe = text(folder.path().join("tiny.toml")).replace("limit", "limits");
    fs::write(folder.path().join("tiny.toml"), recipe).expect("a file");
    let done = cookc(folder.path(), &["run", "--train", "tiny.toml"]);
    assert!(done.err.contains("[eval.tasks] has no `limits`"), "{}", done.err);
}
