"""Export the studies of a run into an Optuna database that ``optuna-dashboard`` shows.

Pictures and constraints are exported, too.
"""

import hashlib
import shutil
import sqlite3
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import optuna
from optuna.artifacts import FileSystemArtifactStore, upload_artifact
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.storages import BaseStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, create_trial
from sqlalchemy.pool import StaticPool

from attrsearch.core.encryption import SUFFIX, read_private
from attrsearch.core.errors import InputError, OutputError
from attrsearch.core.files import written
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.core.recipes.space import Space
from attrsearch.report.about import limits
from attrsearch.report.cohort import CANDIDATES, read_trials
from attrsearch.report.dashboard.optuna_values import TERMS, constraints, goal_values
from attrsearch.report.pictures import picture_file, shown_kinds
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.runs.person_part import PersonPart
from attrsearch.runs.review import GRADES, read_decisions
from attrsearch.runs.verdict import Verdict
from attrsearch.search.space import person_space

optuna.logging.set_verbosity(optuna.logging.WARNING)

JOURNALS = (".log", ".journal")
"""Files of these kinds become a journal: about ten times faster to write than SQLite, for many
people."""
MARK = "attrsearch_run"
"""User attribute of a study that says which run it was exported from."""


@dataclass(frozen=True)
class Exported:
    """What an export holds."""

    studies: int
    trials: int
    pictures: int
    artifacts: Path
    journal: bool


def export_studies(
    run: Path,
    database: Path,
    originals: bool = False,
    progress: Progress[Step] = silent,
) -> Exported:
    """Write a study a person into a new database, and pictures as artifacts beside it.

    The value is the utility; with several goals there is a value for each.  What was screened out
    without a measurement is left out, and counted in the study.

    Args:
        run: The run's folder.
        database: The file, SQLite or (``.log``) a journal; an earlier export of this run is
            replaced, anything else that is there is refused.
        originals: Also untouched pictures, where the run kept them.
        progress: Told of the stage ``export``, by people.

    Raises:
        InputError: The folder holds no run, or nobody is finished.
        OutputError: The database or the artifacts cannot be written.
    """
    settings = read_run(run)["settings"]
    dropped = read_decisions(run).dropped
    parts = [part for part in RunFolder(run).read_people() if part.record.id not in dropped]

    if not parts:
        hint = "wait until someone is finished"
        raise InputError(run, required="at least one finished person", found="none", hint=hint)

    mark = _mark(run)
    _refuse_foreign(database, mark)
    artifacts = _empty_folder(database.with_name(f"{database.stem}_artifacts"))
    store = FileSystemArtifactStore(artifacts)
    trials = pictures = 0

    with written(database) as file:
        storage = _journal(file) if database.suffix in JOURNALS else _sqlite(file)
        for number, part in enumerate(parts, 1):
            added, shown = _export_person(run, part, settings, storage, store, originals)
            study = optuna.load_study(study_name=part.record.id, storage=storage)
            study.set_user_attr(MARK, mark)
            trials += added
            pictures += shown
            progress(Step(stage="export", count=number, total=len(parts)))

        storage.remove_session()

    return Exported(len(parts), trials, pictures, artifacts, database.suffix in JOURNALS)


def _mark(run: Path) -> str:
    """What tells this run's studies from anybody else's: a hash of where it lies."""
    return hashlib.sha256(str(run.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _refuse_foreign(database: Path, mark: str) -> None:
    """Refuse to replace what this run did not export.

    Raises:
        OutputError: There is another file, or a database with anybody else's studies.
    """
    if not database.exists() and not database.is_symlink():
        return

    hint = "choose another --out: nothing is overwritten"
    required = "a new file, or an earlier export of this run"

    try:
        storage = _journal(database) if database.suffix in JOURNALS else _readable(database)
        studies = storage.get_all_studies()
        marks = [study.user_attrs.get(MARK) for study in studies]
        storage.remove_session()
    # whatever cannot be opened was not written here
    except Exception as error:
        found = f"something else ({type(error).__name__})"
        raise OutputError(database, required=required, found=found, hint=hint) from error

    # one study of somebody else is enough: the file would be replaced as a whole
    foreign = [study.study_name for study, own in zip(studies, marks, strict=True) if own != mark]
    if foreign or not studies:
        found = (
            f"{len(foreign)} studies of somebody else ({foreign[0]})" if foreign else "no studies"
        )
        raise OutputError(database, required=required, found=found, hint=hint)


def _readable(file: Path) -> BaseStorage:
    """An SQLite database that is only looked at.

    What is no such file fails before anything is created in it.
    """
    with sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True) as connection:
        connection.execute("SELECT study_id FROM studies LIMIT 1").fetchall()

    connection.close()
    return optuna.storages.RDBStorage(f"sqlite:///{file}", engine_kwargs={"poolclass": StaticPool})


def _sqlite(file: Path) -> BaseStorage:
    storage = optuna.storages.RDBStorage(
        f"sqlite:///{file}", engine_kwargs={"poolclass": StaticPool}
    )
    # a write need not survive a crash: the file gets its name only once it is whole
    with storage.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA synchronous = OFF")
        connection.exec_driver_sql("PRAGMA journal_mode = MEMORY")

    return storage


def _journal(file: Path) -> BaseStorage:
    return optuna.storages.JournalStorage(JournalFileBackend(str(file)))


def _export_person(
    run: Path,
    part: PersonPart,
    settings: Mapping[str, Any],
    storage: BaseStorage,
    store: FileSystemArtifactStore,
    originals: bool,
) -> tuple[int, int]:
    name = part.record.id
    space = Space.model_validate(settings["space"])
    limit = limits(settings)
    columns = read_trials(run, name, candidates=True)
    measured = np.flatnonzero(np.asarray(columns["evaluated"], bool))
    own = {key: values[measured] for key, values in columns.items()}
    free = person_space(space, part.record.gender, part.gender_certainty)
    distributions: dict[str, BaseDistribution] = {}
    for key, low, high in zip(free.names, free.low.tolist(), free.high.tolist(), strict=True):
        # Who has no feasible set in the bounds is searched in wider ones. As Python's floats: a
        # single-precision -1.1 lies below the bound -1.1, which NumPy's comparison does not see.
        values = np.asarray(own[key], np.float64).tolist()
        distributions[key] = FloatDistribution(min([low, *values]), max([high, *values]))

    names, violations = constraints(own, limit)
    goals = goal_values(own, settings["objective"])
    study = optuna.create_study(
        study_name=name, storage=storage, directions=["maximize"] * len(goals)
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(list(goals))

    decision = read_decisions(run).of(name)
    about = {
        "gender": part.record.gender,
        "anonymised": part.verdict is Verdict.HOLDS,
        "verdict": str(part.verdict),
        "winner": part.winner,
        "constraints": names,
        "screened_out": len(columns["evaluated"]) - len(measured),
        "heldback": part.heldback.model_dump() if part.heldback else None,
        "grade": None if decision.grade is None else GRADES[decision.grade],
    }
    for key, value in about.items():
        study.set_user_attr(key, value)

    attached, pictures = _attach(run, part, study, store, originals)
    values = np.stack(list(goals.values()), 1)
    own["values"] = values
    trials = []
    for i, number in enumerate(measured.tolist()):
        hung = attached.get(number, {})
        trials.append(_trial(own, i, number, distributions, violations[i], hung))

    study.add_trials(trials)
    return len(measured), pictures


def _trial(
    columns: Mapping[str, npt.NDArray[Any]],
    row: int,
    number: int,
    distributions: dict[str, BaseDistribution],
    violations: npt.NDArray[np.float64],
    attached: Mapping[str, Any],
) -> FrozenTrial:
    values = {key: float(columns[key][row]) for key in (*CANDIDATES, *TERMS)}
    source = {"source": str(columns["source"][row])} if columns["source"][row] != "sampler" else {}
    trial = create_trial(
        params={key: values[key] for key in distributions},
        distributions=distributions,
        values=columns["values"][row].tolist(),
        user_attrs={"trial": number, **source, **{key: round(values[key], 6) for key in TERMS}},
        # a list under this key is what optuna-dashboard shows, and what Optuna reads as constraints
        system_attrs={"constraints": [float(value) for value in violations], **attached},
    )

    if "began" in columns:
        trial.datetime_start = _local(columns["began"][row])
        trial.datetime_complete = _local(columns["ended"][row])

    return trial


def _local(moment: np.datetime64) -> datetime:
    """A moment, UTC, as Optuna keeps moments: local time without a zone."""
    # Optuna's own clock: its dashboard would be off by the zone otherwise
    seconds = moment.astype("datetime64[us]").astype(np.int64) / 1e6
    return datetime.fromtimestamp(float(seconds))


def _attach(
    run: Path,
    part: PersonPart,
    study: optuna.Study,
    store: FileSystemArtifactStore,
    originals: bool,
) -> tuple[dict[int, dict[str, Any]], int]:
    """Store every picture: untouched ones on the study, the others for the trial they show.

    Returns:
        Trial number to the attributes that hang its pictures on it, and how many pictures were
        stored.
    """
    numbers: dict[str, list[int | None]] = {
        "best": [part.winner] * len(part.images.get("best", ())),
        "runner": list(part.runners),
        "random": [part.random],
        "original": [None] * len(part.images.get("original", ())),
    }
    # Optuna hangs artifacts on open trials only; ours are added when they are over
    scratch = optuna.create_study()
    attached: dict[int, dict[str, Any]] = {}
    count = 0

    for kind in shown_kinds(originals):
        for name, number in zip(part.images.get(kind, ()), numbers[kind], strict=False):
            file = picture_file(run, name)
            if file is None:
                continue

            target = study if number is None else scratch.ask()
            _upload(file, store, target)
            if number is not None and isinstance(target, optuna.Trial):
                attached.setdefault(number, {}).update(
                    scratch.get_trials(deepcopy=False)[target.number].system_attrs
                )

            count += 1

    return attached, count


def _upload(
    file: Path, store: FileSystemArtifactStore, target: optuna.Study | optuna.Trial
) -> None:
    """Store a picture; an encrypted one is stored as it is to be seen."""
    if file.suffix != SUFFIX:
        upload_artifact(artifact_store=store, file_path=str(file), study_or_trial=target)
        return

    with TemporaryDirectory() as folder:
        plain = Path(folder) / file.stem
        plain.write_bytes(read_private(file))
        upload_artifact(artifact_store=store, file_path=str(plain), study_or_trial=target)


def _empty_folder(path: Path) -> Path:
    """A folder for artifacts; an earlier export's is emptied, anybody else's is refused."""
    hint = "choose another --out"

    if path.exists() and (path.is_symlink() or not all(map(_is_artifact, path.iterdir()))):
        raise OutputError(
            path,
            required="a new folder, or one of an earlier export",
            found="other files",
            hint=hint,
        )

    try:
        if path.exists():
            shutil.rmtree(path)

        path.mkdir(parents=True)
    except OSError as error:
        found = error.strerror or str(error)
        raise OutputError(
            path, required="a folder to write to", found=found, hint="choose another --out"
        ) from error

    return path


def _is_artifact(path: Path) -> bool:
    try:
        UUID(path.name)
    except ValueError:
        return False

    return path.is_file()
