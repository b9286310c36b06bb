"""Pictures of the pages for docs/results/dashboards.md.

Python -m tests.report.screenshots REPORT OUT NAME=ADDRESS…

An address is what follows the page's own (``#/person/pilot``); a name that ends in ``-phone`` or
``-dark`` is taken so.
"""

import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.report.browser import ARGUMENTS, CHROMIUM, opened

TALLEST = 2400


def main(report: Path, out: Path, wanted: list[str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for item in wanted:
            name, _, address = item.partition("=")
            phone, dark = name.endswith("-phone"), name.endswith("-dark")
            with opened(
                browser, report.resolve().as_uri() + address, phone=phone, dark=dark
            ) as page:
                page.wait_for_timeout(600)
                height = min(TALLEST, page.evaluate("document.documentElement.scrollHeight"))
                file = out / f"{name}.png"
                width = 390 if phone else 1280
                page.screenshot(
                    path=file,
                    full_page=True,
                    clip={"x": 0, "y": 0, "width": width, "height": height},
                )
            with Image.open(file) as image:
                image.convert("RGB").quantize(200, dither=Image.Dither.NONE).save(
                    file, optimize=True
                )
            print(file, file.stat().st_size // 1000, "kB")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
