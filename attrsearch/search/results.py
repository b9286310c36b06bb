"""The results of a run as tables, pictures and a plot, for notebooks and scripts."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from PIL import Image

from attrsearch.core.encryption import read_private
from attrsearch.core.errors import InputError, did_you_mean
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.person_part import PersonPart, is_inside, summary_row
from attrsearch.runs.review import read_decisions

if TYPE_CHECKING:
    from attrsearch.runs.attributes_file import PersonRecord
    from attrsearch.search.tradeoff import Drawing

SHOWN = 192
"""Side of a picture that :meth:`ResultTables.show` shows, in pixels."""


class ResultTables:
    """What a finished run's folder holds.

    Everything is read anew at every call, so that decisions made in the dashboard count.

    Attributes:
        out: The run's folder.
    """

    out: Path

    def trials(self, person: str | None = None) -> pd.DataFrame:
        """Every candidate: a row each, the columns of ``trials.parquet``.

        Args:
            person: Only theirs, with ``began`` and ``ended`` (UTC).

        Raises:
            InputError: No such person, or the run was not finished.
        """
        if person is not None:
            return RunFolder(self.out).read_trials(self._part(person).record.id)

        try:
            return pd.read_parquet(self.out / "trials.parquet")
        except OSError as error:
            hint = "run again with resume=True"
            raise InputError(
                self.out, required="a finished run", found="no trials.parquet", hint=hint
            ) from error

    def summary(self) -> pd.DataFrame:
        """Every person's best set and what it was measured to be: a row each, by name.

        The columns are those of ``summary.csv``; who was dropped in the dashboard is left out.
        """
        dropped = read_decisions(self.out).dropped
        rows = []

        for part in RunFolder(self.out).read_people():
            if part.record.id not in dropped:
                rows.append(summary_row(part))

        return pd.DataFrame(rows).set_index("id") if rows else pd.DataFrame()

    def best(self, person: str) -> "PersonRecord":
        """A person's best set, ``.attributes``, and what it was measured to be.

        Someone without a feasible set has the best trial, with ``feasible`` false.

        Raises:
            InputError: No such person.
        """
        return self._part(person).record

    def show(self, person: str) -> Image.Image:
        """A person's best set on the searched faces, as a picture that a notebook shows.

        Above it the untouched faces, where the run kept them (``include_originals=True``).

        Raises:
            InputError: No such person, or the pictures are gone.
        """
        part = self._part(person)
        rows = []

        for kind in ("original", "best"):
            if part.images.get(kind):
                rows.append(part.images[kind])

        width = max(map(len, rows), default=0)
        if not width:
            hint = "run again with another folder"
            raise InputError(person, required="pictures of a person", found="none", hint=hint)

        sheet = Image.new("RGB", (width * SHOWN, len(rows) * SHOWN), "white")
        for row, names in enumerate(rows):
            for column, name in enumerate(names):
                sheet.paste(self._picture(name), (column * SHOWN, row * SHOWN))

        return sheet

    @property
    def plot(self) -> "Plots":
        """Drawings of the trials: ``result.plot.tradeoff()``."""
        return Plots(self)

    def _part(self, person: str) -> PersonPart:
        folder = RunFolder(self.out)
        if folder.is_finished(person):
            return folder.read_person(person)

        known = [part.record.id for part in folder.read_people()]
        hint = did_you_mean(person, known[:20])
        raise InputError(
            person, required="a person of the run", found="nobody of this name", hint=hint
        )

    def _picture(self, name: str) -> Image.Image:
        # names come from a file that somebody may have changed: none leads out of the run
        place = self.out / name if is_inside(name) else self.out
        try:
            found = Image.open(io.BytesIO(read_private(place))).convert("RGB")
        except OSError as error:
            hint = "check the run: attrsearch check RUN"
            raise InputError(
                place, required="a picture of the run", found="none", hint=hint
            ) from error

        return found.resize((SHOWN, SHOWN))


@dataclass(frozen=True)
class Plots:
    """Drawings of a run's trials."""

    tables: ResultTables

    def tradeoff(self, person: str | None = None) -> "Drawing":
        """How much of the face is kept against how far it is from its person.

        Args:
            person: Only their trials; everybody's where it is None.

        Returns:
            A drawing that a notebook shows; ``.save("a.svg")`` keeps it.

        Raises:
            InputError: No such person, or the run was not finished.
        """
        from attrsearch.search.tradeoff import draw_tradeoff  # noqa: PLC0415 - few need it

        return draw_tradeoff(self.tables.trials(person), self._winners(person))

    def _winners(self, person: str | None) -> dict[str, int]:
        winners = {}
        for part in RunFolder(self.tables.out).read_people():
            if person is None or part.record.id == person:
                winners[part.record.id] = part.winner

        return winners
