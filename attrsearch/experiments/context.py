"""What the experiments share.

The loaded models, and the people whose faces are edited or looked among.

The thesis uploaded edited pictures to two search engines.  Here a face is looked for in a local
gallery, by two recognisers: *identified* means that the nearest face in it is another picture of
the same person.  The picture that was edited is never in the gallery.
"""

import logging
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import Gender
from attrsearch.core.errors import InputError, UnavailableError
from attrsearch.core.picking import take
from attrsearch.core.progress import Progress, Step, named, silent
from attrsearch.core.recipes.space import Space, load_space
from attrsearch.editing.editor import load_editor
from attrsearch.editing.realign import SecondAlignment
from attrsearch.evaluation.faces import Cohort, DetectedFaces, load_cohort
from attrsearch.evaluation.metrics.identification import Gallery, person_distances, ranks
from attrsearch.experiments.options import ExperimentOptions
from attrsearch.faces.attribute_classifier import TraitsClassifier, vote
from attrsearch.faces.dataset import MIN_FACE, AlignedFace
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.naturalness import Critic
from attrsearch.faces.people import PersonFiles, find_people
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.load import load_recogniser
from attrsearch.faces.sampling import to_editor
from attrsearch.faces.window_detection import WINDOW_MIN_FACE
from attrsearch.search.evaluator import Evaluator

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

PEOPLE = 4
PICTURES = 24
"""Pictures of a person that are edited: the thesis had 98 of four."""
ENROLLED = 10
"""Other pictures of a person in the gallery, at most."""
MIN_PICTURES = 4
"""Pictures it takes to be one of the four."""


@dataclass(frozen=True)
class EditedPerson:
    """A person whose pictures are edited, and who has other pictures in the gallery.

    Attributes:
        id: The person.
        number: Of the person in the gallery.
        gender: Guessed by the classifier.
        faces: Those to be edited.
        look: How the detector sees them untouched.
        enrolled: The person's other pictures.
    """

    id: str
    number: int
    gender: Gender
    faces: tuple[AlignedFace, ...]
    look: DetectedFaces
    enrolled: DetectedFaces


@dataclass
class ExperimentContext:
    """Models and people, loaded when they are first asked for.

    Attributes:
        options: What was asked for.
        progress: Told of every step.
    """

    options: ExperimentOptions
    progress: Progress[Step] = silent
    _evaluators: dict[bool, Evaluator] = field(default_factory=dict)

    @property
    def faces(self) -> Path:
        """The folder.

        Raises:
            InputError: None was given.
        """
        if self.options.faces is None:
            hint = "attrsearch reproduce NAME FACES"
            raise InputError("reproduce", required="a folder of people", found="none", hint=hint)

        return self.options.faces

    def random(self, stream: str) -> np.random.Generator:
        """A generator of its own for every purpose: no experiment depends on an earlier one."""
        return np.random.default_rng([self.options.seed, zlib.crc32(stream.encode())])

    @cached_property
    def whole(self) -> Detector:
        """Finds faces in pictures."""
        return load_detector("mtcnn", MIN_FACE)

    @cached_property
    def window(self) -> Detector:
        """Finds faces in windows."""
        return load_detector("mtcnn", WINDOW_MIN_FACE)

    @cached_property
    def measure(self) -> CalibratedRecogniser:
        """What measures distance, on the FaceNet scale."""
        return load_recogniser(self.options.recogniser)

    @cached_property
    def judges(self) -> tuple[CalibratedRecogniser, ...]:
        """The recognisers that identify.

        Dlib where it is installed, and the one that measures distance.
        """
        try:
            return (load_recogniser("dlib"), self.measure)
        except UnavailableError as error:
            log.warning(f"one judge only: {error}")
            return (self.measure,)

    @cached_property
    def critic(self) -> Critic:
        """Judges how natural a face looks."""
        return Critic()

    @cached_property
    def space(self) -> Space:
        """What attributes are drawn from."""
        return load_space(self.options.space)

    def evaluator(self, realign: bool = False) -> Evaluator:
        """The product's own evaluator, with or without the thesis's second alignment."""
        if realign not in self._evaluators:
            second = SecondAlignment(self.whole) if realign else None
            editor = load_editor(self.options.editor, realign=second)
            self._evaluators[realign] = Evaluator(editor, self.window, [self.measure])

        return self._evaluators[realign]

    @cached_property
    def listed(self) -> list[PersonFiles]:
        """The people asked for, those with most pictures first."""
        names = self.options.names
        people = find_people(self.faces)
        if names is not None:
            people = [person for person in people if person.id in names]

        return sorted(people, key=lambda person: (-len(person.files), person.id))

    @cached_property
    def probes(self) -> tuple[EditedPerson, ...]:
        """Four people, two of each gender where there are, of those with most pictures.

        Raises:
            InputError: Fewer than four people have enough pictures.
        """
        able = [person for person in self.listed if len(person.files) >= MIN_PICTURES]

        if len(able) < PEOPLE:
            raise InputError(
                self.faces,
                required=f"{PEOPLE} people with {MIN_PICTURES} pictures or more each",
                found=f"{len(able)}",
                hint="give a folder with one sub-folder of pictures a person",
            )

        # genders are not known before pictures are read, and reading everyone would take too long
        asked = frozenset(person.id for person in able[: 4 * PEOPLE])
        first = self.cohort(asked, 3, "choose")
        genders = {name: self.gender(first, i) for i, name in enumerate(first.people)}
        order = [person.id for person in able if person.id in genders]
        chosen = _choose(order, genders)
        pictures = self.options.count(PICTURES, MIN_PICTURES) + ENROLLED
        read = self.cohort(frozenset(chosen), pictures, "read")

        probes = []
        for place, name in enumerate(chosen):
            probes.append(self._probe(read, name, place, genders[name]))

        return tuple(probes)

    def _probe(self, read: Cohort, name: str, place: int, gender: Gender) -> EditedPerson:
        rows = np.flatnonzero(read.owners == read.people.index(name))
        # some of a person's pictures have to be left for the gallery, however few there are
        count = min(self.options.count(PICTURES, MIN_PICTURES), max(1, round(0.6 * len(rows))))
        # drawn, since neighbouring files of a data set are often frames of one scene
        shuffled = self.random(f"pictures of {name}").permutation(rows)
        edited = np.sort(shuffled[:count])
        others = np.sort(shuffled[count : count + ENROLLED])

        return EditedPerson(
            id=name,
            number=place,
            gender=gender,
            faces=tuple(take(read.faces, edited)),
            look=read.look.take(edited),
            enrolled=read.look.take(others),
        )

    @cached_property
    def others(self) -> Cohort:
        """One picture each of people who are not among the four: they fill the gallery."""
        taken = {probe.id for probe in self.probes}
        names = [person.id for person in self.listed if person.id not in taken]
        count = min(self.options.distractors, len(names))
        drawn = self.random("others").choice(len(names), count, replace=False)

        return self.cohort(frozenset(take(names, drawn)), 1, "gallery")

    @cached_property
    def galleries(self) -> dict[str, Gallery]:
        """For each judge, the other pictures of the four and one picture of everyone else."""
        found = {}

        for judge in self.judges:
            enrolled = [probe.enrolled.embed(judge.recogniser) for probe in self.probes]
            numbers = [probe.number for probe in self.probes]
            owners = np.repeat(numbers, [len(rows) for rows in enrolled])
            others = self.others.look.embed(judge.recogniser)
            found[judge.name] = Gallery(np.concatenate(enrolled), owners).with_distractors(others)

        return found

    def identified(
        self, embeddings: Mapping[str, Floats], number: int, sure: bool = False
    ) -> dict[str, Flags]:
        """Whether each face is found.

        By each judge, and by either (the thesis's rule for its two engines).

        Args:
            embeddings: Judge to (…, d).
            number: Whose faces they are.
            sure: Count only what the judge would also verify, at a false-accept rate of 1e-3.
        """
        found: dict[str, Flags] = {}

        for judge in self.judges:
            if judge.name not in embeddings:
                continue

            rows = embeddings[judge.name]
            gallery = self.galleries[judge.name]
            table = person_distances(rows.reshape(-1, rows.shape[-1]), gallery)
            # people of a gallery are in rising order, a column of the table each
            column = int(np.searchsorted(gallery.people, number))
            hits = ranks(table, np.full(len(table), column)) <= 1

            if sure:
                hits &= table[:, column] < judge.calibration.verification

            found[judge.name] = hits.reshape(rows.shape[:-1])

        found["either"] = np.logical_or.reduce(list(found.values()))
        return found

    def chance(self, embeddings: Mapping[str, Floats], number: int) -> float:
        """How often a face is taken by either judge for a given other one of the four.

        Identification by chance.
        """
        shares = []
        for probe in self.probes:
            if probe.number != number:
                shares.append(self.identified(embeddings, probe.number)["either"].mean())

        return float(np.mean(shares))

    def cohort(self, names: frozenset[str], max_faces: int | None, stage: str) -> Cohort:
        """Read people of the folder, at most so many pictures of each."""
        return load_cohort(
            self.faces,
            self.whole,
            self.window,
            names=names,
            max_faces=max_faces,
            progress=named(self.progress, stage),
        )

    def gender(self, read: Cohort, person: int) -> Gender:
        """The classifier's vote over the pictures of one of a cohort's people."""
        crops = [read.faces[i].crop for i in np.flatnonzero(read.owners == person)]
        return vote(self._classifier.probabilities(to_editor(crops))).gender

    @cached_property
    def _classifier(self) -> TraitsClassifier:
        return TraitsClassifier()

    @property
    def setting(self) -> dict[str, object]:
        """The people and the gallery, for every section that identifies."""
        return {
            "edited": [len(probe.faces) for probe in self.probes],
            "enrolled": sorted({len(probe.enrolled) for probe in self.probes}),
            "gallery": len(self.galleries[self.judges[0].name].people),
            "judges": [judge.name for judge in self.judges],
        }


def _choose(order: Sequence[str], genders: Mapping[str, Gender]) -> list[str]:
    """Two of each gender where there are, filled up with whoever comes next, in the order given.

    >>> _choose(["a", "b", "c", "d", "e"], dict(zip("abcde", ["male"] * 4 + ["female"])))
    ['a', 'b', 'c', 'e']
    """
    chosen: list[str] = []
    for gender in ("male", "female"):
        alike = [name for name in order if genders[name] == gender]
        chosen += alike[: PEOPLE // 2]

    spare = [name for name in order if name not in chosen]
    chosen += spare[: PEOPLE - len(chosen)]
    # in the order of their pictures again: "the first person" is the one with most
    return sorted(chosen, key=order.index)
