"""The faces on a run's pictures, and whose they are."""

import logging
from collections.abc import Mapping
from pathlib import Path

from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.names import readable
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.faces.dataset import MIN_FACE, detect_reduced, prominence
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.images import read_picture
from attrsearch.faces.people import find_people
from attrsearch.report.annotations.model import AnnotatedPicture, Annotation, Annotations, inside
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.runs.review import read_decisions

log = logging.getLogger(__name__)

Facts = Mapping[str, str | float]


def facts_of(run: Path) -> dict[str, Facts]:
    """What a run says of everybody who was not dropped: verdict, distance, gender."""
    failures = read_run(run).get("failures", [])
    found: dict[str, Facts] = {str(item["id"]): {"verdict": "failed"} for item in failures}
    dropped = read_decisions(run).dropped

    for part in RunFolder(run).read_people():
        if part.record.id in dropped:
            continue

        found[part.record.id] = {
            "verdict": str(part.verdict.value),
            "person_distance": round(part.record.distance, 4),
            "gender": part.record.gender,
        }

    return found


def annotate_pictures(
    run: Path, media: Path | None = None, progress: Progress[Step] = silent
) -> Annotations:
    """Find the faces on the pictures of a run's people once more, with the run's own detector.

    The face that the search took on a picture is the person's; any further one is nobody's.  A
    picture that cannot be read is named in a warning and left out.

    Args:
        run: A run of pictures.
        media: Where the pictures are, if they were moved.
        progress: Told of the stage ``export``, by people.

    Raises:
        InputError: No run, or no pictures of its people.
        UnavailableError: The run's detector is not here.
    """
    about = read_run(run)
    folder = media or (Path(about["faces"]) if about.get("faces") else None)
    if folder is None:
        found = "no place in run.toml"
        hint = "give their folder with --media"
        raise InputError(run, required="the pictures of the run", found=found, hint=hint)

    facts = facts_of(run)
    people = [person for person in find_people(folder) if person.id in facts]
    if not people:
        hint = "give the folder that was searched with --media"
        required = "pictures of the run's people"
        raise InputError(folder, required=required, found="none of them", hint=hint)

    detector = load_detector(about["models"]["detector"]["name"], MIN_FACE)
    root = folder.parent if folder.is_file() else folder
    pictures = []

    for number, person in enumerate(people, 1):
        for path in person.files:
            try:
                pictures.append(_annotate(path, root, person.id, facts[person.id], detector))
            except AttrsearchError as error:
                log.warning(str(error))

        progress(Step(stage="export", count=number, total=len(people)))

    return Annotations(root.resolve(), tuple(pictures))


def _annotate(
    path: Path, root: Path, person: str, facts: Facts, detector: Detector
) -> AnnotatedPicture:
    picture = read_picture(path)
    height, width = picture.shape[:2]
    found = detect_reduced(picture, detector)
    chosen = int(prominence(found, width, height).argmax()) if len(found) else -1
    items = []

    for index in range(len(found)):
        box = inside(tuple(found.boxes[index].tolist()), (width, height))
        if box is None:
            continue

        own = index == chosen
        probability = float(found.probabilities[index])
        items.append(
            Annotation(box, probability, person=person if own else "", facts=facts if own else None)
        )

    name = readable(path.relative_to(root).as_posix())
    return AnnotatedPicture(name, (width, height), tuple(items))
