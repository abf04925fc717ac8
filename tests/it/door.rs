//! The front door: what a program that embeds cookc writes, and what it is reported when it errs.

use std::collections::BTreeSet;
use std::path::Path;

use assert_cmd::Command;
use cookc::data::layout::{Escape, Part, TextWriter};
use cookc::runtime::RunKey;
use cookc::{Error, Sampler, Score, Split, Template, Vocabulary};
use serde_json::{Map, Value, json};

const ECHO: &str = r#"
param length in 2..9 = 3
level hard: length = 8
words_ ~ distinct(length, vocab)
last   = at(size(words_) - 1, words_)
rule ends: last == at(size(words_) - 1, words_)
prompt "Words: {words_}. The last?"
reply "{last}"
"#;

fn echo() -> Template {
    Template::parse("echo.cook", ECHO).unwrap_or_else(|error| panic!("{error}"))
}

fn record(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn message<T>(result: Result<T, Error>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn samples_are_the_rows_that_the_command_line_writes() {
    let sampler = Template::builtin("retrieval").and_then(|it| it.level("easy").compile());
    let sampler = sampler.unwrap_or_else(|error| panic!("{error}"));
    let out = Command::cargo_bin("cookc")
        .expect("it is built")
        .args(["generate", "std:retrieval", "-n", "5", "--first", "3", "--level", "easy"])
        .args(["--seed", "9", "--split", "eval"])
        .output()
        .expect("it runs");
    let rows = String::from_utf8(out.stdout).expect("UTF-8");
    let samples = sampler.samples(Split::Eval, 9, 3..8);
    let mut compared = 0;
    for (row, sample) in rows.lines().zip(samples) {
        let (row, sample) =
            (serde_json::from_str::<Value>(row).expect("JSON"), sample.expect("one"));
        assert_eq!(row["prompt"], *sample.prompt);
        assert_eq!(row["reply"], *sample.reply);
        let fields = row["fields"].as_str().expect("a JSON text");
        assert_eq!(fields, Value::Object(sample.fields).to_string());
        let key = &sample.key;
        let of_row = json!({"template": *key.template, "level": *key.level, "set": *key.set,
            "split": key.split.name(), "seed": key.seed, "index": key.index});
        for (name, value) in record(of_row) {
            assert_eq!(row[&name], value, "{name}");
        }
        compared += 1;
    }
    assert_eq!(compared, 5);
}

#[test]
fn conversations_of_the_command_line_are_those_of_the_samples() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("echo.cook");
    std::fs::write(&path, format!("{ECHO}system \"You \\\"echo\\\".\"\n")).expect("a file");
    let sampler = Template::open(&path).and_then(|it| it.compile());
    let sampler = sampler.unwrap_or_else(|error| panic!("{error}"));
    let out = Command::cargo_bin("cookc")
        .expect("it is built")
        .args(["generate", "echo.cook", "-n", "3", "--shape", "messages"])
        .current_dir(&folder)
        .output()
        .expect("it runs");
    let lines = String::from_utf8(out.stdout).expect("UTF-8");
    assert_eq!(lines.lines().count(), 3);
    for (line, sample) in lines.lines().zip(sampler.samples(Split::Train, 0, 0..3)) {
        let (line, sample) =
            (serde_json::from_str::<Value>(line).expect("JSON"), sample.expect("one"));
        let messages = sample.messages();
        let messages =
            messages.map(|one| json!({"role": one.role, "content": one.content})).collect();
        assert_eq!(line["messages"], Value::Array(messages));
        assert_eq!(line["messages"][0]["role"], "system");
        let id = line["id"].as_str().expect("an id");
        assert!(id.starts_with("echo/") && id.ends_with(&format!("/train/0/{}", sample.key.index)));
    }
}

#[test]
fn threads_share_a_sampler_and_draw_the_same() {
    fn shared<T: Send + Sync + Clone + 'static>(value: &T) -> T {
        value.clone()
    }
    let sampler = echo().set("length", 5).compile().unwrap_or_else(|error| panic!("{error}"));
    let alone: Vec<_> =
        (0..40).map(|at| sampler.sample(Split::Train, 1, at).expect("one")).collect();
    let running: Vec<_> = (0..4)
        .map(|first| {
            let sampler = shared(&sampler);
            std::thread::spawn(move || {
                let of = |at| (at, sampler.sample(Split::Train, 1, at as u64).expect("one"));
                (first..40).step_by(4).map(of).collect::<Vec<_>>()
            })
        })
        .collect();
    for (at, sample) in running.into_iter().flat_map(|one| one.join().expect("no panic")) {
        assert_eq!(sample, alone[at]);
    }
}

#[test]
fn both_engines_give_the_same_samples_and_scores() {
    let template = echo();
    let level = || template.level("hard");
    let compiled = [level().native(), level().interpreted(), level()];
    let [native, interpreted, both] =
        compiled.map(|it| it.compile().unwrap_or_else(|e| panic!("{e}")));
    // Of so many samples the last are made by machine code, whoever chooses.
    for index in 0..2_000 {
        let sample = native.sample(Split::Train, 3, index).expect("one");
        for other in [&interpreted, &both] {
            assert_eq!(sample, other.sample(Split::Train, 3, index).expect("one"));
        }
        for reply in [&*sample.reply, "another", ""] {
            let of = |sampler: &Sampler| sampler.score(Split::Train, 3, index, reply).expect("one");
            assert_eq!(of(&native), of(&interpreted));
            assert_eq!(of(&native), of(&both));
        }
    }
}

#[test]
fn a_score_has_each_rule_and_why_a_reply_could_not_be_read() {
    let sampler = echo().compile().unwrap_or_else(|error| panic!("{error}"));
    let sample = sampler.sample(Split::Train, 0, 0).expect("one");
    let of = |reply: &str| sampler.score(Split::Train, 0, 0, reply).expect("a score");
    let right = of(&format!(" {}\n", sample.reply));
    assert!(right.exact() && right.mean() == 1.0 && right.unreadable().is_none());
    assert_eq!(right.rules().collect::<Vec<_>>(), [("ends", 1.0)]);
    let wrong = of("two words");
    assert!(!wrong.exact() && wrong.rule("ends") == Some(0.0) && wrong.rule("other").is_none());
    assert!(wrong.unreadable().is_some_and(|why| why.to_string().contains("one word")));
}

#[test]
fn a_record_of_other_words_is_scored_by_the_same_rules() {
    let sampler = echo().compile().unwrap_or_else(|error| panic!("{error}"));
    let of = |words: Value, reply: &str| -> Result<Score, Error> {
        sampler.score_fields(&record(json!({"words_": words, "more": 1})), reply)
    };
    assert!(of(json!("Paris is large"), "large").expect("a score").exact());
    assert!(of(json!(["Paris", "is", "large"]), "large").expect("a score").exact());
    assert!(!of(json!("Paris is large"), "Paris").expect("a score").exact());
    // A list that no sample has: the rule fails, and nothing else does.
    assert!(!of(json!(""), "large").expect("a score").exact());
    let every_sample = sampler.samples(Split::Train, 5, 0..50).map(|one| one.expect("one"));
    for sample in every_sample {
        assert!(sampler.score_fields(&sample.fields, &sample.reply).expect("a score").exact());
    }
}

#[test]
fn a_record_that_lacks_a_value_or_has_another_type_is_an_error_that_names_it() {
    let sampler = echo().compile().unwrap_or_else(|error| panic!("{error}"));
    let of = |value: Value| message(sampler.score_fields(&record(value), "large"));
    assert_eq!(
        of(json!({"words": "Paris"})),
        "the record's `words_` must be words, as one text, and is not there"
    );
    assert_eq!(
        of(json!({"words_": 7})),
        "the record's `words_` must be words, as one text, and is `7`"
    );
    assert!(of(json!({"words_": "Paris, large"})).contains("and is `Paris,`"));
}

#[test]
fn a_rule_on_a_hidden_draw_cannot_be_judged_by_a_record() {
    let template = Template::parse(
        "hidden.cook",
        "word ~ pick(vocab)\nhalf ~ uniform(1..3)\ntwice = 2 * half\n\
         words_ ~ distinct(twice, vocab)\nrule even: size(words_) == twice\n\
         prompt \"{word}\"\nreply \"{words_}\"\n",
    );
    let sampler = template.and_then(|it| it.compile()).unwrap_or_else(|error| panic!("{error}"));
    let error = message(sampler.score_fields(&record(json!({"word": "a", "half": 2})), "a b c d"));
    assert!(error.starts_with("the record's `half` must be a value that the prompt"), "{error}");
}

#[test]
fn every_error_of_a_template_points_to_its_text() {
    let error = message(Template::parse("bad.cook", "x ~ pick(vocabb)\nprompt \"{x}\"\n"));
    assert!(error.contains("bad.cook:1:10") && error.contains("write `vocab`"), "{error}");
    let error = message(Template::parse("bad.cook", "words animals = \"animals.txt\"\n"));
    assert!(error.contains("no files are read here"), "{error}");
    let error = message(echo().level("hardd").compile());
    assert!(error.contains("hardd") && error.contains("hard"), "{error}");
    let error = message(echo().set("lenght", 4).compile());
    assert!(error.contains("lenght") && error.contains("length"), "{error}");
    assert!(message(Template::builtin("retrival")).contains("did you mean std:retrieval?"));
    assert!(message(Template::open("no/such.cook")).contains("there is no file no/such.cook"));
    let error = message(Template::parse("functions.cook", "fn one() -> Int = 1\n"));
    assert!(error.contains("only holds functions"), "{error}");
}

#[test]
fn a_sample_that_cannot_be_drawn_is_an_error_with_its_key_and_span() {
    let text = "n ~ uniform(0..1)\nm = 6 / n\nprompt \"{n}\"\nreply \"{m}\"\n";
    let sampler = Template::parse("zero.cook", text).and_then(|it| it.compile());
    let sampler = sampler.unwrap_or_else(|error| panic!("{error}"));
    let failed = sampler.samples(Split::Train, 0, 0..20).find_map(Result::err).expect("an error");
    let Error::Sample { key, diagnostic, .. } = &failed else { panic!("{failed}") };
    assert_eq!((&*key.template, key.seed, diagnostic.code), ("zero", 0, "E601"));
    assert!(failed.to_string().contains("zero.cook:2:"), "{failed}");
}

#[test]
fn other_words_are_drawn_from_where_they_are_given() {
    let words = Vocabulary::new(["red", "green", "blue"]).expect("good words");
    let sampler = echo().level("default").vocabulary(words).compile();
    let sampler = sampler.unwrap_or_else(|error| panic!("{error}"));
    let sample = sampler.sample(Split::Train, 0, 0).expect("one");
    assert!(["red", "green", "blue"].contains(&&*sample.reply));
    let roles: Vec<&str> = sample.messages().map(|message| message.role).collect();
    assert_eq!(roles, ["user", "assistant"]);
}

/// Every way to draw that a caller can reach keeps the splits apart: few prompts show it.
#[test]
fn no_public_way_to_draw_gives_a_prompt_of_the_other_split() {
    let text = "a ~ uniform(0..9)\nb ~ uniform(0..9)\nsum_of = a + b\n\
                prompt \"{a} and {b}\"\nreply \"{sum_of}\"\n";
    let sampler = Template::parse("tiny.cook", text).and_then(|it| it.compile());
    let sampler = sampler.unwrap_or_else(|error| panic!("{error}"));
    let inner = sampler.inner();
    let interpreted = inner.interpreted();
    let layout = inner.program().layout.clone();
    let named = inner.with_layout("tiny", layout);
    let prompts = |split: Split| {
        let mut prompts = BTreeSet::new();
        for seed in [1, 2] {
            prompts
                .extend(sampler.samples(split, seed, 0..300).map(|one| one.expect("one").prompt));
            for inner in [inner, &interpreted, &named] {
                let program = inner.program();
                let texts = TextWriter::new(program, inner.vocabulary().clone(), Escape::None);
                // A memory that was another split's, and streams of another split's seed.
                let mut memory = inner.memory(Split::Eval, seed);
                inner.ready(&mut memory, split, seed);
                memory.seed(&RunKey::new(&program.name, &program.level, "eval", seed));
                for index in 0..300 {
                    inner.sample(&mut memory, index).expect("one");
                    prompts.insert(texts.text(Part::Prompt, &memory));
                }
            }
        }
        prompts
    };
    let [train, eval] = Split::ALL.map(prompts);
    assert!(train.is_disjoint(&eval), "{:?}", train.intersection(&eval).collect::<Vec<_>>());
    assert_eq!(train.len() + eval.len(), 100);
}

/// An engine draws without a split, so it is reached through a sampler alone.
#[test]
fn only_a_sampler_reaches_an_engine() {
    let source = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path);
        std::fs::read_to_string(path).expect("it is there")
    };
    let public: Vec<String> = source("engine/mod.rs")
        .lines()
        .filter(|line| line.starts_with("pub "))
        .map(|line| line.split(['(', '{']).next().unwrap_or(line).trim().to_string())
        .collect();
    assert_eq!(public, ["pub enum Emit", "pub fn emit_text"]);
    assert!(!source("data/sampler.rs").contains("pub engine"));
}
