"""What a page of the documentation would load from elsewhere is noticed."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "check_site.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_site", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://elsewhere/a.js"></script>',
        '<link rel="stylesheet" href="//elsewhere/a.css">',
        '<link rel="preconnect" href="https://elsewhere">',
        '<img src="http://elsewhere/a.png">',
        '<p style="background: url(https://elsewhere/a.png)">',
        "<style>@import 'https://elsewhere/a.css';</style>",
    ],
)
def test_loads_are_found(tool: ModuleType, tmp_path: Path, text: str) -> None:
    (tmp_path / "a.html").write_text(text)
    lines = list(tool.loads_from_elsewhere(tmp_path))
    assert len(lines) == 1
    assert lines[0].startswith("a.html: ")
    assert "elsewhere" in lines[0]


def test_fonts_of_style_sheets_are_found(tool: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<link rel="stylesheet" href="a.css">')
    (tmp_path / "a.css").write_text('@font-face { src: url("https://elsewhere/a.woff2") }')
    assert list(tool.loads_from_elsewhere(tmp_path)) == ["a.css: https://elsewhere/a.woff2"]


@pytest.mark.parametrize(
    "text",
    [
        '<a href="https://elsewhere">a link</a>',
        '<link rel="canonical" href="https://elsewhere">',
        '<script src="../a.js"></script><img src="data:image/png;base64,AA==">',
        '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    ],
)
def test_links_are_no_loads(tool: ModuleType, tmp_path: Path, text: str) -> None:
    (tmp_path / "a.html").write_text(text)
    assert not list(tool.loads_from_elsewhere(tmp_path))


def test_an_empty_folder_is_refused(tool: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="found no page"):
        list(tool.loads_from_elsewhere(tmp_path))
