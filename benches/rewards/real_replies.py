"""A model's own replies to templates in its chat template, judged with each form of answers.

    python benches/rewards/real_replies.py COOKC MODEL OUT [--templates std:chain_sum,…] [--samples 5] [--new 160]

MODEL is a folder that transformers loads; needs torch and transformers. Prompts are of the held-out split, seed 11, asked as a user's
turn, greedily, on the CPU. OUT gets a line a reply: template, index, prompt, reply, what the template writes, and the score and the cause
of each form. Nothing is asked for: the form only says how replies are read.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

FORMS = ["strict", "bare", "any"]
TEMPLATES = """chain_sum boolean_expression closest_option count_word deduct deduplicate document_qa dyck_balanced entailment entity_match
key_value list_difference list_union multi_choice multi_key restore_order retrieval reverse_words stack_machine variable_tracking""".split()


def main():
    words = argparse.ArgumentParser()
    words.add_argument("cookc")
    words.add_argument("model")
    words.add_argument("out")
    words.add_argument("--templates", default=",".join(f"std:{name}" for name in TEMPLATES))
    words.add_argument("--samples", type=int, default=5)
    words.add_argument("--new", type=int, default=160)
    asked = words.parse_args()

    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(asked.model, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(asked.model, dtype=torch.float32).eval()
    with open(asked.out, "w") as out, tempfile.TemporaryDirectory() as folder:
        for name in asked.templates.split(","):
            rows = samples(asked, name, Path(folder))
            turns = [row_turns(row) for row in rows]
            texts = [tokenizer.apply_chat_template(one, tokenize=False, add_generation_prompt=True) for one in turns]
            batch = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
            with torch.no_grad():
                made = model.generate(**batch, max_new_tokens=asked.new, do_sample=False, pad_token_id=tokenizer.pad_token_id)
            replies = tokenizer.batch_decode(made[:, batch["input_ids"].shape[1]:], skip_special_tokens=True)
            verdicts = {form: judged(asked, name, rows, replies, form, Path(folder)) for form in FORMS}
            for at, (row, reply) in enumerate(zip(rows, replies)):
                said = {form: {key: of[at][key] for key in ("exact", "score", "cause")} for form, of in verdicts.items()}
                line = {"template": name, "index": row["index"], "prompt": row["prompt"], "wanted": row["reply"], "reply": reply, **said}
                out.write(json.dumps(line) + "\n")
            out.flush()
            print(name, {form: sum(one["exact"] for one in of) for form, of in verdicts.items()}, file=sys.stderr, flush=True)


def samples(asked, name, folder):
    file = folder / "rows.jsonl"
    file.unlink(missing_ok=True)
    options = ["--split", "eval", "--seed", "11", "-n", str(asked.samples), "-o", str(file)]
    subprocess.run([asked.cookc, "generate", name, *level(name), *options], check=True, capture_output=True)
    return [json.loads(line) for line in open(file)]


def level(name):
    """The easy level: a model of this size answers little else."""
    return ["--level", "easy"] if name.startswith("std:") else []


def row_turns(row):
    system = [{"role": "system", "content": row["system"]}] if row.get("system") else []
    return [*system, {"role": "user", "content": row["prompt"]}]


def judged(asked, name, rows, replies, form, folder):
    lines = "".join(json.dumps({"index": row["index"], "reply": reply}) + "\n" for row, reply in zip(rows, replies))
    options = ["--split", "eval", "--seed", "11", "--answer", form, "--format", "json"]
    done = subprocess.run([asked.cookc, "judge", name, "-", *level(name), *options], input=lines, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()][:-1]


if __name__ == "__main__":
    main()
