"""Pictures and videos that were made to do harm.

Read or refused in one line, by a process that lives on.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.files import file_name
from attrsearch.faces import images as module
from attrsearch.faces.images import VARIABLE, list_pictures, read_picture
from attrsearch.faces.people import find_people
from attrsearch.video.io.reader import VideoReader
from tests.clips import Clip, textured, write_clip
from tests.untrusted.make_corpus import CORPUS, FILES
from tests.untrusted.mutations import mutants, pictures, png_bomb, scan_bomb


def test_damaged_pictures_are_read_or_refused(tmp_path: Path) -> None:
    refused = 0
    for name, mutation, data in mutants(pictures(), 240):
        path = tmp_path / name
        path.write_bytes(data)
        try:
            found = read_picture(path)
            assert found.shape[2] == 3
        except AttrsearchError as error:
            refused += 1
            assert str(error).isprintable(), mutation
            assert str(error).startswith(str(path))
    assert 80 < refused < 240
    assert {path.name for path in tmp_path.iterdir()} == set(pictures())


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("picture/")])
def test_pictures_of_the_corpus_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="needs"):
        read_picture(CORPUS / name)


def test_a_picture_that_hangs_the_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of scans in a small file: within the limits of size, and minutes to decode."""
    monkeypatch.setenv(VARIABLE, "1")
    (tmp_path / "bomb.jpg").write_bytes(scan_bomb())
    assert (tmp_path / "bomb.jpg").stat().st_size < 2_000_000
    start = time.monotonic()
    with pytest.raises(
        InputError,
        match=r"bomb\.jpg: needs a readable picture, found one that was not decoded in 1 s",
    ):
        read_picture(tmp_path / "bomb.jpg")
    assert time.monotonic() - start < 30
    good = tmp_path / "good.png"
    good.write_bytes(pictures()["a.png"])
    monkeypatch.delenv(VARIABLE)
    assert read_picture(good).shape == (40, 48, 3)  # the next one is read


def test_a_decoder_that_dies_takes_nobody_along(tmp_path: Path) -> None:
    good = tmp_path / "good.png"
    good.write_bytes(pictures()["a.png"])
    before = read_picture(good)
    process = module._decoder._process
    assert process is not None
    os.kill(process.pid, 9)
    process.wait()
    assert (read_picture(good) == before).all()
    error = module._decoder._died(good, 60.0, 0.0)
    assert "the decoder died of" in str(error)


def test_a_picture_that_needs_more_memory_than_there_is(tmp_path: Path) -> None:
    """The decoding process with little memory: it says so, and reads the next picture."""
    (tmp_path / "large.png").write_bytes(png_bomb(9_900))
    (tmp_path / "good.png").write_bytes(pictures()["a.png"])
    code = "from attrsearch.faces import image_decoder as it; it.MAX_MEMORY = 400 << 20; it.main()"
    asked = [
        json.dumps({"path": str(tmp_path / name), "seconds": 60})
        for name in ("large.png", "good.png")
    ]
    done = subprocess.run(
        [sys.executable, "-c", code],
        input="\n".join(asked).encode(),
        capture_output=True,
        check=True,
    )
    first, second = done.stdout.split(b"\n")[:2]
    assert "of memory needed" in json.loads(first)["found"]
    assert json.loads(second)["shape"] == [40, 48, 3]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(InputError, match="found no regular file"):
        read_picture(tmp_path / "pipe.jpg")
    with pytest.raises(InputError, match="found no regular file"):
        read_picture(Path("/dev/zero"))


def test_links_do_not_leave_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(pictures()["a.png"])
    faces = tmp_path / "faces"
    (faces / "ann").mkdir(parents=True)
    (faces / "ann" / "a.png").write_bytes(pictures()["a.png"])
    (faces / "ann" / "link.png").symlink_to(outside / "secret.png")
    (faces / "ann" / "loop.png").symlink_to(faces / "ann" / "loop.png")
    (faces / "linked").symlink_to(outside)
    (faces / "ann" / "folder.png").mkdir()
    os.mkfifo(faces / "ann" / "pipe.png")
    [person] = find_people(faces)
    assert [path.name for path in person.files] == ["a.png"]
    assert list_pictures(faces / "ann") == [faces / "ann" / "a.png"]


@pytest.mark.parametrize(
    "name",
    ["..", ".", "../../x", "/etc/passwd", "a/b", "a\\b", "\0", "con\n", "x" * 400, "ä" * 300, ""],
)
def test_names_of_people_stay_in_the_run(tmp_path: Path, name: str) -> None:
    target = (tmp_path / "people" / f"{file_name(name)}.json").resolve()
    assert target.parent == (tmp_path / "people").resolve()
    target.parent.mkdir()
    target.write_text("")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("clips")
    made = {
        "a.mp4": write_clip(folder / "a.mp4", textured(6), Clip(movflags="faststart")),
        "a.mkv": write_clip(folder / "a.mkv", textured(6)),
        "a.avi": write_clip(folder / "a.avi", textured(6), Clip(codec="mpeg4")),
    }
    return {name: path.read_bytes() for name, path in made.items()}


def look(path: Path) -> int:
    with VideoReader(path) as reader:
        return sum(1 for _ in reader.frames())


def test_damaged_videos_are_read_or_refused(tmp_path: Path, clips: dict[str, bytes]) -> None:
    refused = 0
    for name, mutation, data in mutants(clips, 60, seed=1):
        path = tmp_path / name
        path.write_bytes(data)
        try:
            assert look(path) < 1000
        except AttrsearchError as error:
            refused += 1
            assert "\n" not in str(error), mutation
    assert 3 < refused < 60
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("video/")])
def test_videos_of_the_corpus_open_nothing_else(name: str) -> None:
    with pytest.raises(InputError, match="needs a"):
        look(CORPUS / name)
