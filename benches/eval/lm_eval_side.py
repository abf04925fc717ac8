"""The seven tasks in lm-evaluation-harness 0.4.13, on the local files of scripts/get-tasks.sh; its own task definitions.

    python benches/eval/lm_eval_side.py DATA MODEL [--adapter DIR] [--tasks arc_easy,…] [--limit N]
        [--dtype float32] [--batch 1] [--samples FILE]

MODEL is a folder in the form of transformers. Prints one line of JSON: accuracies, and the seconds that loading the model,
making the requests and scoring them took. --samples writes a line an item: the log-likelihood of each choice, its length in
characters, the prediction by sum and by sum / length, the gold choice.

Only where the rows come from is changed: `dataset_path` and `data_files`, and the names of the splits that the file does not
have (with no shots nothing is read from them). Wording, choices, gold and metrics are those of lm-eval's YAML files.
"""
import argparse
import json
import logging
import os
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

# The file of each task's scored split, below DATA; the second part names the split in lm-eval's definition.
FILES = {
    "arc_easy": ("ai2_arc/ARC-Easy/test/data.jsonl", "test"),
    "arc_challenge": ("ai2_arc/ARC-Challenge/test/data.jsonl", "test"),
    "boolq": ("super_glue/boolq/validation/data.jsonl", "validation"),
    "hellaswag": ("hellaswag/none/validation/data-00000-of-00001.arrow", "validation"),
    "openbookqa": ("openbookqa/main/test/data.jsonl", "test"),
    "piqa": ("piqa/plain_text/validation/data-00000-of-00001.arrow", "validation"),
    "winogrande": ("winogrande/winogrande_xl/validation/data-00000-of-00001.arrow", "validation"),
}


def definition(manager, data, name):
    """lm-eval's task of this name, with its rows read from the local file."""
    from lm_eval.tasks._yaml_loader import load_yaml

    # A dict with the name of a task is a new task to lm-eval 0.4.13 and inherits nothing, so its YAML is read here.
    written = load_yaml(manager.task_index[name].yaml_path, resolve_func=True)
    written.pop("tag", None)
    file, split = FILES[name]
    path = os.path.join(data, file)
    # A split of the definition that the local file does not have is not offered.
    splits = {f"{other}_split": None for other in ("training", "validation", "test") if other != split}
    return {
        **written,
        "dataset_path": "json" if file.endswith(".jsonl") else "arrow",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": {split: path}},
        **splits,
    }


def load(model, adapter, dtype, batch):
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=model, peft=adapter, dtype=dtype, batch_size=batch, device="cpu")


def evaluate(lm, manager, data, names, limit=None, samples=None):
    """The items by task, and lm-eval's own results; `samples` names items instead of the first `limit`.

    What `simple_evaluate` does, without its last step, a list of the installed packages that takes seconds.
    """
    from lm_eval.evaluator import evaluate

    loaded = manager.load([definition(manager, data, name) for name in names])
    for task in loaded["tasks"].values():
        task.set_config(key="num_fewshot", value=0)
        task.set_fewshot_seed(seed=1234)
    found = evaluate(lm, loaded, limit=limit, samples=samples, bootstrap_iters=0, log_samples=True)
    rows = {name: [row(name, sample) for sample in found["samples"][name]] for name in names}
    return rows, found["results"]


def row(name, sample):
    likelihoods = [float(answer[0]) for answer in sample["filtered_resps"]]
    # What acc_norm divides by: the characters of the choice without the blank before it.
    lengths = [len(arguments[1]) - 1 for arguments in sample["arguments"]]
    predicted = first_largest(likelihoods)
    normed = first_largest([value / length for value, length in zip(likelihoods, lengths)])
    gold = gold_of(name, sample)
    # The predictions are taken from the likelihoods here, as lm-eval takes them: its verdict on each item has to agree.
    assert (predicted == gold) == bool(sample["acc"]), (name, sample["doc_id"])
    assert "acc_norm" not in sample or (normed == gold) == bool(sample["acc_norm"]), (name, sample["doc_id"])
    return {
        "doc_id": sample["doc_id"], "gold": gold, "loglikelihoods": likelihoods, "lengths": lengths,
        "acc": predicted, "acc_norm": normed if "acc_norm" in sample else None,
    }


def gold_of(name, sample):
    if name == "winogrande":
        return int(sample["doc"]["answer"]) - 1
    return int(sample["target"])


def first_largest(values):
    return max(range(len(values)), key=lambda at: (values[at], -at))


def quiet():
    import datasets

    logging.getLogger().setLevel(logging.ERROR)
    datasets.disable_progress_bars()


def main():
    words = argparse.ArgumentParser()
    words.add_argument("data")
    words.add_argument("model")
    words.add_argument("--adapter")
    words.add_argument("--tasks", default=",".join(FILES))
    words.add_argument("--limit", type=int)
    words.add_argument("--dtype", default="float32")
    words.add_argument("--batch", default="1")
    words.add_argument("--samples")
    asked = words.parse_args()
    names = asked.tasks.split(",")
    batch = asked.batch if asked.batch.startswith("auto") else int(asked.batch)

    begun = time.perf_counter()
    import torch
    from lm_eval.tasks import TaskManager

    quiet()
    manager = TaskManager()
    imported = time.perf_counter()
    lm = load(asked.model, asked.adapter, asked.dtype, batch)
    loaded = time.perf_counter()
    scoring, plain = [0.0], lm.loglikelihood

    def timed(requests, **more):
        start = time.perf_counter()
        answers = plain(requests, **more)
        scoring[0] += time.perf_counter() - start
        return answers

    lm.loglikelihood = timed
    rows, results = evaluate(lm, manager, asked.data, names, limit=asked.limit)
    ended = time.perf_counter()
    if asked.samples:
        with open(asked.samples, "w") as file:
            for name in names:
                for line in rows[name]:
                    file.write(json.dumps({"task": name, **line}) + "\n")
    print(json.dumps({
        "items": sum(map(len, rows.values())), "import_seconds": imported - begun, "load_seconds": loaded - imported,
        "evaluate_seconds": ended - loaded, "score_seconds": scoring[0], "threads": torch.get_num_threads(),
        "acc": {name: results[name]["acc,none"] for name in names},
        "acc_norm": {name: results[name].get("acc_norm,none") for name in names},
    }))


if __name__ == "__main__":
    main()
