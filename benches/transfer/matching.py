#!/usr/bin/env python3
"""Entity matching as tasks of `cookc eval`: do two records describe the same thing?

    benches/transfer/matching.py DIR er_beer.jsonl er_fodors_zagats.jsonl er_amazon_google.jsonl

reads a line a pair, {"left": {...}, "right": {...}, "match": true}, and writes for each file DIR/NAME.jsonl
and DIR/NAME.toml. A record is the words of its fields; the wording is that of `std:entity_match`.
"""

import json
import pathlib
import sys

TASK = """\
# Whether two records describe the same thing: F1 is that of "yes".
kind = "choice"
context = "Record A: {{{{ left }}}}\\nRecord B: {{{{ right }}}}\\nSame? (yes/no)\\n"
choices = ["no", "yes"]
gold = "{{{{ match }}}}"
delimiter = ""
metrics = ["acc", "acc_uncond", "f1"]
unconditional = "Same? (yes/no)\\n"

[data]
path = "{name}.jsonl"
"""


def words(record):
    return " ".join(" ".join(str(value) for value in record.values()).split())


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for source in map(pathlib.Path, sys.argv[2:]):
        rows = [json.loads(line) for line in source.open()]
        pairs = [
            {
                "left": words(row["left"]),
                "right": words(row["right"]),
                "match": int(row["match"]),
                "verdict": "yes" if row["match"] else "no",
            }
            for row in rows
        ]
        with (folder / f"{source.stem}.jsonl").open("w") as out:
            out.writelines(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs)
        (folder / f"{source.stem}.toml").write_text(TASK.format(name=source.stem))
        print(f"{source.stem}: {len(pairs)} pairs, {sum(pair['match'] for pair in pairs)} match")


main()
