"""Errors, attributes, boxes, files: the small values everything stands on."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attrsearch.core.attributes import ATTRIBUTES, AttributeSet, from_named, named
from attrsearch.core.boxes import area, iou
from attrsearch.core.errors import AttrsearchError, InputError, OutputError, did_you_mean
from attrsearch.core.files import file_name, write_bytes, written

BOXES = hnp.arrays(np.float32, (4,), elements=st.floats(-50, 50, width=32))


def test_an_error_is_one_line_and_survives_a_worker() -> None:
    error = InputError("a.jpg", required="a\npicture", found="nothing", hint="add one")
    assert str(error) == "a.jpg: needs a picture, found nothing; add one"
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is InputError
    assert str(back) == str(error)


def test_unknown_names_without_a_near_one() -> None:
    assert did_you_mean("xyz", ["quick"]) == "known: quick"
    assert did_you_mean("xyz", []) == "known: none"


@pytest.mark.parametrize("vector", [np.zeros(12), np.full(13, np.nan), np.full(13, 2.5)])
def test_bad_attribute_vectors(vector: np.ndarray) -> None:
    with pytest.raises(AttrsearchError, match="13 finite values within"):
        AttributeSet(vector.astype(np.float32))


def test_names_and_vectors_are_inverse() -> None:
    vector = np.linspace(-1, 1, 13, dtype=np.float32)
    assert np.allclose(from_named(named(vector)), vector, atol=1e-6)
    with pytest.raises(InputError, match=r"missing \['Young'\], unknown \['Old'\]"):
        from_named({**dict.fromkeys(ATTRIBUTES[:-1], 0.0), "Old": 0.0})


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([0, 0, 4, 4], [0, 0, 4, 4], 1.0),
        ([0, 0, 4, 4], [4, 0, 8, 4], 0.0),  # touching
        ([0, 0, 4, 4], [1, 1, 3, 3], 0.25),  # inside
        ([0, 0, 4, 4], [2, 2, 2, 2], 0.0),  # empty
        ([3, 3, 1, 1], [3, 3, 1, 1], 0.0),  # inside out
        ([0, 0, 0, 0], [0, 0, 0, 0], 0.0),
    ],
)
def test_iou_of_degenerate_boxes(first: list[float], second: list[float], expected: float) -> None:
    found = iou(np.array(first, np.float32), np.array(second, np.float32))
    assert float(found) == pytest.approx(expected)


@given(BOXES, BOXES)
def test_iou_is_symmetric_and_bounded(first: np.ndarray, second: np.ndarray) -> None:
    there, back = float(iou(first, second)), float(iou(second, first))
    assert there == back
    assert 0 <= there <= 1
    assert area(first) >= 0


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "a.txt"
    write_bytes(target, b"one")

    def fail() -> None:
        with written(target) as part:
            part.write_bytes(b"two")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert target.read_bytes() == b"one"
    assert [path.name for path in target.parent.iterdir()] == ["a.txt"]


def test_a_full_disk_is_said_in_one_line(tmp_path: Path) -> None:

    def fill() -> None:
        with written(tmp_path / "a"):
            Path("/dev/full").write_bytes(b"x" * 10_000)

    with pytest.raises(
        OutputError, match="No space left on device; free some space, then continue with --resume"
    ):
        fill()
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another place"):
        write_bytes(tmp_path / "file" / "a.txt", b"")


@given(st.text(min_size=1, max_size=300))
def test_file_names_stay_in_their_folder(identity: str) -> None:
    name = file_name(identity)
    assert "/" not in name
    assert "\\" not in name
    assert name not in ("", ".", "..")
    assert len(name) <= 150


def test_file_names_tell_people_apart() -> None:
    assert len({file_name("x" * 200 + end) for end in "ab"}) == 2
    assert len({file_name(name) for name in ("a.b", "a/b", "a%b", "a b", "a\x00b")}) == 5


def test_freed_memory_is_kept_where_there_is_glibc() -> None:
    import sys

    from attrsearch.core.allocation import keep_freed_memory

    assert keep_freed_memory() == sys.platform.startswith("linux")


THREAD_THAT_FREES = """
import resource, threading
from attrsearch.core.allocation import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(5):
        [bytearray(40 << 20) for _ in range(3)]
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before

def work():
    faults()
    print(faults())

keep_freed_memory()
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def test_threads_keep_freed_memory_too() -> None:
    import subprocess
    import sys

    if not sys.platform.startswith("linux"):
        pytest.skip("glibc only")
    done = subprocess.run(
        [sys.executable, "-c", THREAD_THAT_FREES], capture_output=True, check=True, text=True
    )
    assert int(done.stdout) < 1000  # 153,600 pages of 4 KB are cleared otherwise
