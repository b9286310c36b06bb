"""An evaluation as files: JSON of everything, CSV of a row a judge, a few figures for a run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from attrsearch.core.errors import InputError
from attrsearch.core.files import write_text
from attrsearch.core.picking import take
from attrsearch.evaluation.evaluate import Examined, Examiner
from attrsearch.evaluation.faces import Cohort
from attrsearch.evaluation.metrics.anonymity import BINS, Figures, far_name
from attrsearch.evaluation.metrics.realism import FEATURES
from attrsearch.evaluation.metrics.verification import MIN_PAIRS_BELOW

FORMAT = "attrsearch/evaluation"
MAIN_FAR = 1e-3
"""The false-accept rate of the figure that is shown first."""
FOR_RUN = {
    "tar_1e-3": "true_accept_rate_at_FAR_1e-3",
    "rank1": "rank_1",
    "chance1": "chance",
    "parrot_rank1": "parrot_rank_1",
    "distance": "distance",
}


@dataclass
class Record:
    """What an evaluation found.

    Attributes:
        about: What was evaluated, and how.
        originals: A row a judge: what it is worth on the originals.
        judges: A row a judge and protection.
        protections: A row a protection.
        histograms: Counts of raw distances, for each judge and protection.
        tracks: How steady the tracks of a video are.
        notes: What was not to be had, in lines.
    """

    about: dict[str, Any]
    originals: list[Figures]
    judges: list[Figures] = field(default_factory=list)
    protections: list[Figures] = field(default_factory=list)
    histograms: list[dict[str, Any]] = field(default_factory=list)
    tracks: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, found: Examined) -> None:
        """Add a protection."""
        self.judges += found.judged
        self.protections.append(found.kept)

        for judge, counts in found.histograms.items():
            self.histograms.append({"judge": judge, "protection": found.protection.name, **counts})

    @property
    def protected(self) -> tuple[list[Figures], list[Figures]]:
        """Rows of judges and of protections without those of the originals."""
        judged = [row for row in self.judges if row["protection"] != "original"]
        return judged, [row for row in self.protections if row["protection"] != "original"]

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for ``json.dumps``."""
        return {
            "format": FORMAT,
            "version": 1,
            **self.about,
            "features": FEATURES,
            "notes": self.notes,
            "originals": self.originals,
            "judges": self.judges,
            "protections": self.protections,
            "bins": BINS.round(4).tolist(),
            "histograms": self.histograms,
            "tracks": self.tracks,
            "attacks": [],
        }


def begin(
    examiner: Examiner, originals: Path, distractors: Mapping[str, Any], notes: Sequence[str]
) -> Record:
    """A record of an evaluation that has seen the originals."""
    cohort: Cohort = examiner.cohort
    about = {
        "source": originals.name,
        "people": len(np.unique(cohort.owners)),
        "faces": len(cohort),
        "distractors": max(map(len, distractors.values()), default=0),
        "detectors": [detector.name for detector in examiner.eyes.windows],
    }
    return Record(about, examiner.originals(), notes=[*notes, *_too_few(examiner)])


def _too_few(examiner: Examiner) -> list[str]:
    """Lines on what these faces are too few for."""
    lines = []
    standard = next(iter(examiner.standards.values()))

    if not len(standard.genuine.distances):
        lines.append(
            "nobody has two pictures, so there is no other picture to recognise anyone by; give a "
            "folder with one sub-folder a person"
        )
    elif len(examiner.cohort.people) == 1:
        lines.append("one person only: rank-1 says little, and there is no chance to set it beside")

    if MAIN_FAR not in standard.thresholds:
        pairs = len(standard.impostor.distances)
        least = round(MIN_PAIRS_BELOW / MAIN_FAR)
        lines.append(
            f"TAR at FAR {far_name(MAIN_FAR)} needs {least} pairs of strangers, these are "
            f"{pairs}: give more people, or --distractors FOLDER"
        )

    return lines


def write_record(record: Record, out: Path) -> tuple[Path, Path]:
    """Write the JSON file and the CSV beside it.

    Returns:
        Both paths.

    Raises:
        OutputError: They cannot be written.
    """
    write_text(
        out,
        json.dumps(clean(record.as_json()), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
    )
    table = pd.DataFrame(record.judges).merge(
        pd.DataFrame(record.protections), on="protection", how="left"
    )
    beside = out.with_suffix(".csv")
    write_text(beside, table.to_csv(index=False))

    return out, beside


def read_record(path: Path) -> dict[str, Any]:
    """The JSON of an evaluation.

    Raises:
        InputError: Missing, or something else.
    """
    required = "a result of attrsearch evaluate"
    hint = "attrsearch evaluate ORIGINALS PROTECTED --out FILE"

    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(path, required=required, found=str(error), hint=hint) from error

    if not isinstance(data, dict) or data.get("format") != FORMAT or "protections" not in data:
        raise InputError(path, required=required, found="something else", hint=hint)

    return data


def write_attacks(rows: Sequence[Figures], out: Path) -> None:
    """Write the lines of attacks as JSON."""
    content = {"format": "attrsearch/attacks", "version": 1, "attacks": clean(list(rows))}
    write_text(out, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def add_attacks(rows: Sequence[Figures], path: Path) -> dict[str, Any]:
    """Put lines of attacks into an evaluation's JSON, in place of earlier ones of the same kind.

    Returns:
        The evaluation, as it is now.

    Raises:
        InputError: Not an evaluation.
    """
    data = read_record(path)
    new = clean(list(rows))
    kinds = {_kind(row) for row in new}
    earlier = [row for row in data.get("attacks", []) if _kind(row) not in kinds]
    data["attacks"] = earlier + new
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    return data


def _kind(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(take(row, ("attack", "variant", "protection", "judge")))


def write_for_run(record: Record, run: Path) -> Path:
    """Write ``evaluation.json`` into a run: the judges' main figures, as its report shows them.

    Raises:
        InputError: No such run.
        OutputError: It cannot be written.
    """
    if not (run / "run.toml").is_file():
        hint = "give the folder that attrsearch run wrote"
        raise InputError(run, required="the folder of a run", found="none", hint=hint)

    before: dict[object, Figures] = {}
    for row in record.judges:
        if row["protection"] == "original":
            before[row["judge"]] = row

    rows = []

    for row in record.protected[0]:
        flat: dict[str, Any] = {
            "judge": row["judge"],
            "used by the search": "no" if row["unseen"] else "yes",
        }
        for figure, name in FOR_RUN.items():
            value = row.get(figure)
            original = before.get(row["judge"], {}).get(figure)
            if isinstance(value, float):
                flat[name] = round(value, 4)

            # chance and the parrot's figures mean nothing of originals
            if isinstance(original, float) and figure in ("tar_1e-3", "rank1"):
                flat[f"{name}_of_originals"] = round(original, 4)

        rows.append({**flat, "faces": row["probes"], "gallery": row["gallery"]})

    path = run / "evaluation.json"
    write_text(
        path, json.dumps(clean({"format": FORMAT, "version": 1, "judges": rows}), indent=1) + "\n"
    )
    return path


def clean(value: Any) -> Any:
    """The same with numbers that are none as null."""
    if isinstance(value, dict):
        return {key: clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    if isinstance(value, float | np.floating):
        return round(float(value), 6) if np.isfinite(value) else None

    return int(value) if isinstance(value, np.integer) else value
