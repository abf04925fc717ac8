"""Runs cookc under limits, says how it ended, and compares what runs leave behind.

Imported by mutants.py, kills.py, pairs.py and speed.py; not a program. Linux only, standard library only.
"""
import argparse
import hashlib
import json
import multiprocessing
import os
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

# Bytes of the messages that are kept: the start, where a panic is named, and the end, where an error is.
KEPT = 6000

# Lines of metrics.jsonl and keys of report.json that differ from run to run, or say where a run lies.
TIMES = re.compile(r"seconds|per_second|memory|time|crc|checksum|digest")
PLACES = {"name", "recipe", "versions"}

# What may steer a terminal: control characters but tab and line feed, and marks of text direction.
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass
class Done:
    """How a process ended."""

    code: int  # the exit code, or minus the signal's number
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    text: str  # standard error
    hung: bool  # ended by a limit of time, on the wall or of the processor

    @property
    def outcome(self):
        """refused, machine (exit 3), mute (an error without a word), accepted, panic, abort, hang, other."""
        if self.hung or self.code == -signal.SIGXCPU:
            return "hang"
        if self.code == 101 or "panicked at" in self.text:
            return "panic"
        if self.code < 0:
            return "abort"
        if self.code == 0:
            return "accepted"
        if not self.text.strip():
            return "mute"
        return {1: "refused", 2: "refused", 3: "machine"}.get(self.code, "other")

    @property
    def steers(self):
        """Whether the message would steer a terminal."""
        return STEERING.search(self.text) is not None


def environment(home, threads=None):
    """An environment without colours, caches of models, networks or settings of the caller's own."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    more = {"RAYON_NUM_THREADS": str(threads)} if threads else {}
    return {**keep, **more, "HOME": str(home), "NO_COLOR": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}


def start(argv, cwd, env, errors, stdin=None, stdout=None):
    """Starts a process; its standard error goes to the open file `errors`."""
    source = open(stdin, "rb") if stdin else subprocess.DEVNULL
    target = open(stdout, "wb") if stdout else subprocess.DEVNULL
    argv = [str(word) for word in argv]
    try:
        return subprocess.Popen(argv, cwd=cwd, env=env, stdin=source, stdout=target, stderr=errors)
    finally:
        for file in (source, target):
            if file is not subprocess.DEVNULL:
                file.close()


def reap(process, began, errors, wall=None):
    """Waits for a process, for at most `wall` seconds, without polling."""
    handle = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        hung = not poll.poll(None if wall is None else wall * 1000)
        if hung:
            end(process)
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        os.close(handle)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    cpu = usage.ru_utime + usage.ru_stime
    return Done(process.returncode, seconds, cpu, usage.ru_maxrss * 1024, tail(errors), hung)


def end(process):
    """Kills a process that has not been waited for. Popen.kill would wait for one that has just ended."""
    os.kill(process.pid, signal.SIGKILL)


def run(argv, cwd, env, errors, stdin=None, stdout=None, cpu=None, wall=None, memory=None):
    """Runs a command to its end. `errors` is the path of a file for its standard error; `cpu` and `wall`
    are in seconds, `memory` in bytes of address space."""
    with open(errors, "wb") as file:
        began = time.monotonic()
        process = start(argv, cwd, env, file, stdin, stdout)
        limits = [(resource.RLIMIT_CORE, 0, 0)]
        limits += [(resource.RLIMIT_CPU, cpu, cpu + 5)] if cpu else []
        limits += [(resource.RLIMIT_AS, memory, memory)] if memory else []
        for which, soft, hard in limits:
            try:
                resource.prlimit(process.pid, which, (soft, hard))
            except ProcessLookupError:
                pass  # it has ended already
    return reap(process, began, errors, wall)


def tail(path):
    """The start and the end of a file as text."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(KEPT)
        if size <= 2 * KEPT:
            rest = file.read()
        else:
            file.seek(size - KEPT)
            rest = b"\n...\n" + file.read()
    return (head + rest).decode("utf-8", "replace")


def state(folder):
    """Names and sizes of all files below a folder, as they are now."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    found += state(entry.path)
                found.append((entry.path, entry.stat(follow_symlinks=False).st_size))
    except (FileNotFoundError, NotADirectoryError):
        pass  # not there yet, or gone meanwhile
    return found


def digest(path):
    """The first 16 hexadecimal digits of a file's SHA-256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def names(folder):
    """All files below a folder, but those for TensorBoard, of which a resumed run has one more."""
    found = (path.relative_to(folder) for path in Path(folder).rglob("*") if not path.is_dir())
    return {str(path) for path in found if "tensorboard" not in path.parts}


def without_times(value, drop=frozenset()):
    """A JSON value without what differs between two runs that are the same."""
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if key not in drop and not TIMES.search(key)}
        return {key: without_times(one) for key, one in kept.items()}
    if isinstance(value, list):
        return [without_times(one) for one in value]
    return value


def result(folder):
    """What a finished run comes to, by part: two runs that are the same have the same. A part that is
    not there or cannot be read is None."""
    folder = Path(folder)

    def guarded(make):
        try:
            return make()
        except (OSError, ValueError):
            return None

    def metrics():
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        return [without_times(json.loads(line)) for line in lines]

    parts = {
        "metrics": guarded(metrics),
        "samples": guarded(lambda: digest(folder / "samples.jsonl")),
        "report": guarded(lambda: without_times(json.loads((folder / "report.json").read_text()), PLACES)),
        "page": guarded(lambda: (folder / "report.html").read_text().rstrip().endswith("</html>")),
    }
    for place in ("model", "adapter", "best"):
        files = sorted(name for name in names(folder) if name.startswith(place + "/"))
        parts[place] = guarded(lambda: {name: digest(folder / name) for name in files}) or None
    return parts


def different(one, other):
    """The parts in which two results differ."""
    return sorted(part for part in one if one[part] != other.get(part))


def torn(folder):
    """Files under a final name that are not whole. The last line of metrics.jsonl may be cut off, since
    it is appended to; a line before it may not."""
    folder, bad = Path(folder), []
    for name in sorted(names(folder)):
        path = folder / name
        if path.name.startswith("."):
            continue
        try:
            whole(path)
        except FileNotFoundError:
            continue  # a name that went meanwhile
        except (ValueError, KeyError) as error:
            bad.append(f"{name}: {error}")
    return bad


def whole(path):
    """Raises ValueError where a file is not whole, by its ending."""
    data = path.read_bytes()
    if path.suffix == ".json":
        json.loads(data)
    elif path.suffix == ".jsonl":
        lines = data.split(b"\n")
        last = lines.pop()
        if last and path.name != "metrics.jsonl":
            raise ValueError("the last line is cut off")
        for line in lines:
            json.loads(line)
    elif path.suffix == ".toml":
        tomllib.loads(data.decode())
    elif path.suffix == ".html":
        if not data.rstrip().endswith(b"</html>"):
            raise ValueError("cut off")
    elif path.suffix == ".safetensors":
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        header.pop("__metadata__", None)
        end = max((one["data_offsets"][1] for one in header.values()), default=0)
        if len(data) != 8 + size + end:
            raise ValueError(f"{len(data)} bytes, its header says {8 + size + end}")
    elif path.suffix == ".gguf":
        if data[:4] != b"GGUF":
            raise ValueError("no GGUF")


def arguments(doc, many, count, workers, examples):
    """The command line that the programs which try cookc `count` times share; `many` are what they try."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=doc, formatter_class=formatter)
    parser.add_argument("cookc", nargs="?", type=lambda path: Path(path).resolve(), help="the program to try")
    parser.add_argument("--count", type=int, default=count, help=f"{many} in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=workers, help=f"{many} at once")
    parser.add_argument("--out", help=f"a file for the raw results, a JSON line for each of the {many}")
    parser.add_argument("--examples", type=int, default=examples, help="bad ones of each kind that are shown")
    parser.add_argument("--table", help="only prints the table of raw results")
    return parser


def main(parser, options, many, make_rows, report, is_bad):
    """Makes rows and reports them, or reports those of --table. Exits with 1 if one is bad."""
    if options.table:
        with open(options.table) as file:
            return report([json.loads(line) for line in file])
    if options.cookc is None:
        parser.error("name the program to try")
    began = time.monotonic()
    rows = make_rows()
    report(rows)
    print(f"\n{len(rows)} {many}, seed {options.seed}, {time.monotonic() - began:.0f} s")
    sys.exit(1 if any(map(is_bad, rows)) else 0)


def share_out(options, names, worker, prefix, is_bad):
    """Has workers try the names in turn until there are `options.count` rows, and gives the rows."""
    rows, out = [], open(options.out, "w") if options.out else None
    with tempfile.TemporaryDirectory(prefix=prefix) as scratch:
        tasks, results = multiprocessing.Queue(), multiprocessing.Queue()
        for number in range(options.count):
            tasks.put((names[number % len(names)], number))
        workers = []
        for at in range(options.workers):
            tasks.put(None)
            own = Path(scratch) / f"worker-{at}"
            workers.append(multiprocessing.Process(target=worker, args=(own, tasks, results), daemon=True))
            workers[-1].start()
        for at in range(options.count):
            row = results.get()
            if isinstance(row, str):
                for one in workers:
                    one.terminate()
                    one.join()
                sys.exit(row)
            rows.append(row)
            if out:
                out.write(json.dumps(row) + "\n")
                out.flush()
            if (at + 1) % 25 == 0:
                print(f"{at + 1} trials, {sum(map(is_bad, rows))} with a fault", file=sys.stderr, flush=True)
        for one in workers:
            one.join()
    return rows


def table(heads, rows):
    """Rows as a Markdown table, numbers to the right."""
    text = [[str(cell) for cell in row] for row in rows]
    print("| " + " | ".join(heads) + " |")
    print("|" + "|".join([" --- "] + [" ---: "] * (len(heads) - 1)) + "|")
    for row in text:
        print("| " + " | ".join(row) + " |")
