"""Load what a run needs, once a process.

Editor, detectors, recognisers, evaluator, the reader of people.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path

from attrsearch.core.allocation import keep_freed_memory
from attrsearch.core.attributes import Gender
from attrsearch.core.compute import computing
from attrsearch.core.errors import RecipeError
from attrsearch.core.recipes.objective import Objective, load_objective
from attrsearch.core.recipes.space import Space, load_space
from attrsearch.core.recipes.study import Study
from attrsearch.editing.editor import Editor, load_editor
from attrsearch.editing.realign import SecondAlignment
from attrsearch.faces.dataset import MIN_FACE
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.identities import IdentityLoader
from attrsearch.faces.naturalness import Critic
from attrsearch.faces.recognition.load import available_recognisers, load_recogniser
from attrsearch.faces.window_detection import WINDOW_MIN_FACE
from attrsearch.search.config import RunConfig
from attrsearch.search.evaluator import Evaluator
from attrsearch.search.hooks import NO_HOOKS, Hooks
from attrsearch.search.looks import Looks
from attrsearch.search.surrogate.pooled import PooledModel, binding, choose_pooled
from attrsearch.search.surrogate.targets import predictable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """Everything that decides the result of a run.

    Attributes:
        study: How is searched.
        space: What is searched.
        objective: What is maximised.
        calibration: A calibration file instead of the bundled one.
        facenet: FaceNet weights from a path.
        genders: Genders given by the user: identity and gender.
        hooks: A sampler, callbacks and a storage of Optuna's, given by the user.
    """

    study: Study
    space: Space
    objective: Objective
    calibration: Path | None = None
    facenet: Path | None = None
    genders: tuple[tuple[str, Gender], ...] = ()
    hooks: Hooks = field(default=NO_HOOKS, repr=False, compare=False)


def settings_of(config: RunConfig, study: Study, hooks: Hooks = NO_HOOKS) -> Settings:
    """The recipes that a config asks for.

    Args:
        config: What was asked for.
        study: Its study, loaded.
        hooks: What of Optuna was given besides.

    Raises:
        RecipeError: No such space or objective, or a bad one.
    """
    genders = tuple((config.genders or {}).items())
    space = load_space(study.space)
    objective = load_objective(study.objective)

    return Settings(study, space, objective, config.calibration, config.facenet, genders, hooks)


@dataclass(frozen=True)
class Components:
    """Loaded models, a line about the recogniser, and the pooled surrogate where one fits."""

    evaluator: Evaluator
    gather: IdentityLoader
    line: str
    pooled: PooledModel | None = None


def load_components(settings: Settings) -> Components:
    """Load the models a run needs.

    Raises:
        AttrsearchError: Weights are missing, damaged, or not to be had.
    """
    keep_freed_memory()
    study = settings.study
    windows = load_detector(study.detector, WINDOW_MIN_FACE)

    if settings.objective.ensemble:
        recognisers = available_recognisers()
        line = (
            "recognisers: "
            + ", ".join(item.name for item in recognisers)
            + " (the least distance counts)"
        )
    else:
        recognisers = [load_recogniser(study.recogniser, settings.calibration, settings.facenet)]
        line = ""

    realign = SecondAlignment(load_detector(study.detector, MIN_FACE)) if study.realign else None
    editor = load_editor(study.editor, realign=realign)
    # now, and not at the first candidate: people are read before that
    _check_passes(editor, settings.space)
    critic = Critic() if settings.objective.uses("naturalness") else None
    # measured of a few at the end: no part of the objective, which the user names
    looks = Looks(windows) if study.ties else None
    evaluator = Evaluator(editor, windows, recognisers, study.prefilter, critic, looks)
    gather = IdentityLoader(load_detector(study.detector, MIN_FACE), dict(settings.genders))

    return Components(evaluator, gather, line, _pooled(settings, evaluator))


def _check_passes(editor: Editor, space: Space) -> None:
    """Refuse a space of more passes than the editor makes."""
    passes = 1 if space.passes == "single" else 2

    if passes > editor.passes:
        hint = (
            "choose --space one-pass, or an editor of two passes such as thesis instead of "
            f"{editor.name}"
        )
        found = f"passes = {space.passes!r}"
        raise RecipeError(
            space.name, required='a space with passes = "single"', found=found, hint=hint
        )


def binding_of(settings: Settings, evaluator: Evaluator) -> dict[str, str]:
    """What a pooled surrogate for these settings is bound to."""
    judges = "+".join(scaled.name for scaled in evaluator.recognisers)
    return binding(
        settings.study, settings.space, settings.objective, evaluator.editor.sha256, judges
    )


def _pooled(settings: Settings, evaluator: Evaluator) -> PooledModel | None:
    recipe = settings.study.surrogate
    if recipe is None:
        return None

    if not predictable(settings.objective):
        log.warning(
            f"surrogate: objective {settings.objective.name} is not made of what it predicts; the "
            "sampler goes alone"
        )
        return None

    model, line = choose_pooled(recipe.pooled, binding_of(settings, evaluator))
    if line:
        log.warning(line)

    return model


_kept: dict[str, Components] = {}


def kept_components(settings: Settings) -> Components:
    """The same, kept from one person or batch to the next while the settings stay."""
    key = repr((settings, computing()))
    if key not in _kept:
        # one set of models at a time: two would take twice the memory
        _kept.clear()
        _kept[key] = load_components(settings)

    return _kept[key]
