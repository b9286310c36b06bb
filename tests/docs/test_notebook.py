"""The notebook of the documentation runs as it stands, and is stored without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "first_search.ipynb"
SECONDS = 300
"""For one cell, on a busy machine."""


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    loaded: nbformat.NotebookNode = nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), 4)  # type: ignore[no-untyped-call]
    return loaded


def code_of(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_outputs_are_not_stored(notebook: nbformat.NotebookNode) -> None:
    for cell in code_of(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_it_runs(notebook: nbformat.NotebookNode, tmp_path: Path) -> None:
    # sockets of the file system: nothing else on this machine can reach the kernel
    config = Config(KernelManager={"transport": "ipc", "ip": str(tmp_path / "kernel")})
    NotebookClient(notebook, timeout=SECONDS, config=config).execute()
    shown = [output for cell in code_of(notebook) for output in cell.outputs]
    text = "".join(output.get("text", "") for output in shown)
    assert "1 of 1 people anonymised, 24 evaluations" in text
    pictures = [output for output in shown if "image/png" in output.get("data", {})]
    assert len(pictures) == 2
