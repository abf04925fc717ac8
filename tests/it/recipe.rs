//! The table of a recipe's keys, and what it drives: reading, writing, the documentation, the help.

use std::collections::BTreeSet;
use std::process::Command;

use cookc::recipe::{self, Recipe, Row};
use cookc::source::Source;

/// With every key but those that are left out of a resolved recipe.
const FULL: &str = "\
[model]
base = \"scratch:small\"
[[template]]
file = \"std:retrieval\"
end_weight = 0.5
level = \"hard\"
set = { documents = 8 }
[[text]]
file = \"rows.jsonl\"
prompt = \"{{ question }}\\nAnswer:\"
reply = \" {{ answers[0] }}\"
[mix]
policy = \"linear\"
cache = \"runs/cache\"
tasks = { names = \"piqa\" }
[lora]
[train]
max_tokens_per_pass = 256
[eval]
every = 10
until_exact = 0.9
[eval.tasks]
names = \"boolq,facts.toml\"
limit = 9
style = \"olmes\"
data = \"copies\"
[study]
arms = [\"mixture\", \"singles\"]
english = { file = \"english.jsonl\", text = \"{{ text }}\", limit = 5 }
[[study.align]]
template = \"std:retrieval\"
task = \"facts.toml\"
map = { document = \"context\", answer = \"answers.0\" }
";

fn read(text: &str) -> Recipe {
    let (recipe, errors) = recipe::parse(&Source::new("recipe.toml", text));
    assert!(errors.is_empty(), "{text}\n{errors:?}");
    recipe.expect("TOML")
}

/// Two recipes are the same if they are written the same: places in the text apart.
fn same(left: &str, right: &str) {
    assert_eq!(recipe::toml_text(&read(left)), recipe::toml_text(&read(right)), "{left}\n{right}");
}

/// A value of a key that is not its default.
fn other(row: &Row) -> Option<&'static str> {
    Some(match (row.table, row.name) {
        ("model", "base") => "\"scratch:small\"",
        ("model", "hidden_size") => "64",
        ("model", "rope_theta") => "100.0",
        ("model", "num_hidden_layers" | "num_attention_heads") => "4",
        ("data", "max_length") | ("train", "max_tokens_per_pass") => "4096",
        ("data", "packing") => "false",
        ("data", "shots") => "2",
        ("mix", "policy") => "\"linear\"",
        ("lora", "target_modules") => "[\"q_proj\"]",
        ("lora", "use_rslora" | "use_dora") => "true",
        ("model", "model_type") => "\"qwen3\"",
        ("train", "lr_scheduler") => "\"linear\"",
        ("train", "gradient_checkpointing") => "\"mlp\"",
        ("train", "betas") => "[0.5, 0.75]",
        ("train", "loraplus_lr_ratio") => "1.0",
        ("eval", "patience") => "0",
        (_, "dtype") => "\"f32\"",
        _ if row.form.starts_with("an integer") => "7",
        _ if row.form.starts_with("a number") => "0.25",
        _ => return None,
    })
}

#[test]
fn a_resolved_recipe_has_every_key_and_is_read_as_itself() {
    let text = recipe::toml_text(&read(FULL));
    assert_eq!(text, recipe::toml_text(&read(&text)));
    for row in recipe::rows() {
        // These say the same as others do, or are there for a chat alone.
        let left_out = ["name", "warmup_steps", "date"].contains(&row.name);
        assert!(left_out || text.contains(&format!("\n{} = ", row.name)), "{}:\n{text}", row.name);
    }
}

#[test]
fn a_key_may_be_written_with_each_of_its_names() {
    let entry = "[[template]]\nfile = \"std:retrieval\"\n";
    for row in recipe::rows() {
        let Some(value) = other(&row) else {
            assert!(row.aliases.is_empty() || row.table == "template", "{}: no value", row.name);
            continue;
        };
        let with = |name: &str| match row.table {
            "template" => format!("{entry}{name} = {value}\n"),
            table => format!("{entry}[{table}]\n{name} = {value}\n"),
        };
        row.aliases.iter().for_each(|alias| same(&with(row.name), &with(alias)));
    }
    same(entry, &entry.replace("file", "path"));
}

#[test]
fn names_of_a_table_are_names_of_one_key_each() {
    let mut seen = BTreeSet::new();
    for row in recipe::rows() {
        for name in row.aliases.iter().chain([&row.name]) {
            assert!(seen.insert((row.table, *name)), "[{}] has `{name}` twice", row.table);
        }
    }
}

#[test]
fn two_names_of_one_key_and_two_keys_for_one_thing_are_errors() {
    let of = |train: &str| {
        let text = format!("[[template]]\nfile = \"std:retrieval\"\n[train]\n{train}");
        let (_, errors) = recipe::parse(&Source::new("recipe.toml", text));
        errors.into_iter().map(|error| error.title).collect::<Vec<_>>()
    };
    let twice = of("clip_norm = 1.0\nmax_grad_norm = 2.0\n");
    assert_eq!(twice, ["`clip_norm` is another name of `max_grad_norm`"]);
    let both = of("warmup_ratio = 0.1\nwarmup_steps = 2\n");
    assert_eq!(both, ["`warmup_steps` and `warmup_ratio` say the same"]);
}

#[test]
fn a_warm_up_in_steps_is_one_of_exactly_these_steps() {
    for (steps, warmup) in [(500, 1), (500, 0), (300, 100), (7, 7), (977, 311)] {
        let recipe = read(&format!(
            "[[template]]\nfile = \"std:retrieval\"\n\
             [train]\nsteps = {steps}\nwarmup_steps = {warmup}\n"
        ));
        assert_eq!((recipe.train.warmup * steps as f64).ceil(), f64::from(warmup), "of {steps}");
    }
}

#[test]
fn activations_are_checkpointed_by_a_boolean_too() {
    let of = |value: &str| {
        format!(
            "[[template]]\nfile = \"std:retrieval\"\n\
             [train]\ngradient_checkpointing = {value}\n"
        )
    };
    same(&of("true"), &of("\"full\""));
    same(&of("false"), &of("\"none\""));
}

#[test]
fn a_slip_in_an_old_name_is_answered_with_the_name_of_today() {
    let text = "[[template]]\nfile = \"std:retrieval\"\n[train]\nclip_norn = 1.0\n";
    let (_, errors) = recipe::parse(&Source::new("recipe.toml", text));
    assert_eq!(errors[0].help, "write `max_grad_norm`");
}

#[test]
fn the_page_of_recipes_has_the_tables_of_the_keys() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recipe.md");
    let mut page = std::fs::read_to_string(path).expect("the page");
    let old = page.clone();
    for table in ["model", "template", "text", "data", "mix", "lora", "train", "eval", "study"] {
        let heading = match table {
            "template" | "text" => format!("## `[[{table}]]`\n"),
            table => format!("## `[{table}]`\n"),
        };
        let below = page.find(&heading).unwrap_or_else(|| panic!("no {heading}")) + heading.len();
        let start = below + page[below..].find("| key |").expect("a table");
        let lines = page[start..].lines().take_while(|line| line.starts_with('|'));
        let end = start + lines.map(|line| line.len() + 1).sum::<usize>();
        page.replace_range(start..end, &recipe::markdown(table));
    }
    if std::env::var_os("COOKC_UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).expect("the page is written");
    } else {
        assert!(page == old, "docs/recipe.md is not as the table of keys: COOKC_UPDATE_DOCS=1");
    }
}

#[test]
fn the_help_of_train_lists_every_key() {
    let help = Command::new(env!("CARGO_BIN_EXE_cookc")).args(["train", "--help"]).output();
    let help = String::from_utf8(help.expect("it runs").stdout).expect("UTF-8");
    for row in recipe::rows() {
        assert!(help.contains(&format!("\n  {}: ", row.name)), "{} is missing", row.name);
    }
}
