"""Read a person into an :class:`Identity`: faces found and aligned, traits voted."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrsearch.core.attributes import Gender
from attrsearch.core.errors import InputError
from attrsearch.faces.attribute_classifier import MIN_CERTAINTY, TraitsClassifier, vote
from attrsearch.faces.dataset import MIN_FACE, Identity, Person, PersonFaces, load_faces
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.people import find_people
from attrsearch.faces.sampling import to_editor

log = logging.getLogger(__name__)


class IdentityLoader:
    """Reads people; the detector and the classifier are loaded once.

    Args:
        detector: Finds faces in whole pictures.
        genders: Genders given by the user, by identity.
    """

    def __init__(self, detector: Detector, genders: Mapping[str, Gender]) -> None:
        self._detector = detector
        self._genders = dict(genders)
        self._classifier = TraitsClassifier()

    def give(self, identity: str, gender: Gender) -> None:
        """Set the gender of a person, instead of a vote over the pictures."""
        self._genders[identity] = gender

    def __call__(self, person: Person, max_faces: int | None = None) -> Identity:
        """Read one person, at most ``max_faces`` pictures.

        Raises:
            InputError: No picture of this person shows a face.
        """
        if isinstance(person, PersonFaces):
            faces = person.faces[:max_faces]
        else:
            faces = load_faces(person, self._detector, max_faces)

        given = self._genders.get(person.id)
        traits = vote(
            self._classifier.probabilities(to_editor([face.crop for face in faces])), given
        )

        if traits.certainty < MIN_CERTAINTY:
            log.warning(
                f"{person.id}: gender guessed as {traits.gender} with certainty "
                f"{traits.certainty:.2f}; give it with --genders FILE if that is wrong"
            )

        return Identity(person.id, faces, traits)


def load_people(
    folder: str | Path, *, genders: Mapping[str, Gender] | None = None
) -> Iterator[Identity]:
    """Read the people of a folder one by one.

    Those without a usable picture are named in the log.

    >>> for person in load_people("faces"):  # doctest: +SKIP
    ...     print(person.id, person.traits.gender, len(person.faces))

    Raises:
        InputError: No such folder, or no pictures in it.
    """
    gather = IdentityLoader(load_detector("mtcnn", MIN_FACE), genders or {})

    for person in find_people(Path(folder)):
        try:
            yield gather(person)
        except InputError as error:
            log.warning(str(error))
