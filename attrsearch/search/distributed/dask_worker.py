"""What a Dask worker should load.

Type ``dask worker ... --preload attrsearch.search.distributed.dask_worker``.

Libraries are imported when the worker starts, not on its event loop when a run begins; freed memory
is kept by the thread that runs the calls, too; and nobody looks at that thread's stack a hundred
times a second.
"""

from typing import Any

from attrsearch.core.allocation import keep_freed_memory

keep_freed_memory()  # before the threads that will run the calls

import attrsearch.search.distributed.workers  # noqa: E402, F401

PROFILING = ("profile", "profile-cycle")


def dask_setup(worker: Any) -> None:
    """Called by Dask when the worker starts.

    Args:
        worker: A ``distributed.Worker``.
    """
    for name in PROFILING:
        if callback := worker.periodic_callbacks.pop(name, None):
            # taken out alone it would still be called
            callback.stop()
