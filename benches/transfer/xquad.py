#!/usr/bin/env python3
"""Sentences of XQuAD's English passages as a task of `cookc eval`: which of four consecutive sentences
answers the question.

    benches/transfer/xquad.py xquad.en.json DIR

reads XQuAD's file (github.com/google-deepmind/xquad, CC BY-SA 4.0), or a line an item, {"document",
"question", "answers", "start"}, and writes DIR/sentences.jsonl with DIR/sentences.toml, and DIR/answers.toml, in which a model writes the answer. Items whose answer lies
across two sentences, or whose passage has fewer than four, are left out; how many is printed. Where
the answer's sentence comes among the four depends on the item's number alone. `other` is the question
of another passage: asked in place of the question, it shows what a preference for a sentence does
(every fourth item, in DIR/other_question.jsonl). DIR/other_words.toml asks for the same in other words
than those of examples/sentences.cook, whose prompts all the others have.
DIR/first.toml and DIR/second.toml are the same task on two halves that share no passage, so that a
model which learns from one can be asked the other.
"""

import json
import pathlib
import re
import sys

TASK = """\
# {about}
kind = "choice"
context = "{{% for text in sentences %}}{{{{ loop.index }}}}. {{{{ text }}}}\\n{{% endfor %}}Words: {{{{ {asked} }}}}\\nSentence:"
choices = "{{{{ sentences }}}}"
gold = "{{{{ gold }}}}"
metrics = ["acc", "acc_norm"]
main = "acc_norm"

[data]
path = "{rows}.jsonl"
"""

OTHER_WORDS = """\
# Which of four sentences answers the question, asked in other words than the template's.
kind = "choice"
context = "Passage: {{ sentences | join(' ') }}\\n\\nQuestion: {{ question }}\\nThe sentence of the passage that has the answer is:"
choices = "{{ sentences }}"
gold = "{{ gold }}"
metrics = ["acc", "acc_norm"]
main = "acc_norm"

[data]
path = "sentences.jsonl"
"""

ANSWERS = """\
# The answer to a question about a passage, written.
kind = "generate"
context = "{{ document }}\\nQuestion: {{ question }}\\nAnswer:"
gold = "{{ answers }}"
until = ["\\n"]
max_gen_toks = 24
metrics = ["exact_match", "f1", "contains"]

[data]
path = "passages.jsonl"
"""


def sentences(passage):
    """Start and text of each sentence: they end with a stop before a space and a capital letter."""
    found, start = [], 0
    for end in re.finditer(r"(?<=[.!?])[\"”)]*\s+(?=[A-Z\"“(0-9])", passage):
        found.append((start, passage[start : end.start()].strip()))
        start = end.end()
    found.append((start, passage[start:].strip()))
    return [(start, text) for start, text in found if text]


def squad(source):
    """The items of a file in SQuAD's layout."""
    return [
        {
            "document": paragraph["context"],
            "question": asked["question"],
            "answers": [answer["text"] for answer in asked["answers"]],
            "start": [answer["answer_start"] for answer in asked["answers"]],
        }
        for article in json.loads(source.read_text())["data"]
        for paragraph in article["paragraphs"]
        for asked in paragraph["qas"]
    ]


def main():
    source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    items = squad(source) if source.suffix == ".json" else [json.loads(line) for line in source.open()]
    kept, left = [], {"few sentences": 0, "answer across two": 0}
    for number, item in enumerate(items):
        passage, answer = item["document"], item["answers"][0]
        begin = item["start"][0] if isinstance(item["start"], list) else item["start"]
        if passage[begin : begin + len(answer)] != answer:
            begin = passage.find(answer)
        parts = sentences(passage)
        if len(parts) < 4:
            left["few sentences"] += 1
            continue
        at = max(place for place, (start, _) in enumerate(parts) if start <= begin)
        if answer not in parts[at][1]:
            left["answer across two"] += 1
            continue
        first = min(max(at - number % 4, 0), len(parts) - 4)
        four = [text for _, text in parts[first : first + 4]]
        far = items[(number + len(items) // 2) % len(items)]["question"]
        row = {"sentences": four, "question": item["question"], "other": far, "gold": at - first}
        kept.append((passage, row))
    # The border of a passage nearest to the middle.
    borders = [at for at in range(1, len(kept)) if kept[at][0] != kept[at - 1][0]]
    middle = min(borders, key=lambda at: abs(2 * at - len(kept)))
    kept = [row for _, row in kept]
    halves = [("first", kept[:middle]), ("second", kept[middle:]), ("other_question", kept[::4])]
    for name, rows in [("sentences", kept), *halves]:
        with (folder / f"{name}.jsonl").open("w") as out:
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    with (folder / "passages.jsonl").open("w") as out:
        keys = ("document", "question", "answers")
        out.writelines(json.dumps({key: item[key] for key in keys}, ensure_ascii=False) + "\n" for item in items)
    about = "Which of four sentences answers the question."
    for name in ("sentences", "first", "second"):
        (folder / f"{name}.toml").write_text(TASK.format(about=about, asked="question", rows=name))
    about = "The same with the question of another passage: what is chosen without a hint."
    (folder / "other_question.toml").write_text(TASK.format(about=about, asked="other", rows="other_question"))
    (folder / "other_words.toml").write_text(OTHER_WORDS)
    (folder / "answers.toml").write_text(ANSWERS)
    places = [sum(row["gold"] == at for row in kept) for at in range(4)]
    print(f"{len(kept)} items of {len(items)}; left out: {left}; right by place: {places}")


main()
