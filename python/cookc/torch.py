"""Data sets for PyTorch: samples drawn where they are needed, exactly resumable.

`IterableDataset` is a stream that the ranks of a training and the workers of a `DataLoader` share: no
sample comes twice, and none is missing. `MapDataset` is addressed by index. The items of both are rows
of a shape, as dicts. Both have `state_dict` and `load_state_dict`, which torchdata's
`StatefulDataLoader` calls in its workers.
"""

import os

import torch.distributed
import torch.utils.data

__all__ = ["IterableDataset", "MapDataset"]


class _Rows:
    """The rows of some samples, and what tells them from all others."""

    def __init__(self, sampler, seed, start, split, shape):
        self._sampler, self._seed, self._start = sampler, seed, start
        self._split, self._shape = split, shape
        self._rows = sampler.rows(seed, split=split, shape=shape)
        sampler.samples(seed, start, 0, split=split)  # The start is a good one, or this raises.

    def _identity(self):
        return {
            "template": self._sampler.name,
            "level": self._sampler.level,
            "digest": self._sampler.digest,
            "seed": int(self._seed),
            "split": self._split,
            "start": int(self._start),
            "shape": self._shape,
        }

    def _expect(self, state, own):
        """Raises unless a state is of these rows."""
        if not isinstance(state, dict):
            raise TypeError(f"a state must be a dict, and is a `{type(state).__name__}`")
        for name, value in own.items():
            if name not in state:
                raise ValueError(f"the state has no {name!r}: it is not one of this data set")
            if state[name] != value:
                found = state[name]
                raise ValueError(f"the state is of other rows: {name!r} is {found!r}, not {value!r}")

    def __getstate__(self):
        # The rows are made again from the sampler in another process.
        return {name: value for name, value in self.__dict__.items() if name != "_rows"}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._rows = self._sampler.rows(self._seed, split=self._split, shape=self._shape)


class IterableDataset(_Rows, torch.utils.data.IterableDataset):
    """The rows of the samples from `start` on, `count` of them; without a count they never end.

    They are dealt out in blocks of `block` rows to the workers of all ranks in turn. With `block` equal
    to the `DataLoader`'s batch size, the batches come in the same order whatever the number of workers.
    The number of ranks is `world_size`, and this is `rank`; where they are not given, they are those of
    `torch.distributed`, of the environment (`RANK` and `WORLD_SIZE`, as torchrun sets them), or one.
    Give `rank=0, world_size=1` where something else deals the rows out to the ranks, as accelerate does.

    Each pass begins with the first row; after `load_state_dict` the next pass goes on from there.
    """

    def __init__(
        self,
        sampler,
        count=None,
        *,
        seed=0,
        start=0,
        split="train",
        shape="full",
        block=1,
        rank=None,
        world_size=None,
    ):
        super().__init__(sampler, seed, start, split, shape)
        if count is not None:
            sampler.samples(seed, start, count, split=split)
        if block < 1:
            raise ValueError(f"`block` must be at least 1, and is {block}")
        self._rank, self._world_size = _group(rank, world_size)
        self._count, self._block = count, block
        self._position, self._next = 0, 0

    def __len__(self):
        """The rows of this rank; a stream without an end has no length."""
        if self._count is None:
            raise TypeError("a stream without a count has no length")
        blocks, rest = divmod(self._count, self._block)
        own = len(range(self._rank, blocks, self._world_size)) * self._block
        return own + (rest if blocks % self._world_size == self._rank else 0)

    def __iter__(self):
        self._position, self._next = self._next, 0
        return self._read(*self._shard())

    def _read(self, shard, shards):
        while True:
            turn, within = divmod(self._position, self._block)
            at = (turn * shards + shard) * self._block + within
            if self._count is not None and at >= self._count:
                return
            # Counted first: a state that is taken while the row is used is that after it.
            self._position += 1
            yield self._rows[self._start + at]

    def state_dict(self):
        """Where this worker's stream is: numbers and texts, as JSON has them."""
        shard, shards = self._shard()
        return {**self._identity(), "position": self._position, "shard": shard, "shards": shards}

    def load_state_dict(self, state):
        """Goes on, in the next pass, where a stream of the same rows and as many workers was."""
        shard, shards = self._shard()
        self._expect(state, {**self._identity(), "shard": shard, "shards": shards})
        self._position = self._next = int(state["position"])

    def _identity(self):
        return {**super()._identity(), "count": self._count, "block": self._block}

    def _shard(self):
        worker = torch.utils.data.get_worker_info()
        workers, at = (worker.num_workers, worker.id) if worker else (1, 0)
        # Blocks go to the ranks first, so that all ranks have the same number of them.
        return at * self._world_size + self._rank, workers * self._world_size


class MapDataset(_Rows, torch.utils.data.Dataset):
    """The rows of `count` samples from `start` on, by their place among them, from 0."""

    def __init__(self, sampler, count, *, seed=0, start=0, split="train", shape="full"):
        super().__init__(sampler, seed, start, split, shape)
        sampler.samples(seed, start, count, split=split)
        self._count = int(count)

    def __len__(self):
        return self._count

    def __getitem__(self, at):
        if not -self._count <= at < self._count:
            raise IndexError(f"there are {self._count} rows, and none is {at}")
        return self._rows[self._start + at % self._count]

    def state_dict(self):
        """What its rows are; where a `DataLoader` is among them, its sampler knows."""
        return self._identity()

    def load_state_dict(self, state):
        """Raises unless the state is that of the same rows."""
        self._expect(state, self._identity())

    def _identity(self):
        return {**super()._identity(), "count": self._count}


def _group(rank, world_size):
    """This process' rank, and how many there are."""
    if (rank is None) != (world_size is None):
        raise ValueError("`rank` and `world_size` must be given together")
    if rank is None:
        distributed = torch.distributed
        if distributed.is_available() and distributed.is_initialized():
            rank, world_size = distributed.get_rank(), distributed.get_world_size()
        else:
            rank = int(os.environ.get("RANK", 0))
            world_size = int(os.environ.get("WORLD_SIZE", 1))
    if not 0 <= rank < world_size:
        raise ValueError(f"`rank` must be in 0..{world_size}, and is {rank}")
    return rank, world_size
