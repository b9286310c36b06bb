"""Whatever is in a file, its parser reads it or refuses it in one printable line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attrsearch.core.bundled import bundled
from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import load_study
from attrsearch.faces.people import read_genders
from attrsearch.faces.recognition.calibration import load_calibration
from attrsearch.runs.attributes_file import NOTICE, read_attributes
from attrsearch.runs.journal import Journal
from attrsearch.runs.metadata import read_run
from attrsearch.runs.person_part import read_part
from attrsearch.runs.review import read_decisions
from attrsearch.video.io.boxes_file import read_boxes
from tests.report.synthetic import write_run
from tests.untrusted.make_corpus import CORPUS, FILES

LONGEST = 2000
fuzz = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def run_file(path: Path) -> object:
    path.replace(path.with_name("run.toml"))
    return read_run(path.parent)


def decisions_file(path: Path) -> object:
    path.replace(path.with_name("decisions.json"))
    return read_decisions(path.parent)


def journal_file(path: Path) -> object:
    path.replace(path.with_name("journal.jsonl"))
    return list(Journal(path.parent).read())


def yolo_folder(path: Path) -> object:
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    path.replace(folder / "1.txt")
    return read_boxes(folder, (640, 480))


PARSERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "attributes": ("a.json", read_attributes),
    "boxes": ("a.json", read_boxes),
    "mot": ("a.txt", read_boxes),
    "yolo": ("a.txt", yolo_folder),
    "calibration": ("a.json", lambda path: load_calibration("sface", path)),
    "person": ("a.json", read_part),
    "decisions": ("a.json", decisions_file),
    "journal": ("a.json", journal_file),
    "genders": ("a.csv", read_genders),
    "study": ("a.toml", lambda path: load_study(str(path))),
    "space": ("a.toml", lambda path: load_space(str(path))),
    "objective": ("a.toml", lambda path: load_objective(str(path))),
    "run": ("a.toml", run_file),
}
JSON = ("attributes", "boxes", "calibration", "person", "decisions", "journal")
TOML = ("study", "space", "objective", "run")


def parse(kind: str, folder: Path, data: bytes) -> bool:
    """Whether it was read; anything but reading and refusing is a failure of the test."""
    name, parser = PARSERS[kind]
    path = folder / name
    path.write_bytes(data)
    before = set(folder.parent.iterdir())
    try:
        parser(path)
    except AttrsearchError as error:
        line = str(error)
        assert line.isprintable()
        assert len(line) < LONGEST + len(str(folder))
        return False
    finally:
        assert set(folder.parent.iterdir()) == before
    return True


@pytest.mark.parametrize("kind", PARSERS)
@fuzz
@given(
    data=st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes(tmp_path: Path, kind: str, data: bytes) -> None:
    parse(kind, tmp_path, data)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["attrsearch/boxes", "..", "/etc/passwd", "\x1b[31mred", "<script>", "\ud800", "a" * 5000]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A valid document of every kind that is JSON."""
    run = write_run(tmp_path_factory.mktemp("documents") / "run", 2, 12)
    calibration = bundled("models") / "calibration" / "sface.json"
    box = {"frame": 0, "box": [0, 0, 5, 5], "track": 1, "probability": 0.5}
    return {
        "attributes": json.loads((run / "attributes.json").read_text()),
        "boxes": {"format": "attrsearch/boxes", "version": 1, "boxes": [box, box]},
        "calibration": json.loads(calibration.read_text()),
        "person": json.loads((run / "people" / "Person_0000.json").read_text()),
        "decisions": {
            "format": "attrsearch/decisions",
            "people": {"A": {"dropped": True, "grade": 1}},
        },
        "journal": {"when": "2026-01-01", "event": "finished", "id": "A"},
    }


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    found = [path]
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("kind", JSON)
@fuzz
@given(data=st.data())
def test_documents_with_something_else_somewhere(
    tmp_path: Path, documents: dict[str, Any], kind: str, data: st.DataObject
) -> None:
    document = documents[kind]
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.sampled_from(places(document)))
        document = replaced(document, place, data.draw(values))
    parse(kind, tmp_path, json.dumps(document).encode())


@pytest.mark.parametrize("kind", TOML)
@fuzz
@given(data=st.data())
def test_recipes_with_something_else_somewhere(
    tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    folder = {
        "study": "studies",
        "space": "studies/spaces",
        "objective": "objectives",
        "run": "studies",
    }[kind]
    source = data.draw(
        st.sampled_from(sorted((bundled(folder.split("/")[0]).parent / folder).glob("*.toml")))
    )
    lines = source.read_text(encoding="utf-8").splitlines()
    for _ in range(data.draw(st.integers(0, 3))):
        row = data.draw(st.integers(0, len(lines) - 1))
        key = lines[row].split("=")[0]
        new = data.draw(
            st.sampled_from(
                [
                    "",
                    lines[row],
                    f"{key}= {{}}",
                    f"{key}= [[1]]",
                    f"{key}= 1e999",
                    f"{key}= nan",
                    f"{key}= -1",
                ]
            )
            | st.integers().map(lambda number, key=key: f"{key}= {number}")
            | st.text(max_size=30)
            | st.text(max_size=10).map(lambda text, key=key: f"{key}= {json.dumps(text)}")
        )
        lines[row : row + data.draw(st.integers(0, 1))] = [new]
    parse(kind, tmp_path, "\n".join(lines).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "name", [name for name in FILES if name.split("/")[0] in ("json", "toml", "rows")]
)
def test_the_corpus_is_refused(tmp_path: Path, name: str) -> None:
    data = (CORPUS / name).read_bytes()
    assert data == FILES[name]  # the corpus is what its generator writes
    kinds = {"json": JSON, "toml": TOML, "rows": ("mot", "yolo", "genders")}[
        name.split("/", maxsplit=1)[0]
    ]
    for kind in kinds:
        read = parse(kind, tmp_path, data)
        assert not read or kind in ("journal", "yolo", "genders", "run", "decisions")


def test_a_hostile_name_cannot_move_the_cursor() -> None:
    error = InputError(
        "a\x1b[2J\r\n\u202eb", required="x", found="\x07" * 3 + "y" * 10_000, hint="z"
    )
    assert str(error).isprintable()
    assert len(str(error)) < LONGEST
    assert str(error).startswith("a\\x1b[2J")


def test_the_words_of_a_notice_stay_what_they_are() -> None:
    assert NOTICE.isprintable()
