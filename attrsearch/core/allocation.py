"""Keep freed memory for the next batch.

glibc gives large freed blocks back to the system at once and has every page cleared again on the
next use; the search frees and needs the same blocks some fifty times a second, which made up about
a tenth of its time.  Only the main arena can keep more than 64 MB: threads that have arenas of
their own have their pages cleared again and again.
"""

import ctypes
import sys

M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
KEPT = 1 << 30


def keep_freed_memory() -> bool:
    """Ask glibc to keep up to a gigabyte of freed memory, for all threads that start from now on.

    Returns:
        False where there is no glibc to ask.
    """
    if not sys.platform.startswith("linux"):
        return False

    try:
        libc = ctypes.CDLL("libc.so.6")
        options = ((M_MMAP_THRESHOLD, KEPT), (M_TRIM_THRESHOLD, KEPT), (M_ARENA_MAX, 1))
        return all(libc.mallopt(option, value) for option, value in options)
    except (OSError, AttributeError):
        return False
