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

from attrsearch.core.device import device
from attrsearch.core.parallel import network
from attrsearch.editing.attgan_editor import AttganEditor
from attrsearch.editing.crossing import Crossing
from attrsearch.editing.encoded import Encoded
from attrsearch.editing.restoring_editor import RestoringEditor
from attrsearch.editing.two_stage_recipe import TwoStageRecipe

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

        self._crossing = Crossing(
            first.from_crop, first.size, second.from_crop, second.size, device()
        )
        self._strength = recipe.strength

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

        eased = np.ascontiguousarray(attributes[:, :1] * np.float32(self._ease))
        painted = self._first.edit(encoded, eased)

        # the second stage sees the restored face in its picture
        around = encoded.features[0][:, :3]
        restored = torch.lerp(around, painted, self._first.masks(encoded))
        seen = self._crossing.there(restored)
        edited = self.second.edit(self.second.encode(seen), attributes[:, -1:])
        return self._crossing.laid(painted, seen, edited, self._strength).clamp_(-1, 1)

    def masks(self, encoded: Encoded) -> Tensor:
        """Where edits are laid on (n, 1, size, size), 0 to 1, as the first stage says."""
        return self._first.masks(encoded)


def _sha256_of(recipe: TwoStageRecipe, *parts: str) -> str:
    """What decides every edit of a two-stage editor, as one hash."""
    text = f"{recipe.version} {recipe.ease} {recipe.strength} " + " ".join(parts)
    return hashlib.sha256(text.encode()).hexdigest()
