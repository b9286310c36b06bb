"""Published weights: from a path or an address, verified, installed, never executed."""

import json
import zipfile
from pathlib import Path

import pytest
import torch

from attrsearch.cli.main import main
from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import WeightsError
from attrsearch.core.fetch import fetched
from attrsearch.core.weights import file_sha256
from attrsearch.editing.attgan import Generator, GeneratorConfig
from attrsearch.editing.checkpoints import load_checkpoint


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATTRSEARCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A checkpoint as AttGAN-PyTorch publishes it, of 256 px and random weights."""
    folder = tmp_path / "256_shortcut1_inject1_none"
    (folder / "checkpoint").mkdir(parents=True)
    config = GeneratorConfig(img_size=256, enc_dim=4, dec_dim=4, shortcut_layers=1, inject_layers=1)
    torch.save({"G": Generator(config).state_dict()}, folder / "checkpoint" / "weights.199.pth")
    (folder / "setting.txt").write_text(json.dumps(vars(config) | {"attrs": list(ATTRIBUTES)}))
    return folder


def test_a_checkpoint_is_installed_and_loaded_by_name(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = published / "checkpoint" / "weights.199.pth"
    done = main(
        [
            "models",
            "fetch",
            "attgan",
            "--from",
            str(file),
            "--name",
            "mine",
            "--sha256",
            file_sha256(file),
        ]
    )
    assert done == 0
    assert "mine: a 256 px editor" in capsys.readouterr().err
    assert load_checkpoint("mine").sha256 == file_sha256(file)
    assert load_checkpoint("mine").name == "mine"


def test_the_published_zip(published: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "published.zip", "w") as archive:
        for path in published.rglob("*.*"):
            archive.write(path, path.relative_to(published.parent))
    assert (
        main(
            [
                "models",
                "fetch",
                "attgan",
                "--from",
                str(tmp_path / "published.zip"),
                "--name",
                "zipped",
            ]
        )
        == 0
    )
    assert load_checkpoint("zipped").generator.config.img_size == 256
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    assert main(["models", "fetch", "attgan", "--from", str(tmp_path / "other.zip")]) == 2


def test_what_does_not_load_is_not_kept(
    published: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = published / "checkpoint" / "weights.199.pth"
    torch.save({"D": {}}, file)
    assert main(["models", "fetch", "attgan", "--from", str(file), "--name", "bad"]) == 2
    assert "needs a generator under the key 'G'" in capsys.readouterr().err
    assert not list(home.rglob("*.pth"))
    (published / "setting.txt").unlink()
    assert main(["models", "fetch", "attgan", "--from", str(file), "--name", "bad"]) == 2
    assert main(["models", "fetch", "attgan", "--from", str(file), "--name", "../bad"]) == 2
    assert main(["models", "fetch", "attgan"]) == 2


def test_hashes_and_addresses(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(b"weights")
    with fetched(str(path), file_sha256(path).upper()) as found:
        assert found == path
    for source, hint in (
        (str(path), "needs SHA-256 0000"),
        (str(tmp_path / "gone.pth"), "No such file"),
        ("http://example.invalid/w.pth", "needs an https address, found http"),
        ("https://example.invalid/w.pth", "a failed download"),
    ):
        with pytest.raises(WeightsError, match=hint), fetched(source, "0" * 64):
            pass
