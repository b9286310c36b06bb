"""The notebooks of the documentation run as they stand, and are stored without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
SECONDS = 300
"""For one cell, on a busy machine."""


def read(name: str) -> nbformat.NotebookNode:
    text = (FOLDER / name).read_text(encoding="utf-8")
    loaded: nbformat.NotebookNode = nbformat.reads(text, 4)  # type: ignore[no-untyped-call]
    return loaded


def code_of(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown_by(notebook: nbformat.NotebookNode, tmp_path: Path) -> list[nbformat.NotebookNode]:
    """All outputs of a notebook that is run."""
    # sockets of the file system: nothing else on this machine can reach the kernel
    config = Config(KernelManager={"transport": "ipc", "ip": str(tmp_path / "kernel")})
    NotebookClient(notebook, timeout=SECONDS, config=config).execute()
    return [output for cell in code_of(notebook) for output in cell.outputs]


def text_of(shown: list[nbformat.NotebookNode]) -> str:
    return "".join(output.get("text", "") for output in shown)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.name)
def test_outputs_are_not_stored(path: Path) -> None:
    for cell in code_of(read(path.name)):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_it_runs(tmp_path: Path) -> None:
    shown = shown_by(read("first_search.ipynb"), tmp_path)
    assert "1 of 1 people anonymised, 24 evaluations" in text_of(shown)
    pictures = [output for output in shown if "image/png" in output.get("data", {})]
    assert len(pictures) == 2


def test_optunas_own_tools_work_on_a_study(tmp_path: Path) -> None:
    pytest.importorskip("optuna_dashboard")
    shown = shown_by(read("optuna.ipynb"), tmp_path)
    said = text_of(shown)
    assert "24 trials, the best" in said
    assert "['distance', 'detection', 'iou']" in said
    # what the dashboard answers
    assert "astronaut ['maximize']" in said
    assert "astronaut, several goals ['maximize', 'maximize', 'maximize']" in said
    plots = [o for o in shown if "application/vnd.plotly.v1+json" in o.get("data", {})]
    assert len(plots) == 4
    assert any("datetime_start" in o.get("data", {}).get("text/plain", "") for o in shown)
