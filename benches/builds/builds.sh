#!/usr/bin/env bash
# Seconds that the project takes to build, for commits side by side: a release build from nothing, and
# `cargo test` of the language after a change of one line in `check/`.
#
#   benches/builds/builds.sh OUT.jsonl NAME=COMMIT[:FEATURES] ...
#
# FEATURES are those that the language's tests need beside `--no-default-features`; `TURNS=0` leaves the
# language out. Crates are downloaded before the clock starts. Needs 10 GB below TMPDIR.
set -euo pipefail
out=$(realpath "$1")
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timed() { # NAME WHAT COMMAND...
  local name=$1 what=$2 real user sys
  shift 2
  TIMEFORMAT='%R %U %S'
  read -r real user sys < <({ time "$@" > "$work/log" 2>&1; } 2>&1) || true
  printf '{"commit": "%s", "what": "%s", "seconds": %s, "processor_seconds": %.1f, "cores": %s}\n' \
    "$name" "$what" "$real" "$(echo "$user + $sys" | bc)" "$(nproc)" | tee -a "$out"
}

for one in "$@"; do
  name=${one%%=*} commit=${one#*=} features=
  case $commit in *:*) features=${commit#*:} commit=${commit%%:*} ;; esac
  tree=$work/$name
  git clone --quiet . "$tree"
  git -C "$tree" checkout --quiet "$commit"
  export CARGO_TARGET_DIR=$work/target
  rm -rf "$CARGO_TARGET_DIR"
  cd "$tree"
  cargo fetch --quiet
  timed "$name" "cold release build" cargo build --release --bin cookc
  printf '{"commit": "%s", "what": "binary", "bytes": %s}\n' \
    "$name" "$(stat -c %s "$CARGO_TARGET_DIR/release/cookc")" | tee -a "$out"
  rm -rf "$CARGO_TARGET_DIR"
  turns=${TURNS:-3}
  if [ "$turns" = 0 ]; then cd - > /dev/null; continue; fi
  language=(--no-default-features ${features:+--features "$features"})
  timed "$name" "cold test of the language" cargo test --quiet "${language[@]}"
  for turn in $(seq "$turns"); do
    echo "#[allow(dead_code)] pub const CHANGED_$turn: u32 = $turn;" >> src/check/mod.rs
    timed "$name" "rebuild of the language's tests" cargo test --quiet "${language[@]}" --no-run
    timed "$name" "the language's tests" cargo test --quiet "${language[@]}"
  done
  cd - > /dev/null
done
