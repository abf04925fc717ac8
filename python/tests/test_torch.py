"""Data sets for PyTorch: each sample once, whatever the ranks and workers, and exactly resumed."""

import itertools
import json
import pickle

import pytest

import cookc.torch
from cookc.torch import IterableDataset, MapDataset

torch_data = pytest.importorskip("torch.utils.data")
HAS_TORCH = hasattr(torch_data, "DataLoader")


class Worker:
    """What PyTorch says in a worker's process."""

    def __init__(self, id, num_workers):
        self.id, self.num_workers = id, num_workers


def as_worker(monkeypatch, id, workers):
    info = Worker(id, workers) if workers else None
    monkeypatch.setattr("torch.utils.data.get_worker_info", lambda: info)


def indices(rows):
    return [int(row["id"].rpartition("/")[2]) for row in rows]


@pytest.mark.parametrize("world_size, workers, block", [(1, 0, 1), (1, 3, 4), (2, 1, 5), (3, 2, 1)])
def test_ranks_and_workers_share_the_rows_and_none_comes_twice(
    retrieval, monkeypatch, world_size, workers, block
):
    found = []
    for rank, worker in itertools.product(range(world_size), range(workers or 1)):
        as_worker(monkeypatch, worker, workers)
        data = IterableDataset(
            retrieval, 101, seed=3, start=7, block=block, rank=rank, world_size=world_size
        )
        rows = list(data)
        found += rows
    assert sorted(indices(found)) == list(range(7, 108))
    rows = retrieval.rows(3)
    assert all(row == rows[index] for row, index in zip(found, indices(found)))


def test_blocks_of_the_batch_size_keep_the_order_whatever_the_workers(retrieval, monkeypatch):
    orders = []
    for workers in (1, 2, 5):
        batches = []
        for worker in range(workers):
            as_worker(monkeypatch, worker, workers)
            own = iter(indices(IterableDataset(retrieval, 50, block=4)))
            batches.append(list(iter(lambda: list(itertools.islice(own, 4)), [])))
        # A loader takes a batch of each worker in turn.
        turns = itertools.zip_longest(*batches, fillvalue=[])
        orders.append([index for turn in turns for batch in turn for index in batch])
    assert orders == [list(range(50))] * 3


def test_a_stream_goes_on_exactly_where_it_was(retrieval, monkeypatch):
    for workers in (0, 3):
        as_worker(monkeypatch, 1 if workers else 0, workers)
        make = lambda: IterableDataset(retrieval, 60, seed=5, block=4, shape="text")
        whole = list(make())
        for stop in (0, 1, 4, 9, len(whole)):
            data = make()
            before = list(itertools.islice(iter(data), stop))
            state = json.loads(json.dumps(data.state_dict()))
            again = pickle.loads(pickle.dumps(make()))
            again.load_state_dict(state)
            assert again.state_dict() == state
            assert before + list(again) == whole
            # The pass after it begins with the first row.
            iterator = iter(again)
            assert again.state_dict()["position"] == 0
            assert list(iterator) == whole


def test_a_stream_without_a_count_never_ends(retrieval, monkeypatch):
    as_worker(monkeypatch, 0, 0)
    data = IterableDataset(retrieval)
    assert indices(itertools.islice(data, 1000)) == list(range(1000))
    with pytest.raises(TypeError, match="has no length"):
        len(data)


@pytest.mark.parametrize("block, world_size", [(1, 1), (4, 3), (7, 2)])
def test_the_length_is_that_of_a_rank(retrieval, monkeypatch, block, world_size):
    as_worker(monkeypatch, 0, 0)
    for rank in range(world_size):
        data = IterableDataset(retrieval, 53, block=block, rank=rank, world_size=world_size)
        assert len(data) == len(list(data))


def test_the_ranks_are_those_of_the_environment(retrieval, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    as_worker(monkeypatch, 0, 0)
    assert indices(IterableDataset(retrieval, 12)) == [1, 5, 9]
    assert indices(IterableDataset(retrieval, 3, rank=0, world_size=1)) == [0, 1, 2]


def test_a_state_of_other_rows_is_refused(retrieval, sampler, monkeypatch):
    as_worker(monkeypatch, 0, 0)
    state = IterableDataset(retrieval, 60, seed=5).state_dict()
    for other in (
        IterableDataset(sampler, 60, seed=5),
        IterableDataset(retrieval, 60, seed=6),
        IterableDataset(retrieval, 61, seed=5),
        IterableDataset(retrieval, 60, seed=5, start=1),
        IterableDataset(retrieval, 60, seed=5, split="eval"),
        IterableDataset(retrieval, 60, seed=5, shape="text"),
        IterableDataset(retrieval, 60, seed=5, block=2),
        IterableDataset(retrieval, 60, seed=5, rank=0, world_size=2),
        MapDataset(retrieval, 61, seed=5),
    ):
        with pytest.raises(ValueError, match="the state is of other rows"):
            other.load_state_dict(state)
    with pytest.raises(ValueError, match="the state has no 'template'"):
        MapDataset(retrieval, 60).load_state_dict({})
    with pytest.raises(TypeError, match="a state must be a dict"):
        MapDataset(retrieval, 60).load_state_dict(None)


def test_a_map_is_addressed_by_place(retrieval):
    data = MapDataset(retrieval, 10, seed=1, start=5, split="eval", shape="messages")
    assert len(data) == 10
    rows = retrieval.rows(1, split="eval", shape="messages")
    assert [data[at] for at in range(10)] == [rows[5 + at] for at in range(10)]
    assert data[-1] == data[9]
    again = pickle.loads(pickle.dumps(data))
    assert again[3] == data[3]
    again.load_state_dict(json.loads(json.dumps(data.state_dict())))
    for at in (10, -11):
        with pytest.raises(IndexError, match="there are 10 rows"):
            data[at]


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda it: IterableDataset(it, -1), "`count` must not be negative"),
        (lambda it: IterableDataset(it, 5, seed=-1), "`seed` must not be negative"),
        (lambda it: IterableDataset(it, 5, start=-1), "`start` must not be negative"),
        (lambda it: IterableDataset(it, 5, block=0), "`block` must be at least 1"),
        (lambda it: IterableDataset(it, 5, rank=1), "must be given together"),
        (lambda it: IterableDataset(it, 5, rank=2, world_size=2), "`rank` must be in 0..2"),
        (lambda it: MapDataset(it, 2**64), "`count` must be at most"),
    ],
)
def test_what_is_no_data_set_is_an_error(retrieval, make, said):
    with pytest.raises(ValueError) as caught:
        make(retrieval)
    assert said in str(caught.value)


@pytest.mark.skipif(not HAS_TORCH, reason="PyTorch is not installed")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_loader_has_every_row_once_in_order(retrieval, method):
    data = IterableDataset(retrieval, 90, block=8, shape="prompt-completion")
    loader = torch_data.DataLoader(
        data, batch_size=8, num_workers=3, multiprocessing_context=method
    )
    batches = list(loader)
    assert [int(one.rpartition("/")[2]) for batch in batches for one in batch["id"]] == list(range(90))
    places = torch_data.DataLoader(
        MapDataset(retrieval, 20), batch_size=5, num_workers=2, multiprocessing_context=method
    )
    assert [index for batch in places for index in batch["index"].tolist()] == list(range(20))


@pytest.mark.skipif(not HAS_TORCH, reason="PyTorch is not installed")
@pytest.mark.parametrize("workers", [0, 2])
def test_a_stateful_loader_goes_on_exactly_where_it_was(retrieval, workers):
    stateful = pytest.importorskip("torchdata.stateful_dataloader")
    for data in (
        lambda: IterableDataset(retrieval, 70, block=4, shape="text"),
        lambda: MapDataset(retrieval, 70, shape="text"),
    ):
        make = lambda: stateful.StatefulDataLoader(data(), batch_size=4, num_workers=workers)
        whole = [batch["id"] for batch in make()]
        for stop in (1, 5, 11):
            loader = make()
            iterator = iter(loader)
            before = [next(iterator)["id"] for _ in range(stop)]
            state = loader.state_dict()
            again = make()
            again.load_state_dict(state)
            assert before + [batch["id"] for batch in again] == whole
