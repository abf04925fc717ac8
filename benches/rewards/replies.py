"""The replies that peers.py and decorations.py try: shortcuts, garbage, hedges, and the dresses of a right answer."""

import re

CONSTANTS = ("", "0", "1", "yes", "True")
GARBAGE = {"word": "xyzzy", "sentence": "I do not know the answer.", "mark": "?"}


def numbers(prompt):
    return re.findall(r"-?\d+(?:\.\d+)?", prompt)


def words(prompt):
    return [word for word in (word.strip(".,;:!?\"'`()[]{}*") for word in prompt.split()) if word]


def lines(prompt):
    return [line.strip() for line in prompt.splitlines() if line.strip()]


def labels(prompt):
    """The labels A, B, C, … of the options that a prompt lists, a line each."""
    found = re.findall(r"^\W*([A-Z])\s*[.):]\s", prompt, re.M)
    expected = [chr(ord("A") + place) for place in range(len(found))]
    return found if found == expected else []


def at(values, place):
    return values[place] if values else ""


def last_field(prompt):
    """What is after the colon of the last line that has something there."""
    return at([rest.strip() for line in lines(prompt) for _, colon, rest in [line.partition(": ")] if rest.strip()], -1)


def pick(values, draw):
    return draw.choice(values) if values else ""


# Each takes the prompt and a generator of random numbers.
ECHOES = {
    "prompt": lambda prompt, draw: prompt,
    "last number": lambda prompt, draw: at(numbers(prompt), -1),
    "first number": lambda prompt, draw: at(numbers(prompt), 0),
    "largest number": lambda prompt, draw: max(numbers(prompt), key=float, default=""),
    "last word": lambda prompt, draw: at(words(prompt), -1),
    "first line": lambda prompt, draw: at(lines(prompt), 0),
    "last line": lambda prompt, draw: at(lines(prompt), -1),
    "last paragraph": lambda prompt, draw: prompt.strip().split("\n\n")[-1].strip(),
    "last field": lambda prompt, draw: last_field(prompt),
    "any number shown": lambda prompt, draw: pick(numbers(prompt), draw),
    "any word shown": lambda prompt, draw: pick(words(prompt), draw),
    "any line shown": lambda prompt, draw: pick(lines(prompt), draw),
    "all numbers": lambda prompt, draw: ", ".join(dict.fromkeys(numbers(prompt))),
    "all words": lambda prompt, draw: " ".join(dict.fromkeys(words(prompt))),
}


def extract(reply):
    """The text in the last pair of answer tags, as reasoning-gym's trainers read it; None without one."""
    from reasoning_gym.utils import extract_answer

    return extract_answer(reply)


# Each takes a right and a wrong answer; the flag says whether the extraction comes before the scorer.
HEDGES = {
    "wrong alone": (False, lambda right, wrong: wrong),
    "right or wrong": (False, lambda right, wrong: f"{right} or {wrong}"),
    "wrong or right": (False, lambda right, wrong: f"{wrong} or {right}"),
    "two lines, right first": (False, lambda right, wrong: f"{right}\n{wrong}"),
    "two lines, right last": (False, lambda right, wrong: f"{wrong}\n{right}"),
    "thought right, wrong after": (False, lambda right, wrong: f"<think>{right}</think>\n{wrong}"),
    "two tags, right first": (True, lambda right, wrong: tag(right) + "\n" + tag(wrong)),
    "two tags, right last": (True, lambda right, wrong: tag(wrong) + "\n" + tag(right)),
    "tag thought right, tag wrong after": (True, lambda right, wrong: thought(right) + "\n" + tag(wrong)),
    "tag thought right, no tag after": (True, lambda right, wrong: f"{thought(right)}\n{wrong}"),
    "right or wrong in tags": (True, lambda right, wrong: tag(f"{right} or {wrong}")),
}


def tag(answer):
    return f"<answer>{answer}</answer>"


def thought(answer):
    return f"<think>{tag(answer)}</think>"


def hedges(right, wrong, extracting=True):
    """What the scorer gets of each reply that holds both; a scorer that finds answers itself gets all of it."""
    for name, (extracted, hedge) in HEDGES.items():
        reply = hedge(right, wrong)
        yield name, extract(reply) if extracted and extracting else reply


THOUGHTS = "Let me think it over. First I read what is asked, then I work it out."
DRESSES = {
    "bare": lambda x: x,
    "spaces around": lambda x: f"  {x}  ",
    "blank lines around": lambda x: f"\n\n{x}\n\n",
    "full stop": lambda x: f"{x}.",
    "The answer is X.": lambda x: f"The answer is {x}.",
    "The answer is: X": lambda x: f"The answer is: {x}",
    "Answer: X": lambda x: f"Answer: {x}",
    "**X**": lambda x: f"**{x}**",
    "`X`": lambda x: f"`{x}`",
    "$X$": lambda x: f"${x}$",
    '"X"': lambda x: f'"{x}"',
    "'X'": lambda x: f"'{x}'",
    "[X]": lambda x: f"[{x}]",
    "code fence": lambda x: f"```\n{x}\n```",
    "\\boxed{X}": lambda x: f"\\boxed{{{x}}}",
    "$\\boxed{X}$": lambda x: f"$\\boxed{{{x}}}$",
    "<answer>X</answer>": lambda x: f"<answer>{x}</answer>",
    "<think>, then X": lambda x: f"<think>{THOUGHTS}</think>\n{x}",
    "<think>, then <answer>": lambda x: f"<think>{THOUGHTS}</think>\n<answer>{x}</answer>",
    "thoughts, then Final answer:": lambda x: f"{THOUGHTS}\n\nFinal answer: {x}",
    "thoughts, then **Answer:**": lambda x: f"{THOUGHTS}\n\n**Answer:** {x}",
    "thoughts, then \\boxed{X}": lambda x: f"{THOUGHTS}\n\n\\boxed{{{x}}}",
    "thoughts, then X": lambda x: f"{THOUGHTS}\n\n{x}",
    "heading, then X": lambda x: f"## Answer\n\n{x}",
    "bullet": lambda x: f"- {x}",
    "UPPER": lambda x: x.upper(),
    "Capitalised": lambda x: x[:1].upper() + x[1:],
    "commas between": lambda x: re.sub(r"[,;]?[ \t]+", ", ", x),
    "semicolons between": lambda x: re.sub(r"[,;]?[ \t]+", "; ", x),
    "X, then why": lambda x: f"{x}\n\nThis follows from what is asked.",
}

# A right answer and a wrong one at once. Each takes the right one first.
STUFFED = {
    "tags, right last": lambda a, w: f"<answer>{w}</answer><answer>{a}</answer>",
    "tags, right first": lambda a, w: f"<answer>{a}</answer>\n<answer>{w}</answer>",
    "boxes, right last": lambda a, w: f"\\boxed{{{w}}} \\boxed{{{a}}}",
    "boxes, right first": lambda a, w: f"\\boxed{{{a}}} or \\boxed{{{w}}}",
    "wrong or right": lambda a, w: f"{w} or {a}",
    "right or wrong": lambda a, w: f"{a} or {w}",
    "thought right, wrong after": lambda a, w: f"<think>{a}</think>{w}",
    "open thought": lambda a, w: f"<think>{a}",
    "comment": lambda a, w: f"<!-- {a} --> {w}",
    "tags in tags": lambda a, w: f"<answer>{w}<answer>{a}</answer></answer>",
    "No, the answer is": lambda a, w: f"The answer is {w}. No, the answer is {a}.",
    "line and box": lambda a, w: f"Answer: {w}\n\\boxed{{{a}}}",
    "sentence and box": lambda a, w: f"The answer is {w}, \\boxed{{{a}}}",
    "paragraphs": lambda a, w: f"{w}\n\n{a}",
    "tags and line": lambda a, w: f"<answer>{w}</answer>\nAnswer: {a}",
}
