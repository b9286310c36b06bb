"""The Containerfiles, for CPU and CUDA: what a linter would say, and that all they copy is there."""

import re
from pathlib import Path

import pytest

import attrsearch

ROOT = Path(attrsearch.__file__).parent.parent
FILES = (ROOT / "Containerfile", ROOT / "Containerfile.cuda")
WORDS = {"FROM", "RUN", "COPY", "ARG", "ENV", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}

pytestmark = [
    pytest.mark.skipif(not FILES[0].is_file(), reason="installed from a wheel"),
    pytest.mark.parametrize("file", FILES, ids=lambda file: file.name),
]


def instructions(file: Path) -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", "", file.read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def test_instructions_are_known_and_the_base_has_a_version(file: Path) -> None:
    found = instructions(file)
    assert {word for word, _ in found} <= WORDS
    assert found[0][0] == "FROM"
    bases = [rest.split()[0] for word, rest in found if word == "FROM"]
    assert all(
        re.fullmatch(r"[\w./-]+:[\w.-]+", base) and not base.endswith(":latest") for base in bases
    )


def test_what_is_copied_is_there(file: Path) -> None:
    copied = [
        rest.split()
        for word, rest in instructions(file)
        if word == "COPY" and "--from=" not in rest
    ]
    missing = [name for parts in copied for name in parts[:-1] if not (ROOT / name).exists()]
    assert copied
    assert not missing
    folders = {name for parts in copied for name in parts[:-1]}
    assert {
        "attrsearch",
        "objectives",
        "studies",
        "models",
        "pyproject.toml",
        "README.md",
        "LICENSE",
    } <= folders


def test_it_ends_as_somebody_who_is_not_root_and_runs_the_command(file: Path) -> None:
    words = [word for word, _ in instructions(file)]
    last = dict(instructions(file))
    assert last["USER"] not in ("root", "0")
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert last["ENTRYPOINT"] == '["attrsearch"]'


def test_both_install_the_same(file: Path) -> None:
    steps = [
        [rest for word, rest in instructions(each) if word in ("FROM", "COPY", "RUN", "ENTRYPOINT")]
        for each in (FILES[0], file)
    ]
    assert steps[0] == steps[1]
    settings = " ".join(rest for word, rest in instructions(file) if word == "ENV")
    assert ("NVIDIA_DRIVER_CAPABILITIES=compute" in settings) is (file.suffix == ".cuda")
