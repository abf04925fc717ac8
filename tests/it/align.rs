//! `cookc align` as a user runs it: rows of other people's data, scored by a template's rules.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

/// The question's words are in the answer, and the answer is a span of the document.
const QUOTE: &str = "\
param length in 4..32 = 8
document ~ distinct(length, vocab)
answer   ~ span(3, document)
question ~ distinct(2, answer)
rule verbatim: answer within document
rule on_point: all word in question: word in answer
prompt \"{document}: {question}\"
reply \"{answer}\"
";

/// A label, an integer, a real, a list of texts.
const KINDS: &str = "\
left   ~ uniform(0..9)
share  ~ weighted([0.25, 0.5], [1, 1])
names  ~ shuffle([\"red\", \"Blue\"])
label  ~ pick([\"yes\", \"no\"])
rule small: left < 5
rule half: share == 0.5
rule red: at(0, names) == \"red\"
rule right: label == \"yes\"
prompt \"{left} {share} {names}\"
reply \"{label}\"
";

struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Done {
    fn report(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.err);
        serde_json::from_str(&self.out).expect("a report")
    }
}

fn folder(rows: &[Value]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    for (name, text) in [("quote.cook", QUOTE), ("kinds.cook", KINDS), ("rows.jsonl", &lines)] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn align(folder: &TempDir, arguments: &[&str]) -> Done {
    let output = Command::new(env!("CARGO_BIN_EXE_cookc"))
        .arg("align")
        .args(arguments)
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .output()
        .expect("cookc starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The scores of the rows by the rules `verbatim` and `on_point`.
fn quoted(rows: &[(&str, &str, &str)], options: &[&str]) -> Vec<Value> {
    let rows = rows.iter().map(|(document, question, answer)| {
        json!({"document": document, "question": question, "answer": answer})
    });
    let folder = folder(&rows.collect::<Vec<_>>());
    let done =
        align(&folder, &[&["quote.cook", "rows.jsonl", "-o", "out.jsonl"], options].concat());
    assert_eq!(done.code, Some(0), "{}", done.err);
    lines(&folder).into_iter().map(|row| row["scores"].clone()).collect()
}

fn lines(folder: &TempDir) -> Vec<Value> {
    let text = fs::read_to_string(folder.path().join("out.jsonl")).expect("a file");
    text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

fn scores(verbatim: f64, on_point: f64) -> Value {
    json!({"verbatim": verbatim, "on_point": on_point})
}

#[test]
fn words_that_only_look_different_are_equal() {
    let rows = [
        ("“In Orléans,” she said, Joan won.", "won joan", "JOAN WON"),
        ("In Orle\u{301}ans it was Newton's.", "newton", "Newton’s"),
        ("In Orléans he won 5,000 crowns", "5000", "5000 crowns!"),
        ("In Orléans he won", "orleans", "Paris"),
        ("東京は大きい", "京", "東京"),
    ];
    let wanted = [(1.0, 1.0), (1.0, 1.0), (1.0, 1.0), (0.0, 0.0), (1.0, 1.0)];
    assert_eq!(quoted(&rows, &[]), wanted.map(|(a, b)| scores(a, b)));
}

#[test]
fn words_that_no_pool_has_have_letters_too() {
    let template = "words_ ~ distinct(3, vocab)\n\
                    first = for word in words_: at(0, letters(word))\n\
                    rule right: first == for word in words_: at(0, letters(word))\n\
                    prompt \"{words_}\"\nreply \"{join(\"\", first)}\"\n";
    let rows = [
        json!({"w": "zebra quux ant", "a": ["z", "q", "a"]}),
        json!({"w": "hello big", "a": ["x", "b"]}),
    ];
    let folder = folder(&rows);
    fs::write(folder.path().join("first.cook"), template).expect("a file");
    let given = ["first.cook", "rows.jsonl", "--map", "words_=w,first=a", "-o", "out.jsonl"];
    assert_eq!(align(&folder, &given).code, Some(0));
    let scores: Vec<Value> = lines(&folder).iter().map(|line| line["scores"].clone()).collect();
    assert_eq!(scores, [json!({"right": 1.0}), json!({"right": 0.0})]);
}

#[test]
fn what_is_kept_tells_words_apart() {
    let row = [("Joan won, at Orléans", "joan", "joan won")];
    assert_eq!(quoted(&row, &[]), [scores(1.0, 1.0)]);
    assert_eq!(quoted(&row, &["--keep", "case"]), [scores(0.0, 1.0)]);
    assert_eq!(quoted(&row, &["--keep", "punctuation"]), [scores(0.0, 1.0)]);
    let row = [("Joan won at Orléans", "joan", "Orleans")];
    assert_eq!(quoted(&row, &["--keep", "marks,stop-words"]), [scores(0.0, 0.0)]);
    let row = [("Joan won the town", "joan", "joan won town")];
    assert_eq!(quoted(&row, &["--keep", "stop-words"]), [scores(0.0, 1.0)]);
}

#[test]
fn the_chance_lines_are_those_of_other_replies_and_other_spans() {
    let rows: Vec<Value> = (0..40)
        .map(|row| {
            let words: Vec<String> = (0..30).map(|word| format!("w{row}x{word}")).collect();
            let answer = words[4..7].join(" ");
            json!({"text": words.join(" "), "ask": words[5], "answers": [answer]})
        })
        .collect();
    let folder = folder(&rows);
    let map = "document=text,question=ask,answer=answers.0";
    let report = |more: &[&str]| {
        let arguments = [&["quote.cook", "rows.jsonl", "--json", "--map", map], more].concat();
        align(&folder, &arguments).report()
    };
    let first = report(&["-o", "out.jsonl"]);
    assert_eq!(first["alignment"]["mean"], 1.0);
    assert_eq!(first["alignment"]["histogram"][9], 40);
    assert_eq!(first["shuffled"]["mean"], 0.0);
    // Every span is verbatim, and one in ten has the word.
    assert_eq!(
        (&first["part"]["of"], &first["part"]["kind"]),
        (&json!("document"), &json!("span"))
    );
    assert_eq!(first["part"]["rules"]["verbatim"]["mean"], 1.0);
    let on_point = first["part"]["rules"]["on_point"]["mean"].as_f64().expect("a number");
    assert!(on_point < 0.4, "{on_point}");
    assert_eq!(report(&["--threads", "1"]), first);
    assert_ne!(report(&["--seed", "1"])["part"], first["part"]);
    let rows = lines(&folder);
    assert_eq!((rows.len(), &rows[7]["row"], &rows[7]["shuffled"]), (40, &json!(8), &json!(0.0)));
    assert_eq!(report(&["--limit", "3"])["rows"], 3);
}

#[test]
fn a_row_may_be_longer_than_any_sample_and_than_the_memory_of_one() {
    let words: Vec<String> = (0..400_000).map(|word| format!("w{word}")).collect();
    let (document, answer) = (words.join(" "), words[399_000..399_900].join(" "));
    let other = ("a b c d", "b", "b c");
    let rows = [other, (document.as_str(), "w399500", answer.as_str()), other];
    assert_eq!(quoted(&rows, &["--keep", "stop-words"]), vec![scores(1.0, 1.0); 3]);
}

#[test]
fn values_of_every_type_come_from_the_columns_of_their_names() {
    let folder = folder(&[
        json!({"left": 3, "share": 0.5, "names": ["Red!", "x"], "label": true}),
        json!({"left": "7", "share": "0.25", "names": ["blue"], "label": "NO"}),
        json!({"left": 3.0, "share": 0, "names": ["red"], "label": "yes."}),
        json!({"left": 3.5, "share": 0.5, "names": [], "label": "yes"}),
        json!({"left": 1, "share": null, "names": [], "label": "yes"}),
        json!({"left": 1, "share": 0.5, "names": [{}], "label": "yes"}),
    ]);
    let done = align(&folder, &["kinds.cook", "rows.jsonl", "--json", "-o", "out.jsonl"]);
    let report = done.report();
    let means: Vec<Value> = lines(&folder).iter().map(|row| row["score"].clone()).collect();
    assert_eq!(means, [json!(1.0), json!(0.0), json!(0.75), json!(null), json!(null), json!(null)]);
    let why: Vec<(&str, &str, &str)> = report["unscored"]
        .as_array()
        .expect("reasons")
        .iter()
        .map(|why| {
            let text = |key: &str| why[key].as_str().expect("a text");
            (text("value"), text("found"), text("first"))
        })
        .collect();
    let wanted = [
        ("left", "`3.5`", "rows.jsonl line 4"),
        ("share", "null", "rows.jsonl line 5"),
        ("names", "`{}`", "rows.jsonl line 6"),
    ];
    assert_eq!(why, wanted);
    assert_eq!(report["part"], Value::Null);
}

#[test]
fn a_column_of_replies_is_read_as_the_template_writes_them() {
    let folder = folder(&[
        json!({"document": "a b c d", "question": "b", "said": "**B c**"}),
        json!({"document": "a b c d", "question": "b", "said": " \n"}),
        json!({"document": "a b c d", "question": "b", "said": "the of"}),
        json!({"document": "a b c d", "question": "b"}),
    ]);
    let options = ["quote.cook", "rows.jsonl", "--reply", "said", "--json", "-o", "out.jsonl"];
    let report = align(&folder, &options).report();
    let means: Vec<Value> = lines(&folder).iter().map(|row| row["score"].clone()).collect();
    assert_eq!(means, [json!(1.0), json!(0.0), json!(0.0), json!(null)]);
    assert_eq!((&report["unreadable"]["rows"], &report["scored"]), (&json!(2), &json!(3)));
    assert_eq!(report["unscored"][0]["value"], "reply");
}

#[test]
fn a_column_of_replies_may_have_its_answers_in_marks() {
    let said = [
        "<think>Hm.</think> <answer>**b c**</answer>",
        "b c",
        "<answer>b</answer> <answer>c</answer>",
    ];
    let rows = said.map(|said| json!({"document": "a b c d", "question": "c", "said": said}));
    let folder = folder(&rows);
    let options = ["quote.cook", "rows.jsonl", "--reply", "said", "--json", "-o", "out.jsonl"];
    let exact = |answer: &str| {
        align(&folder, &[&options[..], &["--answer", answer]].concat()).report();
        lines(&folder).iter().map(|row| row["exact"] == true).collect::<Vec<_>>()
    };
    assert_eq!(exact("strict"), [false, true, false]);
    assert_eq!(exact("tags"), [true, false, false]);
    assert_eq!(exact("any"), [true, true, false]);
}

#[test]
fn what_cannot_be_aligned_is_said_before_the_first_row() {
    let folder = folder(&[json!({"context": "a b", "question": "b", "answer": "b"})]);
    fs::write(folder.path().join("bare.cook"), "x ~ pick(vocab)\nprompt \"{x}\"\nreply \"{x}\"\n")
        .expect("a file");
    let hidden = "x ~ pick(vocab)\ny ~ pick(vocab)\nz ~ pick([y])\nrule r: z == y\n\
                  prompt \"{x}\"\nreply \"{z}\"\n";
    fs::write(folder.path().join("hidden.cook"), hidden).expect("a file");
    let says = |arguments: &[&str], code: i32, wanted: &str| {
        let done = align(&folder, arguments);
        assert_eq!((done.code, &*done.out), (Some(code), ""), "{}", done.err);
        assert!(done.err.contains(wanted), "{}", done.err);
    };
    let map = |map| ["quote.cook", "rows.jsonl", "--map", map];
    let missing = "the rules need `document`, and rows.jsonl has no column of that name: write \
                   --map document=COLUMN; its columns are `context`, `question`, `answer`";
    says(&["quote.cook", "rows.jsonl"], 1, missing);
    let near = "rows.jsonl has no column `contxt` for `document`: did you mean `context`?";
    says(&map("document=contxt"), 1, near);
    let near = "--map names `docment`, and the rules need no such value: did you mean `document`?";
    says(&map("docment=context"), 1, near);
    says(&map("document=context,document=answer"), 1, "--map has `document` twice: write it once");
    says(&map("document"), 2, "write VALUE=COLUMN, such as document=context");
    let both =
        ["quote.cook", "rows.jsonl", "--map", "document=context,answer=answer", "--reply", "x"];
    says(&both, 1, "`answer` is what the reply says, which --reply reads: leave out --reply");
    says(&["bare.cook", "rows.jsonl", "--map", "x=answer"], 1, "write --reply COLUMN");
    says(&["hidden.cook", "rows.jsonl", "--map", "z=answer"], 1, "a rule depends on `y`, which no");
    let none = "no row of rows.jsonl has a score; the first of 1, rows.jsonl line 1: `document` \
                (`context.0`): expected a text, or texts in an array or object, found nothing";
    says(&map("document=context.0"), 1, none);
    says(&["quote.cook", "none.jsonl"], 1, "there is no file none.jsonl");
    says(
        &["quote.cook", "rows.jsonl", "--keep", "stop-words", "--stop-words", "x"],
        2,
        "leave one",
    );
    assert!(!folder.path().join("out.jsonl").exists());
}

#[test]
fn a_template_without_rules_compares_replies_with_the_rows() {
    let folder =
        folder(&[json!({"x": "Paris", "said": "paris."}), json!({"x": "Paris", "said": "Rome"})]);
    fs::write(folder.path().join("bare.cook"), "x ~ pick(vocab)\nprompt \"{x}\"\nreply \"{x}\"\n")
        .expect("a file");
    let report = align(&folder, &["bare.cook", "rows.jsonl", "--reply", "said", "--json"]).report();
    assert_eq!(report["alignment"]["mean"], 0.5);
}

#[test]
fn a_template_with_sentences_takes_a_text_or_an_array() {
    let template = "\
words_ ~ distinct(6, vocab)
texts  = chunks(3, words_)
answer ~ pick(texts)
rule one: answer in texts
prompt \"{texts}\"
reply \"{answer}\"
";
    let folder = folder(&[
        json!({"texts": "He left. Did Dr. Hill stay? Yes.", "answer": "Did Dr. Hill stay"}),
        json!({"texts": ["He left", "She stayed"], "answer": "she stayed"}),
        json!({"texts": ["He left", "She stayed"], "answer": "she"}),
    ]);
    fs::write(folder.path().join("one.cook"), template).expect("a file");
    let options = ["one.cook", "rows.jsonl", "--json", "--keep", "stop-words"];
    let report = align(&folder, &options).report();
    assert_eq!(report["alignment"]["rules"]["one"]["mean"], 2.0 / 3.0);
    assert_eq!((&report["part"]["kind"], &report["part"]["mean"]), (&json!("one_of"), &json!(1.0)));
}
