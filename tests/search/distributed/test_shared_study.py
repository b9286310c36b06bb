"""One study over several workers by a database.

Who measures what, that nothing is lost, that results are the same.
"""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna
import pytest

from attrsearch.core.errors import InputError
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import load_study
from attrsearch.search.distributed import shared_study as shared
from attrsearch.search.distributed import storage
from attrsearch.search.distributed.shared_study import StudyRecord
from attrsearch.search.distributed.storage import Database
from attrsearch.search.models import Settings
from attrsearch.search.terms import FaceScores
from tests.search.distributed.servers import Postgres, free_port

SETTINGS = Settings(load_study("quick"), load_space("one-pass"), load_objective("utility_product"))
ROUNDS, ASKS, FACES = 3, 4, 3


def candidates(number: int) -> np.ndarray:
    return np.random.default_rng(number).uniform(-1, 1, (ASKS, 1, 13)).astype(np.float32)


def scores_of(rows: np.ndarray) -> FaceScores:
    """What an evaluator would say: something that depends on the candidate alone, to the bit."""
    base = rows.reshape(len(rows), -1)[:, :FACES].astype(np.float32)
    return FaceScores(*(np.abs(base) * np.float32(k + 1) for k in range(6)))


class Worker(threading.Thread):
    """A worker of a study; it notes what it measured itself."""

    def __init__(self, url: str, name: str, rounds: int = ROUNDS, seconds: float = 0.02) -> None:
        super().__init__(daemon=True)
        self.url, self.study, self.rounds, self.seconds = url, name, rounds, seconds
        self.measured: list[tuple[int, int]] = []
        self.found: list[FaceScores] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            record = StudyRecord(Database.open(self.url), self.study, 1)
            for number in range(self.rounds):
                rows = candidates(number)

                def measure(
                    chosen: Sequence[int], number: int = number, rows: np.ndarray = rows
                ) -> FaceScores:
                    time.sleep(self.seconds * len(chosen))
                    self.measured += [(number, row) for row in chosen]
                    return scores_of(rows[list(chosen)])

                self.found.append(record.measure(number * ASKS, rows, measure, SETTINGS))
        except BaseException as error:
            self.error = error

    def check(self) -> None:
        self.join(120)
        assert self.error is None
        assert not self.is_alive()
        for number, found in enumerate(self.found):
            expected = scores_of(candidates(number))
            for name in FaceScores.__dataclass_fields__:
                assert np.array_equal(getattr(found, name), getattr(expected, name))
        assert len(self.found) == self.rounds


def share_a_study(url: str, name: str, rounds: int = ROUNDS) -> int:
    """Share it; gives how many candidates were measured more than once."""
    workers = [Worker(url, name, rounds) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.check()
    together = [item for worker in workers for item in worker.measured]
    assert set(together) == {(number, row) for number in range(rounds) for row in range(ASKS)}
    assert sum(bool(worker.measured) for worker in workers) > 1
    late = Worker(url, name, rounds)
    late.start()
    late.check()
    assert not late.measured  # it was all there

    study = optuna.load_study(study_name=name, storage=url)
    complete = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    assert sorted(trial.user_attrs["candidate"] for trial in complete) == list(range(rounds * ASKS))
    assert set(complete[0].constraints) == {"constraint_0", "constraint_1"}
    return len(together) - rounds * ASKS


def test_sqlite(tmp_path: Path) -> None:
    share_a_study(f"sqlite:///{tmp_path / 'studies.db'}", "a", rounds=2)


def test_postgresql(postgres: Postgres) -> None:
    assert share_a_study(postgres.url, "a") <= ASKS  # hardly anything twice


def test_a_worker_that_was_killed_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "LEASE", 0.5)
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    record = StudyRecord(Database.open(url), "a", 1)
    for slot in record._slots(0, candidates(0))[:2]:
        assert record._start(slot)  # taken, and never answered
        assert not record._start(slot)  # by one worker only
    worker = Worker(url, "a", rounds=1)
    worker.start()
    worker.check()
    assert sorted(worker.measured) == [(0, row) for row in range(ASKS)]


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # of connections that were cut
def test_a_database_that_goes_and_comes_back(
    postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    workers = [Worker(postgres.url, "gone", rounds=4, seconds=0.1) for _ in range(2)]
    for worker in workers:
        worker.start()
    while len(workers[0].found) < 1 and workers[0].is_alive():
        time.sleep(0.02)
    postgres.stop()
    time.sleep(1.0)
    before = [len(worker.found) for worker in workers]
    time.sleep(0.5)
    assert [len(worker.found) for worker in workers] == before  # they wait
    postgres.start()
    for worker in workers:
        worker.check()
    assert any("the database is gone; waiting for it" in line for line in caplog.messages)
    assert any("the database is back after" in line for line in caplog.messages)
    assert all("secret" not in line for line in caplog.messages)


def test_other_candidates_under_one_name_are_refused(tmp_path: Path) -> None:
    record = StudyRecord(Database.open(f"sqlite:///{tmp_path / 'studies.db'}"), "a", 1)
    record.measure(0, candidates(0), lambda rows: scores_of(candidates(0)[list(rows)]), SETTINGS)
    with pytest.raises(InputError, match="needs workers that propose the same candidates"):
        record.measure(
            0, candidates(1), lambda rows: scores_of(candidates(1)[list(rows)]), SETTINGS
        )


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("nothing", "--storage: needs a database, found no address of one"),
        ("foo://host/name", "needs a database's driver"),
        (
            "postgresql+psycopg://ann:hunter2@127.0.0.1:{port}/x",
            r"ann:\*\*\*@127\.0\.0\.1.*needs a database, found no answer",
        ),
    ],
)
def test_no_database(monkeypatch: pytest.MonkeyPatch, url: str, line: str) -> None:
    monkeypatch.setattr(storage, "PAUSE", 0.01)
    with pytest.raises(InputError, match=line) as error:
        Database.open(url.format(port=free_port()))
    assert "hunter2" not in str(error.value)
