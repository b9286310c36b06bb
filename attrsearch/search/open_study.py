"""One person's search as an Optuna study and an objective, for whoever wants to drive it.

>>> study, objective = open_study("faces/ann", trials=100)  # doctest: +SKIP
>>> study.optimize(objective, n_trials=100)  # doctest: +SKIP
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Unpack, cast

import numpy as np
import optuna
from optuna.pruners import BasePruner, NopPruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from PIL.Image import Image

from attrsearch.core.errors import InputError
from attrsearch.core.names import readable
from attrsearch.core.parallel import without_warnings
from attrsearch.faces.dataset import MIN_FACE, Identity, Person, PersonFaces, find_face
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.given import Given, picture_of
from attrsearch.faces.images import list_pictures, tree_pictures
from attrsearch.faces.people import PersonFiles
from attrsearch.search.config import ConfigOptions, RunConfig, RunOptions, with_options
from attrsearch.search.lockstep import prepare_person
from attrsearch.search.models import kept_components, settings_of
from attrsearch.search.person_objective import PersonObjective
from attrsearch.search.samplers import make_sampler

Pictures = Given | Sequence[Given]


class OpenedStudy(NamedTuple):
    """A study of one person, and what it optimises."""

    study: optuna.Study
    objective: PersonObjective


def open_study(
    person: Person | Identity | Pictures,
    config: RunConfig | None = None,
    *,
    sampler: BaseSampler | None = None,
    pruner: BasePruner | None = None,
    storage: str | BaseStorage | None = None,
    study_name: str | None = None,
    load_if_exists: bool = False,
    **options: Unpack[ConfigOptions],
) -> OpenedStudy:
    """The search of one person as an Optuna study, and the objective to optimise.

    Nothing is written but what the storage keeps.  Without a sampler of your own, the recipe's is
    used with the person's seed, and proposes what :func:`attrsearch.run` has it propose; the
    study's surrogate proposes nothing.

    Args:
        person: A picture, several, or a folder of one person's: paths, arrays (h, w, 3), RGB,
            uint8, or Pillow images; or a person of :func:`attrsearch.load_people`.
        config: What decides the result, as for :func:`attrsearch.run`.
        sampler: Any sampler.
        pruner: Any pruner; with one, a candidate is measured on one face after the other and what
            is known so far is reported after each (not with several goals).  Nothing is pruned
            without one.
        storage: As ``optuna.create_study`` takes it.
        study_name: The person's name by default where there is a storage.
        load_if_exists: Go on with a study that the storage has.
        options: Fields of ``config`` by keyword.

    Raises:
        AttrsearchError: Nobody can be searched: no face, several people, a bad recipe or weights.
        optuna.exceptions.DuplicatedStudyError: The storage has a study of this name.
    """
    config, _ = with_options(config, None, cast("RunOptions", options))
    # whoever drives the study says who proposes
    recipe = config.load_study().model_copy(update={"surrogate": None})
    settings = settings_of(config, recipe)
    components = kept_components(settings)
    prepared = prepare_person(
        one_person(person, recipe.detector), settings, components.evaluator, components.gather
    )
    identity = prepared.identity.id
    own = sampler or make_sampler(recipe.sampler, prepared.seed)
    study = optuna.create_study(
        storage=storage,
        sampler=own,
        pruner=pruner or NopPruner(),
        study_name=study_name or (identity if storage is not None else None),
        directions=[StudyDirection.MAXIMIZE] * len(settings.objective.maximise),
        load_if_exists=load_if_exists,
    )
    names = [goal.name for goal in settings.objective.maximise]

    with without_warnings(optuna.exceptions.ExperimentalWarning):
        study.set_metric_names(names)

    study.set_user_attr("person", identity)
    return OpenedStudy(study, PersonObjective(prepared, settings, components.evaluator))


def one_person(given: Person | Identity | Pictures, detector: str) -> Person:
    """One person of whatever was given.

    Args:
        given: As :func:`open_study` takes it.
        detector: Finds the faces of pictures that are arrays.

    Raises:
        InputError: No pictures, several people, or no picture at all.
    """
    if isinstance(given, PersonFiles | PersonFaces):
        return given
    if isinstance(given, Identity):
        return PersonFaces(given.id, given.faces)
    if isinstance(given, str | Path):
        return _person_at(Path(given))

    pictures = [given] if isinstance(given, np.ndarray | Image) else list(given)
    if not pictures:
        hint = "give at least one picture"
        raise InputError("open_study", required="pictures of a person", found="none", hint=hint)

    paths = [Path(each) for each in pictures if isinstance(each, str | Path)]
    if len(paths) == len(pictures):
        return PersonFiles(readable(paths[0].stem), tuple(paths))

    finder = load_detector(detector, MIN_FACE)
    faces = []
    for number, picture in enumerate(pictures):
        name = f"picture {number}"
        faces.append(find_face(picture_of(picture, name), finder, Path(name)))

    return PersonFaces("person", tuple(faces))


def _person_at(place: Path) -> PersonFiles:
    """The person of a picture or of a folder.

    Raises:
        InputError: No pictures there, or folders of several people.
    """
    hint = "give a picture of a person, or a folder of one person's pictures"
    if place.is_file():
        return PersonFiles(readable(place.stem), (place,))
    if not place.is_dir():
        raise InputError(place, required="pictures of a person", found="no such file", hint=hint)

    folders = [child for child in sorted(place.iterdir()) if child.is_dir()]
    if not list_pictures(place) and len(folders) > 1:
        found = f"{len(folders)} folders"
        hint = f"give one of them, such as {folders[0]}"
        raise InputError(place, required="one person's pictures", found=found, hint=hint)

    files = tuple(tree_pictures(place))
    if not files:
        raise InputError(place, required="pictures of a person", found="none", hint=hint)

    return PersonFiles(readable(place.name), files)
