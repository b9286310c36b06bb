"""What may be said of a person after a search: one verdict, the same words everywhere.

The constraints of the objective decide it, first on the pictures that were searched, then on the
pictures that were kept back from the search.
"""

from collections.abc import Sized
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What a winner was shown to do.

    Attributes:
        HOLDS: The constraints hold on the searched pictures, and on all that were kept back.  Only
            this is called anonymised.
        SEARCHED_ONLY: They hold on the searched pictures; on others they do not, or none is left
            to tell.
        NOT_ANONYMISED: They do not hold on the searched pictures.
    """

    HOLDS = "holds"
    SEARCHED_ONLY = "holds on searched pictures only"
    NOT_ANONYMISED = "not anonymised"


@dataclass
class Verdicts:
    """How many people have which verdict, and who is to be named.

    Attributes:
        holds: People whose winner holds.
        unverified: Names of people who had no picture to verify the winner on.
        refuted: Names of people whose winner failed on a picture kept back, at the end or before
            that picture was searched, too, with none left.
        infeasible: Names of people who are not anonymised.
    """

    holds: int = 0
    unverified: list[str] = field(default_factory=list)
    refuted: list[str] = field(default_factory=list)
    infeasible: list[str] = field(default_factory=list)

    @property
    def searched_only(self) -> int:
        """People whose winner holds on searched pictures only."""
        return len(self.unverified) + len(self.refuted)

    def add(self, identity: str, verdict: Verdict, *, refuted: bool) -> None:
        """Count a person.

        Args:
            identity: The person's name.
            verdict: The person's verdict.
            refuted: Whether a winner of this person failed on a picture kept back.
        """
        if verdict is Verdict.HOLDS:
            self.holds += 1
        elif verdict is Verdict.NOT_ANONYMISED:
            self.infeasible.append(identity)
        elif refuted:
            self.refuted.append(identity)
        else:
            self.unverified.append(identity)

    def figures(self) -> dict[str, int]:
        """The counts as ``run.toml`` and ``--json`` have them."""
        return {
            "holds": self.holds,
            "searched_only": self.searched_only,
            "not_anonymised": len(self.infeasible),
        }

    def sentence(self, people: int, failed: int, measured: str = "") -> str:
        """The verdicts in one line, of all people of a run.

        Args:
            people: How many these are, with those who failed.
            failed: How many failed.
            measured: What the search took, to be said beside it.

        >>> Verdicts(holds=3, unverified=["Ann"]).sentence(5, 1, "9 evaluations")
        '3 of 5 people anonymised, 9 evaluations; 1 holds on searched pictures only, 1 failed'
        """
        verb = "holds" if self.searched_only == 1 else "hold"
        others = (
            (self.searched_only, f"{verb} on searched pictures only"),
            (len(self.infeasible), str(Verdict.NOT_ANONYMISED)),
            (failed, "failed"),
        )
        line = f"{self.holds} of {people} people anonymised"

        if measured:
            line += f", {measured}"

        counted = ", ".join(f"{count} {words}" for count, words in others if count)
        return f"{line}; {counted}" if counted else line

    def exit_code(self, failed: Sized) -> int:
        """1 where somebody failed, or a winner is known not to hold; otherwise 0.

        Who has no picture to verify the winner on is named, and is no reason for 1.

        >>> Verdicts(unverified=["Ann"]).exit_code([]), Verdicts(refuted=["Bo"]).exit_code([])
        (0, 1)
        """
        return 1 if len(failed) or self.infeasible or self.refuted else 0


def verdict_of(feasible: bool, verified: bool | None) -> Verdict:
    """The verdict on a winner.

    Args:
        feasible: Whether it meets every constraint on the searched pictures.
        verified: The same on the pictures kept back; None where there is none.

    >>> str(verdict_of(True, None))
    'holds on searched pictures only'
    """
    if not feasible:
        return Verdict.NOT_ANONYMISED
    return Verdict.HOLDS if verified else Verdict.SEARCHED_ONLY
