"""Log lines of this package, for where they cannot be shown: kept in a list instead.

Every room logs what was left out or guessed to ``logging.getLogger(__name__)``, a line a record.
A program shows them as it likes; without any set-up Python prints them on stderr.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PACKAGE = "attrsearch"
"""Logger over those of all rooms."""


class LineHandler(logging.Handler):
    """Gives the line of every record to a function."""

    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__()
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        """Give a record's line on."""
        self._take(record.getMessage())


@contextmanager
def listening(take: Callable[[str], None], room: str = PACKAGE) -> Iterator[None]:
    """Give the lines that a room logs inside the block to a function, too."""
    logger = logging.getLogger(room)
    handler = LineHandler(take)
    logger.addHandler(handler)

    try:
        yield
    finally:
        logger.removeHandler(handler)


@contextmanager
def collected() -> Iterator[list[str]]:
    """Keep lines from everybody else inside the block, and in a list.

    For a worker process, whose lines nobody reads, and for what was said before.

    >>> with collected() as lines:
    ...     logging.getLogger("attrsearch.faces").warning("no face")
    >>> lines
    ['no face']
    """
    logger = logging.getLogger(PACKAGE)
    lines: list[str] = []

    # two threads that restored each other's handlers would leave none
    with _one_at_a_time:
        others = logger.handlers
        propagated = logger.propagate
        logger.handlers = [LineHandler(lines.append)]
        logger.propagate = False

        try:
            yield lines
        finally:
            logger.handlers = others
            logger.propagate = propagated


_one_at_a_time = threading.RLock()
