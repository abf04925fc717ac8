"""An adapter in both programs: the logits of one row of 256 tokens, in f32.

    python benches/train/parity.py FOLDER TRAIN_BENCH ADAPTER…

Each ADAPTER is a folder in PEFT's format, written by PEFT or by cookc, for the model in FOLDER.
"""
import subprocess
import sys
import tempfile

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

folder, bench, adapters = sys.argv[1], sys.argv[2], sys.argv[3:]
ids = load_file(f"{folder}/batches-256.safetensors")["ids"][0, :1]
for adapter in adapters:
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        words = [bench, folder, "--sequence", "256", "--steps", "0"]
        subprocess.run(words + ["--adapter", adapter, "--logits", file.name], check=True)
        ours = load_file(file.name)["logits"]
    base = AutoModelForCausalLM.from_pretrained(f"{folder}/model", dtype=torch.float32)
    with torch.no_grad():
        plain = base(input_ids=ids).logits[0]
        theirs = PeftModel.from_pretrained(base, adapter)(input_ids=ids).logits[0]
    apart = ((ours - theirs).norm() / theirs.norm()).item()
    moved = ((theirs - plain).norm() / plain.norm()).item()
    print(f"{adapter}: relative distance {apart:.2e}; the adapter itself moves the logits by {moved:.2e}")
