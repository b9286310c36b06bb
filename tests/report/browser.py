"""Chromium of the system, driven by Playwright.

Tests that need it are skipped where it is not there.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    "",
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000.0
"""Milliseconds that a page has for anything: a busy machine takes its time."""
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium on this machine: apt-get install chromium"
)


@contextmanager
def opened(
    browser: Any, address: str, *, phone: bool = False, dark: bool = False, offline: bool = True
) -> Iterator[Any]:
    """A page of its own; it may not log to the console nor ask for others' files."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 900},
        color_scheme="dark" if dark else "light",
        offline=offline,
        accept_downloads=True,
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    yield page
    root = address.split("#", maxsplit=1)[0].rsplit("/", 1)[0]
    assert said == []
    assert [url for url in asked if not url.startswith((root, "data:"))] == []
    context.close()


def serious(page: Any) -> list[str]:
    """What axe-core finds serious or critical, a line each."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{item['id']}: {node['target']} {node.get('failureSummary', '')}"
        for item in found
        if item["impact"] in ("serious", "critical")
        for node in item["nodes"]
    ]
