//! The texts of requests, to the character. What is expected was written down from the definitions
//! of lm-evaluation-harness 0.4.13 and OLMES, not from what this code does.

use anyhow::Result;
use cookc::tasks::{Gold, Settings, Style};
use serde_json::{Value, json};

use super::{folder, prepared, put, words};

/// A data set's place below the folder of copies, and a row of it.
fn row(task: &str) -> (&'static str, Value) {
    match task {
        "arc_easy" => (
            "ai2_arc/ARC-Easy/test/data.jsonl",
            json!({"id": "1", "question": "What melts ice?", "answerKey": "3",
                   "choices": {"text": ["sand", "a stone", "salt"], "label": ["1", "2", "3"]}}),
        ),
        "arc_challenge" => (
            "ai2_arc/ARC-Challenge/test-00000-of-00001.jsonl",
            json!({"question": "What melts ice? ", "answerKey": "B",
                   "choices": {"text": ["sand", "salt"], "label": ["A", "B"]}}),
        ),
        "boolq" => (
            "super_glue/boolq/validation/data.jsonl",
            json!({"passage": "Ice -- Ice is water.", "question": "is ice warm", "label": 0}),
        ),
        "hellaswag" => (
            "hellaswag/none/validation/data.jsonl",
            json!({"activity_label": " Bread", "ctx_b": "the Baker of ROME",
                   "ctx_a": "[header] How to bake [title] Mix. [title] [step] Take  two   bowls.",
                   "endings": ["[step] Eat it. ", "sings.", "a [b", "is [substeps] gone."],
                   "label": "3"}),
        ),
        "openbookqa" => (
            "openbookqa/main/test.jsonl",
            json!({"question_stem": "Ice melts in", "answerKey": " A",
                   "choices": {"text": ["the sun", "snow"], "label": ["A", "B"]}}),
        ),
        "piqa" => (
            "piqa/plain_text/validation/data.jsonl",
            json!({"goal": "Melt ice.", "sol1": "Cool it.", "sol2": "Warm it.", "label": 1}),
        ),
        _ => (
            "winogrande/winogrande_xl/validation/data.jsonl",
            json!({"sentence": "Ann met Bob since _ was in her _ place. ", "option1": "Ann",
                   "option2": "Bob", "answer": "2"}),
        ),
    }
}

/// Contexts, continuations and the right choice of a task's row.
fn asked(task: &str, style: Style) -> Result<(Vec<String>, Vec<String>, usize)> {
    let folder = folder()?;
    let (path, row) = row(task);
    put(folder.path(), path, std::slice::from_ref(&row))?;
    let tokenizer =
        words(&[&format!("Question: Goal: Answer: yes no {row} The Baker baker rome")])?;
    let settings = Settings { style, ..Settings::default() };
    let prepared = prepared(task, folder.path(), settings, &tokenizer)?;
    let (item, _) = prepared.items[0].clone();
    let Gold::Choice(gold) = item.gold else { anyhow::bail!("no choice is right") };
    Ok((item.contexts, item.continuations, gold))
}

#[test]
fn a_context_and_its_choices_are_those_of_lm_evaluation_harness() -> Result<()> {
    let one = |text: &str| vec![text.to_string()];
    let all = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect::<Vec<_>>();
    for (task, contexts, choices, gold) in [
        (
            "arc_easy",
            one("Question: What melts ice?\nAnswer:"),
            all(&["sand", "a stone", "salt"]),
            2,
        ),
        ("arc_challenge", one("Question: What melts ice? \nAnswer:"), all(&["sand", "salt"]), 1),
        (
            "boolq",
            one("Ice -- Ice is water.\nQuestion: is ice warm?\nAnswer:"),
            all(&["no", "yes"]),
            0,
        ),
        (
            "hellaswag",
            // Two spaces become one, once: of three, two are left.
            one("Bread: How to bake. Mix..  Take two  bowls. The baker of rome"),
            all(&[" Eat it.", "sings.", "a [b", "is gone."]),
            3,
        ),
        ("openbookqa", one("Ice melts in"), all(&["the sun", "snow"]), 0),
        ("piqa", one("Question: Melt ice.\nAnswer:"), all(&["Cool it.", "Warm it."]), 1),
        (
            "winogrande",
            all(&["Ann met Bob since Ann", "Ann met Bob since Bob"]),
            one("was in her _ place."),
            1,
        ),
    ] {
        assert_eq!(asked(task, Style::LmEval)?, (contexts, choices, gold), "{task}");
    }
    Ok(())
}

#[test]
fn the_wording_of_olmes_differs_in_four_tasks() -> Result<()> {
    let (contexts, ..) = asked("hellaswag", Style::Olmes)?;
    assert_eq!(contexts, ["Bread: How to bake. Mix.  Take two  bowls. The baker of rome"]);
    for (task, context, choices, gold) in [
        ("boolq", "Ice -- Ice is water.\nQuestion: is ice warm?\nAnswer:", ["yes", "no"], 1),
        ("openbookqa", "Question: Ice melts in\nAnswer:", ["the sun", "snow"], 0),
        ("piqa", "Goal: Melt ice.\nAnswer:", ["Cool it.", "Warm it."], 1),
    ] {
        let expected = (vec![context.to_string()], choices.map(String::from).to_vec(), gold);
        assert_eq!(asked(task, Style::Olmes)?, expected, "{task}");
    }
    for task in ["arc_easy", "arc_challenge", "winogrande"] {
        assert_eq!(asked(task, Style::Olmes)?, asked(task, Style::LmEval)?, "{task}");
    }
    Ok(())
}

#[test]
fn each_style_has_its_metrics() -> Result<()> {
    let of = |style| -> Result<Vec<String>> {
        let tasks = cookc::tasks::named("gpt4all", style)?;
        let line = |task: &cookc::tasks::Task| {
            let names: Vec<&str> = task.metrics.iter().map(|metric| metric.name()).collect();
            format!("{} {}: {}", task.name, names.join(" "), task.main.name())
        };
        Ok(tasks.iter().map(line).collect())
    };
    assert_eq!(
        of(Style::LmEval)?,
        [
            "arc_easy acc acc_norm: acc",
            "arc_challenge acc acc_norm: acc",
            "boolq acc: acc",
            "hellaswag acc acc_norm: acc",
            "openbookqa acc acc_norm: acc",
            "piqa acc acc_norm: acc",
            "winogrande acc: acc",
        ]
    );
    assert_eq!(
        of(Style::Olmes)?,
        [
            "arc_easy acc acc_norm: acc_norm",
            "arc_challenge acc acc_norm acc_uncond: acc_uncond",
            "boolq acc: acc",
            "hellaswag acc acc_norm: acc_norm",
            "openbookqa acc acc_norm acc_uncond: acc_uncond",
            "piqa acc acc_norm: acc_norm",
            "winogrande acc: acc",
        ]
    );
    Ok(())
}
