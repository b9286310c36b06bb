"""Write sections as JSON, as Markdown with pictures beside it, or as a page like the report's."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from attrsearch.core.errors import OutputError
from attrsearch.core.files import write_bytes, write_text
from attrsearch.experiments.options import ExperimentOptions
from attrsearch.experiments.section import Picture, Section, to_markdown
from attrsearch.experiments.wording import environment, say_figures
from attrsearch.report.page import read_assets

TITLE = "The thesis, measured anew"
STYLE = """
section > .scroll, section > figure { margin-block: .9rem; }
th[scope="row"] { font-weight: 400; text-align: left; }
section img { max-width: 100%; height: auto; } td, thead th { text-align: left; }
"""
MIMES = {"svg": "image/svg+xml", "png": "image/png"}
NAME = "reproduction"
VERSION = 1
"""Of the JSON file."""


def lead(options: ExperimentOptions) -> tuple[str, ...]:
    """What a reader must know before the first figure, paragraph by paragraph."""
    words = (
        environment()
        .get_template("lead.txt.j2")
        .render(
            folder=options.faces.name if options.faces else "no",
            seed=options.seed,
            size=f"{options.size:g}",
            editor=options.editor,
            space=options.space,
        )
    )
    return tuple(" ".join(paragraph.split()) for paragraph in words.split("\n\n"))


def without_people(sections: Sequence[Section]) -> list[Section]:
    """The sections without photographs; those that are nothing but photographs are left out."""
    kept = []
    for section in sections:
        pictures = tuple(picture for picture in section.pictures if not picture.people)
        # a section of photographs alone would be a heading with nothing below it
        if pictures or section.compared:
            kept.append(replace(section, pictures=pictures))

    return kept


def write_section(section: Section, out: Path, options: ExperimentOptions) -> list[Path]:
    """Write one section: its figures, Markdown (pictures beside it), a page, or only its picture.

    Returns:
        What was written.

    Raises:
        OutputError: Another ending, or a place that cannot be written to.
    """
    kind = out.suffix.lower()
    if kind == ".md":
        return write_markdown([section], out, f"{to_markdown([section], level=1)}")

    if kind == ".html":
        write_text(out, render([section], options))
        return [out]

    if kind == ".json":
        write_text(out, to_json([section], options))
        return [out]

    wanted = [picture for picture in section.pictures if f".{picture.kind}" == kind]
    if len(wanted) == 1:
        write_bytes(out, wanted[0].data)
        return [out]

    # of several pictures, none is the one that was meant
    alone = section.pictures[0] if len(section.pictures) == 1 else None
    raise OutputError(
        out,
        required=f"a file that ends in .md, .json, .html{f' or .{alone.kind}' if alone else ''}",
        found=kind or "no ending",
        hint=f"--out {section.name}.md",
    )


def write_all(sections: Sequence[Section], folder: Path, options: ExperimentOptions) -> list[Path]:
    """Write ``reproduction.md``, its pictures, ``.html`` and ``.json`` into a folder."""
    text = "\n\n".join([f"# {TITLE}", *lead(options), to_markdown(sections)])
    written = write_markdown(sections, folder / f"{NAME}.md", text)
    page = folder / f"{NAME}.html"
    write_text(page, render(sections, options))
    figures = folder / f"{NAME}.json"
    write_text(figures, to_json(sections, options))

    return [*written, page, figures]


def to_json(sections: Sequence[Section], options: ExperimentOptions) -> str:
    """What was measured, without a word: the figures that the templates say.

    A section that is nothing but photographs has none.
    """
    measured = {
        "version": VERSION,
        "seed": options.seed,
        "size": options.size,
        "editor": options.editor,
        "space": options.space,
        "sections": {section.name: figures_of(section.figures) for section in sections},
    }
    return json.dumps(measured, indent=1, allow_nan=False) + "\n"


def write_figures(out: Path, name: str, figures: Mapping[str, object]) -> None:
    """Write figures that have a Markdown template of their own: as JSON, or as that says them.

    Args:
        out: The file; JSON if it ends in .json, else Markdown.
        name: The template's.
        figures: Plain data.
    """
    if out.suffix.lower() == ".json":
        text = json.dumps({"version": VERSION, **figures_of(figures)}, indent=1, allow_nan=False)
    else:
        text = say_figures(name, figures)

    write_text(out, text + "\n")


def figures_of(figures: Mapping[str, object]) -> dict[str, object]:
    """Figures with null for what is not a number, which JSON cannot say."""
    return {str(key): _plain(item) for key, item in figures.items()}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return figures_of(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None

    return value


def write_markdown(sections: Sequence[Section], out: Path, text: str) -> list[Path]:
    """Write Markdown and the pictures that it shows."""
    written = [out]
    for picture in _pictures(sections):
        written.append(out.parent / picture.file)
        write_bytes(written[-1], picture.data)

    write_text(out, text.rstrip() + "\n")
    return written


def render(sections: Sequence[Section], options: ExperimentOptions) -> str:
    """The sections as one page that asks nothing of any network."""
    pages = Environment(
        loader=PackageLoader("attrsearch.experiments"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = read_assets(("base.css",)) + STYLE
    # the page forbids itself every style but this one, which its digest names
    digest = "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    pictures = _pictures(sections)

    return pages.get_template("reproduction.html.j2").render(
        title=sections[0].heading if len(sections) == 1 else TITLE,
        lead=lead(options),
        sections=sections,
        sources={picture.file: _source(picture) for picture in pictures},
        people=any(picture.people for picture in pictures),
        style=Markup(style),  # noqa: S704 - our own file
        digest=digest,
    )


def _pictures(sections: Sequence[Section]) -> list[Picture]:
    pictures: list[Picture] = []
    for section in sections:
        pictures += section.pictures

    return pictures


def _source(picture: Picture) -> str:
    return f"data:{MIMES[picture.kind]};base64,{base64.b64encode(picture.data).decode()}"
