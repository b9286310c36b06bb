"""What the contracts share."""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from attrsearch.core.plugins import KINDS
from attrsearch.core.sample import sample_folder
from attrsearch.faces.images import read_picture

Array = npt.NDArray[Any]

PEOPLE = ("astronaut", "cadet", "pilot")


@cache
def sample_pictures() -> dict[str, list[Array]]:
    """Two pictures, (h, w, 3), RGB, uint8, of each person of the bundled sample."""
    found = {}
    for name in PEOPLE:
        paths = sorted((sample_folder() / name).glob("*.jpg"))[:2]
        found[name] = [read_picture(path) for path in paths]

    return found


class Contract:
    """What the contracts share.

    Attributes:
        kind: Of the plug-in, as in ``attrsearch.<kind>``.
    """

    kind: str

    def make(self) -> Any:
        """Your plug-in, as attrsearch gets it: an object, or the function itself."""
        raise NotImplementedError(f"{type(self).__name__}.make: return your {self.kind}")

    def call(self, method: str, *arguments: Any) -> Any:
        """What a method gives; of a function the empty name."""
        made = self.make()
        self.needs(not method or hasattr(made, method), method, "to be there", "nothing")

        try:
            return (getattr(made, method) if method else made)(*arguments)
        except Exception as error:
            self.fail(method, "to take what attrsearch gives", f"{type(error).__name__}: {error}")

    def needs(self, holds: object, method: str, required: str, found: object) -> None:
        """Fail in one line where something does not hold."""
        if not bool(holds):
            self.fail(method, required, found)

    def fail(self, method: str, required: str, found: object) -> Any:
        """Fail in one line that names the method."""
        made = self.make()
        name = getattr(made, "__name__", type(made).__name__)
        raise AssertionError(
            f"{name}{'.' + method if method else ''}: needs {required}, found {found}"
        )

    def test_has_what_its_kind_has(self) -> None:
        """Every attribute and method is there."""
        made = self.make()
        for member in KINDS[self.kind]:
            self.needs(hasattr(made, member), member, "to be there", "nothing")

        if not KINDS[self.kind]:
            self.needs(callable(made), "", "to be a function", f"a {type(made).__name__}")


def form(value: object) -> str:
    """A value in a few words."""
    if isinstance(value, np.ndarray):
        return f"{value.shape}, {value.dtype}"
    if isinstance(value, list):
        return f"a list of {len(value)}"

    return f"a {type(value).__name__}"
