"""PEFT's side of the comparison: a plain loop in its fastest set-up, the head on label positions only.

Reads what prepare.py made. Prints a line of JSON a step: seconds, CPU seconds and loss; the last line
has the peak of resident memory.
"""
import argparse
import json
import os
import resource
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--sequence", type=int, required=True)
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
parser.add_argument("--learning-rate", type=float, default=1e-3)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--save", help="a folder for the trained adapter")
options = parser.parse_args()

torch.set_num_threads(options.threads)
data = load_file(f"{options.folder}/batches-{options.sequence}.safetensors")
dtype = torch.float32 if options.dtype == "f32" else torch.bfloat16
model = AutoModelForCausalLM.from_pretrained(
    f"{options.folder}/model", dtype=dtype, attn_implementation="sdpa"
)
model = PeftModel.from_pretrained(model, f"{options.folder}/adapter", is_trainable=True)
if options.dtype == "bf16":
    # Adapters and their moments stay in f32, as in cookc; autocast casts them for the products.
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
base = model.get_base_model()
learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(learning, lr=options.learning_rate, weight_decay=0.0)
model.train()
for step in range(options.steps):
    ids, labels = data["ids"][step], data["labels"][step]
    started, cpu = time.perf_counter(), time.process_time()
    with torch.autocast("cpu", torch.bfloat16, enabled=options.dtype == "bf16"):
        hidden = base.model(input_ids=ids, use_cache=False).last_hidden_state
        places = labels >= 0
        logits = base.lm_head(hidden[places])
        loss = torch.nn.functional.cross_entropy(logits.float(), labels[places])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(learning, 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    row = {
        "step": step + 1,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "loss": loss.item(),
        "tokens": ids.numel(),
    }
    print(json.dumps(row), flush=True)
if options.save:
    model.save_pretrained(options.save)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
versions = {"torch": torch.__version__}
print(json.dumps({"peak_memory_bytes": peak, **versions}), flush=True)
