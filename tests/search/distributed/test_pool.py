"""Calls over real worker processes: loky, and a Dask scheduler.

Workers that die, a scheduler that goes and comes.
"""

import os
import threading
import time
from pathlib import Path

import pytest

from attrsearch.core.errors import InputError
from attrsearch.core.recipes.study import Workers
from attrsearch.search.distributed import pool as module
from attrsearch.search.distributed.pool import Pool, WorkersLostError
from tests.search.distributed.servers import Cluster, free_port
from tests.search.distributed.tasks import dies_once, fails, profiled, where

LOKY = Workers(jobs=2)


def dask(address: str) -> Workers:
    return Workers(backend="dask", scheduler=address)


def test_loky_uses_processes() -> None:
    with Pool(LOKY) as pool:
        assert pool.size() == 2
        found = list(pool.spread(where, [(i, 0.2) for i in range(6)]))
    assert sorted(number for number, _ in found) == list(range(6))
    processes = {process for _, process in found}
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_a_single_call_runs_in_a_process_too() -> None:
    with Pool(Workers(jobs=1)) as pool:
        [(_, process)] = pool.spread(where, [(0,)])
    assert process != os.getpid()


def test_a_killed_loky_worker_is_one_exception_and_the_pool_goes_on(tmp_path: Path) -> None:
    with Pool(LOKY) as pool:
        with pytest.raises(WorkersLostError, match="a worker process died"):
            list(pool.spread(dies_once, [(i, str(tmp_path)) for i in range(4)]))
        assert sorted(pool.spread(dies_once, [(i, str(tmp_path)) for i in range(4)])) == list(
            range(4)
        )


def test_errors_of_calls_are_not_losses() -> None:
    with Pool(LOKY) as pool, pytest.raises(ValueError, match="number 7"):
        list(pool.spread(fails, [(7,)]))


def test_dask_a_worker_dies_and_the_scheduler_restarts(
    cluster: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Pool(dask(cluster.address)) as pool:
        deadline = time.monotonic() + 60
        while pool.size() < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        found = list(pool.spread(where, [(i, 0.2) for i in range(6)]))
        assert sorted(number for number, _ in found) == list(range(6))
        assert {process for _, process in found} == {worker.pid for worker in cluster.workers}

        # a worker that dies: Dask gives its call to the other one
        assert sorted(pool.spread(dies_once, [(i, str(tmp_path)) for i in range(4)])) == list(
            range(4)
        )
        assert sum(worker.poll() is not None for worker in cluster.workers) == 1

        # one worker left: calls still run there, not here
        [(_, process)] = pool.spread(where, [(0,)])
        assert process in {worker.pid for worker in cluster.workers}

        with pytest.raises(ValueError, match="number 3"):
            list(pool.spread(fails, [(3,)]))

        # the scheduler dies while it is asked
        cluster.workers.append(cluster.add())
        while pool.size() < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        calls = pool.spread(where, [(i, 0.5) for i in range(8)])
        next(calls)
        cluster.scheduler.kill()
        with pytest.raises(
            WorkersLostError, match="the Dask cluster lost workers or its scheduler"
        ):
            list(calls)

        # and comes back at the same address
        cluster.stop()
        again = threading.Timer(1.0, cluster.start)
        again.start()
        assert sorted(number for number, _ in pool.spread(where, [(i,) for i in range(4)])) == list(
            range(4)
        )
        again.join()
    waiting = f"waiting for a Dask scheduler with workers at {cluster.address}"
    assert caplog.messages[-1] == waiting


def test_no_scheduler_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="no Dask here: pip install 'attrsearch[scale]'")
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    monkeypatch.setattr(module, "PAUSE", 0.2)
    address = f"tcp://127.0.0.1:{free_port()}"
    with (
        Pool(dask(address)) as pool,
        pytest.raises(InputError, match="needs a Dask scheduler with a worker") as error,
    ):
        pool.size()
    command = (
        f"dask worker {address} --nthreads 1 --preload attrsearch.search.distributed.dask_worker"
    )
    assert command in str(error.value)


def test_dask_workers_are_ready_when_they_start(cluster: Cluster) -> None:
    with Pool(dask(cluster.address)) as pool:
        assert list(pool.spread(profiled, [()])) == [([], True)]
