"""Pictures of a job: frames before and after, faces, and what there is to look at."""

from pathlib import Path
from typing import Any

from attrsearch.core.errors import InputError
from attrsearch.core.names import readable
from attrsearch.faces.images import read_picture, tree_pictures
from attrsearch.report.studio.frames import FrameReaders, as_jpeg, cut
from attrsearch.report.studio.job import JobFolder, JobRecord
from attrsearch.runs.people_file import FOLDER as FOUND

FACE = 256
"""Pixels a face is shown in at most."""


class JobViews:
    """Makes pictures when they are asked for; nothing of them is written."""

    def __init__(self) -> None:
        self._readers = FrameReaders()

    def about(self, job: JobFolder) -> dict[str, Any]:
        """What the player shows: how many frames or pictures, how fast, their names."""
        record = job.read()
        if record.kind == "video":
            reader = self._readers.reader(job.source(record))
            width, height = reader.size
            return {"count": reader.count, "rate": reader.rate, "width": width, "height": height}

        names = [
            readable(path.relative_to(job.input).as_posix()) for path in tree_pictures(job.input)
        ]
        return {"count": len(names), "rate": 0, "names": names}

    def frame(self, job: JobFolder, side: str, number: int, width: int | None) -> bytes:
        """A frame or picture as a JPEG.

        Args:
            job: The job.
            side: ``before`` or ``after``.
            number: Which, from 0.
            width: At most so many pixels wide.

        Raises:
            InputError: There is none.
        """
        record = job.read()
        if side not in ("before", "after"):
            hint = "reload the page"
            raise InputError("side", required="before or after", found=side, hint=hint)

        if record.kind == "video":
            path = job.source(record) if side == "before" else job.result(record)
            return as_jpeg(self._readers.reader(path).picture(number), width)

        return as_jpeg(read_picture(_picture(job, record, side, number)), width or 1600)

    def face(self, job: JobFolder, part: str, number: int) -> bytes:
        """A look at a part: one of the kept ones, or where the face was widest.

        Raises:
            InputError: There is none.
        """
        known = job.people().parts.get(part)
        if known is not None and number < len(known.shots):
            name = known.shots[number].file
            path = job.run / FOUND / name
            if Path(name).name == name and path.is_file():
                return path.read_bytes()

        if known is None or known.at is None or known.box is None:
            hint = "reload the page"
            raise InputError("part", required="a face that was seen", found=part, hint=hint)

        reader = self._readers.reader(job.source(job.read()))
        return as_jpeg(cut(reader.picture(known.at), known.box), FACE)


def _picture(job: JobFolder, record: JobRecord, side: str, number: int) -> Path:
    pictures = tree_pictures(job.input)
    if not 0 <= number < len(pictures):
        hint = "reload the page"
        required = f"a picture from 0 to {len(pictures) - 1}"
        raise InputError("picture", required=required, found=str(number), hint=hint)

    path = pictures[number]
    if side == "after":
        path = job.result(record) / path.relative_to(job.input)

    if not path.is_file():
        hint = "anonymise first, or read why it was not written"
        raise InputError(path.name, required="a picture", found="none yet", hint=hint)

    return path
