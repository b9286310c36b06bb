"""Where to look in a result: what is filtered, not compared, or found by the audit."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from attrsearch.core.encryption import find_private, open_private
from attrsearch.core.errors import InputError
from attrsearch.core.picking import without

BOX = ("left", "top", "right", "bottom")
COLUMNS = ("frame", "track", "person", "cover", *BOX)
LATER = {"reason": "", "distance": None}
"""Columns that the first ledgers did not have."""
GAP = 12
"""Frames between two stretches of one place."""


def read_places(run: Path, decided: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What the player can jump to.

    Args:
        run: The run's folder.
        decided: People who are filtered because somebody decided so.

    Returns:
        ``places``: ``kind`` (``filtered``, ``unverified`` or ``audited``), ``person``, ``why``,
        ``first`` and ``last`` frame, and the ``box`` of what the audit found, in the order of
        frames; ``counts`` of covers; ``people``, each person's ``faces``, how many of them are
        ``edited``, ``why`` most others are not, and the ``frame`` and ``box`` to look at;
        ``audit``, the head of ``audit.json``, or None.

    Raises:
        InputError: The ledger or the audit is damaged.
    """
    places = []
    counts: dict[str, int] = {}
    people: dict[str, dict[str, Any]] = {}
    table = _ledger(run)

    if table is not None:
        counts = {str(name): int(count) for name, count in table["cover"].value_counts().items()}
        table.loc[table["person"].isin(decided), "reason"] = "as decided"
        filtered = table[table["cover"].isin(["filtered", "replaced"])]
        # an edit that was carried on from another frame is not compared with the face under it
        shown = table[table["cover"].isin(["edited", "warped"])]
        unverified = shown[shown["distance"].isna()].assign(reason="carried on, not compared")
        places += _stretches(filtered, "filtered") + _stretches(unverified, "unverified")
        people = _people(table)

    audit = _audit(run)
    for leak in (audit or {}).get("leaks", []):
        why = "not covered" if leak["kind"] == "uncovered" else "still matches"
        frame = int(leak["frame"])
        place = {"kind": "audited", "person": "", "why": why, "first": frame, "last": frame}
        places.append({**place, "box": leak["box"]})

    places.sort(key=lambda place: (place["first"], place["last"]))
    head = None if audit is None else without(audit, "leaks")
    if head is not None and audit is not None:
        head["leaks"] = len(audit.get("leaks", []))

    return {"places": places, "counts": counts, "people": people, "audit": head}


def _people(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """How far each person is covered by an edit."""
    found = {}
    for person, rows in table.groupby("person", sort=True):
        edited = rows["cover"].isin(["edited", "warped"])
        whys = rows.loc[~edited, "reason"].value_counts()
        why = str(whys.index[0]) if len(whys) else ""
        # the largest edited face; the largest of all where none is edited
        sized = rows.assign(edited=edited, size=rows["right"] - rows["left"])
        best = sized.sort_values(["edited", "size"]).iloc[-1]
        found[str(person)] = {
            "faces": len(rows),
            "edited": int(edited.sum()),
            "why": why,
            "frame": int(best["frame"]),
            "box": [round(float(value), 1) for value in best[list(BOX)]],
        }

    return found


def _stretches(table: pd.DataFrame, kind: str) -> list[dict[str, Any]]:
    """Rows of one person and one reason, close together, as one place."""
    found = []
    for (person, why), rows in table.groupby(["person", "reason"], sort=True):
        frames = sorted(rows["frame"].unique())
        first = last = int(frames[0])

        for frame in [*map(int, frames[1:]), None]:
            if frame is not None and frame - last <= GAP:
                last = frame
                continue

            found.append(
                {"kind": kind, "person": str(person), "why": str(why), "first": first, "last": last}
            )
            first = last = frame or 0

    return found


def _ledger(run: Path) -> pd.DataFrame | None:
    path = run / "coverage.parquet"
    if find_private(path) is None:
        return None

    try:
        file = pq.ParquetFile(open_private(path))
        later = [name for name in LATER if name in file.schema_arrow.names]
        table: pd.DataFrame = file.read([*COLUMNS, *later]).to_pandas()
    except (OSError, pa.ArrowException, KeyError) as error:
        hint = "anonymise again"
        found = str(error).splitlines()[0]
        raise InputError(path, required="the ledger of a video", found=found, hint=hint) from error

    missing = without(LATER, *table)
    return table.assign(**missing)


def _audit(run: Path) -> dict[str, Any] | None:
    try:
        read = json.loads((run / "audit.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(
            run / "audit.json", required="an audit", found=str(error), hint="anonymise again"
        ) from error

    return read if isinstance(read, dict) else None
