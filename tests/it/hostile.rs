//! What nobody writes: huge, broken or misleading files end in one clear message, soon.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use assert_cmd::Command;
use tempfile::TempDir;

/// Far more than any of these takes, and far less than what does not end.
const SOON: Duration = Duration::from_secs(20);

/// What `cookc check t.cook` says of a template, with files beside it.
fn said(text: impl AsRef<[u8]>, beside: &[(&str, &[u8])]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("t.cook"), text).expect("a file");
    beside.iter().for_each(|(name, text)| {
        fs::write(folder.path().join(name), text).expect("a file");
    });
    said_in(&folder)
}

fn said_in(folder: &TempDir) -> String {
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_cookc"))
        .args(["check", "t.cook"])
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .output()
        .expect("cookc runs");
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("messages are UTF-8");
    assert_eq!(output.status.code(), Some(1), "{}", &text[..text.len().min(2000)]);
    assert!(text.len() < 200_000, "the messages have {} bytes", text.len());
    for line in text.lines() {
        assert!(line.chars().count() < 600, "a line of {} letters", line.chars().count());
    }
    text
}

#[track_caller]
fn tells(text: &str, what: &[&str]) {
    for part in what {
        assert!(text.contains(part), "`{part}` is not told in:\n{text}");
    }
}

const END: &str = "\nprompt \"{a}\"\nreply \"{a}\"\n";

#[test]
fn a_file_of_100_megabytes_is_refused_by_its_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = fs::File::create(folder.path().join("t.cook")).expect("a file");
    file.set_len(100 << 20).expect("a hole in a file takes no space");
    tells(&said_in(&folder), &["t.cook has more than 2097152 bytes"]);
}

#[test]
fn a_million_brackets_are_nested_too_deep() {
    for bracket in ["(", "[", "f(", "{"] {
        let text = format!("a = {}", bracket.repeat(1_000_000));
        let text = said(text, &[]);
        assert!(text.contains("E117") || text.contains("E1"), "{text}");
    }
}

#[test]
fn a_name_of_a_megabyte_is_told_without_its_middle() {
    let name = "a".repeat(900_000);
    tells(
        &said(format!("a ~ pick({name}){END}"), &[]),
        &["E201", "nothing is called", "`aaaa", " …"],
    );
    tells(
        &said(format!("a ~ {name}(vocab){END}"), &[]),
        &["E205", "no function is called", "`aaaa"],
    );
    let other = "b".repeat(900_000);
    let two = format!("a ~ pick(vocab)\n{name} ~ pick(vocab)\nc = {other}{END}");
    tells(&said(two, &[]), &["E201", "nothing is called", "`bbbb"]);
}

#[test]
fn a_line_of_a_megabyte_is_shown_in_part() {
    let list = "vocab, ".repeat(140_000);
    let text = said(format!("b = concat([{list}missing, {list}vocab])\na ~ pick(b){END}"), &[]);
    tells(&text, &["E201", "missing", "…"]);
}

#[test]
fn nul_bytes_and_other_letters_that_nobody_sees_are_faults_everywhere() {
    for hidden in ["\0", "\u{202e}", "\u{2066}"] {
        tells(&said(format!("a ~ pick({hidden}vocab){END}"), &[]), &["E102", "U+"]);
        tells(&said(format!("a ~ pick(vocab) // {hidden}{END}"), &[]), &["E102", "U+"]);
        tells(&said(format!("/// {hidden}\na ~ pick(vocab){END}"), &[]), &["E102", "U+"]);
        tells(&said(format!("a = \"{hidden}\"{END}"), &[]), &["E102", "U+"]);
    }
    let many = format!("a ~ pick(vocab)\n{}{END}", "\0".repeat(1 << 20));
    tells(&said(many, &[]), &["E102"]);
}

#[test]
fn windows_line_ends_a_byte_order_mark_and_tabs_change_nothing() {
    let plain = "/// Say it.\na ~ distinct(2, vocab)\n\trule same: size(a) == 2\nprompt \"\"\"\n  {b}\n  \"\"\"\nreply \"{a}\"\n";
    let wanted = said(plain, &[]);
    tells(&wanted, &["E201", "t.cook:5:4", "nothing is called `b`"]);
    let windows = plain.replace('\n', "\r\n");
    assert_eq!(said(&windows, &[]).replace('\r', ""), wanted);
    tells(&said(format!("\u{feff}{windows}"), &[]), &["E201", "t.cook:5:4"]);
    tells(&said(plain.replace("\n\t", "\r"), &[]), &["E102", "U+000D"]);
}

#[test]
fn text_from_right_to_left_is_text_and_no_name() {
    tells(
        &said(format!("שלום ~ pick(vocab){END}"), &[]),
        &["E101", "holds a letter that no name has"],
    );
    let right = "a ~ pick(vocab) // שלום\nb = \"مرحبا\"\nprompt \"{a} שלום {b}\"\nreply \"{c}\"\n";
    let text = said(right, &[]);
    tells(&text, &["E201", "nothing is called `c`"]);
    assert!(!text.contains("E10"), "{text}");
}

#[test]
fn a_file_that_is_no_utf_8_says_where() {
    tells(&said(b"a ~ pick(vocab) // \xff", &[]), &["t.cook is not UTF-8: byte 19 is 0xff"]);
}

const WORDS: &str = "words names = \"names.txt\"\na ~ pick(names)\nprompt \"{a}\"\nreply \"{a}\"\n";

#[test]
fn words_that_are_missing_empty_huge_or_broken_are_told() {
    tells(&said(WORDS, &[]), &["E213", "there is no such file"]);
    tells(&said(WORDS, &[("names.txt", b"")]), &["E216", "holds no words"]);
    tells(&said(WORDS, &[("names.txt", b" \n\n")]), &["E216"]);
    tells(&said(WORDS, &[("names.txt", b"Ann\n\xff")]), &["E213", "byte 4 is not UTF-8"]);
    tells(&said(WORDS, &[("names.txt", b"Ann\0\n")]), &["E215", "line 1"]);
    let twice: String = (0..1_000_000).map(|at| format!("w{}\n", at % 999_999)).collect();
    let text = said(WORDS, &[("names.txt", twice.as_bytes())]);
    tells(&text, &["E215", "line 1000000: `w0` stands in line 1 already"]);
    tells(
        &said(WORDS, &[("names.txt", &vec![b'a'; 17 << 20])]),
        &["it is larger than what is read"],
    );
    tells(&said(WORDS, &[("names.txt", "é é".repeat(1 << 20).as_bytes())]), &["E215", " … "]);
}

#[test]
#[cfg(unix)]
fn nothing_outside_of_the_folder_is_read() {
    for path in ["/etc/hostname", "../secret.txt", "a/../../secret.txt", "", ".", "names.txt/.."] {
        let text = said(WORDS.replace("names.txt", path), &[]);
        assert!(text.contains("E213"), "{path}: {text}");
    }
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("x.cook"), format!("a ~ pick(vocab){END}")).expect("a file");
    fs::write(outside.path().join("names.txt"), "Ann\nBob\n").expect("a file");
    let linked = |text: &str, name: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("t.cook"), text).expect("a file");
        link(&outside.path().join(name), &folder.path().join(name));
        said_in(&folder)
    };
    let out = "leads out of the template's folder";
    tells(&linked(WORDS, "names.txt"), &["E213", out]);
    let part = "use template x\npart ~ x()\nprompt \"{part.prompt}\"\nreply \"{part.reply}\"\n";
    tells(&linked(part, "x.cook"), &["E212", out]);
    tells(&linked(&format!("use x: f\na = f(1){END}"), "x.cook"), &["E206", out]);
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).expect("a link can be made");
}

#[test]
fn what_doubles_at_each_step_is_refused() {
    let mut functions = String::from("fn f0(x: Int) -> Int = x + 1\n");
    for at in 1..60 {
        let before = at - 1;
        writeln!(functions, "fn f{at}(x: Int) -> Int = f{before}(x) + f{before}(x)").expect("text");
    }
    tells(&said(format!("{functions}a = f59(1){END}"), &[]), &["E505"]);

    let mut draws = String::from("fn d0(x: Int) ~> Int {\n  y ~ pick([x])\n  return y\n}\n");
    for at in 1..60 {
        let call = format!("d{}(x)", at - 1);
        writeln!(
            draws,
            "fn d{at}(x: Int) ~> Int {{\n  y ~ {call}\n  z ~ {call}\n  return y + z\n}}"
        )
        .expect("text");
    }
    tells(&said(format!("{draws}a ~ d59(1){END}"), &[]), &["E505"]);

    let folds = "fold b = [] over x in [1]: ".repeat(30);
    let folds = folds.split(" over").enumerate().map(|(at, part)| {
        part.replace("fold b", &format!("fold b{at}")).replace("x in", &format!("x{at} in"))
    });
    let folds = folds.collect::<Vec<_>>().join(" over");
    tells(&said(format!("a = missing + size({folds}b0){END}"), &[]), &["E201"]);

    let folds: String = (0..30).map(|at| format!("fold b{at} = 0 over x{at} in 1..2: ")).collect();
    let text = said(format!("a = {folds} 1 + missing{END}"), &[]);
    tells(&text, &["E201"]);
    tells(&said(format!("a = {folds} b0 + 1{END}"), &[]), &["E505"]);

    let part = |of: &str| {
        format!(
            "use template {of}\na ~ {of}()\nb ~ {of}()\nprompt \"{{a.prompt}} {{b.prompt}}\"\n\
                 reply \"{{a.reply}}; {{b.reply}}\"\n"
        )
    };
    let names: Vec<String> = (0..24).map(|at| format!("p{at}.cook")).collect();
    let texts: Vec<String> = (0..24)
        .map(|at| match at {
            0 => "a ~ pick(vocab)\nprompt \"{a}\"\nreply \"{a}\"\n".to_string(),
            _ => part(&format!("p{}", at - 1)),
        })
        .collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    tells(&said(part("p23"), &files), &["E214", "run `cookc check p23.cook`"]);
}

#[test]
fn forty_files_that_use_each_other_in_a_row_are_too_many() {
    let names: Vec<String> = (0..40).map(|at| format!("m{at}.cook")).collect();
    let texts: Vec<String> = (0..40)
        .map(|at| match at {
            0 => "fn f0(x: Int) -> Int = x\n".to_string(),
            _ => format!("use m{0}: f{0}\nfn f{at}(x: Int) -> Int = f{0}(x)\n", at - 1),
        })
        .collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let text = format!("use m39: f39\na = f39(1){END}");
    tells(&said(text, &files), &["E222", "more than 32 files"]);
}

#[test]
fn of_many_thousand_faults_a_hundred_are_told() {
    let errors = (0..30_000).fold(String::new(), |text, at| text + &format!("b{at} = {at}\n"));
    let text = said(format!("{errors}a ~ pick(missing){END}"), &[]);
    tells(&text, &["E201"]);
    let text = said(format!("{}a ~ pick(vocab){END}", errors.replace(" = ", " = c")), &[]);
    tells(&text, &["E201", "100 errors"]);
}
