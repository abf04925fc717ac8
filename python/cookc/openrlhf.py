"""Rewards for OpenRLHF, whose `--reward.remote_url` is the path of this file, or of one of your own:

    from cookc.openrlhf import reward
    reward_func = reward(["my.cook"])

The label of a row is the id of its sample: `--data.label_key id`.
"""

from cookc.rewards import Scorer

__all__ = ["reward", "reward_func"]

# How chat templates end a turn, where they say so after the reply.
_ENDS = ("</s>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<end_of_turn>", "<eos>")


def reward(samplers=None, *, reward="exact", answer=None, ends=_ENDS):
    """A `reward_func`; `samplers`, `reward` and `answer` are those of `cookc.rewards.Scorer`. OpenRLHF leaves the
    special tokens in a query: a reply ends before the first of `ends`."""
    import torch

    scorer = Scorer(samplers, reward=reward, answer=answer)

    def reward_func(queries, prompts, labels, **others):
        """Scores each query without its prompt against the sample that its label names."""
        replies = [_reply(query, prompt, ends) for query, prompt in zip(queries, prompts)]
        scores = scorer.scores(labels, replies)
        rewards = torch.tensor([scorer.reward_of(score) for score in scores])
        exact = torch.tensor([float(score.exact) for score in scores])
        unreadable = torch.tensor([float(score.unreadable is not None) for score in scores])
        return {
            "rewards": rewards,
            "scores": rewards,
            "extra_logs": {"exact": exact, "unreadable": unreadable},
        }

    return reward_func


def _reply(query, prompt, ends):
    if not isinstance(query, str):
        return None
    if not query.startswith(prompt):
        return None  # The prompt was cut: where the reply begins is not known.
    reply = query[len(prompt) :]
    return reply[: min((at for end in ends if (at := reply.find(end)) >= 0), default=len(reply))]


def reward_func(queries, prompts, labels, **others):
    """The same for the templates that are built in."""
    global reward_func
    reward_func = reward()
    return reward_func(queries, prompts, labels, **others)
