//! What decides the bits of a run and of a model's answers, as the names of kept folders and files.

use serde_json::{Value, json};

use super::answers::Targets;
use crate::run::Setup;
use crate::run::fingerprint::Fingerprint;
use crate::template::Error;

/// Letters of a digest in the name of a folder.
const LETTERS: usize = 16;

/// Of some texts.
pub fn key(texts: &[&str]) -> String {
    let text = json!(texts).to_string();
    blake3::hash(text.as_bytes()).to_hex()[..LETTERS].to_string()
}

/// Of the run of a setup's recipe: the templates that it is not trained on decide nothing, so one
/// more of them, or another one, leaves the run as it is.
pub fn of_run(setup: &Setup) -> Result<String, Error> {
    let weights: Vec<f64> = setup.recipe.templates.iter().map(|entry| entry.weight).collect();
    Ok(key(&[&parts(setup, &|at| weights[at] > 0.0, true)?]))
}

/// Of the model before training.
pub fn of_base(setup: &Setup) -> Result<String, Error> {
    Ok(key(&["base", &parts(setup, &|_| false, true)?]))
}

/// Of the questions of a target, by its number.
pub fn of_target(setup: &Setup, targets: &Targets, number: usize) -> Result<String, Error> {
    let template = match targets.at(number) {
        Ok(asked) => {
            let (task, items) = (&asked.task, &asked.items);
            let mut text =
                format!("{} {} {:?} {}\n", task.name, task.version, task.main, asked.shots);
            for (item, _) in items {
                text += &format!("{item:?}\n");
            }
            return Ok(key(&["task", &text]));
        }
        Err(template) => template,
    };
    let text = parts(setup, &|at| at == template, false)?;
    Ok(key(&["template", &targets.samples.to_string(), &text]))
}

/// The parts of a fingerprint: of some templates, which are numbered anew and have no weight, and,
/// if wanted, the rest.
fn parts(setup: &Setup, is_kept: &dyn Fn(usize) -> bool, rest: bool) -> Result<String, Error> {
    let Value::Object(all) = Fingerprint::of(setup)?.to_json() else { return Ok(String::new()) };
    let mut lines = Vec::new();
    for (name, value) in &all {
        match of_template(name) {
            None if rest => lines.push(format!("{name}: {value}")),
            None => {}
            Some((_, at, _)) if !is_kept(at) => {}
            // Without the rest, what is asked of a template does not depend on its weight.
            Some((_, _, ".weight")) if !rest => {}
            Some((before, at, after)) => {
                let number = (0..=at).filter(|at| is_kept(*at)).count();
                lines.push(format!("{before}template {number}{after}: {value}"));
            }
        }
    }
    Ok(lines.join("\n"))
}

/// A part's name that has a template's number in it: what is before, the index, and what is after.
fn of_template(name: &str) -> Option<(&str, usize, &str)> {
    let at = name.find("template ")?;
    let (before, rest) = (&name[..at], &name[at + "template ".len()..]);
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let number: usize = rest[..end].parse().ok()?;
    Some((before, number.checked_sub(1)?, &rest[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_template_is_told_by_its_number() {
        assert_eq!(of_template("template 12.set.length"), Some(("", 11, ".set.length")));
        assert_eq!(of_template("words of template 3"), Some(("words of ", 2, "")));
        assert_eq!(of_template("train.steps"), None);
    }
}
