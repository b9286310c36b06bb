"""The progress bar of a run, in a terminal or a notebook."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attrsearch.core.progress import Progress
    from attrsearch.search.run import RunProgress


def in_notebook() -> bool:
    """Whether the caller is a notebook."""
    # looked up, not imported: who runs in a notebook has it loaded
    console = sys.modules.get("IPython")
    shell = console.get_ipython() if console is not None else None
    return getattr(shell, "kernel", None) is not None


@contextmanager
def run_bar(disable: bool = False) -> "Iterator[Progress[RunProgress]]":
    """The bar of a run: people done, share feasible, evaluations a second, time left."""
    from tqdm.auto import tqdm  # noqa: PLC0415 - only where there is a bar

    layout = "search {percentage:3.0f}%|{bar}|{postfix}"
    with tqdm(
        total=1, file=sys.stderr, disable=disable, dynamic_ncols=True, bar_format=layout
    ) as shown:

        def show(state: "RunProgress") -> None:
            rate = state.evaluations / state.seconds if state.seconds else 0.0
            words = [f"{state.done}/{state.people} people"]
            if state.done:
                words.append(f"{state.feasible / state.done:.0%} feasible")

            words.append(f"{rate:.1f} evaluations/s")
            if state.seconds_left is not None:
                words.append(f"{_clock(state.seconds_left)} left")

            shown.total = max(1, state.expected)
            shown.n = min(shown.total, state.evaluations)
            shown.set_postfix_str(", ".join(words), refresh=False)
            # draws, but no more often than the bar allows itself
            shown.update(0)

        yield show
        shown.refresh()


def _clock(seconds: float) -> str:
    """Seconds as a person reads them.

    >>> _clock(75), _clock(3700)
    ('1:15', '1:01:40')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
