//! `cookc data stats`: a data set in numbers, with small bars.

use std::path::PathBuf;

use clap::Args;

use crate::cli::console::{self, FAINT, STRONG, styled};
use crate::cli::progress::Progress;
use crate::cli::{Failure, options};
use crate::datasets::stats::{Count, Distinct, Lengths, Options, Stats, Top};

const HELP: &str = r#"Examples:
  cookc data stats train.jsonl
  cookc data stats data/ --json | jq .prompts
  cookc data stats squad.parquet --text question,context

DATA is JSONL (compressed too), Parquet, Arrow, WebDataset, or a folder of such files, of cookc or
of other programs. Prompt and reply are found in the columns of every --shape; --text names others.
Words are what is between white space. Unique prompts are counted exactly as long as their 64-bit
hashes fit into --memory (20 bytes each), then by HyperLogLog, with its standard error of 0.4%.
Replies are counted one by one as long as at most 65,536 differ.

With --json: {"rows", "prompts": {"unique", "exact", "error"}, "replies": {"unique", "exact",
"error", "rows": with one, "entropy": bits or null, "top": [{"value", "rows", "share"}] or null},
"templates": such a list or null, "lengths": {"prompt" and "reply": {"words" and "characters":
{"least", "p5", "median", "mean", "p95", "greatest", "histogram": [{"from", "to", "rows"}]} or
null}}, "stopped"}. After Ctrl-C, what was counted so far is reported, with exit code 130."#;

/// Count rows, unique prompts, lengths and the balance of replies
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Command {
    /// The rows: a file or a folder
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// The columns of the text, such as question or answers.0; several with commas
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    text: Vec<String>,
    /// The most MiB for hashes of prompts, and for those of replies
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    memory: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Counts, and reports.
pub fn run(command: &Command) -> Result<(), Failure> {
    let cancel = options::interrupt()?;
    let progress = Progress::counting("counting", "rows");
    let options =
        Options { columns: command.text.clone(), memory: command.memory.saturating_mul(1 << 20) };
    let stats = Stats::of(&command.data, &options, cancel, &|rows| progress.add(rows));
    progress.finish();
    let stats = stats?;
    match command.json {
        true => console::data(&format!("{}\n", stats.json()))?,
        false => console::print(&text(&stats))?,
    }
    if stats.is_stopped { Err(Failure::Interrupted) } else { Ok(()) }
}

fn text(stats: &Stats) -> String {
    let mut text = format!("{}\n", console::count(stats.rows as usize, "row"));
    text += &format!("unique prompts: {}\n", unique(&stats.prompts, stats.rows));
    if stats.replied > 0 {
        text += &format!("unique replies: {}\n", unique(&stats.replies, stats.replied));
    }
    if let Some(entropy) = stats.reply_values.entropy().filter(|_| stats.replied > 0) {
        text += &format!("entropy of replies: {entropy:.2} bits\n");
    }
    for (what, [words, characters]) in
        [("prompt", &stats.prompt_lengths), ("reply", &stats.reply_lengths)]
    {
        // Where all have the same number of words, their characters say more.
        let by_words = words.bins(BINS).len() > 1;
        text += &lengths(&format!("words of the {what}"), words, by_words);
        text += &lengths(&format!("characters of the {what}"), characters, !by_words);
    }
    let replies = stats.reply_values.top(SHOWN).unwrap_or_default();
    // Where no reply comes often, the first ones say nothing.
    let replies: Vec<Top> = replies.into_iter().filter(|top| top.rows > 1).collect();
    text += &tops("most frequent replies", &replies);
    text += &tops("templates", &stats.templates.top(SHOWN).unwrap_or_default());
    if stats.is_stopped {
        text += "stopped before the last row\n";
    }
    text
}

/// The most values that are shown.
const SHOWN: usize = 8;
/// The bars of a histogram.
const BINS: u64 = 8;

fn unique(distinct: &Distinct, rows: u64) -> String {
    let Count { value, is_exact, error } = distinct.count();
    match is_exact {
        true => format!("{value} of {rows}"),
        false => {
            let value = value.min(rows);
            format!("about {value} of {rows}, ±{:.1}% (HyperLogLog)", 100.0 * error)
        }
    }
}

fn lengths(title: &str, lengths: &Lengths, with_bars: bool) -> String {
    let quantile = |share| lengths.quantile(share).unwrap_or_default();
    let bins = lengths.bins(BINS);
    if bins.is_empty() {
        return String::new();
    }
    if quantile(0.0) == quantile(1.0) {
        return format!("{}: {} in all\n", styled(STRONG, title), quantile(0.0));
    }
    let mut text = format!(
        "{}: {} to {}, median {}, mean {:.1}, 95% have at most {}\n",
        styled(STRONG, title),
        quantile(0.0),
        quantile(1.0),
        quantile(0.5),
        lengths.mean(),
        quantile(0.95)
    );
    if with_bars && bins.len() > 1 {
        let most = bins.iter().map(|bin| bin.rows).max().unwrap_or(1);
        for bin in &bins {
            let name = match bin.from == bin.to {
                true => format!("{}", bin.from),
                false => format!("{}–{}", bin.from, bin.to),
            };
            text += &line(&name, bin.rows, most);
        }
    }
    text
}

fn tops(title: &str, tops: &[Top]) -> String {
    let Some(first) = tops.first() else { return String::new() };
    let mut text = format!("{}\n", styled(STRONG, title));
    for top in tops {
        let share = format!("{} ({:.1}%)", top.rows, 100.0 * top.share);
        text += &format!("  {} {share:<16} {}\n", bar(top.rows, first.rows), top.value);
    }
    text
}

fn line(name: &str, rows: u64, most: u64) -> String {
    format!("  {} {rows:<8} {}\n", bar(rows, most), styled(FAINT, name))
}

/// Characters of a bar.
const WIDTH: u64 = 20;
/// A character, filled by eighths.
const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// A bar for a count beside the largest one; any count above 0 shows.
fn bar(rows: u64, most: u64) -> String {
    let eighths = (rows as f64 / most.max(1) as f64 * (8 * WIDTH) as f64).round() as u64;
    let eighths = if rows > 0 { eighths.max(1) } else { 0 };
    let filled = |at: u64| EIGHTHS[eighths.saturating_sub(8 * at).min(8) as usize];
    (0..WIDTH).map(filled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        assert_eq!(bar(10, 10), "█".repeat(20));
        assert_eq!(bar(5, 10).trim_end(), "█".repeat(10));
        assert_eq!(bar(1, 1_000_000).trim_end(), "▏");
        assert_eq!(bar(0, 10), " ".repeat(20));
    }
}
