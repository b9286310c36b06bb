"""Another winner: measured again with the run's models, written as the search would."""

import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.report.dashboard.candidates import CandidatePictures
from attrsearch.report.dashboard.winner import choose_winner, read_candidates
from attrsearch.runs.export import write_again
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.search.remeasure import Verifier


@pytest.fixture(scope="module")
def verifier(finished: Path) -> Verifier:
    return Verifier(read_run(finished))


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def test_a_chosen_winner_is_what_the_search_measured(run: Path, verifier: Verifier) -> None:
    folder = RunFolder(run)
    before = folder.read_person("cadet")
    trials = folder.read_trials("cadet")
    trial = next(i for i in range(len(trials)) if i not in (before.winner, *before.runners))
    pictures = {name: (run / name).read_bytes() for name in before.images["best"]}
    after = choose_winner(run, "cadet", trial, verifier)
    row = trials.iloc[trial]
    for term in ("detection", "iou", "distance", "distance_raw", "utility"):
        assert getattr(after.record, term) == pytest.approx(row[term], abs=1e-5)
    assert after.worst_distance == pytest.approx(row["worst_distance"], abs=1e-5)
    assert after.record.feasible == bool(row["feasible"])
    assert (after.winner, after.runners) == (trial, before.runners)
    assert [after.record.first_pass[name] for name in ATTRIBUTES] == pytest.approx(
        [row[f"first_{name}"] for name in ATTRIBUTES], abs=1e-6
    )
    assert before.heldback is not None
    assert after.heldback is not None
    assert after.heldback.faces == before.heldback.faces
    assert after.heldback.distance != before.heldback.distance
    assert all((run / name).read_bytes() != data for name, data in pictures.items())
    assert folder.read_person("cadet") == after
    write_again(run)
    summary = pd.read_csv(run / "summary.csv").set_index("id")
    assert summary.loc["cadet", "distance"] == after.record.distance
    assert summary.loc["cadet", "heldback_distance"] == after.heldback.distance


def test_a_rendered_candidate_is_the_picture_that_was_kept(run: Path, verifier: Verifier) -> None:
    part = RunFolder(run).read_person("cadet")
    asked: list[int] = []

    def models() -> Verifier:
        asked.append(1)
        return verifier

    pictures = CandidatePictures(run, models)
    for trial, name in (
        (part.winner, part.images["best"][0]),
        (part.runners[0], part.images["runner"][0]),
    ):
        with (
            Image.open(io.BytesIO(pictures.picture("cadet", trial))) as made,
            Image.open(run / name) as kept,
        ):
            assert np.abs(np.asarray(made, float) - np.asarray(kept, float)).mean() < 1
    pictures.picture("cadet", part.winner)
    assert len(asked) == 2  # what was made once is kept
    count = len(RunFolder(run).read_trials("cadet"))
    with pytest.raises(
        InputError, match=f"needs a trial of cadet, 0 to {count - 1}, found {count}"
    ):
        pictures.picture("cadet", count)


def test_the_searched_winner_comes_out_the_same_again(run: Path, verifier: Verifier) -> None:
    """Choosing a runner-up and then the old winner again restores the person."""
    before = RunFolder(run).read_person("cadet")
    changed = choose_winner(run, "cadet", before.runners[0], verifier)
    assert changed.runners == (before.winner, *before.runners[1:])
    assert choose_winner(run, "cadet", before.winner, verifier) == before


def test_candidates_are_read_as_they_were_asked(run: Path) -> None:
    trials = RunFolder(run).read_trials("cadet")
    found = read_candidates(run, "cadet", passes=1)
    assert found.shape == (len(trials), 1, 13)
    assert np.array_equal(found[:, 0, 7], trials["first_Male"].to_numpy())


@pytest.mark.parametrize("trial", [-1, 999])
def test_there_is_no_such_trial(run: Path, verifier: Verifier, trial: int) -> None:
    last = len(RunFolder(run).read_trials("cadet")) - 1
    wanted = f"trial: needs a trial of cadet, 0 to {last}, found {trial}"
    with pytest.raises(InputError, match=wanted):
        choose_winner(run, "cadet", trial, verifier)


def test_what_cannot_be_measured_again_is_left_alone(run: Path, tmp_path: Path) -> None:
    head = read_run(run)
    before = (run / "people" / "cadet.json").read_bytes()
    (tmp_path / "others" / "someone").mkdir(parents=True)
    (tmp_path / "others" / "someone" / "a.jpg").write_bytes(b"")
    for verifier, reason in (
        (Verifier({**head, "faces": ""}), "a run that does not say where they are"),
        (
            Verifier(head, tmp_path / "gone"),
            "found no such folder; start the dashboard with --faces",
        ),
        (
            Verifier(head, tmp_path / "others"),
            "needs the pictures of cadet, found nobody of that name",
        ),
        (
            Verifier({**head, "settings": {**head["settings"], "editor_sha256": "0" * 64}}),
            "needs editor 000000000000…",
        ),
    ):
        with pytest.raises(InputError, match=reason):
            choose_winner(run, "cadet", 1, verifier)
    assert (run / "people" / "cadet.json").read_bytes() == before


def test_the_report_does_not_say_where_the_pictures_are(finished: Path) -> None:
    place = read_run(finished)["faces"]
    assert Path(place).is_dir()
    assert place not in (finished / "report.html").read_text()


def test_a_picture_that_joined_the_search_is_searched_again(verifier: Verifier, run: Path) -> None:
    part = RunFolder(run).read_person("cadet")
    passes = 1 if part.record.second_pass is None else 2
    chosen = read_candidates(run, "cadet", passes)[[part.winner]]
    found = verifier.measure("cadet", part.record.gender, chosen, joined=(0,))
    assert len(found.faces) == part.record.faces + 1
    assert found.held_out is None
    assert found.searched.distance[0] != pytest.approx(part.record.distance, abs=1e-5)
