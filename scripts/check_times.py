"""Times `cookc check` on every file of stdlib/ and examples/, whole process: docs/results/check-raw.txt.

    python3 scripts/check_times.py target/release/cookc
"""

import glob
import statistics
import subprocess
import sys
import time

RUNS = 11


def milliseconds(cookc: str, file: str) -> float:
    start = time.perf_counter()
    subprocess.run([cookc, "check", file], capture_output=True)
    return (time.perf_counter() - start) * 1000


for file in sorted(glob.glob("stdlib/*.cook")) + sorted(glob.glob("examples/*.cook")):
    milliseconds(sys.argv[1], file)
    times = sorted(milliseconds(sys.argv[1], file) for _ in range(RUNS))
    median = statistics.median(times)
    print(f"{file:38} least {times[0]:5.1f} median {median:5.1f} greatest {times[-1]:5.1f} ms")
