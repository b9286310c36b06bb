"""Pictures of any candidate of a person: made when they are asked for, and kept in memory only."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from attrsearch.core.errors import InputError
from attrsearch.core.images import to_jpeg
from attrsearch.report.dashboard.winner import read_candidates
from attrsearch.runs.folder import RunFolder
from attrsearch.search.remeasure import Verifier

MAX_PICTURES = 1000
"""About ten kilobytes each; the one that was made longest ago goes first."""


class CandidatePictures:
    """Renders a person's first face under a candidate, with the models that the run used.

    Nothing is written to disk: an encrypted run stays encrypted.

    Args:
        run: The run's folder.
        verifier: Gives the models; called when a picture has to be made.
    """

    def __init__(self, run: Path, verifier: Callable[[], Verifier]) -> None:
        self._run = run
        self._verifier = verifier
        self._pictures: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    def picture(self, identity: str, trial: int) -> bytes:
        """The picture of a candidate, as a JPEG of 192 × 192 pixels.

        Args:
            identity: A finished person of the run.
            trial: Number of the trial.

        Raises:
            InputError: There is no such trial, or the pictures or models of the run are gone.
        """
        key = identity, trial
        if key not in self._pictures:
            self._pictures[key] = self._made(identity, trial)

        if len(self._pictures) > MAX_PICTURES:
            self._pictures.popitem(last=False)

        return self._pictures[key]

    def kept(self, identity: str, trial: int) -> bytes | None:
        """The picture of a candidate where it was made before; waits for no model."""
        return self._pictures.get((identity, trial))

    def _made(self, identity: str, trial: int) -> bytes:
        part = RunFolder(self._run).read_person(identity)
        passes = 1 if part.record.second_pass is None else 2
        attributes = read_candidates(self._run, identity, passes)

        if not 0 <= trial < len(attributes):
            required = f"a trial of {identity}, 0 to {len(attributes) - 1}"
            raise InputError("trial", required=required, found=str(trial), hint="reload the page")

        window = self._verifier().render(
            identity, part.record.gender, attributes[[trial]], part.joined
        )
        return to_jpeg(window)
