"""A database that may go away and come back.

Every call is made again until it is answered, for a while.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Self, TypeVar

import optuna
import sqlalchemy
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from attrsearch.core.errors import InputError

log = logging.getLogger(__name__)

R = TypeVar("R")

PATIENCE = 300.0
"""Seconds a database that is gone is waited for."""
PAUSE = 0.5
TRIES = 8
"""Times that opening is tried: workers that open a new database at once make its tables at once."""


class Database:
    """An Optuna storage.

    Args:
        storage: The storage.
        shown: Its address without a password.
    """

    def __init__(self, storage: BaseStorage, shown: str) -> None:
        self.storage = storage
        self._shown = shown

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect.

        Args:
            url: As SQLAlchemy has them: ``postgresql+psycopg://user:password@host/name``,
                ``sqlite:///file.db``.

        Raises:
            InputError: No such kind of address, no driver for it, or nothing answers there.
        """
        required = "a database"
        hint = "give one such as postgresql+psycopg://user:password@host/name"

        try:
            shown = sqlalchemy.make_url(url).render_as_string(hide_password=True)
        except ArgumentError as error:
            raise InputError(
                "--storage", required=required, found="no address of one", hint=hint
            ) from error

        options = (
            # SQLite has one writer at a time: the others wait instead of failing
            {"connect_args": {"timeout": 60}}
            if url.startswith("sqlite")
            # a server closes connections that rest: each is tried before it is used
            else {"pool_pre_ping": True}
        )
        for attempt in range(TRIES):
            try:
                # two threads at once would open two, and the connections of one were never closed
                with _opening:
                    if url not in _opened:
                        _opened[url] = RDBStorage(url, engine_kwargs=options)

                    return cls(_opened[url], shown)
            except (ImportError, NoSuchModuleError) as error:
                hint = "pip install 'attrsearch[scale]'"
                raise InputError(
                    shown, required=f"{required}'s driver", found=str(error), hint=hint
                ) from error
            except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
                if attempt == TRIES - 1:
                    found = f"no answer ({str(error.__cause__ or error).splitlines()[0]})"
                    raise InputError(
                        shown, required=required, found=found, hint="start it"
                    ) from error

                time.sleep(PAUSE)

        raise AssertionError

    def call(self, function: Callable[[], R]) -> R:
        """What a function that asks the database gives, asked again while the database is gone.

        Args:
            function: May be called several times, also after it was carried out.

        Raises:
            InputError: The database stayed away for ``PATIENCE`` seconds.
        """
        gone: float | None = None

        while True:
            try:
                answer = function()
            except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
                if gone is None:
                    gone = time.monotonic()
                    log.warning(f"{self._shown}: the database is gone; waiting for it")

                if time.monotonic() - gone > PATIENCE:
                    found = f"none for {PATIENCE:.0f} s"
                    hint = "start it, then continue with --resume"
                    raise InputError(
                        self._shown, required="a database", found=found, hint=hint
                    ) from error

                time.sleep(PAUSE)
            else:
                if gone is not None:
                    log.warning(
                        f"{self._shown}: the database is back after {time.monotonic() - gone:.1f} s"
                    )

                return answer


_opened: dict[str, RDBStorage] = {}
_opening = threading.Lock()


def forget() -> None:
    """Close every connection of this process."""
    for storage in _opened.values():
        storage.remove_session()
        storage.engine.dispose()

    _opened.clear()
