"""``run.toml``: what a run is, what it came to, and what it ran on."""

import json
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from attrsearch.core.errors import InputError
from attrsearch.core.files import write_text
from attrsearch.core.picking import without_none
from attrsearch.core.toml import parse_toml
from attrsearch.runs.attributes_file import (
    AttributesFile,
    DetectorRecord,
    EditorRecord,
    PersonRecord,
    RecogniserRecord,
)

FILE = "run.toml"
MAX_BYTES = 200_000_000
"""Failures are listed in it: a line each."""
MODEL = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Provenance:
    """What a run says of itself: the head of ``attributes.json`` and the settings in ``run.toml``.

    Attributes:
        settings: Everything that decides the result; a resumed run must have the same.
        faces: Where the pictures are, for whoever measures again; empty where people were given
            otherwise.
        shard: Which part of the people this run has (``number``, ``of``, ``people``, ``digest``);
            empty for all.
    """

    editor: EditorRecord
    recogniser: RecogniserRecord
    detector: DetectorRecord
    objective: str
    study: str
    seed: int
    settings: Mapping[str, Any]
    faces: str = ""
    shard: Mapping[str, Any] | None = None

    def file(self, people: tuple[PersonRecord, ...] = ()) -> AttributesFile:
        """The export of a run."""
        return AttributesFile(
            editor=self.editor,
            recogniser=self.recogniser,
            detector=self.detector,
            objective=self.objective,
            study=self.study,
            seed=self.seed,
            identities=people,
        )

    def head(self) -> dict[str, Any]:
        """The beginning of ``run.toml``."""
        models = self.file().model_dump(
            include={"editor", "recogniser", "detector", "objective", "study", "seed"}
        )
        shard = {"shard": dict(self.shard)} if self.shard else {}
        head = {"format": "attrsearch/run", "version": 1, "faces": self.faces, "models": models}

        return {**head, **shard, "settings": plain(self.settings)}


def write_run(path: Path, table: Mapping[str, Any]) -> None:
    """Write ``run.toml``.

    Raises:
        OutputError: It cannot be written.
    """
    write_text(path / FILE, tomli_w.dumps(table))


def read_run(path: Path) -> dict[str, Any]:
    """``run.toml`` of a run.

    Raises:
        InputError: The folder holds no run.
    """
    file = path / FILE
    hint = "give the folder that attrsearch run wrote with --out"

    try:
        if file.stat().st_size > MAX_BYTES:
            found = f"{file.stat().st_size} bytes"
            raise InputError(file, required=f"at most {MAX_BYTES} bytes", found=found, hint=hint)

        return parse_toml(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found = "none" if isinstance(error, FileNotFoundError) else str(error)
        raise InputError(path, required="a run (run.toml)", found=found, hint=hint) from error


def read_provenance(path: Path) -> Provenance:
    """What a run said of itself when it began.

    Raises:
        InputError: No run, or one of a version that did not write it.
    """
    run = read_run(path)

    try:
        models = run["models"]
        return Provenance(
            editor=EditorRecord.model_validate(models["editor"]),
            recogniser=RecogniserRecord.model_validate(models["recogniser"]),
            detector=DetectorRecord.model_validate(models["detector"]),
            objective=str(models["objective"]),
            study=str(models["study"]),
            seed=int(models["seed"]),
            settings=dict(run["settings"]),
            faces=str(run.get("faces", "")),
            shard=run.get("shard"),
        )
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        hint = "continue it with attrsearch run … --resume, which writes it"
        found = f"none ({type(error).__name__})"
        raise InputError(
            path, required="the models of the run in run.toml", found=found, hint=hint
        ) from error


def machine() -> dict[str, Any]:
    """What the run ran on."""
    memory = (
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    )
    found = {
        "cores": os.cpu_count() or 1,
        "system": platform.system(),
        "processor": platform.machine(),
    }
    about = {**found, "memory_gb": round(memory / 2**30, 1), "kernel": platform.release()}
    model = MODEL.search(_text(Path("/proc/cpuinfo")))

    return {**about, "model": model.group(1).strip()} if model else about


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def versions() -> dict[str, str]:
    """Versions of Python, attrsearch and every package it depends on."""
    found = {"python": platform.python_version()}
    try:
        needed = [line for line in requires("attrsearch") or () if "extra ==" not in line]
    except PackageNotFoundError:
        needed = []

    for package in ("attrsearch", *sorted(re.split(r"[^\w.-]", line)[0] for line in needed)):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"

    return found


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as TOML can hold them: no nulls, tuples as lists."""
    return json.loads(  # type: ignore[no-any-return]
        json.dumps(without_none(settings), default=str),
        object_hook=without_none,
    )
