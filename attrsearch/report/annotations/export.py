"""Annotations of a run or a ledger, written in one of the formats."""

from collections.abc import Callable, Mapping
from pathlib import Path

from attrsearch.core.errors import InputError
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.report.annotations.coco import write_coco
from attrsearch.report.annotations.cvat import write_cvat
from attrsearch.report.annotations.fiftyone import write_fiftyone
from attrsearch.report.annotations.footage import annotate_footage, footage_beside, ledger_of
from attrsearch.report.annotations.label_studio import write_label_studio
from attrsearch.report.annotations.model import Annotations
from attrsearch.report.annotations.mot import write_mot
from attrsearch.report.annotations.pictures import annotate_pictures, facts_of
from attrsearch.runs.metadata import FILE

WRITERS: Mapping[str, Callable[[Path, Annotations], None]] = {
    "coco": write_coco,
    "cvat": write_cvat,
    "fiftyone": write_fiftyone,
    "label-studio": write_label_studio,
    "mot": write_mot,
}


def export_annotations(
    source: Path,
    out: Path,
    kind: str,
    media: Path | None = None,
    progress: Progress[Step] = silent,
) -> Annotations:
    """Write the faces of a run of pictures, or of a protected video, with person ids.

    Args:
        source: A run's folder, or a video's ledger.
        out: The file to write; a folder for ``fiftyone``.
        kind: A name of ``WRITERS``.
        media: The pictures of the run, or the video of the ledger; found by itself where they are
            where they were.
        progress: Told of the stage ``export``, by people.

    Returns:
        What was written.

    Raises:
        InputError: No run and no ledger, or its pictures or video are not to be found.
        OutputError: The file cannot be written.
    """
    found = _annotate(source, media, progress)
    WRITERS[kind](out, found)
    return found


def _annotate(source: Path, media: Path | None, progress: Progress[Step]) -> Annotations:
    ledger = ledger_of(source)
    if ledger is None:
        return annotate_pictures(source, media, progress)

    footage = media or footage_beside(source)
    if footage is None:
        hint = "give the video, original or protected, with --media"
        raise InputError(
            source, required="the video that this ledger is of", found="none beside it", hint=hint
        )

    facts = facts_of(source) if (source / FILE).is_file() else {}
    return annotate_footage(ledger, footage, facts)
