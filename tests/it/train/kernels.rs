//! What can be seen of the GPU's kernels without a GPU: that text, PTX and Rust belong together.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use sha2::{Digest, Sha256};

fn folder() -> PathBuf {
    super::root().join("src/ops/cuda")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("the file is there")
}

/// What stands between `before` and the next `"` or `(`, everywhere.
fn names<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = String> + 'a {
    let name = |rest: &str| rest.split(['"', '(']).next().unwrap_or_default().to_string();
    text.split(before).skip(1).map(name)
}

#[test]
fn the_ptx_was_made_of_these_kernels() {
    let mut hash = Sha256::new();
    for name in ["kernels.cu", "rows.cuh", "attention.cuh", "flash.cuh"] {
        hash.update(read(name));
    }
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let told = format!("// {digest}");
    assert!(read("kernels.ptx").lines().any(|line| line == told), "run scripts/kernels.sh");
}

#[test]
fn the_kernels_that_rust_asks_for_are_those_of_the_ptx() {
    let ptx = read("kernels.ptx");
    let there: BTreeSet<String> = names(&ptx, ".visible .entry ").collect();
    let mut asked = BTreeSet::new();
    for entry in fs::read_dir(folder()).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(path).expect("UTF-8");
            asked.extend(names(&text, "Kernel::only(\""));
            for name in names(&text, "Kernel::of(\"") {
                asked.extend([format!("{name}_f32"), format!("{name}_bf16")]);
            }
            for name in names(&text, "Kernel::of_width(\"") {
                asked.extend([64, 96, 128].map(|width| format!("{name}_{width}")));
            }
        }
    }
    assert!(asked.len() > 20, "the kernels are found in the text");
    assert_eq!(asked, there);
}

/// So the driver of CUDA 11 takes them, on an A100 and on what came after.
#[test]
fn the_ptx_asks_for_no_new_driver() {
    let ptx = read("kernels.ptx");
    assert!(ptx.lines().any(|line| line == ".version 7.0"));
    assert!(ptx.lines().any(|line| line == ".target sm_80"));
}

#[test]
fn no_kernel_adds_in_an_order_that_changes() {
    assert!(!read("kernels.ptx").contains("atom."), "a sum by atomics has no fixed order");
}

/// The warps' instructions are emulated, so this needs no toolkit: a compiler of C++ is enough.
#[test]
fn fused_attention_is_attention_on_an_emulated_gpu() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("flash");
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    let mut compile = Command::new(&compiler);
    compile.args(["-O1", "-std=c++17", "-w", "-o"]).arg(&program);
    compile.arg(super::root().join("tests/kernels/flash.cpp"));
    let Ok(made) = compile.output() else {
        // Straight to the standard error: the harness would swallow what a test that passes prints.
        writeln!(std::io::stderr(), "NOT RUN: fused attention: no `{compiler}`").expect("stderr");
        return;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let run = Command::new(&program).output().expect("it runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}
