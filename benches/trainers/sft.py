#!/usr/bin/env python3
"""One step of TRL's SFTTrainer on three shapes of rows, as they are: what it learns from, and what the loss looks at.

    benches/trainers/sft.py COOKC MODEL        # MODEL: a folder with a tokenizer that has a chat template

needs trl 1.16, transformers, torch, datasets. Prints a JSON line a shape, and fails if a text or a loss mask is not
that of cookc's law: prompt and completion one after the other, and of these two the loss looks at the completion.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import datasets
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
from trl import SFTConfig, SFTTrainer


def main():
    cookc, folder = sys.argv[1], sys.argv[2]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)

        def rows(shape):
            path = place / f"{shape}.parquet"
            command = [cookc, "generate", "std:retrieval", "-n", "64", "--shape", shape, "-o", path]
            subprocess.run(command, check=True, capture_output=True)
            return datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(place / "cache"))

        full = rows("full")
        for shape in ["prompt-completion", "messages", "text"]:
            config = LlamaConfig(
                vocab_size=len(tokenizer),
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=1,
                num_attention_heads=2,
            )
            arguments = SFTConfig(
                output_dir=str(place / "out"), max_steps=1, report_to=[], use_cpu=True, bf16=False, save_strategy="no"
            )
            trainer = SFTTrainer(
                model=LlamaForCausalLM(config), args=arguments, train_dataset=rows(shape), processing_class=tokenizer
            )
            loss = trainer.train().training_loss
            exact = 0
            for row, source in zip(trainer.train_dataset, full):
                read = tokenizer.decode(row["input_ids"])
                labels = row.get("labels", row["input_ids"])
                learned = tokenizer.decode([label for label in labels if label != -100])
                end = tokenizer.eos_token
                whole = f"{source['prompt']} {source['reply']}{end}"
                exact += {
                    "prompt-completion": read == whole and learned == f" {source['reply']}{end}",
                    "messages": f"{source['prompt']}{end}" in read and f"\n{source['reply']}{end}" in read,
                    "text": read == whole and learned == whole,
                }[shape]
            found = {"shape": shape, "loss": round(loss, 4), "rows": len(full), "as written": exact}
            print(json.dumps(found), flush=True)
            assert exact == len(full), shape


main()
