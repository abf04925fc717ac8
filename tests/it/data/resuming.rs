//! Single files that are stopped and gone on with: the same bytes as of a run that was not.

use std::fs;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{cookc, done, folder, texts, write};

const GOES_ON: [&str; 4] = ["jsonl", "jsonl.gz", "jsonl.zst", "tar"];

/// What lies beside a file: its rows, and their place.
fn beside(folder: &TempDir, name: &str) -> [std::path::PathBuf; 2] {
    ["rows", "place"].map(|ending| folder.path().join(format!(".cookc-{name}.{ending}")))
}

/// Writes a file, and kills the writer once its place was recorded.
fn killed(folder: &TempDir, arguments: &[&str], name: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    command.args(arguments).current_dir(folder.path()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let place = &beside(folder, name)[1];
    while !place.exists() && child.try_wait().expect("a child").is_none() {
        std::thread::yield_now();
    }
    // It may have ended by now.
    let _ = child.kill();
    child.wait().expect("it ends");
}

#[test]
fn a_file_that_is_killed_is_gone_on_with_to_the_same_bytes() {
    let folder = folder();
    for ending in GOES_ON {
        let [whole, other] = ["whole", "other"].map(|name| format!("{name}.{ending}"));
        // So many that one is killed before it ends.
        let mut rows = 12_000;
        let many = loop {
            let many = rows.to_string();
            killed(&folder, &["generate", "std:document_qa", "-n", &many, "-o", &other], &other);
            if beside(&folder, &other)[1].exists() {
                break many;
            }
            rows *= 4;
        };
        let of = ["generate", "std:document_qa", "-n", &many, "-o"];
        done(&folder, &[&of[..], &[&whole]].concat());
        let wanted = fs::read(folder.path().join(&whole)).expect("a file");
        let goes_on = [&of[..], &[&other, "--resume", "--threads", "3"]].concat();
        let output = cookc(&folder, &goes_on);
        let [_, err] = texts(&output);
        assert!(output.status.success(), "{err}");
        assert!(err.contains("were there before"), "{err}");
        assert!(fs::read(folder.path().join(&other)).expect("a file") == wanted, "{ending}");
        assert!(beside(&folder, &other).iter().all(|path| !path.exists()), "{ending}");
    }
}

/// As a killed writer leaves them: all rows of a file and their place, the last ones cut.
fn leave(folder: &TempDir, name: &str, rows: usize, more: &str) {
    let lines = fs::read_to_string(folder.path().join(name)).expect("a file");
    let there: String = lines.split_inclusive('\n').take(rows).collect();
    let [file, place] = beside(folder, name);
    fs::write(file, format!("{there}{{\"id\":\"ret")).expect("a file");
    let of = lines.split('"').nth(3).expect("an id").trim_end_matches('0');
    let text = format!(
        "{{\"cookc\":\"{}\",\"of\":\"{of} as full in jsonl\",\"first\":0,\"rows\":40,\
         \"rows_there\":{rows},\"bytes\":{}{more}}}",
        env!("CARGO_PKG_VERSION"),
        there.len()
    );
    fs::write(place, text).expect("a file");
}

#[test]
fn what_lies_beside_a_file_is_gone_on_with_only_if_it_is_of_the_same_rows() {
    let folder = folder();
    let of = ["generate", "std:retrieval", "-n", "40", "-o", "a.jsonl"];
    done(&folder, &of);
    let wanted = fs::read(folder.path().join("a.jsonl")).expect("a file");
    leave(&folder, "a.jsonl", 25, "");
    let refused = |more: &[&str], wanted: &str| {
        let output = cookc(&folder, &[&of[..], more].concat());
        let [_, err] = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains(wanted), "{wanted}: {err}");
    };
    for (more, wanted) in [
        (&["--resume", "--seed", "1"][..], "begun as another data set: its data is retrieval/"),
        (&["--resume", "--level", "hard"], "leave out `--resume` to begin anew"),
        (&["--resume", "--shape", "text"], " as full in jsonl, and retrieval/"),
        (&["--resume", "--first", "1"], "its first index is 0, and 1 is asked for"),
        (&["--resume", "-n", "50"], "its number of rows is 40, and 50 is asked for"),
    ] {
        // The last of two is an error of its own.
        let of: Vec<&str> = match more.contains(&"-n") {
            true => [&["generate", "std:retrieval", "-o", "a.jsonl"], more].concat(),
            false => [&of[..], more].concat(),
        };
        let output = cookc(&folder, &of);
        let [_, err] = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains(wanted), "{wanted}: {err}");
    }
    let dry = [&of[..], &["--resume", "--dry-run", "--seed", "1"]].concat();
    assert_eq!(cookc(&folder, &dry).status.code(), Some(1));
    let dry = done(&folder, &[&of[..], &["--resume", "--dry-run"]].concat());
    assert!(dry.starts_with("15 rows of retrieval: a.jsonl, which is replaced, after 25 rows"));
    let output = cookc(&folder, &[&of[..], &["--resume"]].concat());
    let [_, err] = texts(&output);
    assert!(err.starts_with("25 samples were there before\n15 samples, "), "{err}");
    assert!(fs::read(folder.path().join("a.jsonl")).expect("a file") == wanted);
    // Without --resume it begins anew, and what lies there says nothing more.
    leave(&folder, "a.jsonl", 25, "");
    let [_, err] = texts(&cookc(&folder, &of));
    assert!(err.starts_with("40 samples, "), "{err}");
    assert!(fs::read(folder.path().join("a.jsonl")).expect("a file") == wanted);
    // Rows that are gone have no place.
    leave(&folder, "a.jsonl", 25, "");
    fs::write(&beside(&folder, "a.jsonl")[0], "").expect("a file");
    let [_, err] = texts(&cookc(&folder, &[&of[..], &["--resume", "--seed", "1"]].concat()));
    assert!(err.starts_with("40 samples, "), "{err}");
    leave(&folder, "a.jsonl", 25, ",");
    refused(&["--resume"], ".cookc-a.jsonl.place is no place (");
    let names = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(names, 3, "what is refused stays as it is");
}

#[test]
fn two_writers_of_one_file_and_files_that_start_again_are_refused() {
    let folder = folder();
    let rows = fs::File::create(&beside(&folder, "a.jsonl")[0]).expect("a file");
    rows.lock().expect("no other has it");
    write(
        &folder,
        "bad.cook",
        "n ~ uniform(0..99)\nm = 1 / (n / 50)\nprompt \"{n}\"\nreply \"{m}\"\n",
    );
    let of = |more: &[&'static str]| [&["generate", "std:retrieval", "-n", "40"], more].concat();
    for (arguments, code, wanted) in [
        (of(&["-o", "a.jsonl"]), 1, "another cookc is writing a.jsonl: wait until it ends"),
        (of(&["-o", "a.jsonl", "--resume"]), 1, "another cookc is writing a.jsonl"),
        (of(&["-o", "a.parquet", "--resume"]), 2, "-o data/ --format parquet --shard-size 65536"),
        (of(&["-o", "a.arrow", "--resume"]), 2, "a single file of arrow starts again"),
        (of(&["--resume"]), 2, "--resume is for a file, or a folder of files"),
        (of(&["-o", "none/a.jsonl", "--resume"]), 3, "there is no folder none"),
    ] {
        let output = cookc(&folder, &arguments);
        let [_, err] = texts(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {err}");
        assert!(err.contains(wanted), "{wanted}: {err}");
    }
    let output = cookc(&folder, &["generate", "bad.cook", "-n", "4000", "-o", "b.jsonl"]);
    assert_eq!(output.status.code(), Some(1), "{:?}", texts(&output));
    let names = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(names, 2, "a template that fails leaves nothing");
}
