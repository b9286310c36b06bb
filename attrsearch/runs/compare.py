"""Set several runs side by side: what their winners reach, and what their trials were like."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from attrsearch.core.errors import InputError
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.runs.person_part import PersonPart
from attrsearch.runs.review import read_decisions
from attrsearch.runs.verdict import Verdict


@dataclass(frozen=True)
class Row:
    """One measure of a run: a label, and its value in words."""

    label: str
    value: Callable[[list[PersonPart], pd.DataFrame], str]


def _share(count: int, of: int) -> str:
    return f"{count}/{of} ({count / of:.0%})" if of else "–"


def _having(verdict: Verdict) -> Callable[[list[PersonPart], pd.DataFrame], str]:
    """The share of all people who have a verdict."""

    def value(parts: list[PersonPart], _: pd.DataFrame) -> str:
        verdicts = [part.verdict for part in parts]
        return _share(verdicts.count(verdict), len(parts))

    return value


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.3f}" if values else "–"


def _winners(name: str) -> Callable[[list[PersonPart], pd.DataFrame], str]:
    return lambda parts, _: _mean([float(getattr(part.record, name)) for part in parts])


def _held(name: str) -> Callable[[list[PersonPart], pd.DataFrame], str]:
    return lambda parts, _: _mean(
        [float(getattr(part.heldback, name)) for part in parts if part.heldback]
    )


def _first_feasible(parts: list[PersonPart], trials: pd.DataFrame) -> str:
    # whoever never has a feasible trial counts as infinitely late, which a median can bear
    first = trials[trials["feasible"]].groupby("identity")["trial"].min()
    reached = first.reindex([part.record.id for part in parts]) + 1
    middle = reached.fillna(np.inf).median()
    return "never for half" if np.isinf(middle) else f"{middle:.0f}"


ROWS = (
    Row("people", lambda parts, _: str(len(parts))),
    Row("anonymised (holds)", _having(Verdict.HOLDS)),
    Row(str(Verdict.SEARCHED_ONLY), _having(Verdict.SEARCHED_ONLY)),
    Row(str(Verdict.NOT_ANONYMISED), _having(Verdict.NOT_ANONYMISED)),
    Row("winners: detection", _winners("detection")),
    Row("winners: IoU", _winners("iou")),
    Row("winners: distance", _winners("distance")),
    Row("winners: utility", _winners("utility")),
    Row("kept back: detection", _held("detection")),
    Row("kept back: IoU", _held("iou")),
    Row("kept back: distance", _held("distance")),
    Row("evaluations to the first feasible (median)", _first_feasible),
    Row("all trials: detection", lambda _, trials: f"{trials['detection'].mean():.3f}"),
    Row("all trials: IoU", lambda _, trials: f"{trials['iou'].mean():.3f}"),
    Row("all trials: distance", lambda _, trials: f"{trials['distance'].mean():.3f}"),
    Row("all trials: utility", lambda _, trials: f"{trials['utility'].mean():.3f}"),
    Row(
        "all trials: utility, best quarter from",
        lambda _, trials: f"{trials['utility'].quantile(0.75):.3f}",
    ),
    Row("all trials: feasible", lambda _, trials: f"{trials['feasible'].mean():.1%}"),
)


def compare(runs: list[Path]) -> str:
    """A Markdown table with a column a run.

    Args:
        runs: Folders of finished runs.

    Raises:
        InputError: A folder holds no finished run, or one without people.
    """
    columns = []

    for run in runs:
        about = read_run(run)
        dropped = read_decisions(run).dropped
        parts = [part for part in RunFolder(run).read_people() if part.record.id not in dropped]

        if "result" not in about or not parts:
            hint = "give folders that attrsearch run finished"
            raise InputError(
                run, required="a finished run with people in it", found="none", hint=hint
            )

        trials = pd.read_parquet(run / "trials.parquet")
        trials = trials[~trials["identity"].isin(list(dropped)) & trials["evaluated"]].copy()
        # numbered anew: candidates that were only predicted had numbers, too
        trials["trial"] = trials.groupby("identity").cumcount()
        study = about["settings"]["study"]
        head = (
            f"{study['editor']}, {study['space']}, {study['sampler']['name']}, {study['trials']} "
            "trials"
        )
        columns.append([head, *(row.value(parts, trials) for row in ROWS)])

    labels = ["", *(row.label for row in ROWS)]
    text = [f"| {' | '.join(line)} |" for line in zip(labels, *columns, strict=True)]
    text.insert(1, "|---" * (len(columns) + 1) + "|")

    return "\n".join(text)
