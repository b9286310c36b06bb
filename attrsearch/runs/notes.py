"""What people decided and wrote about a run, as a table for a spreadsheet."""

from pathlib import Path

import pandas as pd

from attrsearch.core.names import csv_cell
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.review import GRADES, read_decisions

COLUMNS = ("id", "verdict", "dropped", "grade", "chosen_by", "tags", "note")


def notes_csv(run: Path) -> str:
    """A row for everyone about whom something was decided or written, by name.

    Args:
        run: The run's folder.

    Returns:
        CSV with the columns :data:`COLUMNS`; tags are separated by ``; ``.

    Raises:
        InputError: ``decisions.json`` is damaged.
    """
    decisions = read_decisions(run)
    verdicts = {part.record.id: str(part.verdict) for part in RunFolder(run).read_people()}
    rows = []

    for name, decision in sorted(decisions.people.items()):
        grade = "" if decision.grade is None else GRADES[decision.grade]
        rows.append(
            {
                "id": name,
                "verdict": verdicts.get(name, ""),
                "dropped": decision.dropped,
                "grade": grade,
                "chosen_by": decision.chosen_by or "",
                "tags": "; ".join(decision.tags),
                "note": decision.note,
            }
        )

    # a cell that a spreadsheet would compute is a text here
    table = pd.DataFrame(rows, columns=list(COLUMNS)).map(csv_cell)
    return str(table.to_csv(index=False))
