//! Chat templates, held against what transformers makes of them, and replies as they are drawn.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use cookc::model::chat::{Frame, Message, System, Template};
use cookc::model::sampling::{Sampling, reply};
use cookc::model::{Ends, Model, Tokenizer, greedy, greedy_until};
use serde_json::{Value, json};

use super::hub::sharded;
use super::tiny;

const NAMES: [&str; 3] = ["chatml", "llama3", "mistral"];

#[test]
fn templates_are_rendered_as_transformers_renders_them() -> Result<()> {
    let rendered: Value = serde_json::from_str(&fs::read_to_string(data("rendered.json"))?)?;
    for name in NAMES {
        let template = template(name)?;
        let cases = rendered[name].as_array().expect("a list of conversations");
        assert!(cases.len() > 5);
        for case in cases {
            let text = |message: &Value, key: &str| message[key].as_str().map(String::from);
            let said = case["messages"].as_array().expect("messages").iter();
            let said = said.map(|it| (text(it, "role"), text(it, "content")));
            let said: Vec<_> = said.map(|(a, b)| (a.expect("role"), b.expect("text"))).collect();
            let messages: Vec<Message> =
                said.iter().map(|(role, content)| Message { role, content }).collect();
            for prompt in [false, true] {
                let found = template.render(&messages, prompt);
                match case[prompt.to_string()].as_str() {
                    Some(expected) => assert_eq!(found?, expected, "{name}: {messages:?}"),
                    None => assert!(found.is_err(), "{name} refuses {messages:?}"),
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_template_that_never_ends_a_reply_gets_the_models_own_end() -> Result<()> {
    let endless = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}\
                   {% if add_generation_prompt %}assistant: {% endif %}";
    assert_eq!(Template::new(endless, special())?.frame(System::None)?.end, "</s>");
    Ok(())
}

#[test]
fn a_template_that_cannot_be_trained_with_says_so() -> Result<()> {
    for (text, said) in [
        // What comes before the messages depends on how many there are.
        ("{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}", "prompt"),
        ("{% for m in messages %}{{ m.content | upper }}{% endfor %}", "changes the prompt"),
        ("{{ raise_exception('no ' ~ messages[0].role) }}", "line 1 of the chat template: no user"),
        ("\n{{ messages[0].content.explode() }}", "line 2 of the chat template"),
    ] {
        let frame = Template::new(text, special())?.frame(System::None);
        let error = format!("{:#}", frame.expect_err(text));
        assert!(error.contains(said), "{error}");
    }
    let error = Template::new("{% for %}", special()).expect_err("no template");
    assert!(format!("{error:#}").contains("line 1 of the chat template"), "{error:#}");
    let long = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
    assert!(Template::new(long, special())?.render(&[], true).is_err());
    Ok(())
}

#[test]
fn a_folders_template_is_found_wherever_it_stands() -> Result<()> {
    let folder = tempfile::tempdir()?;
    Tokenizer::words(&[])?.save(folder.path())?;
    let shown = |settings: Value| -> Result<Option<String>> {
        fs::write(folder.path().join("tokenizer_config.json"), settings.to_string())?;
        let template = Template::load(folder.path(), &Tokenizer::load(folder.path())?)?;
        template.map(|template| template.render(&[], false)).transpose()
    };
    assert_eq!(shown(json!({ "eos_token": "<eos>" }))?, None);
    let token = json!({ "content": "<eos>", "lstrip": false });
    let one = json!({ "chat_template": "one {{ eos_token }}", "eos_token": token });
    assert_eq!(shown(one.clone())?.as_deref(), Some("one <eos>"));
    let named = json!({ "chat_template": [
        { "name": "tool_use", "template": "tools" }, { "name": "default", "template": "two" },
    ] });
    assert_eq!(shown(named)?.as_deref(), Some("two"));
    fs::write(folder.path().join("chat_template.jinja"), "three{{ eos_token }}")?;
    assert_eq!(shown(one)?.as_deref(), Some("three<eos>"));
    Ok(())
}

#[test]
fn what_stands_around_texts_is_found_where_it_hangs_on_none_of_them() -> Result<()> {
    let expected = [
        [
            "<|im_start|>system\n",
            "<|im_end|>\n<|im_start|>user\n",
            "<|im_end|>\n<|im_start|>assistant\n",
            "<|im_end|>",
        ],
        [
            "<s><|start_header_id|>system<|end_header_id|>\n\nToday is a day.\n\n",
            "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
            "<|eot_id|>",
        ],
        ["<s> [INST] ", "\n\n", " [/INST] ", "</s>"],
    ];
    for (name, around) in NAMES.iter().zip(expected) {
        assert_eq!(texts(template(name)?.frame(System::Varies)?), around, "{name}");
    }
    let frame = template("mistral")?.frame(System::None)?;
    assert_eq!(texts(frame), ["", "<s> [INST] ", " [/INST] ", "</s>"]);
    // A thought that a template writes by itself is nothing to learn.
    let thinking = "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}<think>\n\
                    </think>{% endif %}{{ m.content }}</>{% endfor %}\
                    {% if add_generation_prompt %}<assistant>{% endif %}";
    let frame = Template::new(thinking, special())?.frame(System::None)?;
    assert_eq!(texts(frame), ["", "<user>", "</><assistant><think>\n</think>", "</>"]);
    Ok(())
}

#[test]
fn a_recipe_trains_in_the_models_chat_format() -> Result<()> {
    let folder = tempfile::tempdir()?;
    sharded(folder.path())?;
    fs::write(
        folder.path().join("say.cook"),
        "x ~ distinct(2, vocab)\ny = x\nrule same: y == x\nsystem \"w1 w2\"\n\
         prompt \"w3 {x} \"\nreply \"{y}\"\n",
    )?;
    let words: Vec<String> = (4..100).map(|i| format!("w{i}")).collect();
    fs::write(folder.path().join("words.txt"), words.join("\n"))?;
    let run = |format: &str, more: &[&str]| -> Result<(bool, String)> {
        let recipe = format!(
            "[model]\nbase = \".\"\n[[template]]\nfile = \"say.cook\"\n[data]\n\
             vocab = \"words.txt\"\nsequence = 64\nformat = \"{format}\"\n[lora]\nrank = 2\n\
             [train]\nsteps = 2\nbatch = 2\n[eval]\nsamples = 2\n"
        );
        fs::write(folder.path().join("chat.toml"), recipe)?;
        let mut run = assert_cmd::Command::cargo_bin("cookc")?;
        run.current_dir(folder.path()).args(["run", "--train", "chat.toml"]).args(more);
        let done = run.output()?;
        let text = [done.stdout, done.stderr].concat();
        Ok((done.status.success(), String::from_utf8(text)?))
    };
    let (done, said) = run("chat", &[])?;
    assert!(!done && said.contains("E707") && said.contains("no chat template"), "{said}");
    let template = "w9{% for m in messages %}<{{ m.role }}>{{ m.content }};{% endfor %}\
                    {% if add_generation_prompt %}<assistant>{% endif %}";
    fs::write(folder.path().join("chat_template.jinja"), template)?;
    let names =
        (0..100).map(|i| format!("w{i}")).chain(["system user assistant true false".into()]);
    Tokenizer::words(&names.collect::<Vec<_>>())?.save(folder.path())?;
    let (done, said) = run("plain", &["--dry-run"])?;
    assert!(done && said.contains("the longest of 256 samples has 9"), "{said}");
    let (done, said) = run("chat", &["--dry-run"])?;
    assert!(done && said.contains("format = \"chat\""), "{said}");
    assert!(said.contains("the longest of 256 samples has 20"), "{said}");
    let (done, said) = run("chat\"\nshots = 2 # \"", &[])?;
    assert!(!done && said.contains("E706") && said.contains("write `shots = 0`"), "{said}");
    let (done, said) = run("chat", &["--out", "out"])?;
    assert!(done && folder.path().join("out/report.json").is_file(), "{said}");
    Ok(())
}

#[test]
fn a_drawn_reply_hangs_on_its_seed_and_a_cold_one_is_the_greedy_one() -> Result<()> {
    let model = tiny()?;
    let prompt = vec![5, 6, 7];
    let greedy = greedy(&model, std::slice::from_ref(&prompt), &[], 8)?.remove(0);
    let drawn = |temperature: f64, top_p: f64, seed: u64| {
        said(&model, &prompt, &[], &Sampling { temperature, top_p, seed, tokens_max: 8 })
    };
    assert_eq!(drawn(0.0, 1.0, 1)?, greedy);
    assert_eq!(drawn(5.0, 0.0, 1)?, greedy, "only the most likely token is left");
    let hot = drawn(5.0, 1.0, 1)?;
    assert_eq!(hot, drawn(5.0, 1.0, 1)?);
    assert_ne!(hot, greedy);
    assert_ne!(hot, drawn(5.0, 1.0, 2)?);
    let stopped = Sampling { temperature: 0.0, top_p: 1.0, seed: 0, tokens_max: 8 };
    let end = greedy.iter().position(|id| *id == greedy[3]).expect("it is there");
    assert_eq!(said(&model, &prompt, &[9999, greedy[3]], &stopped)?, greedy[..end]);
    Ok(())
}

#[test]
fn an_end_of_several_tokens_ends_a_reply_and_its_first_token_alone_does_not() -> Result<()> {
    let (model, sampling) =
        (tiny()?, Sampling { temperature: 0.0, top_p: 1.0, seed: 0, tokens_max: 8 });
    let names: Vec<String> = (0..220).map(|i| format!("w{i}")).collect();
    let tokenizer = Tokenizer::words(&names)?;
    let prompt = vec![5, 6, 7];
    let whole = greedy(&model, std::slice::from_ref(&prompt), &[], 8)?.remove(0);
    let at = (1..6).find(|at| !whole[..*at].contains(&whole[*at])).expect("another token");
    let other = (150..160).find(|id| !whole.contains(id)).expect("one that is not said");
    for (end, expected) in [
        (&whole[at..at + 2], &whole[..at]),
        // What looked like an end is a part of the reply, also where it breaks off within.
        (&[whole[at], other], &whole),
        (&[whole[7], other], &whole),
    ] {
        let ends = Ends::closed_by(&tokenizer, &tokenizer.decode(end)?)?;
        assert_eq!(ends.closing(), end);
        let replies = greedy_until(&model, std::slice::from_ref(&prompt), &ends, 8)?;
        assert_eq!(replies[0], expected);
        let mut said = Vec::new();
        reply(&model, &prompt, &ends, &sampling, &mut |id| {
            said.push(id);
            Ok(true)
        })?;
        assert_eq!(said, expected);
    }
    Ok(())
}

#[test]
fn what_is_piped_in_is_answered() -> Result<()> {
    let folder = tempfile::tempdir()?;
    sharded(folder.path())?;
    let chat = |more: &[&str], said: &str| -> Result<String> {
        let mut chat = assert_cmd::Command::cargo_bin("cookc")?;
        chat.args(["chat", "--device", "cpu", "--tokens", "8"]).arg(folder.path()).args(more);
        let done = chat.write_stdin(said).output()?;
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(String::from_utf8(done.stdout)?)
    };
    let expected = "w129^>w150 w188 w69 w160\\\n";
    assert_eq!(chat(&[], "w1 w2 w3\n")?, expected);
    let template = "{% for m in messages %}{{ m.content }}{% endfor %}";
    fs::write(folder.path().join("chat_template.jinja"), template)?;
    assert_eq!(chat(&[], "w1 w2 w3")?, expected);
    assert_eq!(chat(&["--system", "w1 w2 "], "w3")?, expected);
    let hot = ["--temperature", "3", "--seed", "1"];
    assert_eq!(chat(&hot, "w1 w2 w3")?, chat(&hot, "w1 w2 w3")?);
    assert_ne!(chat(&hot, "w1 w2 w3")?, expected);
    Ok(())
}

fn said(model: &Model, prompt: &[u32], stop: &[u32], sampling: &Sampling) -> Result<Vec<u32>> {
    let mut ids = Vec::new();
    reply(model, prompt, &Ends::of(stop), sampling, &mut |id| {
        ids.push(id);
        Ok(true)
    })?;
    Ok(ids)
}

fn texts(frame: Frame) -> [String; 4] {
    [frame.system, frame.prompt, frame.reply, frame.end]
}

fn template(name: &str) -> Result<Template> {
    Template::new(&fs::read_to_string(data(&format!("{name}.jinja")))?, special())
}

fn special() -> BTreeMap<String, String> {
    let tokens = [("bos_token", "<s>"), ("eos_token", "</s>")];
    tokens.into_iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/chat").join(name)
}
