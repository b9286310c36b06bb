"""Whole commands on made-up folders: no input is changed, every file is accounted for, the code is true."""

import hashlib
import io
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from attrsearch.anonymise.images import Applier, ImageResult, ProtectedPicture
from attrsearch.cli.exit_codes import DONE, INCOMPLETE, WRONG_USE
from attrsearch.cli.main import main
from attrsearch.core.errors import InputError
from attrsearch.faces.dataset import Picture
from attrsearch.runs.attributes_file import PersonRecord, to_json
from tests.anonymise.test_images import export, person

NAMES = st.sampled_from(
    [
        "a", "A", "a.b", "-rf", "--out", "=1+1", "\u00e9", "e\u0301", "\u202egnp", "a b", "%s", "$(id)", "x" * 120,
        "M\udcfcller", "new\nline", "\x1b[2J", "~", "CON", "..a", "'q'",
    ]
)  # fmt: skip
SUFFIXES = st.sampled_from([".png", ".jpg", ".JPG", ".webp", ".tif", ".bmp", ".avif", ".heic"])
OTHERS = st.sampled_from(["film.doc", "b.jxl", "c.zip", "notes.txt", ".hidden.png"])
KINDS = st.sampled_from(["face", "blank", "empty", "text", "cut", "deep", "alpha", "pages", "tiny"])
FOLDERS = st.sampled_from(["", "p", "p/q", "=x", "run1"])

Tree = list[tuple[str, str, str, str]]
TREES = st.lists(st.tuples(FOLDERS, NAMES, SUFFIXES, KINDS), min_size=1, max_size=6)
MORE = st.lists(OTHERS, max_size=2, unique=True)
LINKS = st.sampled_from(["none", "file", "folder", "outside", "loop", "broken"])


def content(kind: str, suffix: str, face: bytes) -> bytes:
    """A file's bytes: a picture of some kind, or something that only looks like one."""
    grey = np.full((40, 60, 3), 128, np.uint8)
    buffer = io.BytesIO()
    if kind == "face":
        return face
    if kind == "empty":
        return b""
    if kind == "text":
        return b"no picture at all"
    if kind == "cut":
        return face[: len(face) // 3]
    if kind == "deep":
        Image.fromarray(np.full((40, 60), 30_000, np.uint16)).save(buffer, "PNG")
    elif kind == "alpha":
        layers = np.dstack([grey, np.eye(40, 60, dtype=np.uint8) * 255])
        Image.fromarray(layers, "RGBA").save(buffer, "PNG")
    elif kind == "pages":
        first = Image.fromarray(grey)
        first.save(buffer, "TIFF", save_all=True, append_images=[first])
    elif kind == "tiny":
        Image.fromarray(grey[:4, :4]).save(buffer, "PNG")
    else:
        Image.fromarray(grey).save(buffer, "BMP" if suffix == ".bmp" else "PNG")
    return buffer.getvalue()


def build(root: Path, tree: Tree, more: list[str], link: str, face: bytes) -> Path:
    faces = root / "in"
    faces.mkdir()
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "theirs.png").write_bytes(face)
    for folder, name, suffix, kind in tree:
        place = faces / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}{suffix}").write_bytes(content(kind, suffix, face))
    if (faces / "run1").is_dir():
        (faces / "run1" / "run.toml").write_text("")
    for name in more:
        (faces / name).write_bytes(b"something")
    if link == "file":
        (faces / "link.png").symlink_to(next(path for path in faces.rglob("*") if path.is_file()))
    elif link == "folder":
        (faces / "link").symlink_to(root / "elsewhere")
    elif link == "outside":
        (faces / "out.png").symlink_to(root / "elsewhere" / "theirs.png")
    elif link == "loop":
        (faces / "loop").symlink_to(faces)
    elif link == "broken":
        (faces / "broken.png").symlink_to(root / "gone.png")
    return faces


def digests(root: Path) -> dict[bytes, str]:
    """What lies in a folder, links not followed."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            found[os.fsencode(path)] = str(path.readlink())
        elif path.is_file():
            found[os.fsencode(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


class QuickApplier(Applier):
    """As the real one around the models: who looks for a face finds one where a picture is not plain."""

    def __init__(self, *_: object, **__: object) -> None:
        self.file = export(person("a"))
        self._also = ()
        self._left = frozenset()
        self.fallback = "blur"

    def _protect(
        self, picture: Picture, person: PersonRecord | None, *, needed: bool = True
    ) -> tuple[ProtectedPicture, str | None]:
        assert needed
        if picture.std() < 5:
            hint = "nothing was written; check the picture by eye"
            raise InputError("this picture", required="a face to protect", found="none", hint=hint)
        protected = picture.copy()
        protected[:5, :5] = 0
        return ProtectedPicture(protected, False, 1), None


@pytest.fixture(scope="module")
def face(astronaut: Picture) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(astronaut[60:200, 60:200]).save(buffer, "PNG")
    return buffer.getvalue()


def check_apply(tree: Tree, more: list[str], link: str, face: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        root = Path(folder)
        faces = build(root, tree, more, link, face)
        (root / "sets.json").write_text(to_json(export(person("a"))))
        before = digests(faces) | digests(root / "elsewhere")
        done: list[ImageResult] = []
        real = QuickApplier.apply

        def noted(self: QuickApplier, *words: object) -> ImageResult:
            done.append(real(self, *words))  # type: ignore[arg-type]
            return done[-1]

        patch.setattr(QuickApplier, "apply", noted)
        patch.setattr("attrsearch.anonymise.images.Applier", QuickApplier)
        said = io.StringIO()
        patch.setattr("sys.stderr", said)
        out = root / "out"
        words = ["apply", str(faces), "--attributes", str(root / "sets.json"), "--out", str(out)]
        code = main([*words, "--quiet"])

        assert digests(faces) | digests(root / "elsewhere") == before
        lines = said.getvalue().strip().splitlines()
        written = {path for path in out.rglob("*") if path.is_file()} if out.exists() else set()
        if code == WRONG_USE:
            assert len(lines) == 1
            assert not written
            return
        problems = [item for item in done if item.problem]
        assert code == (INCOMPLETE if problems else DONE)
        assert written == {item.target for item in done if not item.problem}
        assert len(written) == len(done) - len(problems)  # no two in one file
        assert sum(line.startswith("not written: ") for line in lines) == len(problems)
        assert lines[-1].startswith(f"{len(written)} pictures written to ")
        taken = {item.source for item in done}
        named = said.getvalue()
        for path in faces.rglob("*"):
            hidden = path.name.startswith(".") or path.suffix == ".txt"
            inside_run = "run1" in path.relative_to(faces).parts
            real_folder = path.is_dir() and not path.is_symlink()
            if not (real_folder or hidden or inside_run or path in taken):
                assert "left out" in named, path


QUICK = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(tree=TREES, more=MORE, link=LINKS)
def test_apply_accounts_for_every_file(tree: Tree, more: list[str], link: str, face: bytes) -> None:
    check_apply(tree, more, link, face)


@pytest.mark.slow
@settings(QUICK, max_examples=300)
@given(tree=TREES, more=MORE, link=LINKS)
def test_apply_accounts_for_every_file_at_length(
    tree: Tree, more: list[str], link: str, face: bytes
) -> None:
    check_apply(tree, more, link, face)


def check_search(command: str, tree: Tree, more: list[str], link: str, face: bytes) -> None:
    """``run`` and ``anonymise`` with real models: one candidate a person."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        root = Path(folder)
        faces = build(root, tree, more, link, face)
        before = digests(faces) | digests(root / "elsewhere")
        said = io.StringIO()
        patch.setattr("sys.stderr", said)
        common = ["--study", "quick", "--trials", "1", "--quiet", "--recogniser", "sface"]
        code = main([command, str(faces), "--out", str(root / "out"), *common])
        lines = said.getvalue().strip().splitlines()
        assert digests(faces) | digests(root / "elsewhere") == before
        assert not [path for path in root.rglob("*") if path.name.endswith(".part")]
        if code == WRONG_USE:
            assert len(lines) == 1
            return
        named = [
            line for line in lines if line.startswith(("failed", "not anonymised", "not written"))
        ]
        assert (code == INCOMPLETE) is bool(named)
        assert " people anonymised" in lines[-1]


@pytest.mark.parametrize("command", ["run", "anonymise"])
def test_a_search_changes_no_input(command: str, face: bytes) -> None:
    tree = [
        ("p", "a", ".png", "face"),
        ("=x", "M\udcfcller", ".jpg", "cut"),
        ("run1", "a", ".png", "face"),
    ]
    check_search(command, tree, ["film.doc"], "loop", face)


@pytest.mark.slow
@settings(QUICK, max_examples=15)
@given(command=st.sampled_from(["run", "anonymise"]), tree=TREES, more=MORE, link=LINKS)
def test_a_search_changes_no_input_at_length(
    command: str, tree: Tree, more: list[str], link: str, face: bytes
) -> None:
    check_search(command, tree, more, link, face)
