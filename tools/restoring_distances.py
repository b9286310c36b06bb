"""How far does a restoring editor take faces from their people?

``python tools/restoring_distances.py PREPARED WEIGHTS [COUNT]``: PREPARED is a folder of
``attrsearch train prepare-tight``, WEIGHTS a restoring editor's file.  The first COUNT (64) faces
are restored by their own attributes and by four sets of the space each, and compared with themselves,
cut as in training.  Spread: standard deviation over the sets of a face.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from attrsearch.editing.editor import load_editor
from attrsearch.training.asked_sets import uniform_sets
from attrsearch.training.dataset import randomness
from attrsearch.training.identity import TightFaceNet, TightSFace
from attrsearch.training.tight_faces import cut, load_tight_faces, to_network

DRAWS = 4


@torch.no_grad()
def main() -> None:
    """Print a row for each recogniser."""
    prepared = load_tight_faces(Path(sys.argv[1]))
    editor = load_editor(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 64
    rows = np.arange(min(count, len(prepared)))

    # as they stand: neither turned, scaled nor shifted
    squares = cut(prepared.take(rows), rows, np.random.default_rng(0), 0, 0, 0)
    faces = to_network(squares.pictures)
    landmarks = torch.from_numpy(squares.landmarks)
    own = torch.from_numpy(squares.attributes) * 2 - 1
    encoded = editor.encode(faces)
    masks = editor.masks(encoded).float().cpu()

    print("| recogniser | own attributes | sets of the space | their spread |")
    print("|---|---|---|---|")
    for recogniser in (TightSFace(), TightFaceNet()):
        before = recogniser.embed(faces, landmarks)
        drawn = [uniform_sets(own, randomness(0, draw)) for draw in range(DRAWS)]
        far = []

        for asked in (own, *drawn):
            painted = editor.edit(encoded, asked[:, None].numpy()).cpu()
            after = recogniser.embed(torch.lerp(faces, painted, masks), landmarks)
            far.append((after - before).norm(dim=1) * recogniser.scale)

        of_own = float(far[0].mean())
        of_sets = torch.stack(far[1:])
        spread = float(of_sets.std(0).mean())
        name = type(recogniser).__name__
        print(f"| {name} | {of_own:.3f} | {float(of_sets.mean()):.3f} | {spread:.3f} |")


if __name__ == "__main__":
    main()
