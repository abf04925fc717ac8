//! Which options models choose: a changed preference for one explains an accuracy as well as a
//! rule.

use super::figures::{self, Figure};
use super::observe::{ModelOf, Observed, TargetOf};
use super::report::Labels;

/// Of every model and task in which it chooses.
pub fn labels(of: &Observed) -> Vec<Labels> {
    let choices = || of.targets.iter().enumerate().filter(|(_, target)| !target.labels.is_empty());
    let model =
        |model| choices().filter_map(move |(at, target)| labels_of(of, model, (at, target)));
    of.models.iter().flat_map(model).collect()
}

fn labels_of(of: &Observed, model: &ModelOf, (at, target): (usize, &TargetOf)) -> Option<Labels> {
    let chosen: Vec<&Vec<Option<usize>>> =
        model.seeds.iter().map(|seed| &seed.chosen[at]).collect();
    let items = target.right.len() as f64;
    let count = target.labels.len();
    let share = |of: &[Option<usize>], label: usize| {
        of.iter().filter(|one| **one == Some(label)).count() as f64 / items
    };
    let right: Vec<f64> = (0..count).map(|label| share(&target.right, label)).collect();
    let chosen_of = |label| figures::average(chosen.iter().map(|seed| share(seed, label)));
    let shares: Vec<f64> = (0..count).map(chosen_of).collect::<Option<_>>()?;
    let hits: Vec<Vec<Option<f64>>> = chosen
        .iter()
        .map(|seed| {
            let both = seed.iter().zip(&target.right);
            both.map(|(chosen, right)| Some(f64::from(u8::from(chosen == right)))).collect()
        })
        .collect();
    Some(Labels {
        model: of.name_of(model),
        target: target.name.clone(),
        labels: target.labels.clone(),
        by_shares: right.iter().zip(&shares).map(|(right, chosen)| right * chosen).sum(),
        right,
        chosen: shares,
        accuracy: figures::mean(&hits)?,
        balanced: balanced(&hits, target)?,
    })
}

/// The mean over options of the accuracy on the items of which that option is right.
fn balanced(hits: &[Vec<Option<f64>>], target: &TargetOf) -> Option<Figure> {
    let mut recalls = Vec::new();
    for label in 0..target.labels.len() {
        let kept = |seed: &Vec<Option<f64>>| {
            let both = seed.iter().zip(&target.right);
            both.map(|(hit, right)| hit.filter(|_| *right == Some(label))).collect()
        };
        let of_label: Vec<Vec<Option<f64>>> = hits.iter().map(kept).collect();
        recalls.extend(figures::mean(&of_label));
    }
    let count = recalls.len() as f64;
    let value = figures::average(recalls.iter().map(|recall| recall.value))?;
    let squares: Option<f64> =
        recalls.iter().map(|recall| recall.error.map(|error| error.powi(2))).sum();
    let items = recalls.iter().map(|recall| recall.items).sum();
    Some(Figure::new(value, squares.map(|sum| sum.sqrt() / count), items))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_always_says_one_label_has_the_balanced_accuracy_of_chance() {
        let right = [0, 0, 0, 1].map(Some).to_vec();
        let target = TargetOf {
            name: "task".into(),
            metric: "acc".into(),
            template: None,
            labels: vec!["yes".into(), "no".into()],
            right,
        };
        let hits = [vec![Some(1.0), Some(1.0), Some(1.0), Some(0.0)]];
        let found = balanced(&hits, &target).expect("four items");
        assert_eq!((found.value, found.items), (0.5, 4));
    }
}
