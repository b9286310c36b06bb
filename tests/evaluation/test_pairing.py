"""A protected picture is cut where its original was, whatever its size and suffix."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attrsearch.core.errors import InputError
from attrsearch.evaluation.faces import Cohort
from attrsearch.evaluation.pairing import Protection, load_protection, untouched


@pytest.mark.parametrize("times", [1.0, 2.0, 0.75])
def test_pictures_of_another_size(
    cohort: Cohort, finished_people: Path, tmp_path: Path, times: float
) -> None:
    for face in cohort.faces:
        out = tmp_path / face.source.parent.name / f"{face.source.stem}.png"
        out.parent.mkdir(exist_ok=True)
        with Image.open(face.source) as image:
            sides = (round(image.width * times), round(image.height * times))
            image.resize(sides, Image.Resampling.BICUBIC).save(out)
    found = load_protection(cohort, finished_people, tmp_path)
    assert found.rows.tolist() == list(range(len(cohort)))
    difference = np.abs(found.windows.astype(int) - cohort.look.windows)
    assert difference.mean() < (0.01 if times == 1 else 4)


def test_missing_pictures_are_counted_and_named(
    cohort: Cohort, finished_people: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    face = cohort.faces[1]
    (tmp_path / face.source.parent.name).mkdir()
    (tmp_path / face.source.parent.name / face.source.name).write_bytes(face.source.read_bytes())
    found = load_protection(cohort, finished_people, tmp_path, name="one")
    assert found.rows.tolist() == [1]
    assert found.missing == len(cohort) - 1 == len(caplog.messages)
    assert "no protected picture" in caplog.messages[0]


def test_another_layout_is_refused(cohort: Cohort, finished_people: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no picture in it"):
        load_protection(cohort, finished_people, tmp_path)
    (tmp_path / "other.png").write_bytes(cohort.faces[0].source.read_bytes())
    with pytest.raises(InputError, match="none of them"):
        load_protection(cohort, finished_people, tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        load_protection(cohort, finished_people, tmp_path / "nowhere")


def test_the_edit_is_in_the_windows(cohort: Cohort, protection: Protection) -> None:
    assert protection.missing == 0
    assert np.abs(protection.windows.astype(int) - untouched(cohort).windows).mean() > 3
