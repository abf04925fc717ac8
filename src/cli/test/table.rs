//! The table of a template's figures: a column a level.

use comfy_table::Table;

use crate::data::audit::{Audit, Branch, Changed, Cheated, Classes, percent};

/// Shown if there is nothing to measure.
const NONE: &str = "–";

type Cell<'a> = &'a dyn Fn(&Audit) -> String;

/// Adds a row for each figure; with `verbose`, for every shortcut baseline and changed reply.
pub fn rows(table: &mut Table, audits: &[&Audit], verbose: bool) {
    let mut row = |name: &str, cell: Cell| {
        let cells = audits.iter().map(|audit| cell(audit));
        table.add_row(std::iter::once(name.to_string()).chain(cells));
    };
    row("rules hold", &|audit| {
        percent(audit.rules.iter().map(|rule| rule.holds).fold(1.0, f64::min))
    });
    match verbose {
        true => every_reply(audits, &mut row),
        false => best_replies(&mut row),
    }
    row("class balance", &|audit| {
        let class = |one: &Classes| {
            format!("{}: {} to {}", one.values, percent(one.least.1), percent(one.most.1))
        };
        let all: Vec<String> = audit.classes.iter().map(class).collect();
        if all.is_empty() { NONE.into() } else { all.join("\n") }
    });
    row("answer position", &|audit| {
        let worst = audit.places.iter().max_by(|a, b| a.effect.total_cmp(&b.effect));
        worst.map_or(NONE.into(), |one| format!("w {:.2} of {:.2}", one.effect, one.bar))
    });
    row("branches taken", &|audit| {
        let both = |one: &Branch| one.taken > 0 && one.otherwise > 0;
        let taken: usize = audit.branches.iter().map(|one| 1 + usize::from(both(one))).sum();
        let count = 2 * audit.branches.len();
        if count == 0 { NONE.into() } else { format!("{taken} of {count}") }
    });
    row("unique samples", &|audit| percent(audit.distinct));
    row("unique replies", &|audit| audit.distinct_replies.to_string());
    row("round trip", &|audit| percent(audit.reads_back));
    row("engines differ", &|audit| match audit.compared == audit.samples {
        true => audit.engines_differ.to_string(),
        false => format!("{} in {} samples", audit.engines_differ, audit.compared),
    });
    row("train/eval overlap", &|audit| audit.overlap.to_string());
    row("longest, words", &|audit| format!("{} of {}", audit.words.made, audit.words.bound));
}

fn every_reply(audits: &[&Audit], row: &mut impl FnMut(&str, Cell)) {
    let mut names: Vec<&str> = Vec::new();
    for one in audits.iter().flat_map(|audit| &audit.cheats) {
        // Where values are joined, levels differ in what is best.
        if !names.contains(&one.cheat.as_str()) {
            names.push(&one.cheat);
        }
    }
    for name in names {
        row(&format!("shortcut: {name}"), &|audit| {
            audit.cheats.iter().find(|one| one.cheat == name).map_or(NONE.into(), exact)
        });
    }
    for (at, one) in audits[0].changes.iter().enumerate() {
        row(&format!("mutation: {}", one.change), &|audit| passes(&audit.changes[at]));
    }
    for (at, one) in audits[0].stuffed.iter().enumerate() {
        row(&format!("stuffed: {}", one.change), &|audit| passes(&audit.stuffed[at]));
    }
}

fn best_replies(row: &mut impl FnMut(&str, Cell)) {
    row("best shortcut", &|audit| {
        let over = |one: &&Cheated| one.exact - one.bar;
        let best = audit.cheats.iter().max_by(|a, b| over(a).total_cmp(&over(b)));
        best.map_or(NONE.into(), |one| format!("{}\n{}", exact(one), one.cheat))
    });
    row("best paid by the mean", &|audit| {
        let barred = audit.cheats.iter().filter_map(|one| Some((one, one.score_bar?)));
        let over = |(one, bar): &(&Cheated, f64)| one.score - bar;
        let best = barred.max_by(|a, b| over(a).total_cmp(&over(b)));
        best.map_or(NONE.into(), |(one, bar)| format!("{}\n{}", of(one.score, bar), one.cheat))
    });
    row("best of 5 mutations", &|audit| best(&audit.changes));
    row("best of 16 stuffed replies", &|audit| best(&audit.stuffed));
}

fn best(all: &[Changed]) -> String {
    let tried = all.iter().filter(|one| one.tried > 0);
    match tried.max_by(|a, b| a.passes.total_cmp(&b.passes)) {
        Some(one) if one.passes > 0.0 => format!("{}\n{}", passes(one), one.change),
        one => one.map_or(NONE.into(), passes),
    }
}

fn of(share: f64, bar: f64) -> String {
    format!("{} of {}", percent(share), percent(bar))
}

fn exact(one: &Cheated) -> String {
    of(one.exact, one.bar)
}

fn passes(one: &Changed) -> String {
    if one.tried == 0 { NONE.into() } else { of(one.passes, one.bar) }
}
