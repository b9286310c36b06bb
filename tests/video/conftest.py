"""A tiny street with exact truth, rendered once."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from attrsearch.core.attributes import AttributeSet
from attrsearch.experiments.synthetic_streets import Street
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.recognition.base import CalibratedRecogniser
from tests.clips import Clip, street, walker, write_clip

SET = AttributeSet(np.linspace(-0.8, 0.8, 13).astype(np.float32))
MISSED = {6, 7, 8}


@dataclass(frozen=True)
class Scene:
    """A street, its pictures, and a clip of them."""

    street: Street
    pictures: list[Picture]
    clip: Path


@dataclass
class Forgetful:
    """MTCNN, but blind in some frames: the truth knows what it missed."""

    inner: Mtcnn
    missed: frozenset[int]
    name: str = "forgetful"
    seen: int = 0

    def detect(self, pictures: Picture) -> list[Detections]:
        found = self.inner.detect(pictures)
        blind = [self.seen + i in self.missed for i in range(len(found))]
        self.seen += len(found)
        return [Detections.none() if no else item for no, item in zip(blind, found, strict=True)]


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Two people, 16 frames of 320 x 240: one walks, one stands."""
    frames = 16
    made = street([walker(frames, (60, 90), (4, 1), 56), walker(frames, (245, 130), (0, 0), 64)])
    pictures = list(made.render(3))
    path = tmp_path_factory.mktemp("scene") / "street.mp4"
    return Scene(
        made, pictures, write_clip(path, pictures, Clip(sound="aac", options={"crf": "8"}))
    )


@pytest.fixture
def forgetful() -> Forgetful:
    return Forgetful(Mtcnn(30), frozenset(MISSED))


def judge_change(before: Picture, after: Picture, box: tuple[float, ...]) -> float:
    """Mean change of the middle of a true face."""
    corners = np.array(box)
    centre, half = (corners[:2] + corners[2:]) / 2, (corners[2:] - corners[:2]) * 0.3
    left, top, right, bottom = np.concatenate([centre - half, centre + half]).round().astype(int)
    region = np.s_[max(top, 0) : bottom, max(left, 0) : right]
    return float(np.abs(before[region].astype(int) - after[region]).mean())


__all__ = ["MISSED", "SET", "CalibratedRecogniser", "Forgetful", "Scene", "judge_change"]
