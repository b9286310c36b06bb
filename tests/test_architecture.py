"""Imports point one way, the package imports lightly, and its public names are these."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import attrsearch

ROOT = Path(attrsearch.__file__).parent

# A module may import from its own layer and from those above it in this list.
LAYERS = (
    ("errors",),
    (
        "attributes",
        "boxes",
        "bundled",
        "files",
        "allocation",
        "threads",
        "seals",
        "bounded",
        "team",
        "journal",
        "tables",
        "vault",
    ),
    ("recipes", "weights", "fetch", "export"),
    ("faces", "sample"),
    ("editing",),
    ("results", "runfile", "trials", "decisions"),
    ("search",),
    ("exporting", "checking", "comparing", "bench", "training", "video"),
    ("merging", "scrubbing", "evaluation"),
    ("applying",),
    ("report", "grading"),
    ("reproduction",),
    ("dashboard",),
    ("cli",),
)


def layer_of(module: str) -> int:
    name = module.split(".", maxsplit=1)[0]
    return next(index for index, names in enumerate(LAYERS) if name in names)


def modules() -> list[Path]:
    return [path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py"]


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("attrsearch."):
            found.add(node.module.removeprefix("attrsearch."))
        elif isinstance(node, ast.Import):
            found |= {
                name.name.removeprefix("attrsearch.") for name in node.names if name.name.startswith("attrsearch.")
            }
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_one_way(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    back = [name for name in imported(path) if layer_of(name) > layer_of(module)]
    assert not back, f"{module} imports {back}, which stand in a later layer"


def test_back_edges_are_noticed(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("from attrsearch.search.run import run\n")
    assert layer_of(next(iter(imported(file)))) > layer_of("faces.people")


@pytest.mark.parametrize("code", ["import attrsearch", "from attrsearch.cli.main import main; main(['--help'])"])
def test_nothing_heavy_is_imported(code: str) -> None:
    heavy = "{'torch', 'cv2', 'optuna', 'pandas', 'sklearn', 'xgboost', 'onnx'}"
    script = f"{code}\nimport sys\nprint(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_public_names() -> None:
    assert attrsearch.__all__ == [
        "ATTRIBUTES",
        "AttributeSet",
        "AttrsearchError",
        "Evaluator",
        "Identity",
        "__version__",
        "load_editor",
        "load_people",
        "load_study",
        "read_attributes",
        "run",
    ]
    for name in attrsearch.__all__:
        assert getattr(attrsearch, name) is not None
    with pytest.raises(AttributeError, match="it has ATTRIBUTES"):
        _ = attrsearch.nothing  # type: ignore[attr-defined]


def test_files_stay_small() -> None:
    long = {path.name: count for path in modules() if (count := len(path.read_text().splitlines())) > 400}
    assert not long
