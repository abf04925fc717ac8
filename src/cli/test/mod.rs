//! `cookc test`: a template audited, and the examples of its functions run.

mod examples;
mod rfc008;
mod table;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::console::{BAD, FAINT, GOOD, styled};
use super::load;
use super::options::{self, Choice, Engine};
use super::progress::Progress;
use super::{Failure, console};
use crate::data::audit::{Audit, CODES, PASSES, Settings, affordable, audit, findings, is_denied};
use crate::data::generate::Stopped;
use crate::data::{Answer, Event, Observer};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Source;
use crate::syntax::allow;
use crate::template::{self, Template};

const HELP: &str = r#"Examples:
  cookc test std:retrieval
  cookc test my.cook --level hard -n 10000
  cookc test my.cook --deny all --allow L623
  cookc test my.cook --format json | jq '.findings[] | select(.denied)'

At each level, with its bar. What fails the template, unless it is allowed:
  L610  rules hold in full on every one of the template's own samples
  L611  every written reply is read back to the same values
  L612  machine code and interpreter agree on samples and judgements, bit for bit: all of them, or
        as many as the interpreter makes in about three seconds
  L613  no text is longer than the bounds say
  L614  shortcut baselines that read nothing: the empty reply, the reply of another sample, the most
        frequent reply. Each may be right on 5 % of the samples, or, where 1 / replies is more,
        that and four standard deviations of it: for yes or no and 1,000 samples, 56.3 %
  L615  echoes of the prompt and of each shown value, as the reply would write it: the same bar
  L616  the first, last, longest, shortest, most frequent and a random one of a shown list or of
        labelled options, the first and last column of a table: 5 %, or, where 1 / options is
        more, that and four standard deviations. Of a reply with several values, the best
        shortcuts of each are joined, and count with L614, L615 or L616
  L617  no prompt is in both splits (train/eval overlap)
  L624  the mean of the rules: an empty reply has no more of it than the bar of L614, constants and
        echoes no more than half of what is above their bar
  L625  stuffed replies, a right one with something else: with words of the vocabulary, a wrong
        reply, two tags or boxes: right in at most 5 % of the first 200 samples
What warns, unless it is denied:
  L618  at least half of the samples differ from all before them
  L619  of 2 to 16 values that an output has, each has at least 0.5 and at most 1.5 fair shares
        (measured from 50 samples a value on)
  L620  answer-position bias in a shown list: Cohen's w against equally likely positions is at most
        0.20 (shares of 43, 28.5 and 28.5 % for start, middle and end), or chi squared
        at most 20
  L621  both branches of every `if` of the sample are taken
  L622  mutated replies, a right one with one word replaced, left out or doubled: still right in at
        most 25 %
  L623  the same with two neighbours swapped
  L626  the rules do not only repeat how the answer is computed, by a function without an example
A comment in the template, `// allow L623: the order is free`, is the same as --allow L623. Above a
line or behind it, it allows what is found there; beside nothing that is found, all of its code.
First, the examples in the documentation of the file's functions and of the modules beside it are
run: lines indented by four spaces. One that does not hold fails the file (E602). Of a file that
holds functions only, nothing else is tested.

A denied finding ends with exit code 1. With --format json, a file whose functions have examples has
a line {"file", "examples", "failed", "findings"}, and each level is one line: {"template",
"level", "seed", "samples", "rules": [{"rule", "holds", "first_broken"}], "cheats": [{"cheat",
"code", "exact", "score", "bar", "score_bar"}], "changes": [{"change", "code", "tried", "passes",
"bar"}], "stuffed": the same, "repeated": {"rule", "output", "function", "start", "end",
"function_start", "function_end"} or null, "classes": [{"output", "values", "most": [value, share],
"least", "most_bar", "least_bar"}], "places": [{"list", "samples", "shares", "fair", "effect",
"bar", "biased"}], "branches": [{"start", "end", "taken", "otherwise"}], "distinct_replies",
"distinct", "reads_back", "first_unread", "compared", "engines_differ", "overlap", "words": {"made",
"bound"}, "bytes", "findings": [{"code", "denied", "allowed", "title", "help", "start", "end",
"line", "column"}]}. Shares are
from 0 to 1; start and end are bytes of the template.

With --format rfc008, each level is one line, the report of OpenEnv's RFC 008 on the template as an
environment: {"target", "validation_type", "standard", "template", "level", "status", "passed",
"manifest", "summary", "criteria": [{"id", "policy": the RFC's number, "description", "status":
pass, warn, fail or not_measured, "passed", "required", "details", "expected", "actual"}]}. It looks
at no --allow and no comment in the template, and ends with the RFC's exit codes: 0 passed, perhaps
with warnings; 1 failed; 2 unsupported: a file that is no environment; 3 internal error."#;

/// Audit a template: its rules hold, shortcut baselines fail, nothing reveals the answer
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Test {
    /// .cook files, or std:NAME for templates that are built in
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    #[command(flatten)]
    choice: Choice,
    /// Audit all levels, which is the default
    #[arg(long, conflicts_with = "level")]
    all_levels: bool,
    /// The seed of the samples
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many samples a level [default: 1000, or fewer where one takes long]
    #[arg(short = 'n', long = "samples", value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..))]
    samples: Option<u64>,
    /// Findings that fail the template; may come several times
    #[arg(long, value_name = "CODE|all", value_parser = code)]
    deny: Vec<String>,
    /// Findings to allow; may come several times
    #[arg(long, value_name = "CODE|all", value_parser = code)]
    allow: Vec<String>,
    /// A row for every shortcut baseline and every mutated reply
    #[arg(short, long)]
    verbose: bool,
    /// Human-readable text, JSON for programs, or a report on environments
    #[arg(long, default_value = "text")]
    format: Format,
}

/// How the results are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Human-readable
    Text,
    /// Machine-readable (JSON): the help of the command says what it holds
    Json,
    /// The report of OpenEnv's RFC 008 on each level, a line of JSON each
    Rfc008,
}

/// A level's figures and what they say.
struct Level {
    audit: Audit,
    findings: Vec<Finding>,
}

struct Finding {
    /// An error if it is denied.
    diagnostic: Diagnostic,
    allowed: bool,
}

/// Audits each template at each level.
pub fn run(command: &Test) -> Result<(), Failure> {
    if command.format == Format::Rfc008 {
        return rfc008::run(command);
    }
    let cancel = options::interrupt_soon()?;
    let asked = command.samples.unwrap_or(SAMPLES);
    let mut passed = true;
    for file in &command.files {
        let source = template::source_of(file)?;
        passed &= examples::run(&source, command.format == Format::Json)?;
        if examples::is_module(&source) {
            continue;
        }
        let template = Template::checked(source)?;
        for module in examples::modules(&template) {
            passed &= examples::run(&module, command.format == Format::Json)?;
        }
        let names = match &command.choice.level {
            Some(level) => vec![level.clone()],
            None => load::levels(&template),
        };
        let total = PASSES * asked * names.len() as u64;
        let progress = Progress::new(total, template.name());
        let event = |event| {
            if let Event::Audited { samples } = event {
                progress.add(samples);
            }
        };
        let observer = Observer { cancel, event: &event };
        let mut levels = Vec::new();
        for name in names {
            let choice = Choice { level: Some(name), ..command.choice.clone() };
            let settings = Settings { samples: asked, seed: command.seed };
            let fewer = command.samples.is_none();
            let (audit, found) = one(&template, &choice, settings, fewer, &observer)?;
            levels.push(Level { audit, findings: command.judged(template.source(), found) });
        }
        progress.finish();
        levels.iter().for_each(|level| note_fewer(&level.audit, asked));
        passed &= !levels.iter().any(|level| level.findings.iter().any(Finding::is_denied));
        match command.format {
            Format::Json => console::data(&json_lines(&levels, template.source())),
            Format::Text | Format::Rfc008 => {
                console::print(&text(&levels, template.source(), command.verbose))
            }
        }?;
    }
    if passed { Ok(()) } else { Err(Failure::Shown) }
}

/// Says that fewer samples were drawn than asked for, and how to draw them all.
fn note_fewer(audit: &Audit, asked: u64) {
    let Audit { template, level, samples, .. } = audit;
    if *samples < asked {
        console::note(&format!(
            "{template} at {level}: {samples} samples instead of {asked}, as each takes long; \
             -n {asked} draws them all"
        ));
    }
}

/// Audits a template at a level; with `fewer`, by no more samples than there is time for.
fn one(
    template: &Template,
    choice: &Choice,
    mut settings: Settings,
    fewer: bool,
    observer: &Observer,
) -> Result<(Audit, Vec<Diagnostic>), Failure> {
    let sampler = load::compile(template, choice, Engine::Native)?;
    let program = sampler.program();
    let seed = settings.seed;
    let stopped = |stopped: Stopped| load::stopped(template, program, seed, stopped);
    if fewer {
        settings.samples = affordable(&sampler, settings).map_err(stopped)?;
    }
    let audit = audit(template.source(), &sampler, settings, observer).map_err(stopped)?;
    let found = findings(&audit, program);
    Ok((audit, found))
}

/// What an audit of a few samples says of a file without errors. A file without a prompt has none.
pub fn lints(source: &Source, vocab: Option<PathBuf>) -> Result<Vec<Diagnostic>, Failure> {
    let checked = template::checked(source);
    if checked.0.is_none() {
        return Ok(Vec::new());
    }
    let template = Template::of(source.clone(), checked)?;
    let observer = Observer { cancel: options::interrupt_soon()?, ..Observer::none() };
    let allows = allow::all(template.source());
    let mut levels = Vec::new();
    for name in load::levels(&template) {
        let (set, vocab, answer) = (Vec::new(), vocab.clone(), Answer::default());
        let choice = Choice { level: Some(name), set, vocab, answer };
        let (audit, found) = one(&template, &choice, FEW, true, &observer)?;
        let finding = |one: &Diagnostic| Finding {
            allowed: allow::is_allowed(&allows, one, &found),
            diagnostic: one.clone(),
        };
        levels.push(Level { audit, findings: found.iter().map(finding).collect() });
    }
    Ok(gathered(&levels))
}

impl Test {
    /// What is denied becomes an error; what the options deny, the template cannot allow.
    fn judged(&self, source: &Source, found: Vec<Diagnostic>) -> Vec<Finding> {
        let allows = allow::all(source);
        let names = |codes: &[String], code: &str| codes.iter().any(|one| one == code);
        let judge = |one: &Diagnostic| {
            let mut diagnostic = one.clone();
            let code = diagnostic.code;
            let is_named = names(&self.deny, code);
            let allowed = !is_named
                && (names(&self.allow, code)
                    || names(&self.allow, ALL)
                    || allow::is_allowed(&allows, one, &found));
            if is_denied(code) || is_named || names(&self.deny, ALL) {
                diagnostic.severity = Severity::Error;
            }
            Finding { diagnostic, allowed }
        };
        found.iter().map(judge).collect()
    }
}

impl Finding {
    fn is_denied(&self) -> bool {
        !self.allowed && self.diagnostic.severity == Severity::Error
    }
}

/// How many samples `cookc test` draws if no option says.
const SAMPLES: u64 = 1000;

/// What `cookc check --audit` looks at.
const FEW: Settings = Settings { samples: 200, seed: 0 };

/// Stands for every code.
const ALL: &str = "all";

fn code(text: &str) -> Result<String, String> {
    match text == ALL || CODES.iter().any(|(code, _)| *code == text) {
        true => Ok(text.to_string()),
        false => Err("write a code from L610 to L626, or `all`".to_string()),
    }
}

fn json_lines(levels: &[Level], source: &Source) -> String {
    levels.iter().map(|level| json_line(level, source)).collect()
}

fn json_line(level: &Level, source: &Source) -> String {
    let mut json = serde_json::to_value(&level.audit).expect("an audit is plain data");
    let finding = |finding: &Finding| {
        let Diagnostic { code, title, help, .. } = &finding.diagnostic;
        let span = finding.diagnostic.span();
        let (line, column) = source.position(span.start);
        json!({
            "code": code, "denied": finding.is_denied(), "allowed": finding.allowed,
            "title": title, "help": help, "start": span.start, "end": span.end,
            "line": line, "column": column,
        })
    };
    json["findings"] = level.findings.iter().map(finding).collect::<Vec<Value>>().into();
    format!("{json}\n")
}

/// A table with a column a level, and the findings under it.
fn text(levels: &[Level], source: &Source, verbose: bool) -> String {
    let audits: Vec<&Audit> = levels.iter().map(|level| &level.audit).collect();
    let Some(first) = audits.first() else { return String::new() };
    let name = format!("{}, {}", first.template, console::count(first.samples as usize, "sample"));
    let mut header = vec![name.as_str()];
    header.extend(audits.iter().map(|audit| audit.level.as_str()));
    let mut table = console::table(&header);
    table::rows(&mut table, &audits, verbose);
    let mut text = format!("{table}\n");
    let gathered = gathered(levels);
    for diagnostic in &gathered {
        text += &format!("{}\n", console::drawn(diagnostic, source));
    }
    let failed = levels.iter().filter(|one| one.findings.iter().any(Finding::is_denied)).count();
    let at = match failed {
        0 => console::count(audits.len(), "level"),
        _ if failed == audits.len() => console::count(failed, "level"),
        _ => format!("{failed} of {}", console::count(audits.len(), "level")),
    };
    let all = || levels.iter().flat_map(|level| &level.findings);
    let warnings = gathered.iter().filter(|one| one.severity == Severity::Warning).count();
    let allowed = all().filter(|one| one.allowed).map(|one| one.diagnostic.code);
    let allowed: BTreeSet<&str> = allowed.collect();
    let more = [(warnings, "warning"), (allowed.len(), "allowed finding")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| format!(", {}", console::count(count, noun)))
        .collect::<String>();
    let (style, word) = if failed > 0 { (BAD, "failed") } else { (GOOD, "passed") };
    text + &format!("{} {} at {at}{}\n", styled(style, word), first.template, styled(FAINT, more))
}

/// The findings that are not allowed: one for the same code at the same span, with its levels.
fn gathered(levels: &[Level]) -> Vec<Diagnostic> {
    let mut found: Vec<(Vec<&str>, &Diagnostic)> = Vec::new();
    for level in levels {
        for finding in level.findings.iter().filter(|one| !one.allowed) {
            let new = &finding.diagnostic;
            let same = |known: &Diagnostic| (known.code, known.span()) == (new.code, new.span());
            match found.iter_mut().find(|(_, known)| same(known)) {
                Some((names, _)) => names.push(&level.audit.level),
                None => found.push((vec![&level.audit.level], new)),
            }
        }
    }
    found.sort_by_key(|(_, one)| one.code);
    let named = |(names, one): (Vec<&str>, &Diagnostic)| match names.len() == levels.len() {
        true => one.clone(),
        false => {
            Diagnostic { title: format!("at {}: {}", names.join(", "), one.title), ..one.clone() }
        }
    };
    found.into_iter().map(named).collect()
}
