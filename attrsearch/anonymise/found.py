"""``anonymise --find-only``: who is in a video or in pictures, for somebody to decide about."""

import logging
from itertools import chain
from pathlib import Path

import numpy as np

from attrsearch.anonymise.videos import FaceModels, set_upright
from attrsearch.core.encryption import locked, private_path
from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.files import write_bytes, write_text
from attrsearch.core.images import to_jpeg
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.faces.dataset import MIN_FACE, load_face
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.people import PersonFiles, find_people
from attrsearch.runs.people_file import FILE, FOLDER, Part, PeopleFile, Shot, Somebody, text_of
from attrsearch.video.io.source import FrameSource
from attrsearch.video.pipeline import VideoOptions
from attrsearch.video.pipeline import find_people as find_in_footage
from attrsearch.video.tracking.best_shots import Sightings
from attrsearch.video.tracking.scan import Scan

log = logging.getLogger(__name__)

SHOTS = 6
"""Looks of a track that are kept to be looked at."""


def find_in_video(
    material: FrameSource,
    run: Path,
    eyes: FaceModels,
    options: VideoOptions,
    rate: float = 0.0,
    progress: Progress[Step] = silent,
) -> PeopleFile:
    """Find the people of footage, and write ``found/`` into the run's folder.

    Args:
        material: The footage; nothing of it is written.
        run: The run's folder.
        eyes: What finds and knows faces.
        options: How.
        rate: Frames a second.
        progress: Told of ``find``, by frames.
    """
    set_upright(material, eyes.detector, options)
    found, people = find_in_footage(
        material,
        detector=eyes.detector,
        close_up=eyes.close_up,
        scaled=eyes.scaled,
        options=options,
        progress=progress,
    )
    folder = run / FOLDER
    parts = {}
    for track in sorted(found.tracks):
        parts[str(track)] = _part(found, track, folder)

    who: dict[str, list[str]] = {}

    for track, name in sorted(people.names.items()):
        who.setdefault(name, []).append(str(track))

    file = PeopleFile(
        people=tuple(Somebody(id=name, parts=tuple(who[name])) for name in sorted(who)),
        parts=parts,
        rate=rate,
        frames=found.frames,
    )
    write_text(folder / FILE, text_of(file))
    return file


def _part(found: Scan, track: int, folder: Path) -> Part:
    """What is known of a track; its best looks are written."""
    faces = found.tracks[track]
    frames = sorted(faces)
    widths = [float(faces[frame].box[2] - faces[frame].box[0]) for frame in frames]
    widest = frames[int(np.argmax(widths))]
    left, top, right, bottom = (round(float(value), 1) for value in faces[widest].box)
    shots = []

    for look in found.looks.get(track, Sightings()).sorted()[:SHOTS]:
        name = f"track_{track}_{look.frame}.jpg"
        _write_picture(folder / name, to_jpeg(look.face.window))
        shots.append(Shot(file=name, frame=look.frame))

    return Part(
        first=frames[0],
        last=frames[-1],
        frames=len(frames),
        width=round(float(np.median(widths)), 1),
        shots=tuple(shots),
        at=widest,
        box=(left, top, right, bottom),
    )


def find_in_pictures(source: Path, run: Path, progress: Progress[Step] = silent) -> PeopleFile:
    """Find the people of a folder of pictures, and write ``found/`` into the run's folder.

    Args:
        source: The folder, or one picture.
        run: The run's folder.
        progress: Told of ``find``, by pictures.

    Raises:
        InputError: No pictures in it.
    """
    people = find_people(source)
    detector = load_detector("mtcnn", MIN_FACE)
    root = source.parent if source.is_file() else source
    total = sum(len(person.files) for person in people)
    parts: dict[str, Part] = {}

    for person in people:
        for path in person.files:
            name = path.relative_to(root).as_posix()
            parts[name] = _picture_part(path, run / FOLDER, len(parts), detector)
            progress(Step(stage="find", count=len(parts), total=total))

    who = []
    for person in people:
        names = tuple(path.relative_to(root).as_posix() for path in person.files)
        who.append(Somebody(id=person.id, parts=names))

    file = PeopleFile(people=tuple(who), parts=parts)
    write_text(run / FOLDER / FILE, text_of(file))
    return file


def _picture_part(path: Path, folder: Path, number: int, detector: Detector) -> Part:
    try:
        face = load_face(path, detector)
    except AttrsearchError as error:
        log.warning(str(error))
        return Part()

    name = f"picture_{number}.jpg"
    _write_picture(folder / name, to_jpeg(face.window))
    return Part(width=round(face.size / 2, 1), shots=(Shot(file=name),))


def _write_picture(path: Path, data: bytes) -> None:
    """Write an untouched face: private, as originals are."""
    write_bytes(private_path(path), locked(data))


def given_persons(given: PeopleFile, source: Path) -> list[PersonFiles] | None:
    """The people of a folder that are to be searched; None where the folder itself says who is who.

    Args:
        given: Who is who.
        source: The folder, or one picture.

    Raises:
        InputError: It names pictures that are not there, or nobody is to be anonymised.
    """
    root = source.parent if source.is_file() else source
    there = {person.id: person.files for person in find_people(source)}
    # as they are named in the file: with forward slashes on every system
    known = set()
    for path in chain.from_iterable(there.values()):
        known.add(path.relative_to(root).as_posix())

    strange = sorted(set(given.owners) - known)

    if strange:
        hint = "write it anew with --find-only"
        found = f"{strange[0]}, which is not there"
        raise InputError("--who", required="people of these pictures", found=found, hint=hint)

    wanted = []
    for person in given.people:
        if person.do == "anonymise" and person.parts:
            files = tuple(root / part for part in person.parts)
            wanted.append(PersonFiles(person.id, files))

    if not wanted:
        hint = "let one of them be anonymised; blur the others with attrsearch apply"
        raise InputError("--who", required="somebody to anonymise", found="nobody", hint=hint)

    # nothing was merged or split: the folder is searched as if nobody had said anything
    same = all(set(there.get(person.id, ())) == set(person.files) for person in wanted)
    return None if same else wanted
