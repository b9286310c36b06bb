"""Contracts of terms, aggregations, samplers, filters and exporters."""

from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from optuna.samplers import BaseSampler

from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import Sampler
from attrsearch.runs.attributes_file import (
    AttributesFile,
    DetectorRecord,
    EditorRecord,
    PersonRecord,
    RecogniserRecord,
    named_passes,
)
from attrsearch.search.hooks import Hooks
from attrsearch.search.objective import CandidateResults
from attrsearch.search.space import PersonSpace, person_space
from attrsearch.search.study import PersonStudy
from attrsearch.search.terms import FaceScores
from attrsearch.search.testing.base import Array, Contract, form, sample_pictures


class TermContract(Contract):
    """A term: a function of scores (n, f) to values (n, f)."""

    kind = "term"

    def values(self, scores: FaceScores) -> Array:
        """What the function gives, of the right form."""
        shape = scores.detection.shape
        values = self.call("", scores)
        right = getattr(values, "shape", None) == shape
        self.needs(right, "", f"values {shape}", form(values))
        self.needs(np.isfinite(values).all(), "", "finite values", np.asarray(values).tolist())

        return np.asarray(values)

    def test_a_value_for_every_face(self) -> None:
        """As many values as faces and candidates."""
        for shape in ((5, 3), (1, 1), (3, 1)):
            self.values(_scores(*shape))

    def test_lost_faces_have_values_too(self) -> None:
        """A face that was not found has zeros, and a value."""
        empty = np.zeros((2, 2), np.float32)
        self.values(FaceScores(empty, empty, empty, empty, empty - 2, empty))

    def test_a_candidate_is_worth_the_same_in_any_company(self) -> None:
        """A value depends on its own scores only."""
        scores = _scores(4, 2)
        whole = self.values(scores)
        columns = {one.name: getattr(scores, one.name)[1:2] for one in fields(FaceScores)}
        alone = self.values(FaceScores(**columns))
        same = np.allclose(whole[1], alone[0], atol=1e-6)
        self.needs(same, "", "the same value in any company", alone.tolist())


class AggregationContract(Contract):
    """An aggregation: a function of values (n, f) to (n,)."""

    kind = "aggregation"

    def test_lies_between_the_faces(self) -> None:
        """One number a candidate, between the least and the greatest of its faces."""
        for shape in ((5, 3), (1, 1), (3, 1)):
            values = np.random.default_rng(0).uniform(0, 2, shape)
            whole = self.call("", values.copy())
            right = getattr(whole, "shape", None) == shape[:1]
            self.needs(right, "", f"values {shape[:1]}", form(whole))
            least = values.min(1) - 1e-6
            most = values.max(1) + 1e-6
            inside = ((least <= whole) & (whole <= most)).all()
            self.needs(inside, "", "values between those of the faces", np.asarray(whole).tolist())


class SamplerContract(Contract):
    """A sampler: a function of a recipe and a seed to an Optuna sampler."""

    kind = "sampler"
    trials = 12

    def asked(self, seed: int) -> Array:
        """Points (n, d) that it proposes for a made-up person."""
        made = self.call("", Sampler(startup=4, asks=4), seed)
        right = isinstance(made, BaseSampler)
        self.needs(right, "", "an Optuna sampler", f"a {type(made).__name__}")
        space = _space()
        study = PersonStudy(space, Sampler(startup=4, asks=4), 1, self.trials, seed)
        study.attach(Hooks(sampler=lambda _: made))
        points = []

        while study.remaining:
            candidates = study.ask()
            points.append(space.values(candidates))
            study.tell(_made_up(candidates))

        return np.concatenate(points)

    def test_candidates_stay_in_the_bounds(self) -> None:
        """Every free value lies between its bounds."""
        points = self.asked(3)
        inside = ((points >= _space().low - 1e-6) & (points <= _space().high + 1e-6)).all()
        self.needs(inside, "", "candidates in their bounds", "others")

    def test_the_seed_decides(self) -> None:
        """The same seed proposes the same candidates, another one others."""
        first = self.asked(1)
        self.needs(np.array_equal(first, self.asked(1)), "", "the same of one seed", "others")
        self.needs(
            not np.array_equal(first, self.asked(2)), "", "others of another seed", "the same"
        )


class PreFilterContract(Contract):
    """A pre-filter: a function of a crop and a size to a crop."""

    kind = "prefilter"
    size = 16.0
    """What the function is given besides the crop."""

    def test_gives_a_picture_of_the_sameform(self) -> None:
        """Shape and type stay, something changes, the input does not."""
        for side in (128, 37, 1):
            whole = sample_pictures()["astronaut"][0]
            picture = np.ascontiguousarray(whole[60 : 60 + side, 60 : 60 + side])
            before = picture.copy()
            filtered = self.call("", picture, self.size)
            right = getattr(filtered, "shape", None) == before.shape and filtered.dtype == np.uint8
            self.needs(right, "", f"a picture {before.shape}, uint8", form(filtered))
            self.needs(np.array_equal(picture, before), "", "to leave its picture alone", "changes")
            changed = side == 1 or not np.array_equal(filtered, before)
            self.needs(changed, "", "to change the picture", "the same picture")


class FallbackContract(PreFilterContract):
    """A fallback filter: a function of a region and the width of its face to a region."""

    kind = "fallback"
    size = 90.0

    def test_takes_detail_away(self) -> None:
        """Hardly anything is left of neighbouring pixels' differences."""
        picture = sample_pictures()["astronaut"][0]
        filtered = np.asarray(self.call("", picture.copy(), self.size), np.float64)
        before = np.abs(np.diff(picture.astype(np.float64), axis=1)).mean()
        after = np.abs(np.diff(filtered, axis=1)).mean()
        required = "less than half the differences between neighbouring pixels"
        self.needs(after < before / 2, "", required, f"{after / before:.2f} of them")


class ExporterContract(Contract):
    """An exporter: a function that writes an export's file."""

    kind = "exporter"

    def written(self, people: int) -> bytes:
        """What the function writes of so many people."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "export.part"
            self.call("", _export(people), path)
            self.needs(path.is_file(), "", "to write the file that it is given", "no file")
            return path.read_bytes()

    def test_writes_everybody(self) -> None:
        """People make a difference, and nobody at all is written, too."""
        self.needs(
            self.written(2) != self.written(0), "", "a file of the people", "the same of none"
        )

    def test_writes_the_same_again(self) -> None:
        """The same export is the same file, to the byte."""
        self.needs(self.written(2) == self.written(2), "", "the same file of one export", "another")


def _scores(candidates: int, faces: int) -> FaceScores:
    drawn = np.random.default_rng(0).uniform(0, 1, (6, candidates, faces)).astype(np.float32)
    return FaceScores(*drawn)


def _space() -> PersonSpace:
    return person_space(load_space("one-pass"), "female")


def _made_up(candidates: Array) -> CandidateResults:
    """A smooth landscape of one goal and one constraint."""
    strength = np.abs(candidates[:, 0]).mean(1).astype(np.float64)
    ones = np.ones_like(strength)
    return CandidateResults(
        values=(strength - strength**2)[:, None],
        violations=(0.3 - strength)[:, None],
        detection=ones,
        iou=ones,
        distance=strength,
        distance_raw=strength,
        worst_distance=strength,
    )


def _export(people: int) -> AttributesFile:
    first, _ = named_passes(np.full((1, 13), 0.5, np.float32))
    records = []

    for number in range(people):
        records.append(
            PersonRecord(
                id=f"Person {number}",
                gender="female",
                feasible=True,
                first_pass=first,
                second_pass=None,
                utility=1.2,
                detection=0.9,
                iou=0.9,
                distance=1.5,
                distance_raw=1.4,
                faces=3,
                evaluations=100,
            )
        )

    return AttributesFile(
        editor=EditorRecord(name="anonymiser", sha256="0" * 64),
        recogniser=RecogniserRecord(name="facenet", scale=1.0, threshold=1.4),
        detector=DetectorRecord(name="mtcnn"),
        objective="utility_product",
        study="per_identity",
        seed=0,
        identities=tuple(records),
    )
