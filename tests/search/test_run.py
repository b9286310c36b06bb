"""Whole runs on the sample: files, order, workers, resume, and what goes wrong."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.bundled import bundled
from attrsearch.core.errors import InputError, OutputError, RecipeError, WeightsError
from attrsearch.core.recipes.study import Verification, load_study
from attrsearch.faces.attribute_classifier import MIN_CERTAINTY
from attrsearch.runs.attributes_file import AttributesFile, read_attributes
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.runs.person_part import HELDBACK_COLUMNS
from attrsearch.runs.trials_file import TRIAL_COLUMNS
from attrsearch.search.lockstep import split_faces
from attrsearch.search.run import RunProgress, RunResult, run

TRIALS = 8
STUDY = load_study("quick", recogniser="sface").model_copy(update={"surrogate": None})


def search(faces: Path, out: Path, **options: object) -> RunResult:
    options = {"study": STUDY, "trials": TRIALS} | options
    return run(faces, out, **options)  # type: ignore[arg-type]


def winners(out: Path) -> dict[str, object]:
    """What a run decided, without what it took."""
    people = {
        part.record.id: part.model_dump(exclude={"seconds"})
        for part in RunFolder(out).read_people()
    }
    trials = (
        pd.read_parquet(out / "trials.parquet")
        .drop(columns="seconds")
        .sort_values(["identity", "trial"])
    )
    return {"people": people, "trials": trials.to_csv(index=False)}


@pytest.fixture(scope="module")
def finished(
    sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunResult, list[RunProgress]]:
    states: list[RunProgress] = []
    out = tmp_path_factory.mktemp("runs") / "run"
    return search(sample, out, progress=states.append, include_originals=True), states


def test_the_files_of_a_run(finished: tuple[RunResult, list[RunProgress]]) -> None:
    result, states = finished
    out = result.out
    assert {path.name for path in out.iterdir()} == {
        "attributes.json",
        "trials.parquet",
        "summary.csv",
        "run.toml",
        "journal.jsonl",
        "images",
        "people",
    }
    assert result.identities == 3
    assert result.evaluations == 3 * TRIALS
    assert not result.failed
    assert states[-1].done == states[-1].people == 3
    assert states[-1].evaluations == states[-1].expected == 3 * TRIALS

    trials = pd.read_parquet(out / "trials.parquet")
    assert tuple(trials.columns) == TRIAL_COLUMNS
    assert trials.groupby("identity")["trial"].apply(list).tolist() == [list(range(TRIALS))] * 3
    assert trials["evaluated"].all()
    assert set(trials["source"]) == {"sampler"}
    assert trials[[f"second_{name}" for name in ATTRIBUTES]].isna().all().all()
    assert np.allclose(
        trials["utility"], trials["detection"] * trials["iou"] * trials["distance"], atol=1e-4
    )
    assert (trials["worst_distance"] <= trials["distance"] + 1e-6).all()
    assert (trials["seconds"] > 0).all()

    summary = pd.read_csv(out / "summary.csv")
    assert set(summary["id"]) == {"astronaut", "cadet", "pilot"}
    assert set(HELDBACK_COLUMNS) <= set(summary.columns)
    assert summary["heldback_distance"].notna().all()
    assert (summary["faces"] == 3).all()


def test_who_may_be_a_woman_is_given_no_beard(
    finished: tuple[RunResult, list[RunProgress]],
) -> None:
    people = {part.record.id: part for part in RunFolder(finished[0].out).read_people()}
    trials = pd.read_parquet(finished[0].out / "trials.parquet").groupby("identity")
    bearded = {
        name: bool(((own["first_Mustache"] > 0) | (own["first_No_Beard"] < 0)).any())
        for name, own in trials
    }
    assert people["astronaut"].gender_certainty < MIN_CERTAINTY
    sure = {
        name
        for name, part in people.items()
        if part.record.gender == "male" and part.gender_certainty >= MIN_CERTAINTY
    }
    assert {name for name, beard in bearded.items() if beard} == sure


def test_the_winner_is_the_best_feasible_trial(
    finished: tuple[RunResult, list[RunProgress]],
) -> None:
    out = finished[0].out
    trials = pd.read_parquet(out / "trials.parquet")
    for part in RunFolder(out).read_people():
        mine = trials[trials["identity"] == part.record.id].set_index("trial")
        assert part.record.feasible == mine["feasible"].any()
        if part.record.feasible:
            # or one within a hundredth of it that looks better
            best = mine[mine["feasible"]]["utility"].max()
            assert mine.loc[part.winner]["feasible"]
            assert mine.loc[part.winner]["utility"] >= 0.9899 * best
        chosen = mine.loc[part.winner]
        assert part.record.distance == pytest.approx(chosen["distance"], abs=1e-5)
        first = [part.record.first_pass[name] for name in ATTRIBUTES]
        assert np.allclose(first, [chosen[f"first_{name}"] for name in ATTRIBUTES], atol=1e-6)
        assert part.winner not in part.runners


def test_the_export_holds_the_anonymised_only(
    finished: tuple[RunResult, list[RunProgress]],
) -> None:
    result = finished[0]
    export = read_attributes(result.out / "attributes.json")
    assert len(export.identities) == result.feasible
    assert all(person.feasible for person in export.identities)
    assert export.recogniser.threshold == 1.4
    assert export.recogniser.name == "sface"
    assert "secret" in export.notice
    raw = json.loads((result.out / "attributes.json").read_text())
    assert list(raw)[:2] == ["format", "version"]
    assert len(result.infeasible) == result.identities - result.feasible


def test_the_run_says_what_it_was(finished: tuple[RunResult, list[RunProgress]]) -> None:
    about = read_run(finished[0].out)
    assert about["settings"]["study"]["trials"] == TRIALS
    assert about["settings"]["recognisers"][0]["name"] == "sface"
    assert len(about["settings"]["editor_sha256"]) == 64
    assert about["result"]["evaluations"] == 3 * TRIALS
    assert about["versions"]["torch"]
    assert about["machine"]["cores"] == os.cpu_count()


def test_pictures_of_a_run(
    finished: tuple[RunResult, list[RunProgress]], sample: Path, tmp_path: Path
) -> None:
    names = {path.name for path in (finished[0].out / "images" / "cadet").iterdir()}
    assert names == {"runner_1.jpg", "runner_2.jpg", "random_0.jpg"} | {
        f"{kind}_{face}.jpg" for kind in ("best", "original") for face in range(3)
    }
    search(sample, tmp_path / "run", people=["cadet"], trials=2)
    assert not any("original" in path.name for path in (tmp_path / "run").rglob("*"))


def test_neither_order_nor_company_matters(
    finished: tuple[RunResult, list[RunProgress]], sample: Path, tmp_path: Path
) -> None:
    search(sample, tmp_path / "alone", people=["pilot"], include_originals=True)
    alone, all_of_them = winners(tmp_path / "alone"), winners(finished[0].out)
    assert alone["people"]["pilot"] == all_of_them["people"]["pilot"]  # type: ignore[index]


def test_another_seed_is_another_search(
    finished: tuple[RunResult, list[RunProgress]], sample: Path, tmp_path: Path
) -> None:
    search(sample, tmp_path / "run", seed=1, people=["pilot"], trials=4)
    first = pd.read_parquet(tmp_path / "run" / "trials.parquet")["first_Young"]
    other = pd.read_parquet(finished[0].out / "trials.parquet").query("identity == 'pilot'")[
        "first_Young"
    ]
    assert not set(first) & set(other)


@pytest.mark.slow
def test_workers_find_the_same(
    finished: tuple[RunResult, list[RunProgress]], sample: Path, tmp_path: Path
) -> None:
    result = search(sample, tmp_path / "run", jobs=2, include_originals=True)
    assert result.evaluations == 3 * TRIALS
    assert winners(tmp_path / "run") == winners(finished[0].out)


def test_resuming_keeps_what_is_finished(
    finished: tuple[RunResult, list[RunProgress]], sample: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    shutil.copytree(finished[0].out, out)
    for name in ("cadet.json", "astronaut.parquet"):  # one unfinished, one damaged
        (out / "people" / name).unlink()
    (out / "people" / "pilot.json").write_text((out / "people" / "pilot.json").read_text()[:100])
    (out / "trials.parquet").unlink()
    states: list[RunProgress] = []
    result = search(sample, out, resume=True, include_originals=True, progress=states.append)
    assert result.evaluations == 3 * TRIALS
    assert winners(out) == winners(finished[0].out)
    again = search(sample, out, resume=True, include_originals=True)
    assert again.evaluations == 3 * TRIALS
    assert again.seconds < 60


def test_resuming_with_other_settings_is_refused(
    finished: tuple[RunResult, list[RunProgress]], sample: Path
) -> None:
    with pytest.raises(OutputError, match=r"needs the settings this run was started with \(study"):
        search(sample, finished[0].out, resume=True, trials=TRIALS + 1)


def test_every_setting_that_differs_is_named(
    finished: tuple[RunResult, list[RunProgress]], sample: Path
) -> None:
    with pytest.raises(OutputError, match="and more") as refused:
        search(sample, finished[0].out, resume=True, trials=TRIALS + 1, seed=99)
    assert f"study.trials: {TRIALS} before, {TRIALS + 1} now" in refused.value.details
    assert any(line.startswith("study.seed: ") for line in refused.value.details)
    assert pickle.loads(pickle.dumps(refused.value)).details == refused.value.details


def test_a_run_is_not_written_over(
    finished: tuple[RunResult, list[RunProgress]], sample: Path, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="found a run; add --resume to continue it"):
        search(sample, finished[0].out)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="found other files; choose another folder"):
        search(sample, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="needs a folder, found a file"):
        search(sample, tmp_path / "file")


@pytest.mark.slow
def test_killed_in_the_middle_and_resumed(
    finished: tuple[RunResult, list[RunProgress]], sample: Path, tmp_path: Path
) -> None:
    """SIGKILL while people are being searched.

    The resumed run decides what an undisturbed one does.
    """
    faces = tmp_path / "faces"
    shutil.copytree(sample, faces, ignore=shutil.ignore_patterns("*.py", "__pycache__", "*.csv"))
    for i in range(12):
        shutil.copytree(faces / "cadet", faces / f"zz{i:02d}")
    out = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "attrsearch.cli.main",
        "run",
        str(faces),
        "--out",
        str(out),
        "--quiet",
    ]
    command += [
        "--study",
        "quick",
        "--recogniser",
        "sface",
        "--trials",
        str(TRIALS),
        "--include-originals",
    ]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 600
    while (
        not list((out / "people").glob("*.json"))
        and time.monotonic() < deadline
        and process.poll() is None
    ):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {path.name: path.stat().st_mtime_ns for path in (out / "people").glob("*.json")}
    assert 0 < len(before) < 15
    assert not (out / "trials.parquet").exists()
    assert subprocess.run([*command, "--resume"], check=False).returncode in (0, 1)
    after = {path.name: path.stat().st_mtime_ns for path in (out / "people").glob("*.json")}
    assert len(after) == 15
    assert all(after[name] == before[name] for name in before)
    resumed, undisturbed = winners(out)["people"], winners(finished[0].out)["people"]
    assert all(resumed[name] == undisturbed[name] for name in ("astronaut", "cadet", "pilot"))  # type: ignore[index]


def test_one_bad_person_does_not_end_the_run(
    sample: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faces = tmp_path / "faces"
    shutil.copytree(sample / "cadet", faces / "cadet")
    (faces / "nobody").mkdir()
    (faces / "nobody" / "a.jpg").write_bytes(b"not a picture")
    result = search(faces, tmp_path / "run", trials=2)
    assert list(result.failed) == ["nobody"]
    assert "needs at least one picture with a face" in result.failed["nobody"]
    assert any("a.jpg: needs a readable picture" in line for line in caplog.messages)
    assert result.identities == 2
    assert read_run(tmp_path / "run")["failures"][0]["id"] == "nobody"


def test_trials_asked_for_are_all_there_are(sample: Path, tmp_path: Path) -> None:
    study = load_study(
        "quick", recogniser="sface", trials=2, stopping={"tolerance": 0, "extra": 2.0, "widen": 1.5}
    )
    hard = tmp_path / "hard.toml"
    text = (bundled("objectives") / "utility_product.toml").read_text()
    hard.write_text(text.replace("above = 1.4", "above = 1.9"))
    options = {"study": study, "objective": str(hard), "people": ["cadet"]}
    assert search(sample, tmp_path / "given", trials=2, **options).evaluations == 2  # type: ignore[arg-type]
    longer = search(sample, tmp_path / "longer", trials=None, **options)  # type: ignore[arg-type]
    assert longer.evaluations == 2 + 4
    assert pd.read_parquet(tmp_path / "longer" / "trials.parquet").shape[0] == 6
    assert load_study("quick").stopping is None


def test_a_search_that_goes_on_is_the_same_again(sample: Path, tmp_path: Path) -> None:
    """Variations and further trials: alone, in company, and resumed, and never more than asked."""
    verification = Verification(variations=1, rounds=1, extra=0.5)
    study = STUDY.model_copy(update={"verification": verification, "trials": 4})
    out = tmp_path / "run"
    given: dict[str, object] = {"study": study, "trials": None, "people": ["cadet", "pilot"]}
    search(sample, out, **given)
    first = winners(out)
    for part in RunFolder(out).read_people():
        assert part.record.evaluations == 4 + 2 * len(part.joined)
        assert part.record.faces == 3 + len(part.joined)
        assert (part.heldback is None) == bool(part.joined)

    (out / "people" / "cadet.json").unlink()
    search(sample, out, resume=True, **given)
    assert winners(out) == first
    search(sample, tmp_path / "alone", **given | {"people": ["pilot"]})
    alone = winners(tmp_path / "alone")["people"]
    assert alone["pilot"] == first["people"]["pilot"]  # type: ignore[index]
    exactly = search(sample, tmp_path / "exactly", **given | {"trials": 3})
    assert exactly.evaluations == 2 * 3


def test_nobody_at_all(sample: Path, tmp_path: Path) -> None:
    faces = tmp_path / "faces"
    (faces / "nobody").mkdir(parents=True)
    (faces / "nobody" / "a.jpg").write_bytes(b"not a picture")
    result = search(faces, tmp_path / "run", trials=2)
    assert (result.identities, result.feasible) == (1, 0)
    assert pd.read_parquet(tmp_path / "run" / "trials.parquet").empty
    assert read_attributes(tmp_path / "run" / "attributes.json").identities == ()


def test_a_full_disk_says_so(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(
        OutputError, match="No space left on device; free some space, then continue with --resume"
    ):
        search(sample, tmp_path / "run", people=["cadet"], trials=2)


def test_what_a_run_cannot_start_with(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="did you mean quick"):
        search(sample, tmp_path / "a", study="quik")
    with pytest.raises(WeightsError, match="needs bundled editor weights or a path"):
        search(sample, tmp_path / "b", editor="nothing")
    with pytest.raises(InputError, match="needs a person named Zoe, found 3 people without Zoe"):
        search(sample, tmp_path / "c", people=["Zoe"])
    with pytest.raises(InputError, match="no such folder"):
        search(tmp_path / "nowhere", tmp_path / "d")
    assert not list(tmp_path.iterdir())


def test_a_mixed_folder(sample: Path, tmp_path: Path) -> None:
    faces = tmp_path / "faces"
    faces.mkdir()
    for path in sample.glob("*/*_[12].jpg"):
        shutil.copy(path, faces)
    result = search(faces, tmp_path / "run", cluster=True, trials=2)
    assert 2 <= result.identities <= 3
    assert (tmp_path / "run" / "people" / "person_001.json").exists()


@pytest.mark.parametrize("count", [1, 2, 3, 10])
@pytest.mark.parametrize("heldback", [0.0, 0.3, 0.9])
def test_splitting_faces(count: int, heldback: float) -> None:
    faces = list(range(count))
    searched, held = split_faces(faces, heldback, 8, 7)  # type: ignore[arg-type]
    assert searched
    assert not set(searched) & set(held)
    assert len(searched) <= 8
    assert bool(held) == (heldback > 0 and count > 1)
    assert (searched, held) == split_faces(faces, heldback, 8, 7)  # type: ignore[arg-type]


def test_reading_damaged_exports(
    finished: tuple[RunResult, list[RunProgress]], tmp_path: Path
) -> None:
    good = json.loads((finished[0].out / "attributes.json").read_text())
    path = tmp_path / "attributes.json"
    measures = dict.fromkeys(("utility", "detection", "iou", "distance", "distance_raw"), 1.0)
    passes = {"first_pass": dict.fromkeys(ATTRIBUTES, 0.0), "second_pass": None}
    person = (
        {"id": "x", "gender": "male", "feasible": True, "faces": 1, "evaluations": 1}
        | passes
        | measures
    )
    cases = [
        ("{", "no valid JSON"),
        (json.dumps(good | {"version": 2}), "version: Input should be 1"),
        (json.dumps(good | {"format": "other"}), "format: Input should be"),
        (
            json.dumps(good | {"identities": [person | {"first_pass": {"Bald": 0}}]}),
            "exactly the 13 attributes",
        ),
        (
            json.dumps(good | {"identities": [person | {"gender": "other"}]}),
            "gender: Input should be",
        ),
        (json.dumps(good).replace("1.4}", "NaN}"), "threshold"),
        ("[" * 100_000, "no valid JSON"),
    ]
    for text, line in cases:
        path.write_text(text)
        with pytest.raises(InputError, match=line):
            read_attributes(path)
    path.write_text(json.dumps(good | {"identities": [person]}))
    assert read_attributes(path).find("x") is not None
    assert isinstance(read_attributes(path), AttributesFile)
    with pytest.raises(InputError, match="No such file"):
        read_attributes(tmp_path / "gone.json")
