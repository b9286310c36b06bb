"""The formats of annotations, and what their files are called; nothing heavy is loaded for it."""

from pathlib import Path

KINDS = {"coco": ".json", "cvat": ".xml", "fiftyone": "", "label-studio": ".json", "mot": ".txt"}
"""Format to the end of its file's name; one without is a folder."""


def default_place(source: Path, kind: str) -> Path:
    """Where annotations go if nobody said: into the run, or beside the ledger.

    >>> default_place(Path("here/coverage.parquet"), "coco").name
    'annotations_coco.json'
    """
    folder = source if source.is_dir() else source.parent
    return folder / f"annotations_{kind}{KINDS[kind]}"
