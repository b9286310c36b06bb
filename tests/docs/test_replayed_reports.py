"""Every report in docs/results/files.md was replayed: its test is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(
    r"^\| \[\S+#\d+\]\(https://github.com/\S+\) \| .+ \| .+ \| `(\S+)::(\w+)` \|$", re.MULTILINE
)


def test_every_report_has_its_test() -> None:
    page = (ROOT / "docs" / "results" / "files.md").read_text(encoding="utf-8")
    rows = ROW.findall(page)
    assert len(rows) == page.count("](https://github.com/") >= 40
    for file, name in rows:
        assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8"), (file, name)
