"""Who judges an evaluation: every recogniser that is to be had here, and any in an ONNX file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from attrsearch.core.errors import AttrsearchError, UnavailableError
from attrsearch.core.plugins import find, made
from attrsearch.faces.recognition.base import Recogniser
from attrsearch.faces.recognition.calibration import load_calibration
from attrsearch.faces.recognition.load import SAME_TRAINING, load_network
from attrsearch.faces.recognition.onnx import OnnxEmbedder
from attrsearch.runs.metadata import read_run

DEFAULT = ("dlib", "facenet", "sface")


@dataclass(frozen=True)
class HeldOutRecogniser:
    """A recogniser that judges.

    Attributes:
        recogniser: Embeds faces.
        scale: From its own distances to the FaceNet scale; None where only the originals at hand
            can tell.
        unseen: Whether the search never used it; None where nobody said what the search used.
    """

    recogniser: Recogniser
    scale: float | None
    unseen: bool | None

    @property
    def name(self) -> str:
        """The recogniser's name."""
        return self.recogniser.name


def load_judges(
    names: Sequence[str], used: frozenset[str] | None = None
) -> tuple[list[HeldOutRecogniser], list[str]]:
    """Load judges by name or, for ONNX files, by path.

    Args:
        names: Which; every one that is to be had where there are none.
        used: Recognisers that the search used, where that is known.

    Returns:
        The judges, and one line for each that was not asked for by name and is not to be had.

    Raises:
        AttrsearchError: One that was asked for is not to be had, or there is none at all.
    """
    judges = []
    notes = []

    for name in names or DEFAULT:
        try:
            judges.append(_load(name, used))
        except UnavailableError as error:
            if names:
                raise

            notes.append(f"judge {name} is not here: {error.found}")

    if not judges:
        hint = "pip install 'attrsearch[judges]', or give --judge FILE.onnx"
        raise UnavailableError("judges", required="a recogniser", found="none", hint=hint)

    return judges, notes


def _load(name: str, used: frozenset[str] | None) -> HeldOutRecogniser:
    onnx = name.endswith(".onnx")
    recogniser: Recogniser
    if onnx:
        recogniser = OnnxEmbedder(Path(name))
    else:
        recogniser = made("judge", name) if find("judge", name) else load_network(name)

    try:
        scale: float | None = load_calibration(recogniser.name).scale
    except AttrsearchError:
        scale = None

    return HeldOutRecogniser(
        recogniser,
        scale,
        None if used is None else _network(recogniser.name) not in map(_network, used),
    )


def _network(name: str) -> str:
    """What two names of one network have in common."""
    return SAME_TRAINING.get(name, name)


def used_by(run: Path) -> frozenset[str]:
    """Names of the recognisers that a run's search used.

    Raises:
        InputError: Not a run.
    """
    settings = read_run(run).get("settings", {})
    return frozenset(str(item["name"]) for item in settings.get("recognisers", []))
