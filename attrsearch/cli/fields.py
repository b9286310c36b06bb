"""Options of the command line that fill the fields of a settings model."""

import functools
from collections.abc import Callable
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
