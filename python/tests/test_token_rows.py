"""Samples as token ids: the rows that the command line writes, without a copy."""

import json
import subprocess
import sys

import pytest

import cookc

pyarrow = pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """A tokenizer that has a token for each letter and for some words."""
    folder = tmp_path_factory.mktemp("tokenizer")
    pieces = ["</s>", *map(chr, range(32, 127)), "\n", " a", " b", "ab"]
    end = {"id": 0, "content": "</s>", "special": True}
    flags = dict.fromkeys(["single_word", "lstrip", "rstrip", "normalized"], False)
    model = {
        "type": "BPE",
        "vocab": {piece: number for number, piece in enumerate(pieces)},
        "merges": [[" ", "a"], [" ", "b"], ["a", "b"]],
        **dict.fromkeys(["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"]),
        "fuse_unk": False,
        "byte_fallback": False,
    }
    steps = dict.fromkeys(
        ["truncation", "padding", "normalizer", "pre_tokenizer", "decoder", "post_processor"]
    )
    text = json.dumps({"version": "1.0", **steps, "added_tokens": [end | flags], "model": model})
    (folder / "tokenizer.json").write_text(text)
    (folder / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
    return folder


def test_rows_are_those_that_the_command_line_writes(retrieval, tokenizer, tmp_path):
    path = tmp_path / "ids.arrow"
    options = ["-n", "500", "--first", "3", "--seed", "9", "--split", "eval", "--level", "easy"]
    of_ids = ["--shape", "ids", "--tokenizer", str(tokenizer), "--length", "1500"]
    command = [sys.executable, "-m", "cookc", "generate", "std:retrieval", "-o", str(path)]
    subprocess.run([*command, *options, *of_ids], check=True)
    with pyarrow.ipc.open_stream(path) as reader:
        table = reader.read_all()
    batch = retrieval.token_rows(tokenizer, 9, split="eval", length=1500).batch(3, 500)
    assert isinstance(batch, pyarrow.RecordBatch)
    assert batch.schema.equals(table.schema, check_metadata=True)
    assert batch.to_pylist() == table.to_pylist()
    assert sum(len(row["seq_lengths"]) for row in batch.to_pylist()) == 500
    assert all(len(row["input_ids"]) <= 1500 for row in batch.to_pylist())


def test_a_batch_of_ids_is_passed_on_without_a_copy_and_outlives_its_rows(tokenizer):
    sampler = cookc.Template.builtin("retrieval").level("easy").compile()
    before = pyarrow.total_allocated_bytes()
    batch = sampler.token_rows(tokenizer).batch(0, 2000)
    del sampler
    assert batch.nbytes > 1_000_000
    assert pyarrow.total_allocated_bytes() - before < 10_000
    assert batch.column("input_ids")[0].as_py()[-1] == 0


def test_no_samples_are_no_rows(retrieval, tokenizer):
    rows = retrieval.token_rows(str(tokenizer))
    assert rows.batch(0, 0).num_rows == 0
    assert rows.batch(0, 0).schema == rows.batch(0, 1).schema


def test_what_cannot_be_encoded_is_said(retrieval, tokenizer, tmp_path):
    with pytest.raises(cookc.Error, match="write `--length|write `length"):
        retrieval.token_rows(tokenizer, length=10).batch(0, 5)
    with pytest.raises(cookc.Error, match="tokenizer"):
        retrieval.token_rows(tmp_path / "none")
    with pytest.raises(cookc.Error, match="does not know what tell shows"):
        template = cookc.Template.parse("tell.cook", 'n ~ uniform(0..9)\nprompt "é {n}"\nreply "{n}"\n')
        template.compile().token_rows(tokenizer)
    with pytest.raises(ValueError, match="`length` must be at least 2"):
        retrieval.token_rows(tokenizer, length=1)
    with pytest.raises(TypeError, match="`tokenizer` must be a path"):
        retrieval.token_rows(7)
