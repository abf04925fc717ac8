//! `cookc data decontaminate`: rows that overlap with other data, and a data set without them.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::cli::console::{self, BAD, STRONG, styled};
use crate::cli::progress::Progress;
use crate::cli::{Failure, options};
use crate::datasets::decontaminate::{Against, Observer, Options, Overlap};
use crate::template::Error;

const HELP: &str = r#"Examples:
  cookc data decontaminate train.jsonl --against gsm8k.jsonl mmlu.parquet
  cookc data decontaminate train.parquet --against eval/ -o clean.jsonl
  cookc data decontaminate train.jsonl --against squad.jsonl --against-text context,question --json

Both sides are JSONL (compressed too), Parquet, Arrow, WebDataset, or folders of such files. The
text of a row is its prompt and reply, found in the columns of every --shape, or all texts in it;
--text and --against-text name the columns.

A row overlaps if it has --ngram consecutive words of the other data (Brown et al. 2020, appendix C:
13 words, lowercase, without punctuation), or if it is nearly a row of it: the Jaccard similarity of
their sets of 5 consecutive words is --threshold or more. MinHash of 128 minima finds the
candidates, and the exact similarity decides. Rows of fewer words are compared as one piece. N-grams
in more than --common rows are ignored, as phrases that the task repeats.

Exit codes: 0 if no row overlaps or the clean rows were written, 1 if rows overlap. With --json:
{"rows", "clean", "against": its rows, "common": n-grams that were ignored, "ngram" and "near": rows
that overlap so, "overlaps": [{"row": from 0, "place", "ngram": {"against", "text", "words"} or
null, "near": {"against", "jaccard"} or null}]}."#;

/// Find rows that overlap with other data, and leave them out
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Decontaminate {
    /// The rows: a file or a folder
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// The other data: files or folders
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    against: Vec<PathBuf>,
    /// Write the rows that do not overlap, as JSON lines
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Words that are an overlap
    #[arg(long, value_name = "N", default_value_t = 13)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    ngram: u16,
    /// The similarity from which on rows are near-duplicates, above 0 and at most 1
    #[arg(long, value_name = "JACCARD", default_value_t = 0.8, value_parser = threshold)]
    threshold: f64,
    /// N-grams in more rows than this are ignored
    #[arg(long, value_name = "ROWS", default_value_t = 10)]
    common: u64,
    /// The columns of the rows' text, such as question or answers.0; several with commas
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    text: Vec<String>,
    /// The same of the other data
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    against_text: Vec<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
struct Found {
    rows: u64,
    against: u64,
    common: usize,
    overlaps: Vec<Overlap>,
}

/// Compares, writes the clean rows, and reports.
pub fn run(command: &Decontaminate) -> Result<(), Failure> {
    let mut out = command.out.as_deref().map(|out| output(out, &command.data)).transpose()?;
    let cancel = options::interrupt()?;
    let options = Options {
        ngram: usize::from(command.ngram),
        threshold: command.threshold,
        common: command.common,
        columns: command.text.clone(),
        against_columns: command.against_text.clone(),
    };
    let progress = Progress::counting("comparing", "rows");
    let observer = Observer { cancel, rows: &|rows| progress.add(rows) };
    let against = Against::read(&command.against, options, observer)?;
    let common = against.common(&command.data, observer)?;
    let mut found =
        Found { rows: 0, against: against.rows(), common: common.len(), overlaps: Vec::new() };
    against.compare(&command.data, &common, observer, &mut |row, overlap| {
        found.rows += 1;
        match (overlap, &mut out) {
            (Some(overlap), _) => found.overlaps.push(overlap),
            (None, Some(out)) => {
                let line = serde_json::to_string(row).expect("what was read as JSON is JSON");
                out.put((line + "\n").as_bytes()).map_err(Error::Failed)?;
            }
            (None, None) => {}
        }
        Ok(())
    })?;
    progress.finish();
    let is_written = out.is_some();
    if let Some(out) = out {
        out.finish()?;
    }
    match command.json {
        true => console::data(&format!("{}\n", found.json()))?,
        false => console::print(&found.text(command))?,
    }
    match found.overlaps.len() {
        count if count > 0 && !is_written => Err(Failure::Input(format!(
            "{}: {} with the other data; `-o clean.jsonl` writes the others",
            command.data.display(),
            if count == 1 { "1 row overlaps".into() } else { format!("{count} rows overlap") },
        ))),
        _ => Ok(()),
    }
}

/// The file of the clean rows.
fn output(out: &Path, data: &Path) -> Result<crate::data::output::Output, Failure> {
    let is_lines = out.extension().is_some_and(|end| end == "jsonl" || end == "ndjson");
    match is_lines {
        true => options::output(out, data),
        false => Err(Failure::Usage(format!(
            "{}: the rows are written as JSON lines: name a file that ends with .jsonl",
            out.display()
        ))),
    }
}

fn threshold(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= 1.0);
    number.ok_or_else(|| "write a number above 0 and at most 1, such as 0.8".to_string())
}

/// The most rows that are shown one by one.
const SHOWN: usize = 10;
/// The most characters of a text that overlaps.
const TEXT_MAX: usize = 120;

impl Found {
    fn of(&self, is_it: impl Fn(&&Overlap) -> bool) -> usize {
        self.overlaps.iter().filter(is_it).count()
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "rows": self.rows, "clean": self.rows - self.overlaps.len() as u64,
            "against": self.against, "common": self.common,
            "ngram": self.of(|one| one.ngram.is_some()), "near": self.of(|one| one.near.is_some()),
            "overlaps": self.overlaps.iter().map(Overlap::json).collect::<Vec<_>>(),
        })
    }

    fn text(&self, command: &Decontaminate) -> String {
        let (rows, count) = (self.rows, self.overlaps.len());
        let mut text = format!("{count} of {rows} rows overlap with {} others: ", self.against);
        let (ngram, near) = (self.of(|one| one.ngram.is_some()), self.of(|one| one.near.is_some()));
        text += &format!("{ngram} in {} words, {near} nearly the same\n", command.ngram);
        if self.common > 0 {
            let (common, most) = (self.common, command.common);
            text += &format!("{common} n-grams in more than {most} rows were ignored\n");
        }
        for overlap in self.overlaps.iter().take(SHOWN) {
            let Overlap { place, ngram, near, .. } = overlap;
            text += &styled(STRONG, place).to_string();
            if let Some(near) = near {
                text += &format!(" is {:.0}% of {}", 100.0 * near.jaccard, near.against);
            }
            text.push('\n');
            if let Some(ngram) = ngram {
                let shown: String = ngram.text.chars().take(TEXT_MAX).collect();
                let shown = shown.replace('\n', " ⏎ ");
                let more = if ngram.text.chars().count() > TEXT_MAX { "…" } else { "" };
                text += &format!(
                    "  {} words of {}: {}\n",
                    ngram.words,
                    ngram.against,
                    styled(BAD, format!("{shown}{more}"))
                );
            }
        }
        if count > SHOWN {
            text += &format!("and {} more; --json has all\n", count - SHOWN);
        }
        if let Some(out) = &command.out {
            text += &format!("{} rows: {}\n", rows - count as u64, out.display());
        }
        text
    }
}
