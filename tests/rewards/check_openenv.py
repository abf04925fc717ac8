"""`cookc serve` as an environment of OpenEnv: its client, its sessions, its routes over HTTP, its validator.

    python tests/rewards/check_openenv.py COOKC
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import yaml
from openenv.cli._validation import validate_running_environment
from openenv.core.env_server.types import HealthResponse, ResetResponse, SchemaResponse, State, StepResponse
from openenv.core.generic_client import GenericAction, GenericEnvClient
from websockets.exceptions import ConnectionClosed

from server import ask, rows, serving

SEEDS, SESSIONS = 20, 32


def main(cookc):
    # An episode's sample is the first of its seed.
    answers = {}
    for seed in range(SEEDS):
        [row] = rows(cookc, "std:chain_sum", "-n", "1", "--seed", str(seed))
        answers[seed] = row["prompt"], row["reply"]
    with serving(cookc, "std:chain_sum") as url:
        episodes = alone(url, answers) + asyncio.run(together(url, answers))
        episodes += over_http(url, answers)
        criteria = valid(url)
        manifest(cookc)
    with serving(cookc, "std:chain_sum", "--max-connections", "3") as url:
        asyncio.run(full(url))
    print(f"{release()}: {episodes} episodes, {SESSIONS} sessions at once, {criteria} criteria of its validator")


def release():
    for name in ("openenv", "openenv-core"):
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue


def alone(url, answers):
    """One session, one episode after the other."""
    with GenericEnvClient(base_url=url).sync() as env:
        refused(lambda: env.step({"reply": "7"}), "no episode has begun")
        for seed, (prompt, reply) in answers.items():
            begun = env.reset(seed=seed)
            shown = begun.observation
            assert (shown["prompt"], begun.reward, begun.done) == (prompt, None, False), begun
            assert shown["messages"] == [{"role": "user", "content": prompt}]
            assert f" {reply} " not in f" {json.dumps({**shown, 'prompt': '', 'messages': []})} ", shown
            assert State.model_validate(env.state()).step_count == 0
            # Nothing that the server cannot read ends the episode.
            refused(lambda: env.step({}), "reply")
            refused(lambda: env.step({"reply": 7}), "reply")
            kind = seed % 3
            done = env.step(GenericAction(reply=[reply, str(int(reply) + 1), "I do not know."][kind]))
            assert done.done and done.reward == [1.0, 0.0, 0.0][kind], done
            assert done.observation["cause"] == [None, None, "value"][kind], done
            state = State.model_validate(env.state())
            assert (state.episode_id, state.step_count) == (shown["episode_id"], 1), state
            refused(lambda: env.step({"reply": reply}), "is over")
        prompts = [env.reset().observation["prompt"] for _ in range(5)]
        assert len(set(prompts)) == 5, prompts
        assert env.reset(seed=3, episode_id="mine").observation["episode_id"] == "mine"
        refused(lambda: env.reset(seed=3, split="eval"), "held-out")
        refused(lambda: env.reset(level="none such"), "level")
        # A reset that was refused leaves the episode that there was.
        assert env.step({"reply": answers[3][1]}).reward == 1.0
    return len(answers) + 1


async def together(url, answers):
    """Sessions at once, each step of one between those of the others."""
    clients = [GenericEnvClient(base_url=url) for _ in range(SESSIONS)]
    try:
        await asyncio.gather(*(client.connect() for client in clients))
        for turn in range(10):
            seeds = [(turn + at) % len(answers) for at in range(SESSIONS)]
            begun = await asyncio.gather(*(client.reset(seed=seed) for client, seed in zip(clients, seeds)))
            for one, seed in zip(begun, seeds):
                assert one.observation["prompt"] == answers[seed][0]
            assert len({one.observation["episode_id"] for one in begun}) == SESSIONS
            # Every second one says what another was asked.
            said = [answers[seeds[at - at % 2]][1] for at in range(SESSIONS)]
            done = await asyncio.gather(*(client.step({"reply": reply}) for client, reply in zip(clients, said)))
            for one, seed, reply in zip(done, seeds, said):
                assert one.reward == float(reply == answers[seed][1]), (seed, reply, one)
        # One that goes without a word does not disturb the others.
        await clients[0]._ws.close()
        assert (await clients[1].reset(seed=2)).observation["prompt"] == answers[2][0]
    finally:
        await asyncio.gather(*(client.close() for client in clients))
    return 10 * SESSIONS


def over_http(url, answers):
    """The routes without a WebSocket, where a session is named, read by its own types."""
    HealthResponse.model_validate(ask(f"{url}/health")[1])
    status, begun = ask(f"{url}/reset", {"seed": 4, "episode_id": "one"})
    assert status == 200 and ResetResponse.model_validate(begun).observation["prompt"] == answers[4][0]
    step = {"action": {"reply": answers[4][1]}, "episode_id": "one", "timeout_s": 5.0, "request_id": "r"}
    status, done = ask(f"{url}/step", step)
    assert status == 200 and StepResponse.model_validate(done).reward == 1.0 and done["done"]
    assert State.model_validate(ask(f"{url}/state?episode_id=one")[1]).step_count == 1
    for path, body, expected in (
        ("/step", step, (409, "episode_over")),
        ("/step", {**step, "episode_id": "none"}, (404, "no_session")),
        ("/step", {"action": {"reply": ""}}, (422, "missing_field")),
        ("/state?episode_id=none", None, (404, "no_session")),
        ("/reset", {"seed": "x"}, (422, "invalid_field")),
        ("/reset", {"seed": 4, "split": "eval"}, (403, "held_out")),
        ("/ws", None, (400, "no_websocket")),
    ):
        status, answer = ask(url + path, body)
        assert (status, answer["error"]["code"]) == expected, (path, answer)
    schema = ask(f"{url}/schema")[1]
    SchemaResponse.model_validate(schema)
    jsonschema.validate({"reply": ""}, schema["action"])
    for answer in (begun, done):
        jsonschema.validate(answer["observation"], schema["observation"])
    jsonschema.validate(ask(f"{url}/state?episode_id=one")[1], schema["state"])
    return 1


def valid(url):
    """What `openenv validate --url` finds: every criterion must hold."""
    report = validate_running_environment(url)
    failed = [one for one in report["criteria"] if not one["passed"]]
    assert report["passed"] and not failed and report["mode"] == "simulation", json.dumps(failed)
    command = [sys.executable, "-m", "openenv.cli", "validate", "--url", url]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return len(report["criteria"])


def manifest(cookc):
    """`openenv.yaml`, which `openenv validate` reads where a release checks manifests."""
    command = [cookc, "serve", "std:chain_sum", "--openenv-yaml"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert yaml.safe_load(text)["spec_version"] == 1, text
    if find_spec("openenv.validation") is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "openenv.yaml").write_text(text)
        command = [sys.executable, "-m", "openenv.cli", "validate", folder, "--level", "static", "--json"]
        report = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    assert report["verdict"] == "pass", report


async def full(url):
    """One session more than the server takes is told so; those that are there go on, and one that ends makes room."""
    clients = [GenericEnvClient(base_url=url) for _ in range(4)]
    try:
        for client in clients[:3]:
            assert (await client.reset(seed=1)).observation["seed"] == 1
        # It says so at once, and waits for a client that is writing to read it.
        try:
            await clients[3].reset(seed=1)
        except (RuntimeError, ConnectionClosed) as error:
            # A client that begins to write after the goodbye does not read it.
            assert isinstance(error, ConnectionClosed) or "CAPACITY_REACHED" in str(error), error
        else:
            raise AssertionError("a fourth session was taken")
        assert (await clients[2].reset(seed=2)).observation["seed"] == 2
        await asyncio.gather(clients[0].close(), clients[3].close())
        another = GenericEnvClient(base_url=url)
        clients.append(another)
        for _ in range(50):
            try:
                assert (await another.reset(seed=1)).observation["seed"] == 1
                return
            except (RuntimeError, ConnectionClosed):
                await another.close()
                await asyncio.sleep(0.1)
        raise AssertionError("the room of a closed session is not given again")
    finally:
        await asyncio.gather(*(client.close() for client in clients))


def refused(call, words):
    try:
        call()
    except RuntimeError as error:
        assert words in str(error), (words, error)
    else:
        raise AssertionError(f"nothing was refused: {words}")


main(sys.argv[1])
