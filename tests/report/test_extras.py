"""What other parts leave in a run: the video ledger, judges, the surrogate's log."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from attrsearch.core.errors import InputError
from attrsearch.report.extras import read_judges, read_surrogate, read_video
from attrsearch.report.page import write_report
from tests.report.pages import block
from tests.report.synthetic import write_coverage, write_run, write_surrogate


def test_a_run_without_them_says_nothing_of_them(tmp_path: Path) -> None:
    data = block(write_report(write_run(tmp_path / "run", 2, 20)), "data")
    assert data["video"] is data["judges"] is data["surrogate"] is None


def test_coverage_is_told_in_stretches(tmp_path: Path) -> None:
    write_coverage(tmp_path / "coverage.parquet", frames=120)
    ledger = pd.read_parquet(tmp_path / "coverage.parquet")
    video = read_video(tmp_path)
    assert video is not None
    assert video["frames"] == ledger["frame"].max() + 1
    assert sum(video["coverCounts"]) == sum(video["foundCounts"]) == len(ledger)
    rebuilt = [
        (track["track"], frame, video["found"][found], video["cover"][cover])
        for track in video["tracks"]
        for first, last, found, cover in track["stretches"]
        for frame in range(first, last + 1)
    ]
    rows = ledger.sort_values(["track", "frame"])[["track", "frame", "found", "cover"]]
    assert rebuilt == [tuple(row) for row in rows.itertuples(index=False)]
    stretches = sum(len(track["stretches"]) for track in video["tracks"])
    assert stretches < len(ledger) / 4


def test_a_damaged_ledger_is_named(tmp_path: Path) -> None:
    (tmp_path / "coverage.parquet").write_bytes(b"PAR1")
    with pytest.raises(
        InputError, match=r"coverage.parquet: needs a table with the columns frame, time"
    ):
        read_video(tmp_path)


def test_a_ledger_may_lie_elsewhere(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 2, 20, pictures=False)
    write_coverage(tmp_path / "street.parquet", frames=60)
    assert (
        block(write_report(run, ledger=tmp_path / "street.parquet"), "data")["video"]["frames"]
        <= 60
    )
    with pytest.raises(InputError, match="needs the ledger of a video, found no such file"):
        write_report(run, ledger=tmp_path / "gone.parquet")


def test_judges_are_shown_as_they_are(tmp_path: Path) -> None:
    assert read_judges(tmp_path) is None
    file = tmp_path / "evaluation.json"
    file.write_text(
        json.dumps(
            {"format": "attrsearch/evaluation", "judges": [{"judge": "dlib", "tar": 0.02, "x": []}]}
        )
    )
    assert read_judges(tmp_path) == [{"judge": "dlib", "tar": 0.02}]
    file.write_text(json.dumps({"format": "something else", "judges": [{"judge": "dlib"}]}))
    assert read_judges(tmp_path) is None
    file.write_text("{")
    with pytest.raises(InputError, match="needs a result of attrsearch evaluate"):
        read_judges(tmp_path)


def test_the_surrogate_is_judged_by_what_was_measured(tmp_path: Path) -> None:
    out = write_run(tmp_path / "run", 6, 80, screened=0.4, pictures=False)
    write_surrogate(out)
    found = read_surrogate(out)
    assert found is not None
    trials = pd.read_parquet(out / "trials.parquet")
    predicted = pd.read_parquet(out / "surrogate.parquet")
    both = predicted.merge(trials, on=["identity", "trial"])
    measured = both[both["evaluated"]]
    audited = measured[measured["source"] == "audit"]
    assert found["measured"] == len(measured) == len(found["pairs"])
    ranks = spearmanr(measured["predicted_utility"], measured["utility"]).statistic
    assert found["spearman"] == pytest.approx(ranks, abs=1e-3)
    assert found["screened"] == (~trials["evaluated"]).sum()
    assert (found["audited"], found["falseRejects"]) == (len(audited), audited["feasible"].sum())
    assert found["saved"] == pytest.approx(found["screened"] * 0.1, abs=0.01)
    assert found["overhead"] == pytest.approx(predicted["overhead_seconds"].sum(), abs=0.01)
    assert all(low <= middle <= high for _, low, middle, high in found["stages"])
    assert np.all(np.diff([stage[0] for stage in found["stages"]]) > 0)
