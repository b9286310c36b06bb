"""What a command can refuse before anything heavy is loaded: places to write to, files, names."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrsearch.core.errors import InputError, OutputError

if TYPE_CHECKING:
    from attrsearch.core.recipes.objective import Objective
    from attrsearch.core.recipes.study import Study
    from attrsearch.evaluation.config import CompareConfig
    from attrsearch.search.config import RunConfig
    from attrsearch.video.config import VideoConfig

CHECKPOINT = "checkpoint.pt"
"""What a training that has begun holds (``training.checkpoint.FILE``, whose module loads torch)."""


def new_file(path: Path | None, suffixes: Sequence[str] = ()) -> None:
    """Refuse a file that could not be written once the work is done; nothing is written.

    Args:
        path: The file; None where nobody asked for one.
        suffixes: What its name may end in; anything where there are none.

    Raises:
        OutputError: It is a folder, its name has another end, or its place cannot be written to.
    """
    if path is None:
        return

    if path.is_dir():
        hint = f"name a file, such as {path / 'result'}{next(iter(suffixes), '')}"
        raise OutputError(path, required="a file to write", found="a folder", hint=hint)

    if suffixes and path.suffix.lower() not in suffixes:
        required = f"a name that ends in {' or '.join(suffixes)}"
        hint = f"name it {path.stem}{suffixes[0]}"
        raise OutputError(path, required=required, found=path.suffix or "none", hint=hint)

    _need_place(path, path.parent)


def new_folder(path: Path | None) -> None:
    """Refuse a folder that could not be written to; nothing is written.

    Raises:
        OutputError: A file has this name, or the place cannot be written to.
    """
    if path is None:
        return
    if path.exists() and not path.is_dir():
        raise OutputError(path, required="a folder", found="a file", hint="choose another name")

    _need_place(path, path)


def existing_file(path: Path | None, what: str) -> None:
    """Refuse a file that is to be read and is not there.

    Args:
        path: The file; None where nobody gave one.
        what: What it was to be, in words.

    Raises:
        InputError: It is not there, or a folder.
    """
    if path is not None and not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise InputError(path, required=what, found=found, hint="check the path")


def existing_folder(path: Path | None, what: str) -> None:
    """Refuse a folder that is to be read and is not there; as :func:`existing_file`."""
    if path is not None and not path.is_dir():
        found = "a file" if path.exists() else "no such folder"
        raise InputError(path, required=what, found=found, hint="check the path")


def _need_place(subject: Path, folder: Path) -> None:
    """Refuse a place in whose nearest folder that exists no file can be made."""
    # folders in between are made when the file is written
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent

    # tried, since permissions alone do not tell: a file system may be read-only, or full
    try:
        with tempfile.TemporaryFile(dir=place):
            return
    except OSError as error:
        found = error.strerror or str(error)
        hint = "choose another place"
        raise OutputError(
            subject, required="a place to write to", found=found, hint=hint
        ) from error


def search_request(faces: Path, out: Path, config: "RunConfig", *, resume: bool) -> None:
    """Refuse a search that could not begin.

    Args:
        faces: Where the people are.
        out: The run's folder.
        config: What was asked for.
        resume: Whether it may continue an earlier one.

    Raises:
        AttrsearchError: A recipe, name, file or place is not right.
    """
    from attrsearch.faces.recognition.calibration import load_calibration
    from attrsearch.faces.recognition.load import resolve

    recipe, objective = known_recipe(config)
    # not before: it loads pandas, which a misspelt name need not wait for
    from attrsearch.runs.folder import RunFolder

    if config.surrogate is not None and config.surrogate not in ("auto", "none"):
        existing_file(Path(config.surrogate), "a pooled model (attrsearch train surrogate)")

    existing_file(config.facenet, "FaceNet weights")
    recogniser = resolve(recipe.recogniser, config.facenet)
    if not objective.ensemble:
        load_calibration(recogniser, config.calibration)

    people_in(faces, config.people, mixed=config.cluster)
    RunFolder(out).refuse_contents(resume)
    new_folder(out)


def known_recipe(config: "RunConfig") -> "tuple[Study, Objective]":
    """The study that was asked for, and its objective; space and editor are known, too.

    Raises:
        AttrsearchError: One of them is not.
    """
    from attrsearch.core.recipes.objective import load_objective
    from attrsearch.core.recipes.space import load_space

    recipe = config.load_study()
    load_space(recipe.space)
    known_editor(recipe.editor)
    return recipe, load_objective(recipe.objective)


def people_in(faces: Path, people: Sequence[str] | None = None, *, mixed: bool = False) -> None:
    """Refuse a folder without people, or without one who is asked for by name.

    Raises:
        InputError: It is no such folder.
    """
    from attrsearch.faces.people import find_people

    if mixed:
        existing_folder(faces, "a folder of pictures")
        return

    known = {person.id for person in find_people(faces)}
    missing = sorted(set(people or ()) - known)

    if missing:
        found = f"{len(known)} people without {missing[0]}"
        raise InputError(
            faces, required=f"a person named {missing[0]}", found=found, hint="check the name"
        )


def known_editor(name: str | None) -> None:
    """Refuse an editor that is not there; None where nobody named one.

    Raises:
        WeightsError: Unknown name, no such file, or a bundled one that is not what it was.
        RecipeError: A recipe of two editors that is none.
    """
    from attrsearch.editing.installed import locate
    from attrsearch.editing.two_stage_recipe import SUFFIX, read_two_stage

    if name is None:
        return

    where = locate(name)
    if where.path.suffix == SUFFIX:
        read_two_stage(where)


def evaluation_request(
    originals: Path, protected: Sequence[Path], config: "CompareConfig", out: Path | None
) -> None:
    """Refuse an evaluation or an attack that could not begin.

    Args:
        originals: Pictures or a video.
        protected: What is compared with them.
        config: What was asked for.
        out: The file to write.

    Raises:
        AttrsearchError: A name, file or place is not right.
    """
    from attrsearch.evaluation.places import check_places
    from attrsearch.faces.recognition.load import resolve
    from attrsearch.runs.metadata import read_run

    check_places(originals, protected, config.further, config.ledger)
    for judge in config.judges:
        if judge.endswith(".onnx"):
            existing_file(Path(judge), "a face embedder in an ONNX file")
        else:
            resolve(judge)

    if config.run:
        read_run(config.run)

    new_file(out)


def export_request(attributes: Path, editor: str | None = None, space: str | None = None) -> None:
    """Refuse an export that cannot be read, or an editor or a space that is not there."""
    from attrsearch.core.recipes.space import load_space
    from attrsearch.runs.attributes_file import read_attributes

    file = read_attributes(attributes)
    known_editor(editor or file.editor.name)
    if space:
        load_space(space)


def training_request(faces: Sequence[Path], out: Path, resume: bool) -> None:
    """Refuse a training that could not begin.

    Args:
        faces: Folders of prepared faces.
        out: Folder of the training.
        resume: Whether it continues one.

    Raises:
        AttrsearchError: A folder is not there, or one that must be new is not.
    """
    for folder in faces:
        existing_folder(folder, "prepared faces")

    new_folder(out)
    begun = (out / CHECKPOINT).exists()
    if begun and not resume:
        hint = "add --resume to continue it, or choose another folder"
        raise OutputError(out, required="an empty or new folder", found="a training", hint=hint)

    if resume and not begun:
        hint = "leave --resume out, or choose the folder of an earlier training"
        raise InputError(out / CHECKPOINT, required="a checkpoint", found="no such file", hint=hint)


def footage_request(video: "VideoConfig") -> None:
    """Refuse options for footage whose files are not there, or cannot be written.

    Raises:
        AttrsearchError: One of them.
    """
    from attrsearch.faces.detection.classes import parse_class
    from attrsearch.faces.recognition.load import resolve

    resolve(video.recogniser)
    for text in video.also:
        parse_class(text)

    existing_file(video.replace, "a readable picture")
    for path in video.yolo or ():
        existing_file(path, "a Darknet network")

    if video.boxes is not None and not video.boxes.exists():
        found = "No such file or directory"
        raise InputError(
            video.boxes, required="a file of boxes", found=found, hint="check the path"
        )

    for place in (video.debug_video, video.preview, video.ledger):
        new_file(place)


def experiment_request(
    faces: Path | None,
    editor: str | None = None,
    space: str | None = None,
    recogniser: str | None = None,
) -> None:
    """Refuse an experiment whose faces, editor, space or recogniser are not there.

    Raises:
        AttrsearchError: One of them.
    """
    from attrsearch.core.recipes.space import load_space
    from attrsearch.faces.recognition.load import resolve

    existing_folder(faces, "a folder of people")
    known_editor(editor)
    if space:
        load_space(space)

    if recogniser:
        resolve(recogniser)
