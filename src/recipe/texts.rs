//! The keys of `[[text]]`.

use toml::Spanned;
use toml::de::DeValue;

use super::key::Kind::{Integer, Other as Form, Real};
use super::key::Role::{Decides, Free};
use super::key::{Key, Other, quoted};
use super::keys::LARGEST;
use super::section::{Found, Section, span};
use super::{Named, Text, Written};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// `[[text]]`
pub(super) const TEXT: &[Key<Text>] = &[
    Key::new(
        "file",
        &[],
        Form(Other { form: "a text", read: read_file, write: |it| Some(quoted(&it.file.path)) }),
        Free,
        "a file of JSON lines, CSV, Parquet or Arrow, or a folder of such files, relative to the \
         recipe",
    )
    .by_default(""),
    Key::new(
        "prompt",
        &[],
        Form(Other { form: "a text", read: read_prompt, write: |it| written(&it.prompt) }),
        Decides,
        "what is read, with placeholders for columns: `\"{{ context }}\\nQuestion: {{ question }}\"`; \
         left out for plain language modelling",
    )
    .by_default("none"),
    Key::new(
        "reply",
        &[],
        Form(Other { form: "a text", read: read_reply, write: |it| written(&it.reply) }),
        Decides,
        "what is learned after it, such as `\" {{ answers[0] }}\"`",
    )
    .by_default(""),
    Key::new(
        "weight",
        &[],
        Real(0.0, 1e6, |it: &mut Text| &mut it.weight),
        Decides,
        "mixture weight: how often, relative to templates and other texts; with 0 it is not \
         trained on, and no policy changes it",
    ),
    Key::new(
        "skip",
        &[],
        Integer(0, LARGEST, |it: &mut Text| &mut it.skip),
        Decides,
        "rows before the first that is taken",
    ),
    Key::new(
        "limit",
        &[],
        Integer(0, LARGEST, |it: &mut Text| &mut it.limit),
        Decides,
        "maximum rows that are taken; 0 for all",
    ),
];

fn read_file(text: &mut Text, found: &Found, section: &mut Section) {
    let path = section.text(found, "train.jsonl").unwrap_or_default();
    text.file = Named { path: path.to_string(), span: found.span };
}

fn read_prompt(text: &mut Text, found: &Found, section: &mut Section) {
    text.prompt = read_written(found, section, "{{ question }}");
}

fn read_reply(text: &mut Text, found: &Found, section: &mut Section) {
    text.reply = read_written(found, section, " {{ answer }}");
}

fn read_written(found: &Found, section: &mut Section, example: &str) -> Written {
    let text = section.text(found, example).unwrap_or_default();
    Written { text: text.to_string(), span: found.span }
}

fn written(text: &Written) -> Option<String> {
    (!text.text.is_empty()).then(|| quoted(&text.text))
}

/// `[[text]]`, any number of them
pub(super) fn texts(found: Option<(&DeValue, Span)>, errors: &mut Vec<Diagnostic>) -> Vec<Text> {
    match found {
        None => Vec::new(),
        Some((DeValue::Array(list), _)) => {
            list.iter().filter_map(|item| text(item, errors)).collect()
        }
        Some((_, place)) => {
            errors.push(no_list(place));
            Vec::new()
        }
    }
}

fn text(item: &Spanned<DeValue>, errors: &mut Vec<Diagnostic>) -> Option<Text> {
    let DeValue::Table(table) = item.get_ref() else {
        errors.push(no_list(span(item)));
        return None;
    };
    let mut section = Section::new("[[text]]", Some(table), errors);
    let mut text = Text::default();
    TEXT.iter().for_each(|key| key.read(&mut text, &mut section));
    for (key, example) in [("file", "train.jsonl"), ("reply", "{{ text }}")] {
        if section.place(key).is_none() {
            let title = format!("a text without its `{key}`");
            let error = Diagnostic::error("E708", title, span(item), "this one");
            section.error(error.help(format!("write `{key} = \"{example}\"`")));
        }
    }
    section.finish();
    Some(text)
}

fn no_list(place: Span) -> Diagnostic {
    let title = "`text` is a list of tables";
    let error = Diagnostic::error("E703", title, place, "this is none");
    error.help("write `[[text]]`, and below it `file = \"train.jsonl\"`")
}
