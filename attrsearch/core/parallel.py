"""How the processor is shared: every network runs on one thread, several batches run at once.

A network's last bits depend on how many threads its layers are divided among and, on several
threads, on the size of the batch; on one thread they do not.  Running batches side by side keeps
results the same to the bit whatever the number of threads, and leaves fewer serial parts than
dividing every layer.
"""

import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


def _default() -> int:
    available = os.cpu_count() or 1
    # a container or taskset may leave a process fewer cores than the machine has
    if hasattr(os, "sched_getaffinity"):
        available = len(os.sched_getaffinity(0))

    # what other libraries of numbers go by, so that one setting holds for all
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(available, int(wanted))) if wanted.isdigit() else available


_limit = _default()
_pool: ThreadPoolExecutor | None = None
_here = threading.local()
_filters = threading.RLock()


def threads() -> int:
    """How many batches run at once.

    The processor's cores, or fewer where ``OMP_NUM_THREADS`` says so.
    """
    return _limit


def set_threads(count: int) -> None:
    """Run that many batches at once from now on."""
    global _limit, _pool
    if count != _limit:
        pool, _pool, _limit = _pool, None, max(1, count)
        if pool is not None:
            pool.shutdown()


def in_parallel(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """``[function(item) for item in items]``, several at once, each with torch on one thread.

    >>> in_parallel(abs, [-1, -2, 3])
    [1, 2, 3]
    """
    # a worker that waited for other workers of the same pool could wait for ever
    if _limit == 1 or len(items) < 2 or getattr(_here, "working", False):
        return [function(item) for item in items]

    global _pool  # noqa: PLW0603
    # made once: starting threads costs more than many a batch
    if _pool is None:
        _pool = ThreadPoolExecutor(_limit, "attrsearch", _start)
    return list(_pool.map(function, items))


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, the next one made while the last is worked on.

    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    # an object of its own, since an item may be None
    end = object()
    with ThreadPoolExecutor(1, "attrsearch-ahead") as pool:
        coming = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield item  # type: ignore[misc]


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread inside the block."""
    # setting the number is slow, and in a worker it is 1 already
    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def without_warnings(category: type[Warning] = Warning) -> Iterator[None]:
    """Hide warnings inside the block, one thread at a time.

    Python's filters belong to the whole process: two threads that change them at once put back
    each other's.
    """
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield


def network(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate what runs a network: inference mode, on one thread."""
    inner = torch.inference_mode()(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with one_thread():
            return inner(*args, **kwargs)

    return call


def _start() -> None:
    _here.working = True
    torch.set_num_threads(1)
