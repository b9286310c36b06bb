"""``--device`` and ``--engine``: where and by what networks compute, the same for every command."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from attrsearch.core.compute import DEVICES, ENGINES, Engine, compute_with, computing

Command = TypeVar("Command", bound=Callable[..., Any])


def _device(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse a device that is not there before anything is loaded; take the others."""
    del context

    try:
        compute_with(device=value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is none; {error}", param=parameter) from error

    return value


def _engine(
    context: click.Context, parameter: click.Parameter, value: Engine | None
) -> Engine | None:
    """Refuse an engine that is not installed; take the other."""
    del context, parameter
    compute_with(engine=value)
    return value


DEVICE: dict[str, Any] = {
    "metavar": "NAME",
    "envvar": "ATTRSEARCH_DEVICE",
    "callback": _device,
    "help": f"Where networks compute: {DEVICES}  [default: auto, a GPU where there is one]",
}
ENGINE: dict[str, Any] = {
    "type": click.Choice(ENGINES),
    "envvar": "ATTRSEARCH_ENGINE",
    "callback": _engine,
    "help": "What runs networks; onnxruntime needs the extra 'onnx'  [default: torch]",
}
CHOICES: dict[str, Callable[[Any], Any]] = {
    "device": click.option("--device", **DEVICE),
    "engine": click.option("--engine", **ENGINE),
}
"""For commands with settings of these names."""


def hand_on() -> None:
    """Let commands that this process starts compute as it was told to."""
    chosen = computing()
    os.environ[str(DEVICE["envvar"])] = chosen.device
    os.environ[str(ENGINE["envvar"])] = chosen.engine


def device_option(command: Command) -> Command:
    """Give a command that trains ``--device``; it gets no parameter, networks it loads go there."""
    return click.option("--device", expose_value=False, **DEVICE)(command)


def compute_options(command: Command) -> Command:
    """Give a command ``--device`` and ``--engine``, as :func:`device_option` does."""
    return device_option(click.option("--engine", expose_value=False, **ENGINE)(command))
