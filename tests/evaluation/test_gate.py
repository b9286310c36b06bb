"""Gates: what is missed is named, and a gate that checks nothing is refused."""

from pathlib import Path

import pytest

from attrsearch.core.errors import AttrsearchError, InputError, RecipeError
from attrsearch.evaluation.gate import load_gate, missed
from attrsearch.evaluation.metrics.anonymity import Figures

JUDGED: list[Figures] = [
    {"protection": "blur", "judge": "dlib", "rank1": 0.4},
    {"protection": "blur", "judge": "sface", "rank1": 0.02},
]
KEPT: list[Figures] = [{"protection": "blur", "recall_mtcnn": 0.97, "fid": None}]
HEAD = 'format = "attrsearch/gate"\nversion = 1\n'


def gate(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "limits.toml"
    file.write_text(HEAD + text)
    return missed(load_gate(file), JUDGED, KEPT)


@pytest.mark.parametrize(
    ("limit", "lines"),
    [
        ('figure = "rank1"\nat_most = 0.5', []),
        ('figure = "rank1"\nat_most = 0.05', ["blur, dlib: rank1 is 0.4, above 0.05"]),
        ('figure = "rank1"\njudge = "sface"\nat_most = 0.05', []),
        ('figure = "recall_mtcnn"\nat_least = 0.98', ["blur: recall_mtcnn is 0.97, below 0.98"]),
        ('figure = "recall_mtcnn"\nat_least = 0.97', []),
        ('figure = "fid"\nat_most = 9', ["blur: fid was not measured"]),
    ],
)
def test_limits(tmp_path: Path, limit: str, lines: list[str]) -> None:
    assert gate(tmp_path, f"[[limits]]\n{limit}\n") == lines


@pytest.mark.parametrize(
    ("limit", "kind", "words"),
    [
        ('figure = "rank_1"\nat_most = 1', InputError, "did you mean rank1"),
        ('figure = "rank1"\njudge = "dlip"\nat_most = 1', InputError, "did you mean dlib"),
        ('figure = "rank1"', RecipeError, "at_most or at_least"),
        ('figure = "rank1"\nbelow = 1', RecipeError, "unknown key"),
    ],
)
def test_a_gate_that_checks_nothing_is_refused(
    tmp_path: Path, limit: str, kind: type[AttrsearchError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        gate(tmp_path, f"[[limits]]\n{limit}\n")


def test_no_limits_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError):
        gate(tmp_path, "limits = []\n")
    with pytest.raises(RecipeError, match="no such file"):
        load_gate(tmp_path / "nowhere.toml")
