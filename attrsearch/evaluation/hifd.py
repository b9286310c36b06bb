"""The predictions that the ``hifd`` package scores (Wei, "HiFD", 2026), and its score.

The score is had where the package is installed.

Written are the tasks this project can answer: ``face_embedding`` (each judge), ``gender`` and
``landmark``.  The package's quality part wants NIQE, which is not measured here, and its other
tasks are age, ethnicity, expression, gaze and pulse: the score is over the parts that are there, as
the package renormalises it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import MALE
from attrsearch.core.errors import UnavailableError
from attrsearch.core.files import file_name, write_text
from attrsearch.core.picking import take
from attrsearch.evaluation.evaluate import Examined, Examiner
from attrsearch.evaluation.faces import DetectedFaces
from attrsearch.evaluation.metrics.utility import FaceMeasurements

Floats = npt.NDArray[np.float32]

SCHEMA = "1.0"


def write_hifd(examiner: Examiner, examined: Sequence[Examined], folder: Path) -> list[Path]:
    """Write predictions of originals and protections, and the two files that name them.

    Args:
        examiner: Of the originals.
        examined: Protections, measured.
        folder: Where to.

    Returns:
        ``methods.yaml`` and ``estimators.yaml`` (JSON, which is YAML).

    Raises:
        OutputError: They cannot be written.
    """
    ids = [f"{face.source.parent.name}/{face.source.stem}" for face in examiner.cohort.faces]
    _write(folder / "original", "original", ids, examiner.before, examiner.embeddings)
    methods = []

    for found in examined:
        base = file_name(found.protection.name)
        # a protection may lack faces of the originals: ids say which pictures belong together
        own = take(ids, found.protection.rows)
        _write(folder / base, "deid", own, found.sight, found.embeddings)
        methods.append({"name": found.protection.name, "base_path": base})

    detector = next(iter(examiner.before.looks))
    estimators = {
        "face_embedding": [judge.name for judge in examiner.judges],
        "gender": ["attrsearch-traits"],
        "landmark": [detector],
    }
    tasks = {}
    for task, names in estimators.items():
        entries = []
        for name in names:
            # originals and protected lie in folders of their own, under the same names
            file = _file(task, name)
            entries.append({"name": name, "orig_json": file, "deid_json": file})

        tasks[task] = {"estimators": entries}

    files = {
        "methods.yaml": {"original": {"base_path": "original"}, "methods": methods},
        "estimators.yaml": {"tasks": tasks},
    }

    for name, content in files.items():
        write_text(folder / name, json.dumps(content, indent=1) + "\n")

    return [folder / name for name in files]


def score_hifd(folder: Path) -> dict[str, dict[str, float | None]]:
    """The package's own scores of what :func:`write_hifd` wrote.

    Method to P, U1 and the three profiles.

    Raises:
        UnavailableError: ``hifd`` is not installed.
    """
    # it brings packages that nothing else here needs, so it is no dependency and no extra
    try:
        import hifd  # noqa: PLC0415 - optional
    except ImportError as error:
        hint = "pip install hifd"
        raise UnavailableError(
            "hifd", required="the package hifd", found=str(error), hint=hint
        ) from error

    result: Any = hifd.run_pipeline(
        methods_config=str(folder / "methods.yaml"),
        estimators_config=str(folder / "estimators.yaml"),
        data_dir=str(folder),
        out_dir=str(folder / "scores"),
    )
    table = result.composite_df
    scores = {}
    for _, row in table.iterrows():
        method = str(row.pop("method"))
        scores[method] = {str(key): _finite(value) for key, value in row.items()}

    return scores


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, float) and np.isfinite(value) else None


def _file(task: str, estimator: str) -> str:
    return f"{task}_{file_name(estimator)}.json"


def _write(
    folder: Path,
    source: str,
    ids: Sequence[str],
    sight: FaceMeasurements,
    embeddings: Mapping[str, Floats],
) -> None:
    detector, look = next(iter(sight.looks.items()))
    for name, rows in embeddings.items():
        vectors = {i: {"embedding": _list(row)} for i, row in zip(ids, rows, strict=True)}
        _envelope(folder, "face_embedding", source, name, vectors)

    male = sight.traits[:, MALE]
    gender = {i: {"probs": [float(1 - p), float(p)]} for i, p in zip(ids, male, strict=True)}
    _envelope(folder, "gender", source, "attrsearch-traits", gender, class_names=["female", "male"])
    _envelope(folder, "landmark", source, detector, _landmarks(ids, look))


def _landmarks(ids: Sequence[str], look: DetectedFaces) -> dict[str, Any]:
    predictions = {}
    for name, points in zip(ids, look.landmarks.round(3).astype(float), strict=True):
        left, right = points[:2].tolist()
        predictions[name] = {
            "points": points.tolist(),
            "left_eye_center": left,
            "right_eye_center": right,
        }

    return predictions


def _envelope(
    folder: Path,
    task: str,
    source: str,
    estimator: str,
    predictions: dict[str, Any],
    **more: object,
) -> None:
    content = {
        "task": task, "source": source, "estimator": estimator, "schema_version": SCHEMA, **more,
        "predictions": predictions,
    }  # fmt: skip
    write_text(folder / _file(task, estimator), json.dumps(content) + "\n")


def _list(row: Floats) -> list[float]:
    return [round(float(value), 6) for value in row]
