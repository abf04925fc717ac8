#!/usr/bin/env python3
"""Every shape in every format, read by the libraries that trainers read with: all rows equal those of the JSON lines.

    python3 -m venv VENV && VENV/bin/pip install "datasets==5.2.*" pandas polars duckdb tokenizers webdataset zstandard
    VENV/bin/python tests/readers/check.py COOKC

The data set is the mixture of two templates whose values differ, one of them with a system text.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import datasets
import duckdb
import pandas
import polars
import pyarrow
import pyarrow.parquet
import tokenizers
import webdataset

SHAPES = ["full", "prompt-completion", "messages", "alpaca", "sharegpt", "text", "verl", "nemo-gym"]
ENDINGS = ["jsonl", "jsonl.gz", "parquet", "arrow", "tar"]
RECIPE = """\
[model]
base = "scratch:tiny"
[[template]]
file = "std:retrieval"
[[template]]
file = "dated.cook"
[data]
vocab = 128
[train]
steps = 10
"""
TEMPLATE = """\
words_ ~ distinct(2, vocab)
first  = at(0, words_)
rule begins: first == at(0, words_)
system "The first of \\"two\\"."
prompt "{words_}"
reply "{first}"
"""
ROWS = 300


def queried(path):
    cursor = duckdb.connect().execute(f"select * from '{path}'")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def read_by(name, path):
    """What each library makes of a file."""
    if name == "tar":
        return {"webdataset": sampled(path)}
    of = {"jsonl": "json", "jsonl.gz": "json", "parquet": "parquet", "arrow": "arrow"}[name]
    load = lambda: datasets.load_dataset(of, data_files=str(path), split="train", cache_dir=path.parent / "cache")
    readers = {"datasets": lambda: load().to_list()}
    if name == "jsonl":
        readers["polars"] = lambda: polars.read_ndjson(path).to_dicts()
        # A null is NaN to pandas.
        table = lambda: pandas.read_json(path, lines=True).astype(object)
        readers["pandas"] = lambda: table().where(lambda it: it.notna(), None).to_dict("records")
        readers["duckdb"] = lambda: queried(path)
    if name == "parquet":
        readers["pyarrow"] = lambda: pyarrow.parquet.read_table(path).to_pylist()
        readers["polars"] = lambda: polars.read_parquet(path).to_dicts()
        readers["duckdb"] = lambda: queried(path)
    if name == "arrow":
        readers["pyarrow"] = lambda: pyarrow.ipc.open_stream(path).read_all().to_pylist()
        readers["Dataset.from_file"] = lambda: datasets.Dataset.from_file(str(path)).to_list()
    return {reader: read() for reader, read in readers.items()}


def sampled(path):
    """The samples of a tar file as `webdataset` decodes them, with the names of their columns."""
    columns = lambda sample: {name.rsplit(".", 1)[0]: value for name, value in sample.items() if name[0] != "_"}
    return [columns(sample) for sample in webdataset.WebDataset(str(path), shardshuffle=False).decode()]


def carded(cookc, folder):
    """`load_dataset` of a folder by its card, and the data made again from its manifest."""
    for ending in [*ENDINGS, "jsonl.zst"]:
        data = folder / f"set-{ending}"
        for split in ["train", "eval"]:
            command = [cookc, "generate", "std:retrieval", "-n", str(ROWS), "--split", split, "--shard-size", "128"]
            command += ["--format", "webdataset" if ending == "tar" else ending, "-o", f"{data}/{split}/"]
            command += ["--shape", "messages"]
            subprocess.run(command, check=True, capture_output=True)
        subprocess.run([cookc, "data", "card", data], check=True, capture_output=True)
        loaded = datasets.load_dataset(str(data), cache_dir=folder / "cache")
        assert {name: split.num_rows for name, split in loaded.items()} == {"train": ROWS, "eval": ROWS}, ending
        if ending != "tar":
            assert loaded["train"].features["messages"].feature["content"].dtype == "string", ending
        again = folder / f"again-{ending}"
        make = [cookc, "data", "make", data / "train" / "cookc.json", "-o", f"{again}/"]
        subprocess.run(make, check=True, capture_output=True)
        for file in sorted(again.iterdir()):
            assert file.read_bytes() == (data / "train" / file.name).read_bytes(), file
    print("cards: each loads by load_dataset, and is made again to the same bytes")


def packed(cookc, folder):
    """Rows of ids: those that the library of a tokenizer, taught here, makes of the samples' texts."""
    rows = [cookc, "generate", "std:retrieval", "-n", str(ROWS), "-o"]
    subprocess.run([*rows, "texts.jsonl", "--shape", "text"], cwd=folder, check=True, capture_output=True)
    texts = [json.loads(line)["text"] for line in (folder / "texts.jsonl").open()]
    tokenizer = tokenizers.ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(texts, vocab_size=900, special_tokens=["</s>"], show_progress=False)
    (folder / "tokenizer").mkdir()
    tokenizer.save(str(folder / "tokenizer" / "tokenizer.json"))
    (folder / "tokenizer" / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
    wanted = [[*tokenizer.encode(text).ids, tokenizer.token_to_id("</s>")] for text in texts]
    ids = ["--shape", "ids", "--tokenizer", "tokenizer", "--length", "2000"]
    for ending in ["arrow", "parquet"]:
        subprocess.run([*rows, f"ids.{ending}", *ids], cwd=folder, check=True, capture_output=True)
        for reader, found in read_by(ending, folder / f"ids.{ending}").items():
            samples = []
            for row in found:
                starts = [place for place, position in enumerate(row["position_ids"]) if position == 0]
                samples += [row["input_ids"][a:b] for a, b in zip(starts, [*starts[1:], None])]
                assert [len(sample) for sample in samples[-len(starts):]] == list(row["seq_lengths"]), reader
                learned = [label for label in row["labels"] if label != -100]
                assert len(row["labels"]) == len(row["input_ids"]) <= 2000 and learned, reader
            assert samples == wanted, f"{reader} of ids.{ending}"
    print(f"ids: {len(found)} rows of {len(wanted)} samples are those of the tokenizer's own library")


def main():
    cookc = pathlib.Path(sys.argv[1]).resolve()
    datasets.disable_progress_bars()
    compared, wrong = 0, []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "mixed.toml").write_text(RECIPE)
        (folder / "dated.cook").write_text(TEMPLATE)
        for shape in SHAPES:
            for ending in ENDINGS:
                command = [cookc, "generate", "mixed.toml", "-n", str(ROWS), "--shape", shape]
                command += ["-o", f"{shape}.{ending}"]
                subprocess.run(command, cwd=folder, check=True, capture_output=True)
            rows = [json.loads(line) for line in (folder / f"{shape}.jsonl").open()]
            assert len(rows) == ROWS
            # Of a column without a value, a tar file has no file.
            there = [{name: value for name, value in row.items() if value is not None} for row in rows]
            for ending in ENDINGS:
                for reader, found in read_by(ending, folder / f"{shape}.{ending}").items():
                    compared += 1
                    wanted = there if ending == "tar" else rows
                    if found != wanted:
                        differ = next((a, b) for a, b in zip(wanted, found) if a != b)
                        wrong.append(f"{reader} of {shape}.{ending}: {differ}")
        carded(cookc, folder)
        packed(cookc, folder)
    for line in wrong:
        print(line)
    assert not wrong, f"{len(wrong)} of {compared} readings differ"
    print(f"readers: {compared} readings of {ROWS} rows are those that were written")


main()
