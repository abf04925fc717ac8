#!/usr/bin/env bash
# PEFT 0.21.2: `add_weighted_adapter(..., combination_type="linear")` does not average what adapters do.
#
# Expected: its documentation calls the method a weighted merge of adapters. With weights that sum to
# 1, an adapter merged with itself should be the adapter again, and of two adapters the merged update
# should be the weighted mean of their updates B·A.
#
# What happens: A and B are summed apart, each scaled by the root of its weight, and the product of the
# sums has the cross terms B1·A2 and B2·A1 in it. An adapter with itself at 0.5 and 0.5 has twice its
# update; two independent ones are off by about the size of the mean. "cat" and "svd" of full rank
# give the mean.
#
# Why it matters: averaged adapters are the cheapest proxy for a mixture of their data, and the way to
# combine skills without training; "linear" is the first choice for it, and its model is another one.
#
# torch is needed: some GB are downloaded.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.15.0 transformers==5.24.0 peft==0.21.2
cat > "$work/see.py" <<'PYTHON'
import torch
from peft import LoraConfig, get_peft_model

torch.manual_seed(0)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(16, 16, bias=False)

    def forward(self, x):
        return self.layer(x)


def update(model, name):
    """scale · B · A of an adapter."""
    layer = model.base_model.model.layer
    return layer.scaling[name] * layer.lora_B[name].weight @ layer.lora_A[name].weight


config = LoraConfig(r=4, lora_alpha=8, target_modules=["layer"])
model = get_peft_model(Net(), config, adapter_name="one")
model.add_adapter("two", config)
with torch.no_grad():
    for name in ("one", "two"):
        torch.nn.init.normal_(model.base_model.model.layer.lora_B[name].weight)
    # The same adapter under another name.
    model.add_adapter("same", config)
    for part in ("lora_A", "lora_B"):
        parts = getattr(model.base_model.model.layer, part)
        parts["same"].weight.copy_(parts["one"].weight)

seen = {}
for kind in ("linear", "cat"):
    for other in ("same", "two"):
        merged = f"{kind}_{other}"
        model.add_weighted_adapter(["one", other], [0.5, 0.5], merged, combination_type=kind)
        wanted = 0.5 * update(model, "one") + 0.5 * update(model, other)
        found = update(model, merged)
        off = ((found - wanted).norm() / wanted.norm()).item()
        ratio = ((found * wanted).sum() / (wanted * wanted).sum()).item()
        seen[merged] = (off, ratio)
        print(f"{kind:6} of `one` and `{other}`: {ratio:.3f} times the mean update, off by {off:.3f}")

assert abs(seen["linear_same"][1] - 2.0) < 1e-3, "an adapter with itself is no longer doubled"
assert seen["linear_two"][0] > 0.2, "two adapters are averaged now"
assert seen["cat_same"][0] < 1e-4 and seen["cat_two"][0] < 1e-4, "cat is no longer the mean"
PYTHON
"$work/venv/bin/python" "$work/see.py"
