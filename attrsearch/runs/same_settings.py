"""Whether a run that is continued was started with the same settings."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrsearch.core.errors import OutputError


def need_same(file: Path, earlier: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Refuse to continue a run with other settings; each that differs is named in a line.

    Raises:
        OutputError: Naming them.
    """
    before = dict(_flat(earlier))
    now = dict(_flat(settings))
    # a setting with its default may be left out of the file, so a missing one counts as None
    names = sorted(before.keys() | now.keys())
    different = [key for key in names if before.get(key) != now.get(key)]
    if not different:
        return

    lines = []
    for key in different:
        lines.append(f"{key}: {_shown(before, key)} before, {_shown(now, key)} now")

    first = different[0]
    raise OutputError(
        file,
        required=f"the settings this run was started with ({first} = {_shown(before, first)})",
        found=f"{first} = {_shown(now, first)}" + (" and more" if len(lines) > 1 else ""),
        hint="type the same options as before, or choose another folder",
        details=tuple(lines) if len(lines) > 1 else (),
    )


def _flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Settings with the names of their tables before theirs: ``study.trials``."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _shown(settings: Mapping[str, Any], key: str) -> str:
    return repr(settings.get(key))
