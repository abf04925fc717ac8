//! `cookc eval` as a user runs it.

use std::fs;
use std::path::Path;

use anyhow::Result;
use assert_cmd::Command;
use serde_json::{Value, json};

use super::{folder, model, put};

/// Ten questions with two or three answers each.
const TASK: &str = r#"kind = "choice"
context = "Which is {{ question }}? Answer:"
choices = "{{ choices }}"
gold = "{{ label }}"

[data]
path = "items.jsonl"
"#;

const WORDS: [&str; 9] = ["red", "green", "blue", "one", "two", "three", "big", "small", "old"];

fn rows() -> Vec<Value> {
    let word = |at: usize| WORDS[at % WORDS.len()];
    let row = |at: usize| {
        let all: Vec<&str> = (0..2 + at % 2).map(|choice| word(at * 2 + choice)).collect();
        json!({"question": word(at * 5 + 1), "choices": all, "label": at % 2})
    };
    (0..10).map(row).collect()
}

/// A folder with a model, a task and its rows.
fn workplace() -> Result<tempfile::TempDir> {
    let folder = folder()?;
    model(folder.path(), &["Which is ? Answer: Reply", &WORDS.join(" ")])?;
    put(folder.path(), "items.jsonl", &rows())?;
    fs::write(folder.path().join("facts.toml"), TASK)?;
    Ok(folder)
}

/// Exit code, standard output and standard error.
fn cookc(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    let output = command.current_dir(folder).args(arguments).env_remove("COOKC_TASKS").output();
    let output = output.expect("the command starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// The same, where it must end well.
fn done(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, error) = cookc(folder, arguments);
    assert_eq!(code, 0, "{error}");
    out
}

fn lines(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

#[test]
fn results_have_the_layout_of_lm_evaluation_harness_and_follow_from_the_items() -> Result<()> {
    let place = workplace()?;
    let out =
        done(place.path(), &["eval", "model", "--tasks", "facts.toml", "-o", "out", "--json"]);
    let results: Value = serde_json::from_str(&out)?;
    let written = fs::read_to_string(place.path().join("out/results.json"))?;
    assert_eq!(written, out, "what is printed is what is written");
    let lines = lines(&place.path().join("out/samples_facts.jsonl"))?;
    assert_eq!(lines.len(), 10);

    // The metrics are computed again from the log-likelihoods.
    let (mut right, mut right_norm) = (0.0, 0.0);
    for (line, row) in lines.iter().zip(rows()) {
        let sums: Vec<f64> = line["filtered_resps"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one[0].as_f64().expect("a number"))
            .collect();
        let lengths = row["choices"].as_array().expect("a list").iter();
        let lengths: Vec<f64> =
            lengths.map(|one| one.as_str().expect("a text").len() as f64).collect();
        let best = |all: &[f64]| {
            let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            all.iter().position(|one| *one == most).expect("one is the largest")
        };
        let norms: Vec<f64> = sums.iter().zip(&lengths).map(|(sum, length)| sum / length).collect();
        assert!(sums.iter().all(|sum| *sum < 0.0));
        assert_eq!(line["target"], row["label"]);
        let read = &line["arguments"]["gen_args_1"];
        let question = row["question"].as_str().expect("a text");
        assert_eq!(read["arg_0"], format!("Which is {question}? Answer:"));
        assert_eq!(read["arg_1"], format!(" {}", row["choices"][1].as_str().expect("a text")));
        assert_eq!(line["prediction_acc"], best(&sums));
        assert_eq!(line["prediction_acc_norm"], best(&norms));
        right += f64::from(u8::from(row["label"] == best(&sums)));
        right_norm += f64::from(u8::from(row["label"] == best(&norms)));
    }
    let task = &results["results"]["facts"];
    assert_eq!(task["acc,none"], right / 10.0);
    assert_eq!(task["acc_norm,none"], right_norm / 10.0);
    let variance = right * (1.0 - right / 10.0) / 9.0;
    let error = task["acc_stderr,none"].as_f64().expect("a number");
    assert!((error - (variance / 10.0).sqrt()).abs() < 1e-12, "{error}");
    assert_eq!(results["n-samples"]["facts"], json!({"original": 10, "effective": 10}));
    assert_eq!(results["n-shot"]["facts"], 0);
    assert_eq!(results["higher_is_better"]["facts"], json!({"acc": true, "acc_norm": true}));
    assert_eq!(results["configs"]["facts"]["doc_to_choice"], "{{ choices }}");
    assert_eq!(results["config"]["model_args"], json!({"pretrained": "model", "dtype": "f32"}));
    Ok(())
}

#[test]
fn the_same_bytes_on_any_number_of_threads_and_with_any_limit() -> Result<()> {
    let place = workplace()?;
    let run = |out: &str, more: &[&str]| -> Result<(String, String)> {
        let arguments = ["eval", "model", "--tasks", "facts.toml", "-o", out];
        done(place.path(), &[&arguments, more].concat());
        let read = |name: &str| fs::read_to_string(place.path().join(out).join(name));
        Ok((read("results.json")?, read("samples_facts.jsonl")?))
    };
    let one = run("one", &["--threads", "1"])?;
    assert_eq!(one, run("three", &["--threads", "3"])?);
    let (limited, samples) = run("limited", &["--limit", "4"])?;
    assert!(one.1.starts_with(&samples), "an item's bits do not depend on the others");
    assert_eq!(samples.lines().count(), 4);
    let limited: Value = serde_json::from_str(&limited)?;
    assert_eq!(limited["n-samples"]["facts"], json!({"original": 10, "effective": 4}));
    Ok(())
}

#[test]
fn the_table_shows_what_was_chosen_beside_what_is_right() -> Result<()> {
    let place = workplace()?;
    let task = TASK.replace("{{ choices }}", "{{ ['red', 'blue'] }}");
    fs::write(place.path().join("colour.toml"), task)?;
    let out = done(place.path(), &["eval", "model", "--tasks", "facts.toml,colour.toml"]);
    let shares = out.lines().find(|line| line.starts_with("colour: chosen red: "));
    assert!(shares.is_some_and(|line| line.ends_with("right red: 50 %, blue: 50 %")), "{out}");
    let mean = out.lines().filter(|line| line.trim_start().starts_with("mean"));
    assert_eq!(mean.count(), 1, "{out}");
    Ok(())
}

#[test]
fn f1_of_choices_follows_from_the_items() -> Result<()> {
    let place = workplace()?;
    let two = |mut row: Value| {
        row["choices"] = json!([row["choices"][0], row["choices"][1]]);
        row
    };
    let rows: Vec<Value> = rows().into_iter().map(two).collect();
    put(place.path(), "items.jsonl", &rows)?;
    let task = TASK.replace("[data]", "metrics = [\"f1\", \"acc\"]\n[data]");
    fs::write(place.path().join("facts.toml"), task)?;
    let out =
        done(place.path(), &["eval", "model", "--tasks", "facts.toml", "-o", "out", "--json"]);
    let lines = lines(&place.path().join("out/samples_facts.jsonl"))?;
    let count = |gold: u64, chosen: u64| {
        let is = |line: &&Value| line["target"] == gold && line["prediction_f1"] == chosen;
        lines.iter().filter(is).count() as f64
    };
    let (both, one) = (count(1, 1), count(0, 1) + count(1, 0));
    let results: Value = serde_json::from_str(&out)?;
    let (results, beyond) = (&results["results"]["facts"], &results["cookc"]["tasks"]["facts"]);
    let f1 = results["f1,none"].as_f64().expect("a number");
    assert!((f1 - 2.0 * both / (2.0 * both + one)).abs() < 1e-12, "{results}");
    assert!(results["f1_stderr,none"].as_f64().expect("a number") >= 0.0);
    assert_eq!(beyond["main"], "acc");
    Ok(())
}

#[test]
fn shots_are_solved_items_other_than_the_one_that_is_asked() -> Result<()> {
    let place = workplace()?;
    let samples = |shots: &str, seed: &str| -> Result<(Value, String)> {
        let arguments =
            ["eval", "model", "--tasks", "facts.toml", "--shots", shots, "--seed", seed, "-o", "o"];
        done(place.path(), &arguments);
        let results = fs::read_to_string(place.path().join("o/results.json"))?;
        let samples = fs::read_to_string(place.path().join("o/samples_facts.jsonl"))?;
        Ok((serde_json::from_str(&results)?, samples))
    };
    let (results, two) = samples("2", "0")?;
    assert_eq!(results["n-shot"]["facts"], 2);
    assert_eq!(results["cookc"]["tasks"]["facts"]["shots_from"], "the evaluated rows");
    assert_eq!(samples("2", "0")?.1, two, "a seed draws the same ones");
    assert_ne!(samples("2", "1")?.1, two);
    assert_ne!(samples("0", "0")?.1, two);
    let (code, _, error) =
        cookc(place.path(), &["eval", "model", "--tasks", "facts.toml", "--shots", "10"]);
    assert_eq!(code, 1);
    assert!(error.contains("has 9 rows to take shots from, and 10 are asked for"), "{error}");
    Ok(())
}

#[test]
fn items_that_are_too_long_are_cut_at_the_beginning_and_counted() -> Result<()> {
    let place = workplace()?;
    let row =
        json!({"question": "big ".repeat(100).trim(), "choices": ["old", "one two"], "label": 0});
    let mut rows = rows();
    rows.push(row);
    put(place.path(), "items.jsonl", &rows)?;
    let arguments = ["eval", "model", "--tasks", "facts.toml", "-o", "out"];
    let (code, _, error) = cookc(place.path(), &arguments);
    assert_eq!(code, 0, "{error}");
    assert!(error.contains("facts: 1 item longer than the model reads"), "{error}");
    let results: Value =
        serde_json::from_str(&fs::read_to_string(place.path().join("out/results.json"))?)?;
    assert_eq!(results["cookc"]["tasks"]["facts"]["cut"], 1);
    Ok(())
}

#[test]
fn a_task_in_which_a_model_writes_has_its_replies_compared() -> Result<()> {
    let place = workplace()?;
    let task = r#"kind = "generate"
context = "Reply {{ question }}"
gold = "{{ choices }}"
until = ["?"]
max_gen_toks = 6

[data]
path = "items.jsonl"
"#;
    fs::write(place.path().join("write.toml"), task)?;
    let out = done(place.path(), &["eval", "model", "--tasks", "write.toml", "-o", "o", "--json"]);
    let results: Value = serde_json::from_str(&out)?;
    let lines = lines(&place.path().join("o/samples_write.jsonl"))?;
    let mut sums = [0.0; 2];
    for (line, row) in lines.iter().zip(rows()) {
        assert_eq!(line["target"], row["choices"]);
        let reply = line["filtered_resps"][0].as_str().expect("a text");
        assert!(!reply.contains('?'), "{reply}");
        let right = row["choices"].as_array().expect("a list");
        let words: Vec<&str> = reply.split_whitespace().collect();
        let is_in = right.iter().any(|one| words.contains(&one.as_str().expect("a text")));
        assert_eq!(line["contains"], f64::from(u8::from(is_in)), "{reply}");
        sums[0] += line["contains"].as_f64().expect("a number");
        sums[1] += line["f1"].as_f64().expect("a number");
    }
    assert_eq!(results["results"]["write"]["contains,none"], sums[0] / 10.0);
    let f1 = results["results"]["write"]["f1,none"].as_f64().expect("a number");
    assert!((f1 - sums[1] / 10.0).abs() < 1e-12);
    assert_eq!(results["configs"]["write"]["output_type"], "generate_until");
    Ok(())
}

#[test]
fn a_run_of_cookc_is_a_model_by_its_folder() -> Result<()> {
    let place = workplace()?;
    let task = "kind = \"choice\"\ncontext = \"{{ prompt }}\"\nchoices = \"{{ choices }}\"\n\
                gold = 0\n[data]\npath = \"items.jsonl\"\n";
    let task = task.replace("gold = 0", "gold = \"0\"");
    fs::write(place.path().join("words.toml"), task)?;
    let template = "words_ ~ distinct(3, vocab)\nlast = at(2, words_)\n\
                    rule last: last == at(2, words_)\nprompt \"{words_}:\"\nreply \"{last}\"\n";
    fs::write(place.path().join("last.cook"), template)?;
    let recipe = "[model]\nbase = \"scratch:tiny\"\n[[template]]\nfile = \"last.cook\"\n\
                  [data]\nvocab = 16\n[train]\nsteps = 2\n[eval]\nsamples = 2\n";
    for (name, lora) in [("whole", ""), ("low", "[lora]\nr = 2\n")] {
        fs::write(place.path().join(format!("{name}.toml")), format!("{recipe}{lora}"))?;
        let out = format!("runs/{name}");
        let file = format!("{name}.toml");
        done(place.path(), &["train", &file, "--out", &out]);
        let listed = fs::read_to_string(place.path().join(format!("{out}/samples.jsonl")))?;
        let sample: Value = serde_json::from_str(listed.lines().next().expect("a sample"))?;
        let prompt = sample["prompt"].as_str().expect("a text").trim();
        let reply = sample["reply"].as_str().expect("a text").trim();
        let first = prompt.split_whitespace().next().expect("a word");
        let rows = [json!({"prompt": prompt, "choices": [reply, first]})];
        put(place.path(), "items.jsonl", &rows)?;
        let run = |model: &str, more: &[&str]| {
            let arguments = ["eval", model, "--tasks", "words.toml", "--json"];
            let out = done(place.path(), &[&arguments, more].concat());
            let json: Value = serde_json::from_str(&out).expect("JSON");
            json["results"].clone()
        };
        let by_run = run(&out, &[]);
        let model = format!("{out}/model");
        let adapter = format!("{out}/adapter");
        let by_hand = match lora {
            "" => run(&model, &[]),
            _ => run(&model, &["--adapter", &adapter]),
        };
        assert_eq!(by_run, by_hand, "{name}");
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn what_cannot_be_written_is_said_before_the_work() -> Result<()> {
    let place = workplace()?;
    fs::write(place.path().join("file"), "")?;
    let arguments = ["eval", "model", "--tasks", "facts.toml", "-o", "file/out"];
    let (code, _, error) = cookc(place.path(), &arguments);
    assert_eq!(code, 3);
    assert!(error.contains("cannot write file/out"), "{error}");
    Ok(())
}

#[test]
fn log_likelihoods_that_are_no_numbers_name_the_item() -> Result<()> {
    let place = workplace()?;
    // The products of such a gain are beyond f32.
    let file = place.path().join("model/model.safetensors");
    let mut tensors = candle_core::safetensors::load(&file, &candle_core::Device::Cpu)?;
    let gain = tensors.get_mut("model.norm.weight").expect("the model has a last norm");
    *gain = (gain.ones_like()? * 3e38)?;
    candle_core::safetensors::save(&tensors, &file)?;
    let (code, _, error) =
        cookc(place.path(), &["eval", "model", "--tasks", "facts.toml", "-o", "out"]);
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("items.jsonl line 1 (facts, item 0)"), "{error}");
    assert!(error.contains("no numbers"), "{error}");
    assert!(!place.path().join("out/results.json").exists());
    Ok(())
}

#[test]
fn a_task_that_is_stopped_has_no_figures_and_goes_on_to_the_same_ones() -> Result<()> {
    use cookc::tasks::kept::Kept;
    use cookc::tasks::{self, Responses, Settings, Style, Summary};
    let place = workplace()?;
    // More than go through the model between two looks at whether to go on.
    put(place.path(), "items.jsonl", &vec![rows(); 80].concat())?;
    let path = place.path().join("model");
    let tokenizer = cookc::model::Tokenizer::load(&path)?;
    let model = cookc::model::load(&path, candle_core::DType::F32, &candle_core::Device::Cpu)?;
    let file = place.path().join("facts.toml").display().to_string();
    let task = tasks::named(&file, Style::LmEval)?.remove(0);
    let asked = tasks::prepare(task, &Settings::default(), &tokenizer, 64)?;
    let ask = |responses: &mut Responses, stop: usize| -> Result<(Option<Summary>, Vec<usize>)> {
        let mut seen = Vec::new();
        let mut go_on = |responses: &Responses| {
            seen.push(responses.items(&asked));
            seen.last().is_some_and(|done| *done < stop)
        };
        let summary = tasks::ask(&asked, (&model, &tokenizer), responses, &mut go_on)?;
        Ok((summary, seen))
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| {
        assert!(ask(&mut Responses::default(), 0)?.0.is_none());
        let (whole, seen) = ask(&mut Responses::default(), usize::MAX)?;
        assert!(seen.is_sorted() && seen.last() == Some(&800), "{seen:?}");
        let mut responses = Responses::default();
        assert!(ask(&mut responses, 1)?.0.is_none());
        let before = responses.items(&asked);
        assert!((1..800).contains(&before), "{before}");
        let open = |model: &str| Kept::open(Some(place.path().into()), model);
        let (mut kept, is_useless) = open("one");
        assert!(!is_useless);
        kept.keep(&asked, &responses, true)?;
        // Of another model, or of other items, nothing is taken.
        assert!(open("another").1);
        let fewer = Settings { limit: Some(700), ..Settings::default() };
        let other = tasks::prepare(asked.task.clone(), &fewer, &tokenizer, 64)?;
        assert_eq!(open("one").0.of(&other), Responses::default());
        let (kept, _) = open("one");
        let mut responses = kept.of(&asked);
        let (again, seen) = ask(&mut responses, usize::MAX)?;
        assert_eq!(seen[0], before);
        assert_eq!(again.map(|it| it.lines), whole.map(|it| it.lines));
        kept.end();
        assert!(!place.path().join("unfinished.json").exists());
        Ok(())
    })
}

#[test]
fn answers_of_another_program_are_asked_anew_with_a_note() -> Result<()> {
    let place = workplace()?;
    let arguments = ["eval", "model", "--tasks", "facts.toml", "-o", "out"];
    done(place.path(), &arguments);
    let results = fs::read(place.path().join("out/results.json"))?;
    assert!(!place.path().join("out/unfinished.json").exists());
    fs::write(place.path().join("out/unfinished.json"), r#"{"of": "cookc 0.0.0", "tasks": {}}"#)?;
    let (code, _, error) = cookc(place.path(), &arguments);
    assert_eq!(code, 0, "{error}");
    assert!(error.contains("is of another model or cookc: all items are asked anew"), "{error}");
    assert!(!place.path().join("out/unfinished.json").exists());
    assert_eq!(fs::read(place.path().join("out/results.json"))?, results);
    Ok(())
}

#[test]
fn a_data_set_is_found_in_the_folder_of_copies_and_in_the_cache_of_the_hub() -> Result<()> {
    let place = workplace()?;
    let set = "dataset = \"org/facts\"\nconfig = \"hard\"\nsplit = \"test\"";
    let task = TASK.replace("path = \"items.jsonl\"", set);
    fs::write(place.path().join("facts.toml"), task)?;
    fs::remove_file(place.path().join("items.jsonl"))?;
    let accuracy = |home: &str, more: &[&str]| -> Option<Value> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
        let arguments = ["eval", "model", "--tasks", "facts.toml", "--json"];
        let command = command.current_dir(place.path()).args(arguments).args(more);
        let output = command.env("HF_HUB_CACHE", place.path().join(home)).output();
        let output = output.expect("the command starts");
        let results: Value = serde_json::from_slice(&output.stdout).ok()?;
        Some(results["results"]["facts"].clone())
    };
    assert_eq!(accuracy("cache", &["--data", "copies"]), None);
    let snapshot = "cache/datasets--org--facts/snapshots/0123";
    // As a repository of the hub has them: in several files, which are read in order.
    put(place.path(), &format!("{snapshot}/hard/test-00000-of-00002.jsonl"), &rows()[..6])?;
    put(place.path(), &format!("{snapshot}/hard/test-00001-of-00002.jsonl"), &rows()[6..])?;
    put(place.path(), &format!("{snapshot}/hard/train-00000-of-00001.jsonl"), &rows()[..1])?;
    let refs = place.path().join("cache/datasets--org--facts/refs");
    fs::create_dir_all(&refs)?;
    fs::write(refs.join("main"), "0123")?;
    let cached = accuracy("cache", &[]).expect("it is in the cache");
    assert_eq!(cached["sample_len"], 10);
    for copy in ["org/facts/hard/test/data.jsonl", "facts/hard/test.jsonl"] {
        put(place.path(), &format!("copies/{copy}"), &rows())?;
        assert_eq!(accuracy("none", &["--data", "copies"]), Some(cached.clone()), "{copy}");
        fs::remove_dir_all(place.path().join("copies"))?;
    }
    Ok(())
}

#[test]
fn a_style_has_its_own_keys_and_may_compare_choices_with_themselves_without_the_question()
-> Result<()> {
    let place = workplace()?;
    let own = "[olmes]\ncontext = \"{{ question }} Answer:\"\nunconditional = \"Answer:\"\n\
               metrics = [\"acc\", \"acc_uncond\"]\nmain = \"acc_uncond\"\n";
    fs::write(place.path().join("facts.toml"), format!("{TASK}{own}"))?;
    let run = |style: &str| -> Result<Vec<Value>> {
        let arguments = ["eval", "model", "--tasks", "facts.toml", "--style", style, "-o", style];
        done(place.path(), &arguments);
        lines(&place.path().join(style).join("samples_facts.jsonl"))
    };
    let (plain, olmes) = (run("lm-eval")?, run("olmes")?);
    let sums = |line: &Value, key: &str| -> Vec<f64> {
        let all = line[key].as_array().expect("a list").iter();
        all.map(|one| one[0].as_f64().expect("a number")).collect()
    };
    for (line, other) in olmes.iter().zip(&plain) {
        assert!(other.get("unconditional_resps").is_none() && other.get("acc_norm").is_some());
        assert!(line.get("acc_norm").is_none());
        assert_ne!(line["filtered_resps"], other["filtered_resps"], "another context");
        let (with, without) = (sums(line, "filtered_resps"), sums(line, "unconditional_resps"));
        let gains: Vec<f64> = with.iter().zip(&without).map(|(a, b)| a - b).collect();
        let most = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let best = gains.iter().position(|gain| *gain == most).expect("one is the largest");
        assert_eq!(line["prediction_acc_uncond"], best);
    }
    // Without the question, a choice has the same log-likelihood in every item.
    let red = |line: &Value| {
        let choices = line["choices"].as_array().expect("a list").iter();
        let at = choices.clone().position(|choice| choice == "red")?;
        Some(sums(line, "unconditional_resps")[at])
    };
    let all: Vec<f64> = olmes.iter().filter_map(red).collect();
    assert!(all.len() > 1 && all.iter().all(|one| *one == all[0]), "{all:?}");
    let results = fs::read_to_string(place.path().join("olmes/results.json"))?;
    let results: Value = serde_json::from_str(&results)?;
    assert_eq!(results["cookc"]["style"], "olmes");
    assert_eq!(results["cookc"]["tasks"]["facts"]["main"], "acc_uncond");
    Ok(())
}
