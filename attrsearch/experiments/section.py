"""What a reproduction finds: the thesis's figures beside ours, tables, pictures, remarks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

UNSAID = "–"
"""Where the thesis gives no figure."""


@dataclass(frozen=True)
class Comparison:
    """One figure of the thesis beside ours, both as text."""

    what: str
    thesis: str
    measured: str


@dataclass(frozen=True)
class Table:
    """A table of texts; every row has as many cells as there are columns."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A chart (SVG) or a sheet of faces (PNG).

    Attributes:
        name: Its file's name without the ending.
        caption: What it shows, also for those who cannot see it.
        kind: ``svg`` or ``png``.
        data: The file.
        people: Whether faces of real people are on it: not to be given away lightly.
    """

    name: str
    caption: str
    kind: Literal["svg", "png"]
    data: bytes
    people: bool = False

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.name}.{self.kind}"


@dataclass(frozen=True)
class Section:
    """One reproduced table or figure.

    Attributes:
        name: As it is asked for, ``table-4.2``.
        title: What the thesis calls it.
        method: What was done here, and what stands in for what the thesis had.
        compared: The thesis's figures beside ours.
        tables: Further tables.
        pictures: Charts and sheets.
        notes: What to make of it, disappointments included.
        figures: What was measured, as plain data.
    """

    name: str
    title: str
    method: str
    compared: tuple[Comparison, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    figures: Mapping[str, object] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """Name and title, as a heading.

        >>> Section("table-4.2", "Identification by distance", "").heading
        'Table 4.2: Identification by distance'
        """
        kind, number = self.name.split("-")
        return f"{kind.capitalize()} {number}: {self.title}"


def to_markdown(sections: Iterable[Section], folder: str = "", level: int = 2) -> str:
    """Sections as Markdown.

    Args:
        sections: In the order in which they are to stand.
        folder: Where the pictures are, relative to the file, with its slash.
        level: Of the headings.
    """
    return "\n".join(_one(section, folder, level) for section in sections)


def _one(section: Section, folder: str, level: int) -> str:
    parts = [f"{'#' * level} {section.heading}", "", section.method, ""]
    if section.compared:
        rows = [(item.what, item.thesis, item.measured) for item in section.compared]
        parts += [*_table(("", "thesis", "measured"), rows), ""]

    for table in section.tables:
        parts += [table.caption, "", *_table(table.columns, table.rows), ""]

    for picture in section.pictures:
        parts += [f"![{_cell(picture.caption)}]({folder}{picture.file})", ""]

    for note in section.notes:
        parts += [note, ""]

    return "\n".join(parts)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = []
    for row in (columns, ["---"] * len(columns), *rows):
        # a bar or a line break of a text would end its cell
        cells = [_cell(cell) for cell in row]
        lines.append(f"| {' | '.join(cells)} |")

    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def percent(share: float, digits: int = 0) -> str:
    """A share as a percentage.

    >>> percent(0.925), percent(float("nan"))
    ('92 %', '–')
    """
    return UNSAID if np.isnan(share) else f"{share:.{digits}%}".replace("%", " %")


def number(value: float, digits: int = 2) -> str:
    """A number, or a dash where there is none.

    >>> number(1.234), number(float("nan"))
    ('1.23', '–')
    """
    return UNSAID if np.isnan(value) else f"{value:.{digits}f}"
