"""What the files beside the code say of the project is true."""

import re
import tomllib
from pathlib import Path

import pytest

import attrsearch
from attrsearch import __version__
from attrsearch.cli.main import cli

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)|!\[[^\]]*\]\(([^)\s]+)\)")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_the_citation_is_of_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in text
    assert "family-names: Lindseth" in text


def test_hooks_run_what_is_installed() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"repo: (\S+)", text) == ["local"]
    assert re.findall(r"id: (\S+)", text) == ["ruff-check", "ruff-format", "mypy"]


def test_the_readme_is_read_in_a_minute() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    python = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    paragraphs = [part for part in text.split("\n\n") if not part.startswith(("|", "```", "- "))]
    assert len(text.split()) <= 500
    assert max(len(part.split()) for part in paragraphs) <= 60
    assert text.count("![") == 1
    assert text.count("\n|---|") == 1
    assert [len([line for line in block.splitlines() if line]) for block in python] == [5]


def test_every_extra_is_described() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    home = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for_users = set(project["optional-dependencies"]) - {"docs", "test"}
    assert set(re.findall(r"^\| `(\w+)` \|", home, re.MULTILINE)) == for_users


def test_every_command_is_described() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `attrsearch (\w+)` \|", page, re.MULTILINE)) == set(cli.commands)


def test_every_public_name_is_described() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    shown = {name.rsplit(".", 1)[1] for name in re.findall(r"^::: (\S+)$", page, re.MULTILINE)}
    public = set(attrsearch.__all__) - {"__version__"}
    assert public <= shown
    assert public == set(re.findall(r"`attrsearch\.(\w+)`", page))


def test_recipes_are_described() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for folder in ("studies", "objectives", "studies/spaces"):
        for path in (ROOT / folder).glob("*.toml"):
            assert f"`{path.stem}`" in page, path


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [one or other for one, other in LINK.findall(text)]
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        for one, other in LINK.findall(page.read_text(encoding="utf-8")):
            target = one or other
            if "://" not in target:
                waiting.append((page.parent / target).resolve())
    assert sorted(set((ROOT / "docs").rglob("*.md")) - reached) == []
