"""Charts as SVG, readable on light and dark pages alike: lines, points, and matrices."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import cv2
import numpy as np
import numpy.typing as npt

COLOURS = ("#0a6b5d", "#b8460e", "#3a5fa8", "#8c3f86", "#7a6a00", "#4d5960", "#1b1f23")
WIDTH = 760
HEIGHT = 430
LEFT = 64
RIGHT = 24
TOP = 26
BOTTOM = 54
STYLE = (
    "text{font:13px system-ui,-apple-system,Segoe UI,Roboto,sans-serif;fill:#1b1f23}"
    ".s{fill:#59636c;font-size:12px}.g{stroke:#e3e5e1}.a{stroke:#59636c}"
)


@dataclass(frozen=True)
class Series:
    """A line, its points, or both.

    Attributes:
        label: In the legend; empty for none.
        x: (n,).
        y: (n,); a gap where it is NaN.
        line: Whether the points are joined.
        dots: Whether they are marked.
        texts: A text at each point, or nothing.
        colour: Which of the colours; the next one where it is None.
        faint: Drawn thin and pale, one of many.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    line: bool = True
    dots: bool = True
    texts: Sequence[str] = ()
    colour: int | None = None
    faint: bool = False


@dataclass(frozen=True)
class Axis:
    """An axis: its label, its ends, and its ticks (values and texts).

    Without ticks, evenly spaced ones are drawn.
    """

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()

    def marks(self) -> tuple[tuple[float, str], ...]:
        """Where the axis is marked.

        >>> Axis("", 0, 1).marks()[1]
        (0.2, '0.2')
        """
        if self.ticks:
            return self.ticks

        step = nice((self.high - self.low) / 5)
        # an end that is a multiple of the step but for rounding is marked
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        values = [round(i * step, 10) for i in range(first, last + 1)]
        return tuple((value, f"{value:.10g}") for value in values)


def nice(step: float) -> float:
    """The round number (1, 2 or 5 times a power of ten) next to a step.

    >>> nice(0.18), nice(7)
    (0.2, 5.0)
    """
    power = 10.0 ** np.floor(np.log10(step))
    return float(min((1, 2, 5, 10), key=lambda m: abs(m * power - step)) * power)


def around(values: Sequence[float], step: float) -> tuple[float, float]:
    """The multiples of a step that hold all values between them.

    >>> around([1.04, 1.32], 0.1)
    (1.0, 1.4)
    """
    low = float(np.nanmin(values))
    high = float(np.nanmax(values))
    return round(step * math.floor(low / step), 10), round(step * math.ceil(high / step - 1e-9), 10)


def chart(title: str, series: Sequence[Series], x: Axis, y: Axis) -> bytes:
    """A chart as SVG.

    Args:
        title: For those who cannot see it; it is not drawn.
        series: Drawn in order, each in its own colour and shape.
        x: Horizontal axis.
        y: Vertical axis.
    """
    shown = [one for one in series if one.label]
    # three names a row, and room above the chart for as many rows as that takes
    legend = TOP + 22 * -(-len(shown) // 3) if len(shown) > 1 else TOP
    frame = _Frame(x, y, legend)
    # the grid first: what is drawn later lies on top
    parts = [*frame.axes()]

    for place, one in enumerate(series):
        kind = place if one.colour is None else one.colour
        parts += frame.draw(one, kind)

    if len(shown) > 1:
        for place, one in enumerate(shown):
            kind = series.index(one) if one.colour is None else one.colour
            across = LEFT + 226 * (place % 3)
            down = 16 + 22 * (place // 3)
            parts.append(_mark(across + 6, down, kind, 5))
            parts.append(f'<text x="{across + 18}" y="{down + 4.5}">{escape(one.label)}</text>')

    return _document(title, parts, WIDTH, HEIGHT + legend - TOP)


def matrices(
    title: str, panels: Sequence[tuple[str, npt.NDArray[np.float32]]], high: float
) -> bytes:
    """Square matrices side by side, dark where they are small, with a scale from 0 to ``high``.

    Args:
        title: For those who cannot see it.
        panels: Caption and matrix (n, n) each.
        high: What is drawn brightest.
    """
    side = 330
    gap = 30
    parts = []

    for place, (caption, matrix) in enumerate(panels):
        left = 10 + place * (side + gap)
        parts.append(f'<text x="{left}" y="20">{escape(caption)}</text>')
        parts.append(_image(matrix / high, left, 30, side, side))

    across = 10 + len(panels) * (side + gap)
    parts.append(_image(np.linspace(1, 0, 64, dtype=np.float32)[:, None], across, 30, 16, side))
    for value in np.arange(0, high + 1e-6, 0.4):
        down = 34 + side * (1 - value / high)
        parts.append(f'<text class="s" x="{across + 22}" y="{down:.0f}">{value:.1f}</text>')

    return _document(title, parts, across + 60, side + 44)


class _Frame:
    """Axes and the place of values on them."""

    def __init__(self, x: Axis, y: Axis, top: float) -> None:
        self.x = x
        self.y = y
        self.top = top
        self._texts: list[tuple[float, float]] = []
        self.right = WIDTH - RIGHT
        self.bottom = HEIGHT - BOTTOM + top - TOP

    def across(self, value: float) -> float:
        share = (value - self.x.low) / (self.x.high - self.x.low)
        return LEFT + share * (self.right - LEFT)

    def down(self, value: float) -> float:
        share = (value - self.y.low) / (self.y.high - self.y.low)
        return self.bottom - share * (self.bottom - self.top)

    def axes(self) -> list[str]:
        parts = []
        for value, text in self.y.marks():
            down = self.down(value)
            parts.append(f'<path class="g" d="M{LEFT} {down:.1f}H{self.right}"/>')
            parts.append(
                f'<text class="s" x="{LEFT - 8}" y="{down + 4:.1f}" '
                f'text-anchor="end">{escape(text)}</text>'
            )

        for value, text in self.x.marks():
            place = f'x="{self.across(value):.1f}" y="{self.bottom + 18:.1f}"'
            parts.append(f'<text class="s" {place} text-anchor="middle">{escape(text)}</text>')

        middle = (LEFT + self.right) / 2
        half = (self.top + self.bottom) / 2
        return [
            *parts,
            f'<path class="a" d="M{LEFT} {self.bottom}H{self.right}"/>',
            f'<text x="{middle}" y="{self.bottom + 42}" '
            f'text-anchor="middle">{escape(self.x.label)}</text>',
            f'<text transform="translate(16 {half}) rotate(-90)" '
            f'text-anchor="middle">{escape(self.y.label)}</text>',
        ]

    def draw(self, one: Series, kind: int) -> list[str]:
        colour = COLOURS[kind % len(COLOURS)]
        points = []
        for a, b in zip(one.x, one.y, strict=True):
            if np.isfinite(a + b):
                points.append((self.across(a), self.down(b)))

        parts = []

        if one.line and len(points) > 1:
            path = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
            looks = 'stroke-width="1" opacity=".45"' if one.faint else 'stroke-width="2"'
            parts.append(f'<path fill="none" stroke="{colour}" {looks} d="M{path}"/>')

        if one.dots:
            parts += [_mark(a, b, kind, 4.5) for a, b in points]

        # a series has a text for every point, or none at all
        for (a, b), text in zip(points, one.texts, strict=False):
            if text:
                parts.append(self._text(a, b, text))

        return parts

    def _text(self, a: float, b: float, text: str) -> str:
        """A text beside a point, where no other text is; none where there is no such place."""
        # to the left a text has to end before the point: about 7 pixels a character
        left = -9 - 7 * len(text)

        for across, down in ((7, -6), (7, 15), (left, -6), (left, 15)):
            x = a + across
            y = b + down
            if self._free(x, y):
                self._texts.append((x, y))
                return f'<text class="s" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'

        return ""

    def _free(self, x: float, y: float) -> bool:
        """Whether a short text there would touch no other."""
        return not any(abs(x - c) < 20 and abs(y - d) < 12 for c, d in self._texts)


def _mark(a: float, b: float, kind: int, r: float) -> str:
    """A point, in a shape of its own for every colour."""
    colour = COLOURS[kind % len(COLOURS)]
    shapes = (
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{r}" fill="{colour}"/>',
        f'<path d="M{a:.1f} {b - r - 1:.1f}l{r + 1} {2 * r}h-{2 * r + 2}z" fill="{colour}"/>',
        f'<rect x="{a - r:.1f}" y="{b - r:.1f}" width="{2 * r}" height="{2 * r}" fill="{colour}"/>',
        f'<path d="M{a:.1f} {b - r - 1:.1f}l{r + 1} {r + 1}l-{r + 1} {r + 1}l-{r + 1} -{r + 1}z" '
        f'fill="{colour}"/>',
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{r - 1}" fill="#fff" stroke="{colour}" '
        'stroke-width="2"/>',
        f'<path d="M{a - r:.1f} {b:.1f}h{2 * r}M{a:.1f} {b - r:.1f}v{2 * r}" stroke="{colour}" '
        'stroke-width="2.5"/>',
        f'<path d="M{a - r:.1f} {b - r:.1f}l{2 * r} {2 * r}m-{2 * r} 0l{2 * r} -{2 * r}" '
        f'stroke="{colour}" '
        'stroke-width="3"/>',
    )
    return shapes[kind % len(shapes)]


def _image(
    values: npt.NDArray[np.float32], left: float, top: float, width: float, height: float
) -> str:
    """Values from 0 to 1 as an embedded picture."""
    grey = np.asarray(np.clip(values * 255, 0, 255), np.uint8)
    _, data = cv2.imencode(".png", cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO))
    text = base64.b64encode(data.tobytes()).decode()
    place = f'x="{left}" y="{top}" width="{width}" height="{height}" preserveAspectRatio="none"'

    return f'<image {place} style="image-rendering:pixelated" href="data:image/png;base64,{text}"/>'


def _document(title: str, parts: Sequence[str], width: float, height: float) -> bytes:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}"'
    )
    body = "\n".join(parts)
    text = (
        f'{head} height="{height:.0f}" '
        f'role="img">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )
    return text.encode()
