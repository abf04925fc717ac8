#!/usr/bin/env bash
# All that a machine with an NVIDIA GPU can tell of the `cuda` feature, in one call of some minutes:
# the kernels against the CPU, the reference's loss and gradients on the GPU in f32 and bf16, and
# training at the shapes of Mistral-7B and SmolLM2-135M, in tokens/s, beside PEFT where torch is installed.
#
#     scripts/gpu-check.sh build FOLDER     where there is a CUDA toolkit: makes the two programs
#     scripts/gpu-check.sh run FOLDER OUT   where there is a GPU; needs no cargo and no toolkit
#
# OUT gets what each part printed. A part that fails does not keep the next from running.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
build)
  mkdir -p "$2"
  # A path that cargo prints last in its line, of the program that was built.
  program() { sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1; }
  cp "$(cargo test --release --features nccl --test it --no-run --message-format json | program)" "$2/it"
  cp "$(cargo bench --features cuda --bench gpu --no-run --message-format json | program)" "$2/gpu"
  ;;
run)
  programs=$(realpath "$2")
  mkdir -p "$3"
  out=$(realpath "$3")
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv > "$out/gpu.txt" || true
  failed=0
  part() { # NAME COMMAND…
    printf '\n== %s (%s s)\n' "$1" "$SECONDS"
    timeout 240 "${@:2}" > "$out/$1.txt" 2>&1 || { failed=1; echo "FAILED: $?"; }
    tail -n 15 "$out/$1.txt"
  }
  # The tests' data lie in this tree, wherever it is now.
  export CARGO_MANIFEST_DIR=$PWD
  part tests "$programs/it" train::cuda train::kernels --test-threads 1
  if grep -q "NOT RUN" "$out/tests.txt"; then
    echo "there is no GPU here: nothing more can be told" >&2
    exit 3
  fi
  # What is compared runs in turns; `peft` is told the same shape, rows and length.
  peft() {
    if python3 -c 'import torch, transformers, peft' 2> /dev/null; then
      part "peft-$1" python3 benches/gpu/peft_side.py "${@:2}"
    else
      echo "NOT RUN: PEFT's side; torch, transformers and peft are not installed" | tee "$out/peft.txt"
    fi
  }
  small=(--shape 135m --sequence 512 --rows 16 --steps 12)
  part cookc-7b "$programs/gpu" --steps 8 --recompute none
  peft 7b --steps 8
  part cookc-135m "$programs/gpu" "${small[@]}" --recompute none
  peft 135m "${small[@]}"
  part cookc-7b-again "$programs/gpu" --steps 8 --recompute none
  part cookc-7b-recompute "$programs/gpu" --steps 5 --recompute full
  peft 7b-recompute --steps 5 --checkpoint
  part cookc-7b-nf4 "$programs/gpu" --steps 5 --recompute none --nf4
  part cookc-7b-long "$programs/gpu" --steps 5 --sequence 8192 --rows 1 --recompute none
  peft 7b-long --steps 5 --sequence 8192 --rows 1
  exit $failed
  ;;
*)
  sed -n '2,9s/^# \{0,1\}//p' "$0"
  exit 2
  ;;
esac
