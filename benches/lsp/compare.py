#!/usr/bin/env python3
"""Two builds of `cookc lsp` side by side, through the pipe as an editor uses them: the same keys and
requests go to both in turn, and the medians of their times and of the ratios are printed.

    benches/lsp/compare.py BEFORE AFTER [--rounds 200] [--out FILE.jsonl]
"""

import argparse
import json
import statistics
import subprocess
import time

URI = "file:///bench.cook"


def template(lines=490):
    """Many questions about one document, as benches/lsp/main.rs has them."""
    text = (
        "/// Many questions about one document.\n\nuse tokens: overlap, permutation\n\n"
        "/// Words of the document.\nparam length in 64..512 = 96\nparam quote in 1..16 = 4\n"
        "param margin in 1..16 = 5\n\nlevel easy: length = 64, quote = 6\n"
        "level hard: length = 400, quote = 2\n\nfn middle(xs: [T]) -> T = at(size(xs) / 2, xs)\n\n"
        "document ~ distinct(length, vocab)\n"
    )
    last = 0
    while text.count("\n") < lines:
        n = last
        text += (
            f"\n/// What question {n} asks, and the passage around it.\n"
            f"question_{n} ~ span(quote, document)\n"
            f"answer_{n}   = around(margin, question_{n}, document)\n"
            f"shuffled_{n} ~ shuffle(answer_{n})\n"
            f"middle_{n}   = middle(answer_{n})\n"
            f"shared_{n}   = count word in answer_{n}: word in question_{n} and word != middle_{n}\n"
            f"\nrule verbatim_{n}: answer_{n} within document\n"
            f"rule complete_{n}: permutation(answer_{n}, shuffled_{n})\n"
        )
        last += 1
    replies = " ".join(f"{{answer_{n}}}" for n in range(1))
    return text + f'\nprompt "{{document}} {{question_0}} :"\nreply "{replies}"\n'


class Server:
    """One build, and the messages to and from it."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.number = 0
        self.version = 1
        self.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self.notify("initialized", {})

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self):
        length = 0
        while (line := self.process.stdout.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self.process.stdout.read(length))

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def request(self, method, params):
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        while (message := self.receive()).get("id") != self.number or "method" in message:
            if "id" in message and "method" in message:
                self.send({"id": message["id"], "result": None})
        assert "error" not in message, message
        return message.get("result")

    def diagnostics(self):
        while (message := self.receive()).get("method") != "textDocument/publishDiagnostics":
            if "id" in message and "method" in message:
                self.send({"id": message["id"], "result": None})
        return message["params"]["diagnostics"]

    def open(self, text):
        item = {"uri": URI, "languageId": "cook", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return self.diagnostics()

    def press(self, line, column, letter):
        self.version += 1
        span = {"start": {"line": line, "character": column}, "end": {"line": line, "character": column + 1}}
        changes = [{"range": span, "text": letter}]
        document = {"uri": URI, "version": self.version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
        return self.diagnostics()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--out")
    given = parser.parse_args()
    text = template()
    lines = text.splitlines()
    margin = next(at for at, line in enumerate(lines) if line.startswith("param margin"))
    answer = next(at for at, line in enumerate(lines) if line.startswith("answer_10"))
    place = {"line": answer, "character": 24}
    about = {"textDocument": {"uri": URI}, "position": place}
    servers = [Server(given.before), Server(given.after)]
    for server in servers:
        found = [one for one in server.open(text) if one.get("severity") == 1]
        assert not found, found[:2]
    whole = {**about, "options": {"tabSize": 2, "insertSpaces": True}, "context": {"includeDeclaration": True}}
    jobs = {
        "a key to the diagnostics": lambda server, turn: server.press(margin, 24, "56"[turn % 2]),
        "a key that breaks a line": lambda server, turn: server.press(answer, 12, "!="[turn % 2]),
        "hover": lambda server, _: server.request("textDocument/hover", about),
        "completion": lambda server, _: server.request("textDocument/completion", about),
        "references": lambda server, _: server.request("textDocument/references", whole),
        "semantic tokens": lambda server, _: server.request("textDocument/semanticTokens/full", about),
        "formatting": lambda server, _: server.request("textDocument/formatting", whole),
    }
    out = open(given.out, "a") if given.out else None
    print(f"{'what':28}{'before ms':>11}{'after ms':>11}{'ratio':>8}   quartiles of the ratio")
    for name, job in jobs.items():
        times = [[], []]
        for turn in range(given.rounds):
            order = (0, 1) if turn % 2 == 0 else (1, 0)
            for at in order:
                started = time.perf_counter()
                job(servers[at], turn // 2)
                times[at].append(time.perf_counter() - started)
        ratios = [after / before for before, after in zip(*times)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        before, after = (1000 * statistics.median(each) for each in times)
        print(f"{name:28}{before:11.3f}{after:11.3f}{middle:8.3f}   {low:.3f} to {high:.3f}")
        if out:
            row = {"what": name, "rounds": given.rounds, "before_ms": before, "after_ms": after}
            out.write(json.dumps({**row, "ratio": middle, "quartiles": [low, high]}) + "\n")


main()
