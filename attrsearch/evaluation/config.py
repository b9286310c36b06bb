"""What an evaluation or an attack is asked for; light, for the command line's help."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from attrsearch.core.recipes.base import Recipe

Count = Annotated[int, Field(ge=1)]


class CompareConfig(Recipe):
    """What every comparison of protected faces with their originals is asked for.

    Attributes:
        judges: Recognisers by name, or ONNX files; all there are where it is empty.
        run: The run: says which recognisers its search used.
        distractors: Folder of further people for the gallery.
        max_faces: At most this many pictures a person.
        ledger: ``coverage.parquet`` of a video's protection.
    """

    judges: tuple[str, ...] = ()
    run: Path | None = None
    distractors: Path | None = None
    max_faces: Count | None = None
    ledger: Path | None = None

    @property
    def further(self) -> Path | None:
        """A folder of other people, who must not be those of the originals."""
        return self.distractors


class EvaluationConfig(CompareConfig):
    """What ``attrsearch evaluate`` is asked for.

    Attributes:
        most_distractors: Further people, at most.
        people: File of the people who are looked at; everybody where it is None.
        detector: ``mtcnn`` or ``yunet``: says where faces are.
        hifd: Folder for the predictions that hifd scores.
    """

    most_distractors: Count = 500
    people: Path | None = None
    detector: str = "mtcnn"
    hifd: Path | None = None


class ExportAttackConfig(CompareConfig):
    """What an attacker has who owns the export.

    Attributes:
        attributes: The export that protected the faces.
        editor: Editor weights, where they are not those of the export's name.
    """

    attributes: Path
    editor: str | None = None


class ParrotConfig(ExportAttackConfig):
    """What ``attrsearch attack parrot`` is asked for.

    Attributes:
        space: Space of the random sets; that of the export's passes where it is None.
        probed: People for the variant *same set*.
        seed: Of the sets and of the classifier.
    """

    space: str | None = None
    probed: Count = 20
    seed: Annotated[int, Field(ge=0)] = 0


class InversionConfig(ExportAttackConfig):
    """What ``attrsearch attack inversion`` is asked for.

    Attributes:
        train: Folder of other people: also train a network.
        most: People to train on.
        steps: Of training.
        seed: Of the network and its faces.
    """

    train: Path | None = None
    most: Annotated[int, Field(ge=16)] = 600
    steps: Count = 300
    seed: Annotated[int, Field(ge=0)] = 0

    @property
    def further(self) -> Path | None:
        """Who is trained on must not be who is attacked."""
        return self.train


class LinkingConfig(CompareConfig):
    """What ``attrsearch attack linking`` is asked for.

    Attributes:
        second: Originals and protected of another set or video.
        second_ledger: ``coverage.parquet`` of the second video.
    """

    second: tuple[Path, Path] | None = None
    second_ledger: Path | None = None
