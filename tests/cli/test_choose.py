"""``attrsearch choose``: another trial wins, is measured again and logged."""

import json
import shutil
from pathlib import Path

import pytest

from attrsearch.cli.main import main
from attrsearch.runs.attributes_file import read_attributes
from attrsearch.runs.folder import RunFolder


def test_another_trial_wins(
    capsys: pytest.CaptureFixture[str], finished: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    part = RunFolder(run).read_person("cadet")
    trial = next(number for number in part.runners if number != part.winner)
    assert main(["choose", str(run), "cadet", str(trial), "--user", "ann"]) == 0
    assert f"cadet: trial {trial} wins; " in capsys.readouterr().err
    assert RunFolder(run).read_person("cadet").winner == trial
    line = json.loads((run / "changes.jsonl").read_text().splitlines()[-1])
    assert (line["who"], line["action"], line["to"]) == ("ann", "winner", trial)
    written = {person.id for person in read_attributes(run / "attributes.json").identities}
    assert ("cadet" in written) is RunFolder(run).read_person("cadet").record.feasible


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(("nobody", "1"), "nobody"), (("cadet", "999"), "trial: needs a trial of cadet, 0 to ")],
)
def test_what_cannot_be_chosen(
    capsys: pytest.CaptureFixture[str], finished: Path, arguments: tuple[str, str], reason: str
) -> None:
    assert main(["choose", str(finished), *arguments]) == 2
    assert reason in capsys.readouterr().err
