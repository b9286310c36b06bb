"""Damaged and malicious files, made from synthetic ones.

``python -m tests.untrusted.mutations COUNT`` tries many.

Every file must be read or refused in one line, in bounded time, by a process that lives on.
"""

import io
import random
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from attrsearch.core.errors import AttrsearchError
from attrsearch.faces.images import read_picture

Mutation = Callable[[bytes, random.Random], bytes]


def pictures() -> dict[str, bytes]:
    """A small picture in every format that is read."""
    pixels = np.random.default_rng(0).integers(0, 255, (40, 48, 3), np.uint8)
    pixels[8:32] = np.linspace(0, 255, 48, dtype=np.uint8)[:, None]
    kinds: dict[str, dict[str, object]] = {
        "a.jpg": {"format": "JPEG", "quality": 80},
        "progressive.jpg": {"format": "JPEG", "progressive": True, "exif": _exif()},
        "a.png": {"format": "PNG"},
        "palette.png": {"format": "PNG"},
        "a.bmp": {"format": "BMP"},
        "a.webp": {"format": "WEBP", "quality": 80},
        "a.tif": {"format": "TIFF", "compression": "tiff_lzw"},
        "deflate.tif": {"format": "TIFF", "compression": "tiff_deflate"},
    }
    found = {}
    for name, options in kinds.items():
        buffer = io.BytesIO()
        image = Image.fromarray(pixels)
        (image.convert("P") if name == "palette.png" else image).save(buffer, **options)
        found[name] = buffer.getvalue()
    return found


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def truncate(data: bytes, random: random.Random) -> bytes:
    return data[: random.randrange(len(data))]


def flip_bits(data: bytes, random: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 8, 64))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def flip_header(data: bytes, random: random.Random) -> bytes:
    """The first bytes hold sizes, offsets and counts."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 4))):
        changed[random.randrange(min(80, len(changed)))] = random.choice(
            (0, 1, 127, 128, 255, random.randrange(256))
        )
    return bytes(changed)


def large_numbers(data: bytes, random: random.Random) -> bytes:
    changed = bytearray(data)
    kind = random.choice(("<I", ">I", "<H", ">H"))
    value = random.choice((0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 100_000)) & (
        2 ** (8 * struct.calcsize(kind)) - 1
    )
    place = random.randrange(max(1, min(len(changed), 400) - 4))
    changed[place : place + struct.calcsize(kind)] = struct.pack(kind, value)
    return bytes(changed)


def cut_out(data: bytes, random: random.Random) -> bytes:
    start = random.randrange(len(data))
    return data[:start] + data[start + random.randrange(1, 200) :]


def repeat(data: bytes, random: random.Random) -> bytes:
    start = random.randrange(len(data))
    piece = data[start : start + random.randrange(1, 300)]
    return data[:start] + piece * random.choice((2, 10, 200)) + data[start:]


def zeros(data: bytes, random: random.Random) -> bytes:
    start = random.randrange(len(data))
    size = random.randrange(1, 200)
    return data[:start] + b"\0" * size + data[start + size :]


def crossed(data: bytes, random: random.Random) -> bytes:
    """The beginning of one format, the end of another."""
    other = random.choice(list(pictures().values()))
    return data[: random.randrange(len(data))] + other[random.randrange(len(other)) :]


MUTATIONS: tuple[Mutation, ...] = (
    *(truncate, flip_bits, flip_header, large_numbers),
    *(cut_out, repeat, zeros, crossed),
)


def png_bomb(side: int = 30_000) -> bytes:
    """A picture that claims more pixels than it should, in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    packed = zlib.compress(b"\0" * 1_000_000, 9)
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def scan_bomb(side: int = 9_000, scans: int = 3_000) -> bytes:
    """A progressive JPEG of few bytes whose last scan comes thousands of times.

    Each is a pass over all blocks.
    """
    buffer = io.BytesIO()
    Image.new("L", (side, side), 128).save(buffer, "JPEG", progressive=True, quality=50)
    data = buffer.getvalue()
    start = data.rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * scans + data[-2:]


def mutants(files: dict[str, bytes], count: int, seed: int = 0) -> Iterator[tuple[str, str, bytes]]:
    """Name, mutation and bytes of damaged files."""
    generator = random.Random(seed)
    names = sorted(files)
    for number in range(count):
        name, mutation = names[number % len(names)], generator.choice(MUTATIONS)
        yield name, mutation.__name__, mutation(files[name], generator)


def main(count: int, seed: int = 0) -> None:
    """Try many pictures, and print what became of them."""
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name, _, data in mutants(pictures(), count, seed):
            path = Path(folder) / name
            path.write_bytes(data)
            start = time.perf_counter()
            try:
                read_picture(path)
                outcomes["read"] += 1
            except AttrsearchError as error:
                died = "decoder died" in error.found or "not decoded in" in error.found
                outcomes["decoder died or too slow" if died else "refused in one line"] += 1
                assert "\n" not in str(error)
            slowest = max(slowest, time.perf_counter() - start)
        assert {path.name for path in Path(folder).iterdir()} <= set(pictures())
    print(
        f"{count} pictures from {len(MUTATIONS)} mutations of {len(pictures())} files, seed {seed}"
    )
    for outcome, number in outcomes.most_common():
        print(f"{outcome}: {number}")
    print(f"slowest: {slowest:.2f} s")


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 1000,
        int(sys.argv[2]) if len(sys.argv) > 2 else 0,
    )
