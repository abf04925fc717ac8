#!/usr/bin/env python3
"""Label-free accuracy on simulated votes: cookc beside crowd-kit and ntqr.

    python3 -m venv /tmp/votes && /tmp/votes/bin/pip install -r benches/votes/requirements.txt
    /tmp/votes/bin/python benches/votes/compare.py COOKC -o docs/results/votes.jsonl
    python3 benches/votes/table.py docs/results/votes.jsonl > docs/results/votes-table.md

The votes are those of votes.py; each peer sees the same table. Every line that is written is a set of
votes: its cell, each voter's accuracy in the model and on the items, and what each method says. Lines
that the file has already are kept, so a run can be stopped and go on; `--redo` runs cookc alone again,
and keeps what the peers said. `--quick` takes the smaller half of the grid.
"""

import argparse
import json
import pathlib
import subprocess

import votes

# So many sets go to one call of cookc.
CHUNK = 40


def rows(name, table):
    """The votes of a set, as cookc reads them."""
    for item, labels in enumerate(table.tolist()):
        each = {f"v{voter}": label for voter, label in enumerate(labels)}
        yield json.dumps({"set": name, "item": item, "votes": each}, separators=(",", ":"))


def ours(cookc, sets, options):
    """What cookc says of these sets, which have so many options."""
    lines = "\n".join(line for name, table in sets for line in rows(name, table))
    command = [cookc, "mix", "--estimate", "-", "--options", str(options), "--format", "json"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True)
    if done.returncode not in (0, 1) or not done.stdout:
        raise SystemExit(done.stderr)
    found = {}
    for line in done.stdout.splitlines():
        one = json.loads(line)
        each = one["voters"]
        found[one["set"]] = {
            "refused": one["refusal"] and one["refusal"]["reason"],
            "accuracy": [voter["accuracy"] for voter in each],
            "low": [voter["low"] for voter in each],
            "high": [voter["high"] for voter in each],
            "independent": [voter["independent"] for voter in each],
            "groups": [[int(name[1:]) for name in group["voters"]] for group in one["groups"]],
        }
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cookc")
    parser.add_argument("--seeds", type=int, default=2, help="of cells in which a third shares a source")
    parser.add_argument("--seeds-all", type=int, default=1, help="of cells in which all do")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--redo", action="store_true")
    parser.add_argument("-o", "--out", type=pathlib.Path, required=True)
    given = parser.parse_args()
    lines = given.out.read_text().splitlines() if given.out.exists() else []
    known = {one["set"]: one for one in map(json.loads, lines)}
    seeds = {"third": given.seeds, "all": given.seeds_all}
    grid = list(votes.cells(not given.quick))
    all_sets = [(c, s) for s in range(max(seeds.values())) for c in grid if s < seeds[c["scope"]]]
    waiting = {}
    for number, (cell, seed) in enumerate(all_sets, 1):
        name = votes.name(cell, seed)
        right, table, accuracy = votes.draw(cell, seed)
        row = known.setdefault(name, {"set": name, **cell, "seed": seed})
        if "majority" not in row:
            import peers  # Only here: cookc alone needs numpy alone.

            row["accuracy"] = [round(float(one), 6) for one in accuracy]
            row["labelled"] = [round(float(one), 6) for one in (table == right[:, None]).mean(0)]
            row.update(peers.estimates(table, cell["k"]))
        if given.redo or "cookc" not in row:
            waiting.setdefault(cell["k"], []).append((name, table))
        for options, sets in list(waiting.items()):
            if sets and (len(sets) >= CHUNK or number == len(all_sets)):
                for one, found in ours(given.cookc, sets, options).items():
                    known[one]["cookc"] = found
                waiting[options] = []
                print(f"{number} of {len(all_sets)} sets", flush=True)
                write(given.out, known)
    write(given.out, known)


def write(path, known):
    """All rows, in a file that is there in full or not at all."""
    short = {key: shortened(row) for key, row in known.items()}
    beside = path.with_suffix(".part")
    beside.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in short.values()))
    beside.replace(path)


def shortened(value):
    """The same with numbers of five digits."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, list):
        return [shortened(one) for one in value]
    if isinstance(value, dict):
        return {key: shortened(one) for key, one in value.items()}
    return value


if __name__ == "__main__":
    main()
