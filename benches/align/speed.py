"""Times `cookc align` on rows of random English-like words: how many rows a minute on one core?

    python3 benches/align/speed.py target/release/cookc --rows 200000 --out docs/results/align-speed.jsonl

Documents have 150 words, questions 10, answers 3 words of the document; words have the lengths of English
and repeat as Zipf says. Every run has one thread (and --threads 2 beside it), as a whole process, start-up
and reading included. A line of the output is a run: format, threads, rows, seconds on the wall and of the
processor, rows a minute of each. Parquet and Arrow need pyarrow; without it they are left out. Linux.
"""

import argparse
import json
import os
import pathlib
import random
import resource
import subprocess
import tempfile
import time

WORDS = 20_000
DOCUMENT, QUESTION, ANSWER = 150, 10, 3


def rows(count: int):
    chance = random.Random(0)
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(chance.choice(letters) for _ in range(chance.choice([2, 3, 4, 4, 5, 6, 7, 8, 9])))
             for _ in range(WORDS)]
    weights = [1 / (rank + 10) for rank in range(WORDS)]
    for _ in range(count):
        document = chance.choices(words, weights, k=DOCUMENT)
        for at in range(14, DOCUMENT, 15):
            document[at] += "."
        start = chance.randrange(DOCUMENT - ANSWER)
        yield {
            "id": f"{chance.getrandbits(64):016x}",
            "context": " ".join(document).capitalize(),
            "question": " ".join(chance.choices(document, k=QUESTION)).capitalize() + "?",
            "answers": {"text": [" ".join(document[start:start + ANSWER])], "answer_start": [start]},
        }


def write(folder: pathlib.Path, count: int) -> dict[str, pathlib.Path]:
    made = {"jsonl": folder / "rows.jsonl"}
    with made["jsonl"].open("w") as file:
        for row in rows(count):
            file.write(json.dumps(row) + "\n")
    try:
        import pyarrow
        import pyarrow.json
        import pyarrow.parquet
    except ImportError:
        return made
    table = pyarrow.json.read_json(made["jsonl"])
    made |= {"parquet": folder / "rows.parquet", "arrow": folder / "rows.arrow"}
    pyarrow.parquet.write_table(table, made["parquet"])
    with pyarrow.ipc.new_stream(made["arrow"], table.schema) as sink:
        sink.write_table(table, max_chunksize=1000)
    return made


def run(cookc: str, path: pathlib.Path, threads: int) -> dict:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [cookc, "align", "std:answer_overlap", str(path), "--threads", str(threads), "--json",
         "--map", "document=context,answer=answers.text.0"],
        check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    report = json.loads(done.stdout)
    return {
        "format": path.suffix[1:], "threads": threads, "rows": report["rows"],
        "bytes": path.stat().st_size, "seconds": round(seconds, 3),
        "processor_seconds": round(processor, 3),
        "rows_a_minute": round(60 * report["rows"] / seconds),
        "rows_a_processor_minute": round(60 * report["rows"] / processor),
        "mean": report["alignment"]["mean"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("cookc")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path)
    given = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        made = write(pathlib.Path(folder), given.rows)
        for name, path in made.items():
            for threads in [1] * given.runs + [min(2, os.cpu_count() or 1)]:
                lines.append(json.dumps(run(given.cookc, path, threads)))
                print(lines[-1], flush=True)
    if given.out:
        given.out.write_text("".join(line + "\n" for line in lines))


if __name__ == "__main__":
    main()
