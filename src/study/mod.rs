//! The paper's analysis with controls: do the rules that a model was trained on hold of its answers
//! to other tasks, and is it right more often where they do?

mod analysis;
mod arms;
mod correlations;
mod drawing;
mod english;
mod figures;
mod findings;
mod items;
mod labels;
mod observe;
mod page;
mod pairs;
mod report;
mod tables;

use std::path::PathBuf;

use crate::run::Observer;
use crate::template::Error;
use observe::Ready;

pub use figures::{Figure, Fourfold};
pub use findings::signed;
pub use page::html;
pub use report::{
    Accuracy, Aligned, Alignment, Cell, Correlation, Labels, Loss, OfEnglish, OfModel, OfRecipe,
    OfTarget, Report, Row, Unscored,
};

/// Studies recipes, each with so many seeds from its own on: trains what is not there yet, asks all
/// models, and analyses what they answer.
///
/// # Errors
/// [`Error::Invalid`] and [`Error::Input`] for what does not fit together in any of the recipes,
/// before anything is trained; then as a run has. What is done by then is kept, and found again.
pub fn study(paths: &[PathBuf], seeds: u64, observer: &Observer) -> Result<Report, Error> {
    let mut ready: Vec<Ready> = Vec::new();
    for path in paths {
        let one = Ready::read(path, None, observer)?;
        if let Some(other) = ready.iter().position(|other| other.name() == one.name()) {
            return Err(Error::Input(format!(
                "{} and {} are both called `{}`: write another `name` at the top of one of them",
                paths[other].display(),
                path.display(),
                one.name()
            )));
        }
        if one.runs() == 0 {
            return Err(Error::Input(format!(
                "{}: nothing is trained: write a weight above 0 for a template, or other `arms` \
                 below `[study]`",
                path.display()
            )));
        }
        if !one.has_targets() {
            return Err(Error::Input(format!(
                "{}: nothing is asked that is not trained on: write `[eval.tasks]` and below it \
                 `names = \"gpt4all\"`, or a template with `weight = 0.0`",
                path.display()
            )));
        }
        ready.push(one);
    }
    let (mut recipes, mut items) = (Vec::new(), String::new());
    for one in ready {
        let observed = one.observe(seeds, observer)?;
        recipes.push(analysis::analysed(&observed));
        items += &items::lines(&observed);
    }
    let correlations = correlations::correlations(&recipes);
    Ok(Report {
        version: report::VERSION,
        cookc: env!("CARGO_PKG_VERSION"),
        findings: findings::findings(&recipes, &correlations),
        correlations,
        recipes,
        items,
    })
}
