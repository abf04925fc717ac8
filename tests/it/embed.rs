//! The front door in bulk: rows, batches of Arrow's and scores of many replies, and a template that
//! is made again elsewhere.

use std::sync::atomic::AtomicBool;

use assert_cmd::Command;
use cookc::data::Observer;
use cookc::data::sink::{SHAPES, Shape};
use cookc::{Error, Sampler, Split, Template};

fn compiled(template: Result<Template, Error>) -> Sampler {
    let sampler = template.and_then(|template| template.compile());
    sampler.unwrap_or_else(|error| panic!("{error}"))
}

fn failing() -> Sampler {
    let text = "n ~ uniform(0..3)\nm = 6 / n\nprompt \"{n}\"\nreply \"{m}\"\n";
    compiled(Template::parse("zero.cook", text))
}

#[test]
fn the_lines_of_every_shape_are_those_that_the_command_line_writes() {
    let sampler = compiled(Template::builtin("retrieval"));
    for shape in SHAPES {
        let out = Command::cargo_bin("cookc")
            .expect("it is built")
            .args(["generate", "std:retrieval", "-n", "300", "--first", "5", "--seed", "9"])
            .args(["--split", "eval", "--shape", shape.name])
            .output()
            .expect("it runs");
        let rows = sampler.rows(Split::Eval, 9, shape);
        let lines = rows.lines(5..305, &Observer::none()).expect("rows");
        assert_eq!(lines, out.stdout, "{}", shape.name);
        assert_eq!(
            rows.line(5).expect("a row"),
            lines.split_inclusive(|&b| b == b'\n').next().unwrap_or_default()
        );
    }
}

#[cfg(feature = "arrow")]
#[test]
fn a_batch_of_many_blocks_has_the_rows_of_every_shape() {
    let text = "words_ ~ distinct(2, vocab)\nfirst = at(0, words_)\n\
                rule begins: first == at(0, words_)\nsystem \"The first.\"\nprompt \"{words_}\"\nreply \"{first}\"\n";
    let sampler = compiled(Template::parse("first.cook", text));
    // More than the samples of a block.
    let count = 10_000;
    for shape in SHAPES {
        let rows = sampler.rows(Split::Train, 3, shape);
        let batch = rows.batch(7..7 + count, &Observer::none()).expect("a batch");
        assert_eq!((batch.num_rows() as u64, batch.schema()), (count, rows.arrow_schema()));
        let one = rows.batch(7 + count - 1..7 + count, &Observer::none()).expect("a batch");
        assert_eq!(batch.slice(count as usize - 1, 1), one, "{}", shape.name);
    }
    let none = sampler.batch(Split::Train, 3, 0..0).expect("a batch");
    assert_eq!((none.num_rows(), none.num_columns()), (0, 11));
}

#[test]
fn many_replies_are_scored_as_one_by_one() {
    let sampler = compiled(Template::builtin("retrieval"));
    let reply = |index: u64, at: u64| match at % 3 {
        0 => sampler.sample(Split::Eval, 1, index).expect("one").reply,
        1 => "a guess".to_string(),
        _ => sampler.sample(Split::Eval, 1, index + 1).expect("one").reply,
    };
    // Two to a sample, one after the other.
    let replies = (0..500).rev().map(|at| (at / 2, reply(at / 2, at)));
    let replies: Vec<(u64, String)> = replies.collect();
    let scores = sampler.score_many(Split::Eval, 1, &replies, &Observer::none()).expect("scores");
    for ((index, reply), score) in replies.iter().zip(&scores) {
        assert_eq!(*score, sampler.score(Split::Eval, 1, *index, reply).expect("a score"));
    }
    assert_eq!(scores.len(), 500);
    assert!(scores.iter().filter(|score| score.exact()).count() >= 166);
}

#[test]
fn the_first_sample_that_cannot_be_drawn_is_the_error_of_many() {
    let sampler = failing();
    let first = (0..).find(|&index| sampler.sample(Split::Train, 0, index).is_err());
    let replies: Vec<(u64, &str)> = (0..300).map(|index| (index, "1")).collect();
    let scored = sampler.score_many(Split::Train, 0, &replies, &Observer::none());
    let lines = sampler.rows(Split::Train, 0, &SHAPES[0]).lines(0..300, &Observer::none());
    for failed in [scored.err(), lines.err()] {
        let Some(Error::Sample { key, .. }) = &failed else { panic!("{failed:?}") };
        assert_eq!(Some(key.index), first);
    }
}

#[test]
fn work_in_bulk_can_be_stopped() {
    let sampler = compiled(Template::builtin("retrieval"));
    let cancel = AtomicBool::new(true);
    let observer = Observer { cancel: &cancel, event: &|_| {} };
    let scored = sampler.score_many(Split::Train, 0, &[(0, "")], &observer);
    let lines = sampler.rows(Split::Train, 0, &SHAPES[0]).lines(0..300, &observer);
    assert!(matches!(scored, Err(Error::Cancelled)) && matches!(lines, Err(Error::Cancelled)));
}

#[test]
fn a_template_is_made_again_from_its_text_and_the_files_that_it_uses() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("animals.txt", "cat\ndog\nowl\n").expect("a file");
    write("last.cook", "/// The last.\nfn last(xs: [T]) -> T = at(size(xs) - 1, xs)\n")
        .expect("a file");
    let text = "use last: last\nwords animals = \"animals.txt\"\nxs ~ distinct(3, animals)\n\
                y = last(xs)\nprompt \"{xs}\"\nreply \"{y}\"\n";
    write("zoo.cook", text).expect("a file");
    let path = folder.path().join("zoo.cook");
    let template = Template::open(&path).unwrap_or_else(|error| panic!("{error}"));
    drop(folder);
    let names: Vec<&str> = template.files().iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let source = template.source();
    let again = Template::parse_with(&source.name, &source.text, template.files());
    let [one, other] = [Ok(template), again].map(compiled);
    assert_eq!(one.id(Split::Train, 5, 8), other.id(Split::Train, 5, 8));
    assert_eq!(one.sample(Split::Train, 5, 8).ok(), other.sample(Split::Train, 5, 8).ok());
    let error = Template::parse_with("zoo.cook", text, &[]).expect_err("an error").to_string();
    assert!(error.contains("it was not given"), "{error}");
}

#[test]
fn a_shape_and_a_split_are_found_by_name_or_a_near_miss_is_told() {
    assert_eq!(Shape::named("verl").map(|shape| shape.name), Ok("verl"));
    let error = Shape::named("mesages").err().unwrap_or_default();
    assert_eq!(error, "there is no shape `mesages`: write `messages`");
    assert!(Shape::named("xml").is_err_and(|error| error.contains("there are full, prompt-")));
    let error = "tain".parse::<Split>().err().unwrap_or_default();
    assert_eq!(error, "there is no split `tain`: write `train` or `eval`");
}
