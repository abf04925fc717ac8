"""PEFT's side of the GPU's bench: the shape of Mistral-7B, or of SmolLM2-135M, LoRA r16 on all linears, bf16, SDPA.

    python benches/gpu/peft_side.py --steps 8 [--shape 135m] [--checkpoint]

A plain loop: adapters in f32, autocast to bf16, AdamW, the same tokens a step as `main.rs`. Random
weights, made on the GPU. With less memory than it needs, it turns gradient checkpointing on.
"""
import argparse
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig

parser = argparse.ArgumentParser()
parser.add_argument("--shape", choices=["7b", "135m"], default="7b")
parser.add_argument("--checkpoint", action="store_true")
parser.add_argument("--sequence", type=int, default=2048)
parser.add_argument("--rows", type=int, default=4)
parser.add_argument("--steps", type=int, default=8)
options = parser.parse_args()
WARM_UP = 2

if not torch.cuda.is_available():
    raise SystemExit("NOT RUN: torch sees no GPU")
if options.shape == "7b":
    config = MistralConfig(
        vocab_size=32000, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32,
        num_attention_heads=32, num_key_value_heads=8, sliding_window=None,
    )
else:
    config = LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
        num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True,
    )
with torch.device("cuda"):
    model = AutoModelForCausalLM.from_config(
        config, dtype=torch.bfloat16, attn_implementation="sdpa"
    )
model.config.use_cache = False
model = get_peft_model(
    model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
)
learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
for parameter in learning:
    parameter.data = parameter.data.float()
optimizer = torch.optim.AdamW(learning, lr=2e-4, weight_decay=0.0, fused=True)
model.train()


def run():
    seconds = []
    for step in range(options.steps):
        torch.manual_seed(step)
        ids = torch.randint(0, config.vocab_size, (options.rows, options.sequence), device="cuda")
        torch.cuda.synchronize()
        started = time.perf_counter()
        with torch.autocast("cuda", torch.bfloat16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
        print(f"step {step + 1} loss {loss.item():.3f} seconds {seconds[-1]:.3f}", flush=True)
    return seconds


def checkpoint():
    global kept
    kept = "computed again"
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.enable_input_require_grads()


kept = "kept"
if options.checkpoint:
    checkpoint()
try:
    seconds = run()
except torch.cuda.OutOfMemoryError:
    optimizer.zero_grad(set_to_none=True)
    torch.cuda.empty_cache()
    checkpoint()
    seconds = run()
counted = seconds[WARM_UP:]
rate = len(counted) * options.rows * options.sequence / sum(counted)
peak = torch.cuda.max_memory_allocated() / 2**30
print(f"{rate:.0f} tokens/s, {peak:.1f} GiB at the peak, activations {kept}")
