"""`cookc serve` as a resources server of NeMo Gym: its agent rolls out, its command verifies again, its figures are compared.

    python tests/rewards/check_nemo_gym.py COOKC

The agent is NeMo Gym's `simple_agent`, the model a stub that answers every task right, wrong, unreadably and not at all.
"""

import asyncio
import io
import json
import logging
import math
import os
import sys
import tempfile
import threading
import warnings
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from socket import socket
from urllib.parse import urlsplit

import uvicorn
from nemo_gym.base_resources_server import (
    BaseVerifyRequest,
    BaseVerifyResponse,
    ResourcesCloseSessionRequest,
    ResourcesCloseSessionResponse,
    ResourcesSeedSessionRequest,
    ResourcesSeedSessionResponse,
    ReverifyMode,
)
from nemo_gym.config_types import AggregateMetrics, AggregateMetricsRequest
from nemo_gym.episode_types import EpisodeId, TaskId
from nemo_gym.reward_profile import compute_aggregate_metrics
from nemo_gym.rollout_reverification import RolloutReverificationConfig, RolloutReverificationHelper
from nemo_gym.server_utils import ServerClient, get_response_json, raise_for_status, setup_server_client
from omegaconf import OmegaConf
from responses_api_agents.simple_agent.app import SimpleAgent, SimpleAgentConfig

from server import rows, serving

TASKS, SEED = 4, 5
# What the model says to a task, one a repeat: the answer, another number, no number, nothing.
REPEATS = ["right", "wrong", "unreadable", "silent"]
ACROSS = ["mean", "median", "std", "min", "max", "se", "ci_low_95", "ci_high_95"]
# What NeMo Gym computes and the server does not, as the parts of the answer and the names in them.
LACKING = {}


class Model(BaseHTTPRequestHandler):
    """A model server: it looks the answer up, and says what the repeat asks for."""

    answers = {}

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = spoken(self.answers[body["input"][0]["content"]], body["metadata"]["kind"])
        message = {"id": "m", "type": "message", "role": "assistant", "status": "completed"}
        message["content"] = [{"type": "output_text", "text": text, "annotations": []}]
        reasoning = {"id": "t", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Let me see: 7?"}]}
        details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 3}}
        response = {"id": "r", "object": "response", "created_at": 1.0, "model": "stub", "tools": [], "tool_choice": "auto"}
        response["output"] = [reasoning, message] if text else [reasoning]
        response["parallel_tool_calls"] = False
        response["usage"] = {"input_tokens": 20, "output_tokens": len(text), "total_tokens": 20 + len(text), **details}
        data = json.dumps(response).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def spoken(answer, kind):
    return {"right": answer, "wrong": str(int(answer) + 1), "unreadable": f"It is {answer}, I think.", "silent": ""}[kind]


async def main(cookc):
    generated = rows(cookc, "std:chain_sum", "--shape", "nemo-gym", "-n", str(TASKS), "--seed", str(SEED))
    Model.answers = {row["responses_create_params"]["input"][0]["content"]: row["reply"] for row in generated}
    model = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    listener = socket()
    listener.bind(("127.0.0.1", 0))
    with serving(cookc, "std:chain_sum") as url, tempfile.TemporaryDirectory() as folder:
        client, agent = set_up(urlsplit(url).port, model.server_port, listener.getsockname()[1])
        web = uvicorn.Server(uvicorn.Config(agent.setup_webserver(), log_level="warning"))
        task = asyncio.create_task(web.serve([listener]))
        while not web.started:
            await asyncio.sleep(0.05)
        try:
            await sessions(client)
            rollouts = await rolled_out(client, generated)
            same = await figures(client, rollouts)
            await again(rollouts, Path(folder))
            await refused(client, rollouts[0])
        finally:
            web.should_exit = True
            await task
            model.shutdown()
    print(f"nemo-gym {version('nemo-gym')}: {len(rollouts)} rollouts, verified twice, {same} figures as its own")


def set_up(server, model, agent):
    """Its client and its agent, configured as a started environment has it."""
    resources_server = {"type": "resources_servers", "name": "cookc"}
    model_server = {"type": "responses_api_models", "name": "policy_model"}
    here = {"host": "127.0.0.1", "entrypoint": "app.py"}
    of_agent = {**here, "port": agent, "resources_server": resources_server, "model_server": model_server}
    config = {
        "head_server": {"host": "127.0.0.1", "port": 1},
        "cookc": {"resources_servers": {"cookc": {**here, "port": server, "domain": "math"}}},
        "policy_model": {"responses_api_models": {"stub": {**here, "port": model}}},
        "agent": {"responses_api_agents": {"simple_agent": of_agent}},
    }
    os.environ["NEMO_GYM_CONFIG_DICT"] = OmegaConf.to_yaml(OmegaConf.create(config))
    client = setup_server_client()
    assert isinstance(client, ServerClient)
    return client, SimpleAgent(config=SimpleAgentConfig(**of_agent, name="agent"), server_client=client)


async def post(client, server, path, body):
    response = await client.post(server_name=server, url_path=path, json=body)
    await raise_for_status(response)
    return await get_response_json(response)


async def sessions(client):
    """Those of an environment server; the agent below begins its own, without a name."""
    assert client.poll_for_status("cookc") == "success"
    episode, task = EpisodeId(rollout_id="0-0"), TaskId(taskset="cookc", task_id="0")
    seed = ResourcesSeedSessionRequest(resources_session_id="s", episode_id=episode, task_id=task, task_data={})
    answer = ResourcesSeedSessionResponse.model_validate(await post(client, "cookc", "/seed_session", seed))
    assert answer.resources_session_id == "s" and answer.resources_tools is None
    close = ResourcesCloseSessionRequest(resources_session_id="s", episode_id=episode)
    for _ in range(2):
        answer = await post(client, "cookc", "/close_session", close)
        assert ResourcesCloseSessionResponse.model_validate(answer).resources_session_id == "s"
    response = await client.get(server_name="cookc", url_path="/reverify_mode")
    assert ReverifyMode(await get_response_json(response)) == ReverifyMode.STATELESS


async def rolled_out(client, generated):
    """Each task and repeat through the agent's /run."""
    rollouts = []
    for at, row in enumerate(generated):
        for repeat, kind in enumerate(REPEATS):
            params = {**row["responses_create_params"], "metadata": {"kind": kind}}
            body = {**row, "responses_create_params": params, "_ng_task_index": at, "_ng_rollout_index": repeat}
            rollout = await post(client, "agent", "/run", {**body, "agent_ref": {"name": "agent"}})
            BaseVerifyResponse.model_validate(rollout)
            judged = rollout["reward"], rollout["exact"], rollout["cause"]
            expected = {"right": (1.0, True, None), "wrong": (0.0, False, None)}.get(kind, (0.0, False, "value"))
            assert judged == expected, (kind, rollout)
            assert all(rollout[name] == row[name] for name in ("id", "reply", "fields")), rollout
            rollouts.append(rollout)
    return rollouts


async def again(rollouts, folder):
    """Rollouts of another day, whose rewards were lost, through the command that verifies them again."""
    inputs, lost, out = (folder / name for name in ("inputs.jsonl", "rollouts.jsonl", "again.jsonl"))
    write(inputs, [{key: value for key, value in one.items() if key not in ("response", "reward")} for one in rollouts])
    write(lost, [{**one, "reward": -1.0} for one in rollouts])
    config = RolloutReverificationConfig(
        materialized_inputs_jsonl_fpath=str(inputs), rollouts_jsonl_fpath=str(lost), output_jsonl_fpath=str(out)
    )
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        await RolloutReverificationHelper().run_from_config(config)
    verified = [json.loads(line) for line in out.read_text().splitlines()]
    rewards = {(one["_ng_task_index"], one["_ng_rollout_index"]): one["reward"] for one in verified}
    assert rewards == {(one["_ng_task_index"], one["_ng_rollout_index"]): one["reward"] for one in rollouts}
    [metrics] = json.loads((folder / "again_aggregate_metrics.json").read_text())
    assert metrics["key_metrics"]["mean/reward"] == 1 / len(REPEATS), metrics


def write(file, lines):
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


async def refused(client, rollout):
    """What the server does not answer with a reward, so that a row of another template is no 0."""
    bare = {"responses_create_params": rollout["responses_create_params"], "response": rollout["response"]}
    request = BaseVerifyRequest.model_validate(bare)
    for body, status, code in (
        (request.model_dump(mode="json"), 422, "missing_field"),
        ({**bare, "id": rollout["id"].replace("chain_sum", "retrieval")}, 404, "unknown_template"),
        ({**bare, "id": rollout["id"].replace("/train/", "/eval/")}, 403, "held_out"),
        ({**bare, "id": "chain_sum/0000000000000000/train/0/0"}, 409, "other_version"),
        ({**rollout, "response": None}, 422, "missing_field"),
        ({**rollout, "response": {"output": [{"type": "message", "content": 7}]}}, 422, "invalid_field"),
    ):
        response = await client.post(server_name="cookc", url_path="/verify", json=body)
        answer = await get_response_json(response)
        assert (response.status, answer["error"]["code"]) == (status, code), (status, code, answer)


async def figures(client, rollouts):
    """How many figures are the same as those that NeMo Gym's own servers answer with."""
    stripped = [{key: value for key, value in one.items() if key != "responses_create_params"} for one in rollouts]
    masked = {**stripped[0], "_ng_task_index": TASKS, "mask_sample": True}
    half = [one for one in stripped if one["_ng_rollout_index"] == 0]
    uneven = stripped[: len(REPEATS) + 1]
    observed = [{**one, "ng_perf": {"num_turns": 1, "total_latency_ms": 20.0, "completion_tokens": 3}} for one in half]
    same, lacking = 0, set()
    for responses in (stripped, [*stripped, masked], half, uneven, observed, [masked], []):
        # Of identical values it warns that an interval is a point, and of repeats that some tasks lack.
        with warnings.catch_warnings(action="ignore"):
            theirs = compute_aggregate_metrics(responses)
        # The agent sends it on.
        answer = await post(client, "agent", "/aggregate_metrics", AggregateMetricsRequest(verify_responses=responses))
        if responses is stripped:
            # A row's seed or index on average would say nothing.
            named = {name.removeprefix("mean/") for name in answer["key_metrics"]}
            assert named == {"reward", "score", "exact", "input_tokens", "output_tokens", "total_tokens"}, named
        count, without = compared(theirs, AggregateMetrics.model_validate(answer))
        same, lacking = same + count, lacking | without
    known = {(part, name) for part, names in LACKING.items() for name in names}
    assert lacking == known, f"lacks, and LACKING has not: {lacking - known}; answered by now: {known - lacking}"
    return same


def is_same(a, b):
    """Equal, but for the last digits of a number."""
    if isinstance(a, list):
        return len(a) == len(b) and all(map(is_same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(is_same(a[name], b[name]) for name in a)
    return a == b or isinstance(a, float) and math.isclose(a, b, rel_tol=1e-9)


def compared(theirs, ours):
    """How many figures are the same, and which of LACKING are not there. Whatever else differs is a failure."""
    same, lacking = 0, set()
    for part in ("agent_metrics", "key_metrics", "perf_summary", "group_level_metrics", "repeat_level_metrics"):
        left, right = getattr(theirs, part), getattr(ours, part)
        if left and not right and "*" in LACKING.get(part, []):
            lacking.add((part, "*"))
            continue
        left, right = (one if isinstance(one, list) else [one or {}] for one in (left, right))
        assert len(left) == len(right), (part, left, right)
        for a, b in zip(left, right):
            for name in {*a, *b}:
                known = [known for known in LACKING.get(part, []) if known in (name, name.partition("/")[0] + "/")]
                if known and name not in b:
                    lacking.add((part, known[0]))
                    continue
                assert name in a and name in b, (part, name, a.get(name), b.get(name))
                assert is_same(a[name], b[name]), (part, name, a[name], b[name])
                same += 1
    return same, lacking


logging.getLogger("responses_api_agents").setLevel(logging.ERROR)
asyncio.run(main(sys.argv[1]))
