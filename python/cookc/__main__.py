"""The command line: `cookc`, and `python -m cookc`."""

import os
import signal
import sys

from cookc import _cookc


def main():
    """Runs the command line with this process' arguments, and ends the process with its exit code."""
    # Ctrl-C ends it, or is what the command makes of it; no Python runs meanwhile to see it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    arguments = sys.argv[1:]
    code = _cookc.main(["cookc", *arguments], [sys.executable, "-m", "cookc", *arguments])
    # Without what Python does at its end: nothing of it was used.
    os._exit(code)


if __name__ == "__main__":
    main()
