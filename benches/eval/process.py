"""Runs a process and measures it as a whole: wall and processor seconds, peak memory."""
import json
import os
import subprocess
import sys
import tempfile
import time


def run(words, environment=None):
    """Seconds, processor seconds, peak resident bytes, and the last line of output if that is JSON; stops on a failure."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = time.perf_counter()
        child = subprocess.Popen(words, stdout=out, stderr=err, env={**os.environ, **(environment or {})})
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    if child.returncode != 0:
        sys.exit(f"{' '.join(words)}\nended with {child.returncode}:\n{texts[1][-2000:]}")
    return {
        "process_seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime,
        # Linux counts it in KiB.
        "peak_bytes": usage.ru_maxrss * 1024, "said": last_json(texts[0]),
    }


def last_json(text):
    for line in reversed(text.splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return {}
