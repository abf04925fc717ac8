//! The base model of a run: its tokenizer and shape before the work, its weights when it begins.

use std::path::Path;

use anyhow::Context;
use candle_core::DType;

use super::super::observer::{Event, Observer};
use super::super::reading::Trained;
use super::super::{reading, wording};
use super::errors::Errors;
use super::hashing::Hashing;
use super::templates::whole;
use crate::data::Sampler;
use crate::model::{self, Config, Model, Tokenizer, gguf, io, lora, walk, weights};
use crate::recipe::{Base, Recipe};
use crate::template::Error;

/// The tokenizer and shape of a model that is there already.
pub fn known(
    recipe: &mut Recipe,
    folder: &Path,
    errors: &mut Errors,
) -> Option<(Tokenizer, Config)> {
    let Base::Folder(named) = &mut recipe.model.base else { return None };
    // What is refused by its name has been refused already.
    if errors.has("E706", named.span) {
        return None;
    }
    if !named.path.starts_with(model::HUB) {
        whole(folder, named);
    }
    let base = named.path.clone();
    let mut read = || -> anyhow::Result<_> {
        let path = model::locate(&base)?;
        named.path = model::pinned(&base, &path);
        if gguf::is_named(&path) {
            return Ok((Tokenizer::load(&path)?, io::load_config(&path)?));
        }
        anyhow::ensure!(path.is_dir(), "there is no folder {}", path.display());
        let config = io::load_config(&path)?;
        let tokenizer = Tokenizer::load(&path)?;
        tokenizer.expect_within(config.vocab_size)?;
        let has_weights = ["model.safetensors", "model.safetensors.index.json"]
            .iter()
            .any(|name| path.join(name).is_file());
        anyhow::ensure!(has_weights, "there is no {}", path.join("model.safetensors").display());
        Ok((tokenizer, config))
    };
    match read() {
        Ok(known) => Some(known),
        Err(error) => {
            let help = "write a folder that holds config.json, model.safetensors and \
                        tokenizer.json, a .gguf file, or `base = \"hf:ORG/NAME\"`";
            errors.add("E707", format!("{error:#}"), named.span, "the model", help.to_string());
            None
        }
    }
}

/// The tokenizer and shape of a model from scratch.
pub fn made(
    samplers: &[Sampler],
    recipe: &Recipe,
    errors: &mut Errors,
) -> Result<(Tokenizer, Config), Error> {
    let Base::Scratch(shape) = &recipe.model.base else {
        unreachable!("a model of a folder has its own tokenizer")
    };
    let programs = samplers.iter().map(|sampler| (&**sampler.program(), &**sampler.vocabulary()));
    let tokenizer = match wording::of_words(programs)? {
        Ok(tokenizer) => tokenizer,
        Err(value) => {
            let title =
                format!("`{value}` shows numbers or texts that cannot each be a word of the model");
            let help = "choose a level with smaller integers, or a model with a tokenizer";
            let span = recipe.templates[0].file.span;
            errors.add("E708", title, span, "among these templates", help.to_string());
            return errors.all_well(None);
        }
    };
    let mut config = Config::small(
        tokenizer.vocab_size(),
        shape.width,
        shape.feed_forward,
        shape.layers,
        shape.heads,
    );
    config.model_type = shape.family.to_string();
    config.rope_theta = shape.rotary_base;
    config.max_position_embeddings = recipe.data.sequence;
    Ok((tokenizer, config))
}

/// Begins to read all of the base model's files, if they are there.
pub fn hashing(recipe: &Recipe, folder: &Path) -> Option<Hashing> {
    let Base::Folder(named) = &recipe.model.base else { return None };
    let path = match named.path.starts_with(model::HUB) {
        true => model::locate(&named.path).ok()?,
        false => folder.join(&named.path),
    };
    path.exists().then(|| Hashing::start(path))
}

/// The model before training, on the GPU of this number if on one.
pub fn model(
    recipe: &Recipe,
    config: &Config,
    gpu: usize,
    observer: &Observer,
) -> Result<Model, Error> {
    let (model, seed) = (&recipe.model, recipe.train.seed);
    let device = model::device(&model.device, gpu).context("cannot use the device")?;
    let mut made = match &model.base {
        Base::Scratch(shape) => weights::fresh(config, seed, shape.init, &device)?,
        Base::Folder(folder) => {
            let path = model::locate(&folder.path)?;
            let read = |done, total| observer.tell(Event::Reading { done, total });
            reading::model(&path, dtype(&model.dtype), &device, model.nf4, &read)?
        }
    };
    if let Some(lora) = &recipe.lora {
        lora::attach(&mut made, lora, seed)?;
    }
    walk::pack(&mut made)?;
    Ok(made)
}

/// A model that was trained from this one.
pub fn trained(recipe: &Recipe, found: &Trained, observer: &Observer) -> Result<Model, Error> {
    let device = model::device(&recipe.model.device, 0).context("cannot use the device")?;
    let read = |done, total| observer.tell(Event::Reading { done, total });
    let dtype = dtype(&recipe.model.dtype);
    let mut model = reading::model(&found.base, dtype, &device, recipe.model.nf4, &read)?;
    if let Some(adapter) = &found.adapter {
        lora::load(&mut model, adapter)?;
    }
    Ok(model)
}

fn dtype(name: &str) -> DType {
    match name {
        "bf16" => DType::BF16,
        "f16" => DType::F16,
        _ => DType::F32,
    }
}
