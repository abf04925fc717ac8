//! `cookc chat`: a model's replies to what is typed or piped in.

use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use candle_core::DType;
use clap::Args;

use super::typed::Typed;
use super::{Failure, console, options, reading};
use crate::model::chat::{Message, Template};
use crate::model::sampling::{Sampling, reply};
use crate::model::{self, Ends, Model, Tokenizer, lora};
use crate::run;

const HELP: &str = "\
Examples:
  cookc chat models/SmolLM2 --adapter runs/first/adapter
  cookc chat hf:Qwen/Qwen3-0.6B --system 'Be brief.'
  echo 'Which word?' | cookc chat models/SmolLM2 --temperature 0.7 --seed 1

On a terminal each line is a message, and the model sees what was said before; Ctrl-C ends a reply,
Ctrl-D the conversation. What is piped in is one message. A model that has a chat template sees it;
any other sees the text as it is.";

/// The most bytes of a message that is piped in: more than any model reads.
const PIPED_MAX: u64 = 16 << 20;

/// Talk to a model, with an adapter or without
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Chat {
    /// The model: a folder, or hf:ORG/NAME
    #[arg(value_name = "MODEL")]
    model: String,
    /// What it has learned: the adapter folder of a run, in PEFT's format
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,
    /// The system message, before the conversation
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// How freely a token is drawn; 0 takes the most likely one
    #[arg(long, value_name = "T", default_value_t = 0.0, value_parser = at_least_zero)]
    temperature: f64,
    /// Draw from the most likely tokens that have this probability together
    #[arg(long, value_name = "P", default_value_t = 1.0, value_parser = at_least_zero)]
    top_p: f64,
    /// Which reply is drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The most tokens of a reply
    #[arg(long, value_name = "N", default_value_t = 512)]
    tokens: usize,
    /// The type to compute in
    #[arg(long, value_name = "TYPE", default_value = "f32", value_parser = ["f32", "bf16", "f16"])]
    dtype: String,
    /// Where to compute
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    #[arg(value_parser = ["auto", "cpu", "cuda"])]
    device: String,
}

/// Replies until the input ends.
pub fn run(command: &Chat) -> Result<(), Failure> {
    let cancel = options::interrupt()?;
    let mut chat = Conversation::open(command)?;
    if !io::stdin().is_terminal() {
        let mut text = String::new();
        let piped = io::stdin().take(PIPED_MAX + 1).read_to_string(&mut text);
        piped.context("cannot read standard input")?;
        if text.len() as u64 > PIPED_MAX {
            let error = format!("standard input has more than {PIPED_MAX} bytes");
            return Err(Failure::Input(error));
        }
        return match chat.say(text.trim_end(), command, cancel)? {
            true => Ok(()),
            false => Err(Failure::Interrupted),
        };
    }
    let lines = Typed::start();
    loop {
        console::print("> ")?;
        // Ctrl-C where nothing is being said ends the conversation, as Ctrl-D does.
        let Some(line) = lines.next(cancel)? else { return console::print("\n") };
        if !line.trim().is_empty() {
            chat.say(line.trim(), command, cancel)?;
            cancel.store(false, Ordering::Relaxed);
        }
    }
}

fn at_least_zero(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("write a number that is not below 0".to_string()),
    }
}

/// A model, and what was said.
struct Conversation {
    model: Model,
    tokenizer: Tokenizer,
    template: Option<Template>,
    /// What ends a reply.
    ends: Ends,
    /// Roles and texts; only with a template.
    said: Vec<(&'static str, String)>,
}

impl Conversation {
    fn open(command: &Chat) -> Result<Conversation, Failure> {
        let device = model::device(&command.device, 0).context("cannot use the device")?;
        let dtype = match command.dtype.as_str() {
            "bf16" => DType::BF16,
            "f16" => DType::F16,
            _ => DType::F32,
        };
        let open = || -> anyhow::Result<Conversation> {
            let folder = model::locate(&command.model)?;
            model::io::load_config(&folder)?;
            let tokenizer = Tokenizer::load(&folder)?;
            let template = Template::load(&folder, &tokenizer)?;
            let template = template.map(|template| template.on(run::reading::today()));
            let ends = run::reading::ends(template.as_ref(), &tokenizer)?;
            let mut model = reading::model(&folder, dtype, &device)?;
            if let Some(adapter) = &command.adapter {
                lora::load(&mut model, adapter)?;
            }
            let system = command.system.iter().map(|text| ("system", text.clone()));
            Ok(Conversation { model, tokenizer, template, ends, said: system.collect() })
        };
        open().map_err(|error| Failure::Input(format!("{error:#}")))
    }

    /// Writes the reply to a message as it comes; false if it was stopped.
    fn say(&mut self, text: &str, command: &Chat, cancel: &AtomicBool) -> Result<bool, Failure> {
        self.said.push(("user", text.to_string()));
        let prompt = self.prompt(text).map_err(|error| Failure::Input(format!("{error:#}")))?;
        let Chat { temperature, top_p, seed, tokens, .. } = *command;
        let sampling = Sampling { temperature, top_p, seed, tokens_max: tokens };
        let (mut ids, mut shown, mut said) = (Vec::new(), 0, String::new());
        let (tokenizer, ends) = (&self.tokenizer, &self.ends);
        let mut show = |id: u32| -> anyhow::Result<bool> {
            ids.push(id);
            said = tokenizer.decode(&ids)?;
            let end = ends.end_in(&said);
            // What may be the begin of an end is not shown.
            let safe = end.unwrap_or_else(|| said.len() - ends.open_text(&said));
            if let Some(new) = said.get(shown..safe).filter(whole) {
                console::print(new).map_err(|failure| match failure {
                    Failure::Machine(error) => error,
                    _ => io::Error::from(io::ErrorKind::BrokenPipe).into(),
                })?;
                shown = safe;
            }
            Ok(end.is_none() && !cancel.load(Ordering::Relaxed))
        };
        reply(&self.model, &prompt, ends, &sampling, &mut show)?;
        let text = ends.cut_text(&said).to_string();
        let rest = text.get(shown..).filter(whole).unwrap_or_default();
        console::print(&format!("{rest}\n"))?;
        self.said.push(("assistant", text));
        Ok(!cancel.load(Ordering::Relaxed))
    }

    /// The ids that the model reads: the conversation in its template, or the text alone.
    fn prompt(&self, text: &str) -> anyhow::Result<Vec<u32>> {
        let Some(template) = &self.template else {
            let system = self.said.first().filter(|(role, _)| *role == "system");
            let system = system.map(|(_, text)| format!("{text}\n")).unwrap_or_default();
            let ids = self.tokenizer.encode(&(system + text))?;
            return Ok([self.tokenizer.opening(), &ids].concat());
        };
        let messages = self.said.iter().map(|(role, content)| Message { role, content });
        self.tokenizer.encode(&template.render(&messages.collect::<Vec<_>>(), true)?)
    }
}

/// Whether a text does not end within a character, which may be made of several tokens.
fn whole(text: &&str) -> bool {
    !text.ends_with('\u{fffd}')
}
