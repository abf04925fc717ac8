//! The corpus of `tests/chat`: what transformers renders, text and ids, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use cookc::model::Tokenizer;
use cookc::model::chat::{Date, Frame, Message, System, Template};
use serde_json::Value;

#[test]
fn constructs_are_rendered_as_transformers_renders_them_or_refused_by_name() -> Result<()> {
    let corpus: Value = serde_json::from_str(&fs::read_to_string(data("constructs.json"))?)?;
    let tokenizer = Tokenizer::load(&data("tokenizer"))?;
    let messages = messages(&corpus["messages"])?;
    let cases = corpus["cases"].as_array().context("a list")?;
    assert!(cases.len() > 200);
    for case in cases {
        let text = case["template"].as_str().context("a template")?;
        let found = read(text, &tokenizer).and_then(|it| it.render(&messages, true));
        match (case["text"].as_str(), case["refused"].as_str()) {
            (Some(expected), None) => {
                assert_eq!(found.with_context(|| text.to_string())?, expected)
            }
            (None, Some(expected)) => {
                assert_eq!(format!("{:#}", found.expect_err(text)), expected, "{text}");
            }
            _ => panic!("{text} has a text or is refused"),
        }
    }
    Ok(())
}

#[test]
fn templates_in_published_shapes_give_the_texts_and_ids_of_transformers() -> Result<()> {
    let corpus: Value = serde_json::from_str(&fs::read_to_string(data("shapes.json"))?)?;
    let tokenizer = Tokenizer::load(&data("tokenizer"))?;
    let conversations = corpus["conversations"].as_array().context("a list")?;
    let shapes = corpus["rendered"].as_object().context("templates by name")?;
    assert!(shapes.len() >= 18);
    for (name, rendered) in shapes {
        let template = shape(name, &tokenizer)?;
        let asked = conversations.iter().flat_map(|one| [(one, false), (one, true)]);
        for ((said, prompt), expected) in asked.zip(rendered.as_array().context("a list")?) {
            let found = template.render(&messages(said)?, prompt);
            let Some(text) = expected["text"].as_str() else {
                assert!(found.is_err(), "{name} refuses {said}");
                continue;
            };
            let found = found.with_context(|| name.clone())?;
            assert_eq!(found, text, "{name}");
            let ids: Vec<u64> = tokenizer.encode(&found)?.into_iter().map(u64::from).collect();
            let right: Vec<u64> = expected["ids"]
                .as_array()
                .context("ids")?
                .iter()
                .filter_map(Value::as_u64)
                .collect();
            assert_eq!(ids, right, "{name}");
        }
    }
    Ok(())
}

#[test]
fn a_frame_and_the_texts_in_it_are_what_a_template_of_a_published_shape_renders() -> Result<()> {
    let tokenizer = Tokenizer::load(&data("tokenizer"))?;
    let mut without_system = Vec::new();
    for entry in fs::read_dir(data("shapes"))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let template = shape(&name, &tokenizer)?;
        template.frame(System::None).with_context(|| name.clone())?;
        match template.frame(System::Varies) {
            Ok(_) => {}
            Err(error) => without_system.push((name, format!("{error:#}"))),
        }
    }
    without_system.sort();
    let names: Vec<&str> = without_system.iter().map(|(name, _)| name.as_str()).collect();
    // The second writes the system text only while no reply is there: trained so, it would be lost.
    assert_eq!(names, ["inst", "inst-last", "turns"], "{without_system:?}");
    assert!(without_system[2].1.contains("System role not supported"));
    let frame = shape("headers", &tokenizer)?.frame(System::Varies)?;
    let expected = Frame {
        system: "<s><|start_header_id|>system<|end_header_id|>\n\n".into(),
        prompt: "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n".into(),
        reply: "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n".into(),
        end: "<|eot_id|>".into(),
        has_system: true,
    };
    assert_eq!(frame, expected);
    let dated = shape("headers-date", &tokenizer)?;
    assert!(
        dated.is_dated() && dated.frame(System::Varies)?.system.contains("Today: 28 Nov 2026\n")
    );
    assert!(!shape("headers", &tokenizer)?.is_dated());
    Ok(())
}

/// As SmolLM3's, which looks for a mode in the system text.
#[test]
fn a_system_text_that_is_the_same_everywhere_may_be_looked_at() -> Result<()> {
    let looks = "{% set s = messages[0].content %}{{ 'short' if '/no_think' in s else 'long' }} \
                 {{ s | replace('/no_think', '') | trim }};{% for m in messages[1:] %}\
                 {{ m.role }} {{ m.content }};{% endfor %}\
                 {% if add_generation_prompt %}assistant {% endif %}";
    let template = Template::new(looks, special())?;
    let frame = template.frame(System::Varies)?;
    assert!(template.expect(&frame, Some("Be so. /no_think"), "Which?", "this").is_err());
    for (system, begin) in [("Be brief.", "long Be brief."), ("Be so. /no_think", "short Be so.")] {
        let frame = template.frame(System::Always(system))?;
        assert_eq!((&*frame.system, frame.has_system), ("", false));
        assert_eq!(frame.prompt, format!("{begin};user "));
        template.expect(&frame, Some(system), "Which?", "this")?;
    }
    // One that is left out is not learned from.
    let silent = "{% for m in messages if m.role != 'system' %}{{ m.role }} {{ m.content }};\
                  {% endfor %}{% if add_generation_prompt %}assistant {% endif %}";
    let error = Template::new(silent, special())?.frame(System::Always("Be brief."));
    assert!(format!("{:#}", error.expect_err("left out")).contains("leaves the system text out"));
    Ok(())
}

#[test]
fn a_frame_that_depends_on_what_is_said_is_refused_with_both_texts() -> Result<()> {
    let ended = "{% if add_generation_prompt %}assistant {% endif %}";
    for (body, said) in [
        // The letters of a text are found nowhere, or twice, or only of some texts.
        ("{{ m.content | upper }};", "changes the prompt, or leaves it out"),
        ("{{ m.content }}{{ m.content }};", "writes the prompt several times"),
        ("{{ m.content | length }} {{ m.content }};", "other words around other texts"),
        ("{{ 'long ' if m.content | length > 300 }}{{ m.content }};", "other words around"),
        ("{{ m.content | replace('\n', ' ') }};", "other words around other texts"),
        ("{{ m.content | replace('<', '&lt;') }};", "&lt;b>"),
        ("{{ m.content.split('\n\n')[0] }};", "other words around other texts"),
        ("{{ m.content | tojson }};", "\\n"),
    ] {
        let text =
            "{% for m in messages %}{{ m.role }} ".to_string() + body + "{% endfor %}" + ended;
        let error = Template::new(&text, special())?.frame(System::None).expect_err(body);
        assert!(format!("{error:#}").contains(said), "{body}: {error:#}");
    }
    let text = "{% for m in messages if m.role != 'system' %}{{ m.content }};{% endfor %}";
    let error = Template::new(text, special())?.frame(System::Varies).expect_err("no system text");
    assert!(
        format!("{error:#}").contains("changes the system text, or leaves it out"),
        "{error:#}"
    );
    // A real sample is held against the template, too.
    let text = "{% for m in messages %}{{ m.role }} {{ m.content | replace('plum', 'pear') }};\
                {% endfor %}{% if add_generation_prompt %}assistant {% endif %}";
    let template = Template::new(text, special())?;
    let frame = template.frame(System::None)?;
    template.expect(&frame, None, "fig", "date")?;
    let error = template.expect(&frame, None, "plum", "date").expect_err("another text");
    let error = format!("{error:#}");
    assert!(
        error.contains("`user pear;assistant date;`") && error.contains("`user plum;"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_template_that_is_damaged_or_hostile_is_an_error_and_bounded() -> Result<()> {
    let twice = "{% for a in range(9999) %}{% for b in range(9999) %}";
    let grown = |count: usize, value: &str, last: &str| {
        let turns = format!("{{% for i in range({count}) %}}{{% set ns.x = {value} %}}");
        "{% set ns = namespace(x=[1]) %}".to_string() + &turns + "{% endfor %}" + last
    };
    let deep =
        |open: &str, close: &str, count: usize| open.repeat(count) + "1" + &close.repeat(count);
    for (text, said) in [
        ("{%}".to_string(), "unexpected"),
        ("{%".into(), "the end of the template"),
        ("{{ x }".into(), "unexpected '}'"),
        ("{{ ｜ }}".into(), "unexpected char '｜'"),
        ("{% generation %}".into(), "before `endgeneration`"),
        (format!("{{{{ {} }}}}", deep("(", ")", 20_000)), "deep"),
        (format!("{{{{ {} }}}}", deep("[", "]", 20_000)), "deep"),
        (format!("{{{{ {} }}}}", deep("not ", "", 20_000)), "deep"),
        (format!("{{{{ {} }}}}", deep("-", "", 20_000)), "deep"),
        (format!("{{{{ {} }}}}", deep("1 if 1 else ", "", 20_000)), "deep"),
        (format!("{{{{ 1{} }}}}", " + 1".repeat(20_000)), "operators"),
        (format!("{{{{ x{} }}}}", ".x".repeat(20_000)), "operators"),
        (format!("{{{{ x{} }}}}", "|trim".repeat(20_000)), "operators"),
        (deep("{% if 1 %}", "{% endif %}", 20_000), "deep"),
        (deep("{% for x in [1] %}", "{% endfor %}", 20_000), "deep"),
        ("x".repeat(2 << 20), "1048576 are read"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}".into(), "calls itself too often"),
        (format!("{twice}x{{% endfor %}}{{% endfor %}}"), "too long"),
        ("{{ 'x' * 999999999999 }}".into(), "too long a text"),
        ("{{ 'x'.center(999999999999) }}".into(), "too long a text"),
        ("{{ '%999999999s' % 1 }}".into(), "too long a text"),
        ("{{ ('ab' * 1000000).replace('a', 'c' * 99999) }}".into(), "too long a text"),
        (grown(9999, "[ns.x]", ""), "deep"),
        (grown(90, "[ns.x, ns.x]", "{{ ns.x }}"), "too long a text"),
        (grown(90, "[ns.x, ns.x]", "{{ ns.x == [ns.x, 1] or ns.x | tojson }}"), "too long"),
    ] {
        let found = Template::new(&text, special()).and_then(|it| it.render(&[], true));
        let shown: String = text.chars().take(80).collect();
        let error = format!("{:#}", found.expect_err(&shown));
        assert!(error.contains(said), "{shown}: {error}");
    }
    Ok(())
}

fn read(text: &str, tokenizer: &Tokenizer) -> Result<Template> {
    Ok(Template::of(text, tokenizer)?.on(Date::parse("2026-11-28").context("a date")?))
}

fn shape(name: &str, tokenizer: &Tokenizer) -> Result<Template> {
    let path = data(&format!("shapes/{name}.jinja"));
    read(&fs::read_to_string(path)?, tokenizer).with_context(|| name.to_string())
}

fn messages(said: &Value) -> Result<Vec<Message<'_>>> {
    let all = said.as_array().context("messages")?.iter();
    fn message(it: &Value) -> Option<Message<'_>> {
        Some(Message { role: it["role"].as_str()?, content: it["content"].as_str()? })
    }
    all.map(message).collect::<Option<_>>().context("role and content")
}

fn special() -> BTreeMap<String, String> {
    let tokens = [("bos_token", "<s>"), ("eos_token", "</s>")];
    tokens.into_iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/chat").join(name)
}
