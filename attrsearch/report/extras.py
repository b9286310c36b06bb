"""What other parts leave in a run, where it is there.

The video ledger, judges, the surrogate's log.

``coverage.parquet``: a row for every face of every frame (``attrsearch/video/coverage.py``).
``evaluation.json``: ``{"format": "attrsearch/evaluation", "judges": [{"judge": …, figure: value,
…}, …]}``. ``surrogate.parquet``: a row for every candidate that was predicted: ``identity``,
``trial``, ``predicted_utility``, ``predicted_distance``, ``predicted_feasible``,
``rank_correlation`` (of the model with the person's own trials when it predicted),
``overhead_seconds`` (fitting and ranking, per candidate).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from attrsearch.core.encryption import find_private, open_private
from attrsearch.core.errors import InputError

FOUND = ("detected", "low", "remembered", "interpolated", "extended")
COVERS = ("edited", "warped", "filtered", "replaced")
LEDGER = ("frame", "time", "track", "person", "left", "right", "found", "cover")
PREDICTED = (
    "identity",
    "trial",
    "predicted_utility",
    "predicted_distance",
    "rank_correlation",
    "overhead_seconds",
)
SHOWN_PAIRS = 4000
STAGES = 20


def read_video(run: Path, ledger: Path | None = None) -> dict[str, Any] | None:
    """The coverage of a video's tracks over time, or None where the run is of no video.

    Args:
        run: The run's folder.
        ledger: The ledger, where it is not ``coverage.parquet`` in the run.

    Returns:
        ``frames``, ``seconds``, the words of ``found`` and ``cover``, counts of both, and for each
        track its number, person, median width in pixels, and stretches ``[first frame, last frame,
        found, cover]`` (codes of the words).
    """
    if ledger is not None and find_private(ledger) is None:
        hint = "give the file that apply or anonymise wrote with --ledger"
        raise InputError(ledger, required="the ledger of a video", found="no such file", hint=hint)

    table = _read(ledger or run / "coverage.parquet", LEDGER, ("class",))
    if table is None or table.empty:
        return None

    # known words first, so that a word has the same code in every page
    founds = list(dict.fromkeys([*FOUND, *sorted(table["found"].unique())]))
    covers = list(dict.fromkeys([*COVERS, *sorted(table["cover"].unique())]))
    table = table.sort_values(["track", "frame"], kind="stable")
    tracks = []

    for _, rows in table.groupby("track", sort=True):
        frames = rows["frame"].to_numpy()
        found = rows["found"].map(founds.index).to_numpy()
        cover = rows["cover"].map(covers.index).to_numpy()
        # a stretch ends where the track pauses, or what was found or done changes
        new = (np.diff(frames) != 1) | (np.diff(found) != 0) | (np.diff(cover) != 0)
        starts = np.concatenate([[0], np.flatnonzero(new) + 1])
        ends = np.concatenate([starts[1:] - 1, [len(frames) - 1]])
        stretches = []
        for first, last in zip(starts, ends, strict=True):
            codes = [int(found[first]), int(cover[first])]
            stretches.append([int(frames[first]), int(frames[last]), *codes])

        width = float((rows["right"] - rows["left"]).median())
        tracks.append(
            {
                "track": int(rows["track"].iloc[0]),
                "person": str(rows["person"].iloc[0] or "") or _label(rows),
                "width": round(width, 1),
                "stretches": stretches,
            }
        )

    return {
        "frames": int(table["frame"].max()) + 1,
        "seconds": round(float(table["time"].max()), 3),
        "found": founds,
        "cover": covers,
        "foundCounts": [int((table["found"] == word).sum()) for word in founds],
        "coverCounts": [int((table["cover"] == word).sum()) for word in covers],
        "tracks": tracks,
    }


def _label(rows: pd.DataFrame) -> str:
    """What a track is that is nobody's face; earlier ledgers do not say."""
    label = str(rows["class"].iloc[0]) if "class" in rows.columns else ""
    return "" if label == "face" else label


def read_judges(run: Path) -> list[dict[str, Any]] | None:
    """What recognisers that the search never used make of the run: a flat row a judge.

    None where nobody asked.
    """
    path = run / "evaluation.json"
    if not path.is_file():
        return None

    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        hint = "run attrsearch evaluate again, or remove the file"
        raise InputError(
            path, required="a result of attrsearch evaluate", found=str(error), hint=hint
        ) from error

    rows = data.get("judges") if isinstance(data, dict) else None
    if not isinstance(rows, list) or data.get("format") != "attrsearch/evaluation":
        return None

    shown = []
    for row in rows:
        # others write this file, too: what a table cannot show is left out of it
        if isinstance(row, dict):
            shown.append({k: v for k, v in row.items() if isinstance(v, str | int | float)})

    return shown or None


def read_surrogate(run: Path) -> dict[str, Any] | None:
    """How well candidates were predicted, and whether that paid; None where nothing was predicted.

    Returns:
        ``pairs`` (predicted and measured utility of measured candidates, at most ``SHOWN_PAIRS``),
        ``spearman`` over all of them, ``stages`` (share of the study done, quartiles of the rank
        correlation), ``screened``, ``audited``, ``falseRejects`` (audited rejects that were
        feasible), ``overhead`` and ``saved`` in seconds.
    """
    predicted = _read(run / "surrogate.parquet", PREDICTED)
    if predicted is None or predicted.empty:
        return None

    names = ["identity", "trial", "evaluated", "source", "utility", "feasible", "seconds"]
    trials = pd.read_parquet(run / "trials.parquet", columns=names)
    both = predicted.merge(trials, on=["identity", "trial"], validate="one_to_one")
    measured = both[both["evaluated"]]
    audited = measured[measured["source"] == "audit"]
    # a fixed sample: the page of a run is the same every time it is written
    shown = measured
    if len(measured) > SHOWN_PAIRS:
        shown = measured.sample(SHOWN_PAIRS, random_state=0)

    screened = int((~trials["evaluated"]).sum())
    cost = float(trials.loc[trials["evaluated"], "seconds"].mean())
    overhead = float(predicted["overhead_seconds"].sum())
    rank = np.nan
    # two points always lie on a line
    if len(measured) > 2:
        rank = measured["predicted_utility"].rank().corr(measured["utility"].rank())

    return {
        "pairs": shown[["predicted_utility", "utility"]].round(4).to_numpy().tolist(),
        "measured": len(measured),
        "spearman": None if np.isnan(rank) else round(float(rank), 4),
        "stages": _stages(predicted),
        "screened": screened,
        "audited": len(audited),
        "falseRejects": int(audited["feasible"].sum()),
        "overhead": round(overhead, 2),
        "saved": round(screened * cost, 2),
    }


def _stages(predicted: pd.DataFrame) -> list[list[float]]:
    last = predicted.groupby("identity")["trial"].transform("max").clip(lower=1)
    stage = np.minimum((predicted["trial"] / last * STAGES).astype(int), STAGES - 1)
    stages = []

    for number in range(STAGES):
        values = predicted.loc[stage == number, "rank_correlation"].dropna().to_numpy(np.float64)
        if len(values):
            quartiles = np.quantile(values, [0.25, 0.5, 0.75])
            stages.append(
                [
                    round((number + 0.5) / STAGES, 3),
                    *(round(float(value), 4) for value in quartiles),
                ]
            )

    return stages


def _read(
    path: Path, columns: tuple[str, ...], further: tuple[str, ...] = ()
) -> pd.DataFrame | None:
    """Columns of a table, and further ones where it has them; None where there is none."""
    if find_private(path) is None:
        return None

    try:
        there = pq.read_schema(open_private(path)).names if further else ()
        names = [*columns, *(name for name in further if name in there)]
        table: pd.DataFrame = pq.read_table(open_private(path), columns=names).to_pandas()
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        required = f"a table with the columns {', '.join(columns)}"
        hint = "make it again, or remove it"
        raise InputError(
            path, required=required, found=str(error).splitlines()[0], hint=hint
        ) from error

    return table
