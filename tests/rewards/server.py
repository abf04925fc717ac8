"""`cookc serve` for the checks of its clients: started at a free port, always stopped, its log read."""

import json
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager


@contextmanager
def serving(cookc, *arguments):
    """The address of a server, which ends with the block. Its log must not tell of a panic, and it must end well."""
    with tempfile.TemporaryFile("w+") as log:
        command = [cookc, "serve", *arguments, "--port", "0", "--color", "never"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        try:
            yield address(process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        text = said(log)
        assert "panicked" not in text, text[-2000:]
        assert process.returncode == 0, (process.returncode, text[-2000:])


def address(process, log):
    for _ in range(600):
        found = re.search(r"serving .* at (http://\S+)\n", said(log))
        if found:
            return found[1]
        assert process.poll() is None, f"it did not start: {said(log)}"
        time.sleep(0.05)
    raise AssertionError(f"it said no address in 30 seconds: {said(log)}")


def said(log):
    log.seek(0)
    return log.read()


def ask(url, body=None):
    """Status and answer of a request, without a client of a trainer."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def rows(cookc, *arguments):
    """The rows that `cookc generate` writes."""
    done = subprocess.run([cookc, "generate", *arguments, "-o", "-"], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]
