"""Contracts of detectors, recognisers, judges and editors."""

from functools import cache
from typing import Any

import numpy as np
import torch

from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.load import load_detector
from attrsearch.search.testing.base import PEOPLE, Array, Contract, form, sample_pictures


class DetectorContract(Contract):
    """A detector: ``detect`` gives the faces of each of several pictures of one size."""

    kind = "detector"
    landmarks = True
    """Whether they are to be known."""

    def found(self, pictures: Array) -> list[Detections]:
        """What ``detect`` gives, of the right form."""
        before = pictures.copy()
        found = self.call("detect", pictures)
        count = len(pictures)
        right = isinstance(found, list) and len(found) == count
        self.needs(right, "detect", f"a list of {count}, one for each picture", form(found))

        for one in found:
            self.needs(isinstance(one, Detections), "detect", "Detections", type(one).__name__)
            for name, shape in (("boxes", (4,)), ("probabilities", ()), ("landmarks", (5, 2))):
                rows = getattr(one, name)
                wanted = (len(one), *shape)
                right = rows.shape == wanted and rows.dtype == np.float32
                self.needs(right, "detect", f"{name} {wanted}, float32", form(rows))
                known = self.landmarks or name != "landmarks"
                finite = np.isfinite(rows).all()
                self.needs(not known or finite, "detect", f"finite {name}", "others")

            least = one.probabilities.min(initial=0.0)
            most = one.probabilities.max(initial=0.0)
            self.needs(0 <= least <= most <= 1, "detect", "probabilities of 0 to 1", (least, most))
            falls = (np.diff(one.probabilities) <= 0).all()
            self.needs(falls, "detect", "the surest first", one.probabilities)

        self.needs(np.array_equal(pictures, before), "detect", "to leave pictures alone", "changes")
        return [*found]

    def test_finds_the_faces_of_the_sample(self) -> None:
        """One face a picture at least: where it is, and its landmarks in it."""
        for pictures in sample_pictures().values():
            found = self.found(pictures[0][None])[0]
            self.needs(len(found), "detect", "a face in a portrait", "none")
            height, width = pictures[0].shape[:2]
            left, top, right, bottom = found.boxes[0]
            inside = left < width / 2 < right and top < height / 2 < bottom
            self.needs(inside, "detect", "left, top, right, bottom of the face", found.boxes[0])
            corners = found.landmarks[0]
            ordered = corners[0, 0] < corners[1, 0] and corners[3, 0] < corners[4, 0]
            ordered = ordered and corners[:2, 1].max() < corners[3:, 1].min()
            order = "landmarks in the order left eye, right eye, nose, mouth corners, as seen"
            self.needs(ordered, "detect", order, corners.tolist())

    def test_no_face_is_no_detection(self) -> None:
        """A grey picture has no face."""
        grey = self.found(np.full((2, 120, 90, 3), 128, np.uint8))
        self.needs(not any(map(len, grey)), "detect", "no face in a grey picture", "some")

    def test_no_picture_is_no_result(self) -> None:
        """An empty batch is an empty list."""
        self.found(np.zeros((0, 120, 90, 3), np.uint8))

    def test_a_picture_smaller_than_any_face(self) -> None:
        """Tiny pictures end in no face, not in an error."""
        self.found(np.zeros((1, 16, 16, 3), np.uint8))

    def test_a_picture_is_found_the_same_in_any_company(self) -> None:
        """What is found in a picture does not depend on the batch or on what came before."""
        first, second = sample_pictures()["astronaut"]
        alone = self.found(first[None])[0]
        together = self.found(np.stack([second, first]))[1]
        same = np.array_equal(alone.boxes, together.boxes)
        self.needs(same, "detect", "the same boxes in any batch", together.boxes.tolist())


class ClassDetectorContract(DetectorContract):
    """A detector of something else than faces, for ``--also``; landmarks may be NaN."""

    landmarks = False

    def example(self) -> tuple[Array, tuple[float, float]]:
        """A picture (h, w, 3), RGB, uint8, with one such thing, and a point (x, y) on it."""
        raise NotImplementedError(f"{type(self).__name__}.example: return a picture and a point")

    def test_finds_the_faces_of_the_sample(self) -> None:
        """The thing is found where it is."""
        picture, (x, y) = self.example()
        found = self.found(picture[None])[0]
        self.needs(len(found), "detect", "the thing of the example", "none")
        left, top, right, bottom = found.boxes[0]
        inside = left < x < right and top < y < bottom
        self.needs(inside, "detect", "left, top, right, bottom of the thing", found.boxes[0])

    def test_a_picture_is_found_the_same_in_any_company(self) -> None:
        """What is found in a picture does not depend on the batch or on what came before."""
        picture, _ = self.example()
        alone = self.found(picture[None])[0]
        together = self.found(np.stack([np.full_like(picture, 128), picture]))[1]
        same = np.array_equal(alone.boxes, together.boxes)
        self.needs(same, "detect", "the same boxes in any batch", together.boxes.tolist())


class RecogniserContract(Contract):
    """A recogniser: ``embed`` turns one face of each picture into a vector of length 1."""

    kind = "recogniser"

    def vectors(self, names: tuple[str, ...], number: int) -> Array:
        """Vectors (n, d) of one picture of each person."""
        pictures = np.stack([sample_pictures()[name][number] for name in names])
        found = _finder().detect(pictures)
        boxes = np.stack([one.boxes[0] for one in found])
        landmarks = np.stack([one.landmarks[0] for one in found])
        rows = self.call("embed", pictures, boxes, landmarks)
        right = getattr(rows, "ndim", 0) == 2 and len(rows) == len(names)
        right = right and rows.dtype == np.float32
        self.needs(right, "embed", f"rows ({len(names)}, d), float32", form(rows))
        lengths = np.linalg.norm(rows, axis=1)
        self.needs(np.allclose(lengths, 1, atol=1e-4), "embed", "rows of length 1", lengths)

        return np.asarray(rows)

    def test_one_person_is_nearer_than_others(self) -> None:
        """Two pictures of a person are nearer than those of two people."""
        first = self.vectors(PEOPLE, 0)
        second = self.vectors(PEOPLE, 1)
        apart = np.linalg.norm(first[:, None] - second[None], axis=2)
        nearest = apart.argmin(1).tolist()
        self.needs(nearest == [0, 1, 2], "embed", "one person's pictures nearest", nearest)

    def test_a_face_is_the_same_in_any_company(self) -> None:
        """A vector does not depend on the batch."""
        together = self.vectors(PEOPLE, 0)
        alone = self.vectors(PEOPLE[:1], 0)
        apart = float(np.abs(alone[0] - together[0]).max())
        self.needs(apart < 1e-3, "embed", "the same row in any batch", f"{apart:.4f} apart")


class JudgeContract(RecogniserContract):
    """A judge: a recogniser that no search uses."""

    kind = "judge"


class EditorContract(Contract):
    """An editor: ``encode`` crops, ``edit`` them by sets, ``masks`` say where edits are laid on."""

    kind = "editor"

    def edited(self, faces: int) -> tuple[Array, Array]:
        """Edits (n, 3, size, size) and masks (n, 1, size, size)."""
        made = self.make()
        size = int(made.size)
        crops = torch.rand((faces, 3, size, size), generator=torch.Generator().manual_seed(0))
        encoded = self.call("encode", crops * 2 - 1)
        sets = np.zeros((faces, 1, 13), np.float32)
        sets[:, 0, 1] = 1.0
        found = []

        for method, arguments, channels in (("edit", (encoded, sets), 3), ("masks", (encoded,), 1)):
            tensor = self.call(method, *arguments)
            shape = (faces, channels, size, size)
            self.needs(
                tuple(tensor.shape) == shape, method, f"a tensor {shape}", tuple(tensor.shape)
            )
            self.needs(torch.isfinite(tensor).all(), method, "finite values", "others")
            found.append(tensor.float().detach().cpu().numpy())

        return found[0], found[1]

    def test_edits_and_masks_have_theirform(self) -> None:
        """An edit and a mask a face, in their ranges."""
        edits, masks = self.edited(2)
        reach = float(np.abs(edits).max())
        self.needs(reach < 1.5, "edit", "RGB from -1 to 1", f"up to {reach:.2f}")
        inside = masks.min() >= 0 and masks.max() <= 1
        self.needs(inside, "masks", "values of 0 to 1", f"{masks.min()} to {masks.max()}")
        self.needs(masks.max() > 0, "masks", "somewhere to lay edits on", "nowhere")

    def test_an_edit_is_the_same_in_any_company(self) -> None:
        """An edit depends on its face and set only."""
        together, _ = self.edited(4)
        fewer, _ = self.edited(2)
        apart = float(np.abs(together[:2] - fewer).max())
        self.needs(apart < 0.02, "edit", "the same edit in any batch", f"{apart:.3f} apart")


@cache
def _finder() -> Any:
    return load_detector("yunet", 24)
