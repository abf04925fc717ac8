"""Small valid inputs for the reliability programs: templates, recipes, a model with its tokenizer, an adapter.

Imported by them; not a program. Standard library only.
"""
import json
import math
import random
import struct

WORDS = """anchor barley copper dragon ember falcon garnet harbor indigo jasper kernel lantern marble nectar
orchid pepper quartz raven saffron timber umber velvet walnut yarrow zephyr acorn birch cedar dahlia elder
fennel ginger hazel iris juniper kelp laurel myrtle nettle olive poppy quince rowan sorrel thyme
ursine violet willow xenia yew zinnia amber basalt cobalt denim ebony flint granite helium iodine jade krypton
lithium mercury nickel opal""".split()

TEMPLATE = """/// Copy a word of a short list.

param length in 2..12 = 4

level easy: length = 3

words  ~ distinct(length, vocab)
answer = at(1, words)

rule second: answer == at(1, words)
rule there: answer in words

prompt \"\"\"
  Words: {words}
  Second:
  \"\"\"

reply "{answer}"
"""

# Uses most of the language: parameters, functions, loops, numbers, a system text, several rules.
WIDE = """/// Sums of rows, and the words that go with them.

param rows  in 2..6 = 3 // how many
param least in -50..0 = -9
param share in 0.0..1.0 = 0.5

level large: rows = 6, least = -50

fn total_of(xs: [Int]) -> Int = fold total = 0 over x in xs: total + x

table   ~ repeat(rows, repeat(3, uniform(least..20)))
names   ~ distinct(rows, vocab)
chosen  ~ uniform(0..rows - 1)
shown   ~ coin(share)
sums    = for row in table: total_of(row)
answer  = at(chosen, sums)
wanted  = at(chosen, names)
large   = for i in 0..rows - 1 where at(i, sums) > 0: at(i, names)
sign    = if answer < 0 then "below" else "above"

rule summed: answer == total_of(at(chosen, table))
rule near: if answer == 0 then 1.0 else 0.5 + 1 / 2.0
rule known: all name in large: name in names

system "You add numbers."

prompt \"\"\"
  {lines("{names}: {table}")}
  Which sum has {wanted}? {shown}
  \"\"\"

reply "{answer} {sign}"
"""

MODULE = """/// Functions over lists.

/// The last element.
///
///     final_of([5, 6, 7]) == 7
fn final_of(xs: [T]) -> T = at(size(xs) - 1, xs)

fn swapped(i: Int, j: Int, xs: [T]) -> [T] =
  for place in 0..size(xs) - 1: at(if place == i then j else if place == j then i else place, xs)

/// Some words, and the first of them again.
fn twice(n: Int) ~> [Token] {
  some ~ distinct(n, vocab)
  return some + [at(0, some)]
}
"""

USES_MODULE = """use {module}: final_of, swapped, twice

words  ~ twice(4)
turned = swapped(0, 1, words)
answer = final_of(turned)

rule last: answer == at(0, words)

prompt "Words: {{turned}} Last:"
reply "{{answer}}"
"""

# What a resumed run and a killed run train: small, with judgements, a best model and checkpoints on the way.
RECIPE = """[model]
base = "{base}"
{model}
[[template]]
file = "{template}"

[data]
vocab = {vocab}
seed = 1
{data}
{lora}
[train]
steps = {steps}
batch = 4
learning_rate = 6e-3
save_every = {save_every}
keep_checkpoints = {keep}

[eval]
samples = {samples}
every = {every}
"""

SCRATCH = "width = 32\nlayers = 1\nheads = 2\nfeed_forward = 16\n"

CHAT_TEMPLATE = """{%- if messages[0]['role'] == 'system' -%}
{{ bos_token }}<|{{ messages[0]['role'] }}|>
{{ messages[0]['content'] | trim }}{{ eos_token }}
{% set rest = messages[1:] -%}
{%- else -%}
{{ bos_token }}{% set rest = messages -%}
{%- endif -%}
{%- for message in rest -%}
{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
{{ raise_exception('roles must alternate') }}
{%- endif -%}
<|{{ message.role }}|>
{% if message.role == 'assistant' %}{% generation %}{{ message.content.strip() + eos_token }}{% endgeneration %}
{% else %}{{ message.content.strip() ~ eos_token }}
{% endif %}
{%- endfor -%}
{%- if add_generation_prompt is defined and add_generation_prompt %}<|assistant|>
{% endif %}
"""


def recipe(base="scratch:tiny", template="task.cook", vocab="64", data="", lora="", steps=10, save_every=4, keep=1,
           samples=4, every=0):
    """A recipe's text; `lora` is the body of its section."""
    model = SCRATCH if base.startswith("scratch:") else ""
    lora = f"[lora]\n{lora}\n" if lora else ""
    return RECIPE.format(**locals())


def byte_alphabet():
    """Byte-level BPE's printable letter of each byte."""
    shown = {byte for low, high in ((33, 126), (161, 172), (174, 255)) for byte in range(low, high + 1)}
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) if byte in shown else chr(256 + hidden.index(byte)) for byte in range(256)]


def added(id, content):
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": id, "content": content, **flags, "special": True}


def tokenizer():
    """A byte-level BPE tokenizer.json that has the first words as one token each."""
    letters = byte_alphabet()
    pieces, merges = ["<s>", "</s>", "<pad>", *letters], []
    for word in WORDS[:24]:
        parts = [letters[byte] for byte in f" {word}".encode()]
        have = parts[0]
        for part in parts[1:]:
            if [have, part] not in merges:
                merges.append([have, part])
                pieces.append(have + part)
            have += part
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    begin = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    other = {"Sequence": {"id": "B", "type_id": 1}}
    post = {"type": "TemplateProcessing", "single": [begin, text], "pair": [begin, text, other],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}}
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
             "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
             "vocab": {piece: id for id, piece in enumerate(pieces)}, "merges": merges}
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [added(id, pieces[id]) for id in range(3)], "normalizer": None,
            "pre_tokenizer": level, "post_processor": post, "decoder": level, "model": model}


def sentence_piece():
    """A BPE tokenizer.json with a space's own letter and bytes to fall back to, as Llama 2's is converted."""
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    pieces += sorted(set("▁:.,!?|" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
    merges = []
    for word in WORDS[:24]:
        have = "▁"
        for letter in word:
            if [have, letter] not in merges:
                merges.append([have, letter])
                pieces.append(have + letter)
            have += letter
    replace = lambda old, new: {"type": "Replace", "pattern": {"String": old}, "content": new}
    normalizers = [{"type": "Prepend", "prepend": "▁"}, replace(" ", "▁")]
    decoders = [replace("▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0}]
    model = {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
             "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
             "vocab": {piece: id for id, piece in enumerate(pieces)}, "merges": merges}
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [added(id, pieces[id]) for id in range(3)],
            "normalizer": {"type": "Sequence", "normalizers": normalizers}, "pre_tokenizer": None,
            "post_processor": None, "decoder": {"type": "Sequence", "decoders": decoders}, "model": model}


def config(vocab_size, family="llama", width=32, layers=2):
    """A config.json with the keys that published models have."""
    classes = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM",
               "mistral": "MistralForCausalLM"}
    more = {"sliding_window": 64} if family == "mistral" else {}
    return {"architectures": [classes[family]], "model_type": family, "vocab_size": vocab_size, "hidden_size": width,
            "intermediate_size": 2 * width, "num_hidden_layers": layers, "num_attention_heads": 4,
            "num_key_value_heads": 2, "head_dim": width // 4, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0, "rope_scaling": None, "attention_bias": False, "mlp_bias": False,
            "hidden_act": "silu", "initializer_range": 0.02, "tie_word_embeddings": False, "torch_dtype": "float32",
            "use_cache": True, "bos_token_id": 0, "eos_token_id": 1, **more}


def shapes(config):
    """Name and shape of every tensor."""
    width, feed, vocab = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    queries = config["num_attention_heads"] * config["head_dim"]
    keys = config["num_key_value_heads"] * config["head_dim"]
    out = {"model.embed_tokens.weight": (vocab, width), "model.norm.weight": (width,), "lm_head.weight": (vocab, width)}
    for layer in range(config["num_hidden_layers"]):
        block = {"input_layernorm": (width,), "post_attention_layernorm": (width,),
                 "self_attn.q_proj": (queries, width), "self_attn.k_proj": (keys, width),
                 "self_attn.v_proj": (keys, width), "self_attn.o_proj": (width, queries),
                 "mlp.gate_proj": (feed, width), "mlp.up_proj": (feed, width), "mlp.down_proj": (width, feed)}
        out.update({f"model.layers.{layer}.{name}.weight": shape for name, shape in block.items()})
    return out


# The upper byte of a float of 1/128 to 1/32: below zero for odd bytes.
SMALL = bytes(0xBC if byte & 1 else 0x3C for byte in range(256))


def safetensors(shapes, seed=0):
    """The bytes of a safetensors file of random numbers in F32, of 1/128 to 1/32 either way; norms are 1."""
    draw, header, parts, at = random.Random(seed), {"__metadata__": {"format": "pt"}}, [], 0
    for name, shape in shapes.items():
        count = math.prod(shape)
        if "norm" in name:
            parts.append(struct.pack("<f", 1.0) * count)
        else:
            values = bytearray(draw.randbytes(4 * count))
            values[3::4] = values[3::4].translate(SMALL)
            parts.append(bytes(values))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + 4 * count]}
        at += 4 * count
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(parts)


def put_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def model(folder, family="llama", sentences=False, seed=0, width=32, layers=2, chat="jinja"):
    """Writes a whole model folder; its chat template lies in a file of its own (`jinja`), in the tokenizer's
    settings (`settings`), or nowhere (None)."""
    folder.mkdir(parents=True, exist_ok=True)
    own = sentence_piece() if sentences else tokenizer()
    of_model = config(len(own["model"]["vocab"]), family, width, layers)
    begin, end = ("<s>", "</s>")
    if sentences:
        of_model |= {"bos_token_id": 1, "eos_token_id": 2}
    put_json(folder / "config.json", of_model)
    put_json(folder / "tokenizer.json", own)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": begin, "eos_token": end,
                "model_max_length": 512, "clean_up_tokenization_spaces": False}
    if chat == "settings":
        settings["chat_template"] = CHAT_TEMPLATE
    if chat == "jinja":
        (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    put_json(folder / "tokenizer_config.json", settings)
    put_json(folder / "generation_config.json", {"eos_token_id": [of_model["eos_token_id"]], "do_sample": False})
    (folder / "model.safetensors").write_bytes(safetensors(shapes(of_model), seed))
    return of_model


def adapter(folder, of_model, rank=2, targets=("q_proj", "v_proj", "down_proj"), seed=1):
    """Writes an adapter folder in PEFT's format."""
    folder.mkdir(parents=True, exist_ok=True)
    put_json(folder / "adapter_config.json", {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "base", "r": rank,
        "lora_alpha": 4, "lora_dropout": 0.0, "target_modules": list(targets), "bias": "none",
        "fan_in_fan_out": False, "init_lora_weights": True, "inference_mode": True, "modules_to_save": None,
        "use_rslora": False, "use_dora": False})
    out = {}
    for name, shape in shapes(of_model).items():
        module = name.removesuffix(".weight")
        if module.rsplit(".", 1)[-1] in targets:
            out[f"base_model.model.{module}.lora_A.weight"] = (rank, shape[1])
            out[f"base_model.model.{module}.lora_B.weight"] = (shape[0], rank)
    (folder / "adapter_model.safetensors").write_bytes(safetensors(out, seed))
