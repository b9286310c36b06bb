"""Calls spread over worker processes: joblib on this machine (loky), or on a Dask cluster.

Whatever runs them, results come as they are ready, and the loss of a worker is one exception.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import joblib
from joblib.externals.loky.process_executor import BrokenProcessPool

from attrsearch.core.errors import InputError
from attrsearch.core.recipes.study import Workers

log = logging.getLogger(__name__)

R = TypeVar("R")

PATIENCE = 300.0
"""Seconds a scheduler that is gone is waited for."""
PAUSE = 2.0
PRELOAD = "attrsearch.search.distributed.dask_worker"
"""What a Dask worker should load when it starts."""


class WorkersLostError(Exception):
    """Workers died, or the scheduler is gone; calls that were not answered may be made again."""


class Pool:
    """Worker processes.

    Args:
        workers: How many, and where.
    """

    def __init__(self, workers: Workers) -> None:
        self.workers = workers
        self._client: Any = None

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def size(self) -> int:
        """How many calls run at once."""
        if self.workers.backend == "loky":
            return self.workers.jobs

        found: int = sum(self._connected().ncores().values())
        return max(1, min(found, self.workers.jobs) if self.workers.jobs > 1 else found)

    @property
    def waiting(self) -> str:
        """What is said while a scheduler is waited for."""
        return f"waiting for a Dask scheduler with workers at {self.workers.scheduler}"

    def spread(self, function: Callable[..., R], calls: Iterable[tuple[Any, ...]]) -> Iterator[R]:
        """Results of ``function(*call)``, in the order in which they are ready.

        Few calls are taken ahead.

        Raises:
            WorkersLostError: Workers died; what was not given out may be asked for again.
            Exception: What a call raised.
        """
        try:
            if (
                self.workers.backend == "dask" and self.size() == 1
            ):  # joblib would make the calls here
                for call in calls:
                    # not pure: Dask would answer a second try with the first one's error
                    yield self._connected().submit(function, *call, pure=False).result()

                return

            if self.workers.backend == "loky":
                # with one job joblib would make the calls here, in the process that must survive
                # them
                options: dict[str, Any] = {"backend": "loky", "n_jobs": max(2, self.workers.jobs)}
            else:
                options = {"backend": "dask", "client": self._connected()}

            with joblib.parallel_config(**options):
                parallel = joblib.Parallel(
                    # one call a worker: no more has to be made again when workers are lost
                    batch_size=1,
                    pre_dispatch="n_jobs",
                    return_as="generator_unordered",
                )

            yield from parallel(joblib.delayed(function)(*call) for call in calls)
        except BrokenProcessPool as error:
            raise WorkersLostError("a worker process died (killed, or out of memory)") from error
        except Exception as error:
            if self.workers.backend == "dask" and _is_loss(error):
                self._close()
                raise WorkersLostError(
                    f"the Dask cluster lost workers or its scheduler ({type(error).__name__})"
                ) from error

            raise

    def _connected(self) -> Any:
        try:
            from distributed import Client  # noqa: PLC0415 - an extra
        except ImportError as error:
            hint = "pip install 'attrsearch[scale]'"
            raise InputError(
                "--backend dask", required="dask and distributed", found="none", hint=hint
            ) from error

        logging.getLogger("distributed").setLevel(
            logging.CRITICAL
        )  # what is lost is told in a line of ours
        address = self.workers.scheduler
        started = time.monotonic()
        notified = False

        while self._client is None or self._client.status != "running" or not self._client.ncores():
            waited = time.monotonic() - started
            if waited > PATIENCE:
                self._close()
                hint = (
                    f"start one: dask scheduler; dask worker {address} --nthreads 1 --preload "
                    f"{PRELOAD}"
                )
                required = "a Dask scheduler with a worker"
                raise InputError(
                    address, required=required, found=f"none in {waited:.0f} s", hint=hint
                )

            try:
                if self._client is None or self._client.status != "running":
                    self._close()
                    self._client = Client(address, timeout=10, set_as_default=False)
                    continue
            except (OSError, TimeoutError):
                self._client = None

            if not notified:
                # not a warning: said even where quiet was asked for, or the run looks as if it hung
                log.error(self.waiting)
                notified = True

            time.sleep(PAUSE)

        return self._client

    def _close(self) -> None:
        client = self._client
        self._client = None
        if client is not None:
            # a scheduler that is gone never says goodbye
            client.close(timeout=2)


def _is_loss(error: BaseException) -> bool:
    from concurrent.futures import CancelledError  # noqa: PLC0415 - with distributed, an extra

    from distributed import KilledWorker  # noqa: PLC0415 - an extra
    from distributed.client import FutureCancelledError  # noqa: PLC0415 - an extra
    from distributed.comm import CommClosedError  # noqa: PLC0415 - an extra

    kinds = (
        KilledWorker,
        CancelledError,
        FutureCancelledError,
        CommClosedError,
        ConnectionError,
        TimeoutError,
    )
    return isinstance(error, kinds)
