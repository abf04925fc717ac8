//! `cookc new`, `cookc completions` and `cookc man`.

use std::path::Path;

use assert_cmd::Command;

fn cookc(folder: &Path, line: &str) -> (String, String, Option<i32>) {
    let output = Command::cargo_bin("cookc")
        .expect("cookc is built")
        .args(line.split(' '))
        .current_dir(folder)
        .output()
        .expect("cookc runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

#[test]
fn a_new_template_has_no_fault_no_lint_and_the_canonical_layout() {
    let folder = folder();
    let (told, _, code) = cookc(folder.path(), "new opening");
    assert_eq!(code, Some(0));
    assert!(told.contains("cookc test opening.cook"), "{told}");
    for line in ["check opening.cook", "fmt --check opening.cook", "test opening.cook"] {
        let (out, errors, code) = cookc(folder.path(), line);
        assert_eq!(code, Some(0), "{line}: {out}{errors}");
    }
    let (_, found, _) = cookc(folder.path(), "check opening.cook");
    assert_eq!(found, "1 file: no errors\n");
}

#[test]
fn a_file_that_is_there_stays_as_it_is() {
    let folder = folder();
    std::fs::write(folder.path().join("mine.cook"), "mine").expect("a file can be written");
    let (_, errors, code) = cookc(folder.path(), "new mine.cook");
    assert_eq!(code, Some(1));
    assert!(errors.contains("mine.cook is there already"), "{errors}");
    let text = std::fs::read_to_string(folder.path().join("mine.cook")).expect("still there");
    assert_eq!(text, "mine");
}

#[test]
fn a_full_disk_leaves_no_half_of_a_template_and_the_next_try_writes_it() {
    let folder = folder();
    // No file may have a byte; the signal is ignored, so that the call fails.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" new mine --from std:deduct";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_cookc")])
        .current_dir(folder.path())
        .output()
        .expect("a shell");
    assert_eq!(output.status.code(), Some(3));
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(cookc(folder.path(), "new mine --from std:deduct").2, Some(0));
}

#[test]
fn a_template_that_is_built_in_can_be_copied() {
    let folder = folder();
    assert_eq!(cookc(folder.path(), "new mine --from std:retrieval").2, Some(0));
    let copied = std::fs::read_to_string(folder.path().join("mine.cook")).expect("it is there");
    let built_in = cookc::stdlib::template("retrieval").expect("it is built in");
    assert_eq!(copied, *built_in.text);
}

#[test]
fn a_name_that_no_template_may_have_is_refused_with_one_that_it_may() {
    let folder = folder();
    let (_, errors, code) = cookc(folder.path(), "new My-task");
    assert_eq!(code, Some(2));
    assert!(errors.contains("write my_task"), "{errors}");
    for name in ["new 9lives", "new sub/", "new .."] {
        assert_eq!(cookc(folder.path(), name).2, Some(2), "{name}");
    }
    let left = std::fs::read_dir(folder.path()).expect("the folder is there").count();
    assert_eq!(left, 0);
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let (_, errors, code) = cookc(folder().path(), "new there/mine");
    assert_eq!(code, Some(1));
    assert!(errors.contains("there is no folder there"), "{errors}");
}

#[test]
fn every_shell_is_told_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (text, _, code) = cookc(Path::new("."), &format!("completions {shell}"));
        assert_eq!(code, Some(0));
        for command in ["sample", "generate", "completions"] {
            assert!(text.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn there_is_a_page_for_man_for_each_command() {
    let folder = folder();
    let (told, _, code) = cookc(folder.path(), "man --out pages");
    assert_eq!(code, Some(0));
    let pages = folder.path().join("pages");
    let count = std::fs::read_dir(&pages).expect("the pages are there").count();
    assert!(told.contains(&format!("wrote {count} pages")), "{told}");
    let page = std::fs::read_to_string(pages.join("cookc-sample.1")).expect("it is there");
    assert!(page.contains(r"\-\-index") && page.contains(r"\-\-threads"), "{page}");
    assert!(cookc(folder.path(), "man").0.contains(".TH cookc 1"));
}
