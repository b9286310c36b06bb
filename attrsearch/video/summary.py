"""What became of the faces of footage, in words, and what can be done about filtered ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from attrsearch.video.render import RenderedFace

HOW = {"edited": "edited", "warped": "carried on", "filtered": "filtered", "replaced": "replaced"}
"""A cover to the word for it."""
ADVICE = {
    "too small": "--min-face lowers the width from which faces are edited",
    "turned": "a profile cannot be edited so that it looks like one",
    "no landmarks": "eyes, nose and mouth are hidden, or not seen yet",
    "hidden": "too little of the face shows: a hand, hair or another head is before it",
    "never seen well": "no look is wide and frontal enough to find a set by; a nearer take helps",
    "no feasible set": "search longer with --trials, or give everybody's export with --match",
    "not verified": "every set still verified there; a search with more --trials finds others",
}
FILTERED = ("filtered", "replaced")


@dataclass
class CoverageSummary:
    """How the faces of footage were covered.

    Attributes:
        frames: How many were written.
        counts: How faces were covered, and how often.
        reasons: Why faces were filtered, and how often.
        switches: How often a face went from edit to filter or back from one frame to the next.
        smallest: Width in pixels from which faces were looked for; None where that is not known.
        unread: Frames that could not be read: nothing was looked for in them, and they are not in
            the output.
    """

    frames: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    switches: int = 0
    smallest: float | None = None
    unread: int = 0
    _before: dict[int, tuple[int, bool]] = field(default_factory=dict, repr=False)

    def add(self, frame: int, covered: Iterable[RenderedFace]) -> None:
        """Take the faces of a frame."""
        self.frames += 1
        now: dict[int, tuple[int, bool]] = {}

        for item in covered:
            self.counts[item.how] = self.counts.get(item.how, 0) + 1
            is_filtered = item.how in FILTERED
            if is_filtered:
                self.reasons[item.reason] = self.reasons.get(item.reason, 0) + 1

            last, was_filtered = self._before.get(item.face.key, (-1, is_filtered))
            if last == frame - 1 and was_filtered is not is_filtered:
                self.switches += 1

            now[item.face.key] = (frame, is_filtered)

        # a face that was not in this frame switches nothing in the next one
        self._before = now


def summarise(counts: Mapping[str, int]) -> str:
    """How many faces were covered in which way.

    >>> summarise({"filtered": 3, "edited": 12, "warped": 1})
    'faces 12 edited, 1 carried on, 3 filtered'
    >>> summarise({})
    'no face in it'
    """
    parts = [f"{counts[how]} {word}" for how, word in HOW.items() if counts.get(how)]
    return f"faces {', '.join(parts)}" if parts else "no face in it"


def count_things(asked: Sequence[str], counts: Mapping[str, int]) -> str:
    """How often something of each further class was filtered.

    Args:
        asked: The classes as they were asked for, ``LABEL=DETECTOR``.
        counts: Label to how often.

    >>> count_things(["plate=plates.xml", "head=heads:a.onnx"], {"plate": 12})
    'also filtered: 12 plate, no head'
    """
    labels = dict.fromkeys(text.partition("=")[0] for text in asked)
    words = [f"{counts.get(label) or 'no'} {label}" for label in labels]
    return f"also filtered: {', '.join(words)}"


def advise(reasons: Mapping[str, int]) -> list[str]:
    """A line for every reason for which faces were filtered, the most frequent first.

    >>> advise({"too small": 2, "turned": 5})[1]
    'filtered, too small: 2 (--min-face lowers the width from which faces are edited)'
    """
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    lines = []
    for reason, count in ordered:
        # for some reasons there is nothing that anybody could do
        if reason in ADVICE:
            lines.append(f"filtered, {reason}: {count} ({ADVICE[reason]})")

    return lines


def unsearched(summary: CoverageSummary) -> str:
    """What was not looked at, to end a line with.

    >>> unsearched(CoverageSummary(frames=9, smallest=10.0, unread=2))
    '; not searched: faces narrower than 10 pixels, 2 of 11 frames (unreadable, not in the output)'
    >>> unsearched(CoverageSummary(frames=9))
    ''
    """
    parts: list[str] = []
    if summary.smallest:
        parts.append(f"faces narrower than {summary.smallest:g} pixels")

    if summary.unread:
        total = summary.frames + summary.unread
        parts.append(f"{summary.unread} of {total} frames (unreadable, not in the output)")

    return f"; not searched: {', '.join(parts)}" if parts else ""
