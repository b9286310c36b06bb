"""What the documents tell people to type can be typed, and what they point at is there."""

import re
from pathlib import Path

import pytest

from attrsearch.cli.main import cli
from tests.docs.commands import Command, commands_in, problem

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "attrsearch"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("models/*.md")])
PRESENT = [path for path in DOCUMENTS if path.name != "CHANGELOG.md"]
"""The changelog says what was, under the names of that time."""
FOLDERS = "attrsearch|docs|tests|tools|models|studies|objectives"
PATH = re.compile(rf"(?<![\w/.\"-])((?:{FOLDERS})/[\w/.-]+\w)")
MODULE = re.compile(r"`((?:\w+/)+\w+\.py)(?:::\w+)?`")
IN_WHEELS = {"attrsearch/bundled"}
FORMAT = re.compile(r'"(attrsearch/[a-z-]+)"')


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def formats() -> set[str]:
    """Names of file formats, which look like paths."""
    return {name for path in PACKAGE.rglob("*.py") for name in FORMAT.findall(path.read_text())}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_parses(document: Path) -> None:
    wrong = [
        f"line {command.line}: {' '.join(command.words)}: {text}"
        for command in commands_in(document.read_text(encoding="utf-8"))
        if (text := problem(cli, command))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("document", PRESENT, ids=name_of)
def test_every_path_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = set(PATH.findall(text)) - formats() - IN_WHEELS
    gone = [path for path in named if not (ROOT / path).exists()]
    gone += [
        path
        for path in MODULE.findall(text)
        if not any((folder / path).exists() for folder in (ROOT, PACKAGE))
    ]
    assert not sorted(gone)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("```\nattrsearch rnu faces --out r\n```", "has no command 'rnu'"),
        ("```\nattrsearch run faces --out r --trails 3\n```", "No such option '--trails'"),
        ("```\nattrsearch run faces\n```", "Missing option '--out'"),
        ("```\nattrsearch run faces --out r --trials many\n```", "'many' is not a valid integer"),
        ("```\nattrsearch export run1 run2\n```", "unexpected extra argument (run2)"),
        ("```\nattrsearch train\n```", "Missing command"),
        ("```\npip install . && attrsearch domo\n```", "has no command 'domo'"),
        ("```\nattrsearch run faces \\\n  --ouT r\n```", "No such option '--ouT'"),
        ("```\nfor x in out oot; do\nattrsearch run f --$x r\ndone\n```", "No such option '--oot'"),
        ("With `attrsearch run --trails`, more.", "No such option '--trails'"),
        ("With `attrsearch train editor|nothing`.", "has no command 'editor|nothing'"),
    ],
)
def test_mistakes_are_found(text: str, found: str) -> None:
    problems = [problem(cli, command) for command in commands_in(text)]
    assert [line for line in problems if found in line], problems


@pytest.mark.parametrize(
    "text",
    [
        "```\nattrsearch run faces --out r   # a comment, and isn't a command\n```",
        "```\nattrsearch completion bash > file\n```",
        "```\n$ attrsearch bench | head\n```",
        "```\nattrsearch run --help\n```",
        "`attrsearch run --trials` and `attrsearch scrub RUN`",
        "```\nattrsearch `utility_product`:\n```",
    ],
)
def test_what_is_right_passes(text: str) -> None:
    assert not [line for command in commands_in(text) if (line := problem(cli, command))]


def test_a_command_is_found_where_it_stands() -> None:
    text = "one\n\n```\nKEY=1 attrsearch demo; attrsearch bench\n```\n"
    assert list(commands_in(text)) == [
        Command(4, ("demo",), True),
        Command(4, ("bench",), True),
    ]
