"""Compares the grammars of the built-in templates with what is read, by the engines themselves.

    pip install llguidance            # and, if wanted, xgrammar
    python tests/rewards/check_grammar.py target/release/cookc [replies]

Of each template and level, in turn: the template's own replies must be accepted; mutated replies and
texts drawn from the grammar's masks that are accepted must be read by `cookc judge` ("unreadable":
null). Ends with a table of counts, and with exit code 1 after the first disagreement.
"""

import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass

import llguidance

try:
    import xgrammar
    from xgrammar.testing import _is_grammar_accept_string
except ImportError:
    xgrammar = None

SEED = 5
# Of a template and level: samples, and kinds of replies to each.
KINDS = ("own", "mutated", "drawn")
BYTES_MAX = 20_000
BYTES = llguidance.LLTokenizer("byte")


@dataclass
class Reply:
    kind: str
    index: int
    text: str
    accepted: bool


def cookc(*arguments, text=None):
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}: {done.stderr}")
    return done.stdout


def matcher(grammar):
    found = llguidance.LLMatcher(BYTES, llguidance.grammar_from("lark", grammar))
    if found.is_error():
        sys.exit(f"llguidance refuses a grammar: {found.get_error()}\n{grammar}")
    return found


def accepts(grammar, text):
    found, data = matcher(grammar), list(text.encode())
    return found.try_consume_tokens(data) == len(data) and found.is_accepting()


def drawn(grammar, chance):
    """A text that the grammar's masks allow, byte by byte; none if it does not end."""
    found, data = matcher(grammar), bytearray()
    while len(data) < BYTES_MAX:
        bias = found.compute_logit_bias()
        allowed = [at for at in range(256) if bias[at]]
        if not allowed or (found.is_accepting() and chance.random() < 0.2):
            return data.decode()
        data.append(chance.choice(allowed))
        found.consume_token(data[-1])
    return None


def mutated(reply, others, chance):
    """A reply with letters or words changed, or another's, or white space around it."""
    words, at = reply.split(" "), chance.randrange(max(1, len(reply)))
    other = chance.choice(others)
    place = chance.randrange(len(words))
    letter = chance.choice("abz 19-_'\n.:;,=Aé\t")
    return chance.choice(
        [
            reply[:at] + letter + reply[at:],
            reply[:at] + letter + reply[at + 1 :],
            reply[:at] + reply[at + 1 :],
            " ".join(words[:place] + [chance.choice(other.split(" "))] + words[place + 1 :]),
            " ".join(words[:place] + words[place + 1 :]),
            " ".join(words[:place] + [words[place]] + words[place:]),
            reply[:at] + other[at:],
            f"{reply} {other}",
            f" {reply}\n",
            other,
            "",
        ]
    )


def replies_of(program, template, level, samples, chance):
    options = ["--level", level, "--seed", str(SEED)]
    rows = cookc(program, "generate", template, *options, "-n", str(samples), "-o", "-")
    rows = [json.loads(line) for line in rows.splitlines()]
    own = [row["reply"] for row in rows]
    for index, reply in enumerate(own):
        emit = ["inspect", template, *options, "--emit", "grammar", "--index", str(index)]
        lark = cookc(program, *emit, "--grammar", "lark")
        changed = mutated(reply, own, chance)
        texts = [("own", reply), ("mutated", changed), ("drawn", drawn(lark, chance))]
        gbnf = xgrammar and xgrammar.Grammar.from_ebnf(cookc(program, *emit, "--grammar", "gbnf"))
        for kind, text in texts:
            if text is None:
                continue
            accepted = accepts(lark, text)
            if gbnf and _is_grammar_accept_string(gbnf, text) != accepted:
                sys.exit(f"{template} {level} {index}: xgrammar and llguidance differ: {text!r}")
            yield Reply(kind, index, text, accepted)


def judged(program, template, level, replies):
    lines = "".join(json.dumps({"index": one.index, "reply": one.text}) + "\n" for one in replies)
    options = ["--level", level, "--seed", str(SEED), "--format", "json"]
    found = cookc(program, "judge", template, "-", *options, text=lines).splitlines()
    return [json.loads(line)["unreadable"] for line in found[:-1]]


def main(program, wanted):
    names = json.loads(cookc(program, "list", "--format", "json"))["templates"]
    cells = [(one["name"], level) for one in names for level in ["default", *one["levels"]]]
    samples = -(-wanted // (len(cells) * len(KINDS)))
    counts, chance = Counter(), random.Random(SEED)
    for template, level in cells:
        replies = list(replies_of(program, template, level, samples, chance))
        for one, why in zip(replies, judged(program, template, level, replies), strict=True):
            is_wrong = one.accepted and why is not None
            if is_wrong or (one.kind != "mutated" and not one.accepted):
                sys.exit(f"{template} {level} {one}: read: {why is None} ({why})")
            counts[one.kind, one.accepted, why is None] += 1
    engines = "llguidance and xgrammar" if xgrammar else "llguidance"
    total = sum(counts.values())
    print(f"{len(names)} templates, {len(cells)} levels, {total} replies, by {engines}")
    print("kind     accepted  read   replies")
    for (kind, accepted, read), count in sorted(counts.items()):
        print(f"{kind:8} {str(accepted):9} {str(read):6} {count}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
