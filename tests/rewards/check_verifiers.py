"""cookc's taskset in verifiers' evaluation, with a model that is a stub: it answers every second problem."""

import glob
import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import cookc

COUNT = 20
sampler = cookc.Template.builtin("retrieval").level("easy").compile()
ANSWERS = {}
for sample in sampler.samples(42, count=COUNT):
    ANSWERS[sample.prompt] = sample.reply if sample.index % 2 == 0 else "a guess"


class Model(BaseHTTPRequestHandler):
    """A server of chat completions."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = asked["messages"][-1]["content"]
        text = content if isinstance(content, str) else content[-1]["text"]
        said = {"role": "assistant", "content": ANSWERS[text]}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        whole = {"id": "stub", "created": 0, "model": "stub", "usage": usage}
        choice = {"index": 0, "finish_reason": "stop"}
        if asked.get("stream"):
            chunk = {"object": "chat.completion.chunk", "choices": [choice | {"delta": said}]}
            body, kind = f"data: {json.dumps(whole | chunk)}\n\ndata: [DONE]\n\n", "text/event-stream"
        else:
            answer = {"object": "chat.completion", "choices": [choice | {"message": said}]}
            body, kind = json.dumps(whole | answer), "application/json"
        body = body.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


CONFIG = """\
model = "stub"
push = false

[client]
base_url = "http://127.0.0.1:{port}/v1"
api_key_var = "STUB_KEY"

[select]
limit = {count}

[env.taskset]
id = "cookc_tasks"
templates = ["std:retrieval"]
level = "easy"
seed = 42

[env.taskset.task.rewards]
again = {{ fn = "cookc.verifiers:score", weight = 0.5 }}

[env.agent.harness]
id = "null"

[env.agent.runtime]
type = "subprocess"
"""

server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=server.serve_forever, daemon=True).start()
with tempfile.TemporaryDirectory() as folder:
    config = os.path.join(folder, "eval.toml")
    with open(config, "w") as file:
        file.write(CONFIG.format(port=server.server_port, count=COUNT))
    with open(os.path.join(folder, "cookc_tasks.py"), "w") as file:
        file.write("from cookc.verifiers import *\nfrom cookc.verifiers import __all__\n")
    path = os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")])
    programs = os.path.dirname(sys.executable)
    environment = os.environ | {"PYTHONPATH": path, "STUB_KEY": "none"}
    environment["PATH"] = os.pathsep.join([programs, os.environ["PATH"]])  # uv is there.
    command = [os.path.join(programs, "vf-eval"), "@", config, "--no-rich"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    found = glob.glob(os.path.join(folder, "**", "*traces*.jsonl"), recursive=True)
    if done.returncode or not found:
        raise SystemExit(f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n{found}")
    traces = [json.loads(line) for path in found for line in open(path)]

traces = [trace for episode in traces for trace in episode["traces"]]
assert len(traces) == COUNT, len(traces)
for trace in traces:
    right = float(int(trace["task"]["data"]["id"].rsplit("/", 1)[1]) % 2 == 0)
    assert not trace["errors"], trace["errors"]
    rewards = {name: one["score"] for name, one in trace["rewards"].items()}
    assert rewards["cookc"] == rewards["again"] == right, trace["rewards"]
    assert trace["metrics"]["exact"] == right, trace["metrics"]
print(f"verifiers {version('verifiers')}: {COUNT} rollouts of a stub model")
