//! The command line: one file a command.

#[cfg(feature = "arrow")]
mod align;
mod bench;
#[cfg(feature = "train")]
mod chat;
mod check;
mod completions;
mod console;
#[cfg(feature = "arrow")]
mod data;
mod doc;
#[cfg(feature = "train")]
mod eval;
mod explain;
#[cfg(feature = "train")]
mod export;
mod failure;
mod fmt;
mod generate;
mod grow;
mod inspect;
mod judge;
mod list;
mod load;
#[cfg(feature = "lsp")]
mod lsp;
#[cfg(feature = "train")]
mod merge;
#[cfg(feature = "train")]
mod mix;
#[cfg(feature = "train")]
mod mixed;
mod new;
mod options;
mod progress;
#[cfg(feature = "train")]
mod reading;
mod report;
#[cfg(feature = "train")]
mod run;
mod sample;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "train")]
mod study;
#[cfg(feature = "train")]
mod synth;
mod test;
#[cfg(feature = "train")]
mod token_ids;
#[cfg(feature = "train")]
mod typed;
#[cfg(feature = "train")]
mod weights;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::data::Sampler;
use crate::data::sink::Ids;
use crate::source::visible;
pub use failure::Failure;
pub use options::started_by;
pub use report::report;

/// The compiler for training data: a rule becomes samples, checkers and a trained model.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: options::Common,
}

const EXIT_CODES: &str = "\
Examples:
  cookc list                                       the templates that are built in
  cookc sample std:retrieval                       their samples
  cookc generate std:retrieval -n 1000 -o out.jsonl

Exit codes: 0 done, 1 invalid input, 2 usage error, 3 I/O or internal error, 130 interrupted.";

#[derive(Debug, Subcommand)]
enum Command {
    New(new::New),
    Check(check::Check),
    Explain(explain::Explain),
    Fmt(fmt::Fmt),
    Sample(sample::Sample),
    Generate(generate::Generate),
    #[cfg(feature = "arrow")]
    Data(data::Data),
    Test(test::Test),
    #[cfg(feature = "train")]
    Synth(synth::Synth),
    Grow(grow::Grow),
    Inspect(inspect::Inspect),
    Judge(judge::Judge),
    #[cfg(feature = "serve")]
    Serve(serve::Serve),
    #[cfg(feature = "arrow")]
    Align(align::Align),
    #[cfg(feature = "train")]
    Train(run::Train),
    #[cfg(feature = "train")]
    Resume(run::Resume),
    #[cfg(feature = "train")]
    Run(run::Run),
    #[cfg(feature = "train")]
    Export(export::Export),
    #[cfg(feature = "train")]
    Merge(merge::Merge),
    #[cfg(feature = "train")]
    Mix(mix::Mix),
    #[cfg(feature = "train")]
    Study(study::Study),
    #[cfg(feature = "train")]
    Chat(chat::Chat),
    #[cfg(feature = "train")]
    Eval(eval::Eval),
    Bench(bench::Bench),
    List(list::List),
    Doc(doc::Doc),
    Completions(completions::Completions),
    Man(completions::Man),
    #[cfg(feature = "lsp")]
    Lsp(lsp::Lsp),
}

impl Arguments {
    /// Those of a command, the program's name before them. If they are wrong, the process ends
    /// here, with a message without what could steer the terminal, for the names of files may be a
    /// stranger's.
    pub fn of(given: Vec<OsString>) -> Arguments {
        Arguments::parsed(&given).unwrap_or_else(|error| {
            if !error.use_stderr() {
                error.exit(); // The help or the version, in words of ours alone.
            }
            let shown = given.iter().map(|one| visible(&one.to_string_lossy()).into_owned());
            Arguments::parsed(shown).err().unwrap_or(error).exit()
        })
    }

    fn parsed(
        given: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> clap::error::Result<Arguments> {
        let mut matches = command().try_get_matches_from(given)?;
        Arguments::from_arg_matches_mut(&mut matches)
    }
}

/// The templates of a recipe, with their settings.
#[cfg(feature = "arrow")]
fn recipe_templates(path: &Path) -> Result<Vec<crate::data::sink::Template>, Failure> {
    #[cfg(feature = "train")]
    return Ok(mixed::read(path)?.templates());
    #[cfg(not(feature = "train"))]
    Err(Failure::Usage(format!("{}: this build has no recipes", path.display())))
}

/// The templates of a recipe as a server offers them, and the recipe's seed.
#[cfg(feature = "serve")]
fn recipe_offers(path: &Path) -> Result<(Vec<crate::serve::Offer>, u64), Failure> {
    #[cfg(feature = "train")]
    {
        let mixed = mixed::read(path)?;
        let offers = mixed.chosen().map(|(template, level, set)| crate::serve::Offer {
            template: template.clone(),
            level: level.to_string(),
            set,
            words: Some(mixed.words().clone()),
            answer: mixed.answer(),
        });
        Ok((offers.collect(), mixed.seed()))
    }
    #[cfg(not(feature = "train"))]
    Err(Failure::Usage(format!("{}: this build has no recipes", path.display())))
}

/// Generates the data set of a recipe.
fn generate_recipe(command: &generate::Generate) -> Result<(), Failure> {
    #[cfg(feature = "train")]
    return mixed::run(command);
    #[cfg(not(feature = "train"))]
    generate::run(command)
}

/// What makes ids of a template's samples, where rows are of ids.
fn ids_of(command: &generate::Generate, sampler: &Sampler) -> Result<Option<Arc<Ids>>, Failure> {
    if !command.is_of_ids() {
        return Ok(None);
    }
    #[cfg(feature = "train")]
    return token_ids::of(command, sampler).map(Some);
    #[cfg(not(feature = "train"))]
    Err(Failure::Usage(format!(
        "this build has no tokenizers for the samples of {}",
        sampler.program().name
    )))
}

/// All commands. The list of a recipe's keys is made where `train` is what was asked for.
fn command() -> clap::Command {
    let command = Arguments::command();
    #[cfg(feature = "train")]
    let command = command.mut_subcommand("train", |train| train.defer(run::with_keys));
    command
}

/// Does what the arguments say.
///
/// # Errors
/// [`Failure`] if the command ended early; [`report`] shows it.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    arguments.common.apply()?;
    match arguments.command {
        Command::New(command) => new::run(&command),
        Command::Check(command) => check::run(&command),
        Command::Explain(command) => explain::run(&command),
        Command::Fmt(command) => fmt::run(&command),
        Command::Sample(command) => sample::run(&command),
        Command::Generate(command) if command.is_of_recipe() => generate_recipe(&command),
        Command::Generate(command) => generate::run(&command),
        #[cfg(feature = "arrow")]
        Command::Data(command) => data::run(&command),
        Command::Test(command) => test::run(&command),
        #[cfg(feature = "train")]
        Command::Synth(command) => synth::run(&command),
        Command::Grow(command) => grow::run(&command),
        Command::Inspect(command) => inspect::run(&command),
        Command::Judge(command) => judge::run(&command),
        #[cfg(feature = "serve")]
        Command::Serve(command) => serve::run(&command),
        #[cfg(feature = "arrow")]
        Command::Align(command) => align::run(&command),
        #[cfg(feature = "train")]
        Command::Train(command) => run::train(&command),
        #[cfg(feature = "train")]
        Command::Resume(command) => run::resume(&command),
        #[cfg(feature = "train")]
        Command::Run(command) => run::run(&command),
        #[cfg(feature = "train")]
        Command::Export(command) => export::run(&command),
        #[cfg(feature = "train")]
        Command::Merge(command) => merge::run(&command),
        #[cfg(feature = "train")]
        Command::Mix(command) => mix::run(&command),
        #[cfg(feature = "train")]
        Command::Study(command) => study::run(&command),
        #[cfg(feature = "train")]
        Command::Chat(command) => chat::run(&command),
        #[cfg(feature = "train")]
        Command::Eval(command) => eval::run(&command),
        Command::Bench(command) => bench::run(&command),
        Command::List(command) => list::run(&command),
        Command::Doc(command) => doc::run(&command),
        Command::Completions(command) => completions::completions(&command),
        Command::Man(command) => completions::man(&command),
        #[cfg(feature = "lsp")]
        Command::Lsp(command) => lsp::run(&command),
    }
}
