"""Write sections as Markdown with pictures beside it, or as a page in the report's style."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from attrsearch.core.errors import OutputError
from attrsearch.core.files import write_bytes, write_text
from attrsearch.experiments.context import ExperimentOptions
from attrsearch.experiments.section import Picture, Section, to_markdown
from attrsearch.report.page import read_assets

TITLE = "The thesis, measured anew"
STYLE = """
section > .scroll, section > figure { margin-block: .9rem; }
th[scope="row"] { font-weight: 400; text-align: left; }
section img { max-width: 100%; height: auto; } td, thead th { text-align: left; }
"""
MIMES = {"svg": "image/svg+xml", "png": "image/png"}
NAME = "reproduction"


def lead(options: ExperimentOptions) -> tuple[str, ...]:
    """What a reader must know before the first figure."""
    folder = options.faces.name if options.faces else "no"
    return (
        "Tables and figures of chapters 2 to 4 of the thesis this project continues (E. Lindseth, "
        f"University of Agder, 2020), measured on the faces of the folder {folder} (seed "
        f"{options.seed}, {options.size:g} times as many edits as the thesis made, editor "
        f"{options.editor}, space {options.space}).",
        "The thesis looked for its edited pictures with two search engines on the web, measured "
        "distance with FaceNet, and edited with the published AttGAN. Here two recognisers look "
        "for them in a local gallery, which holds other people's pictures and other pictures of "
        "the person, never the one that was edited. Neither the people, nor the editor's weights, "
        "nor the recognisers are the thesis's: what can agree is the direction and the size of an "
        "effect.",
    )


def without_people(sections: Sequence[Section]) -> list[Section]:
    """The sections without photographs; those that are nothing but photographs are left out."""
    kept = []
    for section in sections:
        pictures = tuple(picture for picture in section.pictures if not picture.people)
        if pictures or section.compared:
            kept.append(replace(section, pictures=pictures))

    return kept


def write_section(section: Section, out: Path, options: ExperimentOptions) -> list[Path]:
    """Write one section as Markdown (pictures beside it), as a page, or only its picture.

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

    wanted = [picture for picture in section.pictures if f".{picture.kind}" == kind]
    if len(wanted) == 1:
        write_bytes(out, wanted[0].data)
        return [out]

    kinds = ", ".join(
        dict.fromkeys(f".{p.kind}" for p in section.pictures if len(section.pictures) == 1)
    )
    raise OutputError(
        out,
        required=f"a file that ends in .md, .html{' or ' + kinds if kinds else ''}",
        found=kind or "no ending",
        hint=f"--out {section.name}.md",
    )


def write_all(sections: Sequence[Section], folder: Path, options: ExperimentOptions) -> list[Path]:
    """Write ``reproduction.md``, its pictures and ``reproduction.html`` into a folder."""
    text = "\n\n".join([f"# {TITLE}", *lead(options), to_markdown(sections)])
    written = write_markdown(sections, folder / f"{NAME}.md", text)
    page = folder / f"{NAME}.html"
    write_text(page, render(sections, options))

    return [*written, page]


def write_markdown(sections: Sequence[Section], out: Path, text: str) -> list[Path]:
    """Write Markdown and the pictures that it shows."""
    written = [out]
    for picture in (picture for section in sections for picture in section.pictures):
        written.append(out.parent / picture.file)
        write_bytes(written[-1], picture.data)

    write_text(out, text.rstrip() + "\n")
    return written


def render(sections: Sequence[Section], options: ExperimentOptions) -> str:
    """The sections as one page that asks nothing of any network."""
    environment = Environment(
        loader=PackageLoader("attrsearch.experiments"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = read_assets(("base.css",)) + STYLE
    digest = "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    return environment.get_template("reproduction.html.j2").render(
        title=sections[0].heading if len(sections) == 1 else TITLE,
        lead=lead(options),
        sections=sections,
        sources={
            picture.file: _source(picture) for section in sections for picture in section.pictures
        },
        people=any(picture.people for section in sections for picture in section.pictures),
        style=Markup(style),  # noqa: S704 - our own file
        digest=digest,
    )


def _source(picture: Picture) -> str:
    return f"data:{MIMES[picture.kind]};base64,{base64.b64encode(picture.data).decode()}"
