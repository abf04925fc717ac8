//! The options that several commands share.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::{console, report};
use crate::data::output::Output;
use crate::data::{Answer, Split};
use crate::disk;

/// Set by Ctrl-C: loops look at it and end cleanly.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The options of every command.
#[derive(Debug, Args)]
pub struct Common {
    /// When to use colours; NO_COLOR is respected
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    color: Colour,
    /// How many threads to use; the result does not depend on it
    #[arg(long, value_name = "N", global = true)]
    threads: Option<u16>,
}

/// The template of a command, and which of its programs to make.
#[derive(Clone, Debug, Args)]
pub struct Template {
    /// A .cook file, or std:NAME for a template that is built in
    #[arg(value_name = "FILE")]
    pub file: String,
    #[command(flatten)]
    pub choice: Choice,
}

/// Which of a template's programs to make.
#[derive(Clone, Debug, Args)]
pub struct Choice {
    /// A level of the template
    #[arg(long, value_name = "NAME")]
    pub level: Option<String>,
    /// A parameter's value, such as length=128; may come several times
    #[arg(long, value_name = "NAME=NUMBER", value_parser = setting)]
    pub set: Vec<(String, String)>,
    /// The words to draw samples from, a file with one a line [default: 4,096 invented ones]
    #[arg(long, value_name = "FILE")]
    pub vocab: Option<PathBuf>,
    /// How answers are written: strict, bare, tags, boxed, line or any. Prompts ask for tags, boxed
    /// and line, replies have it, and are read in it
    #[arg(long, value_name = "FORM", default_value = "strict", hide_possible_values = true)]
    pub answer: Answer,
}

/// Which samples.
#[derive(Clone, Debug, Args)]
pub struct Samples {
    /// The seed: the same one returns the same bytes
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Which samples: those to train on, or held-out ones, which share no random number with them
    #[arg(long, value_name = "SPLIT", default_value = "train")]
    pub split: Split,
}

/// The two engines, and the choice between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// Step by step, and machine code once that is faster
    Auto,
    /// Machine code
    Native,
    /// Step by step: the meaning, and slower
    Interpreter,
}

/// Human-readable text, or JSON for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Human-readable
    Text,
    /// Machine-readable (JSON): the help of the command says what it holds
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Colour {
    /// On a terminal
    Auto,
    Always,
    Never,
}

impl ValueEnum for Answer {
    fn value_variants<'a>() -> &'a [Answer] {
        &Answer::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.summary()))
    }
}

impl ValueEnum for Split {
    fn value_variants<'a>() -> &'a [Split] {
        &Split::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Split::Train => "To train on",
            Split::Eval => "Held out",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

impl Common {
    /// Sets what holds for the whole process.
    pub fn apply(&self) -> Result<(), Failure> {
        let choice = match self.color {
            Colour::Auto => anstream::ColorChoice::Auto,
            Colour::Always => anstream::ColorChoice::Always,
            Colour::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        let variable = std::env::var(THREADS).ok().and_then(|text| text.trim().parse().ok());
        let (what, asked) = match (self.threads, variable) {
            (Some(0), _) => return Err(Failure::Usage("--threads is at least 1".into())),
            (Some(threads), _) => ("--threads", u64::from(threads)),
            (None, Some(threads)) => (THREADS, threads),
            (None, None) => return Ok(()),
        };
        let most = threads_max();
        if asked > most {
            console::note(&format!(
                "{what} is {asked}; {most} threads are used, the most here: {THREADS_A_CORE} a core"
            ));
        }
        let threads = rayon::ThreadPoolBuilder::new().num_threads(asked.min(most) as usize);
        Ok(threads.build_global().context("cannot start the threads")?)
    }
}

/// What says how many threads there are where no option does.
const THREADS: &str = "RAYON_NUM_THREADS";

/// The most threads for each core: more wait for each other, and each has a memory of its own. The
/// result does not depend on how many there are.
const THREADS_A_CORE: u64 = 8;

fn threads_max() -> u64 {
    THREADS_A_CORE * thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

/// Whether a path names a folder, wherever it is: it ends with a slash.
pub fn is_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last() == Some(&(std::path::MAIN_SEPARATOR as u8))
}

/// The output of a command: a file or, by `-`, standard output. It is not what the command reads.
pub fn output(out: &Path, input: &Path) -> Result<Output, Failure> {
    if out == Path::new("-") {
        return Ok(Output::stream(std::io::stdout(), "standard output"));
    }
    expect_other(out, input)?;
    Ok(Output::file(out)?)
}

/// Fails if a command would write into the file that it reads.
pub fn expect_other(out: &Path, input: &Path) -> Result<(), Failure> {
    let whole = |path: &Path| path.canonicalize().ok();
    if let (Some(own), Some(read)) = (whole(out), whole(input))
        && own == read
        && own.is_file()
    {
        let name = out.display();
        return Err(Failure::Input(format!("{name} is what is read: write into another file")));
    }
    Ok(())
}

/// Makes the folder of a command's results, so that what cannot be written is said before the work.
pub fn folder(out: &Path) -> Result<(), Failure> {
    let cannot_write = || format!("cannot write {}", out.display());
    if out.exists() && !out.is_dir() {
        return Err(Failure::Input(format!("{} is a file: name a folder", out.display())));
    }
    std::fs::create_dir_all(out).with_context(cannot_write)?;
    disk::sweep(out);
    // It is removed with this line.
    tempfile::tempfile_in(out).with_context(cannot_write)?;
    Ok(())
}

/// The command that started this process, where it is not this program's own executable: an
/// interpreter that has it as a module. With it, more of them are started.
static STARTED_BY: OnceLock<Vec<OsString>> = OnceLock::new();

/// Says how this process was started, with all arguments; the first call counts.
pub fn started_by(command: Vec<OsString>) {
    let _ = STARTED_BY.set(command);
}

/// The command that starts another process like this one.
pub fn again() -> io::Result<Command> {
    let own = || -> io::Result<Vec<OsString>> {
        let arguments = std::env::args_os().skip(1);
        Ok([std::env::current_exe()?.into_os_string()].into_iter().chain(arguments).collect())
    };
    let all = STARTED_BY.get().cloned().map_or_else(own, Ok)?;
    let mut all = all.into_iter();
    let mut command = Command::new(all.next().unwrap_or_default());
    command.args(all);
    Ok(command)
}

/// The flag that Ctrl-C sets once it is watched for.
pub fn interrupt_flag() -> &'static AtomicBool {
    &INTERRUPTED
}

/// A flag that Ctrl-C sets from now on. The second Ctrl-C ends the process at once.
pub fn interrupt() -> Result<&'static AtomicBool, Failure> {
    watch_for_interrupt(|| {})
}

/// The same for a command of which nothing may be left half-written: what does not look at the
/// flag in time, such as one sample that takes long, is ended with the process.
pub fn interrupt_soon() -> Result<&'static AtomicBool, Failure> {
    watch_for_interrupt(|| {
        thread::spawn(|| {
            let since = Instant::now();
            while since.elapsed() < GRACE {
                thread::park_timeout(GRACE);
            }
            std::process::exit(i32::from(report::report(&Failure::Interrupted)));
        });
    })
}

/// How long a command may take to end by itself.
const GRACE: Duration = Duration::from_secs(2);

fn watch_for_interrupt(then: fn()) -> Result<&'static AtomicBool, Failure> {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if WATCHED.swap(true, Ordering::Relaxed) {
        return Ok(&INTERRUPTED);
    }
    let set = move || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        then();
    };
    ctrlc::set_handler(set).context("cannot watch for Ctrl-C")?;
    Ok(&INTERRUPTED)
}

/// A setting as options write it.
pub fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            Ok((name.trim().to_string(), value.trim().to_string()))
        }
        _ => Err("write NAME=NUMBER, such as length=128".to_string()),
    }
}
