"""Read a page as a program would."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(page)
    return parser.found


def block(page: Path | str, name: str) -> Any:
    """A JSON element of a page."""
    text = page.read_text() if isinstance(page, Path) else page
    found = re.search(
        rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.DOTALL
    )
    assert found, name
    return json.loads(found[1])
