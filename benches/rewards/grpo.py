"""TRL's GRPOTrainer on a template's rewards: a small model of `cookc run`, after a short SFT.

    cookc run --train benches/rewards/sft.toml --out sft
    OMP_NUM_THREADS=1 python benches/rewards/grpo.py sft/model docs/results/grpo.jsonl

Each row has the steps done, the mean reward and the share of right replies of the rollouts since the last
row, and the exact match of greedy replies to held-out samples.
"""

import argparse
import json
import pathlib
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

    def __init__(self, sampler, words, count, every, out):
        self.samples = list(sampler.samples(0, count=count, split="eval"))
        self.scorer, self.words, self.every, self.out = Scorer(sampler), words, every, out
        self.rewards, self.exact, self.started = [], [], time.perf_counter()

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


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", help="the folder of a model that `cookc run` trained on the template")
    parser.add_argument("out", help="the JSON lines to write")
    parser.add_argument("--template", default=str(EXAMPLE))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--every", type=int, default=25, help="steps between two rows")
    parser.add_argument("--held-out", type=int, default=400, help="held-out samples")
    parser.add_argument("--rate", type=float, default=5e-4, help="the learning rate")
    parser.add_argument("--reward", default="exact", help="exact, or mean of the rules")
    parser.add_argument("--temperature", type=float, default=0.7)
    arguments = parser.parse_args()

    set_seed(0)
    vocabulary = cookc.Vocabulary.invented(WORDS)
    sampler = cookc.Template.open(arguments.template).vocabulary(vocabulary).compile()
    words = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32)
    prompts = 16
    config = trl.GRPOConfig(
        output_dir=tempfile.mkdtemp(),
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
    with open(arguments.out, "w") as out:
        trainer = trl.GRPOTrainer(
            model=model,
            args=config,
            processing_class=words,
            reward_funcs=cookc.trl.reward(sampler, reward=arguments.reward),
            train_dataset=cookc.trl.dataset(sampler, arguments.steps * prompts, seed=1, chat=False),
            callbacks=[HeldOut(sampler, words, arguments.held_out, arguments.every, out)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()


main()
