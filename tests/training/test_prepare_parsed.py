"""Faces prepared by the bundled face parsing: the same squares as by dlib, and what is left out."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attrsearch.core.errors import InputError
from attrsearch.training.prepare_parsed import prepare_parsed
from attrsearch.training.prepare_tight import prepare_tight
from attrsearch.training.tight_faces import STORED

EYES = 46
"""Distance between the eyes in a kept square, in pixels."""


def test_the_same_squares_as_by_dlib(sample: Path) -> None:
    by_dlib = prepare_tight(sample / "astronaut")
    parsed = prepare_parsed(sample / "astronaut", border=8)
    assert parsed.names == by_dlib.names
    assert parsed.crops.shape == by_dlib.crops.shape
    off = np.linalg.norm(parsed.landmarks - by_dlib.landmarks, axis=2).mean() / EYES
    assert off < 0.12
    mine = np.unpackbits(parsed.skin, axis=1).reshape(-1, STORED, STORED)
    theirs = np.unpackbits(by_dlib.skin, axis=1).reshape(-1, STORED, STORED)
    assert (mine & theirs).sum() / (mine | theirs).sum() > 0.7


def test_pictures_that_are_alike_have_one_place(
    sample: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Found in most pictures, the place holds for one whose face the detector misses."""
    picture = Image.open(next(iter(sorted((sample / "astronaut").iterdir())))).convert("RGB")
    for number in range(3):
        picture.save(tmp_path / f"{number}.png")
    Image.fromarray(np.full((*picture.size[::-1], 3), 120, np.uint8)).save(tmp_path / "blank.png")

    found = prepare_parsed(tmp_path, alike=True)
    assert set(found.names) >= {"0.png", "1.png", "2.png"}
    with pytest.raises(InputError, match="needs pictures with a face"):
        prepare_parsed(tmp_path, only={"blank"})
    assert "no face; left out" in caplog.text
