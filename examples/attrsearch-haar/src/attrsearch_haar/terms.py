"""An objective term."""

import numpy as np
import numpy.typing as npt

from attrsearch.search.terms import FaceScores


def kept(scores: FaceScores) -> npt.NDArray[np.float32]:
    """How much of a face is kept for a detector: its probability times the IoU, (n, f)."""
    return scores.detection * scores.iou
