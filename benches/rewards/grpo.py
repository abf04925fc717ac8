"""TRL's GRPOTrainer on a template's rewards: a small model of `cookc run`, after a short SFT.

    cookc run --train benches/rewards/sft.toml --out sft
    OMP_NUM_THREADS=1 python benches/rewards/grpo.py sft/model docs/results/grpo.jsonl

With a recipe in place of a model's folder, the model is made first, by `--cookc`, until its exact match is `--start`; each
of the `--seeds` has its own fresh weights, samples and rollouts:

    OMP_NUM_THREADS=2 python benches/rewards/grpo.py benches/rewards/sft-million.toml docs/results/grpo-million.jsonl \\
        --cookc target/release/cookc --seeds 0 1 2 --steps 200 --rate 3e-4

Each row has the seed, the steps done, the mean reward and the share of right replies of the rollouts since the last
row, and the exact match of greedy replies to held-out samples.

How long: a step of a million parameters takes 2 s on one busy core, so three seeds of 200 steps take
20 minutes, and their SFT some more.
"""

import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import torch
import trl
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PrinterCallback,
    TrainerCallback,
    set_seed,
)

import cookc
import cookc.trl
from cookc.rewards import Scorer

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "retrieval.cook"
WORDS = 504  # The model's, as its recipe says.


class HeldOut(TrainerCallback):
    """Greedy replies to samples of the split `eval`, by which no reward was paid."""

    def __init__(self, sampler, words, count, every, out, run):
        self.samples = list(sampler.samples(0, count=count, split="eval"))
        self.scorer, self.words, self.every, self.out = Scorer(sampler), words, every, out
        self.rewards, self.exact, self.started, self.run = [], [], time.perf_counter(), run

    def on_train_begin(self, arguments, state, control, model=None, **others):
        self.write(model, 0)

    def on_log(self, arguments, state, control, logs=None, **others):
        if "rewards/cookc/mean" in logs:
            self.rewards.append(logs["rewards/cookc/mean"])
            self.exact.append(logs["cookc/exact"])

    def on_step_end(self, arguments, state, control, model=None, **others):
        if state.global_step % self.every == 0:
            self.write(model, state.global_step)

    def write(self, model, step):
        mean = lambda them: sum(them) / len(them) if them else None
        row = {
            **self.run,
            "step": step,
            "reward": mean(self.rewards),
            "exact": mean(self.exact),
            "held_out_exact": self.measure(model),
            "seconds": round(time.perf_counter() - self.started, 1),
        }
        self.rewards, self.exact = [], []
        self.out.write(json.dumps(row) + "\n")
        self.out.flush()
        print(row, flush=True)

    def measure(self, model):
        was, exact = model.training, 0
        model.eval()
        for at in range(0, len(self.samples), 50):
            samples = self.samples[at : at + 50]
            texts = [sample.prompt for sample in samples]
            asked = self.words(texts, return_tensors="pt", padding=True, padding_side="left")
            asked.pop("token_type_ids", None)
            with torch.no_grad():
                ids = model.generate(**asked, max_new_tokens=3, do_sample=False)
            width = asked["input_ids"].shape[1]
            replies = self.words.batch_decode(ids[:, width:], skip_special_tokens=True)
            scores = self.scorer.scores([sample.id for sample in samples], replies)
            exact += sum(score.exact for score in scores)
        model.train(was)
        return exact / len(self.samples)


def made(recipe, cookc_binary, seed, start, folder):
    """The model of a recipe's run, which is stopped when the exact match of the template's default level is high enough."""
    out = pathlib.Path(folder) / f"sft-{seed}"
    command = [cookc_binary, "run", "--train", recipe, "--out", out, "--seed", str(seed)]
    said = tempfile.TemporaryFile("w+")
    run = subprocess.Popen(command, stdout=said, stderr=said)
    metrics, begun = out / "metrics.jsonl", time.perf_counter()
    best, is_stopped = 0.0, False
    while run.poll() is None:
        time.sleep(0.5)
        lines = metrics.read_text().splitlines() if metrics.exists() else []
        found = [json.loads(line) for line in lines if '"level":"default"' in line and line.endswith("}")]
        best = max((one["exact"] for one in found), default=0.0)
        if best >= start and not is_stopped and (out / "best" / "model" / "model.safetensors").exists():
            run.send_signal(signal.SIGINT)
            is_stopped = True
    if run.returncode != 0 and not is_stopped:
        said.seek(0)
        sys.exit(f"{recipe}, seed {seed}: {said.read()[-2000:]}")
    print(f"seed {seed}: exact {best} after {time.perf_counter() - begun:.0f} s of SFT", flush=True)
    return out / "best" / "model"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="the folder of a model that `cookc run` trained on the template, or a recipe")
    parser.add_argument("out", help="the JSON lines to write")
    parser.add_argument("--template", default=str(EXAMPLE))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--every", type=int, default=25, help="steps between two rows")
    parser.add_argument("--held-out", type=int, default=400, help="held-out samples")
    parser.add_argument("--rate", type=float, default=5e-4, help="the learning rate")
    parser.add_argument("--reward", default="exact", help="exact, or mean of the rules")
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--cookc", default="cookc", help="the binary that makes the model of a recipe")
    parser.add_argument("--start", type=float, default=0.2, help="the exact match at which a recipe's run is stopped")
    arguments = parser.parse_args()
    with open(arguments.out, "w") as out, tempfile.TemporaryDirectory() as folder:
        for seed in arguments.seeds:
            model = arguments.model
            if model.endswith(".toml"):
                model = made(model, arguments.cookc, seed, arguments.start, folder)
            rollouts(arguments, model, seed, out)


def rollouts(arguments, folder, seed, out):
    """The training of one seed."""
    set_seed(seed)
    vocabulary = cookc.Vocabulary.invented(WORDS)
    sampler = cookc.Template.open(arguments.template).vocabulary(vocabulary).compile()
    words = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prompts = 16
    config = trl.GRPOConfig(
        output_dir=tempfile.mkdtemp(),
        seed=seed,
        max_steps=arguments.steps,
        per_device_train_batch_size=prompts * 8,
        num_generations=8,
        max_completion_length=3,
        temperature=arguments.temperature,
        learning_rate=arguments.rate,
        lr_scheduler_type="constant",
        beta=0.0,
        logging_steps=1,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
    )
    run = {"seed": seed, "parameters": model.num_parameters()}
    held_out = HeldOut(sampler, words, arguments.held_out, arguments.every, out, run)
    trainer = trl.GRPOTrainer(
        model=model,
        args=config,
        processing_class=words,
        reward_funcs=cookc.trl.reward(sampler, reward=arguments.reward),
        train_dataset=cookc.trl.dataset(sampler, arguments.steps * prompts, seed=seed + 1, chat=False),
        callbacks=[held_out],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()


main()
