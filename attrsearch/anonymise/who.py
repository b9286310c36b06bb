"""What somebody said of the people of footage, and the faces of theirs that are kept."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from attrsearch.core.encryption import encrypting
from attrsearch.core.files import file_name, write_bytes
from attrsearch.core.images import to_png
from attrsearch.faces.dataset import Person, PersonFaces
from attrsearch.runs.searched import forget_changed
from attrsearch.search.config import RunConfig
from attrsearch.video.pipeline import VideoOptions

FOLDER = "faces"


def keep_faces(run: Path, persons: Sequence[Person]) -> None:
    """Write ``RUN/faces/PERSON/``, a picture a face, as ``dashboard --faces`` takes it.

    Where private files are encrypted nothing is written: such pictures could not be searched again.

    Args:
        run: The run's folder.
        persons: People with their faces.
    """
    if encrypting():
        return

    for person in persons:
        if not isinstance(person, PersonFaces):
            continue

        folder = run / FOLDER / file_name(person.id)
        # an earlier decision may have given this person more faces
        shutil.rmtree(folder, ignore_errors=True)

        for number, face in enumerate(person.faces):
            write_bytes(folder / f"{number:03d}.png", to_png(face.window))


def as_said(
    run: Path, config: RunConfig, options: VideoOptions
) -> tuple[RunConfig, VideoOptions, frozenset[str]]:
    """Settings with what was said of people in them, and the people who are not searched.

    Results of people who are somebody else now are forgotten.

    Args:
        run: The run's folder.
        config: How is searched.
        options: How footage is protected; its ``people`` is what was said.
    """
    given = options.people
    if given is None:
        return config, options, frozenset()

    forget_changed(run, given)
    left = given.named("leave")
    return (
        config.model_copy(update={"genders": given.genders or None}),
        replace(options, visible=options.visible | left),
        left | given.named("filter"),
    )
