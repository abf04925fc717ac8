//! What was observed of a recipe's models, as figures.

use super::figures::{self, Figure, Fourfold};
use super::labels;
use super::observe::{ModelOf, Observed, PairOf, SeedOf, TargetOf};
use super::report::{
    Accuracy, Aligned, Alignment, Cell, Loss, OfEnglish, OfModel, OfRecipe, OfTarget, Unscored,
};
use crate::recipe::Arm;

/// From this on an answer counts as right, where it may be right in part.
const RIGHT: f64 = 0.5;

/// Values by seed and item.
type Values = Vec<Vec<Option<f64>>>;

/// The figures of a recipe.
pub fn analysed(of: &Observed) -> OfRecipe {
    OfRecipe {
        name: of.name.clone(),
        base: of.base.clone(),
        seeds: of.seeds.clone(),
        obeyed: of.obeyed,
        models: of.models.iter().map(|model| of_model(of, model)).collect(),
        targets: (0..of.targets.len()).map(|at| of_target(of, at)).collect(),
        accuracy: accuracies(of),
        alignment: of
            .pairs
            .iter()
            .enumerate()
            .filter_map(|(at, it)| alignment(of, at, it))
            .collect(),
        cells: cells(of),
        labels: labels::labels(of),
        english: english(of),
    }
}

fn arm_of(model: &ModelOf) -> &'static str {
    model.arm.map_or("base", Arm::name)
}

fn of_model(of: &Observed, model: &ModelOf) -> OfModel {
    let both = of.templates.iter().zip(&model.mixture).filter(|(_, weight)| **weight > 0.0);
    let count = |at: usize| {
        let counts = model.seeds.iter().filter_map(|seed| seed.counts);
        figures::average(counts.map(|counts| counts[at]))
    };
    OfModel {
        steps: count(0),
        tokens: count(1),
        name: of.name_of(model),
        arm: arm_of(model),
        mixture: both.map(|(template, weight)| (template.name.clone(), *weight)).collect(),
        folders: model.seeds.iter().map(|seed| seed.folder.clone()).collect(),
    }
}

fn of_target(of: &Observed, at: usize) -> OfTarget {
    let target = &of.targets[at];
    let items = of.models.first().and_then(|base| base.seeds.first());
    OfTarget {
        name: target.name.clone(),
        kind: kind_of(of, target),
        metric: target.metric.clone(),
        items: items.map_or(0, |seed| seed.right[at].len()),
    }
}

/// `task`, `held-out` or `own`.
fn kind_of(of: &Observed, target: &TargetOf) -> &'static str {
    match target.template {
        None => "task",
        Some(at) if of.templates[at].is_trained => "own",
        Some(_) => "held-out",
    }
}

/// How right the answers of a model to a target are.
fn right(model: &ModelOf, target: usize) -> Values {
    model.seeds.iter().map(|seed| seed.right[target].clone()).collect()
}

fn aligned(model: &ModelOf, pair: usize) -> Values {
    model.seeds.iter().map(|seed| seed.aligned[pair].clone()).collect()
}

fn accuracies(of: &Observed) -> Vec<Accuracy> {
    let Some(base) = of.models.first() else { return Vec::new() };
    let control = |arm| of.models.iter().find(|model| model.arm == Some(arm));
    let mut all = Vec::new();
    for model in &of.models {
        for (at, target) in of.targets.iter().enumerate() {
            let values = right(model, at);
            let Some(accuracy) = figures::share(&values) else { continue };
            let beside = |arm| {
                let control = control(arm).filter(|_| model.arm.is_some_and(|own| own != arm))?;
                figures::change(&right(control, at), &values)
            };
            all.push(Accuracy {
                model: of.name_of(model),
                target: target.name.clone(),
                accuracy,
                change: model.arm.and_then(|_| figures::change(&right(base, at), &values)),
                beside_shuffled: beside(Arm::Shuffled),
                beside_text: beside(Arm::Text),
            });
        }
    }
    all
}

fn alignment(of: &Observed, at: usize, pair: &PairOf) -> Option<Alignment> {
    let base = of.models.first()?;
    let models = of.models.iter().filter_map(|model| {
        let values = aligned(model, at);
        Some(Aligned {
            model: of.name_of(model),
            alignment: figures::share(&values)?,
            change: model.arm.and_then(|_| figures::change(&aligned(base, at), &values)),
        })
    });
    Some(Alignment {
        template: of.templates[pair.template].name.clone(),
        target: of.targets[pair.target].name.clone(),
        rules: pair.rules.clone(),
        right: figures::share(std::slice::from_ref(&pair.right))?,
        unscored: pair.unscored.clone().map(|(why, items)| Unscored { items, why }),
        models: models.collect(),
    })
}

/// Each trained model, and each pair of rules and a target that it is not trained on.
fn cells(of: &Observed) -> Vec<Cell> {
    let Some(base) = of.models.first() else { return Vec::new() };
    let mut cells = Vec::new();
    for model in of.models.iter().filter(|model| model.arm.is_some()) {
        for (at, pair) in of.pairs.iter().enumerate() {
            if kind_of(of, &of.targets[pair.target]) != "own" {
                cells.extend(cell(of, (base, model), (at, pair)));
            }
        }
    }
    cells
}

fn cell(
    of: &Observed,
    (base, model): (&ModelOf, &ModelOf),
    (at, pair): (usize, &PairOf),
) -> Option<Cell> {
    let (before, after) = (right(base, pair.target), right(model, pair.target));
    let changes = figures::differences(&before, &after);
    let split = |wanted: bool| {
        let kept = |change: &Vec<Option<f64>>| {
            let both = change.iter().zip(&pair.right);
            both.map(|(change, right)| {
                change.filter(|_| right.is_some_and(|it| (it >= of.obeyed) == wanted))
            })
            .collect()
        };
        figures::mean(&changes.iter().map(kept).collect::<Values>())
    };
    let is_own = model.template.is_some_and(|own| {
        of.templates[own].file == of.templates[pair.template].file
            && model.arm == Some(Arm::Singles)
    });
    let target = &of.targets[pair.target];
    Some(Cell {
        model: of.name_of(model),
        arm: arm_of(model),
        is_own,
        template: of.templates[pair.template].name.clone(),
        target: target.name.clone(),
        kind: kind_of(of, target),
        alignment: figures::change(&aligned(base, at), &aligned(model, at))?,
        accuracy: figures::mean(&changes)?,
        // Held-out samples of a template all have right answers that obey.
        obeying: split(true).filter(|_| target.template.is_none()),
        others: split(false).filter(|_| target.template.is_none()),
        newly: newly(of.obeyed, (base, model), (at, pair.target)),
    })
}

/// Of the items that were neither right nor obeying: which are now. Means over the seeds.
fn newly(
    obeyed: f64,
    (base, model): (&ModelOf, &ModelOf),
    (pair, target): (usize, usize),
) -> Option<Fourfold> {
    let mut counts = [0.0; 4];
    let seeds = base.seeds.len() as f64;
    for (before, after) in base.seeds.iter().zip(&model.seeds) {
        let of = |seed: &SeedOf, item: usize| {
            Some((seed.right[target][item]? >= RIGHT, seed.aligned[pair][item]? >= obeyed))
        };
        for item in 0..before.right[target].len() {
            if of(before, item) != Some((false, false)) {
                continue;
            }
            let Some(now) = of(after, item) else { continue };
            let at = match now {
                (true, true) => 0,
                (true, false) => 1,
                (false, true) => 2,
                (false, false) => 3,
            };
            counts[at] += 1.0 / seeds;
        }
    }
    Fourfold::of(counts)
}

fn english(of: &Observed) -> Option<OfEnglish> {
    let tokens = of.english.as_ref()?;
    let base = of.models.first()?;
    // The mean over the seeds of each row.
    let losses = |model: &ModelOf| -> Option<Vec<f64>> {
        let seeds: Vec<&Vec<f64>> =
            model.seeds.iter().map(|seed| seed.english.as_ref()).collect::<Option<_>>()?;
        let row = |at: usize| figures::average(seeds.iter().map(|seed| seed[at]));
        (0..tokens.len()).map(row).collect()
    };
    let before = losses(base)?;
    let models = of.models.iter().filter_map(|model| {
        let after = losses(model)?;
        let change: Vec<f64> =
            before.iter().zip(&after).map(|(before, after)| after - before).collect();
        let of_seeds = |figure: Figure| with_seeds(figure, model, base, tokens);
        Some(Loss {
            model: of.name_of(model),
            loss: figures::ratio(&after, tokens)?,
            change: match model.arm {
                None => None,
                Some(_) => figures::ratio(&change, tokens).map(of_seeds),
            },
        })
    });
    let models = models.collect();
    Some(OfEnglish { rows: tokens.len(), tokens: tokens.iter().sum(), models })
}

/// A change of the loss with the variance of the seeds beside that of the rows.
fn with_seeds(figure: Figure, model: &ModelOf, base: &ModelOf, tokens: &[f64]) -> Figure {
    let sum = |seed: &SeedOf| seed.english.iter().flatten().sum::<f64>();
    let total: f64 = tokens.iter().sum();
    let both = model.seeds.iter().zip(&base.seeds);
    let seeds: Values =
        vec![both.map(|(after, before)| Some((sum(after) - sum(before)) / total)).collect()];
    let of_seeds = figures::mean(&seeds).and_then(|it| it.error).unwrap_or(0.0);
    let error = figure.error.map(|error| error.hypot(of_seeds));
    Figure::new(figure.value, error, figure.items)
}
