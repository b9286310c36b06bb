"""What is said of how faces were covered."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from attrsearch.video.compositor import Cover
from attrsearch.video.coverage import Ledger
from attrsearch.video.reasons import Reason
from attrsearch.video.render import RenderedFace
from attrsearch.video.summary import ADVICE, CoverageSummary
from attrsearch.video.trajectories import TrackedBox


def covered(track: int, how: Cover, reason: Reason = "") -> RenderedFace:
    box = np.float32([40, 60, 80, 110])
    face = TrackedBox(track, box, np.zeros((5, 2), np.float32), "detected", 0.9)
    return RenderedFace(face, "person_001", how, reason)


def test_a_change_between_edit_and_filter_is_counted_once_and_not_over_a_gap() -> None:
    summary = CoverageSummary()
    hows: list[Cover] = ["edited", "warped", "filtered", "filtered", "edited"]
    for frame, how in enumerate(hows):
        summary.add(frame, [covered(1, how), covered(2, "filtered", "turned")])

    summary.add(7, [covered(1, "filtered", "too small")])
    assert summary.switches == 2
    assert summary.counts == {"edited": 2, "warped": 1, "filtered": 8}
    assert summary.reasons == {"": 2, "turned": 5, "too small": 1}
    assert summary.frames == 6


def test_every_reason_has_advice() -> None:
    assert set(Reason.__args__) == {"", *ADVICE}  # type: ignore[attr-defined]


def test_the_ledger_says_what_its_rows_do_not(tmp_path: Path) -> None:
    summary = CoverageSummary(smallest=10.0, unread=2)
    with Ledger(tmp_path / "coverage.parquet") as ledger:
        for frame in range(2):
            faces = [covered(1, "filtered", "turned")]
            ledger.add(frame, frame / 25, faces)
            summary.add(frame, faces)
        ledger.close(summary)

    kept = pq.read_metadata(tmp_path / "coverage.parquet").metadata[b"attrsearch.coverage"]
    assert json.loads(kept) == {
        "frames": 2,
        "counts": {"filtered": 2},
        "reasons": {"turned": 2},
        "switches": 0,
        "smallest_face": 10.0,
        "unread_frames": 2,
    }
