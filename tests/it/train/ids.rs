//! The ids and the loss mask of samples are those of the tokenizer's own library on whole texts.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use cookc::data::budget::budget;
use cookc::data::layout::{Encoded, Escape, Part, TextWriter, TokenIds};
use cookc::data::vocab::Vocabulary;
use cookc::data::{Compile, Sampler, Split};
use cookc::ir::Bound;
use cookc::source::Source;
use cookc::{check, ir, stdlib, syntax};
use serde_json::{Value, json};

use super::hub::sharded;
use super::ids_shapes::{self, Shape};

/// Samples of each template, level and tokenizer.
const SAMPLES: u64 = 1;

/// What chats put around system text, prompt and reply.
const CHATS: [[&str; 4]; 3] = [
    [
        "<|im_start|>system\n",
        "<|im_end|>\n<|im_start|>user\n",
        "<|im_end|>\n<|im_start|>assistant\n",
        "<|im_end|>",
    ],
    ["<s>[INST] <<SYS>>\n", "\n<</SYS>>\n\n", " [/INST] ", " </s>"],
    ["### System:\n", "### Instruction:\n", "\n\n### Response:\n\n", "\n\n### End"],
];

/// A program whose values the layouts below show.
const VALUES: &str = r#"
xs ~ distinct(4, vocab)
x = at(0, xs)
y = at(1, xs)
n ~ uniform(0..1200)
m ~ uniform(-9..99)
ns ~ repeat(4, uniform(-5..5))
b ~ coin(0.5)
t ~ pick(["yes", "no.", "(a", "3"])
e ~ pick(["", "so", " two words ", "\n\n", "line\n"])
k ~ uniform(0..2)
few = take(k, xs)
r = 1.0 / 3.0
rule right: x in xs
prompt "{xs} {x} {y} {n} {m} {ns} {b} {t} {e} {k} {few} {r}"
reply "{x}"
"#;

/// System text, prompt and reply whose pieces go together. `{xs|, }` is a list with a text between
/// its elements, `{xs#}` one with numbers, `{xs:ns= }` one with keys.
const LAYOUTS: [[&str; 3]; 30] = [
    ["", "The {x}s and un{y} of {x}ing.", "{x}s un{y}"],
    ["", "/{x} .{y} ({x}) [{y}] -{x} \"{y}\" '{x}' @{y} _{x} #{y}", "({x})/{y}"],
    ["", "{x}/{y}.{x}({y}){x}-{y}:{x}'{y}_{x}", "{x}.{y}"],
    ["", "{n}{m} and {n}{n}{n}: 1{n}, {n}0", "{m}{n}"],
    ["", "x{n}y {n}th {x}{n} {n}{x}", "{n}{x}"],
    ["", "Words:\n\n{x}\n\n\n{y}\n\nLast:", "{x}"],
    ["", "Words: {x} {y}\n\n", "{x}"],
    ["", "Words: {x} {y}\n", "{x}"],
    ["", "Words: {x} {y}\n\n\n\n", "({x})"],
    ["", "Words: {x} {y} Last: ", "{x}"],
    ["", "Words: {x} {y} Last:  ", "{x}"],
    ["", "Words: {x} {y} Last:\t", "{n}"],
    ["", "{x} {y}", "{x}\n\n{y}\n"],
    ["", "{x} {y}", "{x}\n\n{y}\n\n"],
    ["", "Words:  {x}   {y} .", "{x}  {y} "],
    ["Say {x}.", "Now {y}", "{x}"],
    ["Say {x}:\n\n", "{y}", "{x}"],
    ["Say {x}:\n\n", "\n{y}", "\n{x}"],
    ["{few}", "{few}", "{few}"],
    ["", "{xs}|{xs|}|{xs|, }|{xs|\n\n}|{xs|/}", "{xs:ns= }\n{xs#}"],
    ["", "{ns}|{ns|}|{ns|, }|{ns#}", "{ns:xs:}"],
    ["", "{x}'s and {y}'re '{x} '{x}", "{x}'ll"],
    ["", "{r}{b} {r}. {b}s {b}{b}", "{r}{n}"],
    ["", "{t}{x} {t} {t}{t} {x}{t}", "{t}"],
    ["", "{e}{x} {e} {e}{e} {x}{e}", "{e}"],
    ["{e}", "{e}{x}{e}", "{e}"],
    ["", "<s>{x}</s>{y} [INST]{x} [INST] {y}<s>", "{y}</s>"],
    ["", "\u{e9}{x} {x}\u{e9}\u{301} \u{4f60}{x} \u{1f642}{y}", "{x}\u{301}"],
    ["", "{x} \r\n{y}\t{x}\u{a0}{y}\u{3000}", "{x}"],
    ["", "# {x}\n- {y}\n- {x}\n```\n{n}\n```", "{x}: {y}, {n}; {m}!"],
];

#[test]
fn ids_of_every_template_are_those_of_whole_texts() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut samplers = Vec::new();
    for (name, _) in stdlib::TEMPLATES {
        let source = stdlib::template(name).context("it is built in")?;
        for level in ["", "hard"] {
            samplers.extend(sampler(&source, level, Vocabulary::embedded_part(150)));
        }
    }
    assert!(samplers.len() > 40, "{} templates and levels", samplers.len());
    // Made texts are no pieces that tables could hold.
    let of_pieces = samplers.iter().filter(|sampler| !shows_made_text(sampler)).count();
    assert!(of_pieces > 40, "{of_pieces} templates and levels show no made text");
    let shapes = ids_shapes::all(&texts_of(&samplers)?, folder.path())?;
    for shape in &shapes {
        let (mut with_tables, mut chats_with_tables) = (0, 0);
        for sampler in &samplers {
            let [plain, chats] = holds(shape, sampler, 1)?;
            with_tables += plain;
            chats_with_tables += chats;
        }
        println!("{}: {with_tables} of {of_pieces} with tables", shape.name);
        // Where it may, it is fast.
        let few = ["looks back", "merges over words and lines", "Unigram"];
        let has_few = few.contains(&shape.name);
        assert_eq!(2 * with_tables < of_pieces, has_few, "{}: {with_tables}", shape.name);
        let has_some = 2 * chats_with_tables > of_pieces / 2;
        assert_eq!(has_some, !has_few, "{}: {chats_with_tables} chats", shape.name);
    }
    Ok(())
}

#[test]
fn ids_of_pieces_that_go_together_are_those_of_whole_texts() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let words = ["arbo", "bine", "t\u{e9}l\u{e9}", "s", "re", "Dolo", "EFRI", "x_y", "7up", "st4"];
    let source = Source::new("values.cook", VALUES);
    let mut samplers = Vec::new();
    for vocabulary in [Vocabulary::embedded_part(60), Vocabulary::new(words)?] {
        let sampler = sampler(&source, "", vocabulary).context("it has no error")?;
        samplers.extend(LAYOUTS.map(|texts| with_layout(&sampler, texts)));
    }
    let shapes = ids_shapes::all(&texts_of(&samplers)?, folder.path())?;
    for shape in &shapes {
        for sampler in &samplers {
            holds(shape, sampler, CHATS.len())?;
        }
    }
    Ok(())
}

#[test]
fn letters_that_have_no_ids_are_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let letters: Vec<String> = ('a'..='z').chain([' ', '\n']).map(String::from).collect();
    let vocab: serde_json::Map<String, Value> = ["<unk>", "</s>"]
        .into_iter()
        .map(String::from)
        .chain(letters)
        .enumerate()
        .map(|(id, token)| (token, json!(id)))
        .collect();
    let scores: Vec<Value> = vocab.keys().map(|token| json!([token, -2.0])).collect();
    let bpe = |unknown: Value| {
        json!({
            "type": "BPE", "vocab": vocab, "merges": [], "unk_token": unknown,
        })
    };
    let unigram = |unknown: Value| json!({"type": "Unigram", "vocab": scores, "unk_id": unknown});
    let pieces = json!({
        "type": "WordPiece", "unk_token": "<unk>", "continuing_subword_prefix": "",
        "max_input_chars_per_word": 100, "vocab": vocab,
    });
    let models =
        [bpe(json!("<unk>")), bpe(Value::Null), unigram(json!(0)), unigram(Value::Null), pieces];
    for (at, model) in models.into_iter().enumerate() {
        let json = ids_shapes::of_model(model, &[("</s>", 1)]);
        let shape = ids_shapes::shape("known", json, &folder.path().join(at.to_string()))?;
        assert!(shape.ours.encode_known("grosse wege").is_ok(), "{at}");
        let error = shape.ours.encode_known("der gr\u{f6}\u{df}e weg").expect_err("unknown");
        let said = format!("{error:#}");
        assert!(said.contains("gr\u{f6}\u{df}e"), "{at}: {said}");
        let names_letters = said.contains("`\u{f6}`") && said.contains("`\u{df}`");
        assert!(names_letters, "{at}: {said}");
    }
    // What an added token holds is known, though its letters are not.
    let json = ids_shapes::of_model(bpe(json!("<unk>")), &[("</s>", 1), ("<\u{df}>", 90)]);
    let shape = ids_shapes::shape("added", json, &folder.path().join("added"))?;
    assert!(shape.ours.encode_known("<\u{df}>weg").is_ok());
    let said =
        format!("{:#}", shape.ours.encode_known("<\u{df}>gr\u{f6}sse").expect_err("unknown"));
    assert!(said.ends_with("does not know `\u{f6}` in `gr\u{f6}sse`"), "{said}");
    // In its patterns `$` is the end of each line, as for the library that Python has.
    let mut json = ids_shapes::of_model(bpe(json!("<unk>")), &[("</s>", 1)]);
    let pattern = json!({"Regex": "(?:^ +| +$)"});
    json["normalizer"] = json!({"type": "Replace", "pattern": pattern, "content": ""});
    let shape = ids_shapes::shape("lines", json, &folder.path().join("lines"))?;
    assert_eq!(shape.ours.encode(" a  \n  b \n")?, shape.ours.encode("a\nb\n")?);
    let shape = ids_shapes::shape(
        "written",
        ids_shapes::of_model(bpe(json!("<unk>")), &[("<unk>", 0), ("</s>", 1)]),
        folder.path(),
    )?;
    assert_eq!(shape.ours.encode_known("<unk>")?, [0], "the token itself may be written");
    Ok(())
}

#[test]
fn a_run_on_letters_that_have_no_ids_is_refused_with_the_word() -> Result<()> {
    let folder = tempfile::tempdir()?;
    sharded(folder.path())?;
    let letters = ('a'..='z').chain([' ', '\n', ':']).map(String::from);
    let vocab: serde_json::Map<String, Value> = ["</s>".to_string()]
        .into_iter()
        .chain(letters)
        .enumerate()
        .map(|(id, token)| (token, json!(id)))
        .collect();
    let model = json!({"type": "BPE", "vocab": vocab, "merges": []});
    let json = ids_shapes::of_model(model, &[("</s>", 0)]);
    std::fs::write(folder.path().join("tokenizer.json"), serde_json::to_string(&json)?)?;
    std::fs::write(folder.path().join("tokenizer_config.json"), r#"{"eos_token": "</s>"}"#)?;
    let template = "x ~ distinct(2, vocab)\ny = x\nrule same: y == x\nprompt \"say {x}:\"\n\
                    reply \"{y}\"\n";
    std::fs::write(folder.path().join("say.cook"), template)?;
    std::fs::write(folder.path().join("words.txt"), "weg\nstra\u{df}e\nhaus\n")?;
    let recipe = "[model]\nbase = \".\"\n[[template]]\nfile = \"say.cook\"\n[data]\n\
                  vocab = \"words.txt\"\nsequence = 64\n[lora]\nrank = 2\n\
                  [train]\nsteps = 1\nbatch = 2\n[eval]\nsamples = 1\n";
    std::fs::write(folder.path().join("run.toml"), recipe)?;
    let mut run = assert_cmd::Command::cargo_bin("cookc")?;
    let done = run.current_dir(folder.path()).args(["run", "--train", "run.toml"]).output()?;
    let said = String::from_utf8(done.stderr)?;
    assert_eq!(done.status.code(), Some(1), "{said}");
    for word in ["E708", "`\u{df}`", "stra\u{df}e"] {
        assert!(said.contains(word), "{word} is not in {said}");
    }
    Ok(())
}

/// `{x}s` is one word, for a model from scratch and for one whose tokenizer knows no other.
#[test]
fn words_that_pieces_make_together_are_known_together() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write(
        "glued.cook",
        "xs ~ distinct(2, vocab)\nn ~ uniform(0..9)\ny = at(0, xs)\nrule same: y in xs\n\
         prompt \"un{y}s {n}th a{xs} un{xs}s\"\nreply \"{y}s\"\n",
    )?;
    write("words.txt", "weg\nhaus\nbaum\n")?;
    sharded(folder.path())?;
    let words = ["weg", "haus", "baum"];
    let made = words.iter().flat_map(|word| {
        ["un{}s", "un{}", "a{}", "{}", "{}s"].map(|form| form.replace("{}", word))
    });
    let made = made.chain((0..10).map(|number| format!("{number}th")));
    let all = ["[UNK]", "</s>"].map(String::from).into_iter().chain(made);
    let vocab: serde_json::Map<String, Value> =
        all.enumerate().map(|(id, word)| (word, json!(id))).collect();
    let mut json = ids_shapes::of_model(
        json!({"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"}),
        &[("</s>", 1)],
    );
    json["pre_tokenizer"] = json!({"type": "WhitespaceSplit"});
    write("tokenizer.json", &json.to_string())?;
    write("tokenizer_config.json", r#"{"eos_token": "</s>"}"#)?;
    for model in ["base = \".\"", "layers = 1\nwidth = 16\nheads = 2"] {
        let lora = if model.starts_with("base") { "[lora]\nrank = 2\n" } else { "" };
        let recipe = format!(
            "[model]\n{model}\n[[template]]\nfile = \"glued.cook\"\n[data]\nsequence = 64\n\
             vocab = \"words.txt\"\n{lora}[train]\nsteps = 1\nbatch = 2\n[eval]\nsamples = 2\n"
        );
        write("run.toml", &recipe)?;
        let mut run = assert_cmd::Command::cargo_bin("cookc")?;
        let run = run.current_dir(folder.path()).args(["run", "--train", "run.toml", "--dry-run"]);
        let done = run.output()?;
        let said = String::from_utf8([done.stdout, done.stderr].concat())?;
        // Five words and the reply with its end; a model from scratch has the spaces beside them.
        assert!(done.status.success() && said.contains("the longest of 256 samples"), "{said}");
    }
    Ok(())
}

/// True if a sample's texts show a text that is no literal of the program.
fn shows_made_text(sampler: &Sampler) -> bool {
    fn is_made(bound: &Bound) -> bool {
        match bound {
            Bound::Text(text) => text.literals.is_none(),
            Bound::List { element, .. } => is_made(element),
            _ => false,
        }
    }
    sampler.program().slots.iter().any(|slot| slot.shown && is_made(&slot.bound))
}

/// Holds one template and tokenizer, plain, with shots and in chats, and counts those with tables:
/// of plain text, and of chats.
fn holds(shape: &Shape, sampler: &Sampler, chats: usize) -> Result<[usize; 2]> {
    let ids = || {
        let tokenize = Arc::new(shape.ours.clone());
        TokenIds::new(sampler.program(), sampler.vocabulary().clone(), tokenize)
    };
    let plain = ids().behind(shape.ours.opening());
    let tables = usize::from(plain.has_tables());
    let program = sampler.program();
    let told = |what: &str| format!("{}, {} {}: {what}", shape.name, program.name, program.level);
    for index in 0..SAMPLES {
        same(shape, sampler, &plain, None, index, 0).with_context(|| told("plain"))?;
    }
    let shots = ids().behind(shape.ours.opening()).after_shots("\n\n");
    same(shape, sampler, &shots, None, 0, 2).with_context(|| told("shots"))?;
    let has_system = program.layout.system.is_some();
    let words = (&**sampler.vocabulary(), &**sampler.pools());
    if let Some(budget) = budget(program, words, &shape.ours, tables == 0) {
        let mut memory = sampler.memory(Split::Train, 1);
        let mut encoded = Encoded::default();
        for index in 0..SAMPLES {
            sampler.sample(&mut memory, index).map_err(|error| anyhow!("{error:?}"))?;
            plain.encode(&memory, &mut encoded).map_err(|why| anyhow!(why))?;
            let (all, reply) = (encoded.ids.len() as u64, encoded.reply().len() as u64);
            let opening = shape.ours.opening().len() as u64;
            let most = opening + budget.prompt + budget.reply;
            ensure!(all <= most && reply <= budget.reply, told(&format!("{all} and {budget:?}")));
        }
    }
    let mut fast = 0;
    let chats = CHATS.into_iter().cycle().skip(program.name.len()).take(chats);
    for [system, prompt, reply, end] in chats {
        let system = if has_system { system } else { "" };
        for end in ["", end] {
            let around = [system, prompt, reply, end];
            let chat = ids().in_chat(around);
            same(shape, sampler, &chat, Some(around), 1, 0).with_context(|| told(reply))?;
            // An end that is a special token leaves it as fast as it was.
            let bare = ids().in_chat([system, prompt, reply, ""]).has_tables();
            let is_special = shape.ours.id(end).is_some();
            ensure!(!bare || !is_special || chat.has_tables(), told("no tables with an end"));
            fast += usize::from(chat.has_tables());
        }
    }
    Ok([tables, fast])
}

fn same(
    shape: &Shape,
    sampler: &Sampler,
    ids: &TokenIds,
    around: Option<[&str; 4]>,
    index: u64,
    shots: u64,
) -> Result<()> {
    let (mut memory, mut encoded) = (sampler.memory(Split::Train, 1), Encoded::default());
    let (mut text, mut prompt_end) = (String::new(), 0);
    let mut draft = ids.draft();
    for one in (100..100 + shots).chain([index]) {
        sampler.sample(&mut memory, one).map_err(|error| anyhow!("{error:?}"))?;
        prompt_end = write(sampler, &memory, around, &mut text);
        if one != index {
            text += "\n\n";
            draft.shot(&memory);
        }
    }
    encoded = match shots {
        0 => {
            ids.encode(&memory, &mut encoded).map_err(|why| anyhow!(why))?;
            encoded
        }
        _ => draft.end(&memory).map_err(|why| anyhow!(why))?,
    };
    text += around.map_or("", |around| around[3]);
    let special = around.is_none();
    let real = shape.real.encode(text.as_str(), special).map_err(|error| anyhow!("{error}"))?;
    let whole = real.get_ids();
    // A token that holds the end of the prompt and the start of the reply is the reply's. By the
    // places that the library gives without a post-processor, which may trim them.
    let mut bare = shape.real.clone();
    bare.with_post_processor(None::<tokenizers::PostProcessorWrapper>);
    let bare = bare.encode(text.as_str(), false).map_err(|error| anyhow!("{error}"))?;
    let opening = if special { shape.ours.opening().len() } else { 0 };
    let ends = bare.get_offsets().iter().map(|(_, end)| *end);
    let reply_start = opening + ends.take_while(|end| *end <= prompt_end).count();
    ensure!(
        encoded.ids == whole && encoded.reply_start == reply_start,
        "the text is {text:?}\nits ids are {whole:?}, reply from {reply_start}\nthe pieces' \
         {:?}, reply from {}; tables: {}",
        encoded.ids,
        encoded.reply_start,
        ids.has_tables(),
    );
    Ok(())
}

/// Appends a sample's text as it is to be read, and gives the end of what is read before a reply.
fn write(
    sampler: &Sampler,
    memory: &cookc::runtime::Memory,
    around: Option<[&str; 4]>,
    out: &mut String,
) -> usize {
    let writer = TextWriter::new(sampler.program(), sampler.vocabulary().clone(), Escape::None);
    let texts = [Part::System, Part::Prompt, Part::Reply].map(|part| writer.text(part, memory));
    let [system, prompt, reply] = &texts;
    if let Some(around) = around {
        *out += &format!("{}{}{}", around[0], system.trim(), around[1]);
        *out += &format!("{}{}", prompt.trim(), around[2]);
        let end = out.len();
        *out += reply.trim();
        return end;
    }
    if sampler.program().layout.system.is_some() {
        *out += &format!("{system}\n");
    }
    *out += prompt;
    let end = out.len();
    if !prompt.ends_with(char::is_whitespace) && !reply.is_empty() {
        out.push(' ');
    }
    *out += reply;
    end
}

fn sampler(source: &Source, level: &str, words: Vocabulary) -> Option<Sampler> {
    let (file, _) = syntax::parse(source);
    let (typed, errors) = check::check(&file, source, &|_| Err("no file".into()));
    let typed = typed.unwrap_or_else(|| panic!("{}: {errors:?}", source.name));
    Compile::level(&typed, level, words).interpreted().ok()
}

/// The same values in another layout.
fn with_layout(sampler: &Sampler, texts: [&str; 3]) -> Sampler {
    let [system, prompt, reply] = texts.map(|text| layout_of(sampler.program(), text));
    let system = (!system.is_empty()).then_some(system);
    sampler.with_layout(&format!("{texts:?}"), ir::Layout { system, prompt, reply })
}

fn layout_of(program: &ir::Program, text: &str) -> Vec<ir::Piece> {
    let slot = |name: &str| {
        let found = program.slots.iter().position(|slot| slot.name == name);
        found.unwrap_or_else(|| panic!("no value {name}")) as ir::SlotId
    };
    let rows =
        |cells| ir::Piece::Rows(ir::Rows { between: "\n".to_string(), cells, nothing: None });
    let part = |text: &str| ir::Cell::Literal(text.to_string());
    let column = |slot| ir::Cell::Column(slot, ir::Form::Plain);
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        let (value, after) = after.split_once('}').expect("it ends");
        if !literal.is_empty() {
            pieces.push(ir::Piece::Literal(literal.to_string()));
        }
        pieces.push(if let Some((name, between)) = value.split_once('|') {
            ir::Piece::Value(slot(name), ir::Form::Joined(between.to_string()))
        } else if let Some(name) = value.strip_suffix('#') {
            rows(vec![ir::Cell::Number, part(". "), column(slot(name))])
        } else if let Some((keys, value)) = value.split_once(':') {
            let name = value.trim_end_matches(|c: char| !c.is_alphanumeric());
            let cells = vec![column(slot(keys)), part(&value[name.len()..]), column(slot(name))];
            rows(cells)
        } else {
            ir::Piece::Value(slot(value), ir::Form::Plain)
        });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(ir::Piece::Literal(rest.to_string()));
    }
    pieces
}

/// Some texts of each template, to teach tokenizers on.
fn texts_of(samplers: &[Sampler]) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for sampler in samplers {
        let mut memory = sampler.memory(Split::Train, 7);
        for index in 0..3 {
            sampler.sample(&mut memory, index).map_err(|error| anyhow!("{error:?}"))?;
            let mut text = String::new();
            write(sampler, &memory, None, &mut text);
            texts.push(text);
        }
    }
    Ok(texts)
}
