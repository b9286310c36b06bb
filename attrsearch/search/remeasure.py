"""Measure one candidate of a finished person again, as the search would.

For a winner that a person chose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import Gender
from attrsearch.core.errors import InputError
from attrsearch.core.logs import collected
from attrsearch.core.picking import take
from attrsearch.core.recipes.objective import Objective
from attrsearch.core.recipes.space import Space
from attrsearch.core.recipes.study import Study
from attrsearch.faces.dataset import AlignedFace, Picture
from attrsearch.faces.people import find_people
from attrsearch.search.evaluator import Evaluator, Request, Subject, hide_others
from attrsearch.search.lockstep import pictures_wanted, split_faces
from attrsearch.search.models import Components, Settings, load_components
from attrsearch.search.objective import CandidateResults, aggregate
from attrsearch.search.study import person_seed

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Verified:
    """A candidate, measured again.

    Attributes:
        searched: On the faces the search saw (one candidate).
        held_out: On the faces kept from it, or None where there are none.
        held_out_faces: How many those are.
        faces: The searched faces, as :attr:`subject` holds them.
    """

    searched: CandidateResults
    held_out: CandidateResults | None
    held_out_faces: int
    faces: tuple[AlignedFace, ...]
    subject: Subject


class Verifier:
    """Measures candidates of a run with the models the run used; they are loaded at the first call.

    Args:
        run: ``run.toml``.
        faces: Where the pictures are; the place the run noted where it is None.
    """

    def __init__(self, run: Mapping[str, Any], faces: Path | None = None) -> None:
        self._run = run
        self._faces = faces
        self._loaded: tuple[Settings, Components] | None = None
        self._first: tuple[tuple[str, tuple[int, ...]], Subject, AlignedFace] | None = None

    @property
    def components(self) -> Components:
        """The models, loaded and checked against what the run used.

        Raises:
            InputError: They are not the same any more.
        """
        return self._load()[1]

    def measure(
        self, identity: str, gender: Gender, attributes: Floats, joined: Sequence[int] = ()
    ) -> Verified:
        """Measure a candidate of a person.

        Args:
            identity: The person.
            gender: As the run has it; the pictures are not asked again.
            attributes: (1, passes, 13).
            joined: Which of the pictures kept back were searched, too.

        Raises:
            InputError: The pictures are gone, or the models are not those of the run.
        """
        searched, held = self._faces_of(identity, gender, joined)
        settings, components = self._load()
        evaluator = components.evaluator
        subject, kept = evaluator.prepare(searched)

        if subject is None:
            raise _not_found_again(identity)

        other, held_kept = evaluator.prepare(held) if held else (None, [])
        held_out = None
        if other is not None:
            held_out = aggregate(
                settings.objective, evaluator.evaluate([Request(other, attributes)])[0]
            )

        return Verified(
            searched=aggregate(
                settings.objective, evaluator.evaluate([Request(subject, attributes)])[0]
            ),
            held_out=held_out,
            held_out_faces=len(held_kept),
            faces=tuple(take(searched, kept)),
            subject=subject,
        )

    def render(
        self, identity: str, gender: Gender, attributes: Floats, joined: Sequence[int] = ()
    ) -> Picture:
        """A person's first searched face under a candidate; the same person is prepared once.

        Args:
            identity: The person.
            gender: As the run has it.
            attributes: (1, passes, 13).
            joined: Which of the pictures kept back were searched, too.

        Returns:
            The edited window, other people's faces covered, (192, 192, 3), uint8.

        Raises:
            InputError: The pictures are gone, or the models are not those of the run.
        """
        evaluator = self.components.evaluator
        wanted = identity, tuple(joined)

        if self._first is None or self._first[0] != wanted:
            searched, _ = self._faces_of(identity, gender, joined)
            self._first = wanted, *_first_face(identity, searched, evaluator)

        _, subject, face = self._first
        window = evaluator.render(Request(subject, attributes))[0, 0]
        return hide_others(window, face, subject.masks[0])

    def _faces_of(
        self, identity: str, gender: Gender, joined: Sequence[int]
    ) -> tuple[list[AlignedFace], list[AlignedFace]]:
        """A person's faces as the search split them: searched, and kept back."""
        person = self._find(identity)
        settings, components = self._load()
        recipe = settings.study
        components.gather.give(identity, gender)
        found = components.gather(person, pictures_wanted(recipe.max_faces, recipe.heldback))
        searched, held = split_faces(
            found.faces, recipe.heldback, recipe.max_faces, person_seed(recipe.seed, identity)
        )
        # as the search ended: pictures that it took in count as searched
        searched += [held[i] for i in joined if i < len(held)]

        return searched, [face for i, face in enumerate(held) if i not in joined]

    def _find(self, identity: str) -> Any:
        noted = self._run.get("faces", "")
        hint = "start the dashboard with --faces FACES, the pictures of the run"

        if self._faces is None and not noted:
            found = "a run that does not say where they are"
            raise InputError(
                "pictures", required="the pictures the run searched", found=found, hint=hint
            )

        place = self._faces or Path(noted)
        try:
            people = find_people(place)
        except InputError as error:
            raise InputError(
                place, required=error.required, found=error.found, hint=hint
            ) from error

        person = next((item for item in people if item.id == identity), None)
        if person is None:
            raise InputError(
                place,
                required=f"the pictures of {identity}",
                found="nobody of that name",
                hint=hint,
            )

        return person

    def _load(self) -> tuple[Settings, Components]:
        if self._loaded is None:
            kept = self._run["settings"]
            recognisers = kept["recognisers"]
            objective = Objective.model_validate(kept["objective"])
            # "auto" may mean another recogniser by now: the run noted which it was
            changes = {} if objective.ensemble else {"recogniser": recognisers[0]["name"]}
            study = Study.model_validate({**kept["study"], **changes})
            settings = Settings(study, Space.model_validate(kept["space"]), objective)

            with collected():  # the run has told it
                components = load_components(settings)

            self._check(components, kept["editor_sha256"], recognisers)
            self._loaded = settings, components

        return self._loaded

    @staticmethod
    def _check(components: Components, editor: str, recognisers: list[dict[str, Any]]) -> None:
        evaluator = components.evaluator
        now = []
        for scaled in evaluator.recognisers:
            now.append({**scaled.record, "sha256": scaled.recogniser.sha256})

        hint = "measure with the version, weights and calibration of the run"

        if evaluator.editor.sha256 != editor:
            required = f"editor {editor[:12]}…"
            found = f"{evaluator.editor.sha256[:12]}…"
            raise InputError("editor", required=required, found=found, hint=hint)

        if now != recognisers:
            raise InputError("recogniser", required=f"{recognisers}", found=f"{now}", hint=hint)


def _first_face(
    identity: str, faces: Sequence[AlignedFace], evaluator: Evaluator
) -> tuple[Subject, AlignedFace]:
    """The first face that is found again in its window, prepared."""
    for face in faces:
        subject, _ = evaluator.prepare([face])
        if subject is not None:
            return subject, face

    raise _not_found_again(identity)


def _not_found_again(identity: str) -> InputError:
    hint = "give the pictures of the run with --faces"
    return InputError(identity, required="a face that is found again", found="none", hint=hint)
