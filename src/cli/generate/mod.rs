//! `cookc generate`: the data, in parallel and in order.

pub mod dry;

use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::console;
use super::failure::Failure;
use super::load;
use super::options::{self, Engine};
use super::progress::Progress;
use crate::Vocabulary;
use crate::data::generate::Stopped;
use crate::data::output::Output;
use crate::data::shards::{Refused, Shards};
use crate::data::single::Single;
use crate::data::sink::{FORMATS, Format, IDS, SHAPES, Schema, Shape, settings};
use crate::data::{Observer, Origin, Split};
use crate::diagnostic::near_miss;
use crate::template::{self, Template};

const HELP: &str = r#"Examples:
  cookc generate std:retrieval -n 1000 -o train.jsonl
  cookc generate std:retrieval -n 1000 -o train.parquet --shape messages
  cookc generate std:retrieval -n 200 -o held_out.jsonl --split eval
  cookc generate my.cook -n 10 --level hard --set length=128 | jq .prompt
  cookc generate my.toml -n 1000 -o mixed.jsonl    the mixture of a recipe, as it is trained on
  cookc generate std:retrieval -n 1000 -o ids.arrow --shape ids --tokenizer models/SmolLM2
  cookc generate std:retrieval -n 9000000 -o data/ --dry-run   how large, how long, which files
  cookc generate std:retrieval -n 9000000 -o data.jsonl --resume    goes on after a kill
  cookc generate std:retrieval -n 9000000 -o data/ --resume    a folder of files, or what it lacks
  cookc generate std:retrieval -n 9000000 -o data/ --shard $SLURM_ARRAY_TASK_ID/16 --resume

The file's ending says how rows are written: .jsonl, .parquet, .arrow or .tar (WebDataset), and
.jsonl.zst or .jsonl.gz compressed. --shape says what a row has; each begins with "id", which tells
its sample from all others: "TEMPLATE/DIGEST/SPLIT/SEED/INDEX". The shape full is {"id", "template",
"level", "set", "split", "seed", "index", "system" (if a template has one), "prompt", "reply",
"fields"}. "set" is what --set sets, such as "length=128 quote=4". "fields" is the text of a JSON
object of the shown values: a list of words is one text, any other list an array.
docs/commands/generate.md has the columns of the other shapes. Rows of --shape ids hold consecutive
samples as the ids that --tokenizer makes of their texts, as many as fit into --length and none of
them cut; a recipe's are by its own model. The same seed returns the same bytes
on any machine, with any number of threads, in either engine.

A file gets its name when it is complete. After a kill, --resume goes on after the rows that lie
beside it: of .jsonl, compressed or not, and of .tar. A single .parquet or .arrow starts again.
Where -o is a folder (it is one, its name ends with /, or --shard-size or --shard is there), the
rows go into files of --shard-size rows, and cookc.json says which there are, with their BLAKE3
checksums: after a kill, --resume writes the others, in any format. --shard I/N writes every Nth
file, beside other processes on any machines; the files are the same however many write them."#;

/// Generate a data set, in the shape that a trainer reads
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Generate {
    #[command(flatten)]
    pub template: options::Template,
    /// The seed: the same one gives the same bytes [default: 0, or that of the recipe]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Which samples: those to train on, or held-out ones, which share no random number with them
    #[arg(long, value_name = "SPLIT", default_value = "train")]
    pub split: Split,
    /// How many samples
    #[arg(short = 'n', long = "samples", visible_alias = "count", value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub count: u64,
    /// The index of the first sample
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub first: u64,
    /// The file to write; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,
    /// What a row has, for which trainer
    #[arg(long, default_value = SHAPES[0].name, value_parser = shapes())]
    pub shape: &'static Shape,
    /// The tokenizer of --shape ids: a model's folder, or a .gguf file
    #[arg(long, value_name = "MODEL")]
    pub tokenizer: Option<PathBuf>,
    /// The most ids of a row of --shape ids [default: 2048]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    pub length: Option<u32>,
    /// How rows are written [default: by the file's ending]
    #[arg(long, value_parser = formats())]
    pub format: Option<Format>,
    /// Rows of a file, where -o is a folder of files (shards) [default: 65536]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub shard_size: Option<u64>,
    /// Write every Nth file of the folder, from the Ith on, such as 0/4: one of N processes
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<(u64, u64)>,
    /// Write what a stopped run has left out: files of the folder, or the rest of a file
    #[arg(long)]
    pub resume: bool,
    /// Write nothing: say what would be written where, its size, the seconds, and how many prompts
    /// can differ
    #[arg(long)]
    pub dry_run: bool,
    /// What runs the template
    #[arg(long, default_value = "auto")]
    pub engine: Engine,
}

/// Rows of a shard unless the user says otherwise.
const SHARD_SIZE: u64 = 1 << 16;
/// Ids of a row unless the user says otherwise.
const LENGTH: u32 = 2048;

/// A data set to write.
pub struct Job {
    /// What tells it from all others.
    pub of: String,
    /// How rows are written.
    pub format: Format,
    /// What it is made from.
    pub made: Option<Origin>,
}

/// Writes some rows to an output, and returns how many bytes they have.
pub type Write<'a> = &'a mut dyn FnMut(Range<u64>, Output) -> Result<u64, Stopped>;

impl Generate {
    /// Whether it is a recipe that is named, and no template.
    pub fn is_of_recipe(&self) -> bool {
        Path::new(&self.template.file).extension().is_some_and(|end| end == "toml")
    }

    /// Fails if the index after the last sample does not fit into 64 bits, or what is said of
    /// files is said of standard output.
    pub fn expect_rows(&self) -> Result<(), Failure> {
        let end = self.first.checked_add(self.count);
        let why = || Failure::Usage("--first and -n together do not fit into 64 bits".into());
        end.ok_or_else(why)?;
        let of_ids =
            [("--tokenizer", self.tokenizer.is_some()), ("--length", self.length.is_some())];
        if let Some((option, _)) =
            of_ids.iter().find(|(_, is_there)| *is_there && !self.is_of_ids())
        {
            return Err(Failure::Usage(format!("{option} is for rows of ids: add `--shape ids`")));
        }
        let why = match (self.is_sharded(), self.resume) {
            (true, _) => {
                "--shard and --shard-size are for a folder of files: name one, such as \
                          `-o data/`"
            }
            (false, true) => {
                "--resume is for a file, or a folder of files: name one, such as \
                              `-o data.jsonl`"
            }
            (false, false) => return Ok(()),
        };
        match self.out == Path::new("-") {
            true => Err(Failure::Usage(why.to_string())),
            false => Ok(()),
        }
    }

    /// How rows are written: as is asked for, or as the file's ending says.
    pub fn format(&self) -> Result<Format, Failure> {
        let to_stdout = self.out == Path::new("-");
        let name = self.out.file_name().unwrap_or_default().to_string_lossy();
        let format = match (self.format, name.split_once('.')) {
            (Some(format), _) => format,
            _ if self.is_sharded() => self.default_format(),
            (None, None) => self.default_format(),
            (None, Some((_, endings))) => {
                Format::of_name(&name).ok_or_else(|| no_format(&self.out, endings))?
            }
        };
        if self.is_of_ids() && !format.has_ids {
            return Err(Failure::Usage(format!(
                "rows of ids are columns of numbers, and {} is none: write `--format arrow`, or \
                 `parquet`",
                format.name
            )));
        }
        if self.resume && !self.is_sharded() && !format.goes_on {
            return Err(Failure::Usage(format!(
                "a single file of {} starts again: leave out `--resume`, or write a folder of \
                 files, such as `-o data/ --format {} --shard-size {SHARD_SIZE} --resume`",
                format.name, format.name
            )));
        }
        match format.is_text || !to_stdout {
            true => Ok(format),
            false => Err(Failure::Usage(format!(
                "{} is no text for standard output: name a file, such as `-o data.{}`",
                format.name, format.endings[0]
            ))),
        }
    }

    /// Where nothing says how rows are written.
    fn default_format(&self) -> Format {
        let of_ids = || FORMATS.iter().rfind(|format| format.has_ids);
        *self.is_of_ids().then(of_ids).flatten().unwrap_or(&FORMATS[0])
    }

    /// Whether rows are of ids.
    pub fn is_of_ids(&self) -> bool {
        self.shape.name == IDS.name
    }

    /// The most ids of a row.
    pub fn length(&self) -> usize {
        self.length.unwrap_or(LENGTH) as usize
    }

    /// Whether the output is a folder of files.
    fn is_sharded(&self) -> bool {
        let is_asked = self.shard_size.is_some() || self.shard.is_some();
        is_asked || options::is_folder(&self.out) || self.out.is_dir()
    }

    /// Writes all rows into the file, or into the folder's files; returns how many of them were
    /// written, and their bytes.
    pub fn put(
        &self,
        job: Job,
        write: Write,
        observer: &Observer,
        stopped: &dyn Fn(Stopped) -> Failure,
    ) -> Result<[u64; 2], Failure> {
        let input = Path::new(&self.template.file);
        let single = self.single(job.of.clone());
        let written = match (self.is_sharded(), self.out == Path::new("-")) {
            (true, _) => self.shards(job).write(self.resume, write, observer),
            (false, true) => {
                let output = options::output(&self.out, input)?;
                return write(self.rows(), output)
                    .map(|bytes| [self.count, bytes])
                    .map_err(stopped);
            }
            (false, false) => {
                options::expect_other(&self.out, input)?;
                single.write(self.resume, write, observer)
            }
        };
        match written {
            Ok(written) => {
                if written.rows_before > 0 {
                    console::note(&format!("{} samples were there before", written.rows_before));
                }
                Ok([written.rows, written.bytes])
            }
            Err(Refused::Taken(why)) => Err(Failure::Input(why)),
            Err(Refused::Stopped(why)) => {
                self.say_what_stays(&single, &why);
                Err(stopped(why))
            }
        }
    }

    /// Says what a run that was stopped leaves to the next.
    fn say_what_stays(&self, single: &Single, why: &Stopped) {
        let out = self.out.display();
        let kept = match (self.is_sharded(), why) {
            (true, Stopped::Cancelled) => "keeps the files that are complete".to_string(),
            (false, Stopped::Cancelled | Stopped::Output(_)) => match single.rows_there() {
                Err(_) | Ok(0) => return,
                Ok(rows) => format!(
                    "is not complete, and {} are kept",
                    console::count(rows as usize, "row")
                ),
            },
            _ => return,
        };
        console::note(&format!("{out} {kept}: add `--resume` to go on"));
    }

    /// The indices of the rows.
    fn rows(&self) -> Range<u64> {
        self.first..self.first + self.count
    }

    /// The file.
    fn single(&self, of: String) -> Single {
        Single { path: self.out.clone(), of, rows: self.rows() }
    }

    /// The folder of files.
    fn shards(&self, job: Job) -> Shards {
        Shards {
            folder: self.out.clone(),
            of: job.of,
            ending: job.format.endings[0],
            rows: self.rows(),
            size: self.shard_size.unwrap_or(SHARD_SIZE),
            part: self.shard.unwrap_or((0, 1)),
            made: job.made,
        }
    }

    /// The rows that this process writes, if none of them are there.
    pub fn row_count(&self) -> u64 {
        match self.is_sharded() {
            true => {
                let job = Job { of: String::new(), format: FORMATS[0], made: None };
                self.shards(job).row_count()
            }
            false => self.count,
        }
    }

    /// Says how much was written, and how long it took.
    pub fn report(&self, [count, bytes]: [u64; 2], seconds: f64) {
        let (megabytes, out) = (bytes as f64 / 1e6, self.out.display());
        console::note(&format!("{count} samples, {megabytes:.1} MB, {seconds:.2} s: {out}"));
    }
}

/// The error of a file whose ending says no format.
fn no_format(out: &Path, endings: &str) -> Failure {
    let ending = endings.rsplit('.').next().unwrap_or(endings);
    let all: Vec<&str> = FORMATS.iter().flat_map(|format| format.endings).copied().collect();
    let write = match near_miss(ending, all.iter().copied()) {
        Some(near) => format!("write `.{near}`"),
        None => format!("end it with .{}, or add `--format jsonl`", all.join(", .")),
    };
    Failure::Usage(format!("{}: no format has the ending .{ending}: {write}", out.display()))
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let both = text.split_once('/').and_then(|(part, of)| number(part).zip(number(of)));
    match both {
        Some((part, of)) if part < of => Ok((part, of)),
        Some((part, of)) if of > 0 => Err(format!(
            "{part} is none of {of}: they are counted from 0, so the last is {}/{of}",
            of - 1
        )),
        _ => Err("write I/N, such as 0/4".to_string()),
    }
}

fn shapes() -> impl TypedValueParser<Value = &'static Shape> {
    let all = || SHAPES.iter().chain([&IDS]);
    let names = all().map(|one| PossibleValue::new(one.name).help(one.about));
    PossibleValuesParser::new(names).map(move |name| {
        let is_it = |one: &&Shape| one.name == name;
        all().find(is_it).expect("only the names of shapes are taken")
    })
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let names = FORMATS.iter().map(|one| PossibleValue::new(one.name).help(one.about));
    PossibleValuesParser::new(names).map(|name| {
        let is_it = |one: &&Format| one.name == name;
        *FORMATS.iter().find(is_it).expect("only the names of formats are taken")
    })
}

/// Writes the data set, and reports how much it is and how long it took.
pub fn run(command: &Generate) -> Result<(), Failure> {
    command.expect_rows()?;
    let template = Template::named(&command.template.file)?;
    let words = command.template.choice.vocab.as_deref();
    write(command, &template, words.map(template::text_of).transpose()?, None)
}

/// The same of this template, whatever file the command names; with the words of this text. `made`
/// is what it is made from, where the template's own files are not there.
pub fn write(
    command: &Generate,
    template: &Template,
    words: Option<String>,
    made: Option<Origin>,
) -> Result<(), Failure> {
    let choice = &command.template.choice;
    let vocabulary = match &words {
        Some(text) => Vocabulary::parse(text).map_err(|why| {
            let name = choice.vocab.as_deref().unwrap_or(Path::new("the words"));
            Failure::Input(format!("{}: {why}", name.display()))
        })?,
        None => Vocabulary::embedded(),
    };
    let sampler = load::with_words(template, choice, command.engine, vocabulary)?.inner().clone();
    let cancel = options::interrupt_soon()?;
    let to_stdout = command.out == Path::new("-");
    let format = command.format()?;
    let (seed, split) = (command.seed.unwrap_or(0), command.split);
    let set = settings(template.typed(), &choice.set);
    let program = sampler.program().clone();
    let ids = super::ids_of(command, &sampler)?;
    let schema = Schema { shape: command.shape, ids, ..Schema::one(sampler, set, split, seed) };
    let progress = Progress::writing(command.row_count(), &program.name);
    let observer = Observer { cancel, event: &|event| progress.follow(event) };
    let mut write =
        |rows: Range<u64>, output| format.write(&schema, &rows.into(), output, &observer);
    let stopped = |stopped| load::stopped(template, &program, seed, stopped);
    let level = choice.level.as_deref();
    let rows = (schema.shape.name, format.name);
    let origin = || Origin {
        answer: choice.answer.asked().map(String::from),
        ..template.origin(level, &choice.set, words.as_deref(), (split, seed), rows)
    };
    // What a manifest holds has no tokenizer.
    let made = schema.ids.is_none().then(|| made.unwrap_or_else(origin));
    let job = Job { of: schema.text(format.name), format, made };
    if command.dry_run {
        return dry::print(command, job, (&program.name, &schema.templates), &mut write, &stopped);
    }
    let done = command.put(job, &mut write, &observer, &stopped);
    progress.finish();
    let done = done?;
    if !to_stdout {
        command.report(done, progress.seconds());
    }
    Ok(())
}
