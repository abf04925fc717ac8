//! The table of all keys of a recipe: it drives reading, writing, the documentation and the help.
//!
//! A new key is a row here and the place that uses it.

use super::key::{Key, Kind, Other, Role};
use super::other;
use super::{Entry, FAMILIES, Recipe, Shape};
use crate::model::lora::Lora;
use crate::train::Schedule;
use Kind::{Bool, Integer, MaybeReal, MaybeSize, Real, Size, Text, Word};
use Role::{Decides, Free, Noted};

/// No key is a larger integer: TOML's own limit.
pub(super) const LARGEST: u64 = i64::MAX as u64;
/// Below any rate or deviation that does something, and above 0.
const SMALLEST: f64 = 1e-12;

/// Above the tables
pub(super) const TOP: &[Key<Recipe>] = &[Key::new(
    "name",
    &[],
    Kind::Other(Other { form: "a text", read: other::read_name, write: |_| None }),
    Free,
    "what runs of the recipe, and their folders, are called",
)
.by_default("that of the file")];

/// `[model]`, first
pub(super) const BASE: &[Key<Recipe>] = &[Key::new(
    "base",
    &["base_model", "model_name_or_path"],
    Kind::Other(Other { form: "a text", read: other::read_base, write: other::base }),
    Free,
    "`scratch:tiny` or `scratch:small`, a new small model; `hf:ORG/NAME`, a model of the Hugging \
     Face hub; a folder with `config.json`, weights in safetensors and `tokenizer.json`; or a \
     `.gguf` file, whose weights become `dtype`",
)];

/// `[model]`, of a model from scratch
pub(super) const SHAPE: &[Key<Shape>] = &[
    Key::new(
        "model_type",
        &["family"],
        Word(FAMILIES, |it: &Shape| it.family, |it, family| it.family = family),
        Decides,
        "the family whose parts it has: `qwen2` adds biases to queries, keys and values, `qwen3` \
         norms the queries and keys of each head",
    ),
    Key::new(
        "hidden_size",
        &["width"],
        Size(8, 8192, |it: &mut Shape| &mut it.width),
        Decides,
        "width of the residual stream",
    )
    .by_default("of the preset"),
    Key::new(
        "num_hidden_layers",
        &["layers"],
        Size(1, 128, |it: &mut Shape| &mut it.layers),
        Decides,
        "number of blocks",
    )
    .by_default("of the preset"),
    Key::new(
        "num_attention_heads",
        &["heads"],
        Size(1, 128, |it: &mut Shape| &mut it.heads),
        Decides,
        "number of attention heads; the width is divided among them, and each has an even one",
    )
    .by_default("of the preset"),
    Key::new(
        "intermediate_size",
        &["feed_forward"],
        Size(1, 65536, |it: &mut Shape| &mut it.feed_forward),
        Decides,
        "width of the feed-forward network",
    )
    .by_default("of the preset"),
    Key::new(
        "rope_theta",
        &["rotary_base"],
        Real(1.0, 1e12, |it: &mut Shape| &mut it.rotary_base),
        Decides,
        "base of the rotary angles: the larger, the less position counts beside content",
    )
    .by_default("of the preset"),
    Key::new(
        "initializer_range",
        &["init"],
        Real(SMALLEST, 10.0, |it: &mut Shape| &mut it.init),
        Decides,
        "standard deviation of fresh weights",
    )
    .by_default("of the preset"),
];

/// `[model]`, the rest
pub(super) const MODEL: &[Key<Recipe>] = &[
    Key::new(
        "dtype",
        &["torch_dtype"],
        Word(
            &["f32", "bf16", "f16"],
            |it| &it.model.dtype,
            |it, word| it.model.dtype = word.to_string(),
        ),
        Decides,
        "type of the weights in memory; a model from scratch is `f32`",
    ),
    Key::new(
        "quantization",
        &[],
        Word(
            &["none", "nf4"],
            |it| if it.model.nf4 { "nf4" } else { "none" },
            |it, word| it.model.nf4 = word == "nf4",
        ),
        Decides,
        "`nf4`: the frozen linears in four bits a weight, with doubly quantised scales (QLoRA); \
         for a pretrained model",
    ),
    Key::new(
        "device",
        &[],
        Word(
            &["auto", "cpu", "cuda"],
            |it| &it.model.device,
            |it, word| it.model.device = word.to_string(),
        ),
        Noted,
        "`cuda` is a GPU, in a build with `--features cuda`",
    ),
];

/// `[[template]]`
pub(super) const TEMPLATE: &[Key<Entry>] = &[
    Key::new(
        "file",
        &["path"],
        Kind::Other(Other { form: "a text", read: other::read_file, write: other::file }),
        Free,
        "a path, relative to the recipe, or `std:NAME`",
    )
    .by_default(""),
    Key::new(
        "weight",
        &[],
        Real(0.0, 1e6, |it: &mut Entry| &mut it.weight),
        Decides,
        "mixture weight: how often, relative to the other templates; with 0 it is evaluated and \
         not trained on",
    ),
    Key::new(
        "end_weight",
        &[],
        MaybeReal(0.0, 1e6, |it: &mut Entry| &mut it.end_weight),
        Decides,
        "mixture weight at the last step, with `policy = \"linear\"` below `[mix]`",
    )
    .by_default("`weight`"),
    Key::new(
        "level",
        &[],
        Text("hard", |it: &mut Entry| &mut it.level),
        Decides,
        "a level of the template",
    )
    .by_default("the defaults"),
    Key::new(
        "set",
        &[],
        Kind::Other(Other { form: "a table of numbers", read: other::read_set, write: other::set }),
        Decides,
        "parameters that replace those of the level: `set = { documents = 8 }`",
    )
    .by_default("none"),
    Key::new(
        "replies",
        &[],
        Word(&["own", "shuffled"], other::replies, other::set_replies),
        Decides,
        "`\"shuffled\"`: a control, which trains each prompt with the reply of another sample, so \
         that the format can be learned and the rule cannot; held-out samples have their own",
    ),
];

/// `[data]`
pub(super) const DATA: &[Key<Recipe>] = &[
    Key::new(
        "seed",
        &[],
        Integer(0, LARGEST, |it| &mut it.data.seed),
        Decides,
        "which samples are drawn",
    ),
    Key::new(
        "vocab",
        &[],
        Kind::Other(Other {
            form: "an integer from 16 to 4096, or a text",
            read: other::read_vocab,
            write: other::vocab,
        }),
        Decides,
        "the words: a count of made-up ones, a file with one a line, or, for a pretrained model, \
         the words that are one token of its tokenizer, at any position of a text if there are a \
         thousand of those",
    )
    .by_default("`512`, or `\"tokenizer\"`"),
    Key::new(
        "max_length",
        &["sequence", "sequence_len", "max_seq_length"],
        Size(8, 1 << 17, |it| &mut it.data.sequence),
        Decides,
        "maximum tokens of a sample, its shots included",
    ),
    Key::new(
        "packing",
        &["sample_packing"],
        Bool(|it| &mut it.train.packing),
        Decides,
        "several samples in one row, with a block-diagonal attention mask; `false` for a row each",
    ),
    Key::new(
        "format",
        &[],
        Word(&["plain", "chat"], other::format, other::set_format),
        Decides,
        "`\"plain\"`: system text, prompt and reply one after the other; `\"chat\"`: as messages, \
         in the model's own chat template",
    ),
    Key::new(
        "answer",
        &[],
        Word(&["strict", "bare", "tags", "boxed", "line", "any"], other::answer, other::set_answer),
        Decides,
        "the form of answers, which prompts ask for, replies have and are read in: `\"tags\"` for \
         `<answer>…</answer>`, `\"boxed\"` for `\\boxed{…}`, `\"line\"` for `Answer: …`, which \
         change the samples; `\"bare\"` and `\"any\"` only read replies as models write them",
    ),
    Key::new(
        "shots",
        &["num_fewshot"],
        Size(0, 64, |it| &mut it.data.shots),
        Decides,
        "few-shot examples of the same template before each prompt; the loss is that of the last \
         reply only",
    ),
    Key::new(
        "date",
        &[],
        Kind::Other(Other { form: "a day", read: other::read_date, write: other::date }),
        Decides,
        "the day that a chat template is rendered with, such as `\"2026-11-28\"`; kept in the \
         run's own recipe if the template asks for it",
    )
    .by_default("today"),
];

/// `[lora]`
pub(super) const LORA: &[Key<Lora>] = &[
    Key::new(
        "rank",
        &["r", "lora_r"],
        Size(1, 1024, |it| &mut it.rank),
        Decides,
        "rank of the adapters",
    ),
    Key::new(
        "alpha",
        &["lora_alpha"],
        Real(SMALLEST, 65536.0, |it| &mut it.alpha),
        Decides,
        "scale of the adapters: the update is multiplied by `alpha / rank`",
    ),
    Key::new(
        "target_modules",
        &["targets", "lora_target_modules"],
        Kind::Other(Other {
            form: "a list of names",
            read: other::read_targets,
            write: other::targets,
        }),
        Decides,
        "which matrices have an adapter: `q_proj`, `v_proj`, … as one name or a list",
    )
    .by_default("`\"all-linear\"`"),
    Key::new(
        "use_rslora",
        &["rank_stabilised"],
        Bool(|it| &mut it.rank_stabilised),
        Decides,
        "multiply the update by `alpha / sqrt(rank)` (rsLoRA)",
    ),
    Key::new(
        "dropout",
        &["lora_dropout"],
        Real(0.0, 0.9, |it| &mut it.dropout),
        Decides,
        "dropout probability of the adapters' inputs in training",
    ),
    Key::new(
        "use_dora",
        &["dora"],
        Bool(|it| &mut it.dora),
        Decides,
        "train the magnitudes of the weights' rows apart from their directions (DoRA)",
    ),
];

/// `[train]`
pub(super) const TRAIN: &[Key<Recipe>] = &[
    Key::new(
        "steps",
        &["max_steps"],
        Integer(1, LARGEST, |it| &mut it.train.steps),
        Decides,
        "optimizer steps",
    ),
    Key::new(
        "micro_batch_size",
        &["batch", "batch_size"],
        Size(1, 65536, |it| &mut it.train.batch),
        Decides,
        "samples of a micro-batch",
    ),
    Key::new(
        "gradient_accumulation_steps",
        &["accumulate"],
        Size(1, 65536, |it| &mut it.train.accumulate),
        Decides,
        "micro-batches of a step, which has `micro_batch_size × gradient_accumulation_steps` \
         samples on all processes together",
    ),
    Key::new(
        "learning_rate",
        &["lr"],
        Real(SMALLEST, 10.0, |it| &mut it.train.learning_rate),
        Decides,
        "learning rate after the warm-up",
    ),
    Key::new(
        "lr_scheduler",
        &["schedule", "lr_scheduler_type"],
        Word(
            &["cosine", "linear", "constant"],
            |it| match it.train.schedule {
                Schedule::Cosine => "cosine",
                Schedule::Linear => "linear",
                Schedule::Constant => "constant",
            },
            |it, word| {
                it.train.schedule = match word {
                    "linear" => Schedule::Linear,
                    "constant" => Schedule::Constant,
                    _ => Schedule::Cosine,
                }
            },
        ),
        Decides,
        "how the learning rate falls after the warm-up",
    ),
    Key::new(
        "warmup_ratio",
        &["warmup"],
        Real(0.0, 1.0, |it| &mut it.train.warmup),
        Decides,
        "share of the steps in which the learning rate rises from 0",
    ),
    Key::new(
        "warmup_steps",
        &[],
        Kind::Other(Other {
            form: "an integer from 0",
            read: other::read_warmup_steps,
            write: |_| None,
        }),
        Decides,
        "the same as a number of steps, in place of `warmup_ratio`",
    )
    .by_default("by `warmup_ratio`"),
    Key::new(
        "min_lr_ratio",
        &["min_learning_rate", "min_lr_rate", "cosine_min_lr_ratio"],
        Real(0.0, 1.0, |it| &mut it.train.min_learning_rate),
        Decides,
        "share of the learning rate at which `cosine` and `linear` end",
    ),
    Key::new(
        "weight_decay",
        &[],
        Real(0.0, 1.0, |it| &mut it.train.weight_decay),
        Decides,
        "AdamW's decoupled weight decay",
    ),
    Key::new(
        "betas",
        &["adam_betas"],
        Kind::Other(Other {
            form: "a list of two numbers from 0 to below 1",
            read: other::read_betas,
            write: other::betas,
        }),
        Decides,
        "AdamW's decay rates of the first and second moments",
    ),
    Key::new(
        "epsilon",
        &["eps", "adam_epsilon"],
        Real(1e-20, 1.0, |it| &mut it.train.epsilon),
        Decides,
        "AdamW's smallest divisor",
    ),
    Key::new(
        "max_grad_norm",
        &["clip_norm", "max_norm"],
        Real(0.0, 1e6, |it| &mut it.train.clip_norm),
        Decides,
        "maximum gradient norm (L2), to which a larger gradient is clipped; 0 for no clipping",
    ),
    Key::new(
        "loraplus_lr_ratio",
        &["lora_plus_ratio"],
        Real(1e-3, 1e3, |it| &mut it.train.lora_plus_ratio),
        Decides,
        "LoRA+: learning rate of an adapter's B as a multiple of that of its A",
    ),
    Key::new(
        "neftune_noise_alpha",
        &["neftune_alpha"],
        Real(0.0, 1000.0, |it| &mut it.train.neftune_alpha),
        Decides,
        "NEFTune: strength of the noise on embedded tokens in training, 5 to 15 where it helps",
    ),
    Key::new(
        "max_tokens_per_pass",
        &["tokens_at_once"],
        MaybeSize(1, 1 << 24, |it: &mut Recipe| &mut it.train.tokens_at_once),
        Decides,
        "maximum tokens of a forward pass, padding included; fewer take less memory",
    )
    .by_default("`512` a core on a CPU, `16384` on a GPU"),
    Key::new(
        "gradient_checkpointing",
        &["recompute", "activation_checkpointing"],
        Kind::Other(Other {
            form: "`none`, `mlp`, `full`",
            read: other::read_checkpointing,
            write: other::checkpointing,
        }),
        Decides,
        "activations that the backward pass computes again to save memory: `none` (or `false`), \
         `mlp` (the feed-forward network: half the memory, a sixth more work) or `full` (or \
         `true`: all of a block but its input)",
    ),
    Key::new(
        "seed",
        &[],
        Integer(0, LARGEST, |it: &mut Recipe| &mut it.train.seed),
        Decides,
        "of fresh weights, dropout and noise",
    )
    .by_default("that of the data"),
    Key::new(
        "save_steps",
        &["save_every"],
        Integer(0, LARGEST, |it| &mut it.save_every),
        Free,
        "steps between checkpoints; 0 for none",
    ),
    Key::new(
        "save_total_limit",
        &["keep_checkpoints"],
        Size(1, 1000, |it| &mut it.keep_checkpoints),
        Free,
        "how many of the last checkpoints are kept",
    ),
];
