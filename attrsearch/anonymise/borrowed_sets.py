"""Attribute sets lent to people of footage who have none, or none left, by people of the same run.

Somebody who is seen only small or in passing cannot be searched, and for somebody else the search
finds nothing. What anonymised others in the same light with the same camera often does for them,
too, and every shown edit is compared with its original in its own frame: a set that is not enough
there is not shown. The most alike lend first, and nobody is given what their own space forbids: who
is a woman, or may be one, gets no beard from a man.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import MALE, AttributeSet, Gender
from attrsearch.core.recipes.space import Space
from attrsearch.faces.attribute_classifier import MIN_CERTAINTY, TraitsClassifier, vote
from attrsearch.faces.dataset import AlignedFace
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.sampling import to_editor
from attrsearch.faces.window_detection import detect_in_windows
from attrsearch.search.space import PersonSpace, person_space

Floats = npt.NDArray[np.float32]

MOST_BORROWED = 5
"""Sets that are lent to a person: each costs a look at every frame in which those before failed."""
LOOKS = 4
"""Faces of a person by which it is told whom they are like."""


@dataclass(frozen=True)
class Lender:
    """Somebody whose set was found.

    Attributes:
        name: Who.
        attributes: Their set.
        embedding: (d,), of unit length.
    """

    name: str
    attributes: AttributeSet
    embedding: Floats


@dataclass(frozen=True)
class Lending:
    """Lends the sets of a run.

    Args:
        lenders: Everybody who has a set.
        space: What may be asked for.
        widen: How much wider than its bounds sets may be.
        detector: Finds a face again in its window.
        scaled: Tells whom somebody is like.
        genders: Person to gender, where somebody has said it.
    """

    lenders: Sequence[Lender]
    space: Space
    widen: float
    detector: Detector
    scaled: CalibratedRecogniser
    genders: Mapping[str, Gender]

    def to(self, name: str, faces: Sequence[AlignedFace]) -> list[AttributeSet]:
        """Sets for somebody, those of the most alike first, filled up with drawn ones.

        Args:
            name: Who.
            faces: Looks at them, the best first; poor ones do.
        """
        chosen = list(faces[:LOOKS])
        others = [lender for lender in self.lenders if lender.name != name]
        embedding = self._embed(chosen)

        if embedding is not None:
            others.sort(key=lambda lender: float(np.linalg.norm(lender.embedding - embedding)))

        own, is_sure = self._space_of(name, chosen)
        lent = [_within(own, lender.attributes, steered=is_sure) for lender in others]
        sets = [one for one in lent if one is not None][:MOST_BORROWED]

        # where nobody, or too few, can lend, the frame decides about drawn sets just as well
        return sets + drawn_sets(own, name, MOST_BORROWED - len(sets), steered=is_sure)

    def _embed(self, faces: Sequence[AlignedFace]) -> Floats | None:
        """The mean embedding (d,) of looks; None where they say nothing."""
        if not faces:
            return None

        seen = detect_in_windows(faces, self.detector)
        return unit(seen.embed(self.scaled.recogniser).sum(0)) if seen.kept else None

    def _space_of(self, name: str, faces: Sequence[AlignedFace]) -> tuple[PersonSpace, bool]:
        """The space of somebody, and whether their gender is sure."""
        given = self.genders.get(name)
        gender: Gender = given or "female"
        # without a face to ask, the gender stays a guess, and the space is that of both
        certainty = 1.0 if given else 0.0

        if faces and given is None:
            crops = to_editor([face.crop for face in faces])
            traits = vote(self._classifier.probabilities(crops))
            gender, certainty = traits.gender, traits.certainty

        own = person_space(self.space, gender, certainty)
        return own.expanded(self.widen), certainty >= MIN_CERTAINTY

    @cached_property
    def _classifier(self) -> TraitsClassifier:
        return TraitsClassifier()


def lenders_of(sets: Mapping[str, AttributeSet], embeddings: Mapping[str, Floats]) -> list[Lender]:
    """Everybody who can lend a set, in the order of their names.

    Args:
        sets: Person to set.
        embeddings: Person to the embeddings (n, d) of their looks.
    """
    lenders = []
    for name in sorted(sets):
        # who has no look to be known by is like nobody
        if name in embeddings:
            lenders.append(Lender(name, sets[name], unit(embeddings[name].sum(0))))

    return lenders


def drawn_sets(space: PersonSpace, name: str, count: int, *, steered: bool) -> list[AttributeSet]:
    """Sets of a person's space that follow from their name.

    Args:
        space: What may be asked for.
        name: Who.
        count: How many.
        steered: Whether the gender is sure; where not, it is not steered.
    """
    # not hash(): that is another number in every process
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    random = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    drawn = space.attributes(random.uniform(space.low, space.high, (count, len(space.low))))
    if not steered:
        drawn[:, :, MALE] = 0

    return [AttributeSet.from_passes(passes) for passes in drawn]


def unit(vector: Floats) -> Floats:
    """A vector of unit length."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


def _within(space: PersonSpace, lent: AttributeSet, *, steered: bool) -> AttributeSet | None:
    """A set in the bounds of a person's space; None where it has other passes."""
    passes = lent.passes[None]
    # an editor of one pass cannot make an edit of two
    if passes.shape[1] != space.attributes(space.low).shape[1]:
        return None

    values = np.clip(space.values(passes), space.low, space.high)
    clipped = space.attributes(values)[0]
    if not steered:
        clipped[:, MALE] = 0  # who may be either is not made to look like one

    return AttributeSet.from_passes(clipped)
