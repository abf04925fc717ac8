//! The pages that show the standard library: a sample of each template, and the tasks of other
//! suites that it says.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use cookc::{Split, Template, stdlib};

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

#[test]
fn the_gallery_shows_a_sample_of_each_template() {
    let mut gallery = format!(
        "# Gallery\n\nA sample of each of the {} templates of the standard library: seed 0, index \
         0, at the level `easy`\nwhere there is one. `cookc sample std:NAME --level easy -n 1` \
         shows the same; `cookc doc std:NAME` what\na template teaches, and its parameters.\n",
        stdlib::TEMPLATES.len()
    );
    for (name, text) in stdlib::TEMPLATES {
        let template = Template::builtin(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let level = template.levels().find(|level| *level == "easy").unwrap_or("default");
        let level = if level == "default" { String::new() } else { level.to_string() };
        let sampler = template.level(level).compile().unwrap_or_else(|error| panic!("{error}"));
        let sample = sampler.sample(Split::Train, 0, 0).unwrap_or_else(|error| panic!("{error}"));
        let title = text.lines().next().unwrap_or_default().trim_start_matches("/// ");
        let _ = write!(gallery, "\n## {name}\n\n{title}\n\n```text\n");
        for part in [sample.system.as_deref(), Some(&sample.prompt)].into_iter().flatten() {
            let _ = writeln!(gallery, "{}", part.trim_end());
        }
        let _ = write!(gallery, "```\n\n```text\n{}\n```\n", sample.reply.trim_end());
    }
    let readme = std::fs::read_to_string(page("../README.md")).expect("it is there");
    let count = format!("{} templates", stdlib::TEMPLATES.len());
    assert!(readme.contains(&count), "the README says how many there are: {count}");
    let trimmed: Vec<&str> = gallery.lines().map(str::trim_end).collect();
    let gallery = trimmed.join("\n") + "\n";
    if std::env::var_os("COOKC_UPDATE_DOCS").is_some() {
        std::fs::write(page("gallery.md"), gallery).expect("it can be written");
    } else {
        let old = std::fs::read_to_string(page("gallery.md")).expect("it is there");
        assert!(old == gallery, "COOKC_UPDATE_DOCS=1 writes docs/gallery.md");
    }
}

/// What a table says of a task.
const SAID: [&str; 4] = ["yes, other form", "yes", "in part", "no"];

#[test]
fn the_tables_of_suites_name_templates_that_there_are_and_count_their_rows() {
    let text = std::fs::read_to_string(page("suites.md")).expect("it is there");
    let mut suites = 0;
    for suite in text.split("\n## ").skip(1) {
        let rows = suite.lines().filter(|line| line.starts_with("| `"));
        let mut counts = [0; 4];
        let mut tasks = Vec::new();
        for row in rows {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            let [task, templates, said] = cells[..] else { panic!("three cells: {row}") };
            assert!(!tasks.contains(&task), "{task} stands twice");
            tasks.push(task);
            let at = SAID.iter().position(|word| said.starts_with(word));
            let at = at.unwrap_or_else(|| panic!("says none of {SAID:?}: {row}"));
            counts[at] += 1;
            assert_eq!(templates == "–", SAID[at] == "no", "{row}");
            for name in templates.split(", ").filter(|name| *name != "–") {
                let name = name.trim_matches('`').strip_prefix("std:").expect("a built-in one");
                assert!(stdlib::template(name).is_some(), "no template is called {name}");
            }
        }
        let [other, yes, part, no] = counts;
        let count = format!(
            "Of {}: {yes} yes, {other} yes in another form, {part} in part, {no} no.",
            tasks.len()
        );
        assert!(suite.contains(&count), "{count}");
        suites += 1;
    }
    assert_eq!(suites, 2);
}
