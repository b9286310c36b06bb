"""What became of the faces of footage, in words, and what can be done about those that were filtered."""

from collections.abc import Mapping

HOW = {"edited": "edited", "warped": "carried on", "filtered": "filtered", "replaced": "replaced"}
"""A cover to the word for it."""
ADVICE = {
    "too small": "--min-face lowers the width from which faces are edited",
    "turned": "a profile cannot be edited so that it looks like one",
    "no landmarks": "eyes, nose and mouth are hidden, or not seen yet",
    "never seen well": "no look at them is wide and frontal enough to find a set by; a nearer take helps",
    "no feasible set": "search longer with --trials, or give the export of everybody in it with --match",
    "not verified": "every set still verified against the original there; a search with more --trials finds others",
}


def summarise(counts: Mapping[str, int]) -> str:
    """How many faces were covered in which way.

    >>> summarise({"filtered": 3, "edited": 12, "warped": 1})
    'faces 12 edited, 1 carried on, 3 filtered'
    >>> summarise({})
    'no face in it'
    """
    parts = [f"{counts[how]} {word}" for how, word in HOW.items() if counts.get(how)]
    return f"faces {', '.join(parts)}" if parts else "no face in it"


def advise(reasons: Mapping[str, int]) -> list[str]:
    """A line for every reason for which faces were filtered, the most frequent first.

    >>> advise({"too small": 2, "turned": 5})[1]
    'filtered, too small: 2 (--min-face lowers the width from which faces are edited)'
    """
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return [
        f"filtered, {reason}: {count} ({ADVICE[reason]})"
        for reason, count in ordered
        if reason in ADVICE
    ]
