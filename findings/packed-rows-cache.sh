#!/usr/bin/env bash
# transformers 5.24.0, torch 2.15.0: texts packed into one row read each other, unless the KV cache is switched off.
#
# Expected: a row of several texts, whose `position_ids` begin again with each, is known as packed where no `attention_mask` is
# passed, and each text attends to itself alone (documented on `find_packed_sequence_indices` in masking_utils.py, and in pull
# request 39194, which brought it to the attention implementations "sdpa" and "eager"). So the loss of the row is the loss of
# its texts.
#
# What happens: packed texts are looked for only where there is no KV cache, and a forward pass makes one unless it is told not
# to: `use_cache` is true in a model's configuration, also in train mode and also with labels. A loop of one's own, or an
# evaluation, that passes `input_ids`, `position_ids` and `labels` gets a loss in which each text has read the ones before it, at
# positions that are there twice. Nothing is warned of. With `use_cache=False` the loss is right. The library's own Trainer sets
# it so.
#
# Why it matters: rows packed with position ids are what data tools write. The loss still falls in training, since the model
# learns to live with it, and what was trained is then used on texts that stand alone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet transformers==5.24.0 torch==2.15.0
"$work/venv/bin/python" - <<'PYTHON'
import torch
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(0)
shape = dict(vocab_size=200, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4)
texts = [torch.randint(3, 200, (1, length)) for length in (30, 50, 20)]
row = torch.cat(texts, 1)
positions = torch.cat([torch.arange(text.shape[1])[None] for text in texts], 1)
for kind in ("sdpa", "eager"):
    model = LlamaForCausalLM(LlamaConfig(**shape, attn_implementation=kind)).train()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(8)
        alone = torch.cat([model(input_ids=text).logits for text in texts], 1)
        off = {
            name: (model(input_ids=row, position_ids=positions, **more).logits - alone).abs().max().item()
            for name, more in (("as it is", {}), ("use_cache=False", {"use_cache": False}))
        }
    print(f"{kind}: logits of the packed texts are off those of each alone by", off)
    assert off["as it is"] > 0.1, "packed texts are told apart with a KV cache now"
    assert off["use_cache=False"] < 1e-3, "packed texts are not told apart without a KV cache either"
print("as described")
PYTHON
