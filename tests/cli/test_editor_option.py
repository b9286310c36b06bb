"""``anonymise --editor``: another editor than the study's, by name or by file."""

import json
import shutil
from pathlib import Path

import pytest

from attrsearch.cli.main import main
from attrsearch.core.weights import manifest


@pytest.mark.parametrize("by_name", [True, False])
def test_pictures_are_edited_with_the_editor_that_was_asked_for(
    sample: Path, tmp_path: Path, by_name: bool
) -> None:
    base = manifest()["base"]
    mine = tmp_path / "mine.safetensors"
    shutil.copy(base.path, mine)
    faces = tmp_path / "faces" / "cadet"
    faces.mkdir(parents=True)
    shutil.copy(sample / "cadet" / "cadet_1.jpg", faces)
    words = ["anonymise", str(faces.parent), "--out", str(tmp_path / "out"), "--quiet"]
    words += ["--editor", "base" if by_name else str(mine), "--trials", "1"]

    main([*words, "--study", "quick", "--recogniser", "sface"])

    run = tmp_path / "out.run"
    said = json.loads((run / "attributes.json").read_text())["editor"]
    assert said == {"name": "base" if by_name else "mine", "sha256": base.sha256}
    assert (tmp_path / "out" / "cadet" / "cadet_1.jpg").is_file()
