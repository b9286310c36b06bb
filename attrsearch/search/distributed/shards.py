"""One part of the people for each of n jobs that know nothing of each other.

Slurm arrays, Kubernetes indexed jobs.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from attrsearch.core.errors import InputError

if TYPE_CHECKING:
    from attrsearch.faces.dataset import Person


@dataclass(frozen=True)
class Shard:
    """Part ``number`` (from 1) of ``of``."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``i/n``.

        >>> Shard.parse("3/8")
        Shard(number=3, of=8)

        Raises:
            InputError: Not such a text.
        """
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            hint = "number the parts from 1: --shard 1/4 to --shard 4/4"
            raise InputError("--shard", required="a part such as 1/4", found=text, hint=hint)

        return cls(int(match[1]), int(match[2]))

    def choose(self, people: "Sequence[Person]") -> "list[Person]":
        """Every n-th of the people, by name.

        Parts differ by one person at most, and each person is in one.
        """
        # by name: jobs list folders in whatever order their file systems have
        return sorted(people, key=lambda person: person.id)[self.number - 1 :: self.of]

    def record(self, people: "Sequence[Person]") -> dict[str, Any]:
        """What ``run.toml`` says, so that parts of different people are not merged.

        Args:
            people: All people, those of other parts included.
        """
        # no name holds a zero: other people never give the same text
        names = "\0".join(sorted(person.id for person in people))
        digest = hashlib.sha256(names.encode()).hexdigest()
        return {"number": self.number, "of": self.of, "people": len(people), "digest": digest}
