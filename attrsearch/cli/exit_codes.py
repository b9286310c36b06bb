"""Exit codes: one rule for every command."""

DONE = 0
INCOMPLETE = 1
WRONG_USE = 2
FAULT = 70
INTERRUPTED = 130

RULE = (
    "Exit codes, the same for every command: 0 done; 1 done, but somebody is not anonymised, or "
    "something is not written, not whole or beyond a limit: each is named in a line; 2 wrong use: "
    "one line says what was required, what was found and what to type; 130 stopped with Ctrl+C; "
    "70 a fault of attrsearch itself."
)
"""What is shown of a run that ended earlier (export, report, compare) does not count again."""


def exit_code(*missing: object) -> int:
    """The exit code of a command that came to its end.

    Args:
        missing: Whatever names people or things that are not as asked; empty where all is well.

    >>> exit_code([], 0, ""), exit_code([], ["Ann"])
    (0, 1)
    """
    return INCOMPLETE if any(missing) else DONE
