"""What the experiments are asked for; light, for the command line's help."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from attrsearch.core.attributes import Gender
from attrsearch.core.recipes.base import Recipe

Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]


class ExperimentOptions(Recipe):
    """What a table or figure of the thesis is measured on.

    Attributes:
        faces: A folder with a sub-folder a person; None where nothing is read.
        names: Only these people.
        seed: Of everything that is drawn.
        size: Share of the thesis's number of edits, above 0; 1 is as many as it made.  Pictures
            become fewer, or edits where there is one picture only.
        editor: A bundled editor's name or a path; the thesis's two passes want ``thesis``.
        space: What is drawn from: a search-space recipe.
        recogniser: Measures the distance.
        distractors: Other people in the gallery, at most.
        grades: A run that a person graded, for the tables of section 4.3.
    """

    faces: Path | None = None
    names: frozenset[str] | None = None
    seed: Seed = 0
    size: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    editor: str = "thesis"
    space: str = "thesis10"
    recogniser: str = "auto"
    distractors: Count = 300
    grades: Path | None = None

    def count(self, thesis: int, least: int = 1) -> int:
        """How many of what the thesis made so many of.

        >>> ExperimentOptions(size=0.1).count(1000)
        100
        """
        return max(least, round(thesis * self.size))


class SearchStudyOptions(Recipe):
    """What ways of searching are compared on.

    Attributes:
        arms: ``ARM:TRIALS:SEEDS`` each; the usual plans where it is empty.
        study: Study recipe: editor, space, judges.
        space: Search space instead of the study's.
        editor: Editor weights instead of the study's.
        max_faces: Pictures searched a person, instead of the study's.
        surrogate: Pooled model instead of the study's: ``auto``, ``none`` or a file.
        people_file: File of the people who are searched; everybody where it is None.
        minutes: Stop after so long.
    """

    arms: tuple[str, ...] = ()
    study: str = "thesis"
    space: str | None = None
    editor: str | None = None
    max_faces: Count | None = None
    surrogate: str | None = None
    people_file: Path | None = None
    minutes: float | None = None


class LearningOptions(Recipe):
    """What table 4.6 is measured on.

    Attributes:
        study: Study recipe: editor, space, judges.
        gender: Of the people.
        count: Faces, one picture each.
        sets: Attribute sets.
        surrogate: Pooled model: ``auto``, ``none`` or a file.
        people_file: File of the people who may be used; everybody where it is None.
        seed: Of sets and learners.
    """

    study: str = "thesis"
    gender: Gender = "female"
    count: Annotated[int, Field(ge=2)] = 8
    sets: Annotated[int, Field(ge=50)] = 1000
    surrogate: str = "auto"
    people_file: Path | None = None
    seed: Seed = 0
