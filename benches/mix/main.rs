//! The log-linear fit on RegMix's published tables (Liu and others, 2024, arXiv 2407.01492): losses
//! of models on mixtures that the fit has not seen, ranked by it.
//!
//! `cargo bench --bench mix -- DIR`, where DIR holds `train_mixture_1m.csv`,
//! `train_pile_loss_1m.csv` and `test_mixture_*.csv`, `test_pile_loss_*.csv` of the repository
//! sail-sg/regmix. A line of JSON a domain and size; `pile_cc` is the domain of the paper's
//! figures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cookc::mix::log_linear::Fit;
use cookc::mix::statistics::{spearman, with_interval};
use serde_json::json;

/// A file's columns, and its rows by their index.
struct Table {
    columns: Vec<String>,
    rows: BTreeMap<String, Vec<f64>>,
}

fn read(path: &Path) -> Table {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let mut lines = text.lines();
    let header = lines.next().expect("a header").split(',').skip(1);
    let columns = header.map(|name| name.replace("metric/", "").replace("_val_loss", "")).collect();
    let row = |line: &str| {
        let mut cells = line.split(',');
        let index = cells.next()?.to_string();
        let numbers: Result<Vec<f64>, _> = cells.map(str::parse).collect();
        Some((index, numbers.ok()?))
    };
    Table { columns, rows: lines.filter_map(row).collect() }
}

/// Mixtures with the losses in a domain.
fn joined(mixtures: &Table, losses: &Table, domain: &str) -> (Vec<Vec<f64>>, Vec<f64>) {
    let at = losses.columns.iter().position(|name| name == domain).expect("a domain of both");
    let both = mixtures.rows.iter().filter_map(|(index, mixture)| {
        let sum: f64 = mixture.iter().sum();
        let shares = mixture.iter().map(|share| share / sum).collect::<Vec<f64>>();
        losses.rows.get(index).map(|row| (shares, row[at]))
    });
    both.unzip()
}

fn main() {
    let folder = std::env::args().skip(1).find(|it| !it.starts_with('-')).map(PathBuf::from);
    let Some(folder) = folder else {
        eprintln!("name the folder of RegMix's tables: cargo bench --bench mix -- DIR");
        return;
    };
    let file = |name: &str| read(&folder.join(name));
    let (mixtures, losses) = (file("train_mixture_1m.csv"), file("train_pile_loss_1m.csv"));
    for domain in &losses.columns {
        let (seen, of_seen) = joined(&mixtures, &losses, domain);
        let fit = Fit::of(&seen, &of_seen);
        for size in ["1m", "60m", "1B"] {
            let mixtures = file(&format!("test_mixture_{size}.csv"));
            let losses = file(&format!("test_pile_loss_{size}.csv"));
            let (unseen, wanted) = joined(&mixtures, &losses, domain);
            let predicted = unseen.iter().map(|mixture| fit.loss(mixture));
            let pairs: Vec<(f64, f64)> = predicted.zip(wanted).collect();
            let found = with_interval(&pairs, spearman, 0).expect("losses differ");
            let line = json!({
                "domain": domain.trim_start_matches("the_pile_"), "models": size,
                "runs": of_seen.len(), "mixtures": pairs.len(), "spearman": found.value,
                "low": found.low, "high": found.high,
            });
            println!("{line}");
        }
    }
}
