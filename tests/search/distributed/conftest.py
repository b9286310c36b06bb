"""Servers for tests."""

import gc
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from attrsearch.search.distributed.storage import forget
from tests.search.distributed.servers import Cluster, Postgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL; where there is none the test is skipped, and says so."""
    import tempfile

    with tempfile.TemporaryDirectory(
        prefix="attrsearch-postgres-"
    ) as folder:  # where another user may go
        running = Postgres(Path(folder))
        yield running
        running.stop()


@pytest.fixture
def postgres(server: Postgres) -> Iterator[Postgres]:
    """The same, every connection closed after the test."""
    yield server
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # connections that were cut, or belong to threads that ended
        forget()
        gc.collect()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A Dask scheduler with two worker processes."""
    pytest.importorskip("distributed", reason="no Dask here: pip install 'attrsearch[scale]'")
    running = Cluster(2)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _modules_of_tests_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes import what they are sent by name."""
    root = str(Path(__file__).parents[3])
    monkeypatch.setenv("PYTHONPATH", root)
    assert sys.version_info >= (3, 11)
