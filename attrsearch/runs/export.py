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
    records = tuple(
        part.exported
        for part in RunFolder(run).read_people()
        if part.record.id not in dropped and (part.record.feasible or include_infeasible)
    )
    file = read_attributes(run / "attributes.json").model_copy(update={"identities": records})
    if kind == "json":
        write_text(out, to_json(file))
        return len(records)
    if kind not in FORMATS:
        _export_plugged(kind, file, out)
        return len(records)
    table = pd.DataFrame(
        [flatten(record) for record in records], columns=None if records else ["id"]
    )
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


def write_again(run: Path) -> bool:
    """Write ``attributes.json``, ``summary.csv`` and the counts in ``run.toml`` again.

    Done after a decision.

    Returns:
        Whether the run is finished; one that goes on writes them itself when it ends.

    Raises:
        OutputError: A file cannot be written.
    """
    about = read_run(run)
    if "result" not in about:
        return False
    counts = RunFolder(run).write_tables(read_attributes(run / "attributes.json"))
    about["result"] |= {"feasible": counts.feasible, **counts.verdicts.figures()}
    write_run(run, about)
    return True
