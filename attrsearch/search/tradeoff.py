"""A scatter of trials as SVG: what is kept of the face against the distance from its person."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from attrsearch.core.errors import InputError
from attrsearch.core.files import write_text

WIDTH = 640
HEIGHT = 400
LEFT = 56
BOTTOM = 48
EDGE = 16
MAX_POINTS = 5000
"""More trials than this are drawn thinned out, evenly; winners are always drawn."""
FEASIBLE = "#0072b2"
OTHERS = "#9a9a9a"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Drawing:
    """An SVG drawing; notebooks show it."""

    svg: str
    points: int

    def __repr__(self) -> str:
        return f"Drawing({self.points} points; .save('a.svg') keeps it)"

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> None:
        """Write it as a file.

        Raises:
            OutputError: It cannot be written.
        """
        write_text(Path(path), self.svg + "\n")


@dataclass(frozen=True)
class Axis:
    """Values to pixels, from the least to the greatest."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, values: Floats, start: float, end: float) -> "Axis":
        """An axis that holds all values, with a little room."""
        low = float(values.min())
        high = float(values.max())
        # an axis of one value has to have a width, too
        room = 0.05 * (high - low) or 0.05

        return cls(low - room, high + room, start, end)

    def __call__(self, value: float) -> float:
        """Where a value is drawn, in pixels."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """About five round values.

        >>> Axis(0.0, 1.0, 0, 100).ticks()
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        """
        rough = (self.high - self.low) / 5
        power = 10.0 ** np.floor(np.log10(rough))
        step = power * min((1, 2, 5, 10), key=lambda factor: abs(factor * power - rough))
        first = np.ceil(self.low / step - 1e-9)
        last = np.floor(self.high / step + 1e-9)

        # 0.0 is added because -0.0 would be written with its sign
        return [round(float(n * step), 10) + 0.0 for n in np.arange(first, last + 1)]


def draw_tradeoff(trials: pd.DataFrame, winners: Mapping[str, int]) -> Drawing:
    """Draw measured trials: distance across, detection probability times IoU upwards.

    Args:
        trials: With the columns of ``trials.parquet``.
        winners: Trial number of everybody's winner.

    Raises:
        InputError: Nothing was measured.
    """
    measured = trials[trials["evaluated"].astype(bool)]
    if measured.empty:
        hint = "search somebody first"
        raise InputError("tradeoff", required="measured trials", found="none", hint=hint)

    wins = measured["identity"].map(winners).eq(measured["trial"]).to_numpy()
    thinned = np.zeros(len(measured), bool)
    thinned[:: -(-len(measured) // MAX_POINTS)] = True
    # winners last, so that they lie above the others
    rows = pd.concat([measured[thinned & ~wins], measured[wins]])
    kept = (rows["detection"] * rows["iou"]).to_numpy(np.float64)
    distance = rows["distance"].to_numpy(np.float64)
    across = Axis.over(distance, LEFT, WIDTH - EDGE)
    upwards = Axis.over(kept, HEIGHT - BOTTOM, EDGE)
    parts = _frame(across, upwards)
    last = len(rows) - int(wins.sum())

    for number, row in enumerate(rows.itertuples()):
        colour = FEASIBLE if row.feasible else OTHERS
        ring = ' stroke="#000" stroke-width="1.5" r="5"' if number >= last else ' r="2.5"'
        name = html.escape(f"{row.identity}, trial {row.trial}")
        x = across(distance[number])
        y = upwards(kept[number])
        label = f"<title>{name}: distance {distance[number]:.3f}, kept {kept[number]:.3f}</title>"
        parts.append(f'<circle cx="{x}" cy="{y}" fill="{colour}"{ring}>{label}</circle>')

    parts.append("</svg>")
    return Drawing("\n".join(parts), len(rows))


def _frame(across: Axis, upwards: Axis) -> list[str]:
    """The beginning of the drawing: axes, ticks, names and the legend."""
    base = HEIGHT - BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="sans-serif" font-size="12" role="img" '
        'aria-label="What is kept of faces against their distance from their people">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<path d="M{LEFT} {EDGE}V{base}H{WIDTH - EDGE}" fill="none" stroke="#444"/>',
    ]

    for value in across.ticks():
        x = across(value)
        parts.append(f'<path d="M{x} {base}v4" stroke="#444"/>')
        parts.append(f'<text x="{x}" y="{base + 17}" text-anchor="middle">{value:g}</text>')

    for value in upwards.ticks():
        y = upwards(value)
        parts.append(f'<path d="M{LEFT} {y}h-4" stroke="#444"/>')
        parts.append(f'<text x="{LEFT - 7}" y="{y + 4}" text-anchor="end">{value:g}</text>')

    middle = (LEFT + WIDTH - EDGE) / 2
    name = "distance from the person (FaceNet scale)"
    parts.append(f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">{name}</text>')
    height = (base + EDGE) / 2
    turned = f'transform="rotate(-90 14 {height})"'
    parts.append(f'<text x="14" y="{height}" text-anchor="middle" {turned}>detection × IoU</text>')
    said = (("meets every constraint", FEASIBLE), ("does not", OTHERS))

    for number, (word, colour) in enumerate(said):
        x = WIDTH - 250 + 160 * number
        parts.append(f'<circle cx="{x}" cy="{EDGE}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 8}" y="{EDGE + 4}">{word}</text>')

    return parts
