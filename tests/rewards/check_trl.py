"""cookc's rewards and environments in TRL's GRPOTrainer, with a model of random weights."""

import json
import os
import tempfile
from importlib.metadata import version

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

import trl
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import cookc
import cookc.trl

TEMPLATES = os.path.join(os.path.dirname(trl.__file__), "chat_templates")


def tokenizer():
    """A token is a byte, and the chat template Qwen3's, which can call tools."""
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: at for at, word in enumerate(marks + letters)}
    made = Tokenizer(models.BPE(vocab=words, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>",
        additional_special_tokens=marks[1:],
    )
    made.chat_template = open(os.path.join(TEMPLATES, "qwen3.jinja")).read()
    return made


def model(words):
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=2048,
        eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id, bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def train(**options):
    words = tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        arguments = trl.GRPOConfig(
            output_dir=folder, max_steps=2, per_device_train_batch_size=8, num_generations=4,
            max_completion_length=8, use_cpu=True, report_to="none", logging_steps=1,
            save_strategy="no", disable_tqdm=True, bf16=False, gradient_checkpointing=False,
        )
        trainer = trl.GRPOTrainer(
            model=model(words), args=arguments, processing_class=words, **options
        )
        trainer.train()
        return trainer.state.log_history


sampler = cookc.Template.builtin("retrieval").level("easy").compile()

# Replies, as texts and as conversations.
samples = list(sampler.samples(42, count=20))
score = cookc.trl.reward(sampler)
ids = [sample.id for sample in samples]
right = [sample.reply for sample in samples]
assert score(prompts=None, completions=right, id=ids) == [1.0] * 20
said = [[{"role": "assistant", "content": reply}] for reply in right]
assert score(prompts=None, completions=said, id=ids) == [1.0] * 20
bad = ["", None, "\ud800", "\0", "x" * 10_000_000, [], [{"role": "assistant", "content": None}]]
assert score(prompts=None, completions=bad, id=ids[: len(bad)]) == [0.0] * len(bad)

# A training on rows, a training on a stream that follows a curriculum, and one on environments.
for data in (
    cookc.trl.dataset(sampler, 16, seed=42),
    cookc.trl.dataset(sampler, 16, seed=42, chat=False),
    cookc.trl.dataset(sampler, seed=42),
):
    log = train(reward_funcs=cookc.trl.reward(sampler), train_dataset=data)
    assert "rewards/cookc/mean" in log[0] and "cookc/unreadable" in log[0], log[0]

template = cookc.Template.builtin("retrieval")
curriculum = cookc.Curriculum(template.levels, window=16)
scores = cookc.trl.reward(template, curriculum=curriculum)
log = train(reward_funcs=scores, train_dataset=cookc.trl.dataset(template, curriculum=curriculum))
assert any(rate is not None for rate in curriculum.rates.values()), curriculum.state_dict()
assert json.loads(json.dumps(curriculum.state_dict()))["level"] == template.levels[0]

seen = []


def watch(prompts, completions, environments, **others):
    seen.extend((one.id, prompt[-1]["content"]) for one, prompt in zip(environments, prompts))
    return [0.0] * len(prompts)


for tool in (True, False):
    seen.clear()
    factory = cookc.trl.environment(sampler, seed=42, tool=tool)
    funcs = [watch] if tool else [watch, cookc.trl.reward(sampler)]
    log = train(reward_funcs=funcs, train_dataset=cookc.trl.groups(8), environment_factory=factory)
    name = "CookcTool" if tool else "cookc"
    assert f"rewards/{name}/mean" in log[0], log[0]
    assert len(seen) == 16, len(seen)
    for at in range(0, 16, 4):
        assert len(set(seen[at : at + 4])) == 1, "the members of a group see different problems"
    assert len(set(seen)) == 4
    by_id = {sample.id: sample.prompt for sample in sampler.samples(42, count=8)}
    assert all(by_id[id] == prompt for id, prompt in seen)

one = cookc.trl.environment(sampler, seed=42)()
assert one.reset(group_id=7) == samples[7].prompt
assert one.get_reward() == 0.0
one.submit(answer=samples[7].reply)
assert one.get_reward() == 1.0
print(f"trl {version('trl')}: 6 trainings of 2 steps, groups of 4 with one problem each")
