"""How legible the code is, in numbers: ``python tools/house.py [FOLDER]``.

What is counted, over all Python files of a folder:

- entries: files and folders at its top level, without ``__init__.py`` and ``py.typed``;
- wide functions: more than eight parameters, ``self`` and ``cls`` left out;
- comments: those that are no directive (noqa, type, pragma, fmt, ruff);
- air: blank lines among the lines of functions, docstrings left out;
- packings: assignments of one tuple of names to another (``a, b = x, y``);
- comprehensions, those within another, and dense ones, which a reader has to take apart: within
  another, with two loops, or with two conditions;
- long lines (over 100 characters) and long files (over 400 lines).
"""

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

WIDTH = 100
LENGTH = 400
PARAMETERS = 8
DIRECTIVES = ("noqa", "type:", "pragma", "fmt:", "ruff:", "mypy:")
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Legibility:
    """Counts, and shares of lines."""

    lines: int
    entries: int
    wide_functions: int
    widest: int
    comments_per_1000: float
    air_percent: float
    packings_per_1000: float
    comprehensions_per_1000: float
    nested_per_1000: float
    dense_comprehensions: int
    long_lines: int
    long_files: int


def measure(folder: Path) -> Legibility:
    """The figures of a folder.

    Raises:
        ValueError: It holds no Python file.
    """
    files = sorted(folder.rglob("*.py"))
    if not files:
        raise ValueError(f"{folder}: needs Python files, found none")
    texts = [file.read_text(encoding="utf-8") for file in files]
    trees = [ast.parse(text) for text in texts]
    lines = sum(len(text.splitlines()) for text in texts)
    widths = [width(node) for tree in trees for node in functions(tree)]
    inside = 0
    blank = 0
    for text, tree in zip(texts, trees, strict=True):
        rows, empty = air(text, tree)
        inside += rows
        blank += empty
    together = 0
    nested = 0
    for tree in trees:
        every, inner = comprehensions(tree)
        together += every
        nested += inner
    known = {"__init__.py", "py.typed", "__pycache__", "bundled"}
    thousand = lines / 1000
    return Legibility(
        lines=lines,
        entries=sum(path.name not in known for path in folder.iterdir()),
        wide_functions=sum(count > PARAMETERS for count in widths),
        widest=max(widths, default=0),
        comments_per_1000=sum(comments(text) for text in texts) / thousand,
        air_percent=100 * blank / max(inside, 1),
        packings_per_1000=sum(packings(tree) for tree in trees) / thousand,
        comprehensions_per_1000=together / thousand,
        nested_per_1000=nested / thousand,
        dense_comprehensions=sum(dense(tree) for tree in trees),
        long_lines=sum(len(line) > WIDTH for text in texts for line in text.splitlines()),
        long_files=sum(len(text.splitlines()) > LENGTH for text in texts),
    )


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            yield node


def width(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many parameters a function has.

    >>> width(ast.parse("def f(self, a, *b, c=1, **d): ...").body[0])
    4
    """
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    names += [one.arg for one in (given.vararg, given.kwarg) if one is not None]
    return len([name for name in names if name not in ("self", "cls")])


def comments(text: str) -> int:
    r"""How many comments say something to a reader.

    >>> comments("x = 1  # noqa: E501\n# a reason\ny = 2  # another\n")
    2
    """
    count = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        said = token.string.lstrip("# ").lower()
        if token.type == tokenize.COMMENT and said and not said.startswith(DIRECTIVES):
            count += 1
    return count


def air(text: str, tree: ast.AST) -> tuple[int, int]:
    r"""Lines within functions, and the blank ones among them.

    >>> source = "def f():\n    x = 1\n\n    return x\n"
    >>> air(source, ast.parse(source))
    (4, 1)
    """
    rows = text.splitlines()
    inside: set[int] = set()
    documented: set[int] = set()
    for node in functions(tree):
        inside.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        first = node.body[0]
        if ast.get_docstring(node, clean=False) is not None:
            documented.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    counted = inside - documented
    return len(counted), sum(not rows[number - 1].strip() for number in counted)


def packings(tree: ast.AST) -> int:
    """Assignments of a tuple to a tuple.

    >>> packings(ast.parse("a, b = 1, 2; c, d = f()"))
    1
    """
    count = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            count += any(isinstance(target, ast.Tuple) for target in node.targets)
    return count


def comprehensions(tree: ast.AST) -> tuple[int, int]:
    """Comprehensions, and those within another.

    >>> comprehensions(ast.parse("[x for y in z for x in [a for a in y]]"))
    (2, 1)
    """
    every = [node for node in ast.walk(tree) if isinstance(node, COMPREHENSIONS)]
    inner: set[int] = set()
    for node in every:
        for other in ast.walk(node):
            if other is not node and isinstance(other, COMPREHENSIONS):
                inner.add(id(other))
    return len(every), len(inner)


def dense(tree: ast.AST) -> int:
    """Comprehensions that are within another, or have two loops or two conditions.

    >>> dense(ast.parse("[x for x in y if x], [x for y in z for x in y], [x for x in y if x and z]"))
    2
    """
    every = [node for node in ast.walk(tree) if isinstance(node, COMPREHENSIONS)]
    found: set[int] = set()

    for node in every:
        conditions = 0
        for loop in node.generators:
            for test in loop.ifs:
                conditions += len(test.values) if isinstance(test, ast.BoolOp) else 1

        if len(node.generators) > 1 or conditions > 1:
            found.add(id(node))

        for other in ast.walk(node):
            if other is not node and isinstance(other, COMPREHENSIONS):
                found.add(id(other))

    return len(found)


def main() -> None:
    """Print the table of a folder, the package by default."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("attrsearch")
    found = measure(folder)
    for field in fields(found):
        value = getattr(found, field.name)
        print(f"{field.name:24} {value:g}")


if __name__ == "__main__":
    main()
