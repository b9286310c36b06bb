"""Learn a pooled surrogate from earlier runs.

Their trials, their people's pictures, and how winners carry over.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from attrsearch.core.attributes import GENDERS, Gender
from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.logs import collected
from attrsearch.core.picking import take
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.core.recipes.objective import Objective
from attrsearch.core.recipes.space import Space
from attrsearch.core.recipes.study import Study
from attrsearch.faces.dataset import AlignedFace, Identity
from attrsearch.faces.people import find_people
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.runs.trials_file import trial_attributes
from attrsearch.search.evaluator import Request, Subject
from attrsearch.search.lockstep import pictures_wanted, split_faces
from attrsearch.search.models import Components, Settings, load_components
from attrsearch.search.objective import aggregate
from attrsearch.search.study import person_seed
from attrsearch.search.surrogate.features import describe
from attrsearch.search.surrogate.fit_pooled import FOLDS, PersonTrials, cover, learn
from attrsearch.search.surrogate.pooled import PooledModel, binding
from attrsearch.search.surrogate.targets import FLOOR, penalised_value, predictable, targets_of

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
Floats64 = npt.NDArray[np.float64]

SETS = 32
"""Attribute sets of each gender that a pooled model keeps."""
MIN_PEOPLE = 2 * FOLDS


@dataclass(frozen=True)
class _Known:
    """A person of an earlier run: faces, and the candidates that were measured."""

    identity: Identity
    faces: tuple[AlignedFace, ...]
    lesson: PersonTrials
    winners: Floats


def learn_from_runs(
    runs: Sequence[Path],
    *,
    faces: Path | None = None,
    measure: bool = True,
    progress: Progress[Step] = silent,
) -> PooledModel:
    """Learn a pooled model.

    Args:
        runs: Folders of finished runs over the same editor, space, objective and judges.
        faces: Where the pictures are, where the runs' own note of it does not hold any more.
        measure: Whether the most promising winners of each gender are measured on everyone of it,
            so that the portfolio rests on measurements; on predictions otherwise.
        progress: Told of every stage, by people or runs.

    Raises:
        InputError: Too few people, runs that do not belong together, or pictures that are gone.
    """
    settings, components, bound = _setting(runs)
    known: list[_Known] = []

    for number, run in enumerate(runs):
        for one in _people_of(run, faces, settings, components):
            known.append(one)
            progress(Step(stage="read", count=len(known)))

        progress(Step(stage="runs", count=number + 1, total=len(runs)))

    if len(known) < MIN_PEOPLE:
        hint = "run more people first: attrsearch run FACES --out RUN"
        raise InputError(
            "runs", required=f"at least {MIN_PEOPLE} people", found=f"{len(known)}", hint=hint
        )

    # winners are measured on everybody only once a first model says which are worth it
    lessons = [one.lesson for one in known]
    empty: dict[Gender, Floats] = dict.fromkeys(GENDERS, known[0].winners[:0])
    first = learn(lessons, bound, settings.objective, empty)
    lessons, sets = _carry_over(known, first, settings, components if measure else None, progress)

    return learn(lessons, bound, settings.objective, sets)


def setting_of(run: Path) -> Settings:
    """The recipes a run was made with.

    Raises:
        InputError: Not a finished run, or one whose objective no surrogate predicts.
    """
    about = read_run(run)
    hint = "give folders that attrsearch run finished"
    if "result" not in about:
        raise InputError(run, required="a finished run", found="one that was stopped", hint=hint)

    kept = about["settings"]
    objective = Objective.model_validate(kept["objective"])

    if not predictable(objective):
        found = f"objective {objective.name}"
        raise InputError(
            run,
            required="an objective of means of detection, IoU and distance",
            found=found,
            hint=hint,
        )

    names = [recogniser["name"] for recogniser in kept["recognisers"]]
    changes: dict[str, Any] = {} if objective.ensemble else {"recogniser": names[0]}
    study = Study.model_validate({**kept["study"], **changes})
    return Settings(study, Space.model_validate(kept["space"]), objective)


def _setting(runs: Sequence[Path]) -> tuple[Settings, Components, dict[str, str]]:
    """Models of the runs, which must agree in what a pooled model is bound to."""
    settings = setting_of(runs[0])
    # what is said while models load, the runs have said already
    with collected():
        components = load_components(settings)

    bounds = []
    for run in runs:
        own = setting_of(run)
        kept = read_run(run)["settings"]
        judges = "+".join(recogniser["name"] for recogniser in kept["recognisers"])
        bounds.append(binding(own.study, own.space, own.objective, kept["editor_sha256"], judges))

        if bounds[-1] != bounds[0]:
            different = next(key for key in bounds[0] if bounds[0][key] != bounds[-1][key])
            hint = "learn from runs of one setting"
            raise InputError(
                run, required=f"the {different} of {runs[0]}", found="another", hint=hint
            )

    if components.evaluator.editor.sha256 != bounds[0]["editor"]:
        hint = "learn with the editor of the run"
        raise InputError(
            runs[0], required=f"editor {bounds[0]['editor'][:12]}…", found="another", hint=hint
        )

    return settings, components, bounds[0]


def _people_of(
    run: Path, faces: Path | None, settings: Settings, components: Components
) -> Iterator[_Known]:
    noted = read_run(run).get("faces", "")
    place = faces or (Path(noted) if noted else None)
    if place is None:
        hint = "add --faces FACES"
        raise InputError(run, required="the place of its pictures", found="none noted", hint=hint)

    files = {person.id: person for person in find_people(place)}
    folder = RunFolder(run)
    study = setting_of(run).study
    columns = pq.read_table(run / "trials.parquet").to_pandas()
    measured = columns[columns["evaluated"]].groupby("identity", sort=False)
    trials = {str(name): rows for name, rows in measured}
    evaluator = components.evaluator

    for part in folder.read_people():
        name = part.record.id
        if name not in files or name not in trials:
            log.warning(f"{name}: no pictures of this person in {place}; left out")
            continue

        # the gender of the run, so that the space is the one its trials were drawn from
        components.gather.give(name, part.record.gender)
        try:
            # what of a person's pictures is left out, the run has told
            with collected():
                wanted = pictures_wanted(study.max_faces, study.heldback)
                identity = components.gather(files[name], wanted)
        except AttrsearchError as error:
            log.warning(str(error))
            continue

        seed = person_seed(study.seed, name)
        searched, _ = split_faces(identity.faces, study.heldback, study.max_faces, seed)
        subject, kept = evaluator.prepare(searched)

        if subject is None:
            log.warning(f"{name}: no face is found again in its window; left out")
            continue

        rows = trials[name]
        attributes = trial_attributes(rows)
        own = tuple(take(searched, kept))
        measured = rows[["detection", "iou", "distance"]].to_numpy(np.float64)
        margin = np.maximum(_margin(rows, settings, components), FLOOR)
        targets = np.column_stack([measured, margin])
        feasible = rows["feasible"].to_numpy(bool)
        # what is not feasible comes last, whatever it is worth
        order = np.argsort(np.where(feasible, -rows["utility"].to_numpy(), np.inf), kind="stable")
        best = order[:2]
        described = describe(identity.traits, own, subject)
        lesson = PersonTrials(part.record.gender, described, attributes, targets)
        yield _Known(identity, own, lesson, attributes[best[feasible[best]]])


def _margin(rows: Any, settings: Settings, components: Components) -> Floats64:
    """How far the tightest constraint of each trial is met, from the measured columns."""
    calibration = components.evaluator.recognisers[0].calibration
    verification = calibration.verification * calibration.scale
    margins = []

    for constraint in settings.objective.constraints:
        column = constraint.term if constraint.aggregate == "mean" else f"worst_{constraint.term}"
        if column not in rows:
            found = f"a constraint on the least {constraint.term}"
            hint = "use an objective such as utility_product or margin"
            raise InputError(
                "objective", required="constraints on what trials record", found=found, hint=hint
            )

        limit = verification if constraint.above == "verification" else float(constraint.above)
        margins.append(rows[column].to_numpy(np.float64) - limit)

    return np.min(margins, 0) if margins else np.ones(len(rows))


def _carry_over(
    known: Sequence[_Known],
    model: PooledModel,
    settings: Settings,
    components: Components | None,
    progress: Progress[Step],
) -> tuple[list[PersonTrials], Mapping[Gender, Floats]]:
    """Choose the most promising winners of each gender, and measure them on everyone of it.

    Args:
        known: Everyone.
        model: Predicts how a winner does on someone else.
        settings: The recipes.
        components: To measure with; nothing is measured where it is None.
        progress: Told of every stage, by people or runs.

    Returns:
        The lessons with those measurements, and the sets in the order in which they cover people.
    """
    lessons: list[PersonTrials] = []
    sets: dict[Gender, Floats] = {}

    for gender in GENDERS:
        group = [one for one in known if one.lesson.gender == gender]
        winners = np.concatenate([one.winners for one in group] or [known[0].winners[:0]])
        picked = winners

        if len(winners):
            rows = []
            for one in group:
                predicted = model.predict(winners, one.lesson.person)
                rows.append(penalised_value(settings.objective, predicted))

            guesses = np.stack(rows)
            picked = winners[cover(guesses - guesses.min() + 1e-3, SETS)]

        sets[gender] = picked
        if components is None or not len(picked):
            lessons += [one.lesson for one in group]
            continue

        objective_values = []
        for one in group:
            request = Request(_subject(one, components), picked)
            results = aggregate(settings.objective, components.evaluator.evaluate([request])[0])
            objective_values.append(np.where(results.feasible, results.objective_value, 0.0))
            lessons.append(
                replace(
                    one.lesson,
                    attributes=np.concatenate([one.lesson.attributes, picked]),
                    targets=np.concatenate([one.lesson.targets, targets_of(results)]),
                )
            )
            progress(Step(stage="carry over", count=len(lessons), total=len(known)))

        sets[gender] = picked[cover(np.stack(objective_values), len(picked))]

    return lessons, sets


def _subject(one: _Known, components: Components) -> Subject:
    subject, kept = components.evaluator.prepare(one.faces)
    # its faces were found again a moment ago
    assert subject is not None and len(kept) == len(one.faces)  # noqa: S101, PT018
    return subject
