"""Every name runs, says what it must, and is documented.

Unknown ones are answered with the list.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from attrsearch.cli.main import main
from attrsearch.core.errors import InputError
from attrsearch.experiments.catalogue import CATALOGUE, ELSEWHERE, Experiment, find, reproduce_all
from attrsearch.experiments.context import ExperimentContext
from attrsearch.experiments.names import NAMES


def test_unknown_names_are_answered_with_the_list() -> None:
    with pytest.raises(
        InputError, match=r"did you mean table-4\.3\? known: all, figure-2\.4, .*table-4\.5"
    ):
        find("tabel-4.3")
    with pytest.raises(InputError, match="debug-video"):
        find("figure-4.9")
    assert not set(ELSEWHERE) & set(CATALOGUE)


def test_the_help_names_every_table_and_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(NAMES) == list(CATALOGUE)
    assert main(["reproduce", "--help"]) == 0
    listed = capsys.readouterr().out.split("Commands:")[1]
    shown = [line.split()[0] for line in listed.splitlines() if line.strip()]
    assert [name for name in shown if name in CATALOGUE] == list(CATALOGUE)
    assert "all" in shown
    assert main(["reproduce", "table-4.2", "--help"]) == 0
    assert "--distractors" in capsys.readouterr().out


def test_wrong_use_is_one_line(capsys: pytest.CaptureFixture[str], sample: Path) -> None:
    assert main(["reproduce", "table-9.9", str(sample)]) == 2
    assert "known: all, figure-2.4" in capsys.readouterr().err
    assert main(["reproduce", "all", str(sample)]) == 2
    assert "'all' needs --out FOLDER" in capsys.readouterr().err
    assert main(["reproduce", "table-4.3", "--quiet"]) == 2
    assert "needs a folder of people, found none" in capsys.readouterr().err
    assert main(["reproduce", "table-4.3", str(sample), "--size", "0"]) == 2


def test_a_table_is_measured_from_the_command_line(
    capsys: pytest.CaptureFixture[str], four: Path, tmp_path: Path
) -> None:
    out = tmp_path / "table.md"
    arguments = [
        "table-3.1",
        str(four),
        "--size",
        "0.01",
        "--recogniser",
        "sface",
        "--out",
        str(out),
        "--quiet",
    ]
    assert main(["reproduce", *arguments]) == 0
    text = out.read_text()
    assert text.startswith("# Table 3.1: distances within and between people\n")
    assert "| one person, female (the thesis: n00452, female) | 0.653 | 0." in text
    assert "| different women | 1.395 | – |" in text  # there is one stranger only
    capsys.readouterr()


EXPERIMENTS = {experiment.__module__: experiment for experiment in CATALOGUE.values()}


@pytest.mark.slow
@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_every_experiment_gives_all_its_names(
    experiment: Experiment, lab: ExperimentContext, women: Path
) -> None:
    if experiment is find(
        "table-4.6"
    ):  # it edits women, and of the four only the cadet is surely one
        lab = ExperimentContext(lab.options.model_copy(update={"faces": women}))
    sections = experiment(lab)
    assert set(sections) == {name for name, its in CATALOGUE.items() if its is experiment}
    for name, section in sections.items():
        assert section.name == name
        assert section.method
        assert section.compared or section.pictures
        for table in section.tables:
            assert all(len(row) == len(table.columns) for row in table.rows)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_files(laboratory: Callable[..., ExperimentContext]) -> None:
    first, second = (find("table-4.2")(laboratory()) for _ in range(2))
    assert first == second
    assert find("table-4.2")(laboratory(seed=1)) != first


@pytest.mark.slow
def test_single_faces_give_what_they_can(
    sample: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from attrsearch.experiments.options import ExperimentOptions

    for path in (sample / "astronaut").glob("*.jpg"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    lab = ExperimentContext(ExperimentOptions(faces=tmp_path, size=0.01, recogniser="sface"))
    found = [section.name for section in list(reproduce_all(lab))[-1]]
    assert found == [
        "table-4.4",
        "figure-4.6",
        "table-4.5",
        "figure-4.7",
        "figure-4.8",
        "figure-4.11",
        "figure-4.12",
    ]
    assert any(line.startswith("left out: table-4.2: ") for line in caplog.messages)
