"""Processes: forks and spawns, Ctrl-C, Python's lock, the command line, and what an import costs."""

import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import sysconfig
import threading
import time

import pytest

import cookc
from conftest import ROOT

COOKC = pathlib.Path(sysconfig.get_path("scripts")) / "cookc"


def work(sampler, sent):
    # All that uses the threads: a fork has none of its parent's.
    lines = sampler.rows(7).lines(0, 300)
    scores = sampler.score_many([1, 2], [sampler[1].reply, "a"])
    sent.send((lines, [one.exact for one in scores], sampler[5]))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_another_process_draws_the_same(retrieval, method):
    own = retrieval.rows(7).lines(0, 300)
    context = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(retrieval, sender))
    process.start()
    assert receiver.poll(60), "it hangs"
    assert receiver.recv() == (own, [True, False], retrieval[5])
    process.join(60)
    assert process.exitcode == 0


def test_forks_beside_busy_threads_do_not_hang(retrieval):
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            retrieval.rows().lines(0, 2000)
            retrieval.score_many(range(50), [""] * 50)

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for one in threads:
        one.start()
    try:
        for _ in range(30):
            child = os.fork()
            if child == 0:
                retrieval.rows().lines(0, 100)
                os._exit(17)
            deadline = time.monotonic() + 30
            while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
                if time.monotonic() > deadline:
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                    raise AssertionError("a fork hangs")
                time.sleep(0.002)
            assert os.waitstatus_to_exitcode(done[1]) == 17
    finally:
        stop.set()
        for one in threads:
            one.join()


@pytest.mark.parametrize(
    "call",
    [
        "sampler.rows().lines(0, 10**12)",
        "sampler.score_many(range(2 * 10**6), [reply] * (2 * 10**6))",
        # It is consumed without a line of Python between two samples.
        "collections.deque(sampler.samples(), maxlen=0)",
    ],
)
def test_ctrl_c_stops_a_long_call(call):
    code = f"""
import collections, cookc
sampler = cookc.Template.builtin("document_qa").compile()
reply = "a guess"
print("ready", flush=True)
try:
    {call}
except KeyboardInterrupt:
    assert sampler.score(0, sampler[0].reply).exact
    print("stopped", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    since = time.monotonic()
    try:
        assert process.communicate(timeout=30) == ("stopped\n", None)
    finally:
        process.kill()
    assert time.monotonic() - since < 5


def test_other_threads_run_while_samples_are_drawn(retrieval):
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    since = time.monotonic()
    retrieval.rows().lines(0, 100_000)
    took = time.monotonic() - since
    done.set()
    ticker.join()
    held = max(after - before for before, after in zip(ticks, ticks[1:]))
    assert held < max(0.1, took / 2), (held, took)


def run(*arguments, **options):
    return subprocess.run([COOKC, *arguments], capture_output=True, text=True, **options)


def test_the_command_line_comes_with_the_package():
    done = run("sample", "std:retrieval", "-n", "1")
    assert done.returncode == 0 and "prompt Documents:" in done.stdout
    help = run("--help").stdout
    assert all(f"\n  {command} " in help for command in ("generate", "train", "lsp", "align"))
    assert cookc.__version__ in run("--version").stdout
    module = subprocess.run(
        [sys.executable, "-m", "cookc", "--version"], capture_output=True, text=True
    )
    assert module.stdout == run("--version").stdout


def test_exit_codes_and_errors_are_those_of_the_command_line(tmp_path):
    assert run("generat").returncode == 2
    done = run("check", str(tmp_path / "no.cook"))
    assert done.returncode == 1 and "there is no file" in done.stderr
    out = tmp_path / "no" / "out.jsonl"
    assert run("generate", "std:retrieval", "-n", "1", "-o", str(out)).returncode == 3


def test_a_reader_that_goes_away_is_no_error():
    command = f"{COOKC} generate std:retrieval -n 100000 | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.count("\n") == 1 and done.stderr == ""


def test_ctrl_c_ends_the_command_line(tmp_path):
    out = tmp_path / "out.jsonl"
    command = [COOKC, "generate", "std:document_qa", "-n", "1000000000", "-o", out]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130 and "interrupted" in said
    # What `--resume` goes on with lies beside it.
    assert all(path.name.startswith(".cookc-out.jsonl.") for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", ["torch", "ray", "datatrove"])
def test_an_import_takes_no_other_library_along(name):
    code = f"import cookc, sys; assert {name!r} not in sys.modules and 'pyarrow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_there_is_no_other_attribute():
    with pytest.raises(AttributeError, match="no attribute 'trainer'"):
        cookc.trainer


def test_an_import_takes_less_than_50_ms():
    code = "import time; a = time.perf_counter(); import cookc; print(time.perf_counter() - a)"
    best = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True).stdout)
        for _ in range(5)
    )
    assert best < 0.05


def test_the_stubs_name_what_there_is():
    import ast

    path = ROOT / "python" / "cookc" / "_cookc.pyi"
    from cookc import _cookc

    stubbed = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            stubbed.add(node.name)
        if isinstance(node, ast.ClassDef):
            stubbed.add(node.name)
            native = getattr(_cookc, node.name)
            assert native.__doc__, f"{node.name} has no docstring"
            own = {one for one in vars(native) if not one.startswith("_")}
            named = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
            named |= {one.target.id for one in node.body if isinstance(one, ast.AnnAssign)}
            assert own == {one for one in named if not one.startswith("_")}, node.name
            for one in own:
                assert node.name == "Error" or getattr(native, one).__doc__, f"{node.name}.{one}"
    assert stubbed == {one for one in dir(_cookc) if not one.startswith("_")}
