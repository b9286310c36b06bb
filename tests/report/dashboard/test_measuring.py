"""Choices in the background: one after another, each told of, and none lost when one fails."""

import threading
from typing import Any

import pytest

from attrsearch.core.errors import InputError
from attrsearch.report.dashboard.measuring import Background


def test_choices_are_measured_in_their_order_and_told_of() -> None:
    held = threading.Event()
    done: list[tuple[str, int]] = []
    told: list[tuple[str, Any]] = []

    def measure(identity: str, trial: int) -> None:
        assert held.wait(60)
        done.append((identity, trial))

    background = Background(measure, lambda name, state: told.append((name, state)))
    background.start("Ann", 3)
    background.start("Bob", 4)
    assert told == [("Ann", {"trial": 3, "error": ""}), ("Bob", {"trial": 4, "error": ""})]
    with pytest.raises(InputError, match="Ann: needs one choice at a time"):
        background.start("Ann", 5)
    held.set()
    background.wait()
    assert done == [("Ann", 3), ("Bob", 4)]
    assert told[2:] == [("Ann", None), ("Bob", None)]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            InputError("faces", required="pictures", found="none", hint="give them"),
            "needs pictures",
        ),
        (RuntimeError("a bug"), "it broke off"),
    ],
)
def test_what_fails_is_told_and_the_next_goes_on(error: Exception, said: str) -> None:
    told: list[Any] = []

    def measure(identity: str, trial: int) -> None:
        if identity == "Ann":
            raise error

    background = Background(measure, lambda name, state: told.append((name, state)))
    background.start("Ann", 3)
    background.start("Bob", 4)
    background.wait()
    states = dict(told)
    assert said in states["Ann"]["error"]
    assert states["Bob"] is None
