"""A data source for Ray Data: read tasks that draw their rows on any node.

>>> import ray
>>> source = cookc.ray.datasource(sampler, 1_000_000, shape="messages")  # doctest: +SKIP
>>> rows = ray.data.read_datasource(source)                              # doctest: +SKIP

Each row has an `id`, so that Ray's checkpoints tell the rows that are done. A task draws its rows from
the template's text and their indices alone: one that is lost with its node is run again elsewhere, and
gives the same rows. Ray keeps the order of the rows where its `preserve_order` says so.
"""

import ray.data
from ray.data.block import BlockMetadata
from ray.data.datasource import ReadTask

__all__ = ["Datasource", "datasource"]

# Rows of a block, at most; Ray asks for blocks of some tens of megabytes.
_BLOCK = 1 << 16
# Rows whose size is measured.
_MEASURED = 256


def datasource(sampler, count, *, seed=0, start=0, split="train", shape="full"):
    """The samples from `start` on, `count` of them, as rows of a shape: see `Sampler.rows`."""
    return Datasource(sampler, count, seed=seed, start=start, split=split, shape=shape)


class Datasource(ray.data.Datasource):
    """The rows of some samples: see `datasource`."""

    def __init__(self, sampler, count, *, seed=0, start=0, split="train", shape="full"):
        super().__init__()
        sampler.samples(seed, start, count, split=split)  # They are good, or this raises.
        self._sampler, self._seed, self._split, self._shape = sampler, seed, split, shape
        self._start, self._count = int(start), int(count)

    def get_name(self):
        """The name of the read tasks."""
        return f"Cookc{self._sampler.name.title().replace('_', '')}"

    def estimate_inmemory_data_size(self):
        """The size of all rows, from that of the first ones."""
        first = self._first_rows()
        return first.nbytes * self._count // max(1, first.num_rows)

    def get_read_tasks(self, parallelism, per_task_row_limit=None, data_context=None):
        """Ranges of the rows, as even as can be."""
        first = self._first_rows()
        tasks = max(1, min(parallelism, self._count))
        bounds = [self._start + self._count * task // tasks for task in range(tasks + 1)]
        return [
            ReadTask(
                self._read(begin, end),
                BlockMetadata(
                    num_rows=end - begin,
                    size_bytes=first.nbytes * (end - begin) // max(1, first.num_rows),
                    input_files=None,
                    exec_stats=None,
                ),
                schema=first.schema,
                per_task_row_limit=per_task_row_limit,
            )
            for begin, end in zip(bounds, bounds[1:])
            if end > begin
        ]

    def _first_rows(self):
        rows = self._sampler.rows(self._seed, split=self._split, shape=self._shape)
        return rows.batch(self._start, min(self._count, _MEASURED))

    def _read(self, begin, end):
        sampler, seed, split, shape = self._sampler, self._seed, self._split, self._shape

        def read():
            import pyarrow

            rows = sampler.rows(seed, split=split, shape=shape)
            for at in range(begin, end, _BLOCK):
                batch = rows.batch(at, min(_BLOCK, end - at))
                yield pyarrow.Table.from_batches([batch])

        return read
