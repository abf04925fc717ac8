//! Runs that end before their last step, or show how they go on, and what the new keys do.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{RECIPE, cookc, json_lines, kitchen, number, text, trained};

/// Means of exact replies by the step of their judgement.
fn judged(run: &Path) -> Vec<(u64, f64)> {
    let lines = json_lines(run.join("metrics.jsonl"));
    let of = |line: &Value| Some((line["step"].as_u64()?, line["exact"].as_f64()?));
    lines.iter().filter_map(of).collect()
}

fn report(run: &Path) -> Value {
    serde_json::from_str(&text(run.join("report.json"))).expect("JSON")
}

#[test]
fn a_run_stops_when_enough_replies_are_exact_and_is_reported_as_usual() {
    // So few words are learned by heart, not copied: what is held out stays wrong.
    let recipe = RECIPE.replace("samples = 12", "samples = 12\nuntil_exact = 0.0");
    let folder = kitchen(&recipe);
    let done = trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    assert!(done.err.contains("exact has reached"), "{}", done.err);
    let run = folder.path().join("run");
    let judged = judged(&run);
    assert_eq!(judged.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [0, 10]);
    let (report, last) = (report(&run), judged[1]);
    assert_eq!(report["steps"], 10);
    assert_eq!(report["step_best"], 10);
    assert_eq!(number(&report["exact_after"]), last.1);
    let [best, model] =
        ["best/model", "model"].map(|name| run.join(name).join("model.safetensors"));
    assert_eq!(fs::read(best).expect("weights"), fs::read(model).expect("weights"));
}

#[test]
fn a_run_stops_when_judgements_get_no_better_and_keeps_the_best() {
    // With a rate that is far too high nothing is learned.
    let recipe = RECIPE.replace("learning_rate = 1e-2", "learning_rate = 10.0");
    let recipe = recipe.replace("steps = 20", "steps = 100000");
    let folder = kitchen(&recipe.replace("samples = 12", "samples = 12\npatience = 2"));
    let done = trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    let run = folder.path().join("run");
    let judged: Vec<_> = judged(&run).into_iter().filter(|(step, _)| *step > 0).collect();
    let best = judged.iter().map(|(_, exact)| *exact).fold(f64::MIN, f64::max);
    let first_best = judged.iter().position(|(_, exact)| *exact == best).expect("one is");
    assert_eq!(judged.len(), first_best + 3, "{judged:?}");
    assert_eq!(report(&run)["step_best"], judged[first_best].0);
    assert!(done.out.contains("run/best"), "{}", done.out);
    let [kept, last] = ["best/model", "model"]
        .map(|name| fs::read(run.join(name).join("model.safetensors")).expect("weights"));
    assert_ne!(kept, last);
    // What is kept is the model of that step: judged again, it gives the same share.
    let again = RECIPE
        .replace("base = \"scratch:tiny\"\nhidden_size = 16", "base = \"run/best/model\"")
        .replace("[train]", "[lora]\nrank = 1\n[train]")
        .replace("steps = 20", "steps = 1");
    fs::write(folder.path().join("again.toml"), again).expect("a file");
    trained(folder.path(), &["--train", "again.toml", "--out", "again"]);
    assert_eq!(number(&report(&folder.path().join("again"))["exact_before"]), best);
}

#[test]
fn a_loss_that_is_no_number_is_told_with_the_sample_that_gives_it() {
    // Each step turns the weights around and makes them larger.
    let recipe = RECIPE.replace("learning_rate = 1e-2", "learning_rate = 10.0\nweight_decay = 1.0");
    let recipe = recipe.replace("steps = 20", "steps = 1000\nschedule = \"constant\"");
    let folder = kitchen(&recipe.replace("every = 10\n", "every = 0\n"));
    let done = cookc(folder.path(), &["run", "--train", "tiny.toml", "--out", "run"]);
    assert_eq!(done.code, 1, "{}", done.err);
    let wanted = ["NaN", "of say (level default, seed 0)", "Say ", "`learning_rate`", "sample "];
    for part in wanted {
        assert!(done.err.contains(part), "no {part} in\n{}", done.err);
    }
    let lines = json_lines(folder.path().join("run/metrics.jsonl"));
    assert!(lines.iter().all(|line| line["loss"].is_number() || line["exact"].is_number()));
}

#[test]
fn progress_is_a_line_with_speed_loss_memory_and_time_where_there_is_no_terminal() {
    let folder = kitchen(RECIPE);
    let done = trained(folder.path(), &["--train", "tiny.toml"]);
    let line = done.err.lines().find(|line| line.starts_with("step 20 of 20: "));
    let line = line.unwrap_or_else(|| panic!("{}", done.err));
    for part in ["160 samples", "tokens/s", "loss ", "left"] {
        assert!(line.contains(part), "no {part} in {line}");
    }
    if cfg!(target_os = "linux") {
        assert!(line.contains("iB of memory"), "{line}");
    }
}

#[test]
fn shots_stand_before_the_prompt_are_not_learned_and_are_never_held_out() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "none"]);
    let recipe = RECIPE.replace("max_length = 32", "max_length = 64\nshots = 2");
    fs::write(folder.path().join("shots.toml"), recipe).expect("a file");
    trained(folder.path(), &["--train", "shots.toml", "--out", "two"]);
    let [none, two] = ["none", "two"].map(|run| folder.path().join(run));
    let [without, with] = [&none, &two].map(|run| {
        let lines = json_lines(run.join("metrics.jsonl"));
        lines.into_iter().filter(|line| line["loss"].is_number()).collect::<Vec<_>>()
    });
    for (without, with) in without.iter().zip(&with) {
        assert_eq!(without["label_tokens"], with["label_tokens"], "only the last reply is learned");
        assert!(number(&with["tokens"]) > 2.5 * number(&without["tokens"]));
    }
    let bare = json_lines(none.join("samples.jsonl"));
    let held_out: Vec<&str> = bare.iter().filter_map(|one| one["prompt"].as_str()).collect();
    for (sample, bare) in json_lines(two.join("samples.jsonl")).iter().zip(&bare) {
        let prompt = sample["prompt"].as_str().expect("a text");
        let parts: Vec<&str> = prompt.split("\n\n").collect();
        assert_eq!(parts.len(), 3, "{prompt}");
        assert_eq!(parts[2], bare["prompt"]);
        for shot in &parts[..2] {
            let word = shot.split(' ').nth(1).expect("a word");
            assert_eq!(*shot, format!("Say {word} : {word}"));
            assert!(!held_out.contains(&format!("Say {word} :").as_str()), "{shot} is held out");
        }
    }
}

#[test]
fn a_dry_run_shows_every_new_key_and_the_longest_sample_with_its_shots() {
    let recipe = RECIPE
        .replace("max_length = 32", "max_length = 64\nshots = 2\npacking = false")
        .replace(
            "micro_batch_size = 8",
            "micro_batch_size = 4\ngradient_accumulation_steps = 2\nmin_lr_ratio = 0.1",
        )
        .replace("samples = 12", "samples = 12\npatience = 3\nuntil_exact = 0.99")
        .replace(
            "[train]",
            "[lora]\nrank = 2\n[train]\nloraplus_lr_ratio = 16\nneftune_noise_alpha = 5",
        );
    let folder = kitchen(&recipe);
    let shown = trained(folder.path(), &["--train", "tiny.toml", "--dry-run"]).out;
    for line in [
        "shots = 2",
        "packing = false",
        "gradient_accumulation_steps = 2",
        "min_lr_ratio = 0.1",
        "patience = 3",
        "until_exact = 0.99",
        "loraplus_lr_ratio = 16.0",
        "neftune_noise_alpha = 5.0",
        "save_total_limit = 1",
    ] {
        assert!(shown.lines().any(|found| found == line), "no {line} in\n{shown}");
    }
    // A sample is `Say w : w`, of 6 ids at most, and there are 2 before it, with 2 ids after each.
    let plain = trained(kitchen(RECIPE).path(), &["--train", "tiny.toml", "--dry-run"]).out;
    let longest = |text: &str| -> u64 {
        let line = text.lines().find(|line| line.contains("longest")).expect("a line");
        line.rsplit(' ').next().and_then(|word| word.parse().ok()).expect("a number")
    };
    assert_eq!(longest(&shown), 3 * (longest(&plain) - 1) + 2 * 2 + 1);
    assert!(shown.contains("on the disk a checkpoint; 1 kept"), "{shown}");
}
