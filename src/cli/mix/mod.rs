//! `cookc mix`: mixture weights learned by runs, and accuracies without labels.

mod estimate;
mod learn;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Failure;
use super::options::Format;

const HELP: &str = r#"Examples:
  cookc mix recipe.toml
  cookc mix recipe.toml -o mixed.toml
  cookc mix recipe.toml --validate 12 --json > validation.json
  cookc mix --estimate votes.jsonl
  cookc mix --estimate votes.jsonl --options 4 --json
  cookc mix --estimate answers.jsonl --agreement f1
  cookc mix --estimate votes.jsonl --source base

A recipe with `policy = "cookbook"`, "merge" or "log-linear" below [mix] has its mixture weights
learned: runs on single templates or random mixtures are trained, and their models are asked the
target tasks. The table says what each run came to, and why the weights are what they are; -o
writes the recipe with them. All runs are kept, and found again: a second call trains nothing.
`cookc train` does the same before its training. With --json the weights are an object {"policy",
"seed", "is_labelled", "weights", "templates", "targets": [{"name", "items", "is_known",
"refusal"}], "runs": [{"mixture", "folder", "outcomes": [[mean, error]]}], "candidates", "reason"},
and --validate gives {"seed", "templates", "targets", "base", "mixtures": [{"mixture", "accuracy",
"error", "each"}], "compared": [{"policy", "is_labelled", "spearman", "choice", "regret"}]}.

A row of votes.jsonl is an item, {"item": "q1", "votes": {"first": "A", "second": "B"}}, or one
vote, {"item": "q1", "voter": "first", "label": "A"}. "gold" is the right label, where it is known:
it is only shown beside the estimate. "set" keeps the votes of several tasks apart. A voter may
have no vote on an item.

With --estimate and --json, each set is a line {"set", "items", "options", "voters": [{"voter",
"votes", "accuracy", "low", "high", "independent", "triplets", "rank_one", "labelled", "refusal"}],
"groups": [{"voters", "copied"}], "structures", "confusions", "same", "refusal"}. "same" has lists
of voters that vote alike on every item; a refusal is null or {"reason", "text"}; "low" and "high"
are the ends of an interval of 95 %. If all sets are refused, the exit code is 1."#;

/// Learn a recipe's mixture weights, or estimate accuracies from votes alone
#[derive(Debug, Args)]
#[command(after_help = HELP)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["recipe", "estimate"])))]
pub struct Mix {
    /// The recipe, whose policy is a learned one
    #[arg(value_name = "RECIPE")]
    recipe: Option<PathBuf>,
    /// Write the recipe with the learned mixture weights
    #[arg(short, long, value_name = "FILE", conflicts_with = "estimate")]
    out: Option<PathBuf>,
    /// Also train N mixtures to the end, and hold every policy against them
    #[arg(long, value_name = "N", conflicts_with_all = ["estimate", "out"])]
    #[arg(value_parser = clap::value_parser!(u16).range(3..=1024))]
    validate: Option<u16>,
    /// The votes, one JSON object a line; - is standard input
    #[arg(long, value_name = "VOTES")]
    estimate: Option<PathBuf>,
    /// The options of an item [default: the different labels; of free text, as fits best]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(2..))]
    #[arg(conflicts_with = "recipe")]
    options: Option<u16>,
    /// When two labels are the same answer
    #[arg(long, value_name = "HOW", default_value = "exact", conflicts_with = "recipe")]
    agreement: Agreement,
    /// The voter whose answers the others copy, and else err by themselves
    #[arg(long, value_name = "VOTER", conflicts_with_all = ["assume_independent", "recipe"])]
    source: Option<String>,
    /// No two voters share errors; then three voters are enough
    #[arg(long, conflicts_with = "recipe")]
    assume_independent: bool,
    /// The seed of the data of a recipe, or of the resampled items behind the intervals
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Human-readable text, or JSON for programs
    #[arg(long, default_value = "text")]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Agreement {
    /// The labels are options, and equal or not
    Exact,
    /// The labels are free text, compared without case, punctuation and articles
    Normalised,
    /// The labels are free text, compared by the F1 of their words
    F1,
}

/// Learns, or estimates.
pub fn run(command: &Mix) -> Result<(), Failure> {
    match (&command.recipe, &command.estimate) {
        (Some(recipe), _) => learn::run(command, recipe),
        (None, Some(votes)) => estimate::run(command, votes),
        (None, None) => unreachable!("clap requires one of them"),
    }
}
