"""Makes tests/data/parity-tiny/dora: PEFT's loss and gradients of a DoRA adapter, rank-stabilised, on
the tiny model and the batch that lie beside it. Made with torch 2.15.0, transformers 5.24.0 and peft
0.21.2, f32, eager attention.

    python scripts/dora_reference.py
"""
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

folder = Path(__file__).parent.parent / "tests/data/parity-tiny"
batch = load_file(folder / "step_batch.safetensors")
torch.manual_seed(1)
model = AutoModelForCausalLM.from_pretrained(
    folder / "model", dtype=torch.float32, attn_implementation="eager"
)
targets = ["q_proj", "v_proj", "up_proj", "down_proj"]
config = LoraConfig(
    r=4, lora_alpha=8, target_modules=targets, use_dora=True, use_rslora=True, task_type="CAUSAL_LM"
)
model = get_peft_model(model, config)
for name, parameter in model.named_parameters():
    if "lora_" in name:
        with torch.no_grad():
            noise = 0.1 * torch.randn_like(parameter)
            # Fresh lengths and a B of zero would hide what goes through them.
            parameter.copy_(parameter * (1 + noise) if "magnitude" in name else noise)
model.save_pretrained(folder / "dora")
(folder / "dora/README.md").unlink()

ids, mask = batch["input_ids"], batch["loss_mask"]
logs = torch.log_softmax(model(input_ids=ids).logits[:, :-1], -1)
losses = -logs.gather(-1, ids[:, 1:, None])[..., 0]
loss = losses[mask[:, 1:] == 1].mean()
loss.backward()
gradients = {"loss": loss.detach().reshape(1)}
for name, parameter in model.named_parameters():
    if parameter.requires_grad:
        name = name.replace("lora_magnitude_vector.default.weight", "lora_magnitude_vector")
        gradients[name.replace(".default.weight", ".weight")] = parameter.grad.contiguous()
save_file(gradients, folder / "dora/gradients.safetensors")
