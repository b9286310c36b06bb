"""The code does not become harder to read: measured by tools/house.py, limits that only fall."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

import attrsearch

ROOT = Path(attrsearch.__file__).parent
TOOL = ROOT.parent / "tools" / "house.py"

MOST = {
    "entries": 12,
    "wide_functions": 0,
    "widest": 8,
    "packings_per_1000": 0.12,
    "comprehensions_per_1000": 16.8,
    "nested_per_1000": 0,
    "dense_comprehensions": 0,
    "long_lines": 0,
    "long_files": 0,
}
LEAST = {"comments_per_1000": 16.0, "air_percent": 11.5}


@pytest.fixture(scope="module")
def house() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["house"] = module
    spec.loader.exec_module(module)
    return module


def test_no_figure_gets_worse(house: ModuleType) -> None:
    found = house.measure(ROOT)
    worse = {
        name: getattr(found, name) for name, most in MOST.items() if getattr(found, name) > most
    }
    worse |= {
        name: getattr(found, name) for name, least in LEAST.items() if getattr(found, name) < least
    }
    assert not worse


def test_a_folder_is_counted(house: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "a.py").write_text(
        "# why\n"
        "def f(self, a, b, c, d, e, f, g, h, i):\n"
        "    x, y = 1, 2\n"
        "\n"
        "    return [z for z in [y for y in x]]\n"
    )
    found = house.measure(tmp_path)
    assert (found.lines, found.entries, found.wide_functions, found.widest) == (5, 1, 1, 9)
    assert found.comments_per_1000 == pytest.approx(200)
    assert found.air_percent == pytest.approx(25)
    assert found.packings_per_1000 == pytest.approx(200)
    assert found.comprehensions_per_1000 == pytest.approx(400)
    assert found.nested_per_1000 == pytest.approx(200)
    assert found.dense_comprehensions == 1


def test_an_empty_folder_is_refused(house: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs Python files, found none"):
        house.measure(tmp_path)
