"""The trials of a study of searches as files: ``ARM/PERSON.parquet`` in the study's folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.core.files import file_name, write_text
from attrsearch.experiments.search_arms import ARMS, Plan
from attrsearch.experiments.search_rounds import SCORES, RunningSearch
from attrsearch.runs.trials_file import trial_attributes
from attrsearch.search.models import Components, Settings, binding_of
from attrsearch.search.objective import aggregate
from attrsearch.search.space import PersonSpace
from attrsearch.search.surrogate.pooled import PooledModel
from attrsearch.search.terms import FaceScores

Floats = npt.NDArray[np.float32]


def begin(
    out: Path, settings: Settings, components: Components, pooled: PooledModel | None
) -> None:
    """Write down what the study is of, or check that it is what it was begun with.

    Raises:
        InputError: It was begun with other settings.
    """
    now = {
        **binding_of(settings, components.evaluator),
        "max_faces": settings.study.max_faces,
        "pooled": pooled.sha256 if pooled else "",
    }
    file = out / "study.json"

    if file.exists():
        earlier = json.loads(file.read_text(encoding="utf-8"))
        for key, value in now.items():
            if earlier.get(key) != value:
                raise InputError(
                    out,
                    required="the settings this study was begun with",
                    found=f"another {key}",
                    hint="choose another folder",
                )

    write_text(file, json.dumps(now, indent=1))


def read_study(out: Path) -> pd.DataFrame:
    """All trials of a study, in the columns that :func:`to_rows` gives.

    Raises:
        InputError: There are none.
    """
    parts = sorted(out.glob("*/*.parquet"))

    if not parts:
        hint = "make it with attrsearch reproduce search-study"
        raise InputError(out, required="a study of searches", found="no trials", hint=hint)

    return pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)


def trials_of(out: Path, arm: str, person: str) -> Path:
    """The file of an arm's trials of a person."""
    return out / arm / f"{file_name(person)}.parquet"


def finished(file: Path, plan: Plan) -> bool:
    """Whether an earlier study of a person has as many seeds, and searched for as long."""
    if not file.exists():
        return False

    seeds = pd.read_parquet(file, columns=["seed"])["seed"].value_counts()
    # an arm that may stop early has fewer trials than it was allowed, and is finished all the same
    long_enough = ARMS[plan.arm].stopping is not None or bool(seeds.min() >= plan.trials)
    return len(seeds) >= plan.seeds and long_enough


def earlier_scores(out: Path, person: str) -> dict[bytes, Floats]:
    """What other arms measured on this person before; only where one picture was searched.

    A file has means over pictures, which are a picture's own scores only where there is one.
    """
    known: dict[bytes, Floats] = {}

    for path in out.glob(f"*/{file_name(person)}.parquet"):
        rows = pd.read_parquet(path)
        rows = rows[rows["evaluated"] & (rows["faces"] == 1)]
        if rows.empty:
            continue

        table = rows[list(SCORES)].to_numpy(np.float32)[:, :, None]
        for row, scores in zip(trial_attributes(rows), table, strict=True):
            known[row.tobytes()] = scores

    return known


def to_rows(searches: Sequence[RunningSearch], person: str, space: PersonSpace) -> pd.DataFrame:
    """Trials of a plan's searches, a row a candidate."""
    return pd.concat([_rows(one, person, space) for one in searches], ignore_index=True)


def _rows(one: RunningSearch, person: str, space: PersonSpace) -> pd.DataFrame:
    """Trials of one search; the sample of what was screened out is among them."""
    proposals = one.search.proposals
    evaluated = np.array([proposal.evaluated for proposal in proposals], bool)
    scores = {}
    for column, name in SCORES.items():
        scores[column] = np.concatenate([getattr(part, name) for part in one.scores])

    columns: dict[str, Any] = {
        "identity": person,
        "arm": one.plan.arm,
        "seed": one.seed,
        "faces": scores["detection"].shape[1],
        "evaluated": evaluated,
        "source": [proposal.source for proposal in proposals],
        "predicted_utility": [proposal.utility for proposal in proposals],
        "predicted_feasible": [proposal.feasible for proposal in proposals],
        "rank_correlation": [proposal.correlation for proposal in proposals],
    }

    for name, values in _measured(one, scores).items():
        # what was screened out was never measured, and a column has to have a value there, too
        filled = np.full(len(proposals), False if values.dtype == bool else np.nan, values.dtype)
        filled[evaluated] = values
        columns[name] = filled

    attributes = space.attributes(np.array([proposal.point for proposal in proposals]))
    first = attributes[:, 0]
    second = attributes[:, 1] if attributes.shape[1] > 1 else np.full_like(first, np.nan)
    # an editor of one pass has second columns, too: files of all arms are read as one table
    for place, values in (("first", first), ("second", second)):
        for i, name in enumerate(ATTRIBUTES):
            columns[f"{place}_{name}"] = values[:, i]

    return pd.DataFrame(columns)


def _measured(one: RunningSearch, scores: dict[str, Floats]) -> dict[str, npt.NDArray[np.generic]]:
    """Columns of what was measured, a value for every candidate that was evaluated."""
    fields = {SCORES[column]: values for column, values in scores.items()}
    results = aggregate(one.settings.objective, FaceScores(**fields))
    # the margin is that of the constraint that is nearest to being violated
    constrained = results.violations.shape[1] > 0
    margin = -results.violations.max(1) if constrained else np.ones(len(results.utility))

    return {
        **{name: scores[name].mean(1) for name in SCORES},
        "utility": results.utility,
        "merit": results.objective_value,
        "margin": margin,
        "feasible": results.feasible,
        "optimiser_seconds": np.array(one.seconds),
    }
