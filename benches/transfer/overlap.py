#!/usr/bin/env python3
"""Word overlap alone: how often the sentence that shares most words with the question is the right one.

    benches/transfer/overlap.py DIR        # as xquad.py has written it

Ties count as their share. A line for each file, with all words and without stop words, and intervals of 95 %.
"""

import json
import math
import pathlib
import re
import sys

LIST = pathlib.Path(__file__).parents[2] / "src/data/normalize/stop_words.txt"
STOP = set(LIST.read_text().split())


def words(text, stops):
    found = set(re.findall(r"\w+", text.lower()))
    return found if stops else found - STOP


for name, asked in [("first", "question"), ("second", "question"), ("sentences", "question"), ("other_question", "other")]:
    for stops in (True, False):
        right = []
        for line in open(pathlib.Path(sys.argv[1]) / f"{name}.jsonl"):
            item = json.loads(line)
            question = words(item[asked], stops)
            shared = [len(question & words(sentence, stops)) for sentence in item["sentences"]]
            best = [at for at, count in enumerate(shared) if count == max(shared)]
            right.append((item["gold"] in best) / len(best))
        mean = sum(right) / len(right)
        error = math.sqrt(sum((one - mean) ** 2 for one in right) / len(right) / (len(right) - 1))
        kind = "all words" if stops else "without stop words"
        print(f"{name}, {kind}: {mean:.3f} ± {1.96 * error:.3f} of {len(right)}")
