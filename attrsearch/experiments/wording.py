"""The words of a section, apart from its figures: ``templates/NAME.txt.j2``.

What is printed as it is, ``templates/NAME.md.j2``, is Markdown already.

An experiment measures figures, which are plain data and can be written as JSON. A template says
them. What it renders to is read in blocks, each under a line of its own::

    == title
    == method
    == compared              a row a line: what | the thesis's figure | ours
    == table CAPTION         a row a line, the columns first
    == picture NAME          its caption
    == note                  as many as there are

Text may be wrapped as one likes; a row may not.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from attrsearch.experiments.section import (
    UNSAID,
    Comparison,
    Picture,
    Section,
    Table,
    number,
    percent,
)

MARK = "== "
Figures = Mapping[str, object]
Draw = Callable[[str], bytes]
"""Draws a chart as SVG, given its caption."""


@dataclass
class Wording:
    """What a template says of a section's figures.

    Attributes:
        title: What the thesis calls it.
        method: What was done.
        compared: The thesis's figures beside ours.
        tables: Further tables.
        captions: Of each picture, by its name.
        notes: Remarks.
    """

    title: str = ""
    method: str = ""
    compared: list[Comparison] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    captions: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def worded(name: str, figures: Figures, charts: Mapping[str, Draw] | None = None) -> Section:
    """A section: its figures, said by its template, with its charts.

    Args:
        name: As it is asked for, ``table-4.2``; also the template's.
        figures: What the template may use; plain data.
        charts: What draws each picture that the template names.
    """
    words = read_blocks(environment().get_template(f"{name}.txt.j2").render(figures))
    pictures = []

    for picture, caption in words.captions.items():
        drawn = (charts or {})[picture](caption)
        pictures.append(Picture(picture, caption, "svg", drawn))

    return Section(
        name,
        words.title,
        words.method,
        tuple(words.compared),
        tuple(words.tables),
        tuple(pictures),
        tuple(words.notes),
        figures,
    )


def say_figures(name: str, figures: Figures) -> str:
    """Figures as Markdown by a template of their own, without a line break at the end."""
    return environment().get_template(f"{name}.md.j2").render(figures).rstrip()


def share(value: float, digits: int = 0) -> str:
    """A share as a percentage without a space, as tables of many columns have it.

    >>> share(0.925, 1), share(float("nan"))
    ('92.5%', '–')
    """
    return f"{value:.{digits}%}" if math.isfinite(value) else UNSAID


def evaluations(value: float) -> str:
    """How many evaluations something took.

    >>> evaluations(12.0), evaluations(float("inf"))
    ('12', 'never')
    """
    return f"{value:.0f}" if math.isfinite(value) else "never"


def read_blocks(text: str) -> Wording:
    r"""Read what a template rendered to.

    Raises:
        ValueError: A block of an unknown kind.

    >>> read_blocks("== title\nfaces\nfound\n== compared\n  at 29 | 40 % | 38 %\n").compared
    [Comparison(what='  at 29', thesis='40 %', measured='38 %')]
    """
    words = Wording()

    for block in ("\n" + text).split("\n" + MARK)[1:]:
        head, *lines = block.split("\n")
        kind, _, about = head.partition(" ")
        rows = [_cells(line) for line in lines if line.strip()]
        prose = " ".join(" ".join(lines).split())

        if kind == "title":
            words.title = prose
        elif kind == "method":
            words.method = prose
        elif kind == "compared":
            words.compared += [Comparison(*row) for row in rows]
        elif kind == "table":
            words.tables.append(Table(about, rows[0], tuple(rows[1:])))
        elif kind == "picture":
            words.captions[about] = prose
        elif kind == "note":
            words.notes.append(prose)
        else:
            raise ValueError(f"a template's block: needs a kind that is known, found {kind}")

    return words


def _cells(line: str) -> tuple[str, ...]:
    first, *others = line.split("|")
    # the first cell keeps its indentation, which makes a row part of the one above it
    return (first.rstrip(), *(cell.strip() for cell in others))


@cache
def environment() -> Environment:
    """Reads the templates of words; not for HTML."""
    # nothing is escaped here: the text becomes cells and paragraphs, which Markdown and the page
    # escape each in their own way
    environment = Environment(  # noqa: S701
        loader=PackageLoader("attrsearch.experiments"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": percent, "number": number}
    environment.filters |= {"share": share, "evaluations": evaluations}
    environment.tests["finite"] = math.isfinite
    environment.globals["unsaid"] = UNSAID
    return environment
