"""What is new in a folder that grows, what is complete, and what is remembered after a restart."""

import logging
import os
import shutil
from pathlib import Path

import pytest

from attrsearch.anonymise.archive import Archive, Batch
from attrsearch.core.errors import InputError
from tests.clips import textured, write_clip

ASKED = {"quality": 18}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in" / "ann").mkdir(parents=True)
    return tmp_path / "in"


def archive(folder: Path, asked: dict[str, int] | None = None) -> Archive:
    return Archive(folder, folder.parent / "out", folder.parent / "out.run", asked or ASKED)


def written(folder: Path, name: str) -> Path:
    target = folder.parent / "out" / name
    target.parent.mkdir(exist_ok=True, parents=True)
    target.write_bytes(b"protected")
    return target


def test_what_still_grows_is_not_taken(folder: Path) -> None:
    film = folder / "clip.mp4"
    film.write_bytes(b"a")
    watched = archive(folder)
    assert watched.look() == Batch()
    film.write_bytes(b"ab")
    assert watched.look() == Batch()
    assert watched.waiting == 1
    assert watched.look() == Batch(videos=(film,))


def test_a_person_waits_for_the_last_of_their_pictures(folder: Path) -> None:
    first, second, other = folder / "ann" / "1.jpg", folder / "ann" / "2.jpg", folder / "bob.jpg"
    first.write_bytes(b"1")
    other.write_bytes(b"b")
    watched = archive(folder)
    watched.look()
    second.write_bytes(b"2")
    assert watched.look() == Batch(pictures=(other,))
    assert watched.look() == Batch(pictures=(other, first, second))
    assert watched.pictures == (other, first, second)


def test_what_is_done_is_left_until_it_changes_or_its_output_is_gone(folder: Path) -> None:
    film = folder / "clip.mp4"
    film.write_bytes(b"film")
    watched = archive(folder)
    watched.look()
    watched.look()
    target = written(folder, "clip.mp4")
    watched.note(film, target)
    assert watched.look() == Batch()

    again = archive(folder)  # a restart
    assert again.done == 1
    again.look()
    assert again.look() == Batch()
    assert again.waiting == 0
    film.write_bytes(b"another film")
    again.look()
    assert again.look().videos == (film,)
    again.note(film, target)
    target.unlink()
    assert again.look().videos == (film,)


def test_other_settings_do_everything_anew(folder: Path) -> None:
    film = folder / "clip.mp4"
    film.write_bytes(b"film")
    watched = archive(folder)
    watched.look()
    watched.look()
    watched.note(film, written(folder, "clip.mp4"))
    assert archive(folder).done == 1
    assert archive(folder, {"quality": 30}).done == 0


def test_what_failed_is_tried_again_after_a_change_or_a_restart(folder: Path) -> None:
    film = folder / "clip.mp4"
    film.write_bytes(b"no film")
    watched = archive(folder)
    watched.look()
    assert watched.look().videos == (film,)
    watched.note(film, folder / "clip.mp4", "needs a video")
    assert watched.look() == Batch()
    assert "1 could not be" in watched.summary()
    os.utime(film, ns=(1, 1))
    watched.look()
    assert watched.look().videos == (film,)
    again = archive(folder)
    again.look()
    assert again.look().videos == (film,)


def test_what_is_no_input(folder: Path) -> None:
    (folder / ".hidden.mp4").write_bytes(b"hidden")
    (folder / "notes.txt").write_text("no video")
    (folder / "link.mp4").symlink_to(folder / "notes.txt")
    (folder / "earlier").mkdir()
    (folder / "earlier" / "run.toml").write_text("")
    (folder / "earlier" / "inside.mp4").write_bytes(b"of a run")
    unnamed = write_clip(folder / "film.mkv", textured(3)).rename(folder / "film")
    watched = archive(folder)
    watched.look()
    assert watched.look() == Batch(videos=(unnamed,))  # by what is in it


def test_half_a_line_of_a_killed_process_loses_nothing_else(folder: Path) -> None:
    film = folder / "clip.mp4"
    film.write_bytes(b"film")
    watched = archive(folder)
    watched.look()
    watched.look()
    watched.note(film, written(folder, "clip.mp4"))
    with (folder.parent / "out.run" / "journal.jsonl").open("a") as file:
        file.write('{"event": "watched", "file": "oth')
    assert archive(folder).done == 1


def test_a_share_that_is_away_comes_back(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    film = folder / "clip.mp4"
    film.write_bytes(b"film")
    watched = archive(folder)
    watched.look()
    away = folder.rename(folder.with_name("away"))
    with caplog.at_level(logging.WARNING):
        assert watched.look() == Batch()
        assert watched.look() == Batch()
    assert [record.getMessage() for record in caplog.records] == [
        f"{folder} cannot be read now (No such file or directory): waiting"
    ]
    shutil.move(away, folder)
    assert watched.look().videos == (film,)


def test_what_cannot_be_watched(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs a folder to watch, found no such folder"):
        archive(tmp_path / "nowhere")
    with pytest.raises(InputError, match="an output outside the folder that is watched"):
        Archive(folder, folder / "out", folder / "out.run", ASKED)
