"""cookc's rows in an environment of SkyRL's gym, made as its generator makes it."""

import skyrl_gym
from importlib.metadata import version

import cookc
import cookc.skyrl

sampler = cookc.Template.builtin("retrieval").level("easy").compile()
rows = sampler.rows(42, shape="verl")
for index in range(50):
    row = dict(rows[index])
    prompt = row.pop("prompt")
    env = skyrl_gym.make("cookc", env_config={"reward": "exact"}, extras=row)
    said, _ = env.init(prompt)
    assert said == prompt
    right = index % 2 == 0
    step = env.step(row["reward_model"]["ground_truth"] if right else "a guess")
    assert step["done"] and step["observations"] == [] and step["reward"] == float(right), step
    assert env.get_metrics() == step["metadata"]
    env.close()
metrics = [{"acc": 1.0, "unreadable": 0.0}, {"acc": 0.0, "unreadable": 1.0}]
assert cookc.skyrl.Env.aggregate_metrics(metrics)["acc"] == 0.5
for reply in (None, "", "\ud800", "\0", "x" * 10_000_000):
    env = skyrl_gym.make("cookc", env_config=None, extras=row)
    env.init(prompt)
    assert env.step(reply)["reward"] == 0.0
print(f"skyrl-gym {version('skyrl-gym')}: 55 episodes")
