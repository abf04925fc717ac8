"""Rows as Arrow's batches, and as the lines that the command line writes."""

import json
import subprocess
import sys

import pytest

import cookc

pyarrow = pytest.importorskip("pyarrow")


def generate(*arguments):
    command = [sys.executable, "-m", "cookc", "generate", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


@pytest.mark.parametrize("shape", cookc.shapes())
def test_rows_are_the_bytes_that_the_command_line_writes(retrieval, shape):
    options = ["--level", "easy", "--seed", "9", "--split", "eval", "--shape", shape]
    lines = generate("std:retrieval", "-n", "500", "--first", "3", *options)
    rows = retrieval.rows(9, split="eval", shape=shape)
    assert rows.lines(3, 500) == lines
    parsed = [json.loads(line) for line in lines.splitlines()]
    assert rows.batch(3, 500).to_pylist() == parsed
    assert [rows[i] for i in range(3, 23)] == parsed[:20]


def test_a_batch_is_that_of_the_parquet_file_of_the_command_line(retrieval, tmp_path):
    import pyarrow.parquet

    path = tmp_path / "rows.parquet"
    generate("std:retrieval", "-n", "5000", "--level", "easy", "--seed", "4", "-o", str(path))
    table = pyarrow.parquet.read_table(path)
    batch = retrieval.batch(4, 0, 5000)
    assert isinstance(batch, pyarrow.RecordBatch)
    assert pyarrow.Table.from_batches([batch]).equals(table, check_metadata=False)
    assert batch.schema.metadata[b"huggingface"] == table.schema.metadata[b"huggingface"]


def test_a_batch_of_no_rows_has_its_columns(retrieval):
    batch = retrieval.batch(0, 0, 0)
    assert batch.num_rows == 0 and batch.schema == retrieval.batch(0, 0, 1).schema


def test_a_batch_is_passed_on_without_a_copy(retrieval):
    # What pyarrow has allocated does not grow by the batch: its buffers are ours.
    before = pyarrow.total_allocated_bytes()
    batch = retrieval.batch(0, 0, 20_000)
    assert batch.nbytes > 1_000_000
    assert pyarrow.total_allocated_bytes() - before < 10_000


def test_a_batch_outlives_its_sampler():
    batch = cookc.Template.builtin("retrieval").compile().batch(0, 0, 100)
    assert batch.column("prompt")[99].as_py() == (
        cookc.Template.builtin("retrieval").compile()[99].prompt
    )


def test_a_stream_has_the_rows_of_one_batch_in_several(retrieval):
    stream = retrieval.stream(2, 5, 1000, split="eval", shape="messages", rows=300)
    reader = pyarrow.RecordBatchReader.from_stream(stream)
    batches = list(reader)
    assert [one.num_rows for one in batches] == [300, 300, 300, 100]
    whole = retrieval.batch(2, 5, 1000, split="eval", shape="messages")
    assert pyarrow.Table.from_batches(batches).to_pylist() == whole.to_pylist()
    assert pyarrow.schema(stream) == whole.schema


def test_a_stream_ends_at_a_sample_that_cannot_be_drawn(zero, failing):
    reader = pyarrow.RecordBatchReader.from_stream(zero.stream(0, failing, 1))
    with pytest.raises(Exception, match="E601"):
        reader.read_next_batch()


def test_other_libraries_read_a_stream_and_a_batch(retrieval):
    expected = retrieval.batch(0, 0, 50).to_pylist()
    polars = pytest.importorskip("polars")
    assert polars.DataFrame(retrieval.stream(0, 0, 50, rows=20)).to_dicts() == expected
    assert polars.DataFrame(retrieval.batch(0, 0, 50)).to_dicts() == expected
    duckdb = pytest.importorskip("duckdb")
    batch = retrieval.batch(0, 0, 50)  # noqa: F841: DuckDB finds it by its name.
    query = "select count(*), count(distinct prompt) from batch"
    assert duckdb.sql(query).fetchall() == [(50, 50)]


def test_without_pyarrow_a_batch_says_what_to_install(tmp_path):
    code = """
import sys
sys.modules["pyarrow"] = None
import cookc
sampler = cookc.Template.builtin("retrieval").compile()
sampler.stream(0, 0, 5).__arrow_c_schema__()
try:
    sampler.batch(0, 0, 5)
except ImportError as error:
    assert "pip install 'cookc[arrow]'" in str(error), error
else:
    raise AssertionError("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
