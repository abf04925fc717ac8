//! The tasks that are built in, which are files as users write them, and groups of them.

/// Names and texts.
const TASKS: [(&str, &str); 7] = [
    ("arc_easy", include_str!("builtin/arc_easy.toml")),
    ("arc_challenge", include_str!("builtin/arc_challenge.toml")),
    ("boolq", include_str!("builtin/boolq.toml")),
    ("hellaswag", include_str!("builtin/hellaswag.toml")),
    ("openbookqa", include_str!("builtin/openbookqa.toml")),
    ("piqa", include_str!("builtin/piqa.toml")),
    ("winogrande", include_str!("builtin/winogrande.toml")),
];

/// The group of all seven, as the model cards of GPT4All average them.
pub const GPT4ALL: &str = "gpt4all";

/// The names of all tasks, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    TASKS.iter().map(|(name, _)| *name)
}

/// The text of a task's file.
pub(super) fn text(name: &str) -> Option<&'static str> {
    TASKS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
