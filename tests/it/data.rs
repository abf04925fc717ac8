//! `cookc data` on what was written: rows made again, statistics, overlaps, cards.

mod resuming;
mod writing;

use std::fs;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

const ENDINGS: [&str; 6] = ["jsonl", "jsonl.gz", "jsonl.zst", "parquet", "arrow", "tar"];

fn cookc(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    command.args(arguments).current_dir(folder.path()).output().expect("it runs")
}

fn done(folder: &TempDir, arguments: &[&str]) -> String {
    let output = cookc(folder, arguments);
    let [out, err] = texts(&output);
    assert!(output.status.success(), "{arguments:?}: {out}{err}");
    out
}

fn texts(output: &Output) -> [String; 2] {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// The exit code and the JSON of a command.
fn found(folder: &TempDir, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = cookc(folder, &[arguments, &["--json"]].concat());
    let [out, err] = texts(&output);
    let value = serde_json::from_str(&out).unwrap_or_else(|why| panic!("{why}: {out}{err}"));
    (output.status.code(), value)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn write(folder: &TempDir, name: &str, text: &str) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("a file")
}

/// A template with a module, a file of words, levels and a system text.
fn own_template(folder: &TempDir) {
    let text = "use parts: first_of\n\nparam length in 2..9 = 4\nlevel hard: length = 6\n\n\
                words beasts = \"beasts.txt\"\n\nall_ ~ draw(length, beasts)\n\
                other ~ draw(2, vocab)\none = first_of(all_)\nrule begins: one == at(0, all_)\n\
                system \"The first.\"\nprompt \"{all_} | {other}\"\nreply \"{one}\"\n";
    write(folder, "own/mine.cook", text);
    write(
        folder,
        "own/parts.cook",
        "/// The first.\nfn first_of(xs: [Token]) -> Token = at(0, xs)\n",
    );
    write(folder, "own/beasts.txt", "cat\ndog\nemu\nfox\ngnu\nhen\n");
    write(folder, "words.txt", "alpha\nbeta\ngamma\ndelta\n");
}

const RECIPE: &str = "[model]\nbase = \"scratch:tiny\"\n[[template]]\nfile = \"std:retrieval\"\n\
                      level = \"easy\"\n[[template]]\nfile = \"own/mine.cook\"\nset = { length = 3 }\n\
                      [data]\nvocab = 128\nseed = 5\n[train]\nsteps = 10\n";

#[test]
fn rows_of_every_format_and_shape_are_made_again() {
    let folder = folder();
    for ending in ENDINGS {
        for shape in ["full", "prompt-completion", "messages", "verl", "nemo-gym"] {
            let name = format!("{shape}.{ending}");
            let many = ["-n", "40", "--first", "7", "--split", "eval", "--seed", "3"];
            let of =
                ["generate", "std:retrieval", "-o", &name, "--shape", shape, "--level", "easy"];
            done(&folder, &[&of[..], &many].concat());
            let (code, report) = found(&folder, &["data", "verify", &name]);
            assert_eq!((code, &report["made_again"]), (Some(0), &json!(40)), "{name}: {report}");
            let (code, row) = found(&folder, &["data", "show", &name, "5"]);
            assert_eq!((code, &row["equal"]), (Some(0), &json!(true)), "{name}: {row}");
            assert_eq!(row["shape"], shape, "{name}");
            assert!(row["id"].as_str().expect("a text").ends_with("/eval/3/12"), "{row}");
        }
    }
}

#[test]
fn a_row_that_was_changed_is_named_with_what_differs() {
    let folder = folder();
    done(&folder, &["generate", "std:retrieval", "-n", "20", "-o", "a.jsonl"]);
    let mut lines: Vec<String> = read(&folder, "a.jsonl").lines().map(str::to_string).collect();
    lines[3] = lines[3].replace("\"reply\":\"", "\"reply\":\"not ");
    lines[7] = lines[8].clone();
    lines[9] = lines[9].replace("retrieval/", "retrieved/");
    lines[11] = "{\"prompt\":\"p\"}".to_string();
    write(&folder, "b.jsonl", &(lines.join("\n") + "\n"));
    let (code, report) = found(&folder, &["data", "verify", "b.jsonl"]);
    assert_eq!((code, &report["rows"], &report["rows_there"]), (Some(1), &json!(20), &json!(16)));
    let problems = report["problems"].to_string();
    for wanted in [
        "b.jsonl line 4: it differs in `reply`: retrieval/",
        "b.jsonl line 9: its sample is there twice: retrieval/",
        "b.jsonl line 10: the samples are of `retrieved`, which is not built in: write `--template",
        "b.jsonl line 12: it has no id: expected a row of `cookc generate`",
    ] {
        assert!(problems.contains(wanted), "{wanted}: {problems}");
    }
    let (code, row) = found(&folder, &["data", "show", "b.jsonl", "3"]);
    assert_eq!((code, &row["differences"][0]["path"]), (Some(1), &json!("reply")));
    let [out, err] = texts(&cookc(&folder, &["data", "show", "b.jsonl", "3"]));
    assert!(out.contains("reply: written `"), "{out}");
    assert!(err.contains("b.jsonl line 4 differs in 1 value from the row"), "{err}");
    let [_, err] = texts(&cookc(&folder, &["data", "show", "b.jsonl", "20"]));
    assert!(err.contains("b.jsonl has 20 rows, counted from 0: row 20 is none of them"), "{err}");
}

#[test]
fn rows_of_both_splits_in_one_file_are_a_problem() {
    let folder = folder();
    for (split, name) in [("train", "a.jsonl"), ("eval", "b.jsonl")] {
        done(&folder, &["generate", "std:chain_sum", "-n", "5", "--split", split, "-o", name]);
    }
    write(&folder, "c.jsonl", &(read(&folder, "a.jsonl") + &read(&folder, "b.jsonl")));
    let (code, report) = found(&folder, &["data", "verify", "c.jsonl"]);
    let wanted = json!(["it holds rows of both splits: 5 of train and 5 of eval"]);
    assert_eq!((code, &report["problems"]), (Some(1), &wanted));
}

#[test]
fn rows_of_an_own_template_are_found_by_its_level_settings_and_words() {
    let folder = folder();
    own_template(&folder);
    let chosen = ["--level", "hard", "--set", "length=5", "--vocab", "words.txt"];
    let of = ["generate", "own/mine.cook", "-n", "30", "-o"];
    done(&folder, &[&of[..], &["a.parquet", "--shape", "messages"], &chosen].concat());
    let verify = ["data", "verify", "a.parquet", "--template", "own/mine.cook"];
    let (code, report) = found(&folder, &[&verify[..], &chosen].concat());
    assert_eq!((code, &report["made_again"]), (Some(0), &json!(30)), "{report}");
    for (more, wanted) in [
        (&[][..], "the samples are of `mine`, which is not built in: write `--template FILE`"),
        (&verify[3..], "which own/mine.cook has at no level of default, hard: write `--template"),
    ] {
        let output = cookc(&folder, &[&verify[..3], more].concat());
        let [_, err] = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains(wanted), "{wanted}: {err}");
    }
    // Rows of the shape `full` say their settings, and the words are the built-in ones.
    done(&folder, &[&of[..], &["b.jsonl", "--level", "hard", "--set", "length=5"]].concat());
    let verify = ["data", "verify", "b.jsonl", "--template", "own/mine.cook"];
    assert_eq!(found(&folder, &verify).1["made_again"], 30);
}

#[test]
fn a_folder_is_made_again_from_its_manifest_alone() {
    let folder = folder();
    own_template(&folder);
    let chosen = ["--level", "hard", "--set", "length=5", "--vocab", "words.txt", "--seed", "9"];
    for (format, out) in [("jsonl", "a"), ("parquet", "b"), ("webdataset", "c")] {
        let of = ["generate", "own/mine.cook", "-n", "250", "--first", "11", "--shard-size", "100"];
        let more = ["--format", format, "-o", out];
        done(&folder, &[&of[..], &chosen, &more].concat());
    }
    fs::remove_dir_all(folder.path().join("own")).expect("it is there");
    fs::remove_file(folder.path().join("words.txt")).expect("it is there");
    for out in ["a", "b", "c"] {
        let (code, report) = found(&folder, &["data", "verify", out]);
        assert_eq!((code, &report["made_again"]), (Some(0), &json!(250)), "{report}");
        let again = format!("again-{out}/");
        done(&folder, &["data", "make", &format!("{out}/cookc.json"), "-o", &again]);
        same_files(&folder, out, &again);
    }
}

fn same_files(folder: &TempDir, one: &str, other: &str) {
    let files = |name: &str| {
        let entries = fs::read_dir(folder.path().join(name)).expect("a folder").flatten();
        let files = entries.map(|entry| (entry.file_name(), fs::read(entry.path()).expect("it")));
        let mut files: Vec<_> = files.filter(|(name, _)| name != "README.md").collect();
        files.sort();
        files
    };
    assert!(files(one) == files(other), "{one} and {other}");
    assert!(files(one).len() > 1);
}

#[test]
#[cfg(feature = "train")]
fn a_mixture_is_verified_by_its_recipe_or_its_manifest_and_made_again() {
    let folder = folder();
    own_template(&folder);
    write(&folder, "mixed.toml", RECIPE);
    let of = ["generate", "mixed.toml", "-n", "120"];
    for name in ["m.jsonl", "m.parquet", "m.tar"] {
        done(&folder, &[&of[..], &["-o", name]].concat());
        let verify = ["data", "verify", name, "--template", "mixed.toml"];
        let (code, report) = found(&folder, &verify);
        assert_eq!((code, &report["made_again"]), (Some(0), &json!(120)), "{report}");
    }
    let out = done(&folder, &[&of[..], &["--shard-size", "50", "-o", "m/", "--dry-run"]].concat());
    assert!(out.starts_with("120 rows of retrieval, mine: m/: 3 files, data-00000.jsonl"), "{out}");
    done(&folder, &[&of[..], &["--shard-size", "50", "-o", "m/"]].concat());
    fs::remove_dir_all(folder.path().join("own")).expect("it is there");
    fs::remove_file(folder.path().join("mixed.toml")).expect("it is there");
    assert_eq!(found(&folder, &["data", "verify", "m"]).1["made_again"], 120);
    done(&folder, &["data", "card", "m"]);
    let card = read(&folder, "m/README.md");
    // The more frequent one comes first.
    let mixtures = ["`mine`, `retrieval`", "`retrieval`, `mine`"];
    let is_said = |names: &&str| card.contains(&format!("a mixture of the templates {names}, in"));
    assert!(mixtures.iter().any(is_said), "{card}");
    done(&folder, &["data", "make", "m", "-o", "again/"]);
    same_files(&folder, "m", "again");
}

#[test]
fn a_card_has_what_datasets_reads_and_a_manifest_that_makes_the_same_bytes() {
    let folder = folder();
    own_template(&folder);
    for (name, ending) in [("a", "jsonl"), ("b", "parquet"), ("c", "jsonl.zst"), ("d", "tar")] {
        fs::create_dir(folder.path().join(name)).expect("a folder");
        let file = format!("{name}/data.{ending}");
        let of = ["generate", "own/mine.cook", "-n", "70", "--vocab", "words.txt", "-o", &file];
        done(&folder, &of);
        let more = ["--template", "own/mine.cook", "--vocab", "words.txt"];
        done(&folder, &[&["data", "card", &file][..], &more].concat());
        let card = read(&folder, &format!("{name}/README.md"));
        assert!(
            card.contains(&format!("  - split: train\n    path: \"data.{ending}\"\n")),
            "{card}"
        );
        assert!(card.contains("    num_examples: 70\n"), "{card}");
        let again = format!("again.{ending}");
        done(&folder, &["data", "make", &format!("{name}/cookc.json"), "-o", &again]);
        let bytes = |name: &str| fs::read(folder.path().join(name)).expect("a file");
        assert!(bytes(&file) == bytes(&again), "{file}");
        // The manifest says what it is of, and what its bytes are.
        assert_eq!(found(&folder, &["data", "verify", &file]).1["made_again"], 70);
        if ending == "parquet" {
            continue; // Its end is where it is read from.
        }
        let mut bytes = bytes(&file);
        bytes.push(b'\n');
        fs::write(folder.path().join(&file), bytes).expect("a file");
        let problems = found(&folder, &["data", "verify", &file]).1["problems"].to_string();
        assert!(problems.contains(&format!("data.{ending} has ")), "{problems}");
    }
    let [_, err] = texts(&cookc(&folder, &["data", "card", "again.jsonl"]));
    assert!(err.contains("which is not built in: write `--template FILE`"), "{err}");
    write(&folder, "README.md", "mine");
    let [_, err] = texts(&cookc(&folder, &["data", "card", "again.jsonl"]));
    assert!(err.contains("add `--force` to replace it"), "{err}");
    assert_eq!(read(&folder, "README.md"), "mine");
}

#[test]
fn a_card_of_two_folders_has_two_splits() {
    let folder = folder();
    for (split, rows) in [("train", "300"), ("eval", "100")] {
        let out = format!("set/{split}/");
        let of = ["generate", "std:retrieval", "--shard-size", "100", "--split", split];
        done(&folder, &[&of[..], &["-n", rows, "-o", &out, "--shape", "messages"]].concat());
    }
    done(&folder, &["data", "card", "set"]);
    let card = read(&folder, "set/README.md");
    for wanted in [
        "  - split: eval\n    path: \"eval/data-*.jsonl\"\n",
        "  - split: train\n    path: \"train/data-*.jsonl\"\n",
        "  - name: messages\n    list:\n    - name: role\n      dtype: string\n",
        "  - name: train\n    num_bytes: ",
        "cookc data make train/cookc.json -o again/",
    ] {
        assert!(card.contains(wanted), "{wanted}: {card}");
    }
    // A card is written again where one is.
    done(&folder, &["data", "card", "set"]);
    let [_, err] = texts(&cookc(&folder, &["data", "card", "."]));
    assert!(err.contains("no folder in it has one"), "{err}");
}

#[test]
fn statistics_count_rows_prompts_lengths_and_replies() {
    let folder = folder();
    let row =
        |prompt: &str, reply: &str| format!("{}\n", json!({"prompt": prompt, "reply": reply}));
    let text = row("a b c", "yes") + &row("a b", "no") + &row("a b c", "yes") + &row("é", "yes");
    write(&folder, "a.jsonl", &text);
    let (code, stats) = found(&folder, &["data", "stats", "a.jsonl"]);
    assert_eq!((code, &stats["rows"]), (Some(0), &json!(4)));
    assert_eq!(stats["prompts"], json!({"unique": 3, "exact": true, "error": 0.0}));
    assert_eq!(stats["replies"]["top"][0], json!({"value": "yes", "rows": 3, "share": 0.75}));
    let words = &stats["lengths"]["prompt"]["words"];
    assert_eq!(
        (&words["least"], &words["median"], &words["greatest"]),
        (&json!(1), &json!(2), &json!(3))
    );
    assert_eq!(stats["lengths"]["prompt"]["characters"]["least"], 1);
    let out = done(&folder, &["data", "stats", "a.jsonl"]);
    assert!(out.contains("unique prompts: 3 of 4\n"), "{out}");
    assert!(out.contains("████████████████████ 3 (75.0%)        yes\n"), "{out}");
    done(&folder, &["generate", "std:retrieval", "-n", "5000", "-o", "b.parquet"]);
    let exact = found(&folder, &["data", "stats", "b.parquet"]).1;
    let about = found(&folder, &["data", "stats", "b.parquet", "--memory", "0"]).1;
    assert_eq!(exact["prompts"]["unique"], 5000);
    assert_eq!(about["prompts"]["exact"], false);
    let unique = about["prompts"]["unique"].as_f64().expect("a number");
    assert!((unique - 5000.0).abs() < 100.0, "{about}");
    assert_eq!(exact["templates"][0]["value"], "retrieval · default");
    let one = ["data", "stats", "b.parquet", "--threads", "1"];
    assert_eq!(found(&folder, &one).1, exact);
}

/// Words that no other number has.
fn text(number: usize, from: usize, to: usize) -> String {
    (from..to).map(|at| format!("w{number}x{at} ")).collect()
}

#[test]
fn rows_that_overlap_are_named_and_left_out() {
    let folder = folder();
    let row = |text: &str| format!("{}\n", json!({"prompt": text, "reply": "yes"}));
    let other = text(1, 0, 60);
    let rows = [
        text(2, 0, 60),
        // 13 words, in other letters and with other punctuation.
        format!("{}{}", text(3, 0, 30), text(1, 20, 33).to_uppercase().replace(' ', ", ")),
        // 12 words are none.
        format!("{}{}{}", text(4, 0, 30), text(1, 20, 32), text(4, 30, 60)),
        // Near, and of no 13 words.
        (0..60)
            .map(|at| if at % 12 == 11 { "gone ".into() } else { text(1, at, at + 1) })
            .collect(),
        "a short one".to_string(),
    ];
    write(&folder, "a.jsonl", &rows.iter().map(|text| row(text)).collect::<String>());
    let others = row(&other) + &row("A short one!");
    write(&folder, "others.jsonl", &others);
    let command = ["data", "decontaminate", "a.jsonl", "--against", "others.jsonl"];
    let (code, report) = found(&folder, &[&command[..], &["--threshold", "0.4"]].concat());
    assert_eq!((code, &report["rows"], &report["clean"]), (Some(1), &json!(5), &json!(2)));
    let numbers: Vec<&Value> =
        report["overlaps"].as_array().expect("a list").iter().map(|one| &one["row"]).collect();
    assert_eq!(numbers, [1, 3, 4]);
    let ngram = &report["overlaps"][0]["ngram"];
    assert_eq!((&ngram["words"], &ngram["against"]), (&json!(13), &json!("others.jsonl line 1")));
    assert!(ngram["text"].as_str().expect("a text").starts_with("W1X20, W1X21,"), "{ngram}");
    assert_eq!(report["overlaps"][1]["ngram"], Value::Null);
    assert!(report["overlaps"][1]["near"]["jaccard"].as_f64().expect("a number") > 0.4);
    assert_eq!(report["overlaps"][2]["near"]["jaccard"], 1.0);
    let out = [&command[..], &["-o", "clean.jsonl", "--threshold", "0.4"]].concat();
    done(&folder, &out);
    assert_eq!(read(&folder, "clean.jsonl"), row(&rows[0]) + &row(&rows[2]));
    for (more, wanted) in [
        (&["-o", "clean.parquet"][..], "name a file that ends with .jsonl"),
        (&["-o", "a.jsonl"], "a.jsonl is what is read"),
        (&["--threshold", "1.5"], "write a number above 0 and at most 1"),
        (&["--ngram", "0"], "invalid value '0'"),
    ] {
        let [_, err] = texts(&cookc(&folder, &[&command[..], more].concat()));
        assert!(err.contains(wanted), "{wanted}: {err}");
    }
}

#[test]
fn phrases_that_the_task_repeats_are_no_overlap() {
    let folder = folder();
    let phrase = text(9, 0, 20);
    let row = |number: usize| {
        format!("{}\n", json!({"prompt": phrase.clone() + &text(number, 0, 80), "reply": ""}))
    };
    write(&folder, "a.jsonl", &(100..130).map(row).collect::<String>());
    write(&folder, "b.jsonl", &(200..203).map(row).collect::<String>());
    let command = ["data", "decontaminate", "a.jsonl", "--against", "b.jsonl"];
    let (code, report) = found(&folder, &command);
    assert_eq!((code, &report["clean"], &report["common"]), (Some(0), &json!(30), &json!(8)));
    let (code, report) = found(&folder, &[&command[..], &["--common", "30"]].concat());
    assert_eq!((code, &report["clean"], &report["ngram"]), (Some(1), &json!(0), &json!(30)));
}
