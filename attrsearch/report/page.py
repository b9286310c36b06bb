"""Write ``report.html``: the whole run as one page that asks nothing of any network.

The page is a template, one style sheet and one script, the cohort as JSON, and blocks of trials and
pictures that are decoded when a person is opened.  ``attrsearch dashboard`` serves the same page
without the data.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from attrsearch.core.encryption import encrypting
from attrsearch.core.errors import InputError
from attrsearch.core.files import write_text
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.report.about import about, limits
from attrsearch.report.asked import Asked
from attrsearch.report.cohort import (
    failures_first,
    missing_importance,
    packed,
    person_row,
    read_all_trials,
)
from attrsearch.report.extras import read_judges, read_surrogate, read_video
from attrsearch.report.glossary import read_glossary
from attrsearch.report.packing import SOURCES
from attrsearch.report.pictures import INLINE_PEOPLE, inline, linked
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.runs.person_part import PersonPart
from attrsearch.runs.review import read_decisions
from attrsearch.runs.verdict import Verdict

BLOCK = 50
"""People in a block of trials or pictures: what is decoded at once when one of them is opened."""
ASSETS = Path(__file__).parent / "assets"
STYLES = ("base.css", "charts.css", "person.css", "answer.css")
SCRIPTS = (
    "core.js",
    "glossary.js",
    "charts.js",
    "data.js",
    "threshold.js",
    "people.js",
    "answer.js",
    "tradeoff.js",
    "overview.js",
    "person.js",
    "trials.js",
    "candidates.js",
    "extras.js",
    "live.js",
    "main.js",
)
LIVE_STYLES = ("explore.css",)
LIVE_SCRIPTS = (
    "charts-library.js",
    "explore.js",
    "parallel.js",
    "slices.js",
    "grid.js",
    "notes.js",
)
"""What only a served page has: they explore with the chart library, which it loads."""
MAX_COMPUTED = 500
"""Importance that an old run did not keep is computed for at most this many people."""


def write_report(
    run: Path,
    out: Path | None = None,
    *,
    include_originals: bool = False,
    against: Path | None = None,
    ledger: Path | None = None,
    progress: Progress[Step] = silent,
) -> Path:
    """Write the report of a run; while private files are encrypted, nothing of them stands in it.

    Args:
        run: The run's folder.
        out: The page; ``report.html`` in the run where it is not given.
        include_originals: Show untouched pictures, where the run kept them.
        against: Another run of the same people, by random search say: its best so far is drawn
            beside this one's.
        ledger: Coverage of the video that the run protects, where it is not ``coverage.parquet`` in
            the run.
        progress: Told of the stage ``report``, by people.

    Returns:
        The page's path.

    Raises:
        InputError: The folder holds no finished run.
        OutputError: The page cannot be written.
    """
    head = read_run(run)
    if "result" not in head:
        hint = "finish it first: attrsearch run … --resume"
        raise InputError(run, required="a finished run", found="one that was stopped", hint=hint)

    page = out or run / "report.html"
    # whoever asked for encryption gets no untouched face in a page that is not encrypted
    include_originals = include_originals and not encrypting()
    decisions = read_decisions(run)
    people = RunFolder(run).read_people()
    parts = [part for part in people if part.record.id not in decisions.dropped]
    limit = limits(head["settings"])
    curves = best_so_far(against) if against else {}
    known = {part.record.id: part for part in parts}
    rows = []
    trials = {}

    for name, columns in read_all_trials(run):
        if name not in known:
            continue

        part = known[name]
        row = person_row(part, columns, limit)
        # runs before importance was kept: computed here, for as many people as one can wait for
        if not row["importance"] and len(parts) <= MAX_COMPUTED:
            row["importance"] = missing_importance(run, name) or None

        row["against"] = curves.get(name)
        decision = decisions.of(name)
        row["grade"] = decision.grade
        row["chosenBy"] = decision.chosen_by
        rows.append(row)
        trials[name] = packed(columns)
        progress(Step(stage="report", count=len(rows), total=len(known)))

    rows.sort(key=failures_first)
    ordered = [known[row["id"]] for row in rows]
    data = {
        "live": False,
        "about": about(head),
        "sources": SOURCES,
        "block": BLOCK,
        "people": rows,
        "against": against.name if against else None,
        "video": None if encrypting() else read_video(run, ledger),
        "judges": read_judges(run),
        "surrogate": read_surrogate(run),
    }
    blocks = [
        *_blocks("trials", [trials[row["id"]] for row in rows]),
        *_blocks("pictures", pictures(run, ordered, include_originals, page)),
    ]
    asked = Asked(include_originals, against, ledger).text(page.parent)
    write_text(page, render(data, blocks, linked_pictures=len(parts) > INLINE_PEOPLE, asked=asked))

    return page


def best_so_far(run: Path) -> dict[str, list[float]]:
    """Each person's best feasible utility so far, as steps ``[trial, utility, …]``."""
    curves = {}

    for name, columns in read_all_trials(run):
        best = 0.0
        steps = []
        for number in columns["feasible"].nonzero()[0]:
            if columns["utility"][number] > best:
                best = float(columns["utility"][number])
                steps += [int(number), round(best, 5)]

        curves[name] = steps

    return curves


def pictures(
    run: Path, parts: Sequence[PersonPart], originals: bool, page: Path
) -> list[dict[str, list[str]]]:
    """Every person's pictures: inside the page for a few people, linked for many."""
    if len(parts) <= INLINE_PEOPLE:
        return [inline(run, part, originals) for part in parts]
    return [linked(run, part, originals, page) for part in parts]


def render(
    data: dict[str, Any],
    blocks: Sequence[tuple[str, str]],
    linked_pictures: bool = False,
    live: bool = False,
    asked: str = "",
) -> str:
    """The page: what the first view needs comes before the script, everything else after it.

    Args:
        data: The cohort.
        blocks: Names and JSON texts of the blocks.
        linked_pictures: Pictures are files beside the page.
        live: The page asks the dashboard that served it for the rest.
        asked: What :meth:`Asked.text` gives.
    """
    style = read_assets((*STYLES, *LIVE_STYLES) if live else STYLES)
    # main.js begins: what it uses stands before it
    script = read_assets((*SCRIPTS[:-1], *LIVE_SCRIPTS, SCRIPTS[-1]) if live else SCRIPTS)
    scripts = "'self' " if live else ""
    safe = [(name, Markup(text)) for name, text in blocks]  # noqa: S704 - no "<" is left in it
    embedded = Markup(embed({**data, "glossary": read_glossary()}))  # noqa: S704 - nor in this
    pictures_from = "'self'" if live else "data: 'self' file:" if linked_pictures else "data:"
    asks = "connect-src 'self'; " if live else ""
    policy = (
        f"default-src 'none'; {asks}img-src {pictures_from}; style-src '{_digest(style)}'; "
        f"script-src {scripts}'{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )

    return (
        environment()
        .get_template("page.html.j2")
        .render(
            about=data["about"],
            figures=figures(data["people"], len(data["about"]["failures"])),
            policy=policy,
            asked=asked,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            data=embedded,
            # what is on the first screen comes with it
            first=[block for block in safe if block[0] == "pictures-0"],
            blocks=[block for block in safe if block[0] != "pictures-0"],
        )
    )


def figures(rows: Sequence[dict[str, Any]], failed: int) -> dict[str, Any]:
    """The figures at the top of the page, for readers without scripts."""
    good = [row for row in rows if row["feasible"]]
    verdicts = Counter(row["verdict"] for row in rows)
    names = ("utility", "detection", "iou", "distance")
    means: dict[str, float | None] = {}
    for name in names:
        means[name] = sum(row[name] for row in good) / len(good) if good else None

    return {
        **means,
        "people": len(rows) + failed,
        "feasible": len(good),
        "holds": verdicts[Verdict.HOLDS],
        "searched_only": verdicts[Verdict.SEARCHED_ONLY],
        "not_anonymised": verdicts[Verdict.NOT_ANONYMISED],
        "failed": failed,
    }


def environment() -> Environment:
    """Templates with everything escaped."""
    return Environment(
        loader=PackageLoader("attrsearch.report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        # a misspelt name is an error, not an empty place
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def embed(value: Any) -> str:
    r"""JSON that can stand inside a ``<script>`` element: no tag and no comment can begin in it.

    >>> embed("</script>")
    '"\\u003c/script>"'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # the two others end a line in older versions of JavaScript
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def read_assets(names: Sequence[str]) -> str:
    """Style sheets or scripts, one after another."""
    return "\n".join((ASSETS / name).read_text(encoding="utf-8").rstrip() for name in names)


def _blocks(kind: str, items: Sequence[Any]) -> Iterator[tuple[str, str]]:
    for number, start in enumerate(range(0, len(items), BLOCK)):
        yield f"{kind}-{number}", embed(items[start : start + BLOCK])


def _digest(text: str) -> str:
    """A source expression of a content security policy for inline text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
