//! Keys of a recipe that must fit together.

use super::section::{Found, Section};
use super::{Base, Format, Named, Recipe, Shape};
use crate::diagnostic::Diagnostic;
use crate::train::Settings;

/// The width divides into heads of even width.
pub fn shape(shape: &Shape, section: &mut Section) {
    let (width, heads) = (shape.width, shape.heads);
    if width.is_multiple_of(2 * heads) {
        return;
    }
    let keys = ["hidden_size", "num_attention_heads", "base"];
    let place = keys.iter().find_map(|key| section.place(key)).unwrap_or_default();
    let title = format!("a width of {width} cannot be cut into {heads} heads of even width");
    let next = width.next_multiple_of(2 * heads);
    section.error(
        Diagnostic::error("E708", title, place, "does not fit")
            .help(format!("write `hidden_size = {next}`")),
    );
}

/// A key of a shape that a folder has itself.
pub fn of_scratch(found: &Found, section: &mut Section) {
    let title = format!("`{}` is for a model from scratch", found.key);
    section.error(
        Diagnostic::error("E708", title, found.span, "the folder's own config says it")
            .help("leave it out, or write `base = \"scratch:tiny\"`"),
    );
}

/// A pretrained model is local, and trained by adapters.
pub fn folder(named: &Named, adapters: bool, section: &mut Section) {
    let (text, place) = (&named.path, named.span);
    if text.starts_with("http") {
        let what = "loading a model from the net";
        let name = text.rsplit(['/', ':']).next().unwrap_or(text).trim_end_matches(".gguf");
        section.error(
            Diagnostic::error("E706", format!("{what} is not in this version"), place, "this")
                .help(format!(
                    "write `base = \"models/{name}\"`: a folder with config.json, \
                     model.safetensors and tokenizer.json"
                )),
        );
    } else if !adapters {
        let title = "a model from a folder learns by adapters, and there is no `[lora]`";
        section.error(
            Diagnostic::error("E708", title, place, "the model").help("write `[lora]` below"),
        );
    }
}

/// A model from scratch is trained itself, in f32.
pub fn model(recipe: &Recipe, section: &mut Section) {
    if !matches!(recipe.model.base, Base::Scratch(_)) {
        return;
    }
    if let Some(place) = section.place("dtype").filter(|_| recipe.model.dtype != "f32") {
        let title = "a model from scratch learns all its weights, which must be `f32`";
        section.error(
            Diagnostic::error("E708", title, place, "too coarse to add small steps to")
                .help("write `dtype = \"f32\"`"),
        );
    }
    if let Some(place) = section.place("quantization").filter(|_| recipe.model.nf4) {
        let title = "four bits a weight are for a pretrained model";
        section.error(
            Diagnostic::error("E708", title, place, "a model from scratch learns its weights")
                .help("leave it out, or write `base = \"models/NAME\"`, a folder with a model"),
        );
    }
}

/// A chat needs a chat template, has no shots, and alone has a date.
pub fn data(recipe: &Recipe, section: &mut Section) {
    let (data, is_chat) = (&recipe.data, recipe.data.format == Format::Chat);
    if let Some(place) = section.place("format").filter(|_| is_chat)
        && matches!(recipe.model.base, Base::Scratch(_))
    {
        let title = "a model from scratch has no chat template";
        let error = Diagnostic::error("E708", title, place, "the model is made by this run");
        section.error(error.help("write `format = \"plain\"`"));
    } else if let Some(place) = section.place("shots").filter(|_| is_chat && data.shots > 0) {
        let title = "shots in a chat are not in this version";
        let error = Diagnostic::error("E706", title, place, "the format is \"chat\"");
        section.error(error.help("write `shots = 0`, or `format = \"plain\"`"));
    }
    if let Some(place) = section.place("date").filter(|_| !is_chat && data.date.is_some()) {
        let title = "only a chat template is rendered with a date";
        let error = Diagnostic::error("E706", title, place, "the format is \"plain\"");
        section.error(error.help("leave out `date`, or write `format = \"chat\"`"));
    }
}

/// LoRA+ is for adapters.
pub fn train(recipe: &Recipe, section: &mut Section) {
    let is_default = recipe.train.lora_plus_ratio == Settings::default().lora_plus_ratio;
    let place = section.place("loraplus_lr_ratio");
    if let Some(place) = place.filter(|_| !is_default && recipe.lora.is_none()) {
        let title = "`loraplus_lr_ratio` is of adapters, and there is no `[lora]`";
        section.error(
            Diagnostic::error("E708", title, place, "nothing has two halves")
                .help("leave it out, or write `[lora]`"),
        );
    }
}

/// What stops a run early looks at evaluations in between.
pub fn eval(recipe: &Recipe, section: &mut Section) {
    let eval = &recipe.eval;
    for (key, is_set) in
        [("patience", eval.patience > 0), ("until_exact", eval.until_exact.is_some())]
    {
        if let Some(place) = section.place(key).filter(|_| is_set && eval.every == 0) {
            let title = format!("`{key}` looks at evaluations in between, and there are none");
            section.error(
                Diagnostic::error("E708", title, place, "never looked at")
                    .help("write `every = 100` as well, or leave this out"),
            );
        }
    }
}
