//! The tables of a study's page, each in a box that scrolls by itself.

use super::drawing::{interval, scale};
use super::figures::{Figure, Fourfold};
use super::report::{Accuracy, Alignment, Cell, Labels, OfEnglish, OfRecipe, OfTarget, Row};
use crate::eval::plot::escaped;

/// A table: its head, then its rows, whose cells are HTML.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head: String = head.iter().map(|name| format!("<th>{name}")).collect();
    let row = |cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("<td>{cell}")).collect();
        format!("<tr>{cells}\n")
    };
    let rows: String = rows.map(row).collect();
    format!("<div class=\"wide\"><table>\n<tr>{head}\n{rows}</table></div>\n")
}

/// `0.512 ± 0.014`
fn mean(figure: &Figure) -> String {
    let error = figure.error.map(|error| format!(" <small>± {error:.3}</small>"));
    format!("{:.3}{}", figure.value, error.unwrap_or_default())
}

/// A change with its interval; strong where that does not hold 0.
fn change(figure: Option<&Figure>) -> String {
    let Some(figure) = figure else { return "–".to_string() };
    let ends = figure.low.zip(figure.high);
    let ends = ends.map(|(low, high)| format!(" <small>{low:+.3} to {high:+.3}</small>"));
    let value = format!("{:+.3}", figure.value);
    let value = if figure.is_significant() { format!("<b>{value}</b>") } else { value };
    value + &ends.unwrap_or_default()
}

/// The correlations.
pub fn correlations(rows: &[Row]) -> String {
    let row = |row: &Row| {
        let mut cells = vec![escaped(row.about), row.cells.to_string(), row.models.to_string()];
        for one in [&row.pearson, &row.spearman] {
            match one {
                Some(it) => {
                    let value = format!("{:.2}", it.value);
                    let value = if it.is_significant() { format!("<b>{value}</b>") } else { value };
                    let ends = it.low.zip(it.high);
                    let ends =
                        ends.map(|(low, high)| format!(" <small>{low:.2} to {high:.2}</small>"));
                    cells.push(value + &ends.unwrap_or_default());
                    cells.push(format!(
                        "{:.3} <small>{:.2} to {:.2}</small>",
                        it.p, it.shuffled_low, it.shuffled_high
                    ));
                }
                None => cells.extend(["–".to_string(), "–".to_string()]),
            }
        }
        cells
    };
    let head = ["cells", "count", "models", "Pearson", "p, shuffled", "Spearman", "p, shuffled"];
    let refusals = rows.iter().filter_map(|row| {
        let why = row.refusal.as_ref()?;
        Some(format!("<p class=\"key\">{}: {}.</p>\n", escaped(row.about), escaped(why)))
    });
    table(&head, rows.iter().map(row)) + &refusals.collect::<String>()
}

/// Each model in a target.
pub fn accuracy(recipe: &OfRecipe, target: &OfTarget) -> String {
    let rows: Vec<&Accuracy> =
        recipe.accuracy.iter().filter(|one| one.target == target.name).collect();
    let scale = scale(rows.iter().filter_map(|one| one.change.as_ref()));
    let has_control = rows.iter().any(|one| one.beside_shuffled.is_some());
    let has_text = rows.iter().any(|one| one.beside_text.is_some());
    let row = |one: &&Accuracy| {
        let mut cells = vec![
            escaped(&one.model),
            mean(&one.accuracy),
            change(one.change.as_ref()),
            one.change.as_ref().map_or(String::new(), |it| interval(it, scale)),
        ];
        cells.extend(has_control.then(|| change(one.beside_shuffled.as_ref())));
        cells.extend(has_text.then(|| change(one.beside_text.as_ref())));
        cells
    };
    let bounds = format!("−{scale} … {scale}");
    let mut head = vec!["model", target.metric.as_str(), "change", &bounds];
    head.extend(has_control.then_some("beside shuffled replies"));
    head.extend(has_text.then_some("beside natural text"));
    table(&head, rows.iter().map(row))
}

/// The rules of a template on a target.
pub fn alignment(recipe: &OfRecipe, of: &Alignment) -> String {
    let cell = |model: &str| -> Option<&Cell> {
        recipe.cells.iter().find(|cell| {
            cell.model == model && cell.template == of.template && cell.target == of.target
        })
    };
    let scale = scale(of.models.iter().filter_map(|one| one.change.as_ref()));
    let right = vec!["right answers".to_string(), mean(&of.right)];
    let right = right.into_iter().chain((0..7).map(|_| String::new())).collect();
    let rows = of.models.iter().map(|one| {
        let cell = cell(&one.model);
        let split = |of: fn(&Cell) -> Option<&Figure>| match cell {
            Some(cell) => change(of(cell)),
            None => "–".to_string(),
        };
        vec![
            escaped(&one.model),
            mean(&one.alignment),
            change(one.change.as_ref()),
            one.change.as_ref().map_or(String::new(), |it| interval(it, scale)),
            split(|cell| Some(&cell.accuracy)),
            split(|cell| cell.obeying.as_ref()),
            split(|cell| cell.others.as_ref()),
            cell.and_then(|cell| cell.newly.as_ref()).map_or("–".to_string(), counts),
            cell.and_then(|cell| cell.newly.as_ref()).map_or("–".to_string(), odds),
        ]
    });
    let bounds = format!("−{scale} … {scale}");
    let head = [
        "model",
        "alignment",
        "change",
        &bounds,
        "change in accuracy",
        "… right answer obeys",
        "… it does not",
        "newly both · right · obeying · neither",
        "odds ratio",
    ];
    table(&head, std::iter::once(right).chain(rows))
}

fn counts(of: &Fourfold) -> String {
    let Fourfold { both, first, second, neither, .. } = of;
    format!("{both:.0} · {first:.0} · {second:.0} · {neither:.0}")
}

fn odds(of: &Fourfold) -> String {
    let value = format!("{:.2}", of.odds_ratio);
    let is_sure = of.low > 1.0 || of.high < 1.0;
    let value = if is_sure { format!("<b>{value}</b>") } else { value };
    format!("{value} <small>{:.2} to {:.2}</small>", of.low, of.high)
}

/// What is chosen in a task.
pub fn labels(rows: &[&Labels]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let names: Vec<String> = first.labels.iter().map(|label| escaped(label)).collect();
    let mut head = vec!["model"];
    head.extend(names.iter().map(String::as_str));
    head.extend(["accuracy", "by these shares alone", "balanced"]);
    let shares = |of: &[f64]| of.iter().map(|share| format!("{share:.2}")).collect::<Vec<_>>();
    let mut right = vec!["right answers".to_string()];
    right.extend(shares(&first.right));
    right.extend(["", "", ""].map(String::from));
    let row = |one: &&Labels| {
        let mut cells = vec![escaped(&one.model)];
        cells.extend(shares(&one.chosen));
        cells.extend([mean(&one.accuracy), format!("{:.3}", one.by_shares), mean(&one.balanced)]);
        cells
    };
    table(&head, std::iter::once(right).chain(rows.iter().map(row)))
}

/// Plain English.
pub fn english(of: &OfEnglish) -> String {
    let scale = scale(of.models.iter().filter_map(|one| one.change.as_ref()));
    let bounds = format!("−{scale} … {scale}");
    let rows = of.models.iter().map(|one| {
        vec![
            escaped(&one.model),
            mean(&one.loss),
            change(one.change.as_ref()),
            one.change.as_ref().map_or(String::new(), |it| interval(it, scale)),
        ]
    });
    table(&["model", "nats a token", "change", &bounds], rows)
}

/// The models, and where they are.
pub fn models(recipe: &OfRecipe) -> String {
    let rows = recipe.models.iter().map(|one| {
        let total: f64 = one.mixture.iter().map(|(_, weight)| weight).sum();
        let mixture: Vec<String> = one
            .mixture
            .iter()
            .map(|(name, weight)| format!("{} {:.2}", escaped(name), weight / total))
            .collect();
        let folders: Vec<String> =
            one.folders.iter().map(|folder| escaped(&folder.to_string_lossy())).collect();
        vec![
            escaped(&one.name),
            one.arm.to_string(),
            mixture.join(", "),
            one.steps.map_or("–".to_string(), |it| format!("{it:.0}")),
            one.tokens.map_or("–".to_string(), |it| format!("{it:.0}")),
            format!("<small>{}</small>", folders.join(" ")),
        ]
    });
    table(&["model", "arm", "templates", "steps", "tokens", "folders"], rows)
}
