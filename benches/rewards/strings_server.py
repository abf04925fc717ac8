"""Random and adversarial replies through `/v1/score_batch`: no status of 500, no panic, nothing paid without the answer, and the library's scores.

    python benches/rewards/strings_server.py COOKC [COUNT]

COUNT replies in all (default 1,000,000), seed 3, shared out to the templates and forms of answers below; a server for each form, six
connections, batches of 250. Replies are those of strings.py, and prompts, answers of other samples, answers with a fault, deep brackets
and long runs. One batch of ten is scored by the library too. After each hundred batches comes a body that is none, which must be refused.
Prints one line of JSON; exits with 1 if anything of that does not hold. `pip install ./python` is what it needs.
"""

import collections
import concurrent.futures
import http.client
import json
import random
import re
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import cookc
from strings import reply as random_reply

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "rewards"))
from server import serving

TEMPLATES = ["boolean_expression", "chain_sum", "closest_option", "count_word", "deduplicate", "key_value", "list_difference", "list_union",
             "multi_key", "restore_order", "retrieval", "reverse_words", "stack_machine", "variable_tracking"]
FORMS = ["strict", "tags", "any"]
SAMPLES, BATCH, CONNECTIONS, COMPARED, BROKEN = 50, 250, 6, 10, 100
BODIES = [b"", b"{", b"[" * 100_000, b'{"replies": 7}', b'{"replies": [{"index": 0, "reply": "\\ud800"}]}', b'{"replies": [{"reply": "\xff"}]}',
          b'{"replies": [{"index": -1, "reply": ""}]}', b'{"replies": [{"index": 1e99, "reply": ""}]}', b'{"replies": [{"index": 0}]}',
          b'{"template": "none", "replies": [{"index": 0, "reply": ""}]}', b'{"replies": [{"id": "\\u0000", "reply": ""}]}']


def adversarial(chance, words, own, others, prompt):
    """A reply that knows the task, but not always the answer."""
    kind = chance.randrange(8)
    if kind == 0:
        return prompt
    if kind == 1:
        return chance.choice(others)
    if kind == 2:
        return " ".join(chance.sample(words, min(len(words), 30)))
    if kind == 3:
        return chance.choice("[({<\\`*$-#\"'") * chance.choice((10, 1000, 20_000))
    if kind == 4:
        return chance.choice(("<answer>", "</answer>", "<think>", "\\boxed{", "Answer: ")) * chance.choice((2, 200)) + chance.choice(others)
    if kind == 5:
        return "".join(f"<answer>{other}</answer>" for other in chance.sample(others, 3))
    at = chance.randrange(len(own) + 1)
    # With a character more, and with one less: that may be right still, if it is a space.
    return own[:at] + chance.choice("x7 ,.\n\0é") + own[at:] if kind == 6 else own[:at] + own[at + 1 :]


def has(text, answer):
    """Whether a reply has all words of the answer, in any order; an answer without words must be in it as it is."""
    tokens = collections.Counter(re.findall(r"\w+", re.sub(r"(?<=\d),(?=\d)", "", text.casefold())))
    needed = collections.Counter(re.findall(r"\w+", answer.casefold()))
    return needed <= tokens if needed else answer in text


class Client:
    """What the connections share: each thread has its own."""

    def __init__(self, url):
        self.address, self.own = urlsplit(url).netloc, {}

    def post(self, body):
        key = threading.get_ident()
        connection = self.own.get(key) or self.own.setdefault(key, http.client.HTTPConnection(self.address, timeout=120))
        connection.request("POST", "/v1/score_batch", body)
        response = connection.getresponse()
        return response.status, response.read()


def batches(form, each, chance):
    """The bodies of a form, with what is known of them."""
    for name in TEMPLATES:
        template = cookc.Template.builtin(name)
        sampler, plain = template.answer(form).compile(), template.compile()
        samples = [plain.sample(index) for index in range(SAMPLES)]
        words = sorted({word for index in range(100, 150) for word in plain.sample(index).reply.split()})
        others = [plain.sample(index).reply for index in range(100, 150)]
        left = each
        while left > 0:
            pairs = []
            for _ in range(min(BATCH, left)):
                at = chance.randrange(SAMPLES)
                if chance.random() < 0.5:
                    text = random_reply(chance, words)
                else:
                    text = adversarial(chance, words, samples[at].reply, others, samples[at].prompt)
                pairs.append((at, text))
            left -= len(pairs)
            body = {"template": name, "replies": [{"index": at, "reply": text} for at, text in pairs]}
            yield sampler, samples, pairs, json.dumps(body).encode()


class Tally:
    def __init__(self):
        self.statuses, self.refused, self.causes = collections.Counter(), collections.Counter(), collections.Counter()
        self.replies = self.exact = self.paid = self.partial = self.compared = self.different = 0

    def batch(self, number, sampler, samples, pairs, status, data):
        self.statuses[status] += 1
        if status != 200:
            print(status, data[:500], file=sys.stderr)
            return
        scores = json.loads(data)["scores"]
        assert len(scores) == len(pairs)
        for (at, text), score in zip(pairs, scores):
            self.replies += 1
            self.causes[score["cause"] or "read"] += 1
            is_right = has(text, samples[at].reply)
            self.exact += score["exact"]
            if score["exact"] and not is_right:
                self.paid += 1
                print("paid", sampler.name, at, repr(samples[at].reply), repr(text[:300]), file=sys.stderr)
            self.partial += not score["exact"] and score["score"] > 0
        if number % COMPARED == 0:
            indices, replies = zip(*pairs)
            for (at, text), theirs, ours in zip(pairs, sampler.score_many(list(indices), list(replies)), scores):
                own = (theirs.mean, theirs.exact, dict(theirs.rules), theirs.unreadable, theirs.cause)
                same = (ours["score"], ours["exact"], ours["scores"], ours["unreadable"], ours["cause"])
                self.compared += 1
                if own != same:
                    self.different += 1
                    print("differs", sampler.name, at, repr(text[:300]), own, same, file=sys.stderr)


def main():
    cookc_binary, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    each = -(-count // (len(TEMPLATES) * len(FORMS)))
    tally, begun, number = Tally(), time.time(), 0
    for form in FORMS:
        # It fails if the log tells of a panic, or the server does not end well.
        with serving(cookc_binary, *(f"std:{name}" for name in TEMPLATES), "--answer", form, "--log", "off") as url:
            client, chance = Client(url), random.Random(3)
            with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
                waiting = collections.deque()
                for *known, body in batches(form, each, chance):
                    waiting.append((number, known, pool.submit(client.post, body)))
                    number += 1
                    if number % BROKEN == 0:
                        tally.refused[client.post(BODIES[number // BROKEN % len(BODIES)])[0]] += 1
                    while len(waiting) > 2 * CONNECTIONS:
                        at, of, future = waiting.popleft()
                        tally.batch(at, *of, *future.result())
                for at, of, future in waiting:
                    tally.batch(at, *of, *future.result())
        print(form, tally.replies, f"{time.time() - begun:.0f} s", file=sys.stderr, flush=True)
    failed = sum(count for status, count in {**tally.statuses, **tally.refused}.items() if status >= 500)
    line = {"replies": tally.replies, "templates": len(TEMPLATES), "forms": FORMS, "connections": CONNECTIONS, "replies_a_batch": BATCH,
            "statuses": tally.statuses, "statuses_of_broken_bodies": tally.refused, "of_500_and_more": failed, "panics": 0,
            "exact": tally.exact, "exact_without_the_answer": tally.paid, "partly_paid_by_mean": tally.partial, "causes": dict(sorted(tally.causes.items())),
            "compared_with_the_library": tally.compared, "different": tally.different, "seconds": round(time.time() - begun)}
    print(json.dumps(line))
    is_well = tally.replies >= count and not (failed or tally.paid or tally.different) and 200 not in tally.refused
    sys.exit(0 if is_well else 1)


if __name__ == "__main__":
    main()
