"""Reads a run's event files with TensorBoard itself, and holds them against metrics.jsonl."""

import json
import math
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = pathlib.Path(sys.argv[1])
lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
events = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0})
events.Reload()
tags = set(events.Tags()["scalars"])
seen = set()


def check(tag, expected):
    """The tag holds these values at these steps, each once."""
    seen.add(tag)
    found = [(event.step, event.value) for event in events.Scalars(tag)]
    assert [step for step, _ in found] == [step for step, _ in expected], (tag, found, expected)
    for (step, value), (_, wanted) in zip(found, expected):
        assert math.isclose(value, wanted, rel_tol=1e-6, abs_tol=1e-12), (tag, step, value, wanted)


steps = [line for line in lines if "loss" in line]
assert steps, "there are steps"
for key in ["loss", "learning_rate", "gradient_norm", "tokens_per_second"]:
    check(f"train/{key}", [(line["step"], line[key]) for line in steps])

judged = {}
for line in lines:
    if "exact" in line:
        judged.setdefault(f"eval/{line['template']}/{line['level']}", []).append(line)
assert judged, "there are judgements"
for name, of_one in judged.items():
    for key in ["exact", "alignment"]:
        check(f"{name}/{key}", [(line["step"], line[key]) for line in of_one])
    for rule in of_one[0]["rules"]:
        check(f"{name}/rule/{rule}", [(line["step"], line["rules"][rule]) for line in of_one])
assert seen == tags, seen ^ tags
print(f"{len(tags)} tags, {len(steps)} steps, {sum(map(len, judged.values()))} judgements agree")
