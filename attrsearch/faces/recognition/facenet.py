"""FaceNet (InceptionResnetV1 of facenet-pytorch), the recogniser of the thesis.

Source: Schroff et al., "FaceNet", 2015.  Weights come from a path, from torch's cache, or are
downloaded once.
"""

import os
import pickle
import urllib.error
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from attrsearch.core.errors import UnavailableError, WeightsError
from attrsearch.core.files import write_bytes
from attrsearch.core.parallel import network
from attrsearch.core.precision import Precision, choose_dtype
from attrsearch.core.weights import file_sha256

RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9"
FILES = {
    "facenet-vggface2": ("20180402-114759-vggface2.pt", 8631),
    "facenet-casia": ("20180408-102900-casia-webface.pt", 10575),
}
SIZE = 160
CHUNK = 32


class FaceNet:
    """FaceNet on the detected box, resized to 160 x 160.

    Args:
        name: ``facenet-vggface2`` or ``facenet-casia``.
        weights: A ``.pt`` file of facenet-pytorch; otherwise torch's cache, otherwise a download.

    Raises:
        UnavailableError: The weights are in none of those places.
        WeightsError: The file holds something else.
    """

    def __init__(
        self,
        name: str,
        weights: Path | None = None,
        precision: Precision = "auto",
        download: bool = True,
    ) -> None:
        from facenet_pytorch import InceptionResnetV1  # noqa: PLC0415 - slow import

        self.name = name
        path = find_weights(name, weights, download)
        self.sha256 = file_sha256(path)
        try:
            state: Any = torch.load(path, map_location="cpu", weights_only=True)
            network = InceptionResnetV1(pretrained=None)
            network.load_state_dict(
                {key: value for key, value in state.items() if not key.startswith("logits.")}
            )
        except (
            pickle.UnpicklingError,
            RuntimeError,
            EOFError,
            AttributeError,
            ValueError,
        ) as error:
            reason = str(error).splitlines()[0][:120]
            hint = "fetch it again: attrsearch models fetch " + name
            raise WeightsError(
                path, required="weights of InceptionResnetV1", found=reason, hint=hint
            ) from error
        self._dtype = choose_dtype(precision)
        self._network = network.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    @network
    def embed(
        self, pictures: npt.NDArray[np.uint8], boxes: npt.NDArray[np.float32], landmarks: object
    ) -> npt.NDArray[np.float32]:
        """Embed one face of each picture (n, h, w, 3); only the boxes are used.

        Returns (n, 512).
        """
        del landmarks
        rows = []
        for start in range(0, len(pictures), CHUNK):
            part = range(start, min(start + CHUNK, len(pictures)))
            faces = np.stack([_cut(pictures[i], boxes[i]) for i in part])
            if len(faces) == 1:
                faces = np.repeat(faces, 2, 0)
            batch = (
                torch.from_numpy(faces).permute(0, 3, 1, 2).to(memory_format=torch.channels_last)
            )
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._dtype == torch.bfloat16):
                embedded = self._network((batch - 127.5) / 128.0)
            rows.append(torch.nn.functional.normalize(embedded.float(), dim=1)[: len(part)])
        return torch.cat(rows).numpy() if rows else np.zeros((0, 512), np.float32)


def find_weights(name: str, given: Path | None = None, download: bool = True) -> Path:
    """Path of FaceNet weights: the given file, torch's cache, or a download into that cache.

    Raises:
        UnavailableError: In none of those places.
    """
    if given is not None:
        return given
    file = FILES[name][0]
    cached = torch_home() / "checkpoints" / file
    if cached.is_file():
        return cached
    reason = "not in the cache"
    if download and os.environ.get("ATTRSEARCH_OFFLINE", "") in ("", "0"):
        try:
            cached.parent.mkdir(parents=True, exist_ok=True)
            _download(f"{RELEASE}/{file}", cached)
        except (OSError, urllib.error.URLError) as error:
            reason = f"not in the cache, and the download failed: {getattr(error, 'reason', error)}"
        else:
            return cached
    raise UnavailableError(
        name,
        required=f"its weights at {cached}",
        found=reason,
        hint=f"attrsearch models fetch {name} --from PATH",
    )


def install_weights(name: str, source: Path | None) -> Path:
    """Put FaceNet weights into torch's cache, from a file or their release, and check them.

    Raises:
        UnavailableError: The download failed.
        WeightsError: The file holds something else.
    """
    if source is not None:
        FaceNet(name, source)
        target = torch_home() / "checkpoints" / FILES[name][0]
        write_bytes(target, source.read_bytes())
        return target
    path = find_weights(name)
    FaceNet(name, path)
    return path


def torch_home() -> Path:
    """Torch's cache folder, as facenet-pytorch finds it."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", f"{cache}/torch")).expanduser()


def _download(address: str, target: Path) -> None:
    """Download to a temporary name, then move; a stalled connection gives up after ten seconds."""
    from urllib.request import urlopen  # noqa: PLC0415

    part = target.with_suffix(".part")
    try:
        with urlopen(address, timeout=10) as source, part.open("wb") as file:  # noqa: S310 - a constant https address
            while block := source.read(1 << 20):
                file.write(block)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _cut(picture: npt.NDArray[np.uint8], box: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The box cut at whole pixels and resized, as facenet-pytorch's ``extract_face`` does."""
    height, width = picture.shape[:2]
    left, top = np.clip(box[:2].astype(int), 0, (width - 1, height - 1))
    right, bottom = np.clip(box[2:].astype(int), (left + 1, top + 1), (width, height))
    resized = cv2.resize(
        picture[top:bottom, left:right], (SIZE, SIZE), interpolation=cv2.INTER_AREA
    )
    return np.asarray(resized, np.float32)
