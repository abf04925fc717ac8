"""The formats that mutants.py damages: for each, valid small inputs and the commands that read them.

Imported by it; not a program. A function of a format gets the worker's `Format`, writes into its folder what the
commands need, and gives the cases. Standard library only.
"""
import json
import math
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import inputs

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Case:
    """One input of a format, and the command that reads it."""

    label: str
    target: str  # the file that is damaged, seen from the working folder
    kind: str  # how it is damaged: a kind of mutations.damage
    argv: list  # without cookc itself
    stdin: str | None = None
    outputs: list = field(default_factory=list)  # what the command writes, removed after it
    part: str | None = None  # a run folder's copy that the command resumes, made anew for each mutant
    of_part: bool = False  # the target is in that copy
    reference: str | None = None  # the run that was never stopped


def cook(make):
    texts = {"task": inputs.TEMPLATE, "wide": inputs.WIDE}
    for path in sorted((ROOT / "stdlib").glob("*.cook")):
        text = path.read_text()
        # Words of a file beside the template are another format.
        if "\nprompt" in text and ".txt" not in text and len(text) < 4000:
            texts[path.stem] = text
    for name, text in texts.items():
        (make.folder / f"{name}.cook").write_text(text)
    return [Case(name, f"{name}.cook", "cook", ["check", f"{name}.cook"]) for name in texts]


def module(make):
    """A module; `argv` of a case has the text of a template that uses it."""
    users = {"own": (inputs.MODULE, inputs.USES_MODULE)}
    for name, user in (("pairs", "multi_key"), ("tokens", "stack_machine"), ("brackets", "dyck_complete")):
        text = (ROOT / "stdlib" / f"{user}.cook").read_text().replace("{", "{{").replace("}", "}}")
        if f"use {name}:" in text and ".txt" not in text:
            text = text.replace(f"use {name}:", "use {module}:")
            users[name] = ((ROOT / "stdlib" / f"{name}.cook").read_text(), text)
    cases = []
    for name, (text, user) in users.items():
        (make.folder / f"{name}.cook").write_text(text)
        (make.folder / f"user_of_{name}.cook").write_text(user.format(module=name))
        cases.append(Case(name, f"{name}.cook", "cook", [user]))
    return cases


def word_list(make):
    (make.folder / "words.txt").write_text("\n".join(inputs.WORDS) + "\n")
    (make.folder / "task.cook").write_text(inputs.TEMPLATE)
    generate = ["generate", "task.cook", "-n", "3", "--vocab", "words.txt"]
    return [Case("generate", "words.txt", "words", generate),
            Case("check", "words.txt", "words", ["check", "task.cook", "--vocab", "words.txt"]),
            Case("sample", "words.txt", "words", ["sample", "task.cook", "--vocab", "words.txt"])]


def recipe(make):
    work = make.folder
    (work / "task.cook").write_text(inputs.TEMPLATE)
    (work / "words.txt").write_text("\n".join(inputs.WORDS) + "\n")
    inputs.model(work / "m")
    (work / "short.toml").write_text('[[template]]\nfile = "task.cook"\n')
    (work / "run.toml").write_text(inputs.recipe(vocab='"words.txt"'))
    (work / "lora.toml").write_text(inputs.recipe("m", vocab='"tokenizer"', data='format = "chat"', lora=LORA))
    make.run(["run", "--train", "run.toml", "--dry-run"], stdout=work / "whole.toml")
    two = work / "whole.toml"
    two.write_text(two.read_text() + '\n[[template]]\nfile = "task.cook"\nlevel = "easy"\nset = { length = 5 }\n')
    names = ["short", "run", "lora", "whole"]
    return [Case(name, f"{name}.toml", "toml", ["run", "--train", f"{name}.toml", "--dry-run"]) for name in names]


LORA = 'rank = 2\nalpha = 4\ntargets = ["q_proj", "v_proj"]'


def replies(make):
    work = make.folder
    (work / "task.cook").write_text(inputs.TEMPLATE)
    (work / "wide.cook").write_text(inputs.WIDE)
    for name in ("task", "wide"):
        make.must("generate", f"{name}.cook", "-n", "12", "-o", f"{name}.jsonl")
    right = [json.loads(line) for line in (work / "task.jsonl").read_text().splitlines()]
    short = [{"index": row["index"], "reply": row["reply"]} for row in right]
    (work / "short.jsonl").write_text("".join(json.dumps(row) + "\n" for row in short))
    judge = lambda template, file, *more: ["judge", f"{template}.cook", f"{file}.jsonl", *more]
    return [Case("rows", "task.jsonl", "jsonl", judge("task", "task")),
            Case("short", "short.jsonl", "jsonl", judge("task", "short")),
            Case("wide", "wide.jsonl", "jsonl", judge("wide", "wide", "--format", "json")),
            Case("interpreter", "wide.jsonl", "jsonl", judge("wide", "wide", "--engine", "interpreter"))]


def model_folders(make):
    """Two models, and recipes that use them as plain text and as chats."""
    work = make.folder
    (work / "task.cook").write_text(inputs.TEMPLATE)
    (work / "wide.cook").write_text(inputs.WIDE)
    (work / "said").write_text("Which word is second: anchor barley copper?")
    shapes = {"m": inputs.model(work / "m"), "s": inputs.model(work / "s", "mistral", True, chat="settings")}
    for name in shapes:
        (work / f"{name}.toml").write_text(inputs.recipe(name, vocab="64", lora=LORA))
        chat = inputs.recipe(name, vocab="64", lora=LORA, data='format = "chat"', template="wide.cook")
        (work / f"{name}-chat.toml").write_text(chat)
    return shapes


def chat(model, *more):
    return ["chat", model, "--tokens", "3", *more]


def export(model, *more):
    return ["export", model, "--gguf", "out.gguf", *more]


def dry(recipe):
    return ["run", "--train", recipe, "--dry-run"]


def config(make):
    model_folders(make)
    cases = []
    for name in ("m", "s"):
        target = f"{name}/config.json"
        cases += [Case(f"{name} chat", target, "json", chat(name), "said"),
                  Case(f"{name} export", target, "json", export(name), outputs=["out.gguf"]),
                  Case(f"{name} run", target, "json", dry(f"{name}.toml"))]
    return cases


def tokenizer(make):
    model_folders(make)
    cases = []
    for name in ("m", "s"):
        target = f"{name}/tokenizer.json"
        cases += [Case(f"{name} chat", target, "json", chat(name), "said"),
                  Case(f"{name} run", target, "json", dry(f"{name}.toml"))]
    return cases


def chat_template(make):
    model_folders(make)
    cases = []
    for name, target, kind in (("m", "m/chat_template.jinja", "jinja"), ("s", "s/tokenizer_config.json", "json"),
                               ("m", "m/tokenizer_config.json", "json"), ("m", "m/generation_config.json", "json")):
        label = target.replace("/", " ")
        cases += [Case(f"{label} run", target, kind, dry(f"{name}-chat.toml")),
                  Case(f"{label} chat", target, kind, chat(name, "--system", "Be brief."), "said")]
    # A damaged template within sound settings.
    return cases + cases[:2] * 2


def safetensors(make):
    model_folders(make)
    work = make.folder
    split(work / "m", work / "parts")
    cases = []
    for name in ("m", "s"):
        target = f"{name}/model.safetensors"
        cases += [Case(f"{name} chat", target, "safetensors", chat(name), "said"),
                  Case(f"{name} export", target, "safetensors", export(name, "--kind", "q8_0"), outputs=["out.gguf"])]
    cases.append(Case("shard", "parts/model-00001-of-00002.safetensors", "safetensors", chat("parts"), "said"))
    cases.append(Case("index", "parts/model.safetensors.index.json", "json", chat("parts"), "said"))
    return cases


def split(model, folder):
    """The same model as two shards and their index."""
    shutil.copytree(model, folder)
    (folder / "model.safetensors").unlink()
    shapes = inputs.shapes(json.loads((model / "config.json").read_text()))
    known = sorted(shapes)
    parts = {"model-00001-of-00002.safetensors": known[::2], "model-00002-of-00002.safetensors": known[1::2]}
    for file, some in parts.items():
        (folder / file).write_bytes(inputs.safetensors({name: shapes[name] for name in some}))
    where = {name: file for file, some in parts.items() for name in some}
    size = sum(4 * math.prod(shape) for shape in shapes.values())
    index = {"metadata": {"total_size": size}, "weight_map": where}
    inputs.put_json(folder / "model.safetensors.index.json", index)


def adapter(make):
    shapes = model_folders(make)
    inputs.adapter(make.folder / "a", shapes["m"])
    merge = ["merge", "m", "--adapter", "a", "--out", "merged"]
    talk = chat("m", "--adapter", "a")
    cases = []
    for target, kind in (("a/adapter_config.json", "json"), ("a/adapter_model.safetensors", "safetensors")):
        label = target.removeprefix("a/adapter_")
        cases += [Case(f"{label} merge", target, kind, merge, outputs=["merged"]),
                  Case(f"{label} chat", target, kind, talk, "said")]
    return cases


def gguf(make):
    model_folders(make)
    work = make.folder
    cases = []
    for name, kind in (("m", "f32"), ("s", "q8_0"), ("m", "f16")):
        file = f"{name}-{kind}.gguf"
        make.must("export", name, "--gguf", file, "--kind", kind)
        (work / f"{file}.toml").write_text(inputs.recipe(file, vocab="64", lora=LORA))
        cases += [Case(f"{file} chat", file, "gguf", chat(file), "said"),
                  Case(f"{file} export", file, "gguf", export(file), outputs=["out.gguf"]),
                  Case(f"{file} run", file, "gguf", dry(f"{file}.toml"))]
    return cases


def runs(make):
    """Three runs that were never stopped, and what a kill after step 8 leaves of each. Gives their names."""
    work = make.folder
    (work / "task.cook").write_text(inputs.TEMPLATE)
    (work / "words.txt").write_text("\n".join(inputs.WORDS) + "\n")
    inputs.model(work / "m")
    recipes = {"scratch": inputs.recipe(vocab='"words.txt"'), "two": inputs.recipe(vocab='"words.txt"', keep=2),
               "lora": inputs.recipe("m", vocab='"words.txt"', lora=LORA, every=4)}
    for name, text in recipes.items():
        (work / f"{name}.toml").write_text(text)
        make.must("run", "--train", f"{name}.toml", "--out", name)
        stopped(work / name, work / f"{name}-part", 8)
    return list(recipes)


def stopped(run, part, step):
    """The run folder as a kill after a checkpoint leaves it: without results, and no later line."""
    shutil.copytree(run, part)
    for name in ("model", "adapter", "best"):
        if name != "best":
            shutil.rmtree(part / name, ignore_errors=True)
    for name in ("report.json", "report.html", "samples.jsonl"):
        (part / name).unlink()
    lines = (part / "metrics.jsonl").read_text().splitlines(keepends=True)
    (part / "metrics.jsonl").write_text("".join(line for line in lines if json.loads(line)["step"] <= step))


def resumed(name, label, target, kind, of_part):
    argv = ["run", "--resume", "part"]
    return Case(f"{name} {label}", target, kind, argv, part=f"{name}-part", of_part=of_part, reference=name)


def checkpoint(make):
    cases = []
    for name in runs(make):
        folder = make.folder / f"{name}-part"
        newest = max((folder / "checkpoints").glob("*.safetensors")).relative_to(folder)
        cases.append(resumed(name, "checkpoint", str(newest), "checkpoint", True))
    return cases


def metrics(make):
    return [resumed(name, "metrics", "metrics.jsonl", "jsonl", True) for name in runs(make)]


def run_inputs(make):
    runs(make)
    cases = [resumed(name, "recipe", "recipe.toml", "toml", True) for name in ("scratch", "lora")]
    for target, kind in (("task.cook", "cook"), ("words.txt", "words"), ("m/tokenizer.json", "json"),
                         ("m/config.json", "json"), ("m/model.safetensors", "checkpoint")):
        cases.append(resumed("lora", target, target, kind, False))
    return cases


FORMATS = {"cook": cook, "module": module, "words": word_list, "recipe": recipe, "replies": replies, "config": config,
           "tokenizer": tokenizer, "chat template": chat_template, "safetensors": safetensors, "adapter": adapter,
           "gguf": gguf, "checkpoint": checkpoint, "metrics": metrics, "run inputs": run_inputs}
BATCHED = {"cook", "module"}
WEIGHTS = {"checkpoint": 3, "metrics": 2, "run inputs": 2, "chat template": 4}
