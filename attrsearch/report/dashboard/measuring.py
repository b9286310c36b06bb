"""Winners that people chose, measured in the background while their pages already show them."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from attrsearch.core.errors import AttrsearchError, InputError

log = logging.getLogger(__name__)

Told = Callable[[str, dict[str, Any] | None], None]
"""Told of a person and what is measured of them; of None once the files of the run have it."""


@dataclass(frozen=True)
class Measuring:
    """A choice that the run's files do not have yet.

    Attributes:
        trial: What was chosen.
        error: Why it could not be measured; empty while it is.
    """

    trial: int
    error: str = ""


class Background:
    """Measures one choice after another; a choice that fails leaves the old winner.

    A choice whose server is killed before it was measured was never made: the run's files are
    written only after the measurement, whole.

    Args:
        measure: Measures a person's trial and writes it.
        told: Told of every change.
    """

    def __init__(self, measure: Callable[[str, int], Any], told: Told) -> None:
        self._measure = measure
        self._told = told
        # one thread: the models are loaded once, and choices are written in their order
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="measuring")
        self._lock = threading.Lock()
        self._open: set[str] = set()

    def start(self, identity: str, trial: int) -> None:
        """Measure a choice as soon as those before it are done.

        Raises:
            InputError: Another choice for the same person is being measured.
        """
        with self._lock:
            if identity in self._open:
                hint = "wait until that is done"
                found = "another choice that is being measured"
                raise InputError(identity, required="one choice at a time", found=found, hint=hint)

            self._open.add(identity)

        self._told(identity, asdict(Measuring(trial)))
        self._worker.submit(self._run, identity, trial)

    def wait(self) -> None:
        """Return when everything that was started is done."""
        self._worker.shutdown(wait=True)

    def _run(self, identity: str, trial: int) -> None:
        left: dict[str, Any] | None = None
        try:
            self._measure(identity, trial)
        except AttrsearchError as error:
            left = asdict(Measuring(trial, str(error)))
        except Exception:
            # nobody waits for this thread: whoever looks at the page has to be told
            log.exception("trial %d of %s could not be measured", trial, identity)
            left = asdict(Measuring(trial, "it broke off; the dashboard's own output says where"))
        finally:
            with self._lock:
                self._open.discard(identity)

            self._told(identity, left)
