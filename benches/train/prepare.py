"""Makes what both sides of the comparison read: SmolLM2-135M as a folder, a fresh adapter of rank 16
on all linears, and batches of retrieval by sentence, each row exactly as long as asked. Weights are
those of the GGUF, in f32, or rounded to bf16, the type in which SmolLM2 is published.

    python benches/train/prepare.py smollm2.gguf FOLDER [bf16]
"""
import random
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

BATCH = 8
STEPS = 50
SEQUENCES = (256, 512)
SENTENCE = 8

gguf, folder = Path(sys.argv[1]), Path(sys.argv[2])
weights = sys.argv[3] if len(sys.argv) > 3 else "f32"
where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
tokenizer = AutoTokenizer.from_pretrained(**where)
read = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
# What was read of a GGUF counts as quantised and is not written; a plain twin is.
shape = read.config
shape.__dict__.pop("quantization_config", None)
model = AutoModelForCausalLM.from_config(shape, dtype=torch.float32)
model.load_state_dict(read.state_dict())
model.to(getattr(torch, {"f32": "float32", "bf16": "bfloat16"}[weights])).save_pretrained(folder / "model")
tokenizer.save_pretrained(folder / "model")

torch.manual_seed(0)
linears = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
config = LoraConfig(r=16, lora_alpha=32, target_modules=linears, task_type="CAUSAL_LM")
get_peft_model(model, config).save_pretrained(folder / "adapter")

# Words that are one token behind a space.
words = [
    id
    for text, id in sorted(tokenizer.get_vocab().items())
    if text.startswith("Ġ") and text[1:].isalpha() and text[1:].isascii() and len(text) > 3
]


def encode(text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def row(length, random):
    """Sentences, the three words of the question, and the sentence that has them."""
    opening, question, answer = encode("Documents:"), encode("\nQuestion:"), encode("\nAnswer:")
    end = [tokenizer.eos_token_id]
    fixed = len(opening) + len(question) + 3 + len(answer) + SENTENCE + 1 + len(end)
    count = (length - fixed) // (SENTENCE + 1)
    drawn = random.sample(words, count * SENTENCE)
    sentences = [drawn[at : at + SENTENCE] for at in range(0, len(drawn), SENTENCE)]
    stop = encode(".")
    target = random.choice(sentences)
    asked = random.sample(target, 3)
    ids = opening + [id for sentence in sentences for id in sentence + stop]
    filler = length - fixed - count * (SENTENCE + 1)
    ids = ids + random.sample(words, filler) + question + asked + answer
    reply = target + stop + end
    labels = [-1] * (len(ids) - 1) + reply + [-1]
    ids = ids + reply
    assert len(ids) == length == len(labels), (len(ids), length)
    return ids, labels


for length in SEQUENCES:
    source = random.Random(length)
    rows = [row(length, source) for _ in range(STEPS * BATCH)]
    shape = (STEPS, BATCH, length)
    ids = torch.tensor([ids for ids, _ in rows]).reshape(shape)
    labels = torch.tensor([labels for _, labels in rows]).reshape(shape)
    save_file({"ids": ids, "labels": labels}, folder / f"batches-{length}.safetensors")
