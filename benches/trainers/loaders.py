#!/usr/bin/env python3
"""Rows of cookc in the loaders of axolotl and LLaMA-Factory: what each reads, and what the loss looks at.

    python3 -m venv axolotl && axolotl/bin/pip install axolotl==0.19.0
    axolotl/bin/python benches/trainers/loaders.py axolotl COOKC MODEL
    python3 -m venv factory && factory/bin/pip install llamafactory==0.9.5
    factory/bin/python benches/trainers/loaders.py llamafactory COOKC MODEL

MODEL is a folder with a tokenizer that has a chat template. Each loader gets the files as cookc writes them and a
configuration, and no code: axolotl's `load_dataset_with_config` and `get_dataset_wrapper`, LLaMA-Factory's
`get_dataset`. No GPU is needed. Prints a line of JSON a shape, and fails if a prompt, a system text or a reply is
not read, or the loss looks at anything but the reply and what ends it.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS = 64
TEMPLATE = """\
words_ ~ distinct(12, vocab)
one ~ pick(words_)
rule known: one in words_
system "You repeat one word."
prompt "Words: {words_}.\\nSay {one}."
reply "{one} it is"
"""
# What ends a reply: that of the model used, which is ChatML's too.
ENDS = ["<|im_end|>", "<|endoftext|>", "</s>"]
SHAPES = ["alpaca", "sharegpt", "messages", "prompt-completion"]


def axolotl(folder, tokenizer):
    from axolotl.utils.data.shared import load_dataset_with_config
    from axolotl.utils.data.wrappers import get_dataset_wrapper
    from axolotl.utils.dict import DictDefault

    chat = {"type": "chat_template", "chat_template": "tokenizer_default"}
    turns = {"role": "from", "content": "value"}
    pairs = {"field_instruction": "prompt", "field_output": "completion"}
    plain = {"format": "{instruction}", "no_input_format": "{instruction}"}
    types = {
        "alpaca": {"type": "alpaca_w_system.load"},
        "sharegpt": {**chat, "field_messages": "conversations", "message_property_mappings": turns},
        "messages": chat,
        "prompt-completion": {"type": {**pairs, **plain}},
    }
    cfg = DictDefault({"sequence_len": 2048, "train_on_inputs": False, "dataset_num_proc": 1})
    for shape, of in types.items():
        one = DictDefault({"path": str(folder / f"{shape}.jsonl"), "ds_type": "json", "split": "train", **of})
        data = load_dataset_with_config(one, False)
        base = one.type if isinstance(one.type, str) else None
        rows, _ = get_dataset_wrapper(one, tokenizer, cfg, base, data)
        yield shape, of, rows


def llamafactory(folder, tokenizer):
    import transformers.utils.import_utils

    # LLaMA-Factory imports it for sounds; an empty one stands for it where it is not installed.
    if not transformers.utils.import_utils.is_torchaudio_available():
        from importlib.machinery import ModuleSpec
        from types import ModuleType

        sys.modules["torchaudio"] = ModuleType("torchaudio")
        sys.modules["torchaudio"].__spec__ = ModuleSpec("torchaudio", None)
    from llamafactory.data.loader import get_dataset
    from llamafactory.data.template import get_template_and_fix_tokenizer
    from llamafactory.hparams import DataArguments, ModelArguments
    from transformers import Seq2SeqTrainingArguments

    openai = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    info = {
        "alpaca": {
            "columns": {"prompt": "instruction", "query": "input", "response": "output", "system": "system"}
        },
        "sharegpt": {"formatting": "sharegpt", "columns": {"messages": "conversations"}},
        "messages": {
            "formatting": "sharegpt",
            "columns": {"messages": "messages"},
            "tags": {**openai, "system_tag": "system"},
        },
        "prompt-completion": {"columns": {"prompt": "prompt", "response": "completion"}},
    }
    files = {shape: {"file_name": f"{shape}.jsonl", **of} for shape, of in info.items()}
    (folder / "dataset_info.json").write_text(json.dumps(files))
    for shape, of in info.items():
        data = DataArguments(
            dataset=shape, dataset_dir=str(folder), template="chatml", cutoff_len=2048, overwrite_cache=True
        )
        model = ModelArguments(model_name_or_path="none", cache_dir=str(folder / "cache"))
        training = Seq2SeqTrainingArguments(output_dir=str(folder / "out"), report_to=[], use_cpu=True)
        template = get_template_and_fix_tokenizer(tokenizer, data)
        module = get_dataset(template, model, data, training, stage="sft", tokenizer=tokenizer)
        yield shape, of, module["train_dataset"]


def main():
    name, cookc, model = sys.argv[1:]
    import datasets
    from transformers import AutoTokenizer

    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "say.cook").write_text(TEMPLATE)
        for shape in ["full", *SHAPES]:
            command = [cookc, "generate", folder / "say.cook", "-n", str(ROWS), "--shape", shape]
            subprocess.run([*command, "-o", folder / f"{shape}.jsonl"], check=True, capture_output=True)
        full = [json.loads(line) for line in (folder / "full.jsonl").read_text().splitlines()]
        tokenizer = AutoTokenizer.from_pretrained(model)
        loader = {"axolotl": axolotl, "llamafactory": llamafactory}[name]
        for shape, of, rows in loader(folder, tokenizer):
            read = learned = 0
            for row, source in zip(rows, full):
                text = tokenizer.decode(row["input_ids"])
                labels = [label for label in row["labels"] if label != -100]
                reply = tokenizer.decode(labels)
                # A prompt and completion have the system text in the prompt.
                read += all(source[part] in text for part in ("system", "prompt", "reply"))
                learned += reply.strip() in [source["reply"] + end for end in ENDS]
            found = {"loader": name, "shape": shape, "rows": len(rows), "read": read, "learned": learned}
            print(json.dumps({**found, "configuration": of, "the loss looks at": reply}), flush=True)
            assert len(rows) == read == learned == ROWS, f"{shape}: {text!r}, of which is learned {reply!r}"


main()
