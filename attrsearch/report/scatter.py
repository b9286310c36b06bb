"""Trade-off scatter plots as inline SVG: distance against detection x IoU, with the line at the threshold."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WIDTH, HEIGHT = 360, 240
LEFT, RIGHT, TOP, BOTTOM = 40, 10, 10, 34


@dataclass(frozen=True)
class Axis:
    """A linear axis: data range to pixels, with its ticks."""

    low: float
    high: float
    start: float
    end: float

    def at(self, values: Floats) -> Floats:
        """Pixel positions, values outside the range held at its ends.

        >>> Axis(0, 2, 0, 100).at(np.array([0.0, 1.0, 3.0])).tolist()
        [0.0, 50.0, 100.0]
        """
        share = (np.clip(values, self.low, self.high) - self.low) / (self.high - self.low)
        return np.asarray(self.start + share * (self.end - self.start))

    def ticks(self) -> list[float]:
        """Round values inside the range, at most seven."""
        step = 10 ** np.floor(np.log10((self.high - self.low) / 4))
        step *= next(k for k in (1, 2, 5, 10) if (self.high - self.low) / (k * step) <= 6 + 1e-9)
        first = np.ceil(self.low / step - 1e-9)
        last = np.floor(self.high / step + 1e-9)
        return [round(float(i * step), 6) for i in np.arange(first, last + 1)]


def scatter(
    distance: Floats,
    utility: Floats,
    feasible: npt.NDArray[np.bool_],
    winner: int | None,
    threshold: float,
    title: str,
) -> str:
    """One scatter as an SVG element.

    Args:
        distance: (n,), x, FaceNet scale.
        utility: (n,), y, detection x IoU.
        feasible: (n,), drawn in colour; the others grey.
        winner: Index drawn large, or None.
        threshold: Where the vertical line stands.
        title: Read by screen readers.
    """
    left = np.floor(float(np.quantile(distance, 0.01)) * 10) / 10 if len(distance) else 1.0
    x = Axis(min(1.0, float(left)), 1.8, LEFT, WIDTH - RIGHT)
    low = np.floor(float(np.quantile(utility, 0.02)) * 10) / 10 if len(utility) else 0.0
    y = Axis(min(0.7, float(low)), 1.0, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg class="scatter" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
        *_grid(x, y),
        _line(x, threshold),
    ]
    order = np.argsort(feasible, kind="stable")
    px, py = x.at(distance), y.at(utility)
    for kind, chosen in (("no", order[~feasible[order]]), ("ok", order[feasible[order]])):
        dots = "".join(f"M{px[i]:.1f} {py[i]:.1f}h0" for i in chosen)
        parts.append(f'<path class="dot {kind}" d="{dots}"/>' if dots else "")
    if winner is not None:
        parts.append(f'<circle class="win" cx="{px[winner]:.1f}" cy="{py[winner]:.1f}" r="5"/>')
    return "".join([*parts, "</svg>"])


def _grid(x: Axis, y: Axis) -> list[str]:
    bottom = HEIGHT - BOTTOM
    parts = [f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}"/>']
    for value, position in zip(x.ticks(), x.at(np.array(x.ticks())), strict=True):
        parts.append(f'<text x="{position:.1f}" y="{bottom + 13}" text-anchor="middle">{value:g}</text>')
    for value, position in zip(y.ticks(), y.at(np.array(y.ticks())), strict=True):
        parts.append(f'<path class="grid" d="M{LEFT} {position:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{position + 3:.1f}" text-anchor="end">{value:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 5}" text-anchor="middle">distance (FaceNet scale)</text>')
    height = (TOP + bottom) / 2
    parts.append(
        f'<text transform="translate(11 {height}) rotate(-90)" text-anchor="middle">detection × IoU</text>'
    )
    return parts


def _line(x: Axis, threshold: float) -> str:
    position = float(x.at(np.array([threshold]))[0])
    label = f'<text class="limit" x="{position + 3:.1f}" y="{TOP + 8}">{threshold:g}</text>'
    return f'<path class="limit" d="M{position:.1f} {TOP}V{HEIGHT - BOTTOM}"/>{label}'
