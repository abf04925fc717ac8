//! What a study found, in plain sentences: what is not significant is said to be so.

use super::figures::Figure;
use super::report::{Accuracy, Correlation, OfRecipe, Row};

/// The largest changes that a sentence names.
const NAMED: usize = 5;
/// The arms that learn rules.
const TEMPLATES: [&str; 3] = ["singles", "mixture", "uniform"];
/// A gain in accuracy that is worth an explanation.
const GAIN: f64 = 0.02;

/// The sentences.
pub fn findings(recipes: &[OfRecipe], correlations: &[Row]) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(learned(recipes));
    let changed = changes(recipes, &TEMPLATES, |one| one.change);
    let of_targets = |kind| recipes.iter().flat_map(|it| &it.targets).any(|it| it.kind == kind);
    let what = match of_targets("held-out") {
        true => "changes in accuracy on tasks and on templates that are not trained on",
        false => "changes in accuracy on tasks",
    };
    all.extend(sentence(what, &changed));
    for (arm, what) in [
        ("shuffled", "changes in accuracy by training on shuffled replies"),
        ("text", "changes in accuracy by training on natural text"),
    ] {
        all.extend(sentence(what, &changes(recipes, &[arm], |one| one.change)));
    }
    let beside = changes(recipes, &TEMPLATES, |one| one.beside_shuffled);
    match beside.is_empty() {
        true if changed.is_empty() => {}
        true => all.push(
            "No model was trained on shuffled replies, so a change may come from the format alone."
                .to_string(),
        ),
        false => all.extend(sentence("differences to the model of shuffled replies", &beside)),
    }
    let beside = changes(recipes, &TEMPLATES, |one| one.beside_text);
    all.extend(sentence("differences to the model of natural text", &beside));
    all.extend(correlations.iter().filter_map(correlated));
    all.extend(preferences(recipes));
    all.extend(forgotten(recipes));
    all.extend(untold(correlations));
    all
}

/// How many templates were learned at all: what is not learned cannot help elsewhere.
fn learned(recipes: &[OfRecipe]) -> Option<String> {
    let mut all = 0;
    let mut poor = Vec::new();
    for recipe in recipes {
        for model in recipe.models.iter().filter(|model| model.arm == "singles") {
            let own = recipe.accuracy.iter();
            let Some(own) = own.into_iter().find(|one| {
                one.model == model.name
                    && one.target == model.name
                    && of_kind(recipe, &one.target) == "own"
            }) else {
                continue;
            };
            all += 1;
            let is_better = own.change.is_some_and(|it| it.value > 0.0 && it.is_significant());
            if !is_better {
                poor.push(format!("{} ({})", model.name, recipe.name));
            }
        }
    }
    let better = all - poor.len();
    let rest = match poor.is_empty() {
        true => String::new(),
        false => format!(" Not so: {}; what was not learned cannot help elsewhere.", named(&poor)),
    };
    (all > 0).then(|| {
        format!(
            "Templates trained alone: {better} of {all} answer their own held-out samples exactly \
             more often than the base, beyond the interval.{rest}"
        )
    })
}

/// Changes of models of some arms in what they are not trained on, with their names.
fn changes(
    recipes: &[OfRecipe],
    arms: &[&str],
    of: fn(&Accuracy) -> Option<Figure>,
) -> Vec<(String, Figure)> {
    let mut all = Vec::new();
    for recipe in recipes {
        let others = recipe.accuracy.iter().filter(|one| of_kind(recipe, &one.target) != "own");
        for one in others {
            let is_meant =
                recipe.models.iter().any(|it| it.name == one.model && arms.contains(&it.arm));
            if let Some(figure) = of(one).filter(|_| is_meant) {
                all.push((format!("{}, {}, {}", recipe.name, one.model, one.target), figure));
            }
        }
    }
    all
}

fn of_kind(recipe: &OfRecipe, target: &str) -> &'static str {
    recipe.targets.iter().find(|one| one.name == target).map_or("own", |one| one.kind)
}

/// How many of some changes have an interval on one side of 0, and the largest of these.
fn sentence(what: &str, all: &[(String, Figure)]) -> Option<String> {
    if all.is_empty() {
        return None;
    }
    let mut found: Vec<&(String, Figure)> =
        all.iter().filter(|(_, figure)| figure.is_significant()).collect();
    found.sort_by(|a, b| b.1.value.abs().total_cmp(&a.1.value.abs()));
    let count = all.len();
    let chance = 0.05 * count as f64;
    if found.is_empty() {
        return Some(format!(
            "{}: none of {count} is significant: every interval of 95 % holds 0.",
            capital(what)
        ));
    }
    let largest =
        found.iter().take(NAMED).map(|(name, figure)| format!("{name} {}", signed(figure)));
    let largest: Vec<String> = largest.collect();
    Some(format!(
        "{}: {} of {count} with an interval of 95 % without 0, where chance alone would give \
         about {chance:.1}. The largest: {}.",
        capital(what),
        found.len(),
        largest.join("; ")
    ))
}

/// `+0.050 (0.010 to 0.090)`
pub fn signed(figure: &Figure) -> String {
    let interval = figure.low.zip(figure.high);
    let interval = interval.map(|(low, high)| format!(" ({low:+.3} to {high:+.3})"));
    format!("{:+.3}{}", figure.value, interval.unwrap_or_default())
}

fn correlated(row: &Row) -> Option<String> {
    let (pearson, spearman) = (row.pearson.as_ref()?, row.spearman.as_ref()?);
    let one = |name: &str, it: &Correlation| {
        let ends = it.low.zip(it.high);
        let ends = ends.map(|(low, high)| format!(" ({low:.2} to {high:.2})"));
        let p = if it.p < 0.0005 { "p < 0.001".to_string() } else { format!("p = {:.3}", it.p) };
        format!("{name} {:.2}{}, {p}", it.value, ends.unwrap_or_default())
    };
    let verdict = match pearson.is_significant() && spearman.is_significant() {
        true if pearson.value < 0.0 => "accuracy falls where alignment rises",
        true => "alignment and accuracy change together",
        false if pearson.low.is_none() => "too few models for an interval",
        false => "no significant correlation of alignment and accuracy",
    };
    Some(format!(
        "{}: {verdict}, over {} cells of {} model{}: {}; {}.",
        capital(row.about),
        row.cells,
        row.models,
        if row.models == 1 { "" } else { "s" },
        one("Pearson", pearson),
        one("Spearman", spearman)
    ))
}

/// Of what no correlation can be told, and why.
fn untold(correlations: &[Row]) -> Option<String> {
    let is_untold = |row: &&Row| row.pearson.is_none() || row.spearman.is_none();
    let each = correlations.iter().filter(is_untold).map(|row| {
        format!("{} ({})", row.about, row.refusal.as_deref().unwrap_or("there are too few cells"))
    });
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| {
        format!("No correlation of alignment and accuracy can be told of {}.", each.join("; "))
    })
}

/// Where most of a gain in accuracy is what the shares of the chosen options give by themselves.
fn preferences(recipes: &[OfRecipe]) -> Option<String> {
    let mut all = Vec::new();
    let mut gains = 0;
    for recipe in recipes {
        for one in recipe.labels.iter().filter(|one| one.model != "base") {
            let base = recipe.labels.iter();
            let base = base.into_iter().find(|it| it.model == "base" && it.target == one.target);
            let Some(base) = base else { continue };
            let change = one.accuracy.value - base.accuracy.value;
            gains += usize::from(change > GAIN);
            let shares = one.by_shares - base.by_shares;
            let balanced = one.balanced.value - base.balanced.value;
            if change > GAIN && shares > change / 2.0 {
                all.push(format!(
                    "{}, {}, {}: accuracy {change:+.3}, by the shares alone {shares:+.3}, balanced \
                     {balanced:+.3}",
                    recipe.name, one.model, one.target
                ));
            }
        }
    }
    match (gains, all.is_empty()) {
        (0, _) => None,
        (_, true) => Some(format!(
            "Of {gains} gains in accuracy above {GAIN} in tasks of choice, none is for the most \
             part a changed preference for an option."
        )),
        _ => Some(format!(
            "Of {gains} gains in accuracy above {GAIN} in tasks of choice, {} {} for the most \
             part a changed preference for an option, which needs no rule: {}.",
            all.len(),
            if all.len() == 1 { "is" } else { "are" },
            named(&all)
        )),
    }
}

fn forgotten(recipes: &[OfRecipe]) -> Vec<String> {
    let of = |recipe: &OfRecipe| {
        let english = recipe.english.as_ref()?;
        let worst = english.models.iter().filter_map(|one| Some((one, one.change?)));
        let (worst, change) = worst.max_by(|a, b| a.1.value.total_cmp(&b.1.value))?;
        let base = english.models.first()?;
        Some(format!(
            "{}: the loss of plain English is {:.3} nats a token before, and changes most with {}: \
             {}.",
            recipe.name,
            base.loss.value,
            worst.model,
            signed(&change)
        ))
    };
    recipes.iter().filter_map(of).collect()
}

fn named(all: &[String]) -> String {
    let shown = all.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    match all.len() > NAMED {
        true => format!("{shown}; and {} more", all.len() - NAMED),
        false => shown,
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
