//! The page of each code: its title is the one line that tools show, its text what `explain` shows.

/// One page of `docs/codes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Page {
    /// Such as `E201`.
    pub code: &'static str,
    /// What it stands for, in one line.
    pub title: &'static str,
    /// The cause, a wrong example and a right one, as Markdown.
    pub text: &'static str,
}

/// The complete pages, as files.
const FILES: &[&str] = include!(concat!(env!("OUT_DIR"), "/codes.rs"));

/// All pages, in the order of their codes.
pub fn all() -> Vec<Page> {
    let mut pages: Vec<Page> = FILES.iter().map(|file| page_of(file)).collect();
    pages.sort_unstable();
    pages
}

/// The page of a code, however it is written: `E201`, `e201`.
pub fn page(code: &str) -> Option<Page> {
    all().into_iter().find(|page| page.code.eq_ignore_ascii_case(code))
}

/// `# E201: a name that nothing binds`, an empty line, the text.
fn page_of(file: &'static str) -> Page {
    let (heading, text) = file.split_once('\n').expect("a page has more than its heading");
    let heading = heading.strip_prefix("# ").expect("a page begins with `# `");
    let (code, title) = heading.split_once(": ").expect("a heading is `# CODE: title`");
    Page { code, title, text: text.trim() }
}

impl Page {
    /// The paragraphs before the examples: what causes it.
    pub fn cause(&self) -> &'static str {
        self.text.split("\n## ").next().unwrap_or_default().trim()
    }
}
