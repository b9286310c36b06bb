"""The reader of frozen graphs: what was written is read, and whatever is no graph is refused in one line."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attrsearch.core.errors import WeightsError
from attrsearch.faces.recognition.tensorflow_graph import (
    DT_FLOAT,
    Node,
    fields,
    parse_floats,
    parse_graph,
    read_floats,
    read_graph,
)


def varint(value: int) -> bytes:
    written = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        if not value:
            return bytes([*written, low])
        written.append(low | 0x80)


def whole(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def sized(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(
    values: np.ndarray, shape: Sequence[int], kind: int = DT_FLOAT, number: int = 4
) -> bytes:
    dimensions = b"".join(sized(2, whole(1, size)) for size in shape)
    return whole(1, kind) + sized(2, dimensions) + sized(number, values.astype("<f4").tobytes())


def constant(name: str, content: bytes) -> bytes:
    entry = sized(1, b"value") + sized(2, sized(8, content))
    return node(name, "Const", (), entry)


def node(name: str, operation: str, inputs: Sequence[str] = (), entry: bytes = b"") -> bytes:
    parts = [
        sized(1, name.encode()),
        sized(2, operation.encode()),
        *(sized(3, item.encode()) for item in inputs),
    ]
    return sized(1, b"".join(parts) + (sized(5, entry) if entry else b""))


NUMBERS = np.arange(6, dtype=np.float32).reshape(2, 3) - 2.5
GRAPH = (
    constant("w", tensor(NUMBERS, (2, 3)))
    + node("y", "MatMul", ("x", "w"))
    + sized(4, whole(1, 21))
)
"""Two nodes, and after them the versions field that every graph ends with."""


def test_a_hand_made_graph() -> None:
    graph = parse_graph(GRAPH)
    assert list(graph) == ["w", "y"]
    assert graph["y"] == Node("y", "MatMul", ("x", "w"), {})
    assert np.array_equal(parse_floats(graph["w"]), NUMBERS)


def test_other_ways_to_write_numbers() -> None:
    packed = constant("w", tensor(NUMBERS, (2, 3), number=5))
    assert np.array_equal(parse_floats(parse_graph(packed)["w"]), NUMBERS)
    one_by_one = b"".join(varint(5 << 3 | 5) + struct.pack("<f", value) for value in (1.5, -2.0))
    content = whole(1, DT_FLOAT) + sized(2, sized(2, whole(1, 2))) + one_by_one
    assert parse_floats(parse_graph(constant("w", content))["w"]).tolist() == [1.5, -2.0]
    repeated = parse_floats(parse_graph(constant("w", tensor(np.float32([7]), (2, 2))))["w"])
    assert repeated.tolist() == [[7, 7], [7, 7]]
    scalar = parse_floats(parse_graph(constant("w", tensor(np.float32([7]), ())))["w"])
    assert scalar.shape == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a graph without nodes"),
        (b"\x0a", "an end in the middle of a number"),
        (b"\x0a\x05ab", "a value of 5 bytes where 2 are left"),
        (b"\x0a" + b"\xff" * 9 + b"\x7f", "a number of more than 64 bits"),
        (b"\x0a" + b"\xff" * 11, "a number of more than 64 bits"),
        (b"\x0b\x00", "which protobuf does not know"),
        (b"\x02\x00", "a field with the number 0"),
        (b"\x08\x01", "a number where bytes belong"),
        (sized(1, b""), "a node without a name"),
        (sized(1, sized(1, b"\xff") + sized(2, b"Const")), "can't decode"),
        (GRAPH + GRAPH, "two nodes called w"),
    ],
)
def test_no_graph(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="needs a frozen TensorFlow graph, found") as caught:
        read_graph(path)
    assert said in caught.value.found
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (tensor(NUMBERS, (2, 4)), "6 values for the shape"),
        (tensor(NUMBERS, (2, 3), kind=3), "of type 3 instead of 1"),
        (tensor(NUMBERS, (1 << 40, 1 << 40)), "a tensor of the shape"),
        (tensor(NUMBERS, (1,) * 9), "a tensor of the shape"),
        (tensor(NUMBERS, (0, (1 << 64) - 1)), "a tensor of the shape"),
        (whole(1, DT_FLOAT) + sized(4, b"abc"), "3 bytes of float32"),
        (sized(1, b"x"), "bytes where a number belongs"),
    ],
)
def test_no_tensor(content: bytes, said: str) -> None:
    with pytest.raises(WeightsError) as caught:
        read_floats(Path("graph.pb"), parse_graph(constant("w", content))["w"])
    assert said in caught.value.found


def test_a_node_without_a_tensor() -> None:
    for made in (
        node("w", "Const"),
        node("w", "Const", (), sized(1, b"value") + sized(2, whole(3, 1))),
    ):
        with pytest.raises(ValueError, match=r"no (value|tensor) in w"):
            parse_floats(parse_graph(made)["w"])


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No such file"):
        read_graph(tmp_path / "none.pb")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_graph_or_refused(content: bytes) -> None:
    try:
        graph = parse_graph(content)
    except ValueError:
        return
    assert all(name == item.name for name, item in graph.items())


@given(st.integers(0, len(GRAPH) - 1), st.integers(0, 255))
def test_one_changed_byte_reads_or_is_refused(place: int, value: int) -> None:
    changed = bytearray(GRAPH)
    changed[place] = value
    try:
        graph = parse_graph(bytes(changed))
        shapes = [parse_floats(item).shape for item in graph.values() if "value" in item.attributes]
    except ValueError:
        return
    assert all(np.prod(shape) <= 1 << 28 for shape in shapes)


@given(
    st.lists(
        st.tuples(st.integers(1, 1 << 28), st.integers(0, (1 << 64) - 1) | st.binary(max_size=20))
    )
)
def test_fields_are_read_as_written(written: list[tuple[int, int | bytes]]) -> None:
    message = b"".join(
        whole(number, value) if isinstance(value, int) else sized(number, value)
        for number, value in written
    )
    assert list(fields(memoryview(message))) == written
    for end in range(len(message)):
        try:
            found = list(fields(memoryview(message)[:end]))
        except ValueError:
            continue
        assert found == written[: len(found)]
