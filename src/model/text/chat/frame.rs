//! What a chat template writes around the texts of a sample, whatever these are.

use anyhow::{Context, Result, bail, ensure};

use super::{Message, Template};
use crate::source;

/// The system text of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System<'a> {
    /// There is none.
    None,
    /// All have this one, at which a template may look as it likes.
    Always(&'a str),
    /// Each has its own.
    Varies,
}

/// The texts around system text, prompt and reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Before the system text; empty where there is none, or where all samples have the same.
    pub system: String,
    /// Before the prompt: after the system text, or at the beginning, with a system text that is
    /// the same everywhere.
    pub prompt: String,
    /// Before the reply. What a template itself writes there, such as an empty thought, is
    /// read, not trained on.
    pub reply: String,
    /// Behind the reply: what the model is to write when it is done.
    pub end: String,
    /// Whether each sample has its own system text.
    pub has_system: bool,
}

/// A conversation of one turn: system text, prompt and reply.
type Turn<'a> = [&'a str; 3];

/// Letters that no template itself writes: their offsets are those of the texts.
const PROBE: Turn<'static> =
    ["Zqv sys-probe wkx 71.", "Jxq ask-probe vzk 52?", "kzj say-probe qwv 34"];

/// Texts that templates treat differently if they look at what is said: short, with many lines,
/// with other letters, with signs of markup, like an empty list, and long.
const OTHERS: [Turn<'static>; 4] = [
    ["be", "3 of 12\nand 4", "yes: 3 5 8"],
    [
        "Rules:\n\n1. Be <b>brief</b> & \"exact\".\n2. It's {{ so }} {% if %}",
        "Zürich – 東京\t\\n <b>5</b> & [[x]] | $HOME\n\n```py\nprint('a')\n```\nNow?",
        "Ça va.\nA:  <b> & \"b\"\n\n- c's",
    ],
    ["SYSTEM", "USER", "ASSISTANT"],
    ["x", "0", "[]"],
];

/// How often the long texts have their sentence.
const LONG: usize = 300;

impl Template {
    /// What the template puts around the texts of a sample.
    ///
    /// # Errors
    /// Where it writes other words around other texts, changes a text or leaves one out.
    pub fn frame(&self, system: System) -> Result<Frame> {
        let frame = self.framed(PROBE, system)?;
        if let System::Always(text) = system {
            let with = |text| self.conversation(Some(text), PROBE[1], PROBE[2]);
            ensure!(with(text)? != with(PROBE[0])?, "the chat template leaves the system text out");
        }
        let long = ["A long rule. ", "A long question? ", "A long answer, "];
        let long = long.map(|sentence| sentence.repeat(LONG).trim_end().to_string());
        let long = [&*long[0], &*long[1], &*long[2]];
        for turn in OTHERS.into_iter().chain([long]) {
            self.expect(&frame, system.of(turn), turn[1], turn[2])?;
        }
        Ok(frame)
    }

    /// Holds a rendering against the frame.
    ///
    /// # Errors
    /// If the template renders the conversation to another text than the frame and the texts in it;
    /// the message shows both.
    pub fn expect(
        &self,
        frame: &Frame,
        system: Option<&str>,
        prompt: &str,
        reply: &str,
    ) -> Result<()> {
        let (before, whole) = self.conversation(system, prompt, reply)?;
        let own = system.filter(|_| frame.has_system).unwrap_or_default();
        let start = format!("{}{own}{}", frame.system, frame.prompt);
        let start = format!("{start}{prompt}{}", frame.reply);
        let expected = format!("{start}{reply}{}", frame.end);
        let found = self.ended(&whole, reply);
        if found != expected {
            let [expected, found] = source::difference(&expected, &found);
            bail!(
                "the chat template writes other words around other texts, or changes them: \
                 `{found}` instead of `{expected}`, for the prompt `{}` and the reply `{}`",
                shortened(prompt),
                shortened(reply)
            );
        }
        ensure!(
            start.starts_with(&before),
            "the chat template begins a reply to `{}` otherwise than one to others: `{}`",
            shortened(prompt),
            shortened(&before)
        );
        Ok(())
    }

    /// Up to where a reply begins, and with the reply.
    fn conversation(
        &self,
        system: Option<&str>,
        prompt: &str,
        reply: &str,
    ) -> Result<(String, String)> {
        let system = system.map(|content| Message { role: "system", content });
        let user = Message { role: "user", content: prompt };
        let mut messages: Vec<Message> = system.into_iter().chain([user]).collect();
        let before = self.render(&messages, true)?;
        messages.push(Message { role: "assistant", content: reply });
        let whole = self.render(&messages, false)?;
        if !whole.starts_with(&before) {
            let [before, whole] = source::difference(&before, &whole);
            bail!(
                "the chat template does not begin a conversation with its prompt: a prompt goes \
                 on with `{before}`, and with a reply with `{whole}`"
            );
        }
        Ok((before, whole))
    }

    /// A conversation up to the end of the reply: white space after it belongs to the next
    /// message. A template that writes nothing there leaves the end to the tokenizer.
    fn ended(&self, whole: &str, reply: &str) -> String {
        let whole = whole.trim_end();
        match whole.ends_with(reply.trim_end()) {
            true => whole.to_string() + self.end.as_deref().unwrap_or_default(),
            false => whole.to_string(),
        }
    }

    fn framed(&self, turn: Turn, system: System) -> Result<Frame> {
        let [_, prompt, reply] = turn;
        let (_, whole) = self.conversation(system.of(turn), prompt, reply)?;
        let has_system = system == System::Varies;
        let (head, rest) = match has_system {
            true => split(&whole, turn[0], "system text")?,
            false => ("", &*whole),
        };
        let (between, rest) = split(rest, prompt, "prompt")?;
        let (last, end) = split(rest, reply, "reply")?;
        let end = match end.trim_end() {
            "" => {
                self.end.as_deref().context("the chat template does not say where a reply ends")?
            }
            end => end,
        };
        let [system, prompt, reply, end] = [head, between, last, end].map(String::from);
        Ok(Frame { system, prompt, reply, end, has_system })
    }
}

impl<'a> System<'a> {
    /// That of a conversation.
    fn of(self, turn: Turn<'a>) -> Option<&'a str> {
        match self {
            System::None => None,
            System::Always(text) => Some(text),
            System::Varies => Some(turn[0]),
        }
    }
}

/// What is before and after a text, which occurs once.
fn split<'a>(whole: &'a str, said: &str, what: &str) -> Result<(&'a str, &'a str)> {
    let Some((before, behind)) = whole.split_once(said) else {
        bail!(
            "the chat template changes the {what}, or leaves it out: of `{said}` it makes `{}`",
            shortened(whole)
        );
    };
    ensure!(
        !behind.contains(said),
        "the chat template writes the {what} several times: of `{said}` it makes `{}`",
        shortened(whole)
    );
    Ok((before, behind))
}

fn shortened(text: &str) -> String {
    /// Letters of a text that an error shows.
    const MOST: usize = 400;
    let shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() { shown + " …" } else { shown }
}
