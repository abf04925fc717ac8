#!/usr/bin/env bash
# Makes src/ops/cuda/kernels.ptx of kernels.cu and the files that it includes:
#
#     scripts/kernels.sh            writes it
#     scripts/kernels.sh --check    fails where the one that is there is another
#
# Needs nvcc of a CUDA toolkit, on the path or named by COOKC_NVCC. Another release of nvcc may write
# other text, so only the one that made the file can check it.
set -euo pipefail
cd "$(dirname "$0")/../src/ops/cuda"

nvcc=${COOKC_NVCC:-$(command -v nvcc || true)}
if [ -z "$nvcc" ]; then
  echo "NOT RUN: no nvcc on the path, nor named by COOKC_NVCC" >&2
  [ "${1:-}" = --check ] && exit 0
  exit 3
fi
release=$("$nvcc" --version | sed -n 's/.*release [^,]*, //p')
if [ "${1:-}" = --check ] && ! grep -q "release .*, $release\$" kernels.ptx; then
  echo "NOT RUN: kernels.ptx was made by another nvcc than $release" >&2
  exit 0
fi

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
"$nvcc" --ptx -O3 -std=c++17 -arch=compute_80 -Werror all-warnings kernels.cu -o "$made/new.ptx"
# The driver takes only a language version that it knows: the least one keeps older drivers in.
# ptxas tells whether the kernels need more.
{
  echo "// SHA-256 of kernels.cu, rows.cuh, attention.cuh and flash.cuh, one behind the other:"
  echo "// $(cat kernels.cu rows.cuh attention.cuh flash.cuh | sha256sum | cut -d ' ' -f 1)"
  sed 's/^\.version .*/.version 7.0/' "$made/new.ptx"
} > "$made/kernels.ptx"
for architecture in sm_80 sm_90; do
  "$(dirname "$nvcc")/ptxas" -arch=$architecture "$made/kernels.ptx" -o "$made/$architecture"
done

if [ "${1:-}" = --check ]; then
  cmp "$made/kernels.ptx" kernels.ptx || { echo "run scripts/kernels.sh, and commit" >&2; exit 1; }
else
  cp "$made/kernels.ptx" kernels.ptx
fi
