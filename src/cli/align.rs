//! `cookc align`: how far other people's data obey a template's rules.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::console::{self, FAINT, STRONG, styled};
use super::options::{self, Format};
use super::progress::Progress;
use super::{Failure, load};
use crate::align::{Align as Aligning, Mean, Report, Tally, shown};
use crate::data::audit::percent;
use crate::data::normalize::{Keep, Normalization};
use crate::data::output::Output;
use crate::data::sink::settings;
use crate::template::{self, Template};

const HELP: &str = r#"Examples:
  cookc align std:answer_overlap squad.jsonl --map document=context,answer=answers.text.0
  cookc align my.cook predictions.parquet --map document=context --reply prediction -o rows.jsonl
  cookc align std:entity_match pairs.jsonl --map verdict=match --json

DATA is a JSONL file, a JSON array, CSV, Parquet, Arrow IPC, or a folder of such files. A value that
--map does not name is in the column of its own name. A path such as answers.text.0 leads into
objects and arrays. A word list is a text, or the texts of an array or an object; a list of word
lists is an array of texts, or the sentences of one; `yes` and `no` may be booleans.

Texts become words as follows; --keep switches a part off. Case is folded, letters lose their marks,
punctuation ends a word and is dropped, English stop words are dropped from lists. Words that the
template does not know are words too: equal words are equal, in each row.

Standard errors take rows as independent, unless --cluster names what several of them share, such as
a document with many questions: then documents are.

Two lines say what chance gives: replies shuffled among some thousands of rows, and a random part of
the value that replies are parts of, as long as the reply. A row without a value, or with one of
another type, is counted and named; a reply that cannot be read scores 0.

With --json the report is {"template", "level", "set", "data", "rows", "scored", "kept": {"case",
"marks", "punctuation", "stop_words"}, "seed", "alignment", "shuffled", "part", "unreadable",
"unscored"}. "alignment", "shuffled" and "part" are {"rows", "clusters", "mean", "standard_error",
"exact", "rules": {rule: {"mean", "standard_error"}}, "histogram": rows in ten bins from 0 to 1};
"part" has "of" and "kind" (span or one_of) too, and is null where no reply is a part of a value.
"unreadable" is null or {"why", "first", "rows"}; "unscored" is a list of {"value", "path",
"expected", "found", "first", "rows"}. -o writes a line a row: {"row", "place", "score",
"scores": {rule: score}, "exact", "unreadable", "unscored", "shuffled", "part"}."#;

/// Score rows of other people's data by the template's rules
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Align {
    #[command(flatten)]
    template: options::Template,
    /// The rows: JSON lines, CSV, Parquet, Arrow, or a folder of such files
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// The column of a value, such as document=context; several with commas, or several times
    #[arg(long, value_name = "VALUE=COLUMN", value_delimiter = ',', value_parser = mapped)]
    map: Vec<(String, String)>,
    /// The column of a model's replies, which are read as the template lays them out
    #[arg(long, value_name = "COLUMN")]
    reply: Option<String>,
    /// What is kept in texts: several with commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    keep: Vec<Kept>,
    /// A file of stop words in place of the English ones
    #[arg(long, value_name = "FILE")]
    stop_words: Option<PathBuf>,
    /// The most rows to read
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Of the shuffled replies and the random parts
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The column of what several rows share, such as context: standard errors of clusters
    #[arg(long, value_name = "COLUMN")]
    cluster: Option<String>,
    /// Write a line a row to this file
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Human-readable text, or JSON for programs
    #[arg(long, default_value = "text")]
    format: Format,
    /// The same as --format json
    #[arg(long)]
    json: bool,
}

/// What may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kept {
    /// Paris and paris are two words
    Case,
    /// é and e are two letters
    Marks,
    /// Only white space ends a word
    Punctuation,
    /// Stop words are words too
    StopWords,
}

/// Scores all rows, then reports.
pub fn run(command: &Align) -> Result<(), Failure> {
    let template = Template::named(&command.template.file)?;
    let choice = &command.template.choice;
    let sampler = load::sampler(&template, choice, options::Engine::Auto)?;
    let align = Aligning {
        data: command.data.clone(),
        map: command.map.clone(),
        reply: command.reply.clone(),
        normalization: normalization(command)?,
        limit: command.limit,
        seed: command.seed,
        cluster: command.cluster.clone(),
    };
    let cancel = options::interrupt()?;
    let mut file =
        command.out.as_deref().map(|out| options::output(out, &command.data)).transpose()?;
    let progress = Progress::counting("aligning", "rows");
    let rules = sampler.rules().to_vec();
    let report = align.run(&sampler, cancel, &mut |rows| {
        progress.add(rows.len() as u64);
        let Some(file) = &mut file else { return Ok(()) };
        let lines: String = rows.iter().map(|row| format!("{}\n", row.json(&rules))).collect();
        Ok(file.put(lines.as_bytes())?)
    })?;
    progress.finish();
    if report.scored() == 0 {
        return Err(none_scored(&align, &report));
    }
    file.map(Output::finish).transpose()?;
    match command.json || command.format == Format::Json {
        true => {
            let set = settings(template.typed(), &choice.set);
            console::data(&format!("{}\n", report.json(&set)))
        }
        false => console::print(&text(&report)),
    }
}

fn normalization(command: &Align) -> Result<Normalization, Failure> {
    let kept = |what| command.keep.contains(&what);
    let keep = Keep {
        case: kept(Kept::Case),
        marks: kept(Kept::Marks),
        punctuation: kept(Kept::Punctuation),
        stop_words: kept(Kept::StopWords),
    };
    match &command.stop_words {
        Some(_) if keep.stop_words => Err(Failure::Usage(
            "--keep stop-words drops none, so --stop-words has no use: leave one out".to_string(),
        )),
        Some(path) => Ok(Normalization::with_stop_words(keep, &template::text_of(path)?)),
        None => Ok(Normalization::new(keep)),
    }
}

fn none_scored(align: &Aligning, report: &Report) -> Failure {
    let data = align.data.display();
    let first = report.unscored().first();
    let why = first.map_or(String::new(), |reason| {
        format!("; the first of {}, {}: {}", report.rows(), reason.place, reason.why)
    });
    Failure::Input(format!("no row of {data} has a score{why}"))
}

/// The tables, and what was left out.
fn text(report: &Report) -> String {
    let part = report.part();
    let mut header = vec!["rule".to_string(), "data".to_string(), "shuffled".to_string()];
    header.extend(part.map(|(place, _)| match place.is_one_of {
        true => format!("one of {}", place.name),
        false => format!("span of {}", place.name),
    }));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = console::table(&header);
    let tallies: Vec<&Tally> =
        [Some(report.own()), Some(report.shuffled()), part.map(|(_, part)| part)]
            .into_iter()
            .flatten()
            .collect();
    let mut row = |name: &str, of: &dyn Fn(&Tally) -> String| {
        let cells = tallies.iter().map(|tally| match tally.rows() {
            0 => "-".to_string(),
            _ => of(tally),
        });
        table.add_row(std::iter::once(name.to_string()).chain(cells));
    };
    for (at, rule) in report.rules().iter().enumerate() {
        row(rule, &|tally| tally.rules().nth(at).map(shown).unwrap_or_default());
    }
    row("mean", &|tally| shown(tally.mean()));
    row("exact", &|tally| percent(tally.exact()));
    row("rows", &|tally| tally.rows().to_string());
    let Mean { mean, error } = report.own().mean();
    let clusters = report.own().clusters();
    let clusters = clusters.map(|count| format!(" in {}", console::count(count, "cluster")));
    let head = format!(
        "{}{}: mean {mean:.4} ± {error:.4}, exact {}",
        console::count(report.scored() as usize, "row"),
        clusters.unwrap_or_default(),
        percent(report.own().exact())
    );
    let mut text = format!("{table}\n{}\n", styled(STRONG, head));
    text += &histogram(report.own());
    if let Some(unread) = report.unreadable() {
        text += &format!(
            "replies that cannot be read, and score 0: {}; the first, {}: {}\n",
            unread.rows, unread.place, unread.why
        );
    }
    for reason in report.unscored() {
        let rows = console::count(reason.rows as usize, "row");
        text += &format!("{rows} without a score; the first, {}: {}\n", reason.place, reason.why);
    }
    text
}

/// A line a bin.
fn histogram(tally: &Tally) -> String {
    const WIDTH: u64 = 40;
    let bins = tally.histogram();
    let most = bins.iter().copied().max().unwrap_or(0).max(1);
    let mut text = String::new();
    for (at, rows) in bins.iter().enumerate() {
        let bar = "█".repeat((rows * WIDTH).div_ceil(most) as usize);
        let end =
            if at + 1 == bins.len() { "1.0]" } else { &format!("{:.1})", (at + 1) as f64 / 10.0) };
        text += &format!("  [{:.1}, {end} {bar} {}\n", at as f64 / 10.0, styled(FAINT, rows));
    }
    text
}

fn mapped(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, column)) if !name.trim().is_empty() && !column.trim().is_empty() => {
            Ok((name.trim().to_string(), column.trim().to_string()))
        }
        _ => Err("write VALUE=COLUMN, such as document=context".to_string()),
    }
}
