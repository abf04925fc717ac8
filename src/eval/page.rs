//! `report.html`: the report as one page that needs nothing from outside.

use std::fmt::Write;

use super::plot::{bars, curve, escaped};
use super::report::{Comparison, Example, Report};

/// Samples shown of each template.
const EXAMPLES: usize = 6;

/// The complete page.
pub fn html(report: &Report) -> String {
    let name = escaped(&report.name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{name} · cookc report</title>\n<style>{STYLE}</style>\n<main>\n<h1>{name}</h1>\n"
    );
    push(&mut page, format_args!("<p class=\"lead\">{}</p>\n", summary(report)));
    changes(&mut page, report);
    page += "<h2>Alignment</h2>\n<p class=\"key\"><i class=\"before\"></i> before training \
             <i class=\"after\"></i> after</p>\n";
    for one in &report.templates {
        comparison(&mut page, one);
    }
    tasks(&mut page, report);
    push(
        &mut page,
        format_args!(
            "<h2>Loss</h2>\n\
             <p>Mean cross-entropy of the reply's tokens at each step, in nats.</p>\n\
             <figure>{}</figure>\n",
            curve(&report.losses)
        ),
    );
    texts(&mut page, report);
    facts(&mut page, report);
    page += "<h2>Held-out samples</h2>\n";
    for one in &report.templates {
        one.examples.iter().take(EXAMPLES).for_each(|example| self::example(&mut page, example));
    }
    push(
        &mut page,
        format_args!("<h2>Recipe</h2>\n<pre>{}</pre>\n</main>\n</html>\n", escaped(&report.recipe)),
    );
    page
}

fn summary(report: &Report) -> String {
    let samples: usize = report.templates.iter().map(|one| one.samples).sum();
    format!(
        "Of {samples} held-out samples the model answered <b>{:.1} %</b> exactly before training \
         and <b>{:.1} %</b> after it. The judge is each template's own compiled rules.",
        100.0 * report.mean(|one| one.before.exact),
        100.0 * report.mean(|one| one.after.exact),
    )
}

/// What is no longer as it was when the run began: its numbers are of several runs.
fn changes(page: &mut String, report: &Report) {
    for one in &report.changes {
        push(
            page,
            format_args!("<p>This is not one run. After step {} it went on with:</p>\n", one.step),
        );
        let item = |line: &String| format!("<li>{}\n", escaped(line));
        let list: String = one.changes.iter().map(item).collect();
        push(page, format_args!("<ul>\n{list}</ul>\n"));
    }
}

fn comparison(page: &mut String, one: &Comparison) {
    let mut rows = vec![
        ("exact".to_string(), one.before.exact, one.after.exact),
        ("alignment".to_string(), one.before.alignment, one.after.alignment),
    ];
    let scores = one.before.rules.iter().zip(&one.after.rules);
    let rules = one.rules.iter().zip(scores);
    rows.extend(rules.map(|(name, (before, after))| (format!("rule {name}"), *before, *after)));
    push(
        page,
        format_args!(
            "<h3>{} <small>level {}, {} samples</small></h3>\n<figure>{}</figure>\n",
            escaped(&one.template),
            escaped(&one.level),
            one.samples,
            bars(&rows)
        ),
    );
}

/// Tasks with known answers, each mean with its standard error.
fn tasks(page: &mut String, report: &Report) {
    if report.tasks.is_empty() {
        return;
    }
    *page += "<h2>Tasks</h2>\n<table>\n<tr><th>task<th>items<th>metric<th>before<th>after\n";
    let number = |mean: f64, error: Option<f64>| {
        let error = error.map(|error| format!(" ± {error:.3}"));
        format!("{mean:.3}{}", error.unwrap_or_default())
    };
    for one in &report.tasks {
        let (task, items, metric) = (escaped(&one.task), one.items, escaped(&one.metric));
        let before = number(one.before, one.before_stderr);
        let after = number(one.after, one.after_stderr);
        push(page, format_args!("<tr><td>{task}<td>{items}<td>{metric}<td>{before}<td>{after}\n"));
    }
    *page += "</table>\n";
}

/// Rows that were trained on beside the templates' samples.
fn texts(page: &mut String, report: &Report) {
    if report.texts.is_empty() {
        return;
    }
    *page += "<h2>Texts</h2>\n\
              <p>Rows of other data were trained on, too; no rule scores them.</p>\n\
              <table>\n<tr><th>file<th>rows<th>tokens<th>left out<th>samples\n";
    for one in &report.texts {
        let (file, rows, tokens) = (escaped(&one.file), one.rows, one.tokens);
        let (left_out, taken) = (one.left_out, one.taken);
        let row = format_args!("<tr><td>{file}<td>{rows}<td>{tokens}<td>{left_out}<td>{taken}\n");
        push(page, row);
    }
    *page += "</table>\n";
}

fn facts(page: &mut String, report: &Report) {
    let facts = &report.facts;
    let [data, train] = report.seeds;
    let memory = facts.peak_memory_bytes.map(|bytes| format!("{:.0} MB", bytes as f64 / 1e6));
    let rows = [
        ("Steps", facts.steps.to_string()),
        ("Samples", facts.samples.to_string()),
        ("Tokens", facts.tokens.to_string()),
        ("Tokens a second", format!("{:.0}", facts.tokens_per_second)),
        ("Samples a second", format!("{:.0}", facts.samples_per_second)),
        ("Seconds of training", format!("{:.1}", facts.train_seconds)),
        ("Seconds in all", format!("{:.1}", facts.seconds)),
        ("Most memory", memory.unwrap_or_else(|| "not known".to_string())),
        ("Weights", facts.parameters.to_string()),
        ("Weights that learn", facts.parameters_learning.to_string()),
        ("Device", escaped(&facts.device)),
        ("Seeds", format!("data {data}, training {train}")),
        ("Held-out prompts seen in training", facts.prompts_shared.to_string()),
        ("cookc", env!("CARGO_PKG_VERSION").to_string()),
    ];
    *page += "<h2>Run</h2>\n<table>\n";
    for (name, value) in rows {
        push(page, format_args!("<tr><th>{name}<td>{value}\n"));
    }
    *page += "</table>\n";
}

fn example(page: &mut String, example: &Example) {
    let reply = |page: &mut String, title: &str, text: &str, score: Option<f64>| {
        let class = if score.is_none_or(|score| score == 1.0) { "good" } else { "bad" };
        let score = score.map(|score| format!(" {score:.2}")).unwrap_or_default();
        let text = match text {
            "" => "<em>nothing</em>".to_string(),
            text => escaped(text),
        };
        push(page, format_args!("<dt>{title}{score}<dd class=\"{class}\">{text}\n"));
    };
    push(
        page,
        format_args!(
            "<article>\n<h3>{} <small>level {}, sample {}</small></h3>\n<pre>{}</pre>\n<dl>\n",
            escaped(&example.template),
            escaped(&example.level),
            example.index,
            escaped(&example.prompt)
        ),
    );
    reply(page, "made", &example.reply, None);
    reply(page, "before", &example.before, Some(example.score_before));
    reply(page, "after", &example.after, Some(example.score_after));
    *page += "</dl>\n</article>\n";
}

fn push(page: &mut String, part: std::fmt::Arguments) {
    page.write_fmt(part).expect("writing to a String does not fail");
}

/// Two palettes of the same shape: the reader's system chooses.
pub(crate) const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2330; --soft: #667085; --paper: #fff; --line: #e3e6eb;
  --before: #b6bfcc; --after: #2f6fb0; --good: #17734b; --bad: #a8392f; --box: #f6f7f9 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ec; --soft: #98a2b3; --paper: #14171c;
  --line: #2c323c; --before: #5b6676; --after: #6aa9e9; --good: #5cc492; --bad: #ef8a80;
  --box: #1b1f26 } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif }
main { max-width: 46rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
h1 { font-size: 1.7rem; margin: 0 0 .5rem } h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem } small, .key { color: var(--soft); font-weight: 400 }
.lead { font-size: 1.08rem } figure { margin: .6rem 0 } svg { width: 100%; height: auto }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft) } svg .name { fill: var(--ink) }
svg .end { text-anchor: end } svg .middle { text-anchor: middle }
.grid { stroke: var(--line) } .curve { fill: none; stroke: var(--after); stroke-width: 1.8 }
.rest { fill: var(--box) } .before { fill: var(--before) } .after { fill: var(--after) }
.key i { display: inline-block; width: .8em; height: .8em; margin-left: .6em }
.key .before { background: var(--before) } .key .after { background: var(--after) }
table { border-collapse: collapse } th, td { text-align: left; padding: .2rem 1.5rem .2rem 0;
  border-bottom: 1px solid var(--line); font-weight: 400 } th { color: var(--soft) }
pre { background: var(--box); padding: .7rem .9rem; overflow-x: auto; white-space: pre-wrap;
  font: 13px/1.5 ui-monospace, monospace; border-radius: 4px; margin: .4rem 0 }
dl { display: grid; grid-template-columns: 6.5rem 1fr; gap: .1rem .8rem; margin: .3rem 0 }
dt { color: var(--soft) } dd { margin: 0; font: 13px/1.7 ui-monospace, monospace;
  white-space: pre-wrap } .good { color: var(--good) } .bad { color: var(--bad) }
";
