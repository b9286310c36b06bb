"""Ctrl+C at any moment: the same command goes on, nothing is half there, and what is said is true."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from attrsearch.cli.console import Stopped, when_stopped
from attrsearch.cli.exit_codes import DONE, INCOMPLETE, INTERRUPTED
from attrsearch.core.errors import OutputError
from attrsearch.runs.folder import RunFolder
from tests.clips import Clip, pictures, street, walker, write_clip


def run(words: list[str], until: str | None = None) -> tuple[int, str]:
    """Type a command in a terminal of its own; press Ctrl+C once its bar shows a text.

    A terminal sends the signal to every process of the command, the decoder of pictures included.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "attrsearch.cli.main", *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert process.stderr is not None
    said = b""
    if until is not None:
        while until.encode() not in said:
            read = process.stderr.read1(4096)
            if not read:
                break
            said += read
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
    said += process.communicate()[1]
    return process.returncode, said.decode().replace("\r", "\n")


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if ".part" in path.name]


@pytest.mark.slow
def test_pictures_go_on(sample: Path, tmp_path: Path) -> None:
    faces = tmp_path / "faces"
    shutil.copytree(sample / "cadet", faces / "cadet")
    before = {path: path.read_bytes() for path in faces.rglob("*.jpg")}
    out = tmp_path / "out"
    words = ["anonymise", str(faces), "--out", str(out), "--study", "quick", "--trials", "40"]
    code, said = run(words, until="search")  # the models are being loaded
    assert code == INTERRUPTED, said
    assert "the same command again" in said.splitlines()[-1]
    assert "--resume" not in said  # which this command does not have
    code, said = run(words, until="evaluations/s, ")  # or left, where a batch is done
    assert code == INTERRUPTED, said
    assert "(" + str(out) + ".run), " in said.splitlines()[-1]
    assert (tmp_path / "out.run" / "run.toml").is_file()
    assert not out.exists()
    assert not leftovers(tmp_path)
    code, said = run(words)
    assert code in (DONE, INCOMPLETE), said
    assert len(list(out.rglob("*.jpg"))) == len(before)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.slow
def test_a_video_goes_on_from_every_stage(tmp_path: Path) -> None:
    shown = list(street([walker(10, (90, 110), (3, 0), 70)]).render(1))
    film = write_clip(tmp_path / "street.mp4", shown, Clip(options={"crf": "8"}))
    before = film.read_bytes()
    target = tmp_path / "street_anonymised.mp4"
    words = ["anonymise", str(film), "--study", "quick", "--trials", "40", "--recogniser", "sface"]
    for stage in ("find", "search", "cover"):
        code, said = run(words, until=stage)
        assert code in (INTERRUPTED, DONE, INCOMPLETE), said
        assert target.exists() is (code != INTERRUPTED)  # whole, or not there
        assert not leftovers(tmp_path)
        if code == INTERRUPTED:
            assert "the same command again" in said.splitlines()[-1]
    code, said = run(words)
    assert code in (DONE, INCOMPLETE), said
    assert len(pictures(target)) == 10
    assert film.read_bytes() == before


def test_what_a_killed_process_leaves_never_blocks(sample: Path, tmp_path: Path) -> None:
    """No time to clean up: half of ``run.toml``, and a folder of the people."""
    faces = tmp_path / "faces"
    shutil.copytree(sample / "cadet", faces / "cadet")
    folder = tmp_path / "out.run"
    (folder / "people").mkdir(parents=True)
    (folder / ".run.toml.0a1b2c3d.part").write_text("half")
    out = str(tmp_path / "out")
    words = ["anonymise", str(faces), "--out", out, "--study", "quick", "--trials", "1", "--quiet"]
    code, said = run(words)
    assert code in (DONE, INCOMPLETE), said
    assert "people anonymised" in said


def test_half_written_files_are_no_run(tmp_path: Path) -> None:
    (tmp_path / ".run.toml.0a1b2c3d.part").write_text("half")
    RunFolder(tmp_path).refuse_contents(resume=False)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="needs an empty or new folder, found other files"):
        RunFolder(tmp_path).refuse_contents(resume=False)


def interrupted(*lines: str) -> None:
    """Ctrl+C inside blocks that say these lines, the outermost first."""
    with ExitStack() as blocks:
        for line in lines:
            blocks.enter_context(when_stopped(lambda line=line: line))  # type: ignore[misc]
        raise KeyboardInterrupt


def test_the_innermost_line_is_said() -> None:
    with pytest.raises(Stopped, match=r"^the inner one$"):
        interrupted("the outer one", "the inner one")
