//! The files beside a tokenizer: read as transformers reads them, and kept where a model goes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use candle_core::Device;
use cookc::model::chat::{Message, Template};
use cookc::model::gguf::{self, Kind};
use cookc::model::lora::Lora;
use cookc::model::{Config, Tokenizer, io, lora, weights};
use serde_json::{Value, json};

const CHAT: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n\
                    {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

#[test]
fn settings_are_read_as_python_reads_them_and_are_never_taken_for_absent() -> Result<()> {
    let folder = folder()?;
    let path = folder.path().join("tokenizer_config.json");
    let text = "{\"eos_token\": \"<|im_end|>\", \"model_max_length\": Infinity, \
                \"x\": [NaN, -Infinity, 1e999], \"chat_template\": \"NaN {{ eos_token }}\"}";
    for text in [text.to_string(), format!("\u{feff}{text}")] {
        fs::write(&path, text)?;
        let tokenizer = Tokenizer::load(folder.path())?;
        assert_eq!(Some(tokenizer.eos()), tokenizer.id("<|im_end|>"));
        let template = Template::load(folder.path(), &tokenizer)?.expect("a template");
        assert_eq!(template.render(&[], false)?, "NaN <|im_end|>");
    }
    // Half of a surrogate pair, which Python keeps: where nothing reads it, and where it counts.
    fs::write(&path, r#"{"x": "a\ud83d", "eos_token": "<|im_end|>"}"#)?;
    let tokenizer = Tokenizer::load(folder.path())?;
    assert_eq!(Some(tokenizer.eos()), tokenizer.id("<|im_end|>"));
    fs::write(&path, r#"{"chat_template": "a\ud83d", "eos_token": "<|im_end|>"}"#)?;
    expect_error(folder.path(), &["tokenizer_config.json", "`chat_template`", "surrogate"]);
    for (bytes, said) in [
        (&b"{\"eos_token\": "[..], "is no JSON"),
        (b"[1]", "no JSON object"),
        (b"\"\xff\"", "UTF-8"),
    ] {
        fs::write(&path, bytes)?;
        expect_error(folder.path(), &["tokenizer_config.json", said]);
    }
    fs::remove_file(&path)?;
    fs::create_dir(&path)?;
    expect_error(folder.path(), &["tokenizer_config.json", "is a directory"]);
    Ok(())
}

#[test]
fn an_end_that_one_file_names_is_the_end() -> Result<()> {
    let id = |tokenizer: &Tokenizer, name: &str| tokenizer.id(name).expect("it is there");
    // Only one file at a time says so, and there are tokens that are an end elsewhere.
    for (name, text) in [
        ("tokenizer_config.json", json!({ "eos_token": "<|end|>" })),
        ("special_tokens_map.json", json!({ "eos_token": { "content": "<|end|>" } })),
        ("generation_config.json", json!({ "eos_token_id": [18, 4] })),
        ("config.json", json!({ "eos_token_id": 18 })),
    ] {
        let folder = folder()?;
        fs::write(folder.path().join(name), text.to_string())?;
        let tokenizer = Tokenizer::load(folder.path())?;
        assert_eq!(id(&tokenizer, "<|end|>"), 18);
        assert_eq!(tokenizer.eos(), 18, "{name}");
        assert_eq!(tokenizer.ends()[0], 18, "{name}");
    }
    // As in transformers: the older file counts unless the newer key is there.
    let folder = folder()?;
    let write = |name: &str, value: Value| fs::write(folder.path().join(name), value.to_string());
    write("special_tokens_map.json", json!({ "eos_token": "<|end|>" }))?;
    write("tokenizer_config.json", json!({ "eos_token": "<|eot_id|>" }))?;
    assert_eq!(Tokenizer::load(folder.path())?.eos(), 18);
    let newer = json!({ "eos_token": "<|eot_id|>", "added_tokens_decoder": {} });
    write("tokenizer_config.json", newer)?;
    let tokenizer = Tokenizer::load(folder.path())?;
    assert_eq!(tokenizer.eos(), id(&tokenizer, "<|eot_id|>"));
    // Where nothing else names an end, the older file is believed before a guess.
    write("special_tokens_map.json", json!({ "eos_token": "<|end|>" }))?;
    write("tokenizer_config.json", json!({ "added_tokens_decoder": {} }))?;
    assert_eq!(Tokenizer::load(folder.path())?.eos(), 18);
    write("config.json", json!({ "eos_token_id": 4 }))?;
    assert_eq!(Tokenizer::load(folder.path())?.eos(), 4);
    write("tokenizer_config.json", json!({ "eos_token": "<|no|>", "added_tokens_decoder": {} }))?;
    expect_error(folder.path(), &["`<|no|>`", "no such token"]);
    Ok(())
}

#[test]
fn tokens_that_another_file_adds_are_one_token_in_a_text() -> Result<()> {
    let folder = folder()?;
    let write = |name: &str, value: Value| fs::write(folder.path().join(name), value.to_string());
    let size = Tokenizer::load(folder.path())?.vocab_size();
    write("added_tokens.json", json!({ "<|stop|>": size + 1, "<|more|>": size }))?;
    write("special_tokens_map.json", json!({ "eos_token": "<|stop|>" }))?;
    let tokenizer = Tokenizer::load(folder.path())?;
    assert_eq!(tokenizer.eos() as usize, size + 1);
    assert_eq!(tokenizer.encode("<|more|><|stop|>")?, [size as u32, size as u32 + 1]);
    assert_eq!(tokenizer.decode(&[size as u32, size as u32 + 1])?, "<|more|>", "one is special");
    write("added_tokens.json", json!({ "<|stop|>": size + 7 }))?;
    expect_error(folder.path(), &["`<|stop|>`", &format!("{}", size + 7)]);
    let token = json!({ "content": "<|stop|>", "special": true, "rstrip": true });
    let decoder = json!({ size.to_string(): token });
    write("tokenizer_config.json", json!({ "added_tokens_decoder": decoder }))?;
    assert_eq!(Tokenizer::load(folder.path())?.encode("<|stop|> \n")?, [size as u32]);
    Ok(())
}

#[test]
fn the_chat_template_is_the_one_that_transformers_takes() -> Result<()> {
    let folder = folder()?;
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
    let shown = || -> Result<Option<String>> {
        let template = Template::load(folder.path(), &Tokenizer::load(folder.path())?)?;
        template.map(|template| template.render(&[], false)).transpose()
    };
    let named = json!({ "chat_template": { "rag": "rag", "default": "one" } });
    write("tokenizer_config.json", &named.to_string())?;
    assert_eq!(shown()?.as_deref(), Some("one"));
    let named = json!({ "chat_template": [{ "name": "rag", "template": "rag" }] });
    write("tokenizer_config.json", &named.to_string())?;
    let error = format!("{:#}", shown().expect_err("no default"));
    assert!(error.contains("rag") && error.contains("`default`"), "{error}");
    write("chat_template.jinja", "two\r\nlines\r\n")?;
    assert_eq!(shown()?.as_deref(), Some("two\nlines"));
    fs::create_dir(folder.path().join("additional_chat_templates"))?;
    write("additional_chat_templates/tool_use.jinja", "tools")?;
    assert_eq!(shown()?.as_deref(), Some("two\nlines"));
    fs::remove_file(folder.path().join("chat_template.jinja"))?;
    let error = format!("{:#}", shown().expect_err("no default"));
    assert!(error.contains("tool_use"), "{error}");
    Ok(())
}

#[test]
fn what_a_chat_needs_goes_along_with_a_model() -> Result<()> {
    let folder = folder()?;
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
    fs::create_dir(folder.path().join("additional_chat_templates"))?;
    let files = [
        ("chat_template.jinja", CHAT),
        ("additional_chat_templates/tool_use.jinja", "{{ tools }}"),
        ("generation_config.json", "{\"eos_token_id\": [1, 4], \"temperature\": 0.6}\n"),
        ("special_tokens_map.json", "{\"eos_token\": \"</s>\"}"),
    ];
    for (name, text) in files {
        write(name, text)?;
    }
    let tokenizer = Tokenizer::load(folder.path())?;
    assert_eq!(tokenizer.ends(), [1, 4]);
    let (copy, file) = (folder.path().join("copy"), folder.path().join("out.gguf"));
    tokenizer.save(&copy)?;
    for (name, text) in files {
        assert_eq!(fs::read_to_string(copy.join(name))?, text, "{name}");
    }
    let config = Config::small(tokenizer.vocab_size(), 32, 64, 1, 4);
    let model = weights::fresh(&config, 0, 0.02, &Device::Cpu)?;
    gguf::save(&model, &tokenizer, &file, Kind::F32, &mut |_| Ok(()))?;
    let again = Tokenizer::load(&file)?;
    assert_eq!(again.chat_template()?.as_deref(), Some(CHAT));
    assert_eq!(again.chat_templates().len(), 2);
    assert_eq!(again.ends()[..2], [1, 4]);
    // From GGUF into a folder, where no file said it before.
    again.save(&folder.path().join("back"))?;
    let back = Tokenizer::load(&folder.path().join("back"))?;
    assert_eq!(back.chat_templates(), again.chat_templates());
    assert_eq!(back.ends(), again.ends());
    Ok(())
}

#[test]
fn a_base_models_files_get_the_end_of_its_chats() -> Result<()> {
    let folder = folder()?;
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
    write("chat_template.jinja", &CHAT.replace('\n', "\r\n"))?;
    write("tokenizer_config.json", "{\"eos_token\": \"</s>\"}")?;
    let tokenizer = Tokenizer::load(folder.path())?;
    let config = Config::small(tokenizer.vocab_size(), 32, 64, 1, 4);
    let model = weights::fresh(&config, 0, 0.02, &Device::Cpu)?;
    io::save(&model, folder.path())?;
    let mut learning = model;
    let lora = Lora::all_linear(2, 4.0);
    lora::attach(&mut learning, &lora, 1)?;
    lora::save(&learning, &lora, ".", &folder.path().join("adapter"))?;
    let end = tokenizer.id("<|im_end|>").expect("it is there");
    let command = |args: &[&str]| -> Result<()> {
        let mut command = assert_cmd::Command::cargo_bin("cookc")?;
        command.current_dir(folder.path()).args(args).assert().success();
        Ok(())
    };
    for (out, says) in [("one", None), ("two", Some("{\"eos_token_id\": 1, \"temperature\": 0.5}"))]
    {
        if let Some(says) = says {
            write("generation_config.json", says)?;
        }
        command(&["merge", ".", "--adapter", "adapter", "--out", out])?;
        let text = fs::read_to_string(folder.path().join(out).join("generation_config.json"))?;
        let written: Value = serde_json::from_str(&text)?;
        assert_eq!(written["eos_token_id"], json!([1, end]), "{text}");
        assert_eq!(written["temperature"].as_f64(), says.map(|_| 0.5));
    }
    command(&["export", ".", "--adapter", "adapter", "--gguf", "out.gguf"])?;
    let read = Tokenizer::load(&folder.path().join("out.gguf"))?;
    assert_eq!(read.ends()[..2], [1, end]);
    // As Python reads a text file, the line breaks of the template are one character each.
    assert_eq!(read.chat_template()?.as_deref(), Some(CHAT));
    Ok(())
}

#[test]
fn the_date_of_a_chat_is_kept_in_the_recipe() -> Result<()> {
    let folder = folder()?;
    let tokenizer = Tokenizer::load(folder.path())?;
    let config = Config::small(tokenizer.vocab_size(), 32, 64, 1, 4);
    io::save(&weights::fresh(&config, 0, 0.02, &Device::Cpu)?, folder.path())?;
    fs::write(
        folder.path().join("say.cook"),
        "x ~ distinct(2, vocab)\ny = x\nrule same: y == x\nsystem \"be\"\nprompt \"Say {x} \"\n\
         reply \"{y}\"\n",
    )?;
    let run = |date: &str, chat: &str| -> Result<(bool, String)> {
        let recipe = format!(
            "[model]\nbase = \".\"\n[[template]]\nfile = \"say.cook\"\n[data]\nvocab = 16\n\
             sequence = 256\nformat = \"chat\"\n{date}[lora]\nrank = 2\n[eval]\nsamples = 2\n"
        );
        fs::write(folder.path().join("chat.toml"), recipe)?;
        fs::write(folder.path().join("chat_template.jinja"), chat)?;
        let mut run = assert_cmd::Command::cargo_bin("cookc")?;
        run.current_dir(folder.path()).args(["run", "--train", "chat.toml", "--dry-run"]);
        let done = run.output()?;
        let text = String::from_utf8([done.stdout, done.stderr].concat())?;
        Ok((done.status.success(), text))
    };
    let dated = "{{ strftime_now('%d %B %Y') }}".to_string() + CHAT;
    let (done, said) = run("", &dated)?;
    assert!(done && said.contains("date = \"20"), "{said}");
    let (done, said) = run("date = \"2024-02-29\"\n", &dated)?;
    assert!(done && said.contains("date = \"2024-02-29\""), "{said}");
    let (done, said) = run("", CHAT)?;
    assert!(done && !said.contains("date ="), "{said}");
    let (done, said) = run("date = \"2023-02-29\"\n", &dated)?;
    assert!(!done && said.contains("E703") && said.contains("2026-11-28"), "{said}");
    let (done, said) = run("", &dated.replace("%d", "%H"))?;
    assert!(!done && said.contains("time of day"), "{said}");
    // A sample that the template changes is shown before the run.
    let (done, said) = run("", &CHAT.replace("m.content", "m.content | replace('Say', 'Tell')"))?;
    assert!(!done && said.contains("E707") && said.contains("Tell"), "{said}");
    let (done, said) = run("", &("<|nothing|>".to_string() + CHAT))?;
    assert!(done, "letters that are no token are letters: {said}");
    Ok(())
}

#[test]
fn a_gguf_names_the_end_of_a_turn_by_its_key_or_by_its_text() -> Result<()> {
    let folder = folder()?;
    let tokenizer = Tokenizer::load(folder.path())?;
    let config = Config::small(tokenizer.vocab_size(), 32, 64, 1, 4);
    let model = weights::fresh(&config, 0, 0.02, &Device::Cpu)?;
    let path = folder.path().join("out.gguf");
    gguf::save(&model, &tokenizer, &path, Kind::F32, &mut |_| Ok(()))?;
    let read = Tokenizer::load(&path)?;
    let texts: Vec<String> = read.ends().iter().filter_map(|id| read.token(*id)).collect();
    // `<|end|>` and `<|return|>` are both there, and no `<|call|>`.
    let expected = [
        "</s>",
        "<|im_end|>",
        "<|eot_id|>",
        "<end_of_turn>",
        "<|end|>",
        "<|end_of_text|>",
        "<\u{ff5c}end\u{2581}of\u{2581}sentence\u{ff5c}>",
        "<|return|>",
    ];
    assert_eq!(texts, expected);
    let template = Template::of(CHAT, &read)?;
    let text = template.render(&[Message { role: "user", content: "a" }], true)?;
    assert_eq!(read.encode(&text)?, tokenizer.encode(&text)?);
    Ok(())
}

/// A folder with the tokenizer of `tests/chat` and nothing else.
fn folder() -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let from: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chat/tokenizer");
    fs::copy(from.join("tokenizer.json"), folder.path().join("tokenizer.json"))?;
    Ok(folder)
}

fn expect_error(folder: &Path, said: &[&str]) {
    let error = format!("{:#}", Tokenizer::load(folder).expect_err("it cannot be read"));
    for said in said {
        assert!(error.contains(said), "{error}");
    }
}
