//! What the pages of the documentation say to do is done, in order, and prints what they show.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the tests do not run: it installs something, or takes another program than a shell has.
const NOT_RUN: [&str; 8] = [
    "cargo install --path .",
    "cargo run --release -- run --train examples/quickstart.toml",
    "cargo test  ",
    "cd editors/vscode",
    "npm ci",
    "pip install cookc",
    "npm run package",
    "code --install-extension cookc.vsix",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of a folder of the documentation, by their paths from the root.
fn pages_of(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("readable").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let mut pages: Vec<String> = names
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .map(|name| format!("{folder}/{name}"))
        .collect();
    pages.sort();
    pages
}

/// The pages that a reader follows; the pages of codes are held by `codes.rs`.
pub fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_string()];
    pages.extend(pages_of("docs"));
    pages.extend(pages_of("docs/commands"));
    pages
}

/// A block between three backticks.
struct Block<'a> {
    /// `console`, `cook`, `toml`, …
    language: &'a str,
    /// What stands behind it: `file=NAME`, `error=CODE`, `about`.
    notes: Vec<&'a str>,
    text: &'a str,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let fenced = page.split("```").skip(1).step_by(2);
    fenced
        .map(|fenced| {
            let (info, text) = fenced.split_once('\n').expect("a block has lines");
            let mut words = info.split(' ');
            let language = words.next().unwrap_or_default();
            Block { language, notes: words.collect(), text }
        })
        .collect()
}

/// Runs a page in its folder; gives it with the output that came.
fn follow(name: &str, text: &str, folder: &Path) -> String {
    let mut shown = text.to_string();
    for block in blocks(text) {
        if let Some(file) = block.notes.iter().find_map(|note| note.strip_prefix("file=")) {
            std::fs::write(folder.join(file), block.text).expect("a file can be written");
            let wrong = block.notes.iter().any(|note| note.starts_with("error="));
            if block.language == "cook" && !wrong {
                let found = printed(&format!("cookc check {file}"), folder);
                assert!(found.ends_with("1 file: no errors"), "{name}: {file}: {found}");
            }
        }
        match block.language {
            "console" => {
                let about = block.notes.contains(&"about");
                let now = run(name, block.text, about, folder);
                let info = if about { "console about" } else { "console" };
                let before = format!("```{info}\n{}```", block.text);
                shown = shown.replace(&before, &format!("```{info}\n{now}```"));
            }
            "sh" => {
                for line in block.text.lines() {
                    let known = NOT_RUN.iter().any(|known| line.starts_with(known));
                    assert!(known, "{name}: `{line}` is not run: write it as ```console");
                }
            }
            // Rust is compiled and run by the doctest of `lib.rs`, Python by the package's tests.
            "rust" | "python" | "cook" | "toml" | "jsonl" | "csv" | "text" | "" => {}
            other => panic!("{name}: nothing checks a block of {other}"),
        }
    }
    shown
}

/// Runs the commands of a block; gives it with the outputs, those as written that fit.
fn run(name: &str, block: &str, about: bool, folder: &Path) -> String {
    let (mut shown, mut skipped) = (String::new(), false);
    let block = format!("\n{block}");
    for part in block.split("\n$ ").skip(1) {
        let (command, output) = part.split_once('\n').unwrap_or((part, ""));
        // Without its feature a command is not there; the tests of the whole run it.
        let trains = ["run", "merge", "export", "mix", "study", "synth"]
            .iter()
            .any(|it| command.strip_prefix("cookc ").is_some_and(|rest| rest.starts_with(it)));
        // What comes after it in a block looks at what it has made.
        skipped |= !cfg!(feature = "train") && trains
            || !cfg!(feature = "arrow") && command.starts_with("cookc align")
            || !cfg!(feature = "lsp") && command.starts_with("cookc lsp");
        let now = if skipped { tidied(output) } else { printed(command, folder) };
        let fits = fits(&tidied(output), &now, about);
        if std::env::var_os("COOKC_UPDATE_DOCS").is_none() {
            let advice = "COOKC_UPDATE_DOCS=1 writes what it prints; then read the diff";
            assert!(fits, "{name}: $ {command}\n{output}\n-- printed:\n{now}\n-- {advice}");
        }
        let text = if fits { tidied(output) } else { now };
        let end = if text.is_empty() { "" } else { "\n" };
        writeln!(shown, "$ {command}\n{text}{end}").expect("writing to a String does not fail");
        shown.pop();
    }
    shown
}

/// What a command prints, both streams, lines without spaces at their ends.
fn printed(command: &str, folder: &Path) -> String {
    let cookc = PathBuf::from(env!("CARGO_BIN_EXE_cookc"));
    let mut path = cookc.parent().expect("a program is in a folder").as_os_str().to_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env_remove("COLUMNS")
        .output()
        .expect("a shell runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    tidied(&(text(&output.stdout) + &text(&output.stderr)))
}

fn tidied(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_string()
}

/// Does the output fit what the page shows? `…` stands for any letters, alone on a line for any
/// lines; where numbers are only about right, every number fits.
fn fits(shown: &str, now: &str, about: bool) -> bool {
    let blurred = |text: &str| if about { blurred(text) } else { text.to_string() };
    let (shown, now) = (blurred(shown), blurred(now));
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = now.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        last = Some(part);
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || last == Some("")
}

/// Every number as `#`, and every space as one.
fn blurred(text: &str) -> String {
    let mut out = String::new();
    let mut in_number = false;
    for letter in text.chars() {
        let was_in_number = in_number;
        in_number = letter.is_ascii_digit() || (in_number && matches!(letter, '.' | ','));
        match in_number {
            true if was_in_number => {}
            true => out.push('#'),
            false => out.push(letter),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Follows pages; without a fresh folder they are followed in the project's own.
fn follow_all(pages: &[String], fresh: bool) {
    for name in pages {
        let path = root().join(name);
        let text = std::fs::read_to_string(&path).expect("the page is there");
        let folder = tempfile::tempdir().expect("a folder can be made");
        let shown = follow(name, &text, if fresh { folder.path() } else { root() });
        if shown != text && std::env::var_os("COOKC_UPDATE_DOCS").is_some() {
            std::fs::write(path, shown).expect("the page can be written");
        }
    }
}

#[test]
fn commands_of_the_readme_print_what_it_shows() {
    follow_all(&["README.md".to_string()], false);
}

#[test]
fn commands_of_the_pages_print_what_the_pages_show() {
    let pages = pages();
    let others: Vec<String> = pages
        .into_iter()
        .filter(|name| name != "README.md" && !name.contains("tutorial"))
        .collect();
    assert!(others.len() > 10, "the pages are there");
    follow_all(&others, true);
}

#[test]
fn the_tutorial_leads_from_an_empty_folder_to_a_trained_model() {
    let text = std::fs::read_to_string(root().join("docs/tutorial.md")).expect("it is there");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let shown = follow("docs/tutorial.md", &text, folder.path());
    if std::env::var_os("COOKC_UPDATE_DOCS").is_some() {
        std::fs::write(root().join("docs/tutorial.md"), shown).expect("it can be written");
    }
    if cfg!(feature = "train") {
        let report = folder.path().join("runs/opening/report.json");
        let report = std::fs::read_to_string(report).expect("the run left a report");
        let report: serde_json::Value = serde_json::from_str(&report).expect("it is JSON");
        for template in report["templates"].as_array().expect("two templates") {
            let exact = template["exact_after"].as_f64().expect("a share");
            assert!(exact > 0.9, "the model learned the rule: {exact}");
        }
    }
}

/// The page that lists all codes, and what the summary says of them.
fn listed_codes() -> (String, String) {
    let mut page =
        "# Codes\n\nEvery error and every lint has a code. `cookc explain CODE` shows the \
                    same pages in the terminal.\n"
            .to_string();
    let mut summary = String::new();
    let mut last = "";
    for code in cookc::codes::all() {
        let kind = match &code.code[..2] {
            "E1" => "Text",
            "E2" => "Names",
            "E3" => "Types",
            "E4" => "Layout",
            "E5" => "Levels and bounds",
            "E6" => "Samples",
            "E7" => "Recipes",
            _ => "Lints",
        };
        if kind != last {
            page += &format!("\n## {kind}\n\n");
            last = kind;
        }
        page += &format!("- [{0}](codes/{0}.md): {1}\n", code.code, code.title);
        summary += &format!("  - [{0}](codes/{0}.md)\n", code.code);
    }
    (page, summary)
}

#[test]
fn every_page_is_in_the_book_and_every_command_has_one() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).expect("it is there");
    let (codes, tail) = listed_codes();
    let summary = read("docs/SUMMARY.md");
    let (head, _) = summary.split_once("- [Codes](codes.md)\n").expect("codes come last");
    let whole = format!("{head}- [Codes](codes.md)\n{tail}");
    for (name, text) in [("docs/codes.md", &codes), ("docs/SUMMARY.md", &whole)] {
        if std::env::var_os("COOKC_UPDATE_DOCS").is_some() {
            std::fs::write(root().join(name), text).expect("it can be written");
        } else {
            assert_eq!(read(name), *text, "COOKC_UPDATE_DOCS=1 writes {name}");
        }
    }
    for page in [pages_of("docs"), pages_of("docs/commands")].concat() {
        let page = page.trim_start_matches("docs/");
        assert!(head.contains(&format!("({page})")) || page == "codes.md", "SUMMARY.md: {page}");
    }
    let help = printed("cookc --help", root());
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("Options:").next());
    for line in commands.expect("commands").lines() {
        let Some(command) = line.split_whitespace().next().filter(|word| *word != "help") else {
            continue;
        };
        let page = root().join(format!("docs/commands/{command}.md"));
        let text = std::fs::read_to_string(page).unwrap_or_default();
        let shows = text.contains(&format!("$ cookc {command} --help\n"));
        assert!(shows, "docs/commands/{command}.md shows its help");
    }
}

#[test]
fn every_link_of_the_pages_leads_to_a_file() {
    for name in pages() {
        let path = root().join(&name);
        let text = std::fs::read_to_string(&path).expect("the page is there");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let file = path.parent().expect("a page is in a folder").join(target);
            assert!(file.exists(), "{name}: {link}");
        }
    }
}
