"""The ``attrsearch`` commands that documents show, found and parsed as click would parse them."""

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

FENCE = re.compile(r"^\s*(```|~~~)")
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
LOOP = re.compile(r"\bfor (\w+) in ([^;\n]+); do\b")
ENDS = {"&&", "||", "|", ";", ">", ">>", "<", "&"}
"""Words of a shell that end a command."""
ASKS = {"help", "_click_default_help", "version"}
"""Flags of commands that only say something, and need no arguments then."""


@dataclass(frozen=True)
class Command:
    """A command of a document.

    Attributes:
        line: Where it stands, from 1.
        words: What follows ``attrsearch``.
        whole: Whether it can be typed as it stands; in a sentence, arguments may be left out.
    """

    line: int
    words: tuple[str, ...]
    whole: bool


def commands_in(text: str) -> Iterator[Command]:
    """Every ``attrsearch`` command of a Markdown text: of its code blocks and its code spans."""
    lines = text.splitlines()
    inside = _inside_blocks(lines)
    code = [line if fenced else "" for line, fenced in zip(lines, inside, strict=True)]
    prose = "\n".join("" if fenced else line for line, fenced in zip(lines, inside, strict=True))
    for number, line in _whole_lines(code):
        for variant in _loops_unrolled(line, "\n".join(code)):
            yield from (Command(number, words, True) for words in _of_shell(variant, "&|;<>"))
    for span in SPAN.finditer(prose):
        number = prose.count("\n", 0, span.start()) + 1
        yield from (Command(number, words, False) for words in _of_shell(span.group(1), "&;<>"))


def problem(cli: click.Group, command: Command) -> str:
    """What is wrong with a command; empty where nothing is.  Nothing is run."""
    words = list(command.words)
    node: click.Command = cli
    path = ["attrsearch"]
    while isinstance(node, click.Group) and words and not words[0].startswith("-"):
        # one|other|third in a sentence means each of them
        names = words[0].split("|") if not command.whole else [words[0]]
        found = [node.get_command(click.Context(node), name) for name in names]
        if None in found:
            return f"{' '.join(path)} has no command {words[0]!r}"
        path.append(words.pop(0))
        if len(found) > 1:
            return ""
        node = found[0] or node
    context = click.Context(node, info_name=path[-1])
    try:
        values, left, _ = node.make_parser(context).parse_args(words)
        if command.whole and not ASKS.intersection(name for name in values if values[name] is True):
            _check_values(node, context, values, left)
    except click.BadOptionUsage as error:  # known, without its value
        return f"{' '.join(path)}: {error.format_message()}" if command.whole else ""
    except click.UsageError as error:
        return f"{' '.join(path)}: {error.format_message()}"
    return ""


def _check_values(
    node: click.Command, context: click.Context, values: dict[str, Any], left: list[str]
) -> None:
    """Check the values that a command is given.

    Raises:
        click.UsageError: One is missing, of another type, or one too many.
    """
    for parameter in node.get_params(context):
        value = values.get(str(parameter.name))
        missing = value in (None, (), []) or type(value).__name__ == "Sentinel"
        if not missing:
            parameter.type_cast_value(context, value)
        elif parameter.required:
            raise click.MissingParameter(ctx=context, param=parameter)
    if isinstance(node, click.Group):
        raise click.UsageError("Missing command.", context)
    if left:
        raise click.UsageError(f"Got unexpected extra argument ({' '.join(left)})", context)


def _inside_blocks(lines: list[str]) -> list[bool]:
    """For every line, whether it is code of a fenced block."""
    found = []
    fenced = False
    for line in lines:
        fence = bool(FENCE.match(line))
        found.append(fenced and not fence)
        fenced = fenced != fence
    return found


def _whole_lines(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, joined where one ends in a backslash."""
    waiting = ""
    for number, line in enumerate(lines, 1):
        if line.endswith("\\"):
            waiting += line[:-1]
        else:
            yield number, waiting + line
            waiting = ""


def _loops_unrolled(line: str, code: str) -> Iterator[str]:
    """The line with every value of the shell loops over it in place of their variables."""
    loops = {name: values.split() for name, values in LOOP.findall(code)}
    used = [name for name in loops if f"${name}" in line]
    for values in itertools.product(*(loops[name] for name in used)):
        variant = line
        for name, value in zip(used, values, strict=True):
            variant = variant.replace(f"${name}", value)
        yield variant


def _of_shell(line: str, signs: str) -> Iterator[tuple[str, ...]]:
    """The commands of a line of a shell, such as ``pip install . && attrsearch demo``.

    Args:
        line: The line.
        signs: Characters that are words of their own.
    """
    line = line.strip().removeprefix("$ ").removeprefix("!")
    if "attrsearch " not in line:
        return
    lexer = shlex.shlex(line, posix=True, punctuation_chars=signs)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = list(lexer)
    except ValueError:  # a sentence, with an apostrophe
        return
    while words:
        end = next((i for i, word in enumerate(words) if word in ENDS), len(words))
        part, words = words[:end], words[end + 1 :]
        while part and re.fullmatch(r"[A-Z_]+=.*", part[0]):
            part.pop(0)
        if len(part) > 1 and part[0] == "attrsearch" and not part[1].startswith("`"):
            yield tuple(part[1:])
