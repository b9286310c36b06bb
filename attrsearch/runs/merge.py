"""``attrsearch merge``: the parts of a run that shards or machines searched, as one run."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from attrsearch.core.errors import InputError, OutputError
from attrsearch.core.files import written
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.runs.check import check_run
from attrsearch.runs.folder import Counts, RunFolder
from attrsearch.runs.journal import Journal
from attrsearch.runs.metadata import Provenance, read_provenance, read_run
from attrsearch.runs.person_part import files_beside, read_part


@dataclass(frozen=True)
class Merged:
    """What a merge came to: counts of everybody, and who failed."""

    counts: Counts
    failed: Mapping[str, str]


def merge_runs(runs: Sequence[Path], out: Path, progress: Progress[Step] = silent) -> Merged:
    """Copy the people of finished runs into one, checked against their checksums.

    A merge that was stopped goes on when it is asked for again.

    Args:
        runs: Runs with the same settings and different people; all parts where they are shards.
        out: The merged run, new or empty, or a merge of the same runs that was stopped.
        progress: Told of the stage ``merge``, by people.

    Raises:
        InputError: A run is not finished or damaged, settings differ, a person is in two, or a
            shard is missing.
        OutputError: The folder holds another run, or cannot be written.
    """
    origins = [read_provenance(run) for run in runs]
    _need_alike(runs, origins)
    _need_all_shards(runs, origins)
    failed: dict[str, str] = {}
    for run in runs:
        for failure in _finished(run).get("failures", []):
            failed[str(failure["id"])] = str(failure["reason"])

    _need_different_people(runs)
    folder = RunFolder(out)

    if out.resolve() in [run.resolve() for run in runs]:
        hint = "name another folder"
        raise OutputError(out, required="a folder of its own", found="one of the runs", hint=hint)

    origin = replace(origins[0], shard=None, faces=_common([item.faces for item in origins]))
    folder.start(origin, resume=(out / "run.toml").exists())
    journal = Journal(out)

    paths = {run: sorted((run / "people").glob("*.json")) for run in runs}
    total = sum(map(len, paths.values()))
    copied = 0

    for run in runs:
        for path in paths[run]:
            part = read_part(path)
            # a merge that was stopped has copied some people already
            if not folder.is_finished(part.record.id):
                # the part is copied last: it means that the person is finished
                for name in files_beside(path, part):
                    _copy(run / name, out / name)

                _copy(path, folder.people / path.name)
                journal.add(
                    "finished", id=part.record.id, evaluations=part.record.evaluations, reason=""
                )

            copied += 1
            progress(Step(stage="merge", count=copied, total=total))

    for name, reason in failed.items():
        journal.add("failed", id=name, reason=reason)

    seconds = sum(float(read_run(run)["result"]["seconds"]) for run in runs)
    counts = folder.finish(origin, failed, seconds, {"merged": {"runs": len(runs)}})
    return Merged(counts, failed)


def _finished(run: Path) -> dict[str, Any]:
    """``run.toml`` of a run that is finished and whole.

    Raises:
        InputError: It is not.
    """
    about = read_run(run)
    if "result" not in about:
        hint = "finish it first: attrsearch run … --resume"
        raise InputError(run, required="a finished run", found="one that was stopped", hint=hint)

    found = check_run(run)
    if found.findings:
        hint = f"attrsearch check {run} --repair, then attrsearch run … --resume"
        raise InputError(run, required="a whole run", found=str(found.findings[0]), hint=hint)

    return about


def _need_alike(runs: Sequence[Path], origins: Sequence[Provenance]) -> None:
    first = dict(origins[0].settings)
    for run, origin in zip(runs[1:], origins[1:], strict=True):
        other = dict(origin.settings)
        for key in sorted(first.keys() | other.keys()):
            if first.get(key) == other.get(key):
                continue

            # a setting may be a whole recipe: cut, so that the message stays a line
            required = f"the settings of {runs[0]} ({key} = {first.get(key)!r})"
            raise InputError(
                run,
                required=required[:300],
                found=f"{key} = {other.get(key)!r}"[:300],
                hint="merge runs that were started with the same options",
            )


def _need_all_shards(runs: Sequence[Path], origins: Sequence[Provenance]) -> None:
    shards = [origin.shard for origin in origins if origin.shard]
    if not shards:
        return

    # the digest is of the names of all people: another folder has other parts of the same number
    digests = {(shard["of"], shard["digest"]) for shard in shards}
    if len(digests) > 1 or len(shards) < len(origins):
        hint = "run the parts again on the same folder, with the same number of parts"
        raise InputError(
            runs[0], required="parts of the same people", found="parts of different ones", hint=hint
        )

    have = sorted(int(shard["number"]) for shard in shards)
    wanted = list(range(1, int(shards[0]["of"]) + 1))

    if have != wanted:
        missing = sorted(set(wanted) - set(have)) or [n for n in wanted if have.count(n) > 1]
        found = f"{len(have)}, without or twice {missing[0]}/{len(wanted)}"
        hint = f"attrsearch run … --shard {missing[0]}/{len(wanted)}"
        raise InputError(
            "shards", required=f"each of {len(wanted)} parts once", found=found, hint=hint
        )


def _need_different_people(runs: Sequence[Path]) -> None:
    seen: dict[str, Path] = {}
    for run in runs:
        for path in (run / "people").glob("*.json"):
            if path.name in seen:
                name = read_part(path).record.id
                hint = "leave one of the two out"
                found = f"{name}, who is in {seen[path.name]} too"
                raise InputError(run, required="people of its own", found=found, hint=hint)

            seen[path.name] = run


def _copy(source: Path, target: Path) -> None:
    with written(target) as part:
        shutil.copyfile(source, part)


def _common(places: Sequence[str]) -> str:
    return places[0] if len(set(places)) == 1 else ""
