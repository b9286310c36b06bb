"""Whether the pages of a built site load anything from elsewhere: ``python tools/check_site.py SITE``.

Links that a reader may follow are not loads.  Looked at are the tags of HTML files that fetch
something by themselves, and the style sheets.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

ELSEWHERE = re.compile(r"^\s*(?:[a-z]+:)?//", re.IGNORECASE)
LOADS = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "audio": ("src",),
    "video": ("src", "poster"),
    "embed": ("src",),
    "object": ("data",),
    "link": ("href",),
}
"""Tags to the attributes that make a browser fetch something."""
HARMLESS = {"canonical", "prev", "next", "license", "author"}
"""Relations of ``link`` that fetch nothing."""
IN_STYLE = re.compile(r"""(?:url\(|@import)\s*['"]?\s*((?:https?:)?//[^)'"\s]+)""", re.IGNORECASE)


class _Loads(HTMLParser):
    """Collects addresses of other places that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at a tag."""
        given = {name: value or "" for name, value in attrs}
        if tag == "link" and set(given.get("rel", "").split()) <= HARMLESS:
            return
        for name in LOADS.get(tag, ()):
            if ELSEWHERE.match(given.get(name, "")):
                self.found.append(given[name])
        self.found += IN_STYLE.findall(given.get("style", ""))


def loads_from_elsewhere(site: Path) -> Iterator[str]:
    """A line for everything that a page or a style sheet of a site loads from another place.

    Raises:
        ValueError: It holds no page.
    """
    pages = sorted(site.rglob("*.html"))
    if not pages:
        raise ValueError(f"{site}: needs a built site, found no page (type: mkdocs build)")
    for path in pages:
        text = path.read_text(encoding="utf-8")
        parser = _Loads()
        parser.feed(text)
        styles = re.findall(r"<style[^>]*>(.*?)</style>", text, re.DOTALL | re.IGNORECASE)
        found = [*parser.found, *(address for css in styles for address in IN_STYLE.findall(css))]
        yield from (f"{path.relative_to(site)}: {address}" for address in found)
    for path in sorted(site.rglob("*.css")):
        found = IN_STYLE.findall(path.read_text(encoding="utf-8"))
        yield from (f"{path.relative_to(site)}: {address}" for address in found)


if __name__ == "__main__":
    lines = list(loads_from_elsewhere(Path(sys.argv[1])))
    print("\n".join(lines) or "the site loads nothing from elsewhere")
    sys.exit(bool(lines))
