//! What an audit's figures say of a template: a lint for each bar that is missed.

use super::{
    Audit, Branch, Changed, Cheated, Classes, DISTINCT_BAR, Longest, Places, Repeated, RuleHolds,
    percent,
};
use crate::diagnostic::Diagnostic;
use crate::ir::{Op, Piece, Program, Slot, SlotId};
use crate::source::Span;

/// The codes, each with true if it fails a template unless it is allowed.
pub const CODES: [(&str, bool); 17] = [
    ("L610", true),
    ("L611", true),
    ("L612", true),
    ("L613", true),
    ("L614", true),
    ("L615", true),
    ("L616", true),
    ("L617", true),
    ("L618", false),
    ("L619", false),
    ("L620", false),
    ("L621", false),
    ("L622", false),
    ("L623", false),
    ("L624", true),
    ("L625", true),
    ("L626", false),
];

/// True for what fails a template unless it is allowed.
pub fn is_denied(code: &str) -> bool {
    CODES.iter().any(|(known, denied)| *known == code && *denied)
}

/// Every bar that is missed, in the order of the codes.
pub fn findings(audit: &Audit, program: &Program) -> Vec<Diagnostic> {
    let places = Spans { program };
    let mut found: Vec<Diagnostic> = Vec::new();
    for (at, rule) in audit.rules.iter().enumerate() {
        found.extend(broken(audit, rule, places.rule(at)));
    }
    found.extend(unread(audit, &places));
    found.extend(ours(audit, &places));
    for code in ["L614", "L615", "L616"] {
        let above = |one: &&Cheated| one.code == code && one.exact > one.bar;
        found.extend(cheated(audit.cheats.iter().filter(above).collect(), &places));
    }
    found.extend(overlap(audit, &places));
    found.extend(repeats(audit, &places));
    found.extend(audit.classes.iter().filter_map(|classes| unbalanced(classes, &places)));
    found.extend(audit.places.iter().filter_map(|one| biased(one, &places)));
    found.extend(audit.branches.iter().filter_map(|branch| never_taken(branch, audit)));
    for code in ["L622", "L623"] {
        let above = |one: &&Changed| one.code == code && one.passes > one.bar;
        found.extend(changed(audit.changes.iter().filter(above).collect(), &places));
    }
    let exact = |one: &&Cheated| one.exact > one.bar;
    let paid = |one: &&Cheated| one.score_bar.is_some_and(|bar| one.score > bar) && !exact(one);
    found.extend(self::paid(audit.cheats.iter().filter(paid).collect(), &places));
    let above = |one: &&Changed| one.passes > one.bar;
    found.extend(stuffed(audit.stuffed.iter().filter(above).collect(), &places));
    found.extend(audit.repeated.as_ref().map(repeated));
    found
}

/// Places in the template's text.
struct Spans<'a> {
    program: &'a Program,
}

impl Spans<'_> {
    /// Where the first value is bound of which this holds.
    fn first(&self, is_it: impl Fn(&Slot) -> bool) -> Span {
        let steps = &self.program.steps;
        let stored = steps.iter().find(|step| match step.op {
            Op::Store(slot, _) => is_it(&self.program.slots[slot as usize]),
            _ => false,
        });
        stored.map_or(Span::default(), |step| step.span)
    }

    fn output(&self) -> Span {
        self.first(|slot| slot.role == crate::ir::Role::Output)
    }

    fn rule(&self, at: usize) -> Span {
        self.program.rules.get(at).map_or_else(|| self.output(), |rule| rule.span)
    }

    /// A lint at every rule, since all of them let something pass.
    fn at_rules(&self, code: &'static str, title: String, label: &str) -> Diagnostic {
        let lint = Diagnostic::lint(code, title, self.rule(0), label);
        self.program.rules.iter().skip(1).fold(lint, |lint, rule| lint.and(rule.span, "and this"))
    }
}

fn broken(audit: &Audit, rule: &RuleHolds, span: Span) -> Option<Diagnostic> {
    let index = rule.first_broken?;
    let title = format!(
        "rule `{}` holds on {} of the template's own samples, not on all",
        rule.rule,
        percent(rule.holds)
    );
    let label = format!("broken first by sample {index} of seed {}", audit.seed);
    Some(Diagnostic::lint("L610", title, span, label).help(format!(
        "see it with `cookc sample --index {index} -n 1`: write a rule that holds for it too, or \
         draw such that the rule holds",
    )))
}

fn unread(audit: &Audit, places: &Spans) -> Option<Diagnostic> {
    let index = audit.first_unread?;
    let share = percent(audit.reads_back);
    let title = format!("{share} of the replies are read back to their values, not all");
    let label = format!("another value after reading, first in sample {index}");
    let rows = places.program.layout.reply.iter().find_map(|piece| match piece {
        Piece::Rows(rows) if rows.columns().count() > 1 => Some(rows),
        _ => None,
    });
    let names = rows.map(|rows| {
        let name = |(slot, _): (SlotId, _)| &*places.program.slots[slot as usize].name;
        rows.columns().map(name).collect::<Vec<_>>().join("` and `")
    });
    let lint = Diagnostic::lint("L611", title, places.output(), label);
    Some(match names {
        Some(names) => lint.help(format!(
            "make `{names}` as long as one another, with one count: a row has an element of each; \
             or else write a symbol between the values that none of them contains, such as `;`"
        )),
        None => lint.help(
            "write a symbol between the values of the reply that none of them contains, such as \
             `;`",
        ),
    })
}

/// What can only be an error of cookc.
fn ours(audit: &Audit, places: &Spans) -> Vec<Diagnostic> {
    let help = "this is an error of cookc: report it with this template, the level and the seed";
    let mut found = Vec::new();
    if audit.engines_differ > 0 {
        let title = format!("machine code and interpreter differ {} times", audit.engines_differ);
        let lint = Diagnostic::lint("L612", title, places.output(), "drawn or scored differently");
        found.push(lint.help(help));
    }
    for (longest, unit) in [(audit.words, "words"), (audit.bytes, "bytes")] {
        let Longest { made, bound } = longest;
        if made > bound {
            let title = format!("a sample has {made} {unit}, and the bound is {bound}");
            let lint = Diagnostic::lint("L613", title, places.output(), "longer than was proved");
            found.push(lint.help(help));
        }
    }
    found
}

fn cheated(mut above: Vec<&Cheated>, places: &Spans) -> Option<Diagnostic> {
    above.sort_by(|a, b| b.exact.total_cmp(&a.exact));
    let (worst, others) = above.split_first()?;
    let (exact, bar) = (percent(worst.exact), percent(worst.bar));
    let title = format!("{}: right on {exact} of the samples, and {bar} is the bar", worst.cheat);
    let mut help = match (worst.code, worst.cheat.as_str()) {
        (_, "empty reply") => "write a rule that an empty reply breaks",
        (_, "most frequent reply") => {
            "draw such that all replies are equally likely, and write a rule that compares the \
             reply with what the prompt shows"
        }
        ("L614", _) => "write a rule that compares the reply with what the prompt shows",
        ("L615", _) => "write a rule that more than the answer breaks, such as one of its size",
        (_, cheat) if cheat.starts_with("longest") || cheat.starts_with("shortest") => {
            "make all options equally long"
        }
        (_, cheat) if cheat.starts_with("random") => {
            "write a rule that one option alone satisfies, or offer more options"
        }
        _ => "draw the position of the right one, such as with `shuffle`",
    }
    .to_string();
    if !others.is_empty() {
        let others = others.iter().map(|one| format!("{} ({})", one.cheat, percent(one.exact)));
        help += &format!("; the same holds for {}", others.collect::<Vec<_>>().join(", "));
    }
    Some(places.at_rules(worst.code, title, "holds for it").help(help))
}

fn overlap(audit: &Audit, places: &Spans) -> Option<Diagnostic> {
    if audit.overlap == 0 {
        return None;
    }
    let prompts = if audit.overlap == 1 { "prompt is" } else { "prompts are" };
    let title = format!("{} {prompts} in the training and in the held-out split", audit.overlap);
    let span = places.first(|slot| slot.drawn);
    Some(
        Diagnostic::lint("L617", title, span, "the prompt shows too little of what is drawn").help(
            "write larger parameters, or show more drawn values, until there are a hundred prompts",
        ),
    )
}

fn repeats(audit: &Audit, places: &Spans) -> Option<Diagnostic> {
    if audit.distinct >= DISTINCT_BAR {
        return None;
    }
    let (found, bar) = (percent(audit.distinct), percent(DISTINCT_BAR));
    let title = format!("{found} of the samples differ from all before them; {bar} is the bar");
    let span = places.first(|slot| slot.drawn);
    Some(
        Diagnostic::lint("L618", title, span, "few different values")
            .help("write larger parameters, or draw more of what is shown"),
    )
}

fn unbalanced(classes: &Classes, places: &Spans) -> Option<Diagnostic> {
    let Classes { output, values, most, least, most_bar, least_bar } = classes;
    if most.1 <= *most_bar && least.1 >= *least_bar {
        return None;
    }
    let (often, rarely) = (percent(most.1), percent(least.1));
    let title = format!(
        "`{output}` is `{}` in {often} of the samples, and `{}` in {rarely}",
        most.0, least.0
    );
    let label = format!(
        "{values} values: none may have more than {} or less than {}",
        percent(*most_bar),
        percent(*least_bar)
    );
    Some(Diagnostic::lint("L619", title, places.first(|slot| slot.name == *output), label).help(
        "draw first which value the answer has, each as likely, and make the rest such that it is \
         right",
    ))
}

fn biased(found: &Places, places: &Spans) -> Option<Diagnostic> {
    if !found.biased {
        return None;
    }
    let over = |at: &usize| found.shares[*at] - found.fair[*at];
    let most = (0..found.shares.len()).max_by(|a, b| over(a).total_cmp(&over(b)))?;
    let (share, fair) = (percent(found.shares[most]), percent(found.fair[most]));
    let title =
        format!("the answer is {} of `{}` in {share} of the samples", found.part(most), found.list);
    let title = title.replace("of `the list`", "of the list");
    let label = format!(
        "{fair} is fair; Cohen's w is {:.2}, and {:.2} is the bar",
        found.effect, found.bar
    );
    Some(
        Diagnostic::lint("L620", title, places.output(), label)
            .help("draw its position: shuffle the list, or take the answer from any part of it"),
    )
}

fn never_taken(branch: &Branch, audit: &Audit) -> Option<Diagnostic> {
    let (label, other) = match (branch.taken, branch.otherwise) {
        (0, 0) => return None,
        (_, 0) => ("its condition is always true", "false"),
        (0, _) => ("its condition is always false", "true"),
        _ => return None,
    };
    let title = format!("one branch of this `if` is never taken in {} samples", audit.compared);
    let span = Span::new(branch.start, branch.end);
    Some(Diagnostic::lint("L621", title, span, label).help(format!(
        "draw such that it is {other} in some samples, or write the other branch alone"
    )))
}

/// What has no right reply, and is paid by some rules.
fn paid(mut above: Vec<&Cheated>, places: &Spans) -> Option<Diagnostic> {
    above.sort_by(|a, b| b.score.total_cmp(&a.score));
    let (worst, others) = above.split_first()?;
    let (score, bar) = (percent(worst.score), percent(worst.score_bar.unwrap_or(worst.bar)));
    let title = format!("{}: the mean of the rules is {score}, and {bar} is the bar", worst.cheat);
    let mut help = "write rules that it breaks: into a rule that holds for it, write what the \
                    others ask for, such as `size(answer) > 0 and …`"
        .to_string();
    if !others.is_empty() {
        let others = others.iter().map(|one| format!("{} ({})", one.cheat, percent(one.score)));
        help += &format!("; the same holds for {}", others.collect::<Vec<_>>().join(", "));
    }
    Some(places.at_rules("L624", title, "pays for it").help(help))
}

/// What says more than the answer, and is right.
fn stuffed(mut above: Vec<&Changed>, places: &Spans) -> Option<Diagnostic> {
    above.sort_by(|a, b| b.passes.total_cmp(&a.passes));
    let (worst, others) = above.split_first()?;
    let (passes, bar) = (percent(worst.passes), percent(worst.bar));
    let title = format!("{}: still right in {passes} of the tries; {bar} is the bar", worst.change);
    let mut help =
        "write a rule that says how much a reply may have, or what: `all word in answer: word in \
         vocab`, or of a text `answer in [\"yes\", \"no\"]`"
            .to_string();
    if !others.is_empty() {
        let others = others.iter().map(|one| format!("{} ({})", one.change, percent(one.passes)));
        help += &format!("; the same holds for {}", others.collect::<Vec<_>>().join(", "));
    }
    Some(places.at_rules("L625", title, "holds for it").help(help))
}

/// The advice to say the answer another way.
fn repeated(found: &Repeated) -> Diagnostic {
    let Repeated { rule, output, function, start, end, function_start, function_end } = found;
    let title = format!("the rule `{rule}` repeats how `{output}` is computed");
    let span = Span::new(*start, *end);
    Diagnostic::lint("L626", title, span, "the same as what it is compared with")
        .and(Span::new(*function_start, *function_end), "nothing says what it should return")
        .help(format!(
            "above `{function}`, write an example that you worked out by hand, four spaces behind \
             `///`, such as `///     {function}(…) == …`; or write a rule that says it another way"
        ))
}

fn changed(mut above: Vec<&Changed>, places: &Spans) -> Option<Diagnostic> {
    above.sort_by(|a, b| b.passes.total_cmp(&a.passes));
    let (worst, others) = above.split_first()?;
    let (passes, bar) = (percent(worst.passes), percent(worst.bar));
    let title = format!("{}: still right in {passes} of the tries; {bar} is the bar", worst.change);
    let mut help = match worst.code {
        "L622" => "write a rule that decides every word of the reply".to_string(),
        _ => "write a rule about the order, or `// allow L623: the order is free`".to_string(),
    };
    if !others.is_empty() {
        let others = others.iter().map(|one| format!("{} ({})", one.change, percent(one.passes)));
        help += &format!("; the same holds for {}", others.collect::<Vec<_>>().join(", "));
    }
    Some(places.at_rules(worst.code, title, "holds for it").help(help))
}
