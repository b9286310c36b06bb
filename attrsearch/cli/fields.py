"""Options of the command line in one value: a settings model, or a plain dataclass."""

import functools
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

Command = TypeVar("Command", bound=Callable[..., Any])
Options = dict[str, Callable[[Any], Any]]
Values = dict[str, Any]


def fill(
    parameter: str,
    model: str,
    options: Options,
    read: Callable[[Values], Values] = lambda given: given,
) -> Callable[[Command], Command]:
    """Give a command options, and one model in place of their values.

    Args:
        parameter: Name under which the command gets the model.
        model: A recipe as ``module:name``, imported when the command runs: ``--help`` is quick.
        options: click options by name of their value, in the order of ``--help``.
        read: Makes fields of the model from the values, where they are not fields already.
    """
    module, _, kind = model.partition(":")

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def called(**given: Any) -> Any:
            from attrsearch.core.recipes.base import validate

            values = {name: given.pop(name) for name in options}
            recipe = getattr(import_module(module), kind)
            settings = validate(recipe, Path("command line"), read(values))
            return command(**given, **{parameter: settings})

        decorated: Any = called
        for option in reversed(list(options.values())):
            decorated = option(decorated)

        return decorated  # type: ignore[no-any-return]

    return decorate


def gather(parameter: str, kind: type[Any]) -> Callable[[Command], Command]:
    """Give a command one value of a dataclass in place of the options of its fields.

    Args:
        parameter: Name under which the command gets it.
        kind: The dataclass; the command has an option of the name of every field.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def called(**given: Any) -> Any:
            values = {field.name: given.pop(field.name) for field in fields(kind)}
            return command(**given, **{parameter: kind(**values)})

        return called  # type: ignore[return-value]

    return decorate
