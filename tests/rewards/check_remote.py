"""`cookc serve` as the remote reward of OpenRLHF and of slime.

    python tests/rewards/check_remote.py COOKC

OpenRLHF's client is its `SingleTurnAgentExecutor` with a stub for the engine. slime is not on PyPI and its reward module imports
all of it, so what `remote_rm` in slime/rollout/rm_hub/__init__.py sends is sent here: `{prompt, response, label}` of a sample, by
aiohttp, from one session of at most 64 connections; what comes back is `await response.json()`, and is the reward.
"""

import asyncio
import sys
from importlib.metadata import version
from types import SimpleNamespace

import aiohttp
from openrlhf.utils.agent import SingleTurnAgentExecutor

from openrlhf_stub import Characters, Engine
from server import rows, serving

END = "<|im_end|>"
SAMPLES = 30


async def main(cookc):
    samples = rows(cookc, "std:chain_sum", "-n", str(SAMPLES), "--seed", "9")
    with serving(cookc, "std:chain_sum", "--token", "secret") as url:
        host = url.removeprefix("http://")
        open_url = f"http://user:secret@{host}"
        rollouts = await openrlhf(open_url, samples)
        rewards = await slime(open_url, samples)
        await refused(url, open_url, samples[0])
    print(f"openrlhf {version('openrlhf')}: {rollouts} rollouts; slime's request: {rewards} rewards")


def said(sample):
    """Replies and their rewards: the answer, another number, no number, none, and the answer among others."""
    answer = sample["reply"]
    wrong = str(int(answer) + 1)
    return [(answer, 1.0), (wrong, 0.0), (f"It is {answer}.", 0.0), ("", 0.0), (f"{answer} {wrong}", 0.0)]


async def openrlhf(url, samples):
    """Each rollout as its vLLM actors run it, with two servers that it takes in turn."""
    executor = SingleTurnAgentExecutor([f"{url}/openrlhf", f"{url}/openrlhf"])
    params = SimpleNamespace(max_tokens=100, logprobs=None)

    async def one(sample, reply, reward):
        prompt = f"<|im_start|>user\n{sample['prompt']}{END}\n<|im_start|>assistant\n"
        done = await executor.execute(prompt, sample["id"], params, 4096, Characters(), Engine(reply + END))
        assert done["reward"] is not None, "a failure was logged, and no more"
        assert [float(number) for number in (*of(done["reward"]), *of(done["scores"]))] == [reward] * 2, (reply, done)

    await asyncio.gather(*(one(sample, *pair) for sample in samples for pair in said(sample)))
    return len(samples) * 5


def of(numbers):
    """The numbers of a list, or of one number."""
    return numbers if isinstance(numbers, list) else [numbers]


async def slime(url, samples):
    """Its rewards, at once; a prompt may be a text or messages."""
    connector = aiohttp.TCPConnector(limit=64, enable_cleanup_closed=True)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=120)) as session:

        async def remote_rm(prompt, response, label):
            payload = {"prompt": prompt, "response": response, "label": label}
            async with session.post(f"{url}/slime", json=payload) as answer:
                answer.raise_for_status()
                return await answer.json()

        count = 0
        for messages in (False, True):
            asked, expected = [], []
            for sample in samples:
                prompt = [{"role": "user", "content": sample["prompt"]}] if messages else sample["prompt"]
                asked += [(prompt, reply + END, sample["id"]) for reply, _ in said(sample)]
                expected += [reward for _, reward in said(sample)]
            rewards = await asyncio.gather(*(remote_rm(*one) for one in asked))
            assert all(isinstance(reward, float) for reward in rewards) and rewards == expected, rewards
            count += len(rewards)
    return count


async def refused(url, open_url, sample):
    """Neither gets a reward for what names no sample, or without the token: a 0 would be taken for one."""
    of_openrlhf = {"query": [sample["prompt"] + sample["reply"]], "prompts": [sample["prompt"]], "labels": [sample["id"]]}
    of_slime = {"prompt": sample["prompt"], "response": sample["reply"], "label": sample["id"]}
    held_out = sample["id"].replace("/train/", "/eval/")
    async with aiohttp.ClientSession() as session:
        for address, body, expected in (
            (f"{open_url}/slime", of_slime, (200, None)),
            (f"{open_url}/openrlhf", of_openrlhf, (200, None)),
            (f"{url}/slime", of_slime, (401, "no_token")),
            (f"{url}/openrlhf", of_openrlhf, (401, "no_token")),
            (f"{open_url}/slime", {**of_slime, "label": sample["reply"]}, (422, "invalid_field")),
            (f"{open_url}/slime", {**of_slime, "label": None}, (422, "missing_field")),
            (f"{open_url}/slime", {**of_slime, "label": held_out}, (403, "held_out")),
            (f"{open_url}/slime", {**of_slime, "response": None}, (422, "missing_field")),
            (f"{open_url}/openrlhf", {**of_openrlhf, "labels": [held_out]}, (403, "held_out")),
            (f"{open_url}/openrlhf", {**of_openrlhf, "labels": []}, (422, "invalid_field")),
            (f"{open_url}/openrlhf", {**of_openrlhf, "query": [sample["reply"]]}, (422, "invalid_field")),
        ):
            async with session.post(address, json=body) as response:
                answer = await response.json()
                code = answer["error"]["code"] if response.status != 200 else None
                assert (response.status, code) == expected, (address, body, answer)


asyncio.run(main(sys.argv[1]))
