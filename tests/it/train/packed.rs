//! Rows of token ids: what a trainer reads is what the tokenizer makes of the samples' texts.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_ipc::reader::StreamReader;
use cookc::model::Tokenizer;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::ids_shapes;

const COUNT: &str = "700";
const LENGTH: usize = 600;
/// What is generated, without its shape.
const ROWS: [&str; 9] =
    ["generate", "std:retrieval", "--level", "easy", "-n", COUNT, "--seed", "3", "-o"];

fn cookc(folder: &Path, threads: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    command.args(arguments).current_dir(folder).env("RAYON_NUM_THREADS", threads);
    command.output().expect("it runs")
}

fn done(folder: &Path, threads: &str, arguments: &[&str]) -> Result<()> {
    let output = cookc(folder, threads, arguments);
    let err = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {err}");
    Ok(())
}

/// What is said where arguments are refused, with exit code 1 or 2.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = cookc(folder, "2", arguments);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// A row as a trainer has it.
#[derive(Debug, PartialEq, Eq)]
struct Packed {
    id: String,
    input_ids: Vec<i32>,
    labels: Vec<i32>,
    position_ids: Vec<i32>,
    seq_lengths: Vec<i32>,
}

fn rows(batch: &RecordBatch) -> Vec<Packed> {
    let column = |name: &str| batch.column_by_name(name).expect("it is there");
    let list = |name: &str, row: usize| -> Vec<i32> {
        let row = column(name).as_list::<i32>().value(row);
        row.as_primitive::<Int32Type>().values().to_vec()
    };
    let row = |row: usize| Packed {
        id: column("id").as_string::<i32>().value(row).to_string(),
        input_ids: list("input_ids", row),
        labels: list("labels", row),
        position_ids: list("position_ids", row),
        seq_lengths: list("seq_lengths", row),
    };
    (0..batch.num_rows()).map(row).collect()
}

fn of_arrow(path: &Path) -> Result<Vec<Packed>> {
    let reader = StreamReader::try_new(File::open(path)?, None)?;
    let features = reader.schema().metadata().get("huggingface").context("features")?.clone();
    ensure!(features.contains("\"input_ids\":{\"feature\":{\"dtype\":\"int32\""), "{features}");
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>()?;
    Ok(batches.iter().flat_map(rows).collect())
}

fn of_parquet(path: &Path) -> Result<Vec<Packed>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()?;
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>()?;
    Ok(batches.iter().flat_map(rows).collect())
}

/// The texts of a file of JSON lines, with their ids.
fn texts(path: &Path) -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(path)?;
    let one = |line: &str| -> Result<(String, String)> {
        let row: Value = serde_json::from_str(line)?;
        let column = |name: &str| row[name].as_str().map(String::from).context("a text");
        Ok((column("id")?, column("text")?))
    };
    text.lines().map(one).collect()
}

#[test]
fn rows_of_ids_are_the_samples_texts_as_the_tokenizer_has_them() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    done(folder, "2", &[&ROWS[..], &["texts.jsonl", "--shape", "text"]].concat())?;
    let texts = texts(&folder.join("texts.jsonl"))?;
    let taught: Vec<String> = texts.iter().map(|(_, text)| text.clone()).collect();
    let shapes = ids_shapes::all(&taught, folder)?;
    let length = LENGTH.to_string();
    let mut tried = 0;
    for shape in shapes.iter().filter(|shape| ["GPT-2", "Gemma", "Unigram"].contains(&shape.name)) {
        shape.ours.save(&folder.join("tokenizer"))?;
        let more = ["--shape", "ids", "--tokenizer", "tokenizer", "--length", &length];
        let write = |out: &str, threads: &str| {
            done(folder, threads, &[&ROWS[..], &[out], &more].concat())?;
            Ok::<_, anyhow::Error>(fs::read(folder.join(out))?)
        };
        assert!(write("one.arrow", "1")? == write("two.arrow", "2")?, "{}", shape.name);
        write("rows.parquet", "2")?;
        let rows = of_arrow(&folder.join("two.arrow"))?;
        assert_eq!(rows, of_parquet(&folder.join("rows.parquet"))?);
        holds(&shape.ours, &rows, &texts).with_context(|| shape.name)?;
        tried += 1;
    }
    assert_eq!(tried, 3);
    Ok(())
}

/// Checks all samples of all rows against their texts.
fn holds(tokenizer: &Tokenizer, rows: &[Packed], texts: &[(String, String)]) -> Result<()> {
    let mut rest = texts.iter();
    for (at, row) in rows.iter().enumerate() {
        ensure!(row.input_ids.len() <= LENGTH, "a row of {} ids", row.input_ids.len());
        let mut start = 0;
        for (number, length) in row.seq_lengths.iter().enumerate() {
            let (id, text) = rest.next().context("more samples than texts")?;
            ensure!(number > 0 || row.id == *id, "{} is not {id}", row.id);
            let own = start..start + *length as usize;
            let mut wanted = tokenizer.opening().to_vec();
            wanted.extend(tokenizer.encode(text)?);
            wanted.push(tokenizer.eos());
            let wanted: Vec<i32> = wanted.iter().map(|id| id.cast_signed()).collect();
            ensure!(row.input_ids[own.clone()] == wanted, "the ids of {id}");
            ensure!(row.position_ids[own.clone()].iter().copied().eq(0..*length), "places of {id}");
            // The reply's ids are learned, with the end, and nothing before them is.
            let labels = &row.labels[own.clone()];
            let read = labels.iter().take_while(|label| **label == -100).count();
            ensure!(labels[read..] == wanted[read..], "the labels of {id}");
            let prompt = text.rfind("Answer:").context("a prompt")? + "Answer:".len();
            let (_, before) = tokenizer.encode_known_to(text, prompt)?;
            ensure!(read == tokenizer.opening().len() + before, "where the reply of {id} begins");
            start = own.end;
        }
        ensure!(start == row.input_ids.len(), "ids of no sample in row {at}");
        // The next sample would not have fitted.
        if let Some(next) = rows.get(at + 1) {
            ensure!(start + next.seq_lengths[0] as usize > LENGTH, "row {at} had room");
        }
    }
    ensure!(rest.next().is_none(), "a sample is missing");
    Ok(())
}

#[test]
fn shards_of_ids_go_on_and_other_rows_are_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let words = ["a text", "of words"].map(String::from);
    ids_shapes::all(&words, folder)?[0].ours.save(&folder.join("tokenizer"))?;
    let ids = ["--shape", "ids", "--tokenizer", "tokenizer", "--shard-size", "300", "--length"];
    let write = |more: &[&'static str]| [&ROWS[..], &["data/"], &ids, more].concat();
    done(folder, "2", &write(&["4000"]))?;
    let shard = folder.join("data/data-00001.arrow");
    let before = fs::read(&shard)?;
    fs::remove_file(&shard)?;
    done(folder, "1", &write(&["4000", "--resume"]))?;
    assert!(fs::read(&shard)? == before);
    let error = refused(folder, &write(&["3000", "--resume"]));
    assert!(error.contains("holds another data set"), "{error}");
    done(folder, "2", &["data", "verify", "data", "--checksums"])?;
    for look in [&["verify", "data"][..], &["show", "data", "1"], &["card", "data"]] {
        let error = refused(folder, &[&["data"], look].concat());
        assert!(error.contains("holds the token ids of several samples"), "{look:?}: {error}");
    }

    // What cannot be is said, with what to write.
    let told = |more: &[&str], says: &str| {
        let error = refused(folder, &[&ROWS[..8], more].concat());
        assert!(error.contains(says), "{error}");
    };
    let ids = ["--shape", "ids", "-o", "new.arrow"];
    told(&ids, "add `--tokenizer MODEL`");
    told(&["--tokenizer", "tokenizer"], "add `--shape ids`");
    told(&["--length", "20"], "add `--shape ids`");
    let all = [&ids[..], &["--tokenizer", "tokenizer"]].concat();
    told(&[&all[..], &["--length", "20"]].concat(), "a row takes 20: write `--length");
    told(&[&all[..], &["--format", "jsonl"]].concat(), "write `--format arrow`");
    told(&[&ids[..], &["--tokenizer", "nowhere"]].concat(), "nowhere");
    assert!(!folder.join("new.arrow").exists());
    Ok(())
}

#[test]
fn rows_of_a_recipes_ids_are_the_samples_of_its_mixture() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let recipe = "[model]\nbase = \"scratch:tiny\"\n[[template]]\nfile = \"std:retrieval\"\n\
                  level = \"easy\"\n[[template]]\nfile = \"std:key_value\"\nlevel = \"easy\"\n\
                  weight = 2.0\n[data]\nvocab = 100\n[train]\nsteps = 10\n";
    fs::write(folder.join("mixed.toml"), recipe)?;
    let rows = ["generate", "mixed.toml", "-n", "200", "-o"];
    done(folder, "2", &[&rows[..], &["texts.jsonl", "--shape", "text"]].concat())?;
    let ids = ["--shape", "ids", "--length", "300"];
    done(folder, "1", &[&rows[..], &["one.arrow"], &ids].concat())?;
    done(folder, "2", &[&rows[..], &["two.arrow"], &ids].concat())?;
    assert!(fs::read(folder.join("one.arrow"))? == fs::read(folder.join("two.arrow"))?);
    let (rows, texts) = (of_arrow(&folder.join("two.arrow"))?, texts(&folder.join("texts.jsonl"))?);
    let all: Vec<i32> = rows.iter().flat_map(|row| row.seq_lengths.clone()).collect();
    assert_eq!(all.len(), texts.len());
    let mut next = 0;
    for row in &rows {
        assert_eq!(row.id, texts[next].0, "the first sample of a row");
        next += row.seq_lengths.len();
    }
    let words = |text: &str| text.split_whitespace().count() as i32;
    for (length, (id, text)) in all.iter().zip(&texts) {
        assert!(*length > words(text), "{id}: {length} ids of {text:?}, and an end");
    }
    let shots = recipe.replace("vocab = 100", "vocab = 100\nshots = 1");
    fs::write(folder.join("mixed.toml"), shots)?;
    let error =
        refused(folder, &["generate", "mixed.toml", "-n", "9", "-o", "a.arrow", "--shape", "ids"]);
    assert!(error.contains("write `shots = 0` in [data]"), "{error}");
    Ok(())
}
