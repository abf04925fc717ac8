//! Change in alignment against change in accuracy: correlations over cells, with their intervals,
//! and beside what shuffled rules give.

use std::collections::{BTreeMap, BTreeSet};

use super::report::{Cell, Correlation, OfRecipe, Row};
use crate::mix::statistics::{pearson, spearman};
use crate::runtime::RunKey;
use crate::runtime::random;

/// Fewer cells than these say nothing.
const CELLS_MIN: usize = 4;
/// Fewer models than these have no interval: too few of their resamples differ.
const MODELS_MIN: usize = 5;
/// Resamples of the models, and shuffles of the rules.
const RESAMPLES: u64 = 2000;

/// Which cells a row is over: its name, what it is in words, and the cells.
type Which = (&'static str, &'static str, fn(&Cell) -> bool);

const ROWS: [Which; 6] = [
    ("own rules", "each template alone, by its own rules, on tasks", |cell| {
        cell.kind == "task" && cell.is_own
    }),
    (
        "other rules",
        "control: each template alone, by the rules of other templates, on tasks",
        |cell| cell.kind == "task" && cell.arm == "singles" && !cell.is_own,
    ),
    ("all rules", "all models of templates, by the rules of all, on tasks", |cell| {
        cell.kind == "task" && ["singles", "mixture", "uniform"].contains(&cell.arm)
    }),
    ("shuffled replies", "control: trained on shuffled replies, on tasks", |cell| {
        cell.kind == "task" && cell.arm == "shuffled"
    }),
    ("natural text", "control: trained on natural text alone, on tasks", |cell| {
        cell.kind == "task" && cell.arm == "text"
    }),
    (
        "held-out templates",
        "held-out templates: the same rules say what is aligned and what is right",
        |cell| cell.kind == "held-out" && ["singles", "mixture", "uniform"].contains(&cell.arm),
    ),
];

/// A cell as a point, and the number of its model.
type Point = (usize, (f64, f64));

/// A row for each kind of cell that there is.
pub fn correlations(recipes: &[OfRecipe]) -> Vec<Row> {
    let row = |(over, about, is): &Which| {
        let mut numbers = BTreeMap::new();
        let mut points: Vec<Point> = Vec::new();
        for recipe in recipes {
            for cell in recipe.cells.iter().filter(|cell| is(cell)) {
                let count = numbers.len();
                let model = *numbers.entry((&recipe.name, &cell.model)).or_insert(count);
                points.push((model, (cell.alignment.value, cell.accuracy.value)));
            }
        }
        let row = Row {
            over,
            about,
            cells: points.len(),
            models: numbers.len(),
            pearson: correlation(&points, pearson),
            spearman: correlation(&points, spearman),
            refusal: None,
        };
        let why = match () {
            () if points.len() < CELLS_MIN => {
                format!("{CELLS_MIN} cells are needed, and there are {}", points.len())
            }
            () => "alignment or accuracy changes nowhere".to_string(),
        };
        let refusal = row.pearson.is_none().then_some(why);
        (!points.is_empty()).then_some(Row { refusal, ..row })
    };
    ROWS.iter().filter_map(row).collect()
}

/// A correlation with the interval that resampled models give (a model's cells stay together, since
/// they share its answers), and with what it is where each cell has another one's alignment.
fn correlation(points: &[Point], of: fn(&[(f64, f64)]) -> Option<f64>) -> Option<Correlation> {
    if points.len() < CELLS_MIN {
        return None;
    }
    let pairs: Vec<(f64, f64)> = points.iter().map(|(_, pair)| *pair).collect();
    let value = of(&pairs)?;
    let models = points.iter().map(|(model, _)| model + 1).max().unwrap_or(0);
    let key = RunKey::new("", "", "study", 0);
    let (bootstrap, shuffle) = (key.stream("bootstrap"), key.stream("shuffle"));
    let resampled = |index: u64| {
        let mut stream = random::start(&bootstrap, index);
        let mut drawn = Vec::new();
        for _ in 0..models {
            let model = stream.below(models as u32) as usize;
            drawn.extend(points.iter().filter(|(of, _)| *of == model).map(|(_, pair)| *pair));
        }
        of(&drawn)
    };
    let shuffled = |index: u64| {
        let mut stream = random::start(&shuffle, index);
        let mut pairs = pairs.clone();
        for last in (1..pairs.len()).rev() {
            let other = stream.below(last as u32 + 1) as usize;
            let first = pairs[last].0;
            pairs[last].0 = pairs[other].0;
            pairs[other].0 = first;
        }
        of(&pairs)
    };
    let sorted = |one: &dyn Fn(u64) -> Option<f64>| {
        let mut all: Vec<f64> = (0..RESAMPLES).filter_map(one).collect();
        all.sort_by(f64::total_cmp);
        all
    };
    let (resampled, shuffled) = (sorted(&resampled), sorted(&shuffled));
    let at = |all: &[f64], share: f64| {
        all.get(((all.len().max(1) - 1) as f64 * share).round() as usize).copied()
    };
    // A shuffle that gives the same but for rounding is as far.
    let far = shuffled.iter().filter(|one| one.abs() >= value.abs() - 1e-9).count();
    let of_models = points.iter().map(|(model, _)| model).collect::<BTreeSet<_>>().len();
    let end = |share: f64| at(&resampled, share).filter(|_| of_models >= MODELS_MIN);
    Some(Correlation {
        value,
        low: end(0.025),
        high: end(0.975),
        shuffled_low: at(&shuffled, 0.025)?,
        shuffled_high: at(&shuffled, 0.975)?,
        p: (far + 1) as f64 / (shuffled.len() + 1) as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(of: impl Fn(f64) -> f64) -> Vec<Point> {
        (0..24).map(|at| (at / 2, (at as f64, of(at as f64)))).collect()
    }

    #[test]
    fn what_goes_together_is_beyond_what_shuffled_rules_give() {
        let found = correlation(&points(|x| 2.0 * x + (x * 17.0) % 5.0), pearson).expect("cells");
        assert!(found.is_significant() && found.value > 0.9 && found.p < 0.001, "{found:?}");
        assert!(found.shuffled_low < 0.0 && found.shuffled_high > 0.0, "{found:?}");
    }

    #[test]
    fn what_does_not_go_together_is_not_significant() {
        let found = correlation(&points(|x| (x * 7919.0) % 13.0), spearman).expect("cells");
        assert!(!found.is_significant() && found.p > 0.05, "{found:?}");
        assert!(found.low < Some(0.0) && found.high > Some(0.0), "{found:?}");
    }

    #[test]
    fn few_models_have_no_interval_and_are_not_significant() {
        let of_two: Vec<Point> = points(|x| x).into_iter().map(|(at, it)| (at % 2, it)).collect();
        let found = correlation(&of_two, pearson).expect("cells");
        assert!(found.low.is_none() && !found.is_significant(), "{found:?}");
    }

    #[test]
    fn few_cells_say_nothing() {
        assert_eq!(correlation(&points(|x| x)[..3], pearson), None);
        assert_eq!(correlation(&points(|_| 1.0), pearson), None);
    }
}
