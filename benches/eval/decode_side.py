"""Greedy decoding in transformers: seconds of `generate` for a file of prompts, a batch size and a type.

    python benches/eval/decode_side.py MODEL PROMPTS --dtype float32 --batch 32 --new 18 [--replies FILE]

PROMPTS has a line of JSON a prompt, with `ids`. Every reply has --new tokens; its end is not looked for. One batch is
decoded before the clock starts. Prints one line of JSON.
"""
import argparse
import json
import os
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def main():
    words = argparse.ArgumentParser()
    words.add_argument("model")
    words.add_argument("prompts")
    words.add_argument("--dtype", default="float32")
    words.add_argument("--batch", type=int, default=1)
    words.add_argument("--new", type=int, default=18)
    words.add_argument("--replies")
    asked = words.parse_args()

    import torch
    from transformers import AutoModelForCausalLM

    prompts = [json.loads(line)["ids"] for line in open(asked.prompts)]
    assert len({len(ids) for ids in prompts}) == 1, "prompts of one length need no padding"
    begun = time.perf_counter()
    model = AutoModelForCausalLM.from_pretrained(asked.model, dtype=getattr(torch, asked.dtype)).eval()
    loaded = time.perf_counter()

    def decode(rows):
        ids = torch.tensor(rows)
        with torch.inference_mode():
            made = model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=asked.new,
                min_new_tokens=asked.new, pad_token_id=0,
            )
        return made[:, ids.shape[1]:].tolist()

    decode(prompts[:asked.batch])
    start = time.perf_counter()
    replies = [reply for at in range(0, len(prompts), asked.batch) for reply in decode(prompts[at:at + asked.batch])]
    seconds = time.perf_counter() - start
    assert all(len(reply) == asked.new for reply in replies)
    if asked.replies:
        with open(asked.replies, "w") as file:
            file.write("".join(json.dumps({"ids": reply}) + "\n" for reply in replies))
    print(json.dumps({"seconds": seconds, "load_seconds": loaded - begun, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
