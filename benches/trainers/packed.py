#!/usr/bin/env python3
"""Rows of token ids in transformers: the loss of a packed row beside that of its samples one by one.

    python benches/trainers/packed.py COOKC MODEL

MODEL is a folder that both read. Prints a line of JSON a row, and fails if they differ by more than 1e-4.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet
import torch
from transformers import AutoModelForCausalLM


def main():
    cookc, model = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ids.parquet"
        command = [cookc, "generate", "std:retrieval", "--level", "easy", "-n", "40", "-o", path]
        subprocess.run([*command, "--shape", "ids", "--tokenizer", model, "--length", "700"], check=True)
        rows = pyarrow.parquet.read_table(path).to_pylist()
    model = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()

    def loss(input_ids, labels, **more):
        more = {name: torch.tensor([numbers]) for name, numbers in more.items()}
        # With a KV cache, transformers 5.24 does not tell packed samples apart: see findings/packed-rows-cache.sh.
        ids, labels = torch.tensor([input_ids]), torch.tensor([labels])
        with torch.no_grad():
            return model(input_ids=ids, labels=labels, use_cache=False, **more).loss.item()

    for row in rows:
        packed = loss(row["input_ids"], row["labels"], position_ids=row["position_ids"])
        total, count, start = 0.0, 0, 0
        for length in row["seq_lengths"]:
            own = slice(start, start + length)
            learned = sum(label != -100 for label in row["labels"][own])
            total += learned * loss(row["input_ids"][own], row["labels"][own])
            count, start = count + learned, start + length
        alone = total / count
        print(json.dumps({"samples": len(row["seq_lengths"]), "packed": packed, "one by one": alone}), flush=True)
        assert abs(packed - alone) < 1e-4, "samples of a row are not told apart"


main()
