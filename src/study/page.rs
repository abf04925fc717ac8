//! `report.html`: the study as one page that needs nothing from outside.

use super::drawing::{KINDS, cells};
use super::report::{Labels, OfRecipe, OfTarget, Report};
use super::tables;
use crate::eval::page::STYLE;
use crate::eval::plot::escaped;

/// The complete page.
pub fn html(report: &Report) -> String {
    let names: Vec<String> = report.recipes.iter().map(|one| escaped(&one.name)).collect();
    let title = names.join(", ");
    let findings: String =
        report.findings.iter().map(|one| format!("<li>{}\n", escaped(one))).collect();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title} · cookc study</title>\n<style>{STYLE}{OWN}</style>\n<main>\n\
         <h1>Do the rules carry over?</h1>\n<p class=\"lead\">{LEAD}</p>\n\
         <h2>What was found</h2>\n<ul class=\"findings\">\n{findings}</ul>\n"
    );
    page += "<h2>Alignment and accuracy</h2>\n";
    page += &alignment(report);
    report.recipes.iter().for_each(|one| recipe(&mut page, one));
    page += &format!("<p class=\"key\">cookc {}</p>\n</main>\n</html>\n", report.cookc);
    page
}

/// Changes in alignment beside changes in accuracy, where rules score answers.
fn alignment(report: &Report) -> String {
    if report.recipes.iter().all(|one| one.cells.is_empty()) {
        return PAIRS.to_string();
    }
    let mut text = CELLS.to_string();
    let drawn = cells(&report.recipes);
    if !drawn.is_empty() {
        let key: String = KINDS
            .iter()
            .map(|(class, what)| format!("<span><i class=\"{class}\"></i> {what}</span> "))
            .collect();
        text += &format!(
            "<figure class=\"cells\">{drawn}</figure>\n<p class=\"key\">Up: change in accuracy. \
             {key}</p>\n"
        );
    }
    text + &tables::correlations(&report.correlations)
}

fn recipe(page: &mut String, of: &OfRecipe) {
    let seeds: Vec<String> = of.seeds.iter().map(u64::to_string).collect();
    *page += &format!(
        "<h2>{} <small>{}, {} {}</small></h2>\n",
        escaped(&of.name),
        escaped(&of.base),
        if seeds.len() == 1 { "seed" } else { "seeds" },
        seeds.join(", ")
    );
    if seeds.len() == 1 {
        *page += "<p>One seed: no interval knows how much another seed would change.</p>\n";
    }
    targets(page, of, "task", "Tasks");
    targets(page, of, "held-out", "Held-out templates");
    targets(page, of, "own", "The templates' own held-out samples");
    rules(page, of);
    labels(page, of);
    if let Some(english) = &of.english {
        *page += &format!(
            "<h3>Plain English</h3>\n<p>The loss a token of {} rows ({:.0} tokens): what a \
             training makes a model forget. Up is worse.</p>\n{}",
            english.rows,
            english.tokens,
            tables::english(english)
        );
    }
    *page += &format!("<h3>Models</h3>\n{}", tables::models(of));
}

/// The accuracies in targets of a kind.
fn targets(page: &mut String, of: &OfRecipe, kind: &str, title: &str) {
    let all: Vec<&OfTarget> = of.targets.iter().filter(|one| one.kind == kind).collect();
    if all.is_empty() {
        return;
    }
    *page += &format!("<h3>{title}</h3>\n");
    for one in all {
        let (name, items) = (escaped(&one.name), one.items);
        *page += &format!("<h4>{name} <small>{items} items</small></h4>\n");
        *page += &tables::accuracy(of, one);
    }
}

/// The alignment with each template's rules.
fn rules(page: &mut String, of: &OfRecipe) {
    let own = |target: &str| of.targets.iter().any(|one| one.name == target && one.kind == "own");
    let all: Vec<_> = of.alignment.iter().filter(|one| !own(&one.target)).collect();
    if all.is_empty() {
        return;
    }
    *page += &format!(
        "<h3>Rules</h3>\n<p>Scores by the compiled rules, from 0 to 1. An answer obeys from {} on. \
         The last two columns count items that were neither right nor obeying before.</p>\n",
        of.obeyed
    );
    for one in all {
        let (template, target) = (escaped(&one.template), escaped(&one.target));
        let rules: Vec<String> = one.rules.iter().map(|rule| escaped(rule)).collect();
        *page += &format!(
            "<h4>{template} on {target} <small>{}</small></h4>\n{}",
            rules.join(", "),
            tables::alignment(of, one)
        );
        if let Some(unscored) = &one.unscored {
            *page += &format!(
                "<p class=\"key\">Without a score: {}; the first: {}.</p>\n",
                unscored.items,
                escaped(&unscored.why)
            );
        }
    }
}

/// What is chosen in tasks of choice.
fn labels(page: &mut String, of: &OfRecipe) {
    for target in &of.targets {
        let rows: Vec<&Labels> = of.labels.iter().filter(|one| one.target == target.name).collect();
        if rows.is_empty() {
            continue;
        }
        *page += &format!(
            "<h4>What is chosen: {} <small>shares</small></h4>\n{}",
            escaped(&target.name),
            tables::labels(&rows)
        );
    }
}

const LEAD: &str = "Models were trained on templates, and asked tasks that they were not trained \
                    on. The templates' compiled rules score their answers there. Numbers in small \
                    print are standard errors (±) or intervals of 95 %; bold ones have an interval \
                    without the value of no effect. Beside the models are controls: the same \
                    prompts with shuffled replies, from which the format can be learned and no \
                    rule, and natural text where the recipe has some.";

const PAIRS: &str = "<p>Nothing can be said: no template's rules score the answers to a task. \
                     <code>[[study.align]]</code> in a recipe names the template, the task, and \
                     the columns that the template's values are in.</p>\n";

const CELLS: &str = "<p>A cell is a model, a task, and a template whose rules score the answers. \
                     Intervals come from resampling models, since cells of one model share its \
                     answers. Beside them is what shuffled rules give: the same correlation where \
                     each cell has the alignment of another, and how often that is as far from \
                     0.</p>\n";

const OWN: &str = "
h4 { font-size: .95rem; margin: 1.1rem 0 .3rem } .wide { overflow-x: auto; margin: .3rem 0 .8rem }
.wide table { white-space: nowrap } .wide td, .wide th { padding-right: 1.1rem }
.wide td:first-child { white-space: normal; min-width: 8rem } main { max-width: 60rem }
main > p, main > ul { max-width: 46rem }
.findings { padding-left: 1.2rem }
.findings li { margin: .35rem 0; overflow-wrap: anywhere }
h2, h3, h4 { overflow-wrap: anywhere }
.interval { width: auto; vertical-align: middle } line.sure, line.unsure { stroke-width: 2 }
line.sure { stroke: var(--after) } line.unsure { stroke: var(--before) }
circle.sure, .own { fill: var(--after) } circle.unsure { fill: var(--before) }
.other { fill: var(--before) } .mixed { fill: var(--good) } .control { fill: var(--bad) }
.text { fill: var(--soft) } .cells { max-width: 30rem } .cells svg text { font-size: 11px }
.key span { white-space: nowrap; margin-right: .6em } .key .own { background: var(--after) }
.key .other { background: var(--before) } .key .mixed { background: var(--good) }
.key .control { background: var(--bad) } .key .text { background: var(--soft) }
.key i { border-radius: 50%; margin-left: 0 }
";
