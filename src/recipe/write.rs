//! A resolved recipe as TOML text, every key written out.

use std::fmt::Write;

use super::evaluation::EVAL;
use super::key::Key;
use super::keys::{BASE, DATA, LORA, MODEL, SHAPE, TEMPLATE, TRAIN};
use super::mixing::MIX;
use super::study::STUDY;
use super::texts::TEXT;
use super::{Base, Recipe, Study};

/// The recipe as a file that makes the same run again.
pub fn toml_text(recipe: &Recipe) -> String {
    let mut text = String::from("[model]\n");
    keys(BASE, recipe, &mut text);
    if let Base::Scratch(shape) = &recipe.model.base {
        keys(SHAPE, shape, &mut text);
    }
    keys(MODEL, recipe, &mut text);
    for entry in &recipe.templates {
        text += "\n[[template]]\n";
        keys(TEMPLATE, entry, &mut text);
    }
    for entry in &recipe.texts {
        text += "\n[[text]]\n";
        keys(TEXT, entry, &mut text);
    }
    table("[data]", DATA, recipe, &mut text);
    table("[mix]", MIX, recipe, &mut text);
    if let Some(lora) = &recipe.lora {
        table("[lora]", LORA, lora, &mut text);
    }
    table("[train]", TRAIN, recipe, &mut text);
    table("[eval]", EVAL, recipe, &mut text);
    if recipe.study != Study::default() {
        table("[study]", STUDY, recipe, &mut text);
    }
    text
}

fn table<T: Clone>(name: &str, rows: &[Key<T>], of: &T, text: &mut String) {
    write!(text, "\n{name}\n").expect("writing to a String does not fail");
    keys(rows, of, text);
}

fn keys<T: Clone>(rows: &[Key<T>], of: &T, text: &mut String) {
    for key in rows {
        if let Some(value) = key.value(of) {
            writeln!(text, "{} = {value}", key.name).expect("writing to a String does not fail");
        }
    }
}
