"""What every editor can do, and how one is loaded by name or path.

Three kinds exist: an AttGAN generator (``base``, ``thesis``, ``anonymiser``, published
checkpoints), a restoring editor, and one of two stages, which is a restoring editor and an AttGAN
generator after it. They differ in how a face is cut, in how many passes they make, and in where
their edits are laid on.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attrsearch.core.errors import WeightsError
from attrsearch.core.plugins import made
from attrsearch.core.precision import Precision
from attrsearch.core.weights import DEFAULT_EDITOR
from attrsearch.editing.attgan_editor import AttganEditor, Realigner
from attrsearch.editing.checkpoints import attgan_of
from attrsearch.editing.encoded import Encoded
from attrsearch.editing.installed import Located, locate
from attrsearch.editing.kinds import kind_of
from attrsearch.editing.restoring_editor import RestoringEditor
from attrsearch.editing.restoring_file import restoring_of
from attrsearch.editing.two_stage import TwoStageEditor
from attrsearch.editing.two_stage_recipe import SUFFIX, read_two_stage

Floats = npt.NDArray[np.float32]


class Editor(Protocol):
    """Lays attribute sets on faces, in batches.

    An edit depends on the face and its set only, to the bit: not on what else is in the batch.

    Attributes:
        name: What recipes and commands call it.
        sha256: Of its file.
        size: Side of its crops, in pixels.
        dtype: What it computes in.
        from_crop: Transform (2, 3) from pixels of the usual crop of 128 to pixels of its own.
        passes: How many passes it makes at most.
        matched: Whether its edits are given the picture's grain and sharpness where they are laid
            on.
        turned: Whether its edits keep the pose of heads that look far aside.
    """

    name: str
    sha256: str
    size: int
    dtype: torch.dtype
    from_crop: Floats
    passes: int
    matched: bool
    turned: bool

    def encode(self, crops: Tensor) -> Encoded:
        """Encode its crops (n, 3, size, size), RGB from -1 to 1.

        All that is the same for every set.
        """
        ...

    def edit(self, encoded: Encoded, attributes: Floats) -> Tensor:
        """Edit n encoded faces by sets (n, passes, 13).

        Returns:
            (n, 3, size, size), float32, RGB from -1 to 1.
        """
        ...

    def masks(self, encoded: Encoded) -> Tensor:
        """Where edits are laid on (n, 1, size, size), float32, 0 to 1."""
        ...


def load_editor(
    name: str = DEFAULT_EDITOR, precision: Precision = "auto", realign: Realigner | None = None
) -> Editor:
    """The editor of that bundled or installed name, or of a path.

    Args:
        name: A bundled or installed name, or the path of a file.
        precision: ``auto`` uses bfloat16 where the processor is faster with it.
        realign: Align anew between two passes.

    >>> load_editor("base").size
    128

    Raises:
        WeightsError: Unknown, damaged or foreign weights, or a second alignment for an editor of
            one pass.
    """
    try:
        where = locate(name)
    except WeightsError:
        plugged: Editor | None = made("editor", name)
        if plugged is None:
            raise
        return plugged

    if where.path.suffix == SUFFIX:
        return _two_stage(where, precision, realign)

    if kind_of(where) != "a restoring editor":
        return AttganEditor(attgan_of(where), precision, realign)

    _refuse_second_alignment(name, realign)
    return RestoringEditor(restoring_of(where), precision)


def with_second_stage(editor: Editor) -> list[Editor]:
    """An editor, and of one of two stages the second alone, too.

    It takes any face far away, also a small one, of which the first stage keeps too much; and
    leaves marks on it.
    """
    return [editor, editor.second] if isinstance(editor, TwoStageEditor) else [editor]


def _two_stage(where: Located, precision: Precision, realign: Realigner | None) -> TwoStageEditor:
    """The editor of a recipe that names two others."""
    _refuse_second_alignment(where.name, realign)
    recipe = read_two_stage(where)
    first = RestoringEditor(restoring_of(locate(recipe.first)), precision)
    second = AttganEditor(attgan_of(locate(recipe.second)), precision)
    return TwoStageEditor(where.name, recipe, first, second)


def _refuse_second_alignment(name: str, realign: Realigner | None) -> None:
    if realign is not None:
        hint = "leave the second alignment out, or choose an editor of two passes such as thesis"
        raise WeightsError(
            name,
            required="an AttGAN editor of two passes",
            found="a restoring one, or one of two stages",
            hint=hint,
        )
