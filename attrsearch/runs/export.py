"""Export a run's best attribute sets as JSON, CSV or Parquet."""

from pathlib import Path

import pandas as pd

from attrsearch.core.files import write_text, written
from attrsearch.core.names import csv_cell
from attrsearch.core.plugins import broken, loaded, unknown
from attrsearch.runs.attributes_file import AttributesFile, flatten, read_attributes, to_json
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run, write_run
from attrsearch.runs.review import read_decisions

DERIVED = ("csv", "parquet")
"""Exports beside ``attributes.json`` that are written anew with it, where they are there."""
FORMATS = ("json", "csv", "parquet")


def export_run(run: Path, out: Path, kind: str, include_infeasible: bool = False) -> int:
    """Write the export of a run.

    Args:
        run: The run's folder.
        out: The file to write.
        kind: ``json``, ``csv``, ``parquet``, or a plug-in's name.
        include_infeasible: Also people who are not anonymised, marked as such.

    Returns:
        How many people it holds.

    Raises:
        InputError: The folder holds no finished run.
        OutputError: The file cannot be written.
        UnavailableError: No such kind, or a broken plug-in.
    """
    read_run(run)
    dropped = read_decisions(run).dropped
    kept = []
    for person in RunFolder(run).read_people():
        wanted = person.record.feasible or include_infeasible
        if wanted and person.record.id not in dropped:
            kept.append(person.exported)

    records = tuple(kept)
    file = read_attributes(run / "attributes.json").model_copy(update={"identities": records})

    if kind == "json":
        write_text(out, to_json(file))
        return len(records)

    if kind not in FORMATS:
        _export_plugged(kind, file, out)
        return len(records)

    # an export of nobody has a head all the same, or it could not be read as a table
    columns = None if records else ["id"]
    table = pd.DataFrame([flatten(record) for record in records], columns=columns)
    if kind == "csv":
        write_text(out, table.map(csv_cell).to_csv(index=False))
    else:
        with written(out) as part:
            table.to_parquet(part, index=False)

    return len(records)


def _export_plugged(kind: str, file: AttributesFile, out: Path) -> None:
    exporter = loaded("exporter", kind)
    if exporter is None:
        raise unknown("exporter", kind, FORMATS)

    with written(out) as part:
        exporter(file, part)
        if not part.is_file():
            raise broken("exporter", kind, "a function that writes the file it is given", "no file")


def left_out_people(run: Path, include_infeasible: bool = False) -> dict[str, str]:
    """Who has no set in an export of a run, and why; those dropped on purpose are not named.

    Args:
        run: The run's folder.
        include_infeasible: Whether the export also has people who are not anonymised.
    """
    failures = read_run(run).get("failures", [])
    found = {str(item["id"]): str(item["reason"]) for item in failures}
    if include_infeasible:
        return found

    dropped = read_decisions(run).dropped
    for part in RunFolder(run).read_people():
        if not part.record.feasible and part.record.id not in dropped:
            found[part.record.id] = "not anonymised (--include-infeasible exports it all the same)"

    return found


def write_again(run: Path) -> bool:
    """Write again whatever a run says of its people.

    These are ``attributes.json``, ``summary.csv``, other exports and the counts in ``run.toml``,
    after a decision.  What counts is in the people's own files and in ``decisions.json``.

    Returns:
        Whether the run is finished; one that goes on writes them itself when it ends.

    Raises:
        OutputError: A file cannot be written.
    """
    about = read_run(run)
    if "result" not in about:
        return False

    # the head says what the run was made with, which no decision changes
    counts = RunFolder(run).write_tables(read_attributes(run / "attributes.json"))
    about["result"] |= {"feasible": counts.feasible, **counts.verdicts.figures()}
    write_run(run, about)
    refresh_exports(run)

    return True


def refresh_exports(run: Path) -> None:
    """Write the other exports inside a run again, with the people they were asked to hold.

    Nothing is made that was not there, and a file of that name that is no export is left alone.

    Raises:
        OutputError: A file cannot be written.
    """
    # whether an earlier one holds people who are not anonymised is told by its rows
    for kind in DERIVED:
        target = run / f"attributes.{kind}"
        earlier = _read_export(target)
        if earlier is not None:
            export_run(run, target, kind, include_infeasible=not earlier["feasible"].all())


def _read_export(path: Path) -> pd.DataFrame | None:
    """Who an export holds, with ``id`` and ``feasible``; None where there is none."""
    if not path.is_file():
        return None

    try:
        table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (OSError, ValueError):
        return None

    if "feasible" not in table.columns:
        # an export of nobody has the column id alone
        return table.assign(feasible=True) if list(table.columns) == ["id"] else None

    return table
