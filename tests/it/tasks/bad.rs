//! What is said of a task's file and of rows that do not fit it.

use anyhow::Result;
use cookc::source::Source;
use cookc::tasks::{self, Gold, Settings, Style};
use serde_json::{Value, json};

use super::{ARC_EASY, folder, prepared, put, refused, words};

const TASK: &str = r#"kind = "choice"
context = "Which is it? {{ question }}"
choices = "{{ choices }}"
gold = "{{ label }}"

[data]
path = "items.jsonl"
"#;

fn item() -> Value {
    json!({"question": "yes", "choices": ["yes", "no"], "label": 1})
}

/// What is said of the task with one thing changed, of rows of which the last is changed.
fn said(from: &str, to: &str, row: Value) -> Result<String> {
    assert!(TASK.contains(from), "{from} is in the task");
    refused(&TASK.replace(from, to), &[item(), row])
}

#[test]
fn a_column_that_is_not_there_is_named_with_its_near_miss_and_its_line() -> Result<()> {
    assert_eq!(
        said("{{ question }}", "{{ questoin }}", item())?,
        "items.jsonl line 1: `context` names `questoin`, which is no column of the rows: write \
         `question` (facts.toml, line 2)"
    );
    assert_eq!(
        said("", "", json!({"question": "yes", "choices": ["yes", "no"]}))?,
        "items.jsonl line 2: `gold` names `label`, which is no column of the rows: the rows have \
         question, choices (facts.toml, line 4)"
    );
    Ok(())
}

#[test]
fn an_empty_choice_and_a_single_one_are_refused() -> Result<()> {
    let row = |choices: Value| json!({"question": "yes", "choices": choices, "label": 0});
    assert_eq!(
        said("", "", row(json!(["yes", " "])))?,
        "items.jsonl line 2: `choices`: choice 2 is empty (facts.toml, line 3)"
    );
    assert_eq!(
        said("", "", row(json!(["yes"])))?,
        "items.jsonl line 2: `choices`: there is 1 choice, and two are needed (facts.toml, line 3)"
    );
    assert_eq!(
        said("", "", row(json!([])))?,
        "items.jsonl line 2: `choices` is an empty list, and two choices are needed (facts.toml, \
         line 3)"
    );
    assert_eq!(
        said("", "", row(json!("yes")))?,
        "items.jsonl line 2: `choices` is one text, and two choices are needed: write `choices = \
         [\"yes\", \"no\"]`, or one that gives a list, as `{{ options }}` (facts.toml, line 3)"
    );
    Ok(())
}

#[test]
fn a_null_that_would_be_written_is_refused() -> Result<()> {
    let row = json!({"question": null, "choices": ["yes", "no"], "label": 0});
    assert_eq!(
        said("", "", row)?,
        "items.jsonl line 2: `question`, of which `context` is made, is null: write `{{ question \
         or \"\" }}`, or take such rows out (facts.toml, line 2)"
    );
    Ok(())
}

#[test]
fn a_right_answer_that_is_no_choice_is_refused() -> Result<()> {
    let row = |label: Value| json!({"question": "yes", "choices": ["yes", "no"], "label": label});
    for label in [json!(2), json!(-1)] {
        assert_eq!(
            said("", "", row(label.clone()))?,
            format!(
                "items.jsonl line 2: `gold` is {label}, and there are 2 choices, counted from 0 \
                 (facts.toml, line 4)"
            )
        );
    }
    assert_eq!(
        said("", "", row(json!("maybe")))?,
        "items.jsonl line 2: `gold` is `maybe`, which is no choice and no integer \
         (facts.toml, line 4)"
    );
    Ok(())
}

#[test]
fn a_number_that_is_the_text_of_another_choice_is_refused() -> Result<()> {
    let row = |label: Value| json!({"question": "yes", "choices": ["1", "0", "7"], "label": label});
    assert_eq!(
        said("", "", row(json!("0")))?,
        "items.jsonl line 2: `gold` is `0`: by its number the choice `1`, by its text choice 1, \
         counted from 0: write an expression that gives the number, such as `{{ \
         options.index(answer) }}` (facts.toml, line 4)"
    );
    // What only one reading has is that, and tables with gaps have 2.0 for 2.
    for label in [json!("7"), json!(2), json!(2.0), json!("2.0")] {
        let folder = folder()?;
        put(folder.path(), "items.jsonl", &[row(label.clone())])?;
        let path = folder.path().join("facts.toml");
        let task = tasks::parse(&Source::new(path.to_string_lossy(), TASK), Style::LmEval)?;
        let tokenizer = words(&["Which is it? yes 1 0 7"])?;
        let asked = tasks::prepare(task, &Settings::default(), &tokenizer, 512)?;
        assert_eq!(asked.items[0].0.gold, Gold::Choice(2), "{label}");
    }
    Ok(())
}

#[test]
fn keys_of_a_task_are_known_and_each_that_is_needed_is_there() -> Result<()> {
    let misspelled = said("choices =", "choises =", item())?;
    assert!(misspelled.contains("a task has no `choises`"), "{misspelled}");
    assert!(misspelled.contains("write `choices`"), "{misspelled}");
    for (key, write) in [
        ("kind", "`kind = \"choice\"` or `kind = \"generate\"`"),
        ("context", "`context = \"{{ question }}\"`"),
        ("choices", "`choices = \"{{ choices }}\"`"),
        ("gold", "`gold = \"{{ label }}\"`"),
    ] {
        let lines = TASK.lines().filter(|line| !line.starts_with(key));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        assert_eq!(
            refused(&text, &[item()])?,
            format!("facts.toml: there is no `{key}`: write {write}")
        );
    }
    let empty = said("choices = \"{{ choices }}\"", "choices = []", item())?;
    assert_eq!(empty, "facts.toml, line 3: `choices` is an empty list: write two texts or more");
    let beside = said("choices =", "continuation = \"it\"\nchoices =", item())?;
    assert_eq!(
        beside,
        "facts.toml, line 3: `continuation` has no use beside `choices`: leave it out"
    );
    let number = said("\"{{ label }}\"", "1", item())?;
    assert!(number.contains("`gold = \"1\"`"), "{number}");
    let alone = said("[data]", "metrics = [\"acc\", \"acc_uncond\"]\n[data]", item())?;
    assert!(alone.contains("line 6: `acc_uncond` compares with the choices without"), "{alone}");
    let metric = said("[data]", "metrics = [\"acc\", \"contains\"]\n[data]", item())?;
    assert!(metric.contains("`metrics` cannot be `contains`"), "{metric}");
    assert!(metric.contains("\"acc\", \"acc_norm\""), "{metric}");
    assert_eq!(
        said("path = \"items.jsonl\"", "dataset = \"org/name\"", item())?,
        "facts.toml, line 6: `[data]` has either a `path`, or a `dataset` and its `split`"
    );
    Ok(())
}

#[test]
fn a_key_of_the_other_kind_is_refused() -> Result<()> {
    assert_eq!(
        said("\n[data]", "until = [\".\"]\n[data]", item())?,
        "facts.toml, line 5: `until` is of `kind = \"generate\"`, and this is `choice`: leave it out"
    );
    Ok(())
}

#[test]
fn f1_of_choices_stands_for_no_task_and_is_of_two_choices() -> Result<()> {
    let alone = said("[data]", "metrics = [\"f1\"]\n[data]", item())?;
    assert!(alone.contains("line 6: `f1` of choices has no value an item: add `acc`"), "{alone}");
    let main = said("[data]", "metrics = [\"f1\", \"acc\"]\nmain = \"f1\"\n[data]", item())?;
    assert!(main.contains("line 7: `f1` of choices has no value an item"), "{main}");
    let row = json!({"question": "yes", "choices": ["yes", "no", "old"], "label": 0});
    let three = said("[data]", "metrics = [\"acc\", \"f1\"]\n[data]", row)?;
    let why = "items.jsonl line 2: `f1` is that of the second of two choices, and this item has 3";
    assert!(three.starts_with(why), "{three}");
    Ok(())
}

#[test]
fn a_broken_placeholder_has_its_line() -> Result<()> {
    let broken = said("{{ question }}\"", "{{ question }\"", item())?;
    assert!(broken.starts_with("facts.toml, line 2: `context`: "), "{broken}");
    Ok(())
}

#[test]
fn a_name_that_is_no_task_gets_its_near_miss() {
    let said = |list: &str| tasks::named(list, Style::LmEval).expect_err("no task").to_string();
    assert_eq!(said("arc_esy"), "there is no task `arc_esy`: write `arc_easy`");
    assert_eq!(said("gpt4al"), "there is no task `gpt4al`: write `gpt4all`");
    assert!(said("mmlu").contains("arc_easy, arc_challenge, boolq"), "{}", said("mmlu"));
    assert!(said(" , ").starts_with("no task is named"), "{}", said(" , "));
}

#[test]
fn a_data_set_without_a_copy_or_without_the_split_says_what_to_fetch() -> Result<()> {
    let folder = folder()?;
    let tokenizer = words(&["a"])?;
    let said = |name: &str| {
        let error = prepared(name, folder.path(), Settings::default(), &tokenizer);
        error.expect_err("there is no copy").to_string()
    };
    let missing = said("arc_easy");
    assert!(missing.contains("reads `allenai/ai2_arc ARC-Easy`, split `test`"), "{missing}");
    assert!(missing.contains("ai2_arc/ARC-Easy/test"), "{missing}");
    assert!(missing.contains("scripts/get-tasks.sh"), "{missing}");
    put(folder.path(), &format!("{ARC_EASY}/validation/data.jsonl"), &[json!({"id": 1})])?;
    let other = said("arc_easy");
    assert!(other.contains("the copy has no split `test`, but validation"), "{other}");
    Ok(())
}

#[test]
fn a_word_that_a_tokenizer_of_words_does_not_know_names_the_row() -> Result<()> {
    let row = json!({"question": "xylophone", "choices": ["yes", "no"], "label": 1});
    assert_eq!(
        said("", "", row)?,
        "items.jsonl line 2: `xylophone` is not among the tokenizer's words"
    );
    Ok(())
}

#[test]
fn a_choice_that_is_longer_than_the_model_reads_names_the_row() -> Result<()> {
    let row = json!({"question": "yes", "choices": ["yes ".repeat(600).trim(), "no"], "label": 1});
    assert_eq!(
        said("", "", row)?,
        "items.jsonl line 2: choice 1: it has 600 tokens, and the model reads 512"
    );
    Ok(())
}

#[test]
fn two_tasks_of_one_name_are_told_apart_by_another_name() -> Result<()> {
    let folder = folder()?;
    for place in ["a", "b"] {
        std::fs::create_dir(folder.path().join(place))?;
        std::fs::write(folder.path().join(place).join("facts.toml"), TASK)?;
    }
    let list = |places: &[&str]| -> String {
        let path = |place: &&str| folder.path().join(place).join("facts.toml");
        let paths: Vec<String> =
            places.iter().map(path).map(|path| path.display().to_string()).collect();
        paths.join(",")
    };
    let twice = tasks::named(&list(&["a", "b"]), Style::LmEval).expect_err("one name");
    assert!(twice.to_string().contains("both called `facts`"), "{twice}");
    assert_eq!(tasks::named(&list(&["a", "a"]), Style::LmEval)?.len(), 1, "one task, named twice");
    Ok(())
}
