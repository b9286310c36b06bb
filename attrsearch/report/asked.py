"""What a report was asked to show, kept in the page, so that it can be written again."""

import html
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

HEAD = 4096
"""Bytes of a page in which its head begins."""
PATTERN = re.compile(r'<meta name="attrsearch-asked" content="([^"]*)">')


@dataclass(frozen=True)
class Asked:
    """Options of a report.

    Attributes:
        originals: Whether untouched pictures are shown.
        against: Another run that is drawn beside this one.
        ledger: Coverage of a video, where it is not the run's own.
    """

    originals: bool = False
    against: Path | None = None
    ledger: Path | None = None

    def text(self, folder: Path) -> str:
        """The options as JSON; places are given as seen from the page's folder."""
        places = {"against": self.against, "ledger": self.ledger}
        found: dict[str, object] = {"originals": self.originals}

        for name, place in places.items():
            if place is not None:
                # relative: run and report may be moved together
                found[name] = os.path.relpath(place.resolve(), folder.resolve())

        return json.dumps(found)


def read_asked(page: Path) -> Asked:
    """The options a page was written with; those by default where it does not say.

    Places that are gone are left out: the rest of the report needs none of them.
    """
    try:
        with page.open("rb") as file:
            # a page may be a hundred megabytes, and what is looked for stands at its beginning
            head = file.read(HEAD).decode("utf-8", "replace")

        match = PATTERN.search(head)
        found = json.loads(html.unescape(match.group(1))) if match else {}
        places = {}
        for name in ("against", "ledger"):
            if found.get(name):
                places[name] = page.parent / found[name]
    except (OSError, ValueError, TypeError, AttributeError):
        return Asked()

    against = places.get("against")
    ledger = places.get("ledger")
    return Asked(
        originals=found.get("originals") is True,
        against=against if against is not None and (against / "run.toml").is_file() else None,
        ledger=ledger if ledger is not None and ledger.is_file() else None,
    )
