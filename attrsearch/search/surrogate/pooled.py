"""The pooled model: how terms rank over the space, and sets that worked, from earlier people.

It is bound to the editor, the space and the judges it was learnt with, and of no use for others.
In the file: XGBoost's own UBJ a target, the embedding's axes, mean quantiles, and attribute sets;
no pickle, no embedding of anyone.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from scipy.special import ndtr

from attrsearch.core.attributes import GENDERS, Gender
from attrsearch.core.errors import WeightsError
from attrsearch.core.files import write_bytes
from attrsearch.core.recipes.objective import Objective
from attrsearch.core.recipes.space import Space
from attrsearch.core.recipes.study import Study
from attrsearch.core.weights import file_sha256, find_weights, manifest, verify
from attrsearch.search.surrogate.features import PLAIN
from attrsearch.search.surrogate.targets import TARGETS, PredictionError

Floats = npt.NDArray[np.float32]
Floats64 = npt.NDArray[np.float64]

FORMAT = "attrsearch/surrogate"
HINT = "make it with attrsearch train surrogate"


def binding(
    study: Study, space: Space, objective: Objective, editor: str, recogniser: str
) -> dict[str, str]:
    """What a pooled model is bound to: every word of it must be the same.

    Args:
        study: Its detector, prefilter and realignment count.
        space: Its bounds and passes count, not its name.
        objective: Its constraints count.
        editor: SHA-256 of the editor's weights.
        recogniser: Name of the recogniser, or names joined by a plus sign.
    """
    bounds = {gender: space.bounds(gender) for gender in GENDERS}
    constraints = [constraint.model_dump() for constraint in objective.constraints]
    return {
        "editor": editor,
        "space": _digest([space.passes, bounds]),
        "recogniser": recogniser,
        "detector": study.detector,
        "constraints": _digest(constraints),
        "edit": _digest([study.realign, study.prefilter and study.prefilter.model_dump()]),
    }


@dataclass(frozen=True)
class PooledModel:
    """Predicts for people it has never seen.

    Attributes:
        bound: See :func:`binding`.
        boosters: UBJ of an XGBoost model for each of ``TARGETS``.
        centre: Mean embedding of the people learnt from, (d,).
        axes: Principal axes of their embeddings, (r, d).
        quantiles: For each target the mean over people of its quantiles, (4, q), evenly spaced from
            0 to 1.
        sets: For each gender attribute sets (k, passes, 13) that worked, in the order in which they
            cover people.
        correlation: Mean rank correlation with the trials of people left out of the learning.
        spread: How wrong it is about them, after as many trials of their own as a portfolio has.
        people: How many people it was learnt from.
        sha256: Of the file; empty for one that was never written.
    """

    bound: Mapping[str, str]
    boosters: tuple[bytes, ...]
    centre: Floats
    axes: Floats
    quantiles: Floats64
    sets: Mapping[Gender, Floats]
    correlation: float
    spread: PredictionError
    people: int
    sha256: str = ""

    def __post_init__(self) -> None:
        import xgboost  # noqa: PLC0415 - slow to load, and many studies have no surrogate

        models = []
        for raw in self.boosters:
            # one thread: a prediction must not depend on how many cores there are
            booster = xgboost.Booster({"nthread": 1})
            booster.load_model(bytearray(raw))
            models.append(booster)

        # the class is frozen, and what is read of its bytes is no field
        object.__setattr__(self, "_models", tuple(models))

    def predict(self, attributes: Floats, person: Floats64) -> Floats64:
        """Targets as an average person with such ranks would have them.

        Args:
            attributes: (n, passes, 13).
            person: :func:`~attrsearch.search.surrogate.features.describe` of the person.

        Returns:
            (n, 4).
        """
        inputs = pooled_inputs(attributes, self.reduce(person))
        models: tuple[Any, ...] = self._models  # type: ignore[attr-defined]
        scores = np.stack(
            [np.asarray(model.inplace_predict(inputs), np.float64) for model in models], 1
        )
        places = np.linspace(0, 1, self.quantiles.shape[1])
        shares = ndtr(scores)

        return np.stack(
            [np.interp(shares[:, k], places, self.quantiles[k]) for k in range(len(TARGETS))], 1
        )

    def reduce(self, person: Floats64) -> Floats64:
        """Features of a person as the boosters take them, (20 + r,)."""
        return reduce_person(person, self.centre, self.axes)

    def save(self, path: Path) -> str:
        """Write it.

        Returns:
            The file's SHA-256.

        Raises:
            OutputError: The place cannot be written.
        """
        arrays: dict[str, npt.NDArray[Any]] = {
            "centre": self.centre,
            "axes": self.axes,
            "quantiles": self.quantiles,
        }
        for name, raw in zip(TARGETS, self.boosters, strict=True):
            arrays[f"booster.{name}"] = np.frombuffer(raw, np.uint8)

        arrays |= {f"sets.{gender}": sets for gender, sets in self.sets.items()}
        about = {
            "version": 1,
            "bound": dict(self.bound),
            "correlation": self.correlation,
            "spread": [self.spread.objective_value, self.spread.margin],
            "people": self.people,
        }
        # one word of metadata: their order is not fixed, and the same model has to give the same
        # file
        write_bytes(path, save(arrays, {FORMAT: json.dumps(about, sort_keys=True)}))
        return file_sha256(path)


def load_pooled(path: Path) -> PooledModel:
    """Read a pooled model.

    Raises:
        WeightsError: Not one, or damaged.
    """
    with _reading(path):
        with safe_open(path, "numpy") as file:
            about = _about(path, file.metadata())
            # no dict: it cannot be gone through by itself
            names = list(file.keys())
            arrays = {name: file.get_tensor(name) for name in names}

        return PooledModel(
            bound=about["bound"],
            boosters=tuple(arrays[f"booster.{name}"].tobytes() for name in TARGETS),
            centre=arrays["centre"],
            axes=arrays["axes"],
            quantiles=arrays["quantiles"],
            sets={gender: arrays[f"sets.{gender}"] for gender in GENDERS},
            correlation=float(about["correlation"]),
            spread=PredictionError(*map(float, about["spread"])),
            people=int(about["people"]),
            sha256=file_sha256(path),
        )


def choose_pooled(wanted: str, bound: Mapping[str, str]) -> tuple[PooledModel | None, str]:
    """The pooled model for a setting.

    Args:
        wanted: ``auto`` for the bundled one that fits (if any), ``none``, or a path.
        bound: :func:`binding` of the setting.

    Returns:
        The model or None, and a line for the user where a given one is not used.

    Raises:
        WeightsError: The file is missing or damaged.
    """
    if wanted == "none":
        return None, ""

    if wanted == "auto":
        for name, entry in manifest().items():
            # most settings have none, and XGBoost is slow to load
            if entry.kind == "surrogate" and _bound_to(entry.path) == bound:
                verify(find_weights(name, "surrogate"))
                return load_pooled(entry.path), ""

        return None, ""

    model = load_pooled(Path(wanted))
    different = [key for key in bound if model.bound.get(key) != bound[key]]

    if different:
        line = (
            f"{wanted}: learnt with another {' and '.join(different)}; not used (attrsearch train "
            "surrogate)"
        )
        return None, line

    return model, ""


def _bound_to(path: Path) -> Mapping[str, str]:
    """What a pooled model is bound to; its trees are not read.

    Raises:
        WeightsError: Not one, or damaged.
    """
    with _reading(path), safe_open(path, "numpy") as file:
        bound: Mapping[str, str] = _about(path, file.metadata())["bound"]
        return bound


def _about(path: Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """What a file says of itself."""
    about: dict[str, Any] = json.loads((metadata or {}).get(FORMAT, "{}"))
    if about.get("version") != 1:
        required = f"a {FORMAT} file, version 1"
        raise WeightsError(path, required=required, found="another file", hint=HINT)

    return about


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Whatever is wrong with a file is a WeightsError."""
    try:
        yield
    except (
        OSError,
        SafetensorError,
        KeyError,
        TypeError,
        ValueError,  # XGBoost's own error is one
    ) as error:
        found = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise WeightsError(path, required="a pooled surrogate", found=found, hint=HINT) from error


def pooled_inputs(attributes: Floats, reduced: Floats64) -> Floats64:
    """What the boosters see, (n, d): what of the passes is not mirrored, then the person."""
    free = attributes[:, :1] if _mirrored(attributes) else attributes
    flat = free.reshape(len(attributes), -1).astype(np.float64)
    return np.concatenate([flat, np.broadcast_to(reduced, (len(flat), len(reduced)))], 1)


def reduce_person(person: Floats64, centre: Floats, axes: Floats) -> Floats64:
    """Plain features, then the embedding along the axes."""
    plain = person[: len(PLAIN)]
    embedding = person[len(PLAIN) :]
    return np.concatenate([plain, axes.astype(np.float64) @ (embedding - centre)])


def _mirrored(attributes: Floats) -> bool:
    return attributes.shape[1] == 1 or bool(np.array_equal(attributes[:, 1], -attributes[:, 0]))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
