//! The rows of a file of votes, as JSON: a row a vote, or a row an item.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::votes::{MISSING, Soft, Votes, pair, pairs};
use super::words::{f1, normalised};
use crate::diagnostic::near_miss;

/// The keys that a row may have.
const KEYS: [&str; 6] = ["item", "voter", "label", "votes", "gold", "set"];
/// What a row looks like.
const SHAPE: &str = "{\"item\": …, \"votes\": {\"NAME\": LABEL, …}} or \
                     {\"item\": …, \"voter\": \"NAME\", \"label\": LABEL}";
/// More different labels than this are hardly options to choose from.
const LABELS_MAX: usize = 64;
/// All pairs of voters are compared, for every structure that is tried.
const VOTERS_MAX: usize = 256;
/// Up to here a decimal number is one integer, and no other.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
/// Answers whose words have this F1 count as equal where groups are searched.
const EQUAL_FROM: f64 = 0.5;

/// Answers to different items are hardly more alike than this.
const CHANCE_MAX: f64 = 0.95;

/// When two labels are the same answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Agreement {
    /// They are the same text, one of some options.
    #[default]
    Exact,
    /// They are free text, equal without case, punctuation and articles.
    Normalised,
    /// They are free text, and as much the same as the F1 of their words.
    F1,
}

/// Rows that were read, by sets of votes.
#[derive(Debug, Default)]
pub struct Rows {
    sets: Vec<Set>,
}

/// The votes of one set.
#[derive(Debug, Default)]
struct Set {
    name: Option<String>,
    voters: Vec<String>,
    items: Vec<Item>,
    by_name: BTreeMap<String, usize>,
}

#[derive(Debug, Default)]
struct Item {
    /// By number of the voter.
    labels: BTreeMap<usize, String>,
    gold: Option<String>,
}

impl Rows {
    /// Reads a row.
    ///
    /// # Errors
    /// If it is none: what was expected, what was found, and what to write.
    pub fn add(&mut self, line: &str) -> Result<(), String> {
        let value: Value = serde_json::from_str(line)
            .map_err(|error| format!("it is no JSON ({error}): write {SHAPE}"))?;
        let Value::Object(row) = value else {
            return Err(format!("expected an object, found {}: write {SHAPE}", kind(&value)));
        };
        if let Some(key) = row.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let near = near_miss(key, KEYS);
            let near = near.map_or(String::new(), |near| format!("; did you mean \"{near}\"?"));
            let known = KEYS.map(|key| format!("\"{key}\"")).join(", ");
            return Err(format!("it has the key \"{key}\", and a row has {known}{near}"));
        }
        let set = self.set(text(&row, "set")?);
        let item = text(&row, "item")?;
        let gold = text(&row, "gold")?;
        match (row.get("votes"), row.get("voter"), row.get("label")) {
            (Some(Value::Object(votes)), None, None) => {
                let at = set.item(item);
                for voter in votes.keys() {
                    set.vote(at, voter, text(votes, voter)?)?;
                }
                set.gold(at, gold)
            }
            (Some(other), None, None) => {
                let found = kind(other);
                Err(format!("\"votes\" is {found}: write \"votes\": {{\"NAME\": LABEL, …}}"))
            }
            (None, Some(Value::String(voter)), Some(_)) => {
                let Some(item) = item else {
                    return Err(format!("a row of one vote needs its item: write {SHAPE}"));
                };
                let at = set.item(Some(item));
                set.vote(at, voter, text(&row, "label")?)?;
                set.gold(at, gold)
            }
            (None, Some(other), Some(_)) => {
                Err(format!("\"voter\" is {}: write the voter's name", kind(other)))
            }
            (None, None, None) if gold.is_some() && item.is_some() => {
                let at = set.item(item);
                set.gold(at, gold)
            }
            (Some(_), ..) => Err(format!("it has \"votes\" and one vote more: write {SHAPE}")),
            (None, Some(_), None) => Err(format!("it has no \"label\": write {SHAPE}")),
            (None, None, Some(_)) => Err(format!("it has no \"voter\": write {SHAPE}")),
            (None, None, None) => Err(format!("it has no votes: write {SHAPE}")),
        }
    }

    /// The set of this name.
    fn set(&mut self, name: Option<String>) -> &mut Set {
        // Rows of a set mostly follow each other.
        let at = self.sets.iter().rposition(|set| set.name == name).unwrap_or_else(|| {
            self.sets.push(Set { name, ..Set::default() });
            self.sets.len() - 1
        });
        &mut self.sets[at]
    }

    /// All sets, by their names.
    ///
    /// # Errors
    /// If there are none, a set has too many voters, or their labels are not what `options` and
    /// `agreement` say.
    pub fn votes(
        self,
        agreement: Agreement,
        options: Option<usize>,
    ) -> Result<Vec<(Option<String>, Votes)>, String> {
        if self.sets.is_empty() {
            return Err(format!("it has no rows: write {SHAPE}"));
        }
        let sets = self.sets.into_iter();
        let each = sets.map(|set| {
            let name = set.name.clone();
            let votes = match agreement {
                _ if set.voters.len() > VOTERS_MAX => Err(format!(
                    "there are {} voters, and at most {VOTERS_MAX} are compared: leave some out, \
                     or write a \"set\" for each task",
                    set.voters.len()
                )),
                Agreement::Exact => set.closed(options),
                Agreement::Normalised | Agreement::F1 => set.free(agreement, options),
            };
            let place = name.as_ref().map_or(String::new(), |name| format!("set {name}: "));
            votes.map(|votes| (name, votes)).map_err(|why| format!("{place}{why}"))
        });
        each.collect()
    }
}

impl Set {
    /// The item of this name, or one more.
    fn item(&mut self, name: Option<String>) -> usize {
        let next = self.items.len();
        let at = match name {
            Some(name) => *self.by_name.entry(name).or_insert(next),
            None => next,
        };
        if at == next {
            self.items.push(Item::default());
        }
        at
    }

    /// A voter's label of an item; a voter without any is known all the same.
    fn vote(&mut self, item: usize, voter: &str, label: Option<String>) -> Result<(), String> {
        let at = self.voters.iter().position(|known| known == voter).unwrap_or_else(|| {
            self.voters.push(voter.to_string());
            self.voters.len() - 1
        });
        let Some(label) = label else { return Ok(()) };
        match self.items[item].labels.get(&at) {
            Some(known) if *known != label => Err(format!(
                "`{voter}` votes `{label}`, and voted `{known}` on the same item above: leave one \
                 out"
            )),
            _ => {
                self.items[item].labels.insert(at, label);
                Ok(())
            }
        }
    }

    fn gold(&mut self, item: usize, gold: Option<String>) -> Result<(), String> {
        let Some(gold) = gold else { return Ok(()) };
        match &self.items[item].gold {
            Some(known) if *known != gold => Err(format!(
                "its \"gold\" is `{gold}`, and was `{known}` for the same item above: leave one out"
            )),
            _ => {
                self.items[item].gold = Some(gold);
                Ok(())
            }
        }
    }

    /// The votes where labels are options.
    fn closed(self, options: Option<usize>) -> Result<Votes, String> {
        let mut labels: Vec<String> = Vec::new();
        // What is right decides nothing: an option is what is voted for.
        for item in &self.items {
            for label in item.labels.values() {
                if !labels.contains(label) {
                    labels.push(label.clone());
                }
                if labels.len() > LABELS_MAX.max(options.unwrap_or(0)) {
                    return Err(format!(
                        "there are more than {} labels, such as `{label}`: if they are free text, \
                         write `--agreement normalised` or `--agreement f1`; else the number of \
                         options, `--options K`",
                        labels.len() - 1
                    ));
                }
            }
        }
        labels.sort();
        if let Some(options) = options.filter(|options| *options < labels.len()) {
            let shown: Vec<String> = labels.iter().take(8).map(|one| format!("`{one}`")).collect();
            return Err(format!(
                "--options is {options}, and there are {} labels ({}{}): write `--options {}`",
                labels.len(),
                shown.join(", "),
                if labels.len() > shown.len() { ", …" } else { "" },
                labels.len()
            ));
        }
        let known = options.unwrap_or(labels.len()).max(2);
        let number = |label: &String| labels.binary_search(label).map_or(MISSING, |at| at as u16);
        // A right answer that nobody votes for is beyond all options.
        let right = |label: &String| labels.binary_search(label).unwrap_or(labels.len()) as u16;
        let voters = self.voters.len();
        let row = |item: &Item| {
            (0..voters).map(|at| item.labels.get(&at).map_or(MISSING, number)).collect()
        };
        let items = self.items.iter().map(row).collect();
        let gold = self.items.iter().map(|item| item.gold.as_ref().map(right)).collect();
        let labels = Some(labels);
        Ok(Votes { voters: self.voters, items, gold, options: known, labels, soft: None })
    }

    /// The votes where labels are free text: a label has a number in its item alone.
    fn free(self, agreement: Agreement, options: Option<usize>) -> Result<Votes, String> {
        let mut votes = Votes { options: options.unwrap_or(0), ..Votes::default() };
        let mut soft = Soft::default();
        let mut before: Vec<String> = Vec::new();
        let (mut chance, mut compared) = (0.0, 0.0);
        for item in &self.items {
            let (texts, gold) = item.texts(self.voters.len());
            let (row, same) = numbered(&texts, gold.as_deref(), agreement);
            votes.items.push(row);
            votes.gold.push(same);
            if agreement == Agreement::F1 {
                let known: Vec<String> =
                    texts.into_iter().map(|text| text.unwrap_or_default()).collect();
                let all = pairs(known.len()).map(|(a, b)| (pair(a, b), f1(&known[a], &known[b])));
                let mut each = vec![0.0; known.len() * known.len().saturating_sub(1) / 2];
                all.for_each(|(at, alike)| each[at] = alike as f32);
                soft.pairs.push(each);
                let to = |gold: String| known.iter().map(|text| f1(&gold, text) as f32).collect();
                soft.gold.push(gold.map(to));
                let others = before.iter().zip(&known);
                for (one, other) in others.filter(|(a, b)| !a.is_empty() && !b.is_empty()) {
                    chance += f1(one, other);
                    compared += 1.0;
                }
                before = known;
            }
        }
        // Answers that are all alike leave nothing to correct for.
        soft.chance = (chance / f64::max(compared, 1.0)).min(CHANCE_MAX);
        votes.voters = self.voters;
        votes.soft = (agreement == Agreement::F1).then_some(soft);
        let most = votes.items.iter().flatten().filter(|label| **label != MISSING).max();
        let most = most.map_or(0, |most| *most as usize + 1);
        match options.filter(|options| *options < most) {
            Some(options) => Err(format!(
                "--options is {options}, and an item has {most} different answers: write \
                 `--options {most}` or more, or leave it out"
            )),
            None => Ok(votes),
        }
    }
}

impl Item {
    /// The answers by voter, and the right one, normalised.
    fn texts(&self, voters: usize) -> (Vec<Option<String>>, Option<String>) {
        let text = |label: &String| normalised(label);
        let each = (0..voters).map(|at| self.labels.get(&at).map(text)).collect();
        (each, self.gold.as_ref().map(text))
    }
}

/// The answers of an item by number, the same for those that are the same; and the right one's.
fn numbered(
    texts: &[Option<String>],
    gold: Option<&str>,
    agreement: Agreement,
) -> (Vec<u16>, Option<u16>) {
    let is_same = |one: &str, other: &str| match agreement {
        Agreement::F1 => f1(one, other) >= EQUAL_FROM,
        _ => one == other,
    };
    let mut row = vec![MISSING; texts.len()];
    let mut next = 0;
    let first = |text: &str, up_to: usize| {
        (0..up_to).find(|at| texts[*at].as_ref().is_some_and(|other| is_same(other, text)))
    };
    for (at, text) in texts.iter().enumerate() {
        let Some(text) = text else { continue };
        let same = first(text, at);
        row[at] = same.map_or(next, |same| row[same]);
        next += u16::from(same.is_none());
    }
    let gold = gold.map(|gold| first(gold, texts.len()).map_or(next, |same| row[same]));
    (row, gold)
}

/// A value as text; none where it is missing or null.
fn text(row: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match row.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Bool(one)) => Ok(Some(one.to_string())),
        Some(Value::Number(one)) => match one.as_f64().filter(|_| one.is_f64()) {
            // Some programs write integers as decimals where one of a column is missing.
            Some(whole) if whole.fract() == 0.0 && whole.abs() <= EXACT_MAX => {
                Ok(Some(format!("{whole:.0}")))
            }
            Some(large) if large.abs() > EXACT_MAX => Err(format!(
                "\"{key}\" is {one}, a number of more digits than are kept: write it as a text"
            )),
            _ => Ok(Some(one.to_string())),
        },
        Some(other) => Err(format!("\"{key}\" is {}: write a text, a number or null", kind(other))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
