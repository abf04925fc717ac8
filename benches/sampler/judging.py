#!/usr/bin/env python3
"""Replies judged by two builds of cookc in turns: a reply a sample, which is made again for it, and many to each sample.

    benches/sampler/judging.py BEFORE NOW [--rounds 5] [--count 4000] [--same 16] [--only NAME…]

CPU seconds of `cookc judge` on the templates' own replies, less those of a call that judges one reply. Prints a line of JSON a
template: replies a CPU second of both builds, and the ratios' medians.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile

from starts import cpu


def replies(cookc, name, count, folder):
    """Files of one reply, of a reply a sample, and of the same replies in groups."""
    out = os.path.join(folder, f"{name}.jsonl")
    words = [cookc, "generate", f"std:{name}", "-n", str(count), "-o", out, "--format", "jsonl"]
    subprocess.run(words, check=True, capture_output=True)
    with open(out) as file:
        return [json.loads(line)["reply"] for line in file]


def write(folder, kind, rows):
    path = os.path.join(folder, f"{kind}.jsonl")
    with open(path, "w") as file:
        file.writelines(json.dumps({"index": index, "reply": reply}) + "\n" for index, reply in rows)
    return path


def main():
    words = argparse.ArgumentParser()
    words.add_argument("before")
    words.add_argument("now")
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--count", type=int, default=4000)
    words.add_argument("--same", type=int, default=16)
    words.add_argument("--only", nargs="*")
    asked = words.parse_args()
    listed = subprocess.run([asked.now, "list", "--format", "json"], check=True, capture_output=True, text=True)
    ratios = {"single": [], "many": []}
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.only or [one["name"].removeprefix("std:") for one in json.loads(listed.stdout)["templates"]]:
            made = list(enumerate(replies(asked.now, name, asked.count, folder)))
            grouped = [row for row in made[: asked.count // asked.same] for _ in range(asked.same)]
            files = {"single": write(folder, "single", made), "many": write(folder, "many", grouped)}
            one = write(folder, "one", made[:1])
            line = {"template": name}
            for kind, path in files.items():
                count = len(made if kind == "single" else grouped) - 1
                speeds = []
                for _ in range(asked.rounds):
                    call = lambda build, path: cpu([build, "judge", f"std:{name}", path])
                    spent = [max(call(build, path) - call(build, one), 0.01) for build in (asked.before, asked.now)]
                    speeds.append([count / ms * 1e3 for ms in spent])
                ratio = statistics.median(now / before for before, now in speeds)
                ratios[kind].append(ratio)
                line[kind] = {"before": round(statistics.median(s[0] for s in speeds)), "now": round(statistics.median(s[1] for s in speeds)), "ratio": round(ratio, 2)}
            print(json.dumps(line), flush=True)
    print(json.dumps({kind: {"median": round(statistics.median(all), 2), "least": round(min(all), 2)} for kind, all in ratios.items()}))


if __name__ == "__main__":
    main()
