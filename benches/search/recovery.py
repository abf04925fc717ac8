#!/usr/bin/env python3
"""Each built-in template from a few of its own samples: is what is found the template's rule?

    benches/search/recovery.py COOKC [--examples 10] [--fresh 1000] [--seconds 10] [--without own|all] [--only NAME…] > recovery.jsonl

Inputs are the fields that a prompt shows, the output that which the reply shows; templates whose reply shows several are left out, and
counted. `cookc synth` looks at the templates that are built in, which are its library of rules, and then searches: `--without own` takes
the template itself out of the library, `--without all` leaves only the search. What is found is right if it agrees on each of the fresh
samples, which it has not seen: a rule by `--fill`; one of the first three templates that are named by `cookc align`: its rules hold of
all, and of at most half of those that get another output. Of some templates the rows do not say all that their rules read: a hidden
draw, or what the prompt shows in another form alone. They are searched as the others are, and counted apart. Prints a line of JSON a
template, then a summary.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time


def rows_of(cookc, name, seed, count, folder):
    out = os.path.join(folder, "rows.jsonl")
    if os.path.exists(out):
        os.remove(out)
    command = [cookc, "generate", name, "-n", str(count), "--seed", str(seed), "-o", out]
    subprocess.run(command, check=True, capture_output=True)
    with open(out) as lines:
        return [json.loads(json.loads(line)["fields"]) for line in lines]


def outputs_of(name):
    source = open(os.path.join(os.path.dirname(__file__), "..", "..", "stdlib", f"{name}.cook")).read()
    reply = source[source.rindex("\nreply ") :]
    return list(dict.fromkeys(re.findall(r"[a-z_][a-z0-9_]*", " ".join(re.findall(r"\{([^{}]*)\}", reply)))))


def write(path, rows):
    with open(path, "w") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)


def obeys(cookc, known, path, outputs):
    """Do a template's rules hold of all rows, and of at most half of those that get another output than theirs?"""
    mapped = ",".join(f"{value}={column}" for value, column in known["map"].items())
    command = [cookc, "align", known["template"], path, "--map", mapped, "--level", known["level"], "--json"]
    command += ["--keep", "case,marks,punctuation,stop-words"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    rows = report["alignment"]["rows"] == report["rows"] and report["alignment"]["exact"] == 1.0
    equal = sum((outputs.count(one) / len(outputs)) ** 2 for one in set(outputs))
    return rows and report["shuffled"]["exact"] <= equal + (1 - equal) / 2


def says_all(cookc, name, path):
    """Do the rows have all that the template's rules read?"""
    ended = subprocess.run([cookc, "align", f"std:{name}", path, "--json"], capture_output=True, text=True)
    return "no row has it" not in ended.stderr


def found(asked, name, rows, output, without, folder):
    """What is found from the first rows, and whether it agrees with the others."""
    inputs = [one for one in rows[0] if one != output]
    examples, fresh = os.path.join(folder, "examples.jsonl"), os.path.join(folder, "fresh.jsonl")
    write(examples, rows[: asked.examples])
    write(fresh, rows[asked.examples :])
    command = [asked.cookc, "synth", examples, "--inputs", ",".join(inputs), "--output", output, "--json", "--fill", fresh]
    command += ["--seconds", str(asked.seconds)] + (["--without", ",".join(without)] if without else [])
    start = time.perf_counter()
    ended = subprocess.run(command, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    lines = ended.stdout.splitlines()
    if not lines:
        return {"left out": ended.stderr.strip()[-200:]}
    outcome, filled = json.loads(lines[0]), lines[1:]
    known = outcome["known"]
    row = {"seconds": round(seconds, 2), "explained": outcome["explained"], "rule": outcome["rule"]}
    row["known"] = [one["template"] for one in known]
    row["rows say all"] = says_all(asked.cookc, name, fresh)
    pairs = zip(filled, rows[asked.examples :])
    row["rule agrees"] = len(filled) == asked.fresh and all(json.loads(line)[output] == true[output] for line, true in pairs)
    # The rule is what is written; a template is named beside it.
    outputs = [json.dumps(one[output]) for one in rows[asked.examples :]]
    row["agrees"] = row["rule agrees"] or any(obeys(asked.cookc, one, fresh, outputs) for one in known[:3])
    return row


def main():
    words = argparse.ArgumentParser()
    words.add_argument("cookc")
    words.add_argument("--examples", type=int, default=10)
    words.add_argument("--fresh", type=int, default=1000)
    words.add_argument("--seconds", type=float, default=10)
    words.add_argument("--seed", type=int, default=11)
    words.add_argument("--without", choices=["own", "all"])
    words.add_argument("--only", nargs="*")
    asked = words.parse_args()
    listed = subprocess.run([asked.cookc, "list", "--format", "json"], check=True, capture_output=True, text=True)
    all_names = [one["name"].removeprefix("std:") for one in json.loads(listed.stdout)["templates"]]
    times, agree, tried, several, whole = [], 0, 0, 0, 0
    for name in asked.only or all_names:
        without = {"own": [name], "all": all_names, None: []}[asked.without]
        with tempfile.TemporaryDirectory() as folder:
            rows = rows_of(asked.cookc, f"std:{name}", asked.seed, asked.examples + asked.fresh, folder)
            outputs = [one for one in outputs_of(name) if one in rows[0]]
            if len(outputs) != 1 or len(rows[0]) == 1:
                several += 1
                print(json.dumps({"template": name, "left out": "outputs", "names": outputs}), flush=True)
                continue
            row = {"template": name} | found(asked, name, rows, outputs[0], without, folder)
            tried += 1
            agree += row.get("agrees", False)
            whole += row.get("rows say all", False)
            times.append(row.get("seconds", asked.seconds))
            print(json.dumps(row), flush=True)
    print(
        json.dumps(
            {
                "agree": agree,
                "of": tried,
                "whose rows say all that the rules read": whole,
                "several outputs, or none": several,
                "examples": asked.examples,
                "without": asked.without,
                "median seconds": statistics.median(times),
            }
        )
    )


if __name__ == "__main__":
    main()
