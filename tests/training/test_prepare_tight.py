"""Tightly prepared faces: aligned, labelled, and left out where nothing can be learnt from them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attrsearch.core.errors import InputError
from attrsearch.training.prepare_tight import TEMPLATE, prepare_tight
from attrsearch.training.skin_labels import skin_label
from attrsearch.training.tight_faces import STORED, join_tight, load_tight_sources


def test_the_sample_is_prepared(
    sample: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Image.fromarray(np.full((60, 60, 3), 120, np.uint8)).save(tmp_path / "blank.png")
    found = prepare_tight(sample / "astronaut")
    assert len(found) == len(list((sample / "astronaut").iterdir()))
    assert found.crops.shape[1:] == (STORED, STORED, 3)
    eyes = found.landmarks[:, 42:48].mean(1) - found.landmarks[:, 36:42].mean(1)
    assert np.abs(np.linalg.norm(eyes, axis=1) - 46).max() < 6
    skin = np.unpackbits(found.skin, axis=1).reshape(-1, STORED, STORED)
    nose = found.landmarks[:, 30].round().astype(int)
    for mask, (x, y) in zip(skin, nose, strict=True):
        assert mask[y, x] == 1
        assert not mask[:, 0].any()
        assert 0.1 < mask.mean() < 0.6
    with pytest.raises(InputError, match="needs pictures with a face"):
        prepare_tight(tmp_path)
    assert "needs a picture of a face, found no face; left out" in caplog.messages[-1]

    found.save(tmp_path / "set")
    both = load_tight_sources([tmp_path / "set", tmp_path / "set"])
    assert len(both) == 2 * len(found) == len(join_tight([found, found]))


def test_the_template_has_the_eyes_46_apart() -> None:
    assert float(TEMPLATE[1, 0] - TEMPLATE[0, 0]) == pytest.approx(46, abs=0.1)


def test_hair_over_the_forehead_is_no_skin() -> None:
    """A face of one colour with a fringe of another: the label ends where the colour does."""
    side = 88
    y, x = np.mgrid[0:side, 0:side]
    face = ((x - 44) / 26) ** 2 + ((y - 46) / 34) ** 2 < 1
    picture = np.full((side, side, 3), (60, 90, 60), np.uint8)
    picture[face] = (200, 160, 140)
    picture[face & (y < 26)] = (40, 25, 20)
    random = np.random.default_rng(0)
    picture = np.clip(picture + random.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
    turn = np.linspace(0, np.pi, 17)
    landmarks = np.zeros((68, 2), np.float32)
    landmarks[:17] = np.stack([44 - 26 * np.cos(turn), 42 + 36 * np.sin(turn)], 1)
    landmarks[17:27] = np.stack([np.linspace(24, 64, 10), np.full(10, 34)], 1)
    landmarks[27:36] = (44, 50)
    landmarks[27] = (44, 38)
    landmarks[30] = (44, 52)
    landmarks[36:42] = (33, 40)
    landmarks[42:48] = (55, 40)
    label = skin_label(picture, landmarks)
    assert label[60, 44] == 1
    assert label[30, 44] == 1
    assert label[15:22, 40:48].mean() < 0.2
    assert label[5, 5] == 0
