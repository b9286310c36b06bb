"""The two-stage editor: a face is restored as somebody else's, then edited by an AttGAN generator.

Neither does it well alone. What a restoring editor paints looks like a person, but keeps hair and
outline of the old one and falls short of the distance. An AttGAN editor takes any face far away,
and leaves marks where it has to take it all the way. After a restoring editor it has less to do.
"""

import hashlib

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from attrsearch.core.device import device
from attrsearch.core.parallel import network
from attrsearch.editing.attgan_editor import AttganEditor
from attrsearch.editing.blending import face_mask
from attrsearch.editing.encoded import Encoded
from attrsearch.editing.restoring_editor import RestoringEditor
from attrsearch.editing.two_stage_recipe import TwoStageRecipe
from attrsearch.faces.alignment import compose, invert
from attrsearch.faces.sampling import sampling_grid

Floats = npt.NDArray[np.float32]


class TwoStageEditor:
    """Two editors as one; see :class:`attrsearch.editing.editor.Editor`.

    It cuts crops and lays edits on as the first does. A set of one pass is given to both stages, of
    a set of two the first pass to the first stage and the second pass to the second.

    Its encoding is the first's: the face itself is not in it.

    Args:
        name: What recipes and commands call it.
        recipe: How the two are joined.
        first: Restores.
        second: Edits what was restored.

    Attributes:
        second: The same.
    """

    def __init__(
        self, name: str, recipe: TwoStageRecipe, first: RestoringEditor, second: AttganEditor
    ) -> None:
        self.name = name
        self.sha256 = _sha256_of(recipe, first.sha256, second.sha256)
        self.size = first.size
        self.dtype = second.dtype
        self.from_crop = first.from_crop
        self.passes = 2
        self.matched = True
        self.turned = False
        self._ease = recipe.ease
        self._first = first
        self.second = second

        # from the first's crop to the second's and back; what lies outside repeats the border
        there = compose(first.from_crop, invert(second.from_crop))
        back = invert(there)
        self._there = self._grid(there, second.size, first.size)
        self._back = self._grid(back, first.size, second.size)
        placed = torch.from_numpy(np.array(face_mask(second.size)))[None, None].to(device())
        mask = grid_sample(placed, self._back, align_corners=False)
        self._weight = mask * recipe.strength

    def encode(self, crops: Tensor) -> Encoded:
        """Encode crops (n, 3, size, size), RGB from -1 to 1, as the first stage does."""
        return self._first.encode(crops)

    @network
    def edit(self, encoded: Encoded, attributes: Floats) -> Tensor:
        """Edit n encoded faces by sets (n, passes, 13).

        Returns:
            (n, 3, size, size), float32, RGB from -1 to 1.
        """
        if len(attributes) == 1:  # a batch of one differs in the last bits
            return self.edit(encoded.take([0, 0]), np.repeat(attributes, 2, 0))[:1]

        count = len(attributes)
        eased = np.ascontiguousarray(attributes[:, :1] * np.float32(self._ease))
        painted = self._first.edit(encoded, eased)

        # the second stage sees the restored face in its picture
        around = encoded.features[0][:, :3]
        restored = torch.lerp(around, painted, self._first.masks(encoded))
        seen = grid_sample(
            restored, self._there.expand(count, -1, -1, -1), "bilinear", "border", False
        )
        edited = self.second.edit(self.second.encode(seen), attributes[:, -1:])

        # what the second stage changed, and not what it gave: resampled twice, that would be soft
        change = grid_sample(
            edited - seen, self._back.expand(count, -1, -1, -1), "bilinear", "border", False
        )
        return (painted + self._weight * change).clamp_(-1, 1)

    def masks(self, encoded: Encoded) -> Tensor:
        """Where edits are laid on (n, 1, size, size), 0 to 1, as the first stage says."""
        return self._first.masks(encoded)

    def _grid(self, inverse: Floats, size: int, source: int) -> Tensor:
        """Where pixels of a crop are read in the other: (1, size, size, 2)."""
        matrix = torch.from_numpy(inverse[None]).to(device())
        return sampling_grid(matrix, size, (source, source))


def _sha256_of(recipe: TwoStageRecipe, *parts: str) -> str:
    """What decides every edit of a two-stage editor, as one hash."""
    text = f"{recipe.version} {recipe.ease} {recipe.strength} " + " ".join(parts)
    return hashlib.sha256(text.encode()).hexdigest()
