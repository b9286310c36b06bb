"""Detections that are kept on disk, so that the same frames are not looked through a second time.

A frame is known by its pixels, not by its number: whatever was cut, turned or scaled before it
came to the detector is another picture, and is looked at again.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from attrsearch.faces.detection.base import Detections, Detector, Floats, Pictures

FILE = "detections.bin"
MAGIC = b"attrsearch/detections 1\n"
DIGEST = 16
VALUES = 15
"""Numbers of a face: box, probability, five landmarks."""
COUNT = struct.Struct("<I")
LENGTH = struct.Struct("<I")
CHECK = struct.Struct("<I")
"""CRC of a record: a face that a damaged file hides would be shown."""
MAX_FACES = 100_000
"""More faces of one picture than any detector gives: the file is damaged."""


@dataclass
class KeptDetector:
    """A detector that remembers.

    Attributes:
        detector: Looks at what is new.
        known: Digest of a picture to its faces, (k, 15) float32.
        file: Takes what is new.
        name: The detector's.
        min_face: Width in pixels of the smallest face that is looked for; None where it does not
            say.
        looked: How many pictures the detector was shown.
    """

    detector: Detector
    known: dict[bytes, Floats]
    file: BinaryIO
    name: str
    min_face: float | None
    looked: int = 0

    def detect(self, pictures: Pictures) -> list[Detections]:
        """The faces of each picture (n, h, w, 3), RGB, uint8: known ones, or found now."""
        keys = [_digest(picture) for picture in pictures]
        new = [i for i, key in enumerate(keys) if key not in self.known]

        if new:
            self.looked += len(new)
            for i, found in zip(new, self.detector.detect(pictures[new]), strict=True):
                self._keep(keys[i], _packed(found))

        return [_unpacked(self.known[key]) for key in keys]

    def _keep(self, key: bytes, faces: Floats) -> None:
        self.known[key] = faces
        record = key + COUNT.pack(len(faces)) + faces.astype("<f4").tobytes()
        # a full disk costs time later on, not the result
        with suppress(OSError):
            self.file.write(record + CHECK.pack(zlib.crc32(record)))
            self.file.flush()  # what an interrupted scan has found is found


@contextmanager
def keep_detections(
    detector: Detector, place: Path, about: dict[str, object]
) -> Iterator[KeptDetector]:
    """A detector whose detections are kept in a file.

    Args:
        detector: Looks at what is new.
        place: The file; one that is damaged, or of another detector, is begun anew.
        about: What besides the pictures decides what is found.
    """
    head = json.dumps({"detector": detector.name, **about}, sort_keys=True).encode()
    place.parent.mkdir(parents=True, exist_ok=True)
    known, whole = _read(place, head)

    with place.open("r+b" if whole else "wb") as file:
        if whole:
            file.truncate(whole)  # the record that a killed process was writing
            file.seek(whole)
        else:
            file.write(MAGIC + LENGTH.pack(len(head)) + head)

        smallest = getattr(detector, "min_face", None)
        yield KeptDetector(detector, known, file, detector.name, smallest)


def _read(place: Path, head: bytes) -> tuple[dict[bytes, Floats], int]:
    """What a file has, and how many of its bytes are whole; nothing where it is another's."""
    known: dict[bytes, Floats] = {}
    try:
        data = place.read_bytes()
    except OSError:
        return known, 0

    begin = MAGIC + LENGTH.pack(len(head)) + head
    if not data.startswith(begin):
        return known, 0

    at = len(begin)
    while at + DIGEST + COUNT.size <= len(data):
        (count,) = COUNT.unpack_from(data, at + DIGEST)
        start = at + DIGEST + COUNT.size
        end = start + 4 * VALUES * count
        if count > MAX_FACES or end + CHECK.size > len(data):
            break
        # what follows a damaged record cannot be told apart from more damage
        if CHECK.pack(zlib.crc32(data[at:end])) != data[end : end + CHECK.size]:
            break

        faces = np.frombuffer(data[start:end], "<f4").reshape(count, VALUES).astype(np.float32)
        known[data[at : at + DIGEST]] = faces
        at = end + CHECK.size

    return known, at


def _digest(picture: Pictures) -> bytes:
    found = hashlib.blake2b(digest_size=DIGEST)
    # the same bytes in other rows are another picture
    found.update(repr(picture.shape).encode())
    found.update(np.ascontiguousarray(picture).data)
    return found.digest()


def _packed(found: Detections) -> Floats:
    rows = [found.boxes, found.probabilities[:, None], found.landmarks.reshape(-1, 10)]
    return np.concatenate(rows, axis=1).astype(np.float32)


def _unpacked(faces: Floats) -> Detections:
    # copies: whoever changes a detection must not change what is kept
    return Detections(
        faces[:, :4].copy(), faces[:, 4].copy(), faces[:, 5:].reshape(-1, 5, 2).copy()
    )
