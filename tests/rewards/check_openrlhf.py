"""cookc's reward function in OpenRLHF's executor, loaded from its file, with an engine that is a stub."""

import asyncio
from importlib.metadata import version
from types import SimpleNamespace

from openrlhf.utils.agent import SingleTurnAgentExecutor

import cookc
import cookc.openrlhf
from openrlhf_stub import Characters, Engine

END = "<|im_end|>"


async def main():
    executor = SingleTurnAgentExecutor(cookc.openrlhf.__file__)
    sampler = cookc.Template.builtin("retrieval").level("easy").compile()
    for sample in sampler.samples(42, count=20):
        prompt = f"<|im_start|>user\n{sample.prompt}{END}\n<|im_start|>assistant\n"
        for reply, right in ((sample.reply, 1.0), ("a guess", 0.0), ("", 0.0)):
            params = SimpleNamespace(max_tokens=100, logprobs=None)
            engine = Engine(reply + END)
            done = await executor.execute(prompt, sample.id, params, 4096, Characters(), engine)
            assert done["reward"] is not None, "an exception was logged, and no more"
            assert float(done["reward"]) == float(done["scores"]) == right, (reply, done)
            assert float(done["extra_logs"]["exact"]) == right


asyncio.run(main())
print(f"openrlhf {version('openrlhf')}: 60 rollouts")
