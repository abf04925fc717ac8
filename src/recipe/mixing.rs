//! The keys of `[mix]`.

use super::Recipe;
use super::evaluation;
use super::key::Kind::{Bool, Integer, Real, Text};
use super::key::Role::{Decides, Free};
use super::key::{Key, Kind, Other};
use super::keys::LARGEST;
use super::other;

/// `[mix]`
pub(super) const MIX: &[Key<Recipe>] = &[
    Key::new(
        "policy",
        &["schedule"],
        Kind::Other(Other { form: "a text", read: other::read_policy, write: other::policy }),
        Decides,
        "how the mixture weights are chosen: `fixed`, the `weight` of each template; `uniform`, \
         equal ones; `linear`, from each template's `weight` at the first step to its \
         `end_weight` at the last; `online`, more of what is not aligned yet, and of each \
         template the level that is neither mastered nor failed; or learned by runs before the \
         training: `cookbook`, `merge`, `log-linear`",
    ),
    Key::new(
        "tasks",
        &[],
        Kind::Other(Other {
            form: "a table",
            read: evaluation::read_of_mix,
            write: evaluation::write_of_mix,
        }),
        Free,
        "the target tasks of a learned mixture, written as those of `[eval]`; templates with \
         `weight = 0.0` are targets too",
    )
    .by_default("those of `[eval]`"),
    Key::new(
        "samples",
        &[],
        Integer(1, 1_000_000, |it| &mut it.mix.samples),
        Free,
        "samples of each target template",
    ),
    Key::new(
        "labels",
        &[],
        Bool(|it| &mut it.mix.labels),
        Free,
        "`true` if a learned mixture may look at the right answers of its target tasks; else \
         accuracies in them are estimated from what the runs' models answer. In target templates \
         the rules say what is right",
    ),
    Key::new(
        "steps",
        &[],
        Integer(0, LARGEST, |it| &mut it.mix.steps),
        Free,
        "optimizer steps of each run that a mixture is learned from; 0 for those of `[train]`",
    ),
    Key::new(
        "runs",
        &[],
        Integer(0, 4096, |it| &mut it.mix.runs),
        Free,
        "runs on random mixtures that `log-linear` is fitted to; 0 for twice as many as there are \
         templates",
    ),
    Key::new(
        "candidates",
        &[],
        Integer(1, 4096, |it| &mut it.mix.candidates),
        Free,
        "random mixtures that `merge` compares",
    ),
    Key::new(
        "cache",
        &[],
        Text("runs/cache", |it: &mut Recipe| &mut it.mix.cache),
        Free,
        "the folder in which the runs are kept that a mixture is learned from, counted from the \
         current one",
    )
    .by_default("`runs/NAME-mix`"),
    Key::new(
        "per_target",
        &[],
        Bool(|it| &mut it.mix.per_target),
        Free,
        "`true` if `cookbook` weighs for each target and takes the mean of these mixtures: a \
         template that helps one target alone keeps its share of it",
    ),
    Key::new(
        "strength",
        &["eta"],
        Real(0.0, 100.0, |it| &mut it.mix.strength),
        Free,
        "how far `cookbook` follows the outcomes: a standard deviation of the mean of the tasks \
         multiplies a weight by `exp(strength)`",
    ),
    Key::new(
        "floor",
        &[],
        Real(0.0, 1.0, |it| &mut it.mix.floor),
        Free,
        "least weight of a template in a learned mixture, as a share of an equal weight",
    ),
    Key::new(
        "pull",
        &["kl"],
        Real(0.0, 100.0, |it| &mut it.mix.pull),
        Free,
        "how strongly `log-linear` is drawn to equal weights: the factor of the Kullback–Leibler \
         divergence beside the loss",
    ),
    Key::new(
        "mastered",
        &[],
        Real(0.0, 1.0, |it| &mut it.mix.mastered),
        Decides,
        "alignment from which on `online` goes on to the next level of a template: its next entry \
         in the recipe",
    ),
    Key::new(
        "failed",
        &[],
        Real(0.0, 1.0, |it| &mut it.mix.failed),
        Decides,
        "alignment down from which `online` goes back to the level before",
    ),
];
