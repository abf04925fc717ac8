"""What OpenRLHF's executor asks for beside the reward: a tokenizer, and an engine that writes a given reply."""

from types import SimpleNamespace


class Characters:
    """A tokenizer: a token is a character."""

    def __call__(self, text, **options):
        import torch

        return {"input_ids": torch.tensor([[ord(one) for one in text]])}

    def decode(self, ids, skip_special_tokens=True):
        return "".join(map(chr, ids))


class Engine:
    """It writes what it was told to."""

    def __init__(self, reply):
        self.reply = reply

    async def generate(self, ids, params, multi_modal_data=None):
        tokens = [ord(one) for one in self.reply]
        output = SimpleNamespace(token_ids=tokens, text=self.reply, finish_reason="stop", logprobs=None)
        return SimpleNamespace(outputs=[output])
