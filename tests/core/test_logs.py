"""Lines of the log where they are kept, not shown."""

import logging
import threading

import pytest

from attrsearch.core.logs import PACKAGE, collected, listening

log = logging.getLogger("attrsearch.search.distributed.pool")


def test_collected_lines_are_nobody_elses(caplog: pytest.LogCaptureFixture) -> None:
    with collected() as lines:
        log.warning("a worker died")
    log.warning("another")
    assert lines == ["a worker died"]
    assert caplog.messages == ["another"]


def test_listening_takes_nothing_away(caplog: pytest.LogCaptureFixture) -> None:
    lines: list[str] = []
    with listening(lines.append, "attrsearch.search.distributed"):
        log.warning("the database is gone")
        logging.getLogger("attrsearch.faces.dataset").warning("no face")
    log.warning("the database is back")
    assert lines == ["the database is gone"]
    assert len(caplog.messages) == 3


def test_an_error_leaves_the_log_as_it_was() -> None:
    package = logging.getLogger(PACKAGE)
    before = (list(package.handlers), package.propagate)
    with pytest.raises(KeyError), collected(), listening(print):
        raise KeyError
    assert (list(package.handlers), package.propagate) == before


def test_threads_leave_the_log_as_it_was() -> None:
    package = logging.getLogger(PACKAGE)
    before = (list(package.handlers), package.propagate)
    inside = threading.Event()
    found: list[list[str]] = []

    def first() -> None:
        with collected() as lines:
            inside.set()
            log.warning("first")
            found.append(lines)

    def second() -> None:
        inside.wait(10)
        with collected() as lines:
            log.warning("second")
            found.append(lines)

    threads = [threading.Thread(target=target) for target in (second, first)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [["first"], ["second"]]
    assert (list(package.handlers), package.propagate) == before
