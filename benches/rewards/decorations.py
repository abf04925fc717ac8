#!/usr/bin/env python3
"""Right answers in 30 decorations, and right answers stuffed with wrong ones, of ten tasks, in each form of answers.

    pip install cookc && python benches/rewards/decorations.py docs/results/answers.jsonl

Ten tasks of the standard library, and ten small ones of the same names and kinds of replies in
tests/data/answers; of each the samples 0 to 2 of seed 7. The first line has the counts; then there is a line for
each right reply that `any` does not take, with what the reader says of it, and for each stuffed one that is paid.
"""

import collections
import json
import pathlib
import sys

import cookc

import replies

SMALL = pathlib.Path(__file__).parents[2] / "tests" / "data" / "answers"
FULL = (
    "chain_sum dice tower_of_hanoi game_of_life shortest_path knights_knaves time_intervals list_functions graph_color"
    " cryptarithm"
).split()
FORMS = ("strict", "bare", "any")
SAMPLES, SEED = 3, 7


def templates():
    for name in FULL:
        yield "full", name, cookc.Template.builtin(name)
    yield "small", "chain_sum", cookc.Template.builtin("chain_sum")
    for path in sorted(SMALL.glob("*.cook")):
        yield "small", path.stem, cookc.Template.open(path)


def other(samples, right):
    """The answer of a later sample that is another one."""
    return next(sample.reply for sample in samples if sample.reply != right)


def main(out):
    counts, failed = collections.Counter(), []
    for kind, name, template in templates():
        samplers = {form: template.answer(form).compile() for form in FORMS}
        samples = list(samplers["strict"].samples(seed=SEED, count=SAMPLES + 20))
        for index, sample in enumerate(samples[:SAMPLES]):
            right, wrong = sample.reply, other(samples[index + 1 :], sample.reply)
            decorated = {dress: wear(right) for dress, wear in replies.DRESSES.items()}
            stuffed = {way: stuff(right, wrong) for way, stuff in replies.STUFFED.items()}
            for form, sampler in samplers.items():
                for what, tried in (("decorated", decorated), ("stuffed", stuffed)):
                    found = sampler.score_many([index] * len(tried), list(tried.values()), seed=SEED)
                    for (way, reply), score in zip(tried.items(), found):
                        counts[kind, form, what, "all"] += score.exact
                        counts[kind, form, what, way] += score.exact
                        if score.exact == (what == "stuffed") and (form == "any" or what == "stuffed"):
                            row = {"templates": kind, "task": name, "index": index, "form": form, what: way}
                            said = {"rules": dict(score.rules), "cause": score.cause, "unreadable": score.unreadable}
                            failed.append({**row, "reply": reply, **said})
    sums = collections.defaultdict(lambda: collections.defaultdict(lambda: collections.defaultdict(dict)))
    for (kind, form, what, way), count in counts.items():
        sums[kind][what][way][form] = count
    with open(out, "w") as file:
        for row in (sums, *failed):
            print(json.dumps(row, ensure_ascii=False), file=file)
    for kind in sums:
        for what, ways in sums[kind].items():
            for way, by_form in ways.items():
                print(f"{kind:6} {what:10} {way:32}", *(f"{form} {by_form[form]:4}" for form in FORMS))


main(sys.argv[1])
