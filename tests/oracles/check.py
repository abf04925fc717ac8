"""Compare templates of the standard library with independent oracles.

Usage: python3 tests/oracles/check.py [--samples N] COOKC [TEMPLATE ...]

Each `oracles_*.py` beside this file has a dictionary ORACLES: {template: function}. The function
takes a prompt, and nothing else, and returns the right reply as a text, or a pair of a right reply
and a predicate that accepts every right one. Of each template and level, N samples are drawn
(100 if nothing else is asked for):

1. the template's own reply must be right by the oracle;
2. the oracle's own reply must be judged exact by `cookc judge`;
3. the reply of another sample, and the template's own reply with a small change, must be judged
   as the oracle says.
"""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
STDLIB = HERE.parent.parent / "stdlib"
SEED = "11"


def oracles():
    """All oracles of the files beside this one."""
    found = {}
    for path in sorted(HERE.glob("oracles_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, oracle in module.ORACLES.items():
            if name in found:
                sys.exit(f"two oracles for {name}")
            found[name] = oracle
    return found


def plain(text):
    """A text with its white space as `cookc judge` reads it."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(" ".join(line.split()) for line in lines).strip()


def verdict(oracle, prompt):
    """A right reply, and the predicate of all right ones."""
    answer = oracle(prompt)
    if isinstance(answer, str):
        return answer, lambda reply: plain(reply) == plain(answer)
    return answer


def changed(reply):
    """The reply with a small change: a number raised, a word left out, two words exchanged."""
    words = reply.split(" ")
    yield re.sub(r"\d+", lambda found: str(int(found.group()) + 1), reply, count=1)
    yield " ".join(words[1:])
    yield " ".join([words[-1], *words[1:-1], words[0]]) if len(words) > 1 else reply[::-1]


def accepts(predicate, reply):
    """Whether a reply is right; one that the oracle cannot read is not."""
    try:
        return bool(predicate(reply))
    except (ValueError, ArithmeticError, LookupError, AttributeError):
        return False


def run(command):
    """The JSON lines that a command writes."""
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}{done.stdout}")
    return lines


def levels(path):
    text = path.read_text(encoding="utf-8")
    return [None] + re.findall(r"^level (\w+):", text, re.MULTILINE)


def check(cookc, name, level, oracle, count):
    """What differs, a line each."""
    path = STDLIB / f"{name}.cook"
    options = [str(path), "--seed", SEED] + (["--level", level] if level else [])
    samples = run([cookc, "sample", *options, "-n", str(count), "--json"])
    where = f"{name}, {level or 'default'}"
    differences, replies, expected = [], [], []
    for i, sample in enumerate(samples):
        prompt, other = sample["prompt"], samples[i - 1]["reply"]
        try:
            own, right = verdict(oracle, prompt)
        except Exception as error:
            differences.append(f"{where}, sample {i}: {error!r} for the prompt\n{prompt}")
            continue
        if not accepts(right, sample["reply"]):
            differences.append(
                f"{where}, sample {i}: the oracle says {own!r}, the template says "
                f"{sample['reply']!r}, to\n{prompt}"
            )
        wrong = [other, *changed(sample["reply"])]
        for reply, exact in [(own, True), *((reply, accepts(right, reply)) for reply in wrong)]:
            replies.append({"index": sample["index"], "reply": reply})
            expected.append((prompt, exact))
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps(reply) + "\n" for reply in replies)
        file.flush()
        judged = run([cookc, "judge", *options, file.name, "--format", "json"])
    scores = [line for line in judged if "index" in line]
    if len(scores) != len(replies):
        return differences + [f"{where}: {len(replies)} replies, {len(scores)} scores"]
    for reply, score, (prompt, exact) in zip(replies, scores, expected):
        if score["exact"] != exact:
            differences.append(
                f"{where}, sample {score['index']}: {reply['reply']!r} is "
                f"{'right' if exact else 'wrong'} by the oracle, and judged {score}, to\n{prompt}"
            )
    return differences


def differences_of(cookc, name, oracle, count):
    """Those of all levels of a template, and how many levels there are."""
    names, differences = levels(STDLIB / f"{name}.cook"), []
    for level in names:
        try:
            differences += check(cookc, name, level, oracle, count)
        except RuntimeError as error:
            differences.append(str(error))
    return differences, len(names)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("cookc")
    parser.add_argument("template", nargs="*")
    asked = parser.parse_args()
    wanted, found = asked.template, oracles()
    unknown = [name for name in wanted if name not in found]
    if unknown:
        sys.exit(f"no oracle for {', '.join(unknown)}")
    failed = 0
    names = list(wanted or found)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        of_one = lambda name: differences_of(asked.cookc, name, found[name], asked.samples)
        all_of_them = list(pool.map(of_one, names))
    for name, (differences, count) in zip(names, all_of_them):
        for line in differences[:5]:
            print(line)
        if differences:
            failed += 1
            print(f"{name}: {len(differences)} differences")
        else:
            print(f"{name}: the same at {count} levels")
    print(f"{len(names)} templates, {failed} with differences")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
