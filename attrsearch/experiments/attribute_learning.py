"""Thesis 4.3 anew: can it be learnt, from the attributes alone, which edits will be good?

Source: thesis 4.3.1 to 4.3.3 and table 4.6.  Some people of one gender are edited with the same
random attribute sets; utility above its mean over all edits is *OK*, above its 75th percentile
*Good*.  Classifiers learn that from 70 % of the edits of a face (or of all faces) and are asked
about the rest.  Nobody graded pictures here: *bad*, which the thesis took from grading (212 of
2,000), is the same share of least utility.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xgboost
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from attrsearch.core.attributes import Gender
from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import Study
from attrsearch.faces.people import find_people
from attrsearch.search.evaluator import Request
from attrsearch.search.lockstep import pictures_wanted, split_faces
from attrsearch.search.models import Components, Settings, load_components
from attrsearch.search.objective import aggregate
from attrsearch.search.space import PersonSpace, person_space
from attrsearch.search.study import person_seed
from attrsearch.search.surrogate.features import describe
from attrsearch.search.surrogate.targets import objective_value_of, predictable

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
Floats64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HIDDEN = (10, 20, 40, 20, 20)
TRAINED = 0.7
"""Share of the edits that is learnt from, as in the thesis."""
BAD = 212 / 2000
LEVELS = ("OK", "Good")
TRIES = 20_000
"""Random sets that are offered to a classifier to see how many it takes until one is accepted."""
THESIS = {
    "recall OK": (0.78, 0.91, 0.62, 0.57, 0.42, 0.65, 0.48, 0.63, 0.59),
    "accuracy OK": (0.69, 0.82, 0.62, 0.69, 0.56, 0.81, 0.66, 0.62, 0.58),
    "recall Good": (0.66, 0.74, 0.40, 0.27, 0.20, 0.00, 0.25, 0.39, 0.03),
    "accuracy Good": (0.79, 0.69, 0.80, 0.93, 0.84, 0.84, 0.89, 0.77, 0.77),
}
"""Table 4.6: images 1 to 8, and all together."""
COLUMNS = tuple(THESIS)


@dataclass(frozen=True)
class MeasuredEdits:
    """The same attribute sets on several faces.

    Attributes:
        names: Of the people, f of them.
        space: What was drawn from.
        points: (n, d).
        utility: (f, n).
        pooled: What the pooled surrogate makes of it before any trial, (f, n); None without one.
    """

    names: tuple[str, ...]
    space: PersonSpace
    points: Floats64
    utility: Floats64
    pooled: Floats64 | None


@dataclass(frozen=True)
class LearnerScores:
    """How a learner fares on one face (or all): test-set shares.

    Attributes:
        scores: The columns of table 4.6.
        tries: Random sets offered to the *Good* classifier per accepted one; infinite where it
            accepts none.
        kept: Share of accepted test edits that are good indeed; NaN where none is accepted.
    """

    scores: tuple[float, ...]
    tries: float
    kept: float


Learner = Callable[[Floats64, Flags, int], Callable[[Floats64], Flags]]


def measure_edits(
    faces: Path,
    study: Study,
    *,
    gender: Gender,
    count: int = 8,
    sets: int = 1000,
    people: Sequence[str] | None = None,
    progress: Progress[Step] = silent,
) -> MeasuredEdits:
    """Edit the first ``count`` usable people of a gender with the same random sets.

    Raises:
        InputError: Fewer than two of them.
    """
    settings = Settings(study, load_space(study.space), load_objective(study.objective))
    components = load_components(settings)
    # one gender, because the bounds of its space are part of what an attribute's value means
    space = person_space(settings.space, gender)
    points = np.random.default_rng(study.seed).uniform(
        space.low, space.high, (sets, len(space.names))
    )
    names: list[str] = []
    utility: list[Floats64] = []
    pooled: list[Floats64] = []

    for person in find_people(faces):
        if len(names) == count:
            break
        if people is not None and person.id not in set(people):
            continue

        try:
            identity = components.gather(person, pictures_wanted(1, 0.0))
        except AttrsearchError as error:
            log.warning(str(error))
            continue

        if identity.traits.gender != gender:
            continue

        # one picture a person, as in the thesis
        searched, _ = split_faces(identity.faces, 0.0, 1, person_seed(study.seed, person.id))
        subject, _ = components.evaluator.prepare(searched)
        if subject is None:
            continue

        attributes = space.attributes(points)
        results = aggregate(
            settings.objective, components.evaluator.evaluate([Request(subject, attributes)])[0]
        )
        names.append(person.id)
        utility.append(results.utility)

        described = describe(identity.traits, tuple(searched), subject)
        guess = _pooled(settings, components, described, attributes)
        if guess is not None:
            pooled.append(guess)

        progress(Step(stage="faces", count=len(names), total=count))

    if len(names) < 2:
        hint = "give more people, or the other --gender"
        raise InputError(
            faces, required=f"two people seen as {gender}", found=f"{len(names)}", hint=hint
        )

    return MeasuredEdits(
        tuple(names), space, points, np.stack(utility), np.stack(pooled) if pooled else None
    )


def _pooled(
    settings: Settings, components: Components, person: Floats64, attributes: Floats
) -> Floats64 | None:
    if components.pooled is None or not predictable(settings.objective):
        return None
    return objective_value_of(settings.objective, components.pooled.predict(attributes, person))


def mlp(inputs: Floats64, wanted: Flags, seed: int) -> Callable[[Floats64], Flags]:
    """The thesis's network: scikit-learn's MLPClassifier with its hidden layers."""
    network = MLPClassifier(hidden_layer_sizes=HIDDEN, max_iter=1000, random_state=seed)
    # the matrices are tiny: several threads would wait for one another longer than they compute
    with threadpool_limits(1):
        network.fit(inputs, wanted)

    return lambda rows: np.asarray(network.predict(rows), bool)


def boosted(inputs: Floats64, wanted: Flags, seed: int) -> Callable[[Floats64], Flags]:
    """XGBoost, accepted from a probability of one half on."""
    settings = {
        "objective": "binary:logistic",
        "max_depth": 4,
        "eta": 0.1,
        "lambda": 3.0,
        "subsample": 0.8,
    }
    settings |= {"tree_method": "hist", "seed": seed, "nthread": 1, "verbosity": 0}
    booster = xgboost.train(
        settings, xgboost.DMatrix(inputs, label=wanted.astype(float), nthread=1), 150
    )

    return lambda rows: np.asarray(booster.inplace_predict(rows) >= 0.5, bool)


LEARNERS: dict[str, Learner] = {"MLP": mlp, "XGBoost": boosted}


def learn_levels(
    edits: MeasuredEdits, learner: Learner, face: int | None, seed: int = 0
) -> LearnerScores:
    """Train on 70 % of the edits of a face and test on the rest.

    None: the edits of all faces, without saying whose they are.
    """
    chosen = list(range(len(edits.names))) if face is None else [face]
    inputs = np.tile(edits.points, (len(chosen), 1))
    utility = edits.utility[chosen].reshape(-1)
    order = np.random.default_rng(seed).permutation(len(inputs))
    cut = round(TRAINED * len(order))
    train = order[:cut]
    test = order[cut:]
    scores: list[float] = []
    tries = kept = np.nan

    for level, limit in zip(LEVELS, limits(edits), strict=True):
        wanted = utility > limit
        # a classifier needs both answers; without them, the one answer is all there is to say
        if len(np.unique(wanted[train])) < 2:
            scores += [np.nan, float((wanted[test] == wanted[train][0]).mean())]
            continue

        accept = learner(inputs[train], wanted[train], seed)
        said = accept(inputs[test])
        scores += [recall(said, wanted[test]), float((said == wanted[test]).mean())]

        # the thesis drew sets until one was accepted: here many are drawn, and the share counted
        if level == "Good":
            offered = np.random.default_rng(seed + 1).uniform(
                edits.space.low, edits.space.high, (TRIES, inputs.shape[1])
            )
            share = float(accept(offered).mean())
            tries = 1 / share if share else np.inf
            kept = float(wanted[test][said].mean()) if said.any() else np.nan

    return LearnerScores(tuple(scores), tries, kept)


def pooled_levels(edits: MeasuredEdits, face: int | None) -> LearnerScores:
    """What the pooled surrogate says of a face it has no trial of.

    The same share is accepted as is there, the best.
    """
    assert edits.pooled is not None  # noqa: S101
    chosen = list(range(len(edits.names))) if face is None else [face]
    guess = edits.pooled[chosen].reshape(-1)
    utility = edits.utility[chosen].reshape(-1)
    scores: list[float] = []
    share = kept = np.nan

    for limit in limits(edits):
        wanted = utility > limit
        share = float((edits.utility > limit).mean())
        said = guess > np.quantile(guess, 1 - share)
        scores += [recall(said, wanted), float((said == wanted).mean())]
        kept = float(wanted[said].mean())

    return LearnerScores(tuple(scores), 1 / share, kept)


def limits(edits: MeasuredEdits) -> tuple[float, float]:
    """Utility of *OK* and of *Good*: the mean and the 75th percentile over all edits."""
    return float(edits.utility.mean()), float(np.quantile(edits.utility, 0.75))


def recall(said: Flags, wanted: Flags) -> float:
    """Share of the wanted that were accepted; NaN where none is wanted.

    >>> recall(np.array([True, False, True]), np.array([True, True, False]))
    0.5
    """
    return float(said[wanted].mean()) if wanted.any() else float("nan")


def agreement(utility: Floats64, share: float = BAD) -> float:
    """Of the sets that are bad on one face, the share that is bad on another as well.

    Mean over all pairs.

    >>> agreement(np.array([[1.0, 2, 3, 4], [1.0, 3, 2, 4]]), 0.25)
    1.0
    """
    bad = utility <= np.quantile(utility, share, axis=1, method="lower")[:, None]
    shares = []
    # both ways round: faces differ in how many of their sets are bad, where values are equal
    for one, other in permutations(range(len(utility)), 2):
        shares.append(bad[other][bad[one]].mean())

    return float(np.mean(shares))
