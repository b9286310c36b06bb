"""Pictures of a job: frames before and after, faces, and what there is to look at."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from attrsearch.core.encryption import find_private, read_private
from attrsearch.core.errors import InputError
from attrsearch.core.names import readable
from attrsearch.faces.images import read_picture, tree_pictures
from attrsearch.report.studio.frames import FrameReaders, as_jpeg, cut
from attrsearch.report.studio.job import JobFolder, JobRecord
from attrsearch.report.studio.strip import FilmStrips, strip_layout
from attrsearch.runs.people_file import FOLDER as FOUND

FACE = 256
"""Pixels a face is shown in at most."""
MOST_FACES = 3000
"""Faces cut from frames that are kept in memory; some 10 kB each."""
Box = tuple[float, float, float, float]
CutFace = tuple[str, int, Box]


class JobViews:
    """Makes pictures when they are asked for; nothing of them is written."""

    def __init__(self) -> None:
        self._readers = FrameReaders()
        self._strips = FilmStrips(self._readers)
        self._faces: OrderedDict[CutFace, bytes] = OrderedDict()
        self._cutting = threading.Lock()

    def about(self, job: JobFolder) -> dict[str, Any]:
        """What the player shows: how many frames or pictures, how fast, their names."""
        record = job.read()
        if record.kind == "video":
            reader = self._readers.reader(job.source(record))
            width, height = reader.size
            strips = {"before": strip_layout(reader)}
            if job.result(record).is_file():
                strips["after"] = strip_layout(self._readers.reader(job.result(record)))

            about = {"count": reader.count, "rate": reader.rate, "width": width, "height": height}
            return {**about, "strips": strips}

        names = []
        for path in tree_pictures(job.input):
            names.append(readable(path.relative_to(job.input).as_posix()))

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
        _check_side(side)
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
            path = find_private(job.run / FOUND / name)
            # the name comes from a file that could have been changed: it must not lead elsewhere
            if Path(name).name == name and path is not None:
                return read_private(path)

        if known is None or known.at is None or known.box is None:
            hint = "reload the page"
            raise InputError("part", required="a face that was seen", found=part, hint=hint)

        wanted = (job.id, known.at, known.box)
        with self._cutting:
            if wanted not in self._faces:
                self._cut(job, wanted)

            self._faces.move_to_end(wanted)
            return self._faces[wanted]

    def result_face(self, job: JobFolder, frame: int, box: Box) -> bytes:
        """A face as the result shows it.

        Args:
            job: The job.
            frame: The frame's number.
            box: Left, top, right and bottom, in pixels.

        Raises:
            InputError: The job has no video, or no result yet, or the box lies outside of it.
        """
        record = job.read()
        path = job.result(record)
        if record.kind != "video" or not path.is_file():
            required = "the result of a video"
            hint = "anonymise first"
            raise InputError(record.name, required=required, found="none", hint=hint)

        face = cut(self._readers.reader(path).picture(frame), box)
        if not face.size:
            required = "a box inside the frame"
            hint = "reload the page"
            raise InputError("box", required=required, found=str(box), hint=hint)

        return as_jpeg(face, FACE)

    def strip(self, job: JobFolder, side: str) -> bytes:
        """Small pictures from all over a video, as one JPEG; see ``strip_layout``.

        Raises:
            InputError: The job has no video, or no result yet.
        """
        record = job.read()
        _check_side(side)
        if record.kind != "video":
            hint = "reload the page"
            raise InputError(record.name, required="a video", found="pictures", hint=hint)

        return self._strips.strip(job.source(record) if side == "before" else job.result(record))

    def _cut(self, job: JobFolder, wanted: CutFace) -> None:
        """Cut a face, and those whose frames are decoded on the way to it anyway."""
        reader = self._readers.reader(job.source(job.read()))
        start = reader.start_of(wanted[1])
        passed = {wanted}

        for part in job.people().parts.values():
            if part.at is not None and part.box is not None and not part.shots:
                face = (job.id, part.at, part.box)
                if start <= part.at <= wanted[1] and face not in self._faces:
                    passed.add(face)

        # in the order of frames, so that each is decoded once
        for face in sorted(passed):
            self._faces[face] = as_jpeg(cut(reader.picture(face[1]), face[2]), FACE)

        while len(self._faces) > max(MOST_FACES, len(passed)):
            self._faces.popitem(last=False)


def _check_side(side: str) -> None:
    if side not in ("before", "after"):
        hint = "reload the page"
        raise InputError("side", required="before or after", found=side, hint=hint)


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
