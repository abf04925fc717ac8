//! Rows of other people's data in a run, beside templates, and prompts with the replies of others.

use std::fs;
use std::path::Path;

use candle_core::Device;
use cookc::data::layout::Encoded;
use cookc::eval;
use cookc::model::{Config, Tokenizer, io, weights};
use cookc::run::{Observer, Setup};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{cookc, json_lines, number, text, trained, untimed};

const TEMPLATE: &str = "\
letters ~ distinct(4, vocab)
said = letters
rule same: said == letters
prompt \"Say {letters} :\"
reply \"{said}\"
";

const ROWS: &str = r#"{"question": "xa", "answers": ["b"], "n": 1}
{"question": "one", "answers": ["two", "no"], "n": 2}

{"question": "A longer question that has many letters in it", "answers": ["or few"], "n": 3}
{"question": "five", "answers": ["   "], "n": 4}
{"question": "six", "answers": ["seven"], "n": 5}
"#;

const RECIPE: &str = r#"[model]
base = "."
[[template]]
file = "say.cook"
[[text]]
file = "rows.jsonl"
prompt = "{{ question }}"
reply = "{{ answers[0] }}"
[data]
vocab = "letters.txt"
max_length = 40
[lora]
rank = 2
[train]
steps = 12
micro_batch_size = 4
gradient_accumulation_steps = 2
learning_rate = 1e-2
save_steps = 4
[eval]
samples = 4
every = 4
"#;

/// A model whose tokenizer knows each ASCII letter, and ` a`, ` b` and `ab` as one token each; with
/// a template, rows and a recipe.
fn place(recipe: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("a file");
    };
    let letters = (' '..='~').chain(['\n']).map(String::from);
    let pieces = ["</s>", " a", " b", "ab"].map(String::from).into_iter().chain(letters);
    let vocab: serde_json::Map<String, Value> =
        pieces.enumerate().map(|(id, piece)| (piece, json!(id))).collect();
    let end = json!({"id": 0, "content": "</s>", "special": true, "single_word": false,
                     "lstrip": false, "rstrip": false, "normalized": false});
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
        "pre_tokenizer": null, "decoder": null, "added_tokens": [end], "post_processor": null,
        "model": {"type": "BPE", "vocab": vocab, "merges": [[" ", "a"], [" ", "b"], ["a", "b"]],
                  "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false},
    });
    write("tokenizer.json", &tokenizer.to_string());
    write("tokenizer_config.json", r#"{"eos_token": "</s>"}"#);
    let letters: Vec<String> = ('c'..='z').map(String::from).collect();
    write("letters.txt", &letters.join("\n"));
    write("say.cook", TEMPLATE);
    write("rows.jsonl", ROWS);
    write("tiny.toml", recipe);
    let tokenizer = Tokenizer::load(folder.path()).expect("a tokenizer");
    let config = Config::small(tokenizer.vocab_size(), 16, 16, 1, 2);
    let model = weights::fresh(&config, 0, 0.1, &Device::Cpu).expect("weights");
    io::save(&model, folder.path()).expect("a model");
    folder
}

fn setup(folder: &Path) -> Setup {
    let read = Setup::read(&folder.join("tiny.toml"), None, false, &Observer::none());
    read.unwrap_or_else(|error| panic!("{error}"))
}

/// Each token of what is read, and each of what is learned.
fn tokens(setup: &Setup, row: &Encoded) -> [Vec<String>; 2] {
    let token = |id: &u32| setup.tokenizer.token(*id).expect("a token");
    let (read, learned) = row.ids.split_at(row.reply_start);
    [read.iter().map(token).collect(), learned.iter().map(token).collect()]
}

fn letters(text: &str) -> Vec<String> {
    text.chars().map(String::from).collect()
}

/// All output of a command that fails for an input.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let done = cookc(folder, arguments);
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    done.err
}

#[test]
fn the_loss_is_on_the_reply_of_a_row_and_on_what_ends_it() {
    let folder = place(RECIPE);
    let setup = setup(folder.path());
    let [read, learned] = tokens(&setup, &setup.texts[0].rows[1]);
    assert_eq!(read, letters("one"));
    assert_eq!(learned, [letters("two"), vec!["</s>".into()]].concat());
}

#[test]
fn prompt_and_reply_are_one_text_and_a_token_of_both_is_the_reply_s() {
    let folder = place(RECIPE);
    let setup = setup(folder.path());
    assert_eq!(tokens(&setup, &setup.texts[0].rows[0]), [vec!["x"], vec!["ab", "</s>"]]);
    let folder = place(&RECIPE.replace("{{ question }}\"", "x \""));
    let setup = self::setup(folder.path());
    assert_eq!(tokens(&setup, &setup.texts[0].rows[0]), [vec!["x"], vec![" b", "</s>"]]);
}

#[test]
fn a_text_without_a_prompt_is_learned_from_its_second_token_on_and_cut_if_too_long() {
    let recipe = RECIPE.replace("prompt = \"{{ question }}\"\n", "");
    let folder = place(&recipe.replace("{{ answers[0] }}", "{{ question }}"));
    let setup = setup(folder.path());
    let text = &setup.texts[0];
    let [read, learned] = tokens(&setup, &text.rows[1]);
    assert_eq!((read, learned), (letters("o"), ["n", "e", "</s>"].map(String::from).to_vec()));
    assert_eq!((text.rows.len(), text.cut), (5, 1));
    let [read, learned] = tokens(&setup, &text.rows[2]);
    assert_eq!(read.len() + learned.len(), 40);
    assert_eq!(learned.last().map(String::as_str), Some(" "), "it is cut, and does not end");
}

#[test]
fn rows_that_are_too_long_or_have_no_reply_are_left_out_and_counted() {
    let folder = place(RECIPE);
    let text = &setup(folder.path()).texts[0];
    assert_eq!((text.left_out.too_long, text.left_out.empty, text.rows.len()), (1, 1, 3));
    let said = trained(folder.path(), &["--train", "tiny.toml", "--dry-run"]);
    let about = "rows.jsonl: 3 rows, 19 tokens, 9 of the longest; 1 left out, since they are too \
                 long; 1 left out, since their reply is empty\n";
    assert!(said.out.contains(&format!("# {about}")), "{}", said.out);
    assert!(said.err.contains(about), "{}", said.err);
}

#[test]
fn rows_are_chosen_by_their_number() {
    let folder = place(&RECIPE.replace("reply =", "skip = 1\nlimit = 1\nreply ="));
    let setup = setup(folder.path());
    assert_eq!(setup.texts[0].rows.len(), 1);
    assert_eq!(tokens(&setup, &setup.texts[0].rows[0])[0], letters("one"));
}

#[test]
fn a_null_is_no_error_where_it_is_not_written() {
    let folder = place(&RECIPE.replace("{{ question }}", "{{ question }}{{ hint or '' }}"));
    let row = r#"{"question": "None of two", "hint": null, "answers": ["c"]}"#;
    fs::write(folder.path().join("rows.jsonl"), row).expect("a file");
    let setup = setup(folder.path());
    assert_eq!(tokens(&setup, &setup.texts[0].rows[0])[0], letters("None of two"));
}

#[test]
fn braces_that_hold_no_column_stay_as_they_are() {
    let folder = place(&RECIPE.replace("{{ question }}", "{question: {} {q} {a}b"));
    let row = r#"{"question": "one", "a}b": 1, "answers": ["c"]}"#;
    fs::write(folder.path().join("rows.jsonl"), row).expect("a file");
    let setup = setup(folder.path());
    assert_eq!(tokens(&setup, &setup.texts[0].rows[0])[0], letters("{question: {} {q} {a}b"));
}

#[test]
fn a_row_is_a_conversation_in_the_chat_format_and_one_without_a_prompt_is_not() {
    let more = "[[text]]\nfile = \"rows.jsonl\"\nreply = \"{{ question }}\"\nlimit = 2\n[data]";
    let recipe =
        RECIPE.replace("[data]", more).replace("max_length", "format = \"chat\"\nmax_length");
    let folder = place(&recipe.replace("max_length = 40", "max_length = 80"));
    let chat = "{% for m in messages %}<{{ m.role }}>{{ m.content }};{% endfor %}\
                {% if add_generation_prompt %}<assistant>{% endif %}";
    fs::write(folder.path().join("chat_template.jinja"), chat).expect("a file");
    let setup = setup(folder.path());
    let [read, learned] = tokens(&setup, &setup.texts[0].rows[1]);
    assert_eq!(read.concat(), "<user>one;<assistant>");
    assert_eq!(learned.concat(), "two;");
    let [read, learned] = tokens(&setup, &setup.texts[1].rows[1]);
    assert_eq!([read, learned].concat().concat(), "one</s>");
}

#[test]
fn a_run_says_how_many_of_its_samples_are_rows_and_ends_the_same_when_it_goes_on() {
    let folder = place(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    let run = folder.path().join("run");
    let ends = || {
        let adapter = fs::read(run.join("adapter/adapter_model.safetensors")).expect("weights");
        (untimed(&run), text(run.join("samples.jsonl")), adapter)
    };
    let report =
        || -> Value { serde_json::from_str(&text(run.join("report.json"))).expect("JSON") };
    let (straight, taken) = (ends(), report()["texts"][0]["taken"].clone());
    let steps = json_lines(run.join("metrics.jsonl"));
    let rows: f64 = steps.iter().filter_map(|line| line["text_samples"].as_f64()).sum();
    assert_eq!(rows, number(&taken));
    assert!((24.0..72.0).contains(&rows), "half of 96 samples are rows, not {rows}");
    assert_eq!(report()["texts"][0]["file"], "rows.jsonl");
    assert!(text(run.join("report.html")).contains("<td>rows.jsonl<td>3<td>19<td>2<td>"));
    trained(folder.path(), &["--resume", "run"]);
    assert!(ends() == straight);
    assert_eq!(report()["texts"][0]["taken"], taken);
}

#[test]
fn a_template_without_weight_is_evaluated_and_every_sample_is_a_row() {
    let recipe = RECIPE.replace("\"say.cook\"", "\"say.cook\"\nweight = 0.0");
    let folder = place(&recipe.replace("steps = 12", "steps = 2"));
    let done = trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    let about = "learn rows.jsonl (3 rows, 19 tokens) on the CPU";
    assert!(done.err.contains(about), "{}", done.err);
    let lines = json_lines(folder.path().join("run/metrics.jsonl"));
    let steps: Vec<&Value> = lines.iter().filter(|line| line["loss"].is_number()).collect();
    assert!(steps.iter().all(|step| step["text_samples"] == 8), "{steps:?}");
    assert!(lines.iter().any(|line| line["step"] == 2 && line["template"] == "say"), "{lines:?}");
}

#[test]
fn two_processes_take_the_rows_that_one_takes() {
    let folder = place(RECIPE);
    let halves = RECIPE.replace("micro_batch_size = 4", "micro_batch_size = 8");
    let halves = halves.replace("gradient_accumulation_steps = 2\n", "");
    fs::write(folder.path().join("halves.toml"), halves).expect("a file");
    trained(folder.path(), &["--train", "tiny.toml", "--out", "one"]);
    trained(folder.path(), &["--train", "halves.toml", "--out", "two", "--processes", "2"]);
    let adapter = |run: &str| {
        fs::read(folder.path().join(run).join("adapter/adapter_model.safetensors")).expect("it is")
    };
    assert!(adapter("one") == adapter("two"));
}

#[test]
fn a_run_does_not_go_on_with_other_rows() {
    let folder = place(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    fs::write(folder.path().join("rows.jsonl"), ROWS.replace("seven", "eight")).expect("a file");
    let said = refused(folder.path(), &["resume", "run"]);
    assert!(said.contains("text 1 (3 rows): changed"), "{said}");
    // The same rows elsewhere are the same.
    fs::write(folder.path().join("moved.jsonl"), ROWS).expect("a file");
    let recipe = text(folder.path().join("run/recipe.toml")).replace("rows.jsonl", "moved.jsonl");
    fs::write(folder.path().join("run/recipe.toml"), recipe).expect("a file");
    trained(folder.path(), &["--resume", "run"]);
}

#[test]
fn every_fault_of_a_text_is_shown_with_its_place_and_what_to_write() {
    let alone = "[[template]]\nfile = \"say.cook\"\n";
    for (from, to, wanted) in [
        ("{{ question }}", "{{ quetsion }}", &["E707", "tiny.toml:7:10", "write `question`"][..]),
        ("answers[0]", "answers[7]", &["E707", "tiny.toml:8:9", "rows.jsonl line 1"]),
        ("{{ question }}", "{question}", &["E707", "tiny.toml:7:10", "write `{{ question }}`"]),
        ("{{ answers[0] }}", "{answers.0}", &["E707", "tiny.toml:8:9", "write `{{ answers.0 }}`"]),
        ("{{ question }}", "{{ question }", &["E707", "tiny.toml:7:10"]),
        ("rows.jsonl", "row.jsonl", &["E707", "tiny.toml:6:8", "did you mean"]),
        ("rows.jsonl", "empty.jsonl", &["E707", "tiny.toml:6:8", "has no row"]),
        ("rows.jsonl", "greek.jsonl", &["E707", "tiny.toml:6:8", "greek.jsonl line 1", "Ω"]),
        ("rows.jsonl", "null.jsonl", &["E707", "null.jsonl line 1: `question`", "is null"]),
        ("reply =", "skip = 9\nreply =", &["E707", "has 5 rows, and all are skipped"]),
        ("reply =", "skip = 2\nlimit = 2\nreply =", &["E707", "no row of rows.jsonl is left"]),
        ("reply =", "limit = -1\nreply =", &["E704", "tiny.toml:8:9"]),
        ("reply =", "limt = 1\nreply =", &["E702", "write `limit`"]),
        ("reply =", "repyl =", &["E702", "E708", "a text without its `reply`"]),
        ("prompt = \"{{ question }}\"", "prompt = 1", &["E703", "tiny.toml:7:10"]),
        ("[[text]]", "[text]", &["E703", "write `[[text]]`"]),
        (alone, "", &["E708", "nothing to evaluate with", "`weight = 0.0`"]),
        ("base = \".\"", "base = \"scratch:tiny\"", &["E708", "tiny.toml:6:8", "leave out"]),
    ] {
        let folder = place(&RECIPE.replace(from, to));
        let row = |text: &str| format!("{{\"question\": {text}, \"answers\": [\"a\"]}}\n");
        for (name, text) in [
            ("empty.jsonl", String::new()),
            ("greek.jsonl", row("\"Ω\"")),
            ("null.jsonl", row("null")),
        ] {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let said = refused(folder.path(), &["train", "tiny.toml"]);
        for part in wanted {
            assert!(said.contains(part), "{to}: no {part} in\n{said}");
        }
        assert!(!folder.path().join("runs").exists(), "{to}: work was begun");
    }
}

/// The recipe with one template, whose replies are those.
fn with_replies(replies: &str) -> TempDir {
    let start = RECIPE.find("[[text]]").expect("a text");
    let end = RECIPE.find("[data]").expect("data");
    let recipe = format!("{}replies = \"{replies}\"\n{}", &RECIPE[..start], &RECIPE[end..]);
    place(&recipe)
}

#[test]
fn shuffled_replies_are_those_of_other_samples_and_leave_the_prompts_as_they_are() {
    let [own, shuffled] = ["own", "shuffled"].map(|replies| setup(with_replies(replies).path()));
    let (mut own_rows, mut shuffled_rows) = (own.dataset.rows(), shuffled.dataset.rows());
    let mut replies = std::collections::BTreeSet::new();
    for index in 0..200 {
        let own = own_rows.row(0, index).expect("a row");
        let shuffled = shuffled_rows.row(0, index).expect("a row");
        let (prompt, reply) = own.ids.split_at(own.reply_start);
        let (same, other) = shuffled.ids.split_at(shuffled.reply_start);
        assert_eq!(prompt, same);
        // Of 255,024 replies, none of these is its prompt's own by chance.
        assert_ne!(reply, other);
        assert_eq!(reply.len(), other.len());
        replies.insert(other.to_vec());
    }
    assert!(replies.len() > 195, "{}", replies.len());
}

#[test]
fn held_out_samples_have_their_own_replies() {
    let asked = |replies: &str| {
        let setup = setup(with_replies(replies).path());
        eval::questions(&setup.dataset.parts[0], 0, 20).expect("questions")
    };
    assert_eq!(asked("own"), asked("shuffled"));
}

#[test]
fn a_run_with_shuffled_replies_says_so_and_ends_the_same_when_it_goes_on() {
    let folder = with_replies("shuffled");
    let done = trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    assert!(done.err.contains("learn say with shuffled replies on"), "{}", done.err);
    let run = folder.path().join("run");
    let straight = untimed(&run);
    trained(folder.path(), &["--resume", "run"]);
    assert_eq!(untimed(&run), straight);
    let recipe = text(run.join("recipe.toml")).replace("\"shuffled\"", "\"own\"");
    fs::write(run.join("recipe.toml"), recipe).expect("a file");
    let said = refused(folder.path(), &["resume", "run"]);
    assert!(said.contains("template 1.replies: \"shuffled\" → \"own\""), "{said}");
}

#[test]
fn what_is_no_sample_of_a_template_is_not_generated() {
    for (folder, wanted) in [
        (with_replies("shuffled"), "write `replies = \"own\"`"),
        (place(RECIPE), "rows of a text are trained on, and not generated"),
    ] {
        let said = refused(folder.path(), &["generate", "tiny.toml", "-n", "1"]);
        assert!(said.contains("E706") && said.contains(wanted), "{said}");
    }
}
