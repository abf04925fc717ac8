//! Every item by itself: what `items.jsonl` holds.

use serde_json::{Map, Value, json};

use super::observe::{Observed, SeedOf};

/// A line an item of each target and seed.
pub fn lines(of: &Observed) -> String {
    let mut text = String::new();
    for (at, seed) in of.seeds.iter().enumerate() {
        for target in 0..of.targets.len() {
            let items = of.models.first().map_or(0, |base| base.seeds[at].right[target].len());
            for item in 0..items {
                text += &format!("{}\n", line(of, (at, *seed), (target, item)));
            }
        }
    }
    text
}

fn line(of: &Observed, (at, seed): (usize, u64), (target, item): (usize, usize)) -> Value {
    let by_model = |value: &dyn Fn(&SeedOf) -> Value| -> Map<String, Value> {
        of.models.iter().map(|model| (of.name_of(model), value(&model.seeds[at]))).collect()
    };
    let pairs = of.pairs.iter().enumerate().filter(|(_, pair)| pair.target == target);
    let aligned: Map<String, Value> = pairs
        .map(|(number, pair)| {
            let scores = by_model(&|seed| json!(seed.aligned[number][item]));
            let of_pair = json!({ "right": pair.right[item], "models": scores });
            (of.templates[pair.template].name.clone(), of_pair)
        })
        .collect();
    let is_choice = !of.targets[target].labels.is_empty();
    json!({
        "recipe": of.name,
        "seed": seed,
        "target": of.targets[target].name,
        "item": item,
        "right": by_model(&|seed| json!(seed.right[target][item])),
        "chosen": is_choice.then(|| by_model(&|seed| json!(seed.chosen[target][item]))),
        "alignment": aligned,
    })
}
