"""Holds cookc's chat templates against transformers' own renderer: `check.py COOKC-CHAT`, the example `chat` built.

constructs.json has pieces of Jinja with the text that transformers makes of them, or the words with which cookc refuses
them. shapes/ has templates in the shapes that models publish, shapes.json conversations with their texts and ids.
`check.py --write COOKC-CHAT` writes the texts anew. Needs transformers 5.24 (no torch); installs nothing."""
import datetime, json, pathlib, subprocess, sys

from transformers import AutoTokenizer
from transformers.utils import chat_template_utils

HERE = pathlib.Path(__file__).parent
DATE = "2026-11-28"


class Recorded(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.strptime(DATE, "%Y-%m-%d")


chat_template_utils.datetime = Recorded
tokenizer = AutoTokenizer.from_pretrained(HERE / "tokenizer")


def reference(template, messages, prompt):
    """What transformers makes of it: the text and its ids, or None where it refuses."""
    tokenizer.chat_template = template
    try:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
        ids = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, add_generation_prompt=prompt)
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"
    return {"text": text, "ids": list(ids)}, None


def ours(cookc, asked):
    asked = [{"tokenizer": str(HERE / "tokenizer"), "date": DATE, **one} for one in asked]
    lines = "".join(json.dumps(one) + "\n" for one in asked)
    done = subprocess.run([cookc], input=lines, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def main(cookc, write):
    constructs = json.loads((HERE / "constructs.json").read_text())
    conversation = constructs["messages"]
    shapes = {path.stem: path.read_bytes().decode() for path in sorted((HERE / "shapes").glob("*.jinja"))}
    cases = json.loads((HERE / "shapes.json").read_text())
    asked = [{"template": one["template"], "messages": conversation, "add_generation_prompt": True} for one in constructs["cases"]]
    for name, template in shapes.items():
        for messages in cases["conversations"]:
            asked += [{"template": template, "messages": messages, "add_generation_prompt": p} for p in (False, True)]
    faults, texts, refused, rendered = 0, 0, 0, {}
    for at, (one, found) in enumerate(zip(asked, ours(cookc, asked), strict=True)):
        right, why = reference(one["template"], one["messages"], one["add_generation_prompt"])
        case = constructs["cases"][at] if at < len(constructs["cases"]) else None
        if "error" in found:
            # A construct that is refused is in the list with the words; a conversation only if transformers refuses it.
            well = (write or case.get("refused") == found["error"]) if case else right is None
            refused += 1
        else:
            well = found == right and (write or not case or case.get("text") == right["text"])
            texts += 1
        if not well:
            faults += 1
            print(f"{one['template']!r}\n  transformers: {right or why}\n  cookc: {found}\n  noted: {case}")
        if case:
            case.pop("text", None), case.pop("refused", None)
            case |= {"refused": found["error"]} if "error" in found else {"text": right and right["text"]}
        else:
            name = next(name for name, text in shapes.items() if text == one["template"])
            rendered.setdefault(name, []).append(right)
    if write:
        lines = ",\n".join("  " + json.dumps(one, ensure_ascii=False) for one in constructs["cases"])
        messages = json.dumps(conversation, ensure_ascii=False)
        (HERE / "constructs.json").write_text(f'{{"messages": {messages},\n "cases": [\n{lines}\n]}}\n')
        talks = ",\n".join("  " + json.dumps(one, ensure_ascii=False) for one in cases["conversations"])
        lines = ",\n".join(f'  "{name}": [\n   ' + ",\n   ".join(json.dumps(one, ensure_ascii=False) for one in all) + "]" for name, all in rendered.items())
        (HERE / "shapes.json").write_text(f'{{"conversations": [\n{talks}\n],\n "rendered": {{\n{lines}\n}}}}\n')
    elif rendered != cases["rendered"]:
        faults += 1
        print("shapes.json is not what transformers renders: run check.py --write")
    print(f"{len(constructs['cases'])} constructs, {len(shapes)} templates, {texts} texts with their ids, {refused} refused, {faults} faults")
    return faults


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[-1], "--write" in sys.argv)))
