#!/usr/bin/env python3
"""Two builds of cookc in turns, by `cookc bench`: tokens, bytes and judgements a second of the templates that both know.

    benches/sampler/builds.py BEFORE NOW [--rounds 7]

Prints a line of JSON a round and template, then for each figure the medians and the ratio's median, least and most.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile

TEMPLATE = """words_ ~ DRAW(1000, vocab)
first = at(0, words_)
rule begins: first == at(0, words_)
prompt "{words_}"
reply "{first}"
"""
FIGURES = {
    "ids_tokens_per_second": "ids, tokens/s",
    "text_tokens_per_second": "text, tokens/s",
    "jsonl_bytes_per_second": "JSON lines, bytes/s",
    "judgements_per_second": "replies judged a second",
}


def main():
    words = argparse.ArgumentParser()
    words.add_argument("before")
    words.add_argument("now")
    words.add_argument("--rounds", type=int, default=7)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        templates = {}
        for draw in ("draw", "distinct"):
            templates[f"{draw} of 1,000"] = [os.path.join(folder, f"{draw}.cook")]
            with open(templates[f"{draw} of 1,000"][0], "w") as file:
                file.write(TEMPLATE.replace("DRAW", draw))
        templates["document_qa, length = 998"] = ["std:document_qa", "--set", "length=998"]
        for name in ("document_qa", "chain_sum", "entailment", "stack_machine", "variable_tracking"):
            templates[name] = [f"std:{name}"]
        for name, template in templates.items():
            rounds = [{side: bench(getattr(asked, side), template) for side in ("before", "now")} for _ in range(asked.rounds)]
            for one in rounds:
                print(json.dumps({"template": name, **one}), flush=True)
            for figure, called in FIGURES.items():
                before, now = ([one[side]["native"][figure] for one in rounds] for side in ("before", "now"))
                ratios = [b / a for a, b in zip(before, now)]
                row = {"template": name, "figure": called, "before": statistics.median(before), "now": statistics.median(now)}
                row["ratio"] = [round(x, 2) for x in (statistics.median(ratios), min(ratios), max(ratios))]
                print(json.dumps(row), flush=True)


def bench(cookc, template):
    words = [cookc, "bench", *template, "--format", "json"]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
