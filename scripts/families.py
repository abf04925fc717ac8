"""What transformers says of tiny random models of each family: `python scripts/families.py`.

Writes tests/data/families/NAME/: config.json and model.safetensors as transformers saves them, and
logits.safetensors with `input_ids` [T], `logits` [T, vocab], `prompt` [P] and `reply` [R], the greedy
continuation of the prompt. Needs torch, transformers and safetensors from PyPI; the versions and the
tolerance are in the README.md that it writes there.
"""

import json
import pathlib

import safetensors
import torch
import transformers
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parent.parent / "tests/data/families"
TOKENS, PROMPT, REPLY = 24, 10, 12

# Small enough for a repository; head_dim is not hidden_size / num_attention_heads.
SHAPE = dict(
    hidden_size=32,
    intermediate_size=36,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=16,
    vocab_size=64,
    max_position_embeddings=128,
    tie_word_embeddings=True,
    initializer_range=0.3,
    use_cache=True,
    bos_token_id=1,
    eos_token_id=2,
)
PLAIN = {"rope_type": "default", "rope_theta": 10000.0}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    # With this length and base there are fast pairs, slow ones, and some between.
    "original_max_position_embeddings": 64,
}
LINEAR = {"rope_type": "linear", "rope_theta": 500.0, "factor": 3.0}
FAMILIES = {
    # The window is smaller than the text.
    "mistral": ("Mistral", dict(sliding_window=6, rope_parameters=PLAIN)),
    # The first layer sees all, the second has a window.
    "qwen2": (
        "Qwen2",
        dict(head_dim=8, use_sliding_window=True, sliding_window=7, max_window_layers=1,
             rope_parameters=PLAIN | {"rope_theta": 1000000.0}),
    ),
    "qwen3": ("Qwen3", dict(rope_parameters=PLAIN, tie_word_embeddings=False, intermediate_size=24)),
    "llama3": ("Llama", dict(attention_bias=True, mlp_bias=True, rope_parameters=LLAMA3)),
    "llama-linear": ("Llama", dict(head_dim=8, num_hidden_layers=1, rope_parameters=LINEAR)),
}


def main():
    torch.set_num_threads(1)
    for seed, (name, (family, settings)) in enumerate(FAMILIES.items()):
        torch.manual_seed(seed)
        config = getattr(transformers, family + "Config")(**SHAPE | settings)
        config._attn_implementation = "eager"
        model = getattr(transformers, family + "ForCausalLM")(config).float().eval()
        for parameter in model.parameters():
            if parameter.dim() == 1:
                # Norms begin as 1 and biases as 0: a model that ignored them would pass.
                parameter.data += 0.3 * torch.randn_like(parameter)
        ids = torch.randint(3, config.vocab_size, (1, TOKENS))
        with torch.no_grad():
            logits = model(ids).logits[0]
            reply = model.generate(
                ids[:, :PROMPT], do_sample=False, min_new_tokens=REPLY, max_new_tokens=REPLY,
                eos_token_id=None, pad_token_id=0,
            )
        folder = OUT / name
        model.save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        save_file(
            {
                "input_ids": ids[0],
                "logits": logits.contiguous(),
                "prompt": ids[0, :PROMPT].clone(),
                "reply": reply[0, PROMPT:].clone(),
            },
            folder / "logits.safetensors",
        )
    (OUT / "README.md").write_text(README)


README = f"""# What transformers says of tiny models of each family

Made by `scripts/families.py` with torch {torch.__version__}, transformers {transformers.__version__} and safetensors
{safetensors.__version__} in f32 on one thread with eager attention. The weights are random, norms and biases included.

Each folder has a model as transformers saves it, and `logits.safetensors`: `input_ids` [{TOKENS}], `logits` [{TOKENS}, 64], and
`reply` [{REPLY}], the greedy continuation of `prompt` [{PROMPT}].

- `mistral`: a sliding window of 6 tokens in every layer.
- `qwen2`: biases on q, k and v; a window of 7 tokens in the second layer alone.
- `qwen3`: norms of each head's query and key; the head is not tied.
- `llama3`: Llama 3.1's scaling of the rotary positions; biases on every linear of the blocks.
- `llama-linear`: linear scaling of the rotary positions, one layer.

Another implementation should agree to 1e-4 of the largest logit.
"""

if __name__ == "__main__":
    main()
