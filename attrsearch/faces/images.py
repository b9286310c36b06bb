"""Read pictures safely, in a process of its own with limits on time and memory.

Bad files are named in one line.
"""

import atexit
import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

import attrsearch
from attrsearch.core.errors import InputError
from attrsearch.core.names import natural_key, readable
from attrsearch.faces.image_decoder import HAS_ALARM, KNOWN, MAX_PIXELS, MIN_SIDE, READERS

Picture = npt.NDArray[np.uint8]

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".bmp", ".webp", ".tif", ".tiff"}
)
if "AVIF" in KNOWN:
    SUFFIXES |= {".avif"}
if "HEIF" in KNOWN:
    SUFFIXES |= {".heic", ".heif"}
OWN_TYPES = ("uint8", "uint16", "float32")
"""Of values that are no bytes in sRGB."""
SECONDS = 60.0
"""A picture that takes longer to decode is given up; ``ATTRSEARCH_PICTURE_SECONDS`` says otherwise.
"""
VARIABLE = "ATTRSEARCH_PICTURE_SECONDS"
MAX_FILES = 1_000_000
"""Entries of one folder that are looked at."""


def read_picture(path: Path) -> Picture:
    """Read one picture as RGB, uint8, shape (h, w, 3), upright as its EXIF orientation says.

    Raises:
        InputError: Missing, empty, truncated, not a picture, larger than ``MAX_PIXELS``, or one
            that the decoder dies of or does not finish in time.
    """
    return _decoder.ask(path, own=False).pixels


@dataclass(frozen=True)
class Layers:
    """A picture as it was read.

    Attributes:
        pixels: (h, w, 3), RGB, uint8, upright, in sRGB.
        alpha: (h, w), uint8, 0 where the picture cannot be seen; None where it has no such layer.
        frames: How many frames or pages its file has; the first one was read.
        own: Its own values, upright: (h, w) or (h, w, 3 or 4), uint8, uint16 or float32; None where
            they are those of ``pixels``.
        profile: Its colour profile (ICC); empty where it has none.
        converted: Whether ``pixels`` were converted from that profile.
    """

    pixels: Picture
    alpha: Picture | None
    frames: int
    own: npt.NDArray[Any] | None = None
    profile: bytes = b""
    converted: bool = False


def read_layers(path: Path) -> Layers:
    """Read one picture with what lies beside its colours.

    Raises:
        InputError: As :func:`read_picture`.
    """
    return _decoder.ask(path, own=True)


class _Decoder:
    """The process that decodes; started when it is needed, and again after it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def ask(self, path: Path, *, own: bool) -> Layers:
        """A picture as it was read; with its own values and profile where they are asked for."""
        seconds = time_limit()

        with self._lock:
            process = self._running()
            to = cast(IO[bytes], process.stdin)
            back = cast(IO[bytes], process.stdout)
            began = time.monotonic()

            try:
                asked = {"path": str(path.absolute()), "seconds": seconds, "own": own}
                # JSON writes a line break within a name as two characters: a line is a question
                to.write(json.dumps(asked).encode() + b"\n")
                to.flush()
                answer = _answer(back.readline())

                if answer is None or "shape" not in answer:
                    pixels = None
                else:
                    pixels = np.empty(_shape(answer["shape"]), np.uint8)
                    values = _own_values(answer, pixels.shape[:2])
                    for array in (pixels, values):
                        if array is not None and not _fill(back, _bytes_of(array)):
                            answer = None
            except (OSError, ValueError):
                answer = pixels = None
            # interrupted: what it answers next would be about this picture
            except BaseException:
                self.close()
                raise

            if answer is None:
                raise self._died(path, seconds, time.monotonic() - began)

        if pixels is None:
            raise InputError(
                path,
                required=str(answer.get("required", "")),
                found=str(answer.get("found", "")),
                hint=str(answer.get("hint", "")),
            )

        return Layers(
            np.ascontiguousarray(pixels[..., :3]),
            np.ascontiguousarray(pixels[..., 3]) if pixels.shape[2] == 4 else None,
            max(1, int(answer.get("frames", 1))),
            values,
            base64.b64decode(str(answer.get("profile", ""))),
            answer.get("converted") is True,
        )

    def close(self) -> None:
        process = self._process
        self._process = None
        if process is not None:
            process.kill()
            process.communicate()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._process.poll() is not None:
            self.close()

        if self._process is None:
            # the child has to find this package, wherever the parent got it from
            root = str(Path(attrsearch.__file__).parent.parent)
            places = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
            environment = {
                **os.environ,
                "PYTHONPATH": os.pathsep.join(places),
                # each of its threads would take address space, of which the child has little
                "OPENBLAS_NUM_THREADS": "1",
            }
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "attrsearch.faces.image_decoder"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )

        return self._process

    def _died(self, path: Path, seconds: float, waited: float) -> InputError:
        process = self._process
        code = None
        if process is not None:
            process.kill() if process.poll() is None else None
            code = process.wait()

        self.close()
        # without an alarm it ends with a code that other ends have, too
        late = code == -signal.SIGALRM if HAS_ALARM else waited >= seconds
        if late:
            found = f"one that was not decoded in {seconds:g} s"
        else:
            found = f"one that the decoder died of ({_signal(code)})"

        return InputError(
            path, required="a readable picture", found=found, hint="replace or remove the file"
        )


def _answer(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None

    return found if isinstance(found, dict) else None


def _shape(found: Any) -> tuple[int, int, int]:
    """Height, width and channels that an answer may claim.

    Raises:
        ValueError: It may not.
    """
    # a decoder that was taken over could claim any size, and this much memory is reserved
    height, width, channels = map(int, found)
    if min(height, width) < MIN_SIDE or height * width > MAX_PIXELS or channels not in (3, 4):
        raise ValueError("no size of a picture")

    return height, width, channels


def _own_values(answer: dict[str, Any], sides: tuple[int, ...]) -> npt.NDArray[Any] | None:
    """Room for the own values that an answer promises; None where it promises none.

    Raises:
        ValueError: They are not of this picture.
    """
    if "own_shape" not in answer:
        return None

    shape = tuple(map(int, answer["own_shape"]))
    if shape[:2] != sides or shape[2:] not in ((), (3,), (4,)):
        raise ValueError("not the size of the picture")
    if answer.get("own_type") not in OWN_TYPES:
        raise ValueError("no type of a picture")

    return np.empty(shape, answer["own_type"])


def _bytes_of(array: npt.NDArray[Any]) -> memoryview:
    return memoryview(array.reshape(-1).view(np.uint8).data)


def _fill(stream: Any, buffer: memoryview) -> bool:
    """Read as much as the buffer holds; False where the stream ends before."""
    done = 0

    while done < len(buffer):
        # a pipe gives what it holds, which is less than a picture
        count = stream.readinto(buffer[done:])
        if not count:
            return False

        done += count

    return True


def _signal(code: int | None) -> str:
    # a process that a signal killed has its number, negative, as exit code
    if code is not None and -64 < code < 0:
        return signal.Signals(-code).name

    return f"exit code {code}"


def time_limit() -> float:
    """Seconds that decoding a picture may take."""
    try:
        return max(0.1, float(os.environ.get(VARIABLE, "")))
    except ValueError:
        return SECONDS


_decoder = _Decoder()
atexit.register(_decoder.close)


def list_pictures(folder: Path) -> list[Path]:
    """Picture files directly inside a folder, by name.

    Hidden files and links out of the folder are left out.

    Raises:
        InputError: More than ``MAX_FILES`` entries.
    """
    root = folder.resolve()
    found = []

    for number, path in enumerate(folder.iterdir()):
        if number >= MAX_FILES:
            hint = "divide it into several folders"
            raise InputError(folder, required=f"at most {MAX_FILES} files", found="more", hint=hint)

        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue

        if path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(root)):
            found.append(path)

    return sorted(found, key=lambda path: natural_key(path.name))


def tree_pictures(folder: Path) -> list[Path]:
    """Picture files inside a folder and its sub-folders, as :func:`list_pictures` finds them.

    Links to folders are not followed; :func:`left_out` names them.  Runs inside are no input.
    """
    found = list_pictures(folder)
    children = sorted(folder.iterdir(), key=lambda path: natural_key(path.name))

    for child in children:
        if child.is_dir() and not child.is_symlink() and not child.name.startswith("."):
            # a run holds edits: searched, they would be people of their own
            found += [] if is_run(child) else tree_pictures(child)

    return found


def is_run(folder: Path) -> bool:
    """Whether a folder is what ``attrsearch run`` wrote: its pictures are nobody's input."""
    return (folder / "run.toml").is_file()


NOTES = frozenset({".csv", ".json", ".log", ".md", ".py", ".toml", ".txt", ".xml", ".yaml", ".yml"})
"""Kinds of files that lie beside pictures and hold none: nobody misses them."""


def left_out(folder: Path, taken: Iterable[Path]) -> list[Path]:
    """Entries of a folder and its sub-folders that were not taken.

    Other kinds of files, links that lead elsewhere.

    Hidden entries (a leading dot), notes and runs are meant to be left out and are not named.
    """
    known = set(taken)
    found = []

    for path in sorted(folder.iterdir(), key=lambda path: natural_key(path.name)):
        if (
            path.name.startswith((".", "__pycache__"))
            or path in known
            or path.suffix.lower() in NOTES
        ):
            continue

        if path.is_dir() and not path.is_symlink():
            found += [] if is_run(path) else left_out(path, known)
        else:
            found.append(path)

    return found


def say_left_out(folder: Path, entries: Sequence[Path], shown: int = 5) -> str:
    """One line that names what was left out of a folder.

    >>> say_left_out(Path("faces"), [Path("faces/a.doc"), Path("faces/b.mp4")])
    '2 entries of faces left out, which are no pictures that can be read: a.doc, b.mp4'
    """
    names = ", ".join(readable(str(path.relative_to(folder))) for path in entries[:shown])
    more = " …" if len(entries) > shown else ""
    count = f"{len(entries)} entries" if len(entries) > 1 else "1 entry"
    which = "which are no pictures" if len(entries) > 1 else "which is no picture"
    # what this installation does not read, but another could, is said with what to do about it
    kinds = {path.suffix.lower() for path in entries}
    advice = [f"{kind}: {READERS[kind]}" for kind in sorted(kinds & READERS.keys() - SUFFIXES)]
    todo = f" ({'; '.join(advice)})" if advice else ""

    return f"{count} of {folder} left out, {which} that can be read: {names}{more}{todo}"
