//! The loss of plain English a token: what a training makes a model forget.

use std::path::Path;

use crate::diagnostic::{Diagnostic, near_miss};
use crate::model::infer::likelihood::{Item, Request, log_likelihoods};
use crate::model::{Model, walk};
use crate::recipe::{self, Base};
use crate::rows::Rows;
use crate::run::{Event, Observer, Setup};
use crate::tasks::field::{self, Field, Place};
use crate::template::Error;

/// The most tokens that a row is read in at once, unless the model reads fewer.
const TOKENS_MAX: usize = 1024;

/// Rows of plain English as ids.
pub struct English {
    /// Parts of rows, each after what begins a text.
    items: Vec<Item>,
    /// The row that each part is of.
    rows: Vec<usize>,
    /// The tokens of each row.
    pub tokens: Vec<f64>,
    /// What it is, for what is kept.
    pub about: String,
}

/// Reads the rows that a recipe names.
///
/// # Errors
/// What is wrong, at its place in the recipe.
pub fn read(asked: &recipe::English, setup: &Setup) -> Result<English, Box<Diagnostic>> {
    let recipe::English { file, text, limit } = asked;
    let wrong = |code, title: String, span, help: String| {
        Box::new(Diagnostic::error(code, title, span, "here").help(help))
    };
    if matches!(setup.recipe.model.base, Base::Scratch(_)) {
        let title = "a model from scratch knows the words of its templates only".to_string();
        let help = "leave out `english`, or write `base = \"models/NAME\"`".to_string();
        return Err(wrong("E708", title, file.span, help));
    }
    let of_file = |error: Error| {
        let help =
            "write a file of JSON lines, CSV, Parquet or Arrow, counted from the recipe's folder";
        wrong("E707", error.to_string(), file.span, help.to_string())
    };
    let mut rows = Rows::open(Path::new(&file.path)).map_err(of_file)?;
    let columns = rows.columns().to_vec();
    let of_text = |title: String| {
        let help = "write a text with `{{ column }}` for a column of the rows, in Jinja";
        match title.rsplit_once(": write ") {
            Some((title, near)) => {
                wrong("E708", title.to_string(), text.span, format!("write {near}"))
            }
            None => wrong("E708", title, text.span, help.to_string()),
        }
    };
    if !text.path.contains("{{") && !text.path.contains("{%") {
        let bare = text.path.trim_matches(['{', '}', ' ']);
        let near = near_miss(bare, columns.iter().map(String::as_str));
        let column = near.or(columns.first().map(String::as_str)).unwrap_or("text");
        let title = "`text` names no column of the rows".to_string();
        let help = format!("write `text = \"{{{{ {column} }}}}\"`");
        return Err(wrong("E708", title, text.span, help));
    }
    let place = Place { line: 1, is_long: true };
    let field = Field::text("text", &text.path, place).map_err(|error| of_text(error.text))?;
    let mut english = English {
        items: Vec::new(),
        rows: Vec::new(),
        tokens: Vec::new(),
        about: format!("english {TOKENS_MAX}\n"),
    };
    let limit = if *limit == 0 { usize::MAX } else { *limit as usize };
    while english.tokens.len() < limit {
        let Some(row) = rows.next().transpose().map_err(of_file)? else { break };
        let values = field::values(&[&field], &row.values);
        let value =
            values.map_err(|error| of_text(format!("{}: {}", rows.place(&row), error.text)));
        let value = value?.remove(0);
        let text = value.as_str().unwrap_or_default().trim();
        let added = english.add(text, setup);
        added.map_err(|why| of_text(format!("{}: {why}", rows.place(&row))))?;
    }
    match english.items.is_empty() {
        false => Ok(english),
        true => Err(of_text(format!("no row of {} has a text", file.path))),
    }
}

impl English {
    /// Adds a row; an empty one has no token.
    fn add(&mut self, text: &str, setup: &Setup) -> Result<(), String> {
        let ids = setup.tokenizer.encode(text).map_err(|error| format!("{error:#}"))?;
        let most = TOKENS_MAX.min(setup.config.tokens_max());
        for part in ids.chunks(most) {
            let ids = [&[setup.tokenizer.begin()], part].concat();
            self.items.push(Item { requests: vec![Request { ids, scored: part.len() }] });
            self.rows.push(self.tokens.len());
        }
        self.tokens.push(ids.len() as f64);
        self.about += &format!("{ids:?}\n");
        Ok(())
    }

    /// The loss of each row in nats, all its tokens together.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::Failed`] if the device fails, and [`Error::Input`] if a loss
    /// is no number.
    pub fn losses(&self, model: &Model, observer: &Observer) -> Result<Vec<f64>, Error> {
        let model = walk::to_infer(model)?;
        let total = self.items.len() as u64;
        let mut scored = Vec::new();
        let mut each = |some: Vec<_>| {
            scored.extend(some);
            let done = scored.len() as u64;
            observer.tell(Event::Judging { when: "of English", done, total });
            !observer.is_cancelled()
        };
        if !log_likelihoods(&model, &self.items, &mut each)? {
            return Err(Error::Cancelled);
        }
        let mut losses = vec![0.0; self.tokens.len()];
        for (row, scored) in self.rows.iter().zip(scored) {
            losses[*row] -= scored[0].sum;
        }
        match losses.iter().position(|loss| !loss.is_finite()) {
            None => Ok(losses),
            Some(row) => Err(Error::Input(format!(
                "the loss of row {} of plain English is no number: compute in f32, or look at the \
                 loss of the training",
                row + 1
            ))),
        }
    }
}
