"""Whole made-up streets: what is counted is what the truth says."""

from pathlib import Path

import numpy as np
import pytest

from attrsearch.cli.main import main
from attrsearch.core.attributes import AttributeSet
from attrsearch.editing.editor import Editor
from attrsearch.experiments.street_study import (
    StreetModels,
    StreetResult,
    shown_real,
    street_figures,
    study_street,
)
from attrsearch.experiments.synthetic_streets import Street
from attrsearch.experiments.wording import say_figures
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.detection.yunet import YuNet
from attrsearch.faces.recognition.base import CalibratedRecogniser
from tests.clips import Clip, street, walker, write_clip

SET = AttributeSet(np.linspace(-0.8, 0.8, 13).astype(np.float32))


@pytest.fixture(scope="module")
def made() -> Street:
    return street([walker(16, (60, 90), (3, 0), 56), walker(16, (245, 130), (0, 0), 64)])


@pytest.fixture(scope="module")
def result(
    made: Street,
    tmp_path_factory: pytest.TempPathFactory,
    editor: Editor,
    mtcnn: Mtcnn,
    sface: CalibratedRecogniser,
):
    return study_street(
        made,
        "medium",
        tmp_path_factory.mktemp("street"),
        StreetModels(YuNet(10, 0.2), mtcnn, sface, sface, editor),
        SET,
        seed=1,
    )


def test_a_protected_street_shows_nobody(result: StreetResult) -> None:
    assert result.faces == 32
    assert result.missed > 2
    assert result.real == ()
    assert result.switches == 0
    assert sum(result.covers.values()) >= 32
    assert {track.person for track in result.tracks} == {"person_001", "person_002"}


def test_its_row(result: StreetResult) -> None:
    row = say_figures("streets-protected", street_figures([result])).splitlines()[2]
    assert row.startswith(f"| medium | 32 | {result.missed} | 0 | 0 | ")
    assert say_figures("streets-protected", street_figures([])).count("\n") == 1


def test_uncovered_faces_are_counted_and_posts_left_out(made: Street, tmp_path: Path) -> None:
    shown = list(made.render(1))
    film = write_clip(tmp_path / "a.mp4", shown, Clip(options={"crf": "8"}))
    covered = [picture.copy() for picture in shown]
    for frame, there in made.truth().items():
        for item in there:
            if (frame, item.track) not in {(3, 0), (7, 1)}:
                left, top, right, bottom = (round(value) for value in item.box)
                covered[frame][top:bottom, left:right] = 60
    target = write_clip(tmp_path / "b.mp4", covered, Clip(options={"crf": "8"}))
    assert shown_real(made, film, target) == [(3, 0), (7, 1)]
    hidden = Street(made.size, made.frames, made.walkers, np.array([[200.0, 300.0]]))
    assert shown_real(hidden, film, target) == [(3, 0)]  # walker 1 stands behind the post


def test_an_export_of_nobody(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert (
        main(["reproduce", "streets", "--attributes", str(tmp_path / "gone.json"), "--quiet"]) == 2
    )
    assert "gone.json: needs" in capsys.readouterr().err
