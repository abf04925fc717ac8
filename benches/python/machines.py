#!/usr/bin/env python3
"""Rows drawn on two nodes of Ray and by ranks of datatrove: the bytes of one process, also after kills.

    pip install cookc-*.whl 'ray[data]==2.60.*' 'datatrove==0.10.1' orjson
    python benches/python/machines.py > docs/results/python-machines.jsonl

Each check prints a line, and the first that fails ends the script.
"""

import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pyarrow
import pyarrow.parquet

import cookc

ROWS = 40_000
SEED = 42
SHAPE = "messages"


def sampler():
    return cookc.Template.builtin("retrieval").level("hard").compile()


def put(what, **values):
    print(json.dumps({"what": what, **values}), flush=True)


def same_rows(table):
    """The rows, put into the order of their indices, are those of one process, each once."""
    ids = table.column("id").to_pylist()
    assert len(set(ids)) == len(ids) == ROWS, f"{len(ids)} rows, {len(set(ids))} of them different"
    order = sorted(range(ROWS), key=lambda at: int(ids[at].rpartition("/")[2]))
    expected = pyarrow.Table.from_batches([sampler().batch(SEED, 0, ROWS, shape=SHAPE)])
    assert table.take(order).to_pylist() == expected.to_pylist()
    return order == list(range(ROWS))


# Ray


def two_nodes():
    import ray
    from ray.cluster_utils import Cluster

    store = 256 << 20
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": store})
    second = cluster.add_node(num_cpus=1, object_store_memory=store)
    ray.init(address=cluster.address, log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    return ray, cluster, second, store


def read(ray, blocks=40, pause=0.0):
    """All rows, each with the node that has drawn its block."""
    source = cookc.ray.datasource(sampler(), ROWS, seed=SEED, shape=SHAPE)

    def with_node(batch):
        time.sleep(pause)
        node = ray.get_runtime_context().get_node_id()
        return batch.append_column("node", pyarrow.array([node] * len(batch), pyarrow.string()))

    rows = ray.data.read_datasource(source, override_num_blocks=blocks)
    rows = rows.map_batches(with_node, batch_format="pyarrow", batch_size=None)
    tables = list(rows.iter_batches(batch_format="pyarrow", batch_size=None))
    table = pyarrow.concat_tables(tables)
    return table.drop_columns(["node"]), len(set(table.column("node").to_pylist()))


def check_ray():
    ray, cluster, second, store = two_nodes()
    started = time.monotonic()
    table, nodes = read(ray, pause=0.05)
    in_order = same_rows(table)
    assert nodes == 2 and in_order
    put("Ray: two nodes give the rows of one process, in order", rows=ROWS, nodes=nodes,
        seconds=round(time.monotonic() - started, 1))

    done = []
    reader = threading.Thread(target=lambda: done.append(read(ray, pause=0.25)[0]))
    started = time.monotonic()
    reader.start()
    time.sleep(5)
    cluster.remove_node(second, allow_graceful=False)
    killed = time.monotonic()
    assert reader.is_alive(), "the node was killed after the end"
    cluster.add_node(num_cpus=1, object_store_memory=store)
    reader.join()
    took = time.monotonic() - started
    same_rows(done[0])
    put("Ray: a node killed midway and another started lose nothing", rows=ROWS,
        killed_after=round(killed - started, 1), seconds=round(took, 1))
    ray.shutdown()
    cluster.shutdown()


def ray_driver(folder):
    """Writes Parquet with a checkpoint; killed, it goes on."""
    import ray
    from ray.data.checkpoint import CheckpointConfig

    ray.init(num_cpus=2, object_store_memory=256 << 20, log_to_driver=False, include_dashboard=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.checkpoint_config = CheckpointConfig(
        id_column="id", checkpoint_path=str(folder / "checkpoint"), delete_checkpoint_on_success=False
    )

    def slowly(batch):
        time.sleep(0.3)
        return batch

    source = cookc.ray.datasource(sampler(), ROWS, seed=SEED, shape=SHAPE)
    rows = ray.data.read_datasource(source, override_num_blocks=40)
    rows = rows.map_batches(slowly, batch_format="pyarrow", batch_size=None)
    rows.write_parquet(str(folder / "rows"))


def kill_tree(process):
    """Ends a process that this script started, and all that it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def killed_and_run_again(what, command, folder, progress, finished):
    """Kills a command twice as soon as it has made some progress, then lets it end."""
    kills, seen = 0, []
    for _ in range(2):
        before = progress()
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while progress() < before + 5 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.poll() is None, f"{what}: it ended before it was killed: {process.returncode}"
        kill_tree(process)
        kills += 1
        seen.append(progress())
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    put(what, rows=ROWS, kills=kills, files_at_kills=seen, **finished())


def check_ray_checkpoint():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "rows").mkdir()

        def finished():
            table = pyarrow.parquet.read_table(folder / "rows")
            same_rows(table)
            return {"files": len(list((folder / "rows").glob("*.parquet")))}

        killed_and_run_again(
            "Ray: killed twice and started again with a checkpoint, every row is there once",
            [sys.executable, __file__, "--ray-driver", str(folder)],
            folder,
            lambda: len(list((folder / "rows").glob("*.parquet"))),
            finished,
        )


# datatrove


def trove(folder):
    """Writes JSON lines by 16 ranks, two at a time; killed, it goes on."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.base import PipelineStep
    from datatrove.pipeline.writers import JsonlWriter

    class Slowly(PipelineStep):
        type, name = "test", "slowly"

        def run(self, data, rank=0, world_size=1):
            for at, document in enumerate(data):
                if at % 500 == 0:
                    time.sleep(0.1)
                yield document

    pipeline = [
        cookc.datatrove.Reader(sampler(), ROWS, seed=SEED),
        Slowly(),
        JsonlWriter(str(folder / "documents"), compression=None),
    ]
    LocalPipelineExecutor(pipeline, tasks=16, workers=2, logging_dir=str(folder / "logs")).run()


def check_datatrove():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        done = lambda: len(list(folder.glob("logs/completions/*")))

        def finished():
            files = sorted((folder / "documents").glob("*.jsonl"))
            lines = [line for file in files for line in file.read_text().splitlines()]
            documents = [json.loads(line) for line in lines]
            assert len(documents) == ROWS
            texts, rows = sampler().rows(SEED, shape="text"), sampler().rows(SEED)
            for at, document in enumerate(documents):
                row = rows[at]
                assert document["id"] == row.pop("id")
                assert document["text"] == texts[at]["text"]
                assert document["metadata"] == row
            return {"files": len(files)}

        killed_and_run_again(
            "datatrove: killed twice and run again, every document is there once, in order",
            [sys.executable, __file__, "--datatrove", str(folder)],
            folder,
            done,
            finished,
        )


# Slurm


def check_slurm():
    """The array job of `examples/slurm.sh`, its tasks as Slurm would start them, with kills."""
    script = pathlib.Path(__file__).resolve().parents[2] / "examples" / "slurm.sh"
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        kills = 0
        count = 2_000_000
        arguments = ["std:retrieval", str(count), str(folder / "array")]
        for task in range(1, 4):
            slurm = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_COUNT": "3",
                     "SLURM_ARRAY_TASK_MIN": "1"}
            run = lambda: subprocess.Popen([script, *arguments], env={**os.environ, **slurm},
                                           stderr=subprocess.DEVNULL)
            for _ in range(3):
                process = run()
                time.sleep(chance.uniform(0.05, 0.6))
                if process.poll() is None:
                    process.kill()
                    kills += 1
                process.wait()
            assert run().wait() == 0
        one = ["cookc", "generate", "std:retrieval", "-n", str(count), "--format", "parquet"]
        subprocess.run([*one, "-o", str(folder / "one") + "/"], check=True, stderr=subprocess.DEVNULL)
        names = sorted(path.name for path in (folder / "one").glob("*.parquet"))
        assert names == sorted(path.name for path in (folder / "array").glob("*.parquet"))
        for name in names:
            assert (folder / "one" / name).read_bytes() == (folder / "array" / name).read_bytes()
        put("Slurm: the files of three tasks, killed and submitted again, are those of one process",
            rows=count, files=len(names), kills=kills)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ray-driver", type=pathlib.Path)
    parser.add_argument("--datatrove", type=pathlib.Path)
    parser.add_argument("--only", choices=["ray", "checkpoint", "datatrove", "slurm"])
    arguments = parser.parse_args()
    if arguments.ray_driver:
        return ray_driver(arguments.ray_driver)
    if arguments.datatrove:
        return trove(arguments.datatrove)
    checks = {"slurm": check_slurm, "datatrove": check_datatrove, "ray": check_ray,
              "checkpoint": check_ray_checkpoint}
    for name, check in checks.items():
        if arguments.only in (None, name):
            check()


if __name__ == "__main__":
    main()
