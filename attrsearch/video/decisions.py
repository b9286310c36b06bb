"""Where a face is edited and where it is filtered: one decision for as long as possible.

Frame by frame, a head that turns at the limit, or a face as wide as the least width, comes and
goes: edit, blur, edit. Over a file the whole way of a face is known, so what is shown is chosen for
all of its frames at once: every frame in which an edit would do, and is not shown, costs one, every
frame in which it would not do, and is shown, costs one as well, and so much more does every change
that a short stretch goes with what is around it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from attrsearch.video.placing import belong
from attrsearch.video.reasons import Reason
from attrsearch.video.tracking.best_shots import residual, turn, turn_limits
from attrsearch.video.trajectories import TrackedBox

Floats = npt.NDArray[np.float32]
SMALLEST_EDIT = 20.0
"""Faces narrower than this many pixels are filtered, not edited."""
MAX_FRAMES_FROM_DETECTION = 3
"""Further from where it was seen than this many frames, a face may be behind something; no edit is
put on that, unless the editor lays it on visible skin only."""
SWITCH = 6.0
"""What a change between edit and filter costs, in frames: what lasts less than twice as long goes
with what is around it."""
SLACK = 0.15
"""By how much, as a share, a face may be below the least width or beyond the limit of turning in
frames that go with what is around them."""
NEVER = 1e6
"""Cost of an edit where none can be."""


@dataclass(frozen=True)
class EditLimits:
    """What faces can be edited.

    Attributes:
        smallest: Least width in pixels.
        keeps_pose: Whether the editor keeps the pose of heads that look far aside, and lays its
            edits on visible skin only.
    """

    smallest: float = SMALLEST_EDIT
    keeps_pose: bool = False


def is_in_view(face: TrackedBox) -> bool:
    """Whether a face is likely to show.

    Before its first sighting, and long after one, it may be behind something.
    """
    return face.source != "extended" and face.frames_from_detection <= MAX_FRAMES_FROM_DETECTION


def obstacle(face: TrackedBox, limits: EditLimits, *, begun: bool) -> Reason:
    """Why a face cannot be edited in a frame, taken by itself; empty where it can.

    Args:
        face: The face.
        limits: Of what can be edited.
        begun: Whether it was edited in the frame before: it then bears a little more of a turn.
    """
    if face.box[2] - face.box[0] < limits.smallest:
        return "too small"
    if not is_in_view(face) or not np.isfinite(face.landmarks).all():
        return "no landmarks"

    # steadied over time where the whole way is known: one bad frame ends no edit
    aside = turn(face.landmarks) if face.turn is None else face.turn
    most = turn_limits(keeps_pose=limits.keeps_pose, begun=begun)
    if aside >= most.turn or residual(face.landmarks) >= most.residual:
        return "turned"

    return "" if belong(face.landmarks, face.box) else "no landmarks"


def plan_edits(way: Sequence[TrackedBox], limits: EditLimits) -> list[Reason]:
    """Why a face is not edited, for every frame of its way; empty where it is to be.

    Args:
        way: The face in frames that follow each other.
        limits: Of what can be edited.
    """
    reasons: list[Reason] = []
    costs = np.zeros((len(way), 2))

    for place, face in enumerate(way):
        reason, as_edit, as_filter = _weigh(face, limits)
        reasons.append(reason)
        costs[place] = as_edit, as_filter

    filtered = cheapest(costs, SWITCH)
    planned: list[Reason] = []

    # a frame that is filtered for the sake of its neighbours has their reason
    for is_filtered, group in groupby(range(len(way)), key=lambda place: bool(filtered[place])):
        places = list(group)
        own = Counter(reasons[place] for place in places if reasons[place])
        usual = own.most_common(1)[0][0] if own else "turned"
        planned += [(reasons[p] or usual) if is_filtered else "" for p in places]

    return planned


def cheapest(costs: npt.NDArray[np.float64], switch: float) -> list[int]:
    """The state of every frame, 0 or 1, so that all costs and changes are cheapest together.

    Args:
        costs: Of either state in every frame (n, 2).
        switch: Of a change.

    >>> once, twice = np.array([[0, 1]] * 9), np.array([[1, 0]] * 3)
    >>> cheapest(np.concatenate([once, twice, once]).astype(float), 2.0) == [0] * 21
    True
    >>> sum(cheapest(np.concatenate([once, twice, twice, once]).astype(float), 2.0))
    6
    """
    if not len(costs):
        return []

    total = costs[0].copy()
    came_from = np.zeros((len(costs), 2), np.int64)

    for place in range(1, len(costs)):
        # Viterbi's algorithm over two states; of two ways that cost the same, the one without a
        # change
        changed = total[::-1] + switch < total
        came_from[place] = np.where(changed, [1, 0], [0, 1])
        total = np.where(changed, total[::-1] + switch, total) + costs[place]

    # from the end, where it is known which way was the cheapest
    states = [int(total.argmin())]
    for place in range(len(costs) - 1, 0, -1):
        states.append(int(came_from[place, states[-1]]))

    return states[::-1]


def _weigh(face: TrackedBox, limits: EditLimits) -> tuple[Reason, float, float]:
    """What speaks against an edit in a frame, and what an edit and a filter cost there."""
    reason = obstacle(face, limits, begun=False)
    if not reason:
        return "", 0.0, 1.0

    # within the limits of one that is edited already: either will do
    if not obstacle(face, limits, begun=True):
        return reason, 0.0, 0.0

    return reason, (1.0 if _is_bearable(face, reason, limits) else NEVER), 0.0


def _is_bearable(face: TrackedBox, reason: Reason, limits: EditLimits) -> bool:
    """Whether a face might be edited, or carried on, for a few frames in spite of its obstacle."""
    # beyond its sightings something else may stand there
    if face.source == "extended":
        return False

    # an editor that lays its edits on visible skin only does no harm to what hides a face
    if not is_in_view(face):
        return limits.keeps_pose

    if reason == "too small":
        return bool(face.box[2] - face.box[0] >= (1 - SLACK) * limits.smallest)

    if reason == "turned":
        aside = turn(face.landmarks) if face.turn is None else face.turn
        most = turn_limits(keeps_pose=limits.keeps_pose, begun=True)
        return bool(
            aside < (1 + SLACK) * most.turn
            and residual(face.landmarks) < (1 + SLACK) * most.residual
        )

    return True
