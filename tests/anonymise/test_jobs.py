"""What anonymise makes of what it is given, where it goes, and what is already done."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attrsearch.anonymise.jobs import plan_jobs
from attrsearch.core.errors import InputError
from tests.clips import textured, write_clip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.mp4", "a.mkv", "a_anonymised.mkv"):
        (tmp_path / name).write_bytes(b"named like a video")
    (tmp_path / "notes.txt").write_text("no video")
    return tmp_path


def test_without_out_it_goes_beside(tmp_path: Path) -> None:
    (job,) = plan_jobs([tmp_path / "clip.mp4"])
    assert (job.target.name, job.run.name) == ("clip_anonymised.mp4", "clip_anonymised.mp4.run")
    assert job.is_video
    (job,) = plan_jobs([tmp_path / "clip.mp4"], tmp_path / "o.mp4", tmp_path / "r")
    assert (job.target.name, job.run.name) == ("o.mp4", "r")


def test_a_folder_of_videos_is_its_videos(folder: Path) -> None:
    jobs = plan_jobs([folder])
    assert [job.source.name for job in jobs] == ["a.mkv", "b.mp4"]
    assert [job.target.name for job in plan_jobs([folder], folder / "out")] == ["a.mkv", "b.mp4"]
    assert plan_jobs([folder], folder / "out")[0].target.parent == folder / "out"


def test_a_folder_of_pictures_is_one_job_and_beside_videos_another(
    folder: Path, tmp_path: Path
) -> None:
    people = tmp_path / "people"
    people.mkdir()
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(people / "ann.png")
    (job,) = plan_jobs([people])
    assert (job.target.name, job.is_video) == ("people_anonymised", False)
    write_clip(people / "film.mp4", textured(2))
    assert [job.source.name for job in plan_jobs([people])] == ["film.mp4", "people"]
    assert [job.is_video for job in plan_jobs([people], frames=True)] == [False]


def test_what_cannot_be_planned(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.mp4").write_bytes(b"another")
    with pytest.raises(InputError, match="outputs of different names, found two of this name"):
        plan_jobs([folder / "b.mp4", other / "b.mp4"], tmp_path / "out")
    with pytest.raises(InputError, match="one input for --run, found 2"):
        plan_jobs([folder / "a.mkv", folder / "b.mp4"], run=tmp_path / "run")


def test_a_job_is_done_once_its_output_is_there_and_until_something_changes(folder: Path) -> None:
    (job,) = plan_jobs([folder / "b.mp4"])
    asked = {"quality": 18, "quiet": False}
    assert not job.is_done(asked)
    assert not job.has_begun
    job.mark_done(asked)
    assert not job.is_done(asked)  # the output is not there
    job.target.write_bytes(b"written")
    assert job.is_done({**asked, "quiet": True})
    assert not job.is_done({**asked, "quality": 30})
    job.source.write_bytes(b"another film of this name")
    assert not job.is_done(asked)
    assert not job.is_blocked
    (job.run / "run.toml").write_text("")
    assert job.has_begun


def test_what_a_stopped_job_leaves_never_blocks_it(folder: Path) -> None:
    (job,) = plan_jobs([folder / "b.mp4"])
    job.run.mkdir()
    assert not job.is_blocked
    (job.run / ".run.toml.0a1b2c3d.part").write_text("half")
    (job.run / "coverage.parquet").write_text("of a video in which nobody was searched")
    (job.run / "people").mkdir()
    assert not job.has_begun
    assert not job.is_blocked
    assert "before the search of" in job.progress()
    (job.run / "run.toml").write_text("")
    (job.run / "people" / "p1.json").write_text("")
    assert "1 person is searched" in job.progress()
    (job.run / "run.toml").unlink()
    (job.run / "mine.txt").write_text("")
    assert job.is_blocked
    other = plan_jobs([folder / "a.mkv"])[0]
    other.run.write_text("a file")
    assert other.is_blocked
