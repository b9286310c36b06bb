"""``attrsearch anonymise --watch``: what comes is protected, what is bad ends nothing."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest
from PIL import Image

from attrsearch.anonymise.archive import Archive
from attrsearch.cli.anonymise import _video, anonymise
from attrsearch.cli.exit_codes import DONE, INCOMPLETE, INTERRUPTED
from attrsearch.cli.main import main
from attrsearch.cli.watch import Watch
from attrsearch.search.config import RunConfig
from attrsearch.video.config import VideoConfig
from tests.clips import pictures, street, walker, write_clip

CONFIG = RunConfig(study="quick", trials=8, recogniser="sface")


def watch(folder: Path, config: RunConfig = CONFIG) -> tuple[Watch, Archive]:
    video = VideoConfig(recogniser="sface")
    archive = Archive(folder, folder.parent / "out", folder.parent / "out.run", dict(video))
    return Watch(archive, config, video, _video, dict(video), quiet=True), archive


def test_a_picture_comes_and_a_bad_one_ends_nothing(sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(sample / "cadet" / "cadet_1.jpg", folder / "cadet.jpg")
    (folder / "broken.jpg").write_bytes(b"no picture")
    watching, archive = watch(folder, CONFIG.model_copy(update={"trials": 1}))
    watching.once()
    assert not (tmp_path / "out").exists()  # nothing is known to be complete yet
    watching.once()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["cadet.jpg"]
    assert list(archive.failed) == [folder / "broken.jpg"]
    assert watch(folder)[1].done == 1


@pytest.mark.slow
def test_pictures_that_come_one_after_another(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    (folder / "cadet").mkdir(parents=True)
    for number in (1, 2):
        shutil.copy(sample / "cadet" / f"cadet_{number}.jpg", folder / "cadet")
    (folder / "broken.jpg").write_bytes(b"no picture")
    Image.new("RGB", (90, 90)).save(folder / "nobody.png")

    watching, archive = watch(folder)
    watching.once()
    assert not (tmp_path / "out").exists()  # nothing is known to be complete yet
    watching.once()
    out = tmp_path / "out"
    assert sorted(path.name for path in out.rglob("*.*")) == ["cadet_1.jpg", "cadet_2.jpg"]
    said = capsys.readouterr().err
    assert "not written: " in said
    assert "broken.jpg: needs a readable picture" in said
    assert set(archive.failed) == {folder / "broken.jpg", folder / "nobody.png"}

    # a further picture of somebody who was searched: nobody is searched again
    before = (tmp_path / "out.run" / "people" / "cadet.json").read_bytes()
    kept = (out / "cadet" / "cadet_1.jpg").stat().st_mtime_ns
    shutil.copy(sample / "cadet" / "cadet_3.jpg", folder / "cadet")
    watching.once()
    watching.once()
    assert (out / "cadet" / "cadet_3.jpg").is_file()
    assert (out / "cadet" / "cadet_1.jpg").stat().st_mtime_ns == kept
    assert (tmp_path / "out.run" / "people" / "cadet.json").read_bytes() == before

    # a restart goes on, and tries the bad ones once more
    shutil.copy(sample / "pilot" / "pilot_1.jpg", folder / "pilot.jpg")
    Image.open(sample / "pilot" / "pilot_2.jpg").save(folder / "broken.jpg")
    again, archive = watch(folder)
    assert archive.done == 3
    again.once()
    again.once()
    assert {path.name for path in out.glob("*.jpg")} == {"pilot.jpg", "broken.jpg"}
    assert set(archive.failed) == {folder / "nobody.png"}
    assert "5 files" in archive.summary()


@pytest.mark.slow
def test_a_video_comes_and_a_bad_one_ends_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "bad.mp4").write_bytes(b"no video")
    shown = list(street([walker(10, (90, 110), (3, 0), 70)]).render(1))
    write_clip(folder / "deep" / "street.mp4", shown)
    watching, archive = watch(folder)
    # which options were typed decides on the study for footage
    with click.Context(anonymise).scope():
        watching.once()
        watching.once()

    assert len(pictures(tmp_path / "out" / "deep" / "street.mp4")) == 10
    assert list(archive.failed) == [folder / "bad.mp4"]
    assert archive.done == 1


def test_ctrl_c_ends_it_with_the_summary(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    words = ["anonymise", str(tmp_path / "in"), "--watch", "--every", "0.1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "attrsearch.cli.main", *words],
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert process.stderr is not None
    # a test that waits for ever says nothing
    limit = threading.Timer(120, process.kill)
    limit.start()
    assert b"watching" in process.stderr.readline()
    (tmp_path / "in" / "bad.mp4").write_bytes(b"no video")
    assert b"not written: " in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate()[1].decode()
    limit.cancel()
    assert said.splitlines()[-1].endswith(
        "1 could not be (each was named); the same command again goes on"
    )
    # or while the last line is still being kept
    assert process.returncode in (INCOMPLETE, INTERRUPTED)


def test_nothing_to_do_is_well_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()

    def pressed(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", pressed)
    assert watch(tmp_path / "in")[0].go_on(1.0) == DONE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["in", "in"], "needs one folder, found 2"),
        (["in", "--frames"], "needs no --frames, found --frames"),
        (["in", "--run", "r"], "needs no --run, found --run"),
        (["in", "--out", "in/out"], "needs an output outside the folder that is watched"),
        (["nowhere"], "needs a folder to watch, found no such folder"),
    ],
)
def test_wrong_use(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    assert main(["anonymise", *words, "--watch"]) == 2
    assert said in capsys.readouterr().err
