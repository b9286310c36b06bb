"""Outputs of pictures: nothing replaced, nothing lost, nothing shown that was hidden."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attrsearch.anonymise.images import Applier
from attrsearch.anonymise.picture_files import (
    made_here,
    refuse_replacing,
    targets,
    write_picture,
)
from attrsearch.anonymise.plan import others_in, plan
from attrsearch.core.errors import OutputError
from attrsearch.faces.dataset import Picture
from attrsearch.faces.images import Layers, read_layers, read_picture, say_left_out
from attrsearch.faces.people import find_people
from tests.anonymise.test_images import export, person

GREY = np.full((40, 50, 3), 90, np.uint8)


def save(path: Path, picture: Picture = GREY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path


def test_a_folder_onto_itself_is_refused_before_any_work(tmp_path: Path) -> None:
    source = save(tmp_path / "A.png")
    before = source.read_bytes()
    with pytest.raises(OutputError, match="an output that is not an input, found one of the input"):
        plan(tmp_path, tmp_path, export(person("A")), None)
    with pytest.raises(OutputError, match="not an input"):
        plan(source, source, export(person("A")), None)
    assert source.read_bytes() == before


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_another_name_of_an_input_is_the_input(tmp_path: Path, link: object) -> None:
    source = save(tmp_path / "in" / "a.png")
    (tmp_path / "out").mkdir()
    link(source, tmp_path / "out" / "a.png")  # type: ignore[operator]
    with pytest.raises(OutputError, match="not an input"):
        plan(tmp_path / "in", tmp_path / "out", export(person("a")), None)


def test_somebody_elses_file_is_refused_and_our_own_replaced(tmp_path: Path) -> None:
    source = save(tmp_path / "in" / "a.png")
    other = save(tmp_path / "out" / "a.png")
    with pytest.raises(OutputError, match="found a file that attrsearch did not write"):
        refuse_replacing([source], [other])
    write_picture(other, GREY)
    refuse_replacing([source], [other])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jfif", ".webp", ".tif", ".bmp"])
def test_a_written_picture_says_who_made_it_and_nothing_else(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_picture(path, GREY)
    assert made_here(path)
    assert not made_here(save(tmp_path / "other.png"))
    assert np.abs(read_picture(path).astype(int) - GREY).max() <= 2


def test_names_never_collide(tmp_path: Path) -> None:
    sources = [save(tmp_path / name) for name in ("a.jpg", "a.png", "a.webp", "b.png", "B.jpg")]
    own = targets(sources, tmp_path, tmp_path / "out")
    assert [path.name for path in own] == ["a.jpg", "a.png", "a.webp", "b.png", "B.jpg"]
    same = targets(sources, tmp_path, tmp_path / "out", ".png")
    assert len({path.name.lower() for path in same}) == len(sources)


def test_what_alpha_hides_stays_hidden(tmp_path: Path) -> None:
    alpha = np.full(GREY.shape[:2], 255, np.uint8)
    alpha[10:20, 10:20] = 0
    layers = Layers(GREY, alpha, 1)
    write_picture(tmp_path / "a.png", GREY, layers)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGBA"
        assert not np.asarray(image)[12, 12].any()
    again = read_layers(tmp_path / "a.png")
    assert again.alpha is not None
    assert (again.alpha == alpha).all()
    with pytest.raises(OutputError, match="with an alpha layer"):
        write_picture(tmp_path / "a.jpg", GREY, layers)


def test_jpeg_keeps_the_resolution_of_colours(tmp_path: Path) -> None:
    colours = np.zeros((32, 32, 3), np.uint8)
    colours[:, ::2, 0] = 255
    write_picture(tmp_path / "a.jpg", colours)
    assert np.abs(read_picture(tmp_path / "a.jpg").astype(int) - colours).mean() < 12


def test_several_frames_are_refused_by_name(tmp_path: Path) -> None:
    pages = [Image.fromarray(GREY), Image.fromarray(GREY + 20)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    applier = Applier(export(person("a")))
    done = applier.apply(tmp_path / "a.tif", tmp_path / "out.png", None)
    assert "needs one picture, found 2 frames or pages" in done.problem
    assert not (tmp_path / "out.png").exists()


def test_entries_that_nobody_reads_are_named(tmp_path: Path) -> None:
    faces = tmp_path / "faces"
    for name in ("Ann/a.jpg", "Cy/2020/c.jpg", "Fay.jfif"):
        save(faces / name)
    (faces / "Ann" / "film.mp4").write_bytes(b"x")
    save(tmp_path / "elsewhere" / "d.jpg")
    (faces / "Eve").symlink_to(tmp_path / "elsewhere")
    people = find_people(faces)
    assert [found.id for found in people] == ["Ann", "Cy", "Fay"]
    work = plan(faces, tmp_path / "out", export(person("Ann")), None)
    others = others_in(faces, tmp_path / "out", [path for path, _, _ in work])
    assert {path.name for path in others} == {"film.mp4", "Eve"}
    assert say_left_out(faces, others).startswith(f"2 entries of {faces} left out")


def test_names_are_compared_as_people_read_them(tmp_path: Path) -> None:
    save(tmp_path / "Zoe\u0308" / "a.png")
    work = plan(tmp_path, tmp_path / "out", export(person("ZO\u00cb"), person("other")), None)
    owner = work[0][2]
    assert owner is not None
    assert owner.id == "ZO\u00cb"


def test_a_name_in_another_encoding_ends_nothing(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/M\xfcller"
    Path(os.fsdecode(folder)).mkdir()
    save(tmp_path / "Ann" / "a.png")
    Image.fromarray(GREY).save(Path(os.fsdecode(folder)) / "b.png")
    names = [found.id for found in find_people(tmp_path)]
    assert "M\\xfcller" in names
    for name in names:
        assert name.encode()


def test_what_was_written_into_the_folder_before_is_no_input(tmp_path: Path) -> None:
    """``apply . --out ./protected``, twice."""
    source = save(tmp_path / "a.png")
    out = tmp_path / "protected"
    write_picture(out / "a.png", GREY)
    work = plan(tmp_path, out, export(person("a")), None)
    assert [(found, place) for found, place, _ in work] == [(source, out / "a.png")]
    assert others_in(tmp_path, out, [source]) == []


def test_a_run_inside_the_folder_is_nobody(tmp_path: Path) -> None:
    save(tmp_path / "Ann" / "a.png")
    save(tmp_path / "run1" / "images" / "Ann" / "best.png")
    (tmp_path / "run1" / "run.toml").write_text("")
    assert [found.id for found in find_people(tmp_path)] == ["Ann"]


def test_a_run_inside_the_folder_is_left_alone(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    save(tmp_path / "run1" / "images" / "b.png")
    (tmp_path / "run1" / "run.toml").write_text("")
    work = plan(tmp_path, tmp_path / "out", export(person("a")), None)
    assert [source.name for source, _, _ in work] == ["a.png"]
    assert others_in(tmp_path, tmp_path / "out", [source for source, _, _ in work]) == []
