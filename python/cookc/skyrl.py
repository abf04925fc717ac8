"""An environment for SkyRL, registered as `cookc` when this module is imported.

It reads the rows that `cookc generate --shape verl` writes: `environment.env_class=cookc` makes all rows its own.
SkyRL makes environments in its workers, so import this module there, as where other environments are
registered.
"""

import skyrl_gym
from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput

from cookc.verl import compute_score

__all__ = ["Env"]


class Env(BaseTextEnv):
    """One sample: the first reply is scored, and ends it. `env_config` may have `templates`, `reward`,
    `vocabulary` and `answer`: see `cookc.verl.compute_score`."""

    def __init__(self, env_config=None, extras=None):
        super().__init__()
        extras = extras or {}
        self._row = extras.get("extra_info") or extras
        config = env_config or {}
        names = ("templates", "reward", "vocabulary", "answer")
        self._options = {name: config[name] for name in names if config.get(name) is not None}

    def step(self, action):
        """Scores a reply."""
        self.turns += 1
        found = compute_score("skyrl", action, extra_info=self._row, **self._options)
        reward = found.pop("score")
        self._metrics = found
        return BaseTextEnvStepOutput(observations=[], reward=reward, done=True, metadata=found)

    def get_metrics(self):
        """`acc` and `unreadable` of the reply."""
        return getattr(self, "_metrics", {})


if "cookc" not in skyrl_gym.registry:
    skyrl_gym.register(id="cookc", entry_point="cookc.skyrl:Env")
