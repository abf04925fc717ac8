//! `cookc doc`: the page is whole, true, and needs nothing from outside.

use std::path::Path;

use assert_cmd::Command;
use cookc::{check, stdlib};

fn cookc(folder: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::cargo_bin("cookc")
        .expect("cookc is built")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("cookc runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn page(files: &[(&str, &str)], arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file can be written");
    }
    let (_, errors, code) = cookc(folder.path(), arguments);
    assert_eq!(code, Some(0), "{errors}");
    std::fs::read_to_string(folder.path().join("cookc.html")).expect("the page is there")
}

/// The text of a page without its tags.
fn bare(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text += part.split_once('>').map_or(part, |(_, text)| text);
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn every_template_and_every_function_is_on_the_page() {
    let page = page(&[], &["doc"]);
    for (name, _) in stdlib::TEMPLATES {
        assert!(page.contains(&format!("id=\"std-{name}\"")), "{name}");
    }
    for name in check::builtins().keys() {
        assert!(page.contains(&format!("id=\"natives-{name}\"")), "{name}");
    }
    assert!(page.contains("id=\"tokens-overlap\""));
}

#[test]
fn the_page_needs_nothing_from_outside_and_every_link_leads_somewhere() {
    let page = page(&[], &["doc"]);
    for outside in ["<script", "src=", "http:", "https:", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    for link in page.split("href=\"#").skip(1) {
        let id = link.split('"').next().expect("a link ends");
        assert!(page.contains(&format!(" id=\"{id}\"")), "{id}");
    }
}

#[test]
fn every_tag_is_closed_in_its_order() {
    let page = page(&[], &["doc"]);
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1).map(|part| part.split('>').next().expect("a tag ends")) {
        if tag.starts_with('!') || tag.ends_with('/') {
            continue;
        }
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None => open.push(tag.split(' ').next().expect("a tag has a name")),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_samples_are_those_that_the_template_makes() {
    let page = bare(&page(&[], &["doc"]));
    let here = Path::new(".");
    for level in ["default", "easy", "hard"] {
        let row = ["generate", "std:retrieval", "-n", "1", "--level", level];
        let (line, _, _) = cookc(here, &row);
        let row: serde_json::Value = serde_json::from_str(&line).expect("a row is JSON");
        let prompt = row["prompt"].as_str().expect("a prompt");
        assert!(page.contains(prompt), "{level}: {prompt}");
    }
}

const MINE: &str = "/// Say `a < b`.\n\n/// How far.\nparam far in 1..3 = 2\nlevel near: far = 1\n\
                    /// The <words>.\nsome ~ distinct(far, vocab)\nlast = at(far - 1, some)\n\
                    /// It is in.\nrule inside: last in some\nprompt \"{some}\"\nreply \"{last}\"\n";

#[test]
fn a_file_of_the_user_is_documented_as_it_is_written() {
    let page = page(&[("mine.cook", MINE)], &["doc", "mine.cook", "--only"]);
    for part in [
        "<p class=\"lead\">Say <code>a &lt; b</code>.</p>",
        "<code>1..3</code></td><td><code>2</code></td><td><code>1</code></td>\
         <td class=\"about\">How far.",
        "<b>some</b> <em>~</em> distinct(far, vocab)",
        "<span class=\"output\">output</span> <span>shown</span>",
        "The &lt;words&gt;.",
        "<dt>inside</dt><dd><code>last in some</code><br/>It is in.",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(!page.contains("std:"), "only what was asked for");
}

#[test]
fn a_file_of_functions_is_documented_too() {
    let text = "/// Half of `n`.\n///\n///     half(8) == 4\nfn half(n: Int) -> Int = n / 2\n";
    let page = page(&[("mine.cook", text)], &["doc", "mine.cook", "--only"]);
    assert!(page.contains("<h4><code>fn half(n: Int) -&gt; Int</code></h4>"), "{page}");
    assert!(page.contains("<pre>half(8) == 4</pre>"), "{page}");
}

#[test]
fn a_file_with_a_fault_makes_no_page() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join("mine.cook"), "a = b\n").expect("a file can be written");
    let (_, errors, code) = cookc(folder.path(), &["doc", "mine.cook"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("E201"), "{errors}");
    assert!(!folder.path().join("cookc.html").exists());
}
