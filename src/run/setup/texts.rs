//! `[[text]]`: rows of other people's data as token ids, before a run.

use std::path::Path;

use rayon::prelude::*;
use serde_json::{Map, Value};

use super::super::observer::Event;
use super::super::texts::Text;
use super::chat::{self, RENDERED};
use super::errors::Errors;
use super::parts::Format;
use crate::data::layout::Encoded;
use crate::model::Tokenizer;
use crate::model::chat::Frame;
use crate::recipe::{self, Base, Written};
use crate::rows::{Row, Rows};
use crate::source::Span;
use crate::tasks::field::{self, Field, Place};

/// Rows that are encoded at once, on all cores.
const AT_ONCE: usize = 1024;

/// More tokens than these are not kept in memory: a gibibyte.
const TOKENS_MAX: usize = 1 << 28;

/// Letters of a row that an error shows.
const SHOWN: usize = 200;

/// Why a text cannot be trained on.
struct Unfit {
    title: String,
    span: Span,
    help: String,
}

impl Unfit {
    fn new(title: impl Into<String>, span: Span, help: impl Into<String>) -> Unfit {
        Unfit { title: title.into(), span, help: help.into() }
    }
}

impl Format<'_> {
    /// The rows of the recipe's texts, for samples of that many tokens at most.
    pub fn texts(&mut self, tokens_max: usize, errors: &mut Errors) -> Vec<Text> {
        let recipe = self.recipe;
        if let (Base::Scratch(_), Some(first)) = (&recipe.model.base, recipe.texts.first()) {
            let title = "a model from scratch knows the words of its templates only";
            let help = "leave out `[[text]]`, or write `base = \"models/NAME\"`";
            errors.add("E708", title.into(), first.file.span, "a text", help.into());
            return Vec::new();
        }
        let mut texts = Vec::new();
        for (at, entry) in recipe.texts.iter().enumerate() {
            match self.text((at, entry), tokens_max, errors) {
                Ok(text) => {
                    if text.cut + text.left_out.count() > 0 {
                        errors.warn(&format!("warning: {}: {}", text.name, text.about()));
                    }
                    texts.push(text);
                }
                Err(Unfit { title, span, help }) => {
                    errors.add("E707", title, span, "this text", help);
                }
            }
        }
        texts
    }

    fn text(
        &mut self,
        (at, entry): (usize, &recipe::Text),
        tokens_max: usize,
        errors: &Errors,
    ) -> Result<Text, Unfit> {
        let (recipe, path, span) = (self.recipe, Path::new(&entry.file.path), entry.file.span);
        let help =
            "write a file of JSON lines, CSV, Parquet or Arrow, counted from the recipe's folder";
        let of_file = |error: crate::template::Error| Unfit::new(error.to_string(), span, help);
        let mut rows = Rows::open(path).map_err(of_file)?;
        let writer = self.writer(entry, rows.columns(), tokens_max)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let mut text = Text::new(name.into_owned(), at, recipe.data.seed);
        let mut number = 0;
        let mut is_over = false;
        while !is_over {
            let mut block: Vec<(u64, String, Row)> = Vec::new();
            while block.len() < AT_ONCE && !is_over {
                let Some(row) = rows.next().transpose().map_err(of_file)? else {
                    is_over = true;
                    break;
                };
                number += 1;
                if number > entry.skip {
                    block.push((number, rows.place(&row), row));
                    is_over = entry.limit > 0 && number - entry.skip == entry.limit;
                }
            }
            let made: Vec<Result<Made, Unfit>> = block
                .par_iter()
                .map(|(number, place, row)| writer.made(*number, place, &row.values))
                .collect();
            for ((number, ..), made) in block.iter().zip(made) {
                add(&mut text, *number, made?);
            }
            let rows = block.len() as u64;
            errors.tell(Event::Encoding { file: &text.name, rows, is_over });
            if text.tokens > TOKENS_MAX {
                let title = format!("{} has more than {TOKENS_MAX} tokens", text.name);
                let help = format!("write `limit = {}`", number / 2);
                return Err(Unfit::new(title, span, help));
            }
        }
        match text.rows.is_empty() {
            false => Ok(text),
            true if number <= entry.skip => {
                let title = format!("{} has {number} rows, and all are skipped", text.name);
                Err(Unfit::new(title, span, "write a smaller `skip`"))
            }
            true => {
                let title = format!("no row of {} is left: {}", text.name, text.about());
                let help =
                    "write a larger `max_length` below `[data]`, or a `reply` that rows have";
                Err(Unfit::new(title, span, help))
            }
        }
    }

    /// What makes ids of rows with these columns.
    fn writer<'a>(
        &'a mut self,
        entry: &'a recipe::Text,
        columns: &[String],
        tokens_max: usize,
    ) -> Result<Writer<'a>, Unfit> {
        let prompt = placeholders("prompt", &entry.prompt, columns)?;
        let reply = placeholders("reply", &entry.reply, columns)?;
        let tokenizer = self.tokenizer;
        let chat = match &mut self.chat {
            // A text without a prompt is no conversation.
            Some(chat) if !entry.prompt.text.is_empty() => {
                let frame = chat.frame_of_rows(tokenizer);
                let unfit = |error| Unfit::new(format!("{error:#}"), entry.file.span, chat::HELP);
                Some((frame.map_err(unfit)?, &*chat))
            }
            _ => None,
        };
        Ok(Writer { entry, prompt, reply, tokenizer, chat, tokens_max })
    }
}

/// A text of the recipe, read. One that has a column in single braces is refused: no value would
/// take its place.
fn placeholders(key: &'static str, written: &Written, columns: &[String]) -> Result<Field, Unfit> {
    let Written { text, span } = written;
    for column in columns {
        let open = format!("{{{column}");
        for (at, _) in text.match_indices(&open) {
            let inside = &text[at + 1..];
            let inside = &inside[..inside.find('}').unwrap_or(inside.len())];
            let after = inside.strip_prefix(column.as_str());
            let is_column = after.is_some_and(|it| it.is_empty() || it.starts_with(['.', '[']));
            if is_column && !text[..at].ends_with('{') {
                let title = format!("`{key}` has `{inside}` in single braces, which are letters");
                return Err(Unfit::new(title, *span, format!("write `{{{{ {inside} }}}}`")));
            }
        }
    }
    let place = Place { line: 1, is_long: true };
    Field::text(key, text, place).map_err(|error| Unfit::new(error.text, *span, JINJA))
}

/// What to write where a text cannot be read.
const JINJA: &str = "write a text with `{{ column }}` for each column of a row, in Jinja";

/// Makes ids of rows. Threads share it.
struct Writer<'a> {
    entry: &'a recipe::Text,
    prompt: Field,
    reply: Field,
    tokenizer: &'a Tokenizer,
    /// Where rows are conversations.
    chat: Option<(Frame, &'a chat::Chat)>,
    tokens_max: usize,
}

/// What became of a row.
enum Made {
    Row(Encoded),
    /// The start of a row that is too long.
    Cut(Encoded),
    TooLong,
    Empty,
}

fn add(text: &mut Text, number: u64, made: Made) {
    match made {
        Made::Row(row) => text.add(number, row),
        Made::Cut(row) => {
            text.cut += 1;
            text.add(number, row);
        }
        Made::TooLong => text.left_out.too_long += 1,
        Made::Empty => text.left_out.empty += 1,
    }
}

impl Writer<'_> {
    fn made(&self, number: u64, place: &str, row: &Map<String, Value>) -> Result<Made, Unfit> {
        let [prompt, reply] = self.texts(place, row)?;
        if reply.trim().is_empty() {
            return Ok(Made::Empty);
        }
        let (whole, read) = match &self.chat {
            None => ([&*prompt, &reply].concat(), prompt.len()),
            Some((frame, chat)) => {
                let (prompt, reply) = (prompt.trim(), reply.trim());
                if number - self.entry.skip <= RENDERED {
                    let same = chat.expect_row(frame, prompt, reply);
                    let unfit = |error| format!("{place}: {error:#}");
                    same.map_err(|error| self.unfit(unfit(error), chat::HELP))?;
                }
                let before = [&*frame.system, &frame.prompt, prompt, &frame.reply].concat();
                ([&*before, reply, &frame.end].concat(), before.len())
            }
        };
        let encoded = self.tokenizer.encode_known_to(&whole, read).map_err(|error| {
            let help = "take rows that the model's tokenizer knows";
            self.unfit(format!("{place}: {error:#}, of `{}`", shortened(&whole)), help)
        });
        Ok(self.finished(encoded?))
    }

    /// The ids with what is around a text that is no conversation; cut or left out if too long.
    fn finished(&self, (ids, read): (Vec<u32>, usize)) -> Made {
        let is_plain = self.chat.is_none();
        let opening = if is_plain { self.tokenizer.opening() } else { &[] };
        let closing = if is_plain { &[self.tokenizer.eos()][..] } else { &[] };
        // The first token follows nothing, so it cannot be predicted.
        let reply_start = (opening.len() + read).max(1);
        let mut ids = [opening, &ids, closing].concat();
        if ids.len() <= self.tokens_max {
            return Made::Row(Encoded { ids, reply_start });
        }
        match self.entry.prompt.text.is_empty() {
            true => {
                ids.truncate(self.tokens_max);
                Made::Cut(Encoded { ids, reply_start })
            }
            false => Made::TooLong,
        }
    }

    /// Prompt and reply of a row.
    fn texts(&self, place: &str, row: &Map<String, Value>) -> Result<[String; 2], Unfit> {
        let values = field::values(&[&self.prompt, &self.reply], row);
        let values = values.map_err(|error| {
            let of_prompt = field::values(&[&self.prompt], row).is_err();
            let span = if of_prompt { self.entry.prompt.span } else { self.entry.reply.span };
            Unfit::new(format!("{place}: {}", error.text), span, JINJA)
        })?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let texts = [text(&values[0]), text(&values[1])];
        for (field, text) in [&self.prompt, &self.reply].into_iter().zip(&texts) {
            if let Some(name) = field.null_written(text, row) {
                let title = format!("{place}: `{name}`, of which `{}` is made, is null", field.key);
                let help = format!("write `{{{{ {name} or \"\" }}}}`, or take such rows out");
                return Err(self.unfit(title, help));
            }
        }
        Ok(texts)
    }

    fn unfit(&self, title: String, help: impl Into<String>) -> Unfit {
        Unfit::new(title, self.entry.file.span, help)
    }
}

/// The start of a row, for a message.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}
