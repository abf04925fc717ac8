"""cookc's templates as data sets of reasoning-gym: its factory makes them, its composite mixes them."""

import reasoning_gym
from importlib.metadata import version
from reasoning_gym.composite import CompositeConfig, CompositeDataset, DatasetSpec
from reasoning_gym.dataset import ReseedingDataset

import cookc
import cookc.reasoning_gym

count = 0
for name in cookc.templates():
    data = reasoning_gym.create_dataset(f"cookc.{name}", seed=42, size=5)
    for entry in data:
        assert data.score_answer(entry["answer"], entry) == 1.0, (name, entry)
        assert data.score_answer(None, entry) == 0.0
        assert data.score_answer("\ud800\0", entry) == 0.0, name
        count += 1
    assert data[3] == reasoning_gym.create_dataset(f"cookc.{name}", seed=42, size=5)[3]
    # Without the data set's configuration, as reward servers do it.
    assert reasoning_gym.get_score_answer_fn(f"cookc.{name}")(entry["answer"], entry) == 1.0

specs = [
    DatasetSpec("cookc.retrieval", 2.0, {"level": "easy"}),
    DatasetSpec("cookc.deduplicate", 1.0, {"reward": "exact"}),
    DatasetSpec("chain_sum", 1.0, {}),
]
mixed = CompositeDataset(CompositeConfig(seed=7, size=40, datasets=specs))
names = [entry["metadata"]["source_dataset"] for entry in mixed]
assert {"cookc.retrieval", "cookc.deduplicate", "chain_sum"} == set(names), set(names)
assert all(mixed.score_answer(entry["answer"], entry) == 1.0 for entry in mixed)

endless = iter(ReseedingDataset(reasoning_gym.create_dataset("cookc.retrieval", seed=1), chunk_size=5))
entries = [next(endless) for _ in range(12)]
assert len({entry["metadata"]["id"] for entry in entries}) == 12

template = cookc.Template.builtin("retrieval")
curriculum = cookc.Curriculum(template.levels, window=8)
data = reasoning_gym.create_dataset("cookc.retrieval", seed=3, size=100, curriculum=curriculum)
assert data[0]["metadata"]["difficulty"]["level"] in template.levels
for entry in data:
    data.score_answer(entry["answer"], entry)
assert curriculum.level == template.levels[-1], curriculum

print(f"reasoning-gym {version('reasoning-gym')}: {len(cookc.templates())} templates, {count} entries")
