"""What is asked for of an export that is applied."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from attrsearch.core.recipes.base import Recipe


class ApplyConfig(Recipe):
    """Whose sets pictures and footage get.

    Attributes:
        person: Everything is this person's; otherwise the name of folder or file says whose.
        match: Folder with pictures of the export's people, to know them in footage.
        editor: Editor weights by name or path, where they are not those of the export's name.
        format: Kind of the pictures written; each keeps its own where it is None.
    """

    person: str | None = None
    match: Path | None = None
    editor: str | None = None
    format: Literal["jpg", "png", "webp", "tif", "bmp"] | None = None


class WatchConfig(Recipe):
    """Whether a folder is watched.

    Attributes:
        watch: The input is a folder that grows: what is new in it is done as it is complete.
        every: Seconds between two looks; what was the same in two of them is complete.
    """

    watch: bool = False
    every: Annotated[float, Field(ge=0.05, le=86_400)] = 5.0
