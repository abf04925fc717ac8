#!/usr/bin/env bash
# tokenizers 0.23.2: one tokenizer.json has other ids in Rust with the feature `fancy-regex` than in Python.
#
# Expected: a tokenizer file means the same wherever the library reads it. The crate's Cargo.toml offers `onig` (which the
# Python package is built with) and `fancy-regex` as two engines behind one type, and nothing says that they read a pattern
# in two ways.
#
# What happens: Oniguruma runs in Ruby's syntax, where `^` and `$` are the ends of each line; in fancy-regex they are the ends
# of the text. A Split at `^` cuts a text of two lines in Python and in Rust with `onig`, and does not with `fancy-regex`:
# other pieces, other ids, no error.
#
# Why it matters: `fancy-regex` is what builds without a C compiler take, and all of WebAssembly. Files with `^` or `$` in
# their patterns exist, and a model trained with one set of ids is run with the other.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet tokenizers==0.23.2
cat > "$work/make.py" <<'PYTHON'
import json, sys
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

words = {"[UNK]": 0, "one\n": 1, "two": 2, "one\ntwo": 3}
tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("^"), "merged_with_next")
tokenizer.save(sys.argv[1])
print(json.dumps(Tokenizer.from_file(sys.argv[1]).encode("one\ntwo").ids))
PYTHON
python=$("$work/venv/bin/python" "$work/make.py" "$work/tokenizer.json")
for engine in onig fancy-regex; do
  mkdir -p "$work/$engine/src"
  cat > "$work/$engine/Cargo.toml" <<TOML
[package]
name = "reads"
version = "0.0.0"
edition = "2021"
[dependencies]
tokenizers = { version = "=0.23.2", default-features = false, features = ["$engine"] }
TOML
  cat > "$work/$engine/src/main.rs" <<'RUST'
fn main() {
    let file = std::env::args().nth(1).expect("a file");
    let tokenizer = tokenizers::Tokenizer::from_file(file).expect("a tokenizer");
    let encoding = tokenizer.encode("one\ntwo", false).expect("ids");
    println!("{:?}", encoding.get_ids());
}
RUST
  CARGO_TARGET_DIR="$work/target-$engine" cargo run --quiet --manifest-path "$work/$engine/Cargo.toml" -- "$work/tokenizer.json" > "$work/$engine.ids"
done
onig=$(cat "$work/onig.ids") fancy=$(cat "$work/fancy-regex.ids")
echo "Python: $python; Rust with onig: $onig; Rust with fancy-regex: $fancy"
[ "$python" = "$onig" ] && [ "$onig" != "$fancy" ] || { echo "this has changed" >&2; exit 1; }
