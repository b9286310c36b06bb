"""How far a piece of work is, told to whoever asked: one form for every room."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where a piece of work is.

    Attributes:
        stage: What is done: ``find``, ``search``, ``cover``.
        count: How much of it is done.
        total: Of how much; 0 where that is not known.
    """

    stage: str
    count: int
    total: int = 0


Told_contra = TypeVar("Told_contra", bound=Step, contravariant=True)


class Progress(Protocol[Told_contra]):
    """Whoever is told about steps; a function of one step is one."""

    def __call__(self, step: Told_contra, /) -> None:
        """Take note of a step."""


def silent(step: Step, /) -> None:
    """Tell nobody."""


def staged(progress: Progress[Step], stage: str, total: int = 0) -> Callable[[int], None]:
    """A function that tells counts of one stage.

    >>> tell = staged(print, "find", 3)
    >>> tell(1)
    Step(stage='find', count=1, total=3)
    """

    def tell(count: int) -> None:
        progress(Step(stage=stage, count=count, total=total))

    return tell


def named(progress: Progress[Step], stage: str) -> Progress[Step]:
    """Steps of a part of the work under the name that the whole has for it."""

    def tell(step: Step, /) -> None:
        progress(replace(step, stage=stage))

    return tell
