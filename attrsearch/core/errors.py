"""The one error tree of attrsearch.

Every message says what was required, what was found, what to do.

>>> raise InputError("a.jpg", required="a picture", found="an empty file", hint="remove it")
Traceback (most recent call last):
attrsearch.core.errors.InputError: a.jpg: needs a picture, found an empty file; remove it
"""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 450
"""Characters of a part of a message that are shown."""


class AttrsearchError(Exception):
    """Base of every error a user can mend.

    Args:
        subject: The file, option or name the error is about.
        required: What was required of it.
        found: What was found instead.
        hint: What to do or type.
        details: Further lines for whoever wants to know all of it.
    """

    def __init__(
        self,
        subject: object,
        *,
        required: str,
        found: str,
        hint: str,
        details: tuple[str, ...] = (),
    ) -> None:
        self.subject = str(subject)
        self.required = required
        self.found = found
        self.hint = hint
        self.details = details
        super().__init__(subject, required, found, hint)

    def __str__(self) -> str:
        texts = map(_short, (self.subject, self.required, self.found, self.hint))
        line = "{}: needs {}, found {}; {}".format(*texts)
        return printable(" ".join(line.split()))

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickle with keyword arguments, so that worker processes can raise it in the parent."""
        texts = (self.subject, self.required, self.found, self.hint)
        return _rebuild, (type(self), *texts, self.details)


def printable(text: str) -> str:
    r"""A text with whatever would move a terminal's cursor or hide other text written out.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    shown = ""
    for letter in text:
        shown += letter if letter.isprintable() else letter.encode("unicode_escape").decode()

    return shown


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-LONGEST // 2 :]}"


def _rebuild(
    kind: type[AttrsearchError],
    subject: str,
    required: str,
    found: str,
    hint: str,
    details: tuple[str, ...] = (),
) -> AttrsearchError:
    return kind(subject, required=required, found=found, hint=hint, details=details)


class InputError(AttrsearchError):
    """A picture, folder or table that cannot be used."""


class RecipeError(AttrsearchError):
    """A study, space or objective recipe that is not valid."""


class WeightsError(AttrsearchError):
    """Weights that are missing, damaged, or not of the kind that was asked for."""


class OutputError(AttrsearchError):
    """A result that cannot be written, or an existing one that does not match."""


class UnavailableError(AttrsearchError):
    """An optional component that is not installed, or whose weights are not to be had."""


class TrainingError(AttrsearchError):
    """A training that cannot go on."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Word the hint for an unknown name: the nearest spelling, then all valid names.

    >>> did_you_mean("quik", ["quick", "thesis"])
    'did you mean quick? known: quick, thesis'
    """
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    question = f"did you mean {close[0]}? " if close else ""

    return f"{question}known: {', '.join(names) or 'none'}"
