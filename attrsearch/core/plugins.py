"""Plug-ins: what other packages, or the caller, bring besides what is built in.

A package names them in its entry points, in the group ``attrsearch.<kind>``; a caller gives them by
value (:func:`register`).  Recipes, settings and commands then name them as they name what is built
in, which comes first: nothing that is built in can be replaced.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any

from pydantic import AfterValidator

from attrsearch.core.errors import UnavailableError, did_you_mean

KINDS: Mapping[str, tuple[str, ...]] = {
    "detector": ("name", "detect"),
    "recogniser": ("name", "sha256", "embed"),
    "term": (),
    "sampler": (),
    "prefilter": (),
    "fallback": (),
    "judge": ("name", "sha256", "embed"),
    "exporter": (),
    "editor": ("name", "sha256", "size", "passes", "encode", "edit", "masks"),
    "aggregation": (),
}
"""Every kind, and what an object of it must have; a kind without is a function."""

HERE = "this process"
"""Where a plug-in comes from that was given by value."""


@dataclass(frozen=True)
class PlugIn:
    """A plug-in that is to be had.

    Attributes:
        kind: One of ``KINDS``.
        name: What recipes and commands call it.
        package: Whose it is, with its version.
        place: Where it is, ``module:name``.
    """

    kind: str
    name: str
    package: str
    place: str
    load: Callable[[], Any]

    @property
    def subject(self) -> str:
        """What errors call it."""
        return f"{self.kind} {self.name} (of {self.package})"


def register(kind: str, name: str, value: Any) -> None:
    """Give a plug-in by value, for this process and the workers it starts.

    Args:
        kind: One of ``KINDS``.
        name: What recipes and commands are to call it.
        value: What an entry point of this kind would lead to; or a ready detector, recogniser,
            judge or editor.

    Raises:
        UnavailableError: No such kind.
    """
    _values[_known_kind(kind), name] = value


def registered() -> dict[tuple[str, str], Any]:
    """All plug-ins that were given by value, by kind and name."""
    return dict(_values)


def plug_ins(kind: str | None = None) -> list[PlugIn]:
    """The plug-ins that are to be had, of one kind or of all, by kind and name."""
    found = []
    for (own, name), value in _values.items():
        if kind in (None, own):
            place = getattr(value, "__qualname__", type(value).__qualname__)
            found.append(PlugIn(own, name, HERE, place, partial(_same, value)))

    for each in KINDS:
        if kind not in (None, each):
            continue

        # named, not loaded: a package that is broken must not break a list
        for point in entry_points(group=f"attrsearch.{each}"):
            found.append(PlugIn(each, point.name, _package(point), point.value, point.load))

    order = list(KINDS)
    return sorted(found, key=lambda one: (order.index(one.kind), one.name, one.package))


def find(kind: str, name: str) -> PlugIn | None:
    """A plug-in by name; one given by value stands before those of packages.

    Raises:
        UnavailableError: Several packages have one of this name.
    """
    found = [one for one in plug_ins(kind) if one.name == name]
    here = [one for one in found if one.package == HERE]
    if here:
        return here[0]

    # which one is meant would depend on the order of installation
    if len(found) > 1:
        packages = " and ".join(one.package for one in found)
        raise UnavailableError(
            f"{kind} {name}",
            required="one plug-in of this name",
            found=f"those of {packages}",
            hint="uninstall one of the packages",
        )

    return found[0] if found else None


def loaded(kind: str, name: str) -> Any:
    """What a plug-in's entry point leads to, or None where there is no such plug-in.

    Raises:
        UnavailableError: It cannot be loaded.
    """
    if (kind, name) in _values:
        return _values[kind, name]

    if (kind, name) not in _loaded:
        plug_in = find(kind, name)
        if plug_in is None:
            return None

        try:
            _loaded[kind, name] = plug_in.load()
        except Exception as error:
            raise UnavailableError(
                plug_in.subject,
                required=f"code at {plug_in.place} that can be loaded",
                found=f"{type(error).__name__}: {error}",
                hint=f"install a version of {plug_in.package} that fits",
            ) from error

    return _loaded[kind, name]


def made(kind: str, name: str, *arguments: object) -> Any:
    """The object that a plug-in makes of arguments, or None where there is no such plug-in.

    Raises:
        UnavailableError: It cannot be made, lacks a method, or calls itself otherwise.
    """
    value = loaded(kind, name)
    if value is None:
        return None

    needed = KINDS[kind]
    ready = not isinstance(value, type) and needed and all(hasattr(value, n) for n in needed)

    if ready:
        thing = value
    elif not callable(value):
        raise broken(kind, name, "something that can be called", f"a {type(value).__name__}")
    else:
        try:
            thing = value(*arguments)
        except UnavailableError:
            raise
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
            raise broken(kind, name, "what can be made", found) from error

    check_members(kind, name, thing)
    return thing


def check_members(kind: str, name: str, thing: object) -> None:
    """Refuse an object that lacks what its kind must have.

    Raises:
        UnavailableError: It lacks a method or an attribute, or has another name.
    """
    for member in KINDS[kind]:
        if not hasattr(thing, member):
            raise broken(kind, name, f"the method or attribute {member!r}", "none")

    own = getattr(thing, "name", name)
    if "name" in KINDS[kind] and own != name:
        raise broken(kind, name, f"name = {name!r}, as its entry point says", repr(own))


def broken(kind: str, name: str, required: str, found: str) -> UnavailableError:
    """The error about a plug-in that does not keep its promise."""
    plug_in = find(kind, name)
    subject = plug_in.subject if plug_in else f"{kind} {name}"
    hint = "tell its author (attrsearch plugins says whose it is)"

    return UnavailableError(subject, required=required, found=found, hint=hint)


def unknown(kind: str, name: str, built_in: Sequence[str]) -> UnavailableError:
    """The error about a name that is neither built in nor a plug-in's."""
    hint = did_you_mean(name, [*built_in, *(one.name for one in plug_ins(kind))])
    return UnavailableError(name, required=f"a known {kind}", found="another name", hint=hint)


def name_of(kind: str, built_in: Sequence[str]) -> Any:
    """The type of a recipe's field that names something built in or a plug-in."""

    def known(name: str) -> str:
        if name not in built_in and (kind, name) not in _values and find(kind, name) is None:
            names = [*built_in, *(one.name for one in plug_ins(kind))]
            raise ValueError(f"a known {kind}; {did_you_mean(name, names)}")

        return name

    return Annotated[str, AfterValidator(known)]


def restore(values: Mapping[tuple[str, str], Any]) -> None:
    """Take over the plug-ins that another process was given by value."""
    _values.update(values)


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS)
        raise UnavailableError(kind, required="a kind of plug-in", found="another", hint=hint)

    return kind


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package"


def _same(value: Any) -> Any:
    return value


_values: dict[tuple[str, str], Any] = {}
_loaded: dict[tuple[str, str], Any] = {}
