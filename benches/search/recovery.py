#!/usr/bin/env python3
"""Each built-in template from a few of its own samples: is the rule that is found the template's?

    benches/search/recovery.py COOKC [--examples 10] [--fresh 1000] [--seconds 10] [--only NAME…] > recovery.jsonl

Inputs are the fields that a prompt shows, the output that which the reply shows. A rule is right if it gives the output of each of
the fresh samples, which no search saw. Templates whose reply shows several values are left out, and those of whose reply several
are right are counted as they come. Prints a line of JSON a template, then a summary.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile


def rows_of(cookc, name, seed, count, folder):
    out = os.path.join(folder, "rows.jsonl")
    if os.path.exists(out):
        os.remove(out)
    command = [cookc, "generate", name, "-n", str(count), "--seed", str(seed), "-o", out]
    subprocess.run(command, check=True, capture_output=True)
    with open(out) as lines:
        return [json.loads(json.loads(line)["fields"]) for line in lines]




def main():
    words = argparse.ArgumentParser()
    words.add_argument("cookc")
    words.add_argument("--examples", type=int, default=10)
    words.add_argument("--fresh", type=int, default=1000)
    words.add_argument("--seconds", type=float, default=10)
    words.add_argument("--seed", type=int, default=11)
    words.add_argument("--only", nargs="*")
    asked = words.parse_args()
    listed = subprocess.run([asked.cookc, "list", "--format", "json"], check=True, capture_output=True, text=True)
    names = asked.only or [one["name"].removeprefix("std:") for one in json.loads(listed.stdout)["templates"]]
    times, right, tried = [], 0, 0
    for name in names:
        source = open(os.path.join(os.path.dirname(__file__), "..", "..", "stdlib", f"{name}.cook")).read()
        reply = source[source.rindex("\nreply ") :]
        outputs = list(dict.fromkeys(re.findall(r"[a-z_][a-z0-9_]*", " ".join(re.findall(r"\{([^{}]*)\}", reply)))))
        with tempfile.TemporaryDirectory() as folder:
            rows = rows_of(asked.cookc, f"std:{name}", asked.seed, asked.examples + asked.fresh, folder)
            outputs = [one for one in outputs if one in rows[0]]
            if len(outputs) != 1:
                print(json.dumps({"template": name, "left out": "outputs", "names": outputs}), flush=True)
                continue
            output, inputs = outputs[0], [one for one in rows[0] if one not in outputs]
            if not inputs:
                print(json.dumps({"template": name, "left out": "no inputs"}), flush=True)
                continue
            examples = os.path.join(folder, "examples.jsonl")
            fresh = os.path.join(folder, "fresh.jsonl")
            for path, part in [(examples, rows[: asked.examples]), (fresh, rows[asked.examples :])]:
                with open(path, "w") as lines:
                    lines.writelines(json.dumps(row) + "\n" for row in part)
            command = [asked.cookc, "synth", examples, "--inputs", ",".join(inputs), "--output", output, "--json"]
            command += ["--seconds", str(asked.seconds)]
            found = subprocess.run(command, capture_output=True, text=True)
            if not found.stdout:
                print(json.dumps({"template": name, "left out": found.stderr.strip()[-200:]}), flush=True)
                tried += 1
                continue
            outcome = json.loads(found.stdout)
            agrees = 0
            if found.returncode == 0:
                command = [asked.cookc, "synth", examples, "--inputs", ",".join(inputs), "--output", output, "--fill", fresh]
                command += ["--seconds", str(asked.seconds)]
                filled = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
                agrees = sum(json.loads(line)[output] == row[output] for line, row in zip(filled, rows[asked.examples :]))
            tried += 1
            right += agrees == asked.fresh
            times.append(outcome["seconds"])
            print(
                json.dumps(
                    {
                        "template": name,
                        "agrees": agrees,
                        "explained": outcome["explained"],
                        "seconds": round(outcome["seconds"], 2),
                        "rule": outcome["rule"],
                    }
                ),
                flush=True,
            )
    summary = {"right": right, "of": tried, "examples": asked.examples, "median seconds": statistics.median(times)}
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
