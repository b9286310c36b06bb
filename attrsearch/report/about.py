"""What a run says of itself, as the pages show it.

Recipes, models, limits, bounds, what distances mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.faces.recognition.calibration import load_calibration
from attrsearch.runs.attributes_file import NOTICE

THESIS_DISTANCE = 1.18
"""Mean distance of random attribute sets (thesis, section 4.2)."""
THESIS_UTILITY = 1.04
"""Mean utility of random attribute sets (thesis, section 4.3.3, the "Ok" limit)."""
FAR = "0.001"


@dataclass(frozen=True)
class Limits:
    """What *feasible* means in a run.

    Attributes:
        distance: Mean distance that must be passed, FaceNet scale; 0 where the recipe has none.
        verification: Distance above which a face does not verify, FaceNet scale; None where nothing
            asks for it.
        others: The other constraints as (column of the trials, limit).
        exact: Whether the trials' columns decide all of them.
    """

    distance: float
    verification: float | None
    others: tuple[tuple[str, float], ...]
    exact: bool

    def hold(self, columns: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
        """Whether trials meet every constraint but the one on the mean distance, (n,).

        Above the run's own limit the recorded verdict decides; below it, the columns do.

        Args:
            columns: ``distance``, ``worst_distance``, ``detection``, ``iou``, ``feasible``, each
                (n,).
        """
        passed = np.full(len(columns["distance"]), self.exact)
        if self.verification is not None:
            passed &= columns["worst_distance"] > self.verification

        for name, limit in self.others:
            passed &= columns[name] > limit

        return np.where(columns["distance"] > self.distance, columns["feasible"], passed).astype(
            bool
        )


def limits(settings: Mapping[str, Any]) -> Limits:
    """The limits of a run from the settings in ``run.toml``."""
    recognisers = settings.get("recognisers", [])
    distance = 0.0
    verification = None
    others = []
    exact = True

    for constraint in settings.get("objective", {}).get("constraints", []):
        term = constraint["term"]
        how = constraint["aggregate"]
        above = constraint["above"]

        if term == "distance" and above == "verification":
            # of several recognisers the strictest: a face must verify with none of them
            verification = max((r["verification"] * r["scale"] for r in recognisers), default=0.0)
        elif term == "distance" and how == "mean":
            distance = max(distance, float(above))
        elif term == "distance":
            others.append(("worst_distance", float(above)))
        elif how == "mean" and term in ("detection", "iou"):
            others.append((term, float(above)))
        else:
            exact = False

    return Limits(distance, verification, tuple(others), exact)


def about(run: Mapping[str, Any]) -> dict[str, Any]:
    """The head of the pages.

    Args:
        run: ``run.toml``.

    Raises:
        InputError: It has no settings, so that nothing can be said of the run.
    """
    settings = run.get("settings", {})
    if "study" not in settings or not settings.get("recognisers"):
        hint = "run again with this version of attrsearch"
        raise InputError("run.toml", required="the settings of a run", found="none", hint=hint)

    study = settings["study"]
    objective = settings.get("objective", {})
    recognisers = settings["recognisers"]
    limit = limits(settings)
    sampler = study.get("sampler", {})

    return {
        "study": study.get("name", ""),
        "objective": objective.get("name", ""),
        "product": [goal["product"] for goal in objective.get("maximise", [])],
        "editor": study.get("editor", ""),
        "editor_sha256": settings.get("editor_sha256", ""),
        "detector": study.get("detector", ""),
        "recognisers": [item["name"] for item in recognisers],
        "seed": study.get("seed", 0),
        "trials": study.get("trials", 0),
        "sampler": sampler.get("name", ""),
        "random_trials": _random_trials(sampler, study.get("trials", 0)),
        "threshold": limit.distance,
        # runs of earlier versions know no ties
        "ties": study.get("ties", 0.0),
        "verification": None if limit.verification is None else round(limit.verification, 4),
        "exact": limit.exact,
        "attributes": list(ATTRIBUTES),
        "bounds": {gender: _bounds(settings, gender) for gender in ("male", "female")},
        "passes": settings.get("space", {}).get("passes", "single"),
        "distances": _distances(recognisers[0]),
        "thesis": {
            "distance": THESIS_DISTANCE,
            "utility": THESIS_UTILITY,
            "product": round(THESIS_UTILITY / THESIS_DISTANCE, 3),
        },
        "result": dict(run.get("result", {})),
        "failures": list(run.get("failures", [])),
        "versions": dict(run.get("versions", {})),
        "notice": NOTICE,
    }


def _random_trials(sampler: Mapping[str, Any], trials: int) -> int:
    """How many of a person's first trials were random, before the sampler began to learn."""
    if sampler.get("name") in ("random", "qmc"):
        return int(trials)
    return min(int(sampler.get("startup", 0)), int(trials))


def _bounds(settings: Mapping[str, Any], gender: str) -> list[list[float]]:
    bounds = settings.get("space", {}).get(gender, {})
    return [list(bounds.get(name, (0.0, 0.0))) for name in ATTRIBUTES]


def _distances(recogniser: Mapping[str, Any]) -> dict[str, Any] | None:
    """Same-person and different-person distances of the bundled calibration, FaceNet scale."""
    try:
        calibration = load_calibration(recogniser["name"])
    except InputError:
        return None

    # a run with another calibration has other distances than the bundled one speaks of
    if abs(calibration.scale - recogniser["scale"]) > 1e-4:
        return None

    found: dict[str, Any] = {}
    for name, spread in (("same", calibration.genuine), ("different", calibration.impostor)):
        found[name] = {
            "mean": round(spread.mean * calibration.scale, 4),
            "std": round(spread.std * calibration.scale, 4),
            "pairs": spread.pairs,
        }

    return found | {"source": calibration.source}
