"""What one step of the restoring editor's training works on."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """What one step works on; n faces, of which the first ``own`` are to be restored as they are.

    Attributes:
        faces: (n, 3, s, s), RGB from -1 to 1.
        landmarks: (n, 68, 2), pixels, by face parsing.
        visible: (n, 1, s, s), where the edit is laid.
        labels: (n, 13), the attributes of the faces, from -1 to 1.
        asked: (n, 13), the attributes that are asked.
        own: How many faces are to be restored.
        pairs: How many of the others stand in the batch twice: the last ``2 * pairs`` are these,
            twice in order.
        shares: (n,), how much of a second stage's change is laid on, 0 to 1; 0 of those that are to
            be restored.
    """

    faces: Tensor
    landmarks: Tensor
    visible: Tensor
    labels: Tensor
    asked: Tensor
    own: int
    pairs: int
    shares: Tensor
