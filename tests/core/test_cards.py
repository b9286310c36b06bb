"""Model cards: a head that the Hugging Face Hub can read, and that says what the card says."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import attrsearch

FOLDER = Path(attrsearch.__file__).parent.parent / "models"
NEEDED = {
    *("license", "license_name", "library_name", "pipeline_tag", "tags", "datasets", "metrics"),
}
DATASETS = {
    "celeba": "CelebA",
    "lfw": "Labeled Faces in the Wild",
    "all-age-faces": "All-Age-Faces",
    "utkface": "UTKFace",
}
"""What the Hub calls a data set, and what the card does."""
METRICS = {
    "accuracy": "accuracy",
    "detection": "detection",
    "distance": "distance",
    "iou": "IoU",
    "naturalness": "aturalness",
    "nme": "share of the distance between the eyes",
    "psnr": "dB",
    "spearmanr": "ank correlation",
}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="installed from a wheel")


def weights() -> list[dict[str, Any]]:
    table = tomllib.loads((FOLDER / "manifest.toml").read_text()) if FOLDER.is_dir() else {}
    found: list[dict[str, Any]] = table.get("weights", [])
    return found


def parts(card: str) -> tuple[dict[str, Any], str]:
    """The head and the text of a card."""
    nothing, head, text = (FOLDER / card).read_text(encoding="utf-8").split("---\n", 2)
    assert nothing == ""
    return yaml.safe_load(head), text


def section(text: str, name: str) -> str:
    return text.split(f"## {name}\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize("own", weights(), ids=lambda own: own["name"])
def test_the_head_says_what_the_card_says(own: dict[str, Any]) -> None:
    head, text = parts(own["card"])
    assert set(head) == NEEDED
    # the Hub wants a name where the licence is none of its list
    assert (head["license"], head["license_name"]) == ("other", "non-commercial-research")
    assert "non-commercial research use only" in section(text, "Licence")
    assert head["library_name"] == "attrsearch"
    assert own["kind"] in head["tags"]
    assert own["sha256"] in text

    data = section(text, "Data")
    assert head["datasets"]
    assert [name for name in head["datasets"] if DATASETS[name] not in data] == []
    measured = section(text, "Measured")
    assert [name for name in head["metrics"] if METRICS[name] not in measured] == []


def test_every_card_belongs_to_weights() -> None:
    cards = {own["card"] for own in weights()}
    assert {path.name for path in FOLDER.glob("*.md")} == cards
